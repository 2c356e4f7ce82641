#include "connector/mysql/errors.h"

#include <algorithm>
#include <array>

namespace tidemark::mysql {
namespace {

using enum FailureKind;

struct CodeRow {
  unsigned code;
  FailureKind kind;
  std::string_view message;
  std::string_view hint = {};
};

constexpr std::string_view own_file = "the server could not work with one of its own files";
constexpr std::string_view own_file_hint =
    "Look at its disk, and that it shares its tmpdir with no other server: one that starts deletes "
    "what it finds there.";

// Sorted by code. What is missing here is decided by SQLSTATE.
constexpr std::array codes{
    // Below 100: of the server's library for files and memory (mysys_err.h).
    CodeRow{1, resource, own_file, own_file_hint},
    CodeRow{2, resource, own_file, own_file_hint},
    CodeRow{3, resource, own_file, own_file_hint},
    CodeRow{4, resource, own_file, own_file_hint},
    CodeRow{5, resource, "the server is out of memory"},
    CodeRow{6, resource, own_file, own_file_hint},
    CodeRow{7, resource, own_file, own_file_hint},
    CodeRow{9, resource, own_file, own_file_hint},
    CodeRow{13, resource, own_file, own_file_hint},
    CodeRow{14, resource, own_file, own_file_hint},
    CodeRow{15, resource, own_file, own_file_hint},
    CodeRow{20, resource, "the server's disk is full"},
    CodeRow{23, resource, "the server has no file handle left"},
    CodeRow{27, resource, own_file, own_file_hint},
    CodeRow{29, resource, own_file, own_file_hint},
    CodeRow{1021, resource, "the server's disk is full"},
    CodeRow{1030, resource, "the storage engine reported an error"},
    CodeRow{1037, resource, "the server is out of memory"},
    CodeRow{1038, resource, "the server is out of sort memory"},
    CodeRow{1040, resource, "the server has no connection left"},
    CodeRow{1041, resource, "the server is out of memory"},
    CodeRow{1042, connect, "the server could not resolve our address"},
    CodeRow{1043, connect, "the handshake with the server failed"},
    CodeRow{1044, permission, "this login may not use the database",
            "Grant it; `tidemark grants` prints the statements."},
    CodeRow{1045, auth, "the server refused the login",
            "Check user and password of the connection, and the host the account is for."},
    CodeRow{1048, constraint, "a NOT NULL column got NULL"},
    CodeRow{1049, schema, "the database does not exist"},
    CodeRow{1053, resource, "the server is shutting down"},
    CodeRow{1054, schema, "a column does not exist"},
    CodeRow{1062, constraint, "a unique key has this value already"},
    CodeRow{1064, internal, "the server could not parse the statement",
            "Where the text is yours (query, where, hooks, init_sql), check it."},
    CodeRow{1075, schema, "the table definition is not allowed"},
    CodeRow{1114, resource, "the table or its tablespace is full"},
    CodeRow{1118, schema, "the columns are too wide for one row",
            "Give some text columns a native_type of LONGTEXT, or exclude them."},
    CodeRow{1129, resource, "the server blocks this host after too many failed connections"},
    CodeRow{1130, auth, "the server does not let this host in"},
    CodeRow{1142, permission, "this login lacks a privilege on the table",
            "`tidemark grants` prints the statements."},
    CodeRow{1143, permission, "this login lacks a privilege on a column",
            "`tidemark grants` prints the statements."},
    CodeRow{1146, schema, "the table does not exist"},
    CodeRow{1153, conversion, "a row is larger than max_allowed_packet",
            "Raise max_allowed_packet on the server, or exclude the column."},
    CodeRow{1158, connect, "the connection was lost"},
    CodeRow{1159, connect, "the connection was lost"},
    CodeRow{1160, connect, "the connection was lost"},
    CodeRow{1161, connect, "the connection was lost"},
    CodeRow{1171, schema, "a primary key column allows NULL"},
    CodeRow{1203, resource, "this user has no connection left"},
    CodeRow{1205, deadlock, "a row lock was not granted in time"},
    CodeRow{1206, resource, "the server is out of lock memory"},
    CodeRow{1213, deadlock, "the server broke a deadlock"},
    CodeRow{1216, constraint, "a parent row is missing"},
    CodeRow{1217, constraint, "a child row still refers to the row"},
    CodeRow{1226, resource, "this user has used up a resource limit"},
    CodeRow{1227, permission, "this login lacks a server privilege",
            "`tidemark grants` prints the statements."},
    CodeRow{1264, conversion, "a number is out of the column's range"},
    CodeRow{1265, conversion, "a value does not fit the column"},
    CodeRow{1290, resource, "the server runs in a mode that refuses writes"},
    CodeRow{1292, conversion, "a date, time or number is not valid for the column"},
    CodeRow{1298, schema, "the server does not know the time zone",
            "Load the zone tables with mysql_tzinfo_to_sql, or write the zone as an offset."},
    CodeRow{1317, resource, "the statement was interrupted at the server"},
    CodeRow{1364, constraint, "a column without default got no value"},
    CodeRow{1366, conversion, "a value is not valid for the column's type or character set"},
    CodeRow{1406, conversion, "a value is too long for the column"},
    CodeRow{1451, constraint, "a child row still refers to the row"},
    CodeRow{1452, constraint, "a parent row is missing"},
    CodeRow{1526, constraint, "no partition takes the row"},
    CodeRow{1586, constraint, "a unique key has this value already"},
    CodeRow{1614, conflict, "the transaction branch was rolled back"},
    CodeRow{1644, constraint, "a trigger refused the row"},
    CodeRow{1690, conversion, "a number is out of range"},
    CodeRow{1698, auth, "the server refused the login"},
    CodeRow{1792, permission, "the session may only read",
            "A source reads in read-only transactions: the query must not write."},
    CodeRow{1820, auth, "the account's password has expired"},
    CodeRow{1836, resource, "the server is in read-only mode"},
    CodeRow{1862, auth, "the account's password has expired"},
    CodeRow{1927, connect, "the server ended our session"},
    CodeRow{1969, timeout, "the statement ran into the server's max_statement_time"},
    CodeRow{2001, resource, "no socket could be made"},
    CodeRow{2002, connect, "the server can't be reached"},
    CodeRow{2003, connect, "the server can't be reached"},
    CodeRow{2004, resource, "no socket could be made"},
    CodeRow{2005, connect, "the host name is not known"},
    CodeRow{2006, connect, "the connection was lost"},
    CodeRow{2008, resource, "the client library has no memory left"},
    CodeRow{2012, connect, "the handshake with the server failed"},
    CodeRow{2013, connect, "the connection was lost"},
    CodeRow{2020, conversion, "a row is larger than max_allowed_packet",
            "Raise max_allowed_packet on the server, or exclude the column."},
    CodeRow{2026, tls, "the encrypted channel could not be made as asked",
            "Check tls.mode and tls.ca of the connection, and whether the server offers TLS."},
    CodeRow{2027, connect, "what came from the server can't be understood"},
    CodeRow{2055, connect, "the connection was lost"},
    CodeRow{2059, auth, "the server asks for a login method this client does not have"},
    CodeRow{2061, auth, "the login method of the account needs an encrypted connection"},
    CodeRow{3024, timeout, "the statement ran into the server's max_execution_time"},
    CodeRow{3100, conflict, "the transaction was refused by the replication group"},
    CodeRow{3101, conflict, "the transaction was refused by the replication group"},
    CodeRow{3140, conversion, "a value is no valid JSON"},
    CodeRow{3572, deadlock, "a row was locked by another transaction"},
    CodeRow{3780, schema, "a foreign key does not match its parent column"},
    CodeRow{3819, constraint, "a CHECK constraint refused the row"},
    CodeRow{4025, constraint, "a CHECK constraint refused the row"},
    CodeRow{4031, connect, "the server ended our idle session"},
    CodeRow{4151, auth, "the account is locked"},
    // MariaDB's client library: a read, a write or an uncompressing that failed half-way.
    CodeRow{5013, connect, "the connection was lost"},
    CodeRow{5014, connect, "the connection was lost"},
    CodeRow{5015, connect, "what came from the server can't be understood"},
};

struct StateRow {
  std::string_view state;  // five letters, or the two of a class
  FailureKind kind;
  std::string_view message;
};

constexpr std::array states{
    StateRow{"40001", conflict, "the server asks for the transaction again"},
    StateRow{"40XA1", conflict, "the server rolled the transaction back"},
    StateRow{"42000", internal, "the server refused the statement"},
    StateRow{"42S01", schema, "the table is there already"},
    StateRow{"42S02", schema, "the table does not exist"},
    StateRow{"42S21", schema, "the column is there already"},
    StateRow{"42S22", schema, "a column does not exist"},
    StateRow{"70100", resource, "the statement was interrupted at the server"},
    StateRow{"08", connect, "the connection was lost"},
    StateRow{"22", conversion, "a value does not fit the column"},
    StateRow{"23", constraint, "a constraint refused the row"},
    StateRow{"28", auth, "the server refused the login"},
    StateRow{"40", conflict, "the server asks for the transaction again"},
};

constexpr bool sorted() {
  for (std::size_t at = 1; at < codes.size(); ++at)
    if (codes[at - 1].code >= codes[at].code) return false;
  return true;
}
static_assert(sorted());

const CodeRow* find_code(unsigned code) noexcept {
  const auto* const at =
      std::lower_bound(codes.begin(), codes.end(), code,
                       [](const CodeRow& row, unsigned wanted) { return row.code < wanted; });
  return at != codes.end() && at->code == code ? &*at : nullptr;
}

const StateRow* find_state(std::string_view sqlstate) noexcept {
  const StateRow* found = nullptr;
  for (const StateRow& row : states) {
    if (row.state == sqlstate) return &row;
    if (row.state.size() == 2 && sqlstate.starts_with(row.state)) found = &row;
  }
  return found;
}

}  // namespace

FailureKind kind_of(unsigned code, std::string_view sqlstate) noexcept {
  if (const CodeRow* row = find_code(code)) return row->kind;
  if (const StateRow* row = find_state(sqlstate)) return row->kind;
  return internal;
}

bool ends_session(unsigned code) noexcept {
  switch (code) {
    case 1053:
    case 1927:
    case 2006:
    case 2013:
    case 2027:
    case 2055:
    case 4031:
    case 5013:
    case 5014:
    case 5015:
      return true;
    default:
      return code >= 1158 && code <= 1161;
  }
}

Error make_error(const NativeError& native, std::string_view operation) {
  Error::Fields fields;
  fields.code = std::to_string(native.code);
  fields.operation = operation;
  fields.driver_text = native.text;
  if (const CodeRow* row = find_code(native.code)) {
    fields.kind = row->kind;
    fields.message = row->message;
    fields.hint = row->hint;
  } else if (const StateRow* state = find_state(native.sqlstate)) {
    fields.kind = state->kind;
    fields.message = state->message;
    fields.code += "/" + native.sqlstate;
  } else {
    fields.kind = internal;
    fields.message = "the server reported an error that is not known here";
    fields.hint = "The debug log has the server's own text.";
    fields.code += "/" + native.sqlstate;
  }
  return Error(std::move(fields));
}

std::string column_in(std::string_view driver_text) {
  std::size_t at = driver_text.rfind("olumn ");
  if (at == std::string_view::npos) return {};
  std::string_view rest = driver_text.substr(at + 6);
  if (rest.empty()) return {};
  const char quote = rest.front();
  if (quote == '\'') {
    const std::size_t end = rest.find('\'', 1);
    return end == std::string_view::npos ? std::string{} : std::string(rest.substr(1, end - 1));
  }
  if (quote != '`') return {};
  // `db`.`table`.`column`: the last part, with doubled quotes undone.
  std::string name;
  for (std::size_t index = 1; index < rest.size(); ++index) {
    if (rest[index] != '`') {
      name += rest[index];
    } else if (rest.substr(index, 2) == "``") {
      name += '`';
      ++index;
    } else if (rest.substr(index, 3) == "`.`") {
      name.clear();
      index += 2;
    } else {
      return name;
    }
  }
  return {};
}

}  // namespace tidemark::mysql
