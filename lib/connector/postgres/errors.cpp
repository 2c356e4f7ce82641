#include "connector/postgres/errors.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>

namespace tidemark::postgres {
namespace {

struct StateRow {
  std::string_view state;  // five characters, or a class of two
  FailureKind kind;
  std::string_view words;
  std::string_view hint = {};
};

// Codes before their class. From appendix A of the PostgreSQL 15 manual.
constexpr std::array states{
    StateRow{"08", FailureKind::connect, "the connection failed"},
    StateRow{"08P01", FailureKind::internal, "the server saw a protocol violation"},
    StateRow{"0A", FailureKind::schema, "the server does not support what the statement needs"},
    StateRow{"21", FailureKind::constraint, "a statement met one row twice"},
    StateRow{"22", FailureKind::conversion, "a value does not fit its column"},
    StateRow{"22001", FailureKind::conversion, "a text is too long for its column"},
    StateRow{"22003", FailureKind::conversion, "a number is out of its column's range"},
    StateRow{"22008", FailureKind::conversion, "a date or time is out of its column's range"},
    StateRow{"22021", FailureKind::conversion, "a text is not valid in the server's encoding"},
    StateRow{"22P05", FailureKind::conversion, "a text holds a character the server can't store"},
    StateRow{"23", FailureKind::constraint, "a constraint refuses a row"},
    StateRow{"23502", FailureKind::constraint, "a column that must not be null got a null"},
    StateRow{"23503", FailureKind::constraint, "a foreign key refuses a row"},
    StateRow{unique_violation, FailureKind::constraint, "a unique key is taken by another row"},
    StateRow{"23514", FailureKind::constraint, "a check constraint refuses a row"},
    StateRow{"23P01", FailureKind::constraint, "an exclusion constraint refuses a row"},
    StateRow{"25006", FailureKind::resource, "the server takes no writes",
             "It is a standby or set read-only; connect to the primary."},
    StateRow{"25P03", FailureKind::connect, "the server ended a transaction that stood idle"},
    StateRow{"25P04", FailureKind::connect, "the server ended a transaction that took too long"},
    StateRow{"28", FailureKind::auth, "the server refused the login",
             "Check user, password and pg_hba.conf."},
    StateRow{"28P01", FailureKind::auth, "the server refused the password",
             "Check user and password of the connection."},
    StateRow{"3D000", FailureKind::schema, "there is no such database",
             "Check `database` of the connection."},
    StateRow{"3F000", FailureKind::schema, "there is no such schema"},
    StateRow{"40", FailureKind::conflict, "the transaction must be repeated"},
    StateRow{"40P01", FailureKind::deadlock, "the server broke a deadlock"},
    StateRow{"42", FailureKind::schema, "the statement does not fit the server's tables"},
    StateRow{"42501", FailureKind::permission, "the login has no right to do this",
             "`tidemark grants` prints the statements that give it."},
    StateRow{"42601", FailureKind::schema, "the statement has a syntax error"},
    StateRow{"42703", FailureKind::schema, "there is no such column"},
    StateRow{"42883", FailureKind::schema, "there is no such function or operator"},
    StateRow{"42P01", FailureKind::schema, "there is no such table"},
    StateRow{"44", FailureKind::constraint, "a view's check option refuses a row"},
    StateRow{"53", FailureKind::resource, "the server is out of a resource"},
    StateRow{"53100", FailureKind::resource, "the server's disk is full"},
    StateRow{"53200", FailureKind::resource, "the server is out of memory"},
    StateRow{"53300", FailureKind::resource, "the server has no free connection"},
    StateRow{"54", FailureKind::schema, "the statement is over a limit of the server"},
    StateRow{"55000", FailureKind::schema, "an object is not in the state that is needed"},
    StateRow{"55006", FailureKind::conflict, "an object is in use"},
    StateRow{"55P03", FailureKind::deadlock, "a lock was not granted in time"},
    StateRow{"57014", FailureKind::timeout, "the server cancelled the statement"},
    StateRow{"57P01", FailureKind::resource, "the server is shutting down or ended the session"},
    StateRow{"57P02", FailureKind::resource, "the server crashed and is starting again"},
    StateRow{"57P03", FailureKind::resource, "the server takes no connections now"},
    StateRow{"57P04", FailureKind::schema, "the database was dropped"},
    StateRow{"57P05", FailureKind::connect, "the server ended an idle session"},
    StateRow{"58", FailureKind::resource, "the server's system failed"},
    StateRow{"72000", FailureKind::conflict, "the snapshot is too old"},
};

const StateRow* find_state(std::string_view sqlstate) noexcept {
  const auto find = [](std::string_view wanted) {
    return std::find_if(states.begin(), states.end(),
                        [&](const StateRow& row) { return row.state == wanted; });
  };
  if (sqlstate.size() != 5) return nullptr;
  auto found = find(sqlstate);
  if (found == states.end()) found = find(sqlstate.substr(0, 2));
  return found == states.end() ? nullptr : &*found;
}

std::string field(const PGresult* result, int code) {
  const char* text = PQresultErrorField(result, code);
  return text == nullptr ? std::string() : std::string(text);
}

/// The SQLSTATE in "FATAL:  28P01: …", wherever in the text it stands; "" for none.
std::string state_in(std::string_view text) {
  const auto is_state = [](std::string_view part) {
    return std::all_of(part.begin(), part.end(), [](unsigned char c) {
      return std::isdigit(c) != 0 || (c >= 'A' && c <= 'Z');
    });
  };
  for (std::size_t at = text.find(":  "); at != std::string_view::npos;
       at = text.find(":  ", at + 1)) {
    const std::string_view rest = text.substr(at + 3);
    if (rest.size() > 5 && rest[5] == ':' && is_state(rest.substr(0, 5)))
      return std::string(rest.substr(0, 5));
  }
  return {};
}

Error::Fields fields_of(std::string_view sqlstate) {
  Error::Fields fields;
  fields.kind = kind_of(sqlstate);
  fields.code = sqlstate;
  fields.message = describe_state(sqlstate);
  if (const StateRow* row = find_state(sqlstate)) fields.hint = row->hint;
  return fields;
}

}  // namespace

FailureKind kind_of(std::string_view sqlstate) noexcept {
  const StateRow* row = find_state(sqlstate);
  return row == nullptr ? FailureKind::internal : row->kind;
}

std::string describe_state(std::string_view sqlstate) {
  const StateRow* row = find_state(sqlstate);
  return row == nullptr ? "the server refused the statement" : std::string(row->words);
}

std::optional<std::size_t> row_of_context(std::string_view context, std::string_view relation) {
  if (relation.empty()) return std::nullopt;
  const std::string start = "COPY " + std::string(relation) + ",";
  const std::size_t at = context.find(start);
  if (at == std::string_view::npos) return std::nullopt;
  const std::string_view rest = context.substr(at + start.size());
  const std::size_t digit = rest.find_first_of("0123456789");
  std::size_t line = 0;
  if (digit == std::string_view::npos ||
      std::from_chars(rest.data() + digit, rest.data() + rest.size(), line).ec != std::errc{} ||
      line == 0)
    return std::nullopt;
  return line - 1;
}

Error lost_connection(std::string driver_text) {
  return Error({.kind = FailureKind::connect,
                .message = "the connection to the server was lost",
                .driver_text = std::move(driver_text)});
}

Error error_from(const PGresult* result, const FailureContext& context) {
  const std::string state = field(result, PG_DIAG_SQLSTATE);
  Error::Fields fields = fields_of(state);
  fields.driver_text = PQresultErrorMessage(result);
  if (context.connection_lost) {
    Error lost = lost_connection(fields.driver_text);
    Error::Fields again = lost.fields();
    again.code = state;
    return Error(again);
  }
  const std::string constraint = field(result, PG_DIAG_CONSTRAINT_NAME);
  if (!constraint.empty()) fields.message += ": constraint \"" + constraint + "\"";
  fields.column = field(result, PG_DIAG_COLUMN_NAME);
  fields.table = context.table.empty() ? field(result, PG_DIAG_TABLE_NAME) : context.table;
  fields.row = row_of_context(field(result, PG_DIAG_CONTEXT), context.copied_relation);
  return Error(fields);
}

Error connect_error(std::string_view text, bool needs_password) {
  const std::string state = state_in(text);
  const auto says = [&](std::string_view part) {
    return text.find(part) != std::string_view::npos;
  };
  Error::Fields fields;
  if (!state.empty()) {
    fields = fields_of(state);
    // An unknown refusal at login is still a refusal to connect, not a fault of ours.
    if (fields.kind == FailureKind::internal) fields.kind = FailureKind::connect;
  } else if (needs_password) {
    fields = fields_of("28P01");
    fields.message = "the server asks for a password and the connection has none";
  } else if (says("SSL") || says("certificate")) {
    fields.kind = FailureKind::tls;
    fields.message = "no encrypted connection of the kind that `tls` asks for could be made";
    fields.hint = "Check tls.mode and tls.ca of the connection, and the server's certificate.";
  } else {
    fields.kind = FailureKind::connect;
    fields.message = "no connection to the server";
  }
  fields.driver_text = text;
  return Error(fields);
}

}  // namespace tidemark::postgres
