#include "connector/postgres/cursor_evidence.h"

#include <algorithm>
#include <array>
#include <cctype>

#include "connector/postgres/dialect.h"
#include "connector/postgres/snapshot_proof.h"
#include "connector/sql/select.h"

namespace tidemark::postgres {
namespace {

std::string lower(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return result;
}

/// True when the parenthesis that `text` begins with is closed by its last character.
bool enclosed(std::string_view text) {
  if (!text.starts_with('(') || !text.ends_with(')')) return false;
  int depth = 0;
  for (std::size_t at = 0; at < text.size(); ++at) {
    depth += text[at] == '(' ? 1 : text[at] == ')' ? -1 : 0;
    if (depth == 0) return at + 1 == text.size();
  }
  return false;
}

std::string trimmed(const std::string& text) {
  const std::size_t first = text.find_first_not_of(' ');
  const std::size_t last = text.find_last_not_of(' ');
  return first == std::string::npos ? "" : text.substr(first, last - first + 1);
}

/// "'zone'::text" or "'zone'" without its quotes; nullopt for anything else.
std::optional<std::string> zone_literal(std::string_view text) {
  if (text.ends_with("::text")) text.remove_suffix(6);
  if (text.size() < 2 || !text.starts_with('\'') || !text.ends_with('\'')) return std::nullopt;
  text = text.substr(1, text.size() - 2);
  if (text.find('\'') != std::string_view::npos) return std::nullopt;
  return std::string(text);
}

/// A cast's type that a time may go through: what pg_get_expr prints, with any precision.
bool is_time_type(std::string_view type) {
  if (type == "date") return true;
  if (!type.starts_with("timestamp")) return false;
  type.remove_prefix(9);
  if (type.size() > 3 && type[0] == '(' && std::isdigit(static_cast<unsigned char>(type[1])) != 0 &&
      type[2] == ')')
    type.remove_prefix(3);
  return type == " with time zone" || type == " without time zone";
}

/// Takes one layer off an expression: parentheses, a cast to a date or time, a zone. False when
/// there is none.
bool peel(std::string& expression, ServerTime& time) {
  constexpr std::string_view function = "timezone(";
  constexpr std::string_view at_zone = " at time zone ";
  if (enclosed(expression)) {
    expression = trimmed(expression.substr(1, expression.size() - 2));
    return true;
  }
  const std::size_t cast = expression.rfind("::");
  if (cast != std::string::npos && is_time_type(std::string_view(expression).substr(cast + 2))) {
    expression = trimmed(expression.substr(0, cast));
    return true;
  }
  const std::size_t comma = expression.find(", ");
  if (expression.starts_with(function) && comma != std::string::npos &&
      enclosed(std::string_view(expression).substr(function.size() - 1))) {
    const auto zone =
        zone_literal(std::string_view(expression).substr(function.size(), comma - function.size()));
    if (!zone) return false;
    time.zone = *zone;
    expression = trimmed(expression.substr(comma + 2, expression.size() - comma - 3));
    return true;
  }
  const std::size_t at = expression.rfind(at_zone);
  if (at == std::string::npos) return false;
  const auto zone = zone_literal(std::string_view(expression).substr(at + at_zone.size()));
  if (!zone) return false;
  time.zone = *zone;
  expression = trimmed(expression.substr(0, at));
  return true;
}

bool is_clock(std::string_view expression) {
  constexpr std::array functions{"now()",         "clock_timestamp()", "statement_timestamp()",
                                 "current_date",  "current_timestamp", "transaction_timestamp()",
                                 "localtimestamp"};
  if (expression.size() > 3 && expression.ends_with(')') &&
      expression[expression.size() - 3] == '(' &&
      std::isdigit(static_cast<unsigned char>(expression[expression.size() - 2])) != 0)
    expression.remove_suffix(3);  // a precision
  return std::find(functions.begin(), functions.end(), expression) != functions.end();
}

/// "left join", "full outer join", … anywhere in the query, quoted or not: seen too often rather
/// than too rarely.
bool has_outer_join(const std::string& query) {
  bool side = false;
  std::string word;
  for (const char c : lower(query) + " ") {
    if (std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_') {
      word += c;
      continue;
    }
    if (word == "outer" || (word == "join" && side)) return true;
    side = side || word == "left" || word == "right" || word == "full";
    word.clear();
  }
  return false;
}

/// `source`: what must stand in the trigger's function beside the column; "" for anything.
void read_triggers(Connection& connection, const CursorOrigin& origin, const std::string& source,
                   CursorEvidence& evidence) {
  // tgtype: 1 row, 2 before, 4 insert, 16 update. A name in tgargs is how moddatetime is told.
  const std::string column = PostgresDialect::quote_text(origin.column);
  const Rows triggers = connection.query(
      "SELECT t.tgname, (t.tgtype & 4) <> 0, (t.tgtype & 16) <> 0, "
      "t.tgattr::text <> '' OR (t.tgqual IS NOT NULL AND pg_get_triggerdef(t.oid) NOT ILIKE "
      "'%WHEN ((old.* IS DISTINCT FROM new.*))%') "
      "FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid WHERE t.tgrelid = " +
      std::to_string(origin.table->oid) +
      " AND NOT t.tgisinternal AND t.tgenabled IN ('O', 'A') AND (t.tgtype & 3) = 3 "
      "AND (position(" +
      column + " IN p.prosrc) > 0 OR position(" + column +
      " IN encode(t.tgargs, 'escape')) > 0) AND (" + PostgresDialect::quote_text(source) +
      " = '' OR position(" + PostgresDialect::quote_text(source) + " IN p.prosrc) > 0)");
  for (const Row trigger : triggers) {
    const std::string name = trigger[0].c_str();
    if (trigger[1].as<bool>()) evidence.server_assigned = true;
    if (!trigger[2].as<bool>()) continue;
    if (trigger[3].as<bool>())
      evidence.notes.push_back("trigger " + name + " fires on some updates only");
    else
      evidence.moves_on_write = true;
  }
}

void inspect_time(Connection& connection, const CursorOrigin& origin, CursorEvidence& evidence) {
  evidence.method = "P3";
  evidence.single_timezone = origin.type.kind == TypeKind::instant;
  if (!origin.table) return;
  const TableColumn* column = origin.table->column(origin.column);
  if (const auto time = server_time(column->default_expression)) {
    evidence.server_assigned = true;
    if (origin.type.kind != TypeKind::instant) evidence.single_timezone = time->is_utc();
  }
  read_triggers(connection, origin, "", evidence);
  if (!evidence.server_assigned)
    evidence.notes.push_back("column " + origin.column +
                             " has neither the server's time as its default nor a trigger that "
                             "sets it: the application may date rows back");
}

void inspect_sequence(Connection& connection, const CursorOrigin& origin,
                      CursorEvidence& evidence) {
  evidence.method = "P4";
  evidence.inserts_only = true;
  evidence.moves_on_write = true;
  if (!origin.table) return;
  const TableColumn* column = origin.table->column(origin.column);
  const std::string& expression = column->default_expression;
  const bool counted = column->identity != '\0' || (expression.starts_with("nextval(") &&
                                                    expression.find(')') + 1 == expression.size());
  const std::string oid = std::to_string(origin.table->oid);
  const std::string attribute = std::to_string(column->attribute);
  const Rows sequences =
      counted
          ? connection.query(
                "SELECT s.seqcache > 1, s.seqincrement < 1 OR s.seqcycle, c.relname "
                "FROM pg_sequence s JOIN pg_class c ON c.oid = s.seqrelid WHERE s.seqrelid IN ("
                "SELECT d.objid FROM pg_depend d WHERE d.classid = 'pg_class'::regclass "
                "AND d.refclassid = 'pg_class'::regclass AND d.deptype = 'i' AND d.refobjid = " +
                oid + " AND d.refobjsubid = " + attribute +
                " UNION SELECT d.refobjid FROM pg_attrdef a JOIN pg_depend d "
                "ON d.classid = 'pg_attrdef'::regclass AND d.objid = a.oid "
                "AND d.refclassid = 'pg_class'::regclass WHERE a.adrelid = " +
                oid + " AND a.adnum = " + attribute + ")")
          : Rows();
  if (sequences.empty()) {
    evidence.notes.push_back("column " + origin.column + " does not come from a sequence");
    return;
  }
  evidence.server_assigned = true;
  const std::string name = sequences[0][2].c_str();
  if (sequences[0][0].as<bool>()) {
    evidence.proof = ProofKind::lookback;
    evidence.server_assigned = false;
    evidence.obstacles.push_back("sequence " + name +
                                 " hands out blocks of numbers (CACHE > 1), which rows use long "
                                 "after: ALTER SEQUENCE " +
                                 name + " CACHE 1");
  }
  if (sequences[0][1].as<bool>()) {
    evidence.proof = ProofKind::lookback;
    evidence.server_assigned = false;
    evidence.obstacles.push_back("sequence " + name + " counts backwards or starts over");
  }
}

/// P1: the transaction's own id, set by default and by trigger.
void inspect_xid(Connection& connection, const CursorOrigin& origin, CursorEvidence& evidence) {
  constexpr std::string_view source = "pg_current_xact_id()";
  evidence.method = "P1";
  evidence.proof = ProofKind::snapshot;
  const TableColumn* column = origin.table->column(origin.column);
  const std::string& expression = column->default_expression;
  evidence.server_assigned =
      expression == source || expression == "pg_catalog." + std::string(source);
  read_triggers(connection, origin, "pg_current_xact_id", evidence);
  if (!evidence.server_assigned)
    evidence.notes.push_back("column " + origin.column +
                             " is not set to pg_current_xact_id(): `tidemark prepare "
                             "--xid-column` prints the statements that make such a column");
}

/// P2: the server sets xmin itself, whatever the application does.
void inspect_xmin(const CursorOrigin& origin, CursorEvidence& evidence) {
  evidence.method = "P2";
  evidence.proof = ProofKind::snapshot;
  evidence.server_assigned = true;
  evidence.moves_on_write = true;
  evidence.not_null = true;
  evidence.notes.push_back(
      "xmin has no index: each poll reads the whole table. A column of type xid8 does not have "
      "that "
      "cost (`tidemark prepare --xid-column`)");
  if (origin.table->kind != 'r' && origin.table->kind != 'p') evidence.proof = ProofKind::lookback;
}

/// What the login lacks to see every open transaction. Fails closed: what can't be seen is there.
void inspect_rights(Connection& watched, CursorEvidence& evidence) {
  const Rows rights = watched.query(
      "SELECT pg_has_role(current_user, 'pg_read_all_stats', 'USAGE'), "
      "quote_ident(current_user), current_setting('track_activities')::boolean AND NOT EXISTS "
      "(SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND state = 'disabled')");
  if (!rights[0][0].as<bool>()) {
    evidence.proof = ProofKind::lookback;
    evidence.obstacles.push_back(
        "the login can't see the transactions of others: GRANT pg_read_all_stats TO " +
        std::string(rights[0][1].c_str()));
  } else if (!rights[0][2].as<bool>()) {
    evidence.proof = ProofKind::lookback;
    evidence.obstacles.push_back(
        "track_activities is off, so that open transactions are not shown: set it on");
  }
}

/// Rows that come into a table by other ways than its own transactions.
void inspect_table(Connection& connection, const CursorOrigin& origin, CursorEvidence& evidence) {
  const TableFacts& table = *origin.table;
  if (table.kind == 'f' || table.kind == 'm') {
    evidence.proof = ProofKind::lookback;
    evidence.obstacles.push_back(table.kind == 'f'
                                     ? "it is a foreign table: its transactions are elsewhere"
                                     : "it is a materialized view: rows appear by its refresh");
  }
  const std::string oid = std::to_string(table.oid);
  const Rows facts =
      connection.query("SELECT EXISTS (SELECT 1 FROM pg_subscription_rel WHERE srrelid = " + oid +
                       "), row_security_active(" + oid + "::oid)");
  // The worker that applies a subscription's rows has transactions of this server.
  if (facts[0][0].as<bool>() && !origin.xmin) {
    evidence.proof = ProofKind::lookback;
    evidence.server_assigned = false;
    evidence.obstacles.push_back(
        "a subscription writes it: rows carry the publisher's values; read from the publisher");
  }
  if (facts[0][1].as<bool>())
    evidence.notes.push_back("row-level security hides rows from this login");
  if (table.kind == 'p')
    evidence.notes.push_back(
        "a partition that is attached brings rows with older values of the cursor: they are not "
        "seen until `tidemark resync` or a backfill");
}

}  // namespace

bool ServerTime::is_utc() const {
  constexpr std::array names{"utc", "etc/utc", "gmt", "etc/gmt", "z", "zulu", "utc0", "uct"};
  const std::string wanted = lower(zone);
  return std::find(names.begin(), names.end(), wanted) != names.end();
}

std::optional<ServerTime> server_time(std::string_view default_expression) {
  ServerTime time;
  std::string expression = lower(default_expression);
  while (peel(expression, time)) {
  }
  if (!is_clock(expression)) return std::nullopt;
  return time;
}

CursorOrigin find_origin(Connection& connection, const Relation& relation,
                         const CursorRef& cursor) {
  CursorOrigin origin{.type = {}, .column = cursor.column, .from_query = !relation.table};
  if (relation.table) {
    origin.table = require_table(connection, *relation.table);
    if (follows_xmin(relation, cursor.column) && origin.table->column(cursor.column) == nullptr) {
      origin.xmin = true;
      origin.type = make_type(TypeKind::int64);
      return origin;
    }
  } else {
    origin.may_be_padded = has_outer_join(relation.query);
    for (const ResultColumn& column :
         connection.describe(sql::describe_relation(relation, dialect()))) {
      if (column.name != cursor.column) continue;
      origin.type =
          logical_type({column.type, column.modifier}).value_or(make_type(TypeKind::native));
      if (column.table == 0) return origin;
      origin.table = find_table(connection, column.table);
      if (!origin.table) return origin;
      for (const TableColumn& one : origin.table->columns)
        if (one.attribute == column.attribute) origin.column = one.name;
      origin.xid8 = column.type == oid::xid8 && origin.table->column(origin.column) != nullptr;
      return origin;
    }
  }
  const TableColumn* column = origin.table ? origin.table->column(cursor.column) : nullptr;
  if (column == nullptr)
    throw Error({.kind = FailureKind::schema,
                 .message = "there is no such column for the cursor",
                 .table = relation.table ? relation.table->display() : "query",
                 .column = cursor.column,
                 .hint = "Correct cursor.column."});
  origin.type = logical_type(column->wire).value_or(make_type(TypeKind::native));
  origin.xid8 = column->wire.type == oid::xid8;
  return origin;
}

std::string zone_of(const CursorOrigin& origin, const std::string& configured) {
  if (origin.type.kind == TypeKind::instant) return "UTC";
  if (origin.table) {
    const TableColumn* column = origin.table->column(origin.column);
    const auto time = server_time(column == nullptr ? "" : column->default_expression);
    if (time && time->is_utc()) return "UTC";
  }
  return configured;
}

CursorEvidence inspect_cursor(Connection& connection, Connection& watched, bool has_primary,
                              const CursorOrigin& origin, const CursorRef& cursor) {
  CursorEvidence evidence{.proof = ProofKind::transactions, .method = {}};
  if (origin.table) {
    const TableColumn* column = origin.xmin ? nullptr : origin.table->column(origin.column);
    evidence.not_null = column != nullptr && column->not_null && !origin.may_be_padded;
    inspect_table(connection, origin, evidence);
  }
  if (origin.from_query && !origin.table)
    evidence.notes.push_back("column " + cursor.column +
                             " of the query is an expression: the catalogue shows nothing of it");
  if (origin.from_query && origin.may_be_padded)
    evidence.notes.push_back("the query has an outer join, which may make the cursor null");

  // After the table: what that says against a proof by transactions may not count here.
  if (origin.xmin || origin.xid8) {
    const bool foreign = evidence.proof == ProofKind::lookback;
    if (origin.xmin)
      inspect_xmin(origin, evidence);
    else
      inspect_xid(connection, origin, evidence);
    if (foreign) evidence.proof = ProofKind::lookback;
    return evidence;
  }
  const bool replica = connection.query("SELECT pg_is_in_recovery()")[0][0].as<bool>();
  if (is_temporal(origin.type.kind)) {
    inspect_time(connection, origin, evidence);
  } else if (is_cursor_type(origin.type)) {
    inspect_sequence(connection, origin, evidence);
  } else {
    evidence.proof = ProofKind::lookback;
    evidence.obstacles.push_back("the cursor is of type " + to_string(origin.type) +
                                 "; exact needs a number, a date or a timestamp");
  }
  if (replica && !has_primary) {
    evidence.proof = ProofKind::lookback;
    evidence.obstacles.push_back(
        "the server is a standby, which does not show the primary's open transactions: name the "
        "primary's connection with `primary`");
  } else {
    inspect_rights(watched, evidence);
  }
  return evidence;
}

}  // namespace tidemark::postgres
