// What the catalogue shows of a cursor column (docs/guarantees.md: C1, C2, C4, C5, C6).
#include <algorithm>
#include <cctype>

#include "connector/mysql/source.h"
#include "connector/sql/query_scanner.h"

namespace tidemark::mysql {
namespace {

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

bool is_now(const std::string& default_text) {
  return lower(default_text).starts_with("current_timestamp");
}

void obstacle(CursorEvidence& evidence, std::string text) {
  evidence.proof = ProofKind::lookback;
  evidence.obstacles.push_back(std::move(text));
}

bool is_automatic(const CatalogueColumn& column) {
  return column.extra.find("auto_increment") != std::string::npos;
}

}  // namespace

MysqlSource::FollowedCursor MysqlSource::followed(const Relation& relation,
                                                  const CursorRef& cursor) {
  if (auto known = cursors_->recall(relation, cursor)) return *std::move(known);
  return keep(relation, cursor, find_origin(relation, cursor));
}

MysqlSource::FollowedCursor MysqlSource::keep(const Relation& relation, const CursorRef& cursor,
                                              const CursorOrigin& origin) {
  FollowedCursor found{
      .type = origin.type, .table = {}, .column = origin.column, .automatic = origin.automatic};
  if (origin.table) found.table = origin.table->name;
  cursors_->keep(relation, cursor, found);
  return found;
}

MysqlSource::CursorOrigin MysqlSource::find_origin(const Relation& relation,
                                                   const CursorRef& cursor) {
  CursorOrigin origin;
  const auto missing = [&](const std::string& where) {
    throw Error({.kind = FailureKind::schema,
                 .message = "the cursor's column is not in " + where,
                 .operation = "inspect",
                 .table = relation.table ? relation.table->display() : "",
                 .column = cursor.column,
                 .hint = "Check cursor.column; of a query it is the name in the result."});
  };
  if (relation.table) {
    origin.table = find_table(session_, *relation.table);
    if (!origin.table)
      throw Error({.kind = FailureKind::schema,
                   .message = "the table does not exist, or this login may not see it",
                   .operation = "inspect",
                   .table = relation.table->display(),
                   .hint = "Check source.table, and `tidemark grants`."});
    origin.column = cursor.column;
    const CatalogueColumn* column = origin.table->find(cursor.column);
    if (column == nullptr || !column->type) missing("the table");
    origin.type = *column->type;
    origin.not_null = !column->nullable;
    origin.automatic = is_automatic(*column);
    return origin;
  }
  // The bare query: behind a derived table the server does not say any more where a column is from.
  const auto columns = result_columns(
      session_, sql::scan_query(relation.query, dialect_.lexis()).with_cursor("1=1"));
  const auto found = std::find_if(columns.begin(), columns.end(), [&](const ResultColumn& one) {
    return one.column.name == cursor.column;
  });
  if (found == columns.end() || !found->type) missing("the query's result");
  origin.type = *found->type;
  origin.not_null = found->not_null;
  if (found->origin_table) {
    origin.table = find_table(session_, *found->origin_table);
    origin.column = found->origin_column;
    const CatalogueColumn* base = origin.table ? origin.table->find(origin.column) : nullptr;
    if (base == nullptr || !base->type)
      origin.table.reset();
    else
      origin.type = *base->type;
    origin.automatic = origin.table && is_automatic(*base);
  }
  for (const ResultColumn& column : columns) {
    if (!column.origin_table || column.origin_table == found->origin_table) continue;
    if (std::find(origin.other_tables.begin(), origin.other_tables.end(), *column.origin_table) ==
        origin.other_tables.end())
      origin.other_tables.push_back(*column.origin_table);
  }
  return origin;
}

CursorEvidence MysqlSource::inspect(const Relation& relation, const CursorRef& cursor) {
  const CursorOrigin origin = find_origin(relation, cursor);
  keep(relation, cursor, origin);
  CursorEvidence evidence;
  evidence.method = "drain";
  evidence.proof = ProofKind::transactions;
  evidence.not_null = origin.not_null;
  if (!is_cursor_type(origin.type))
    obstacle(evidence, "a column of type " + to_string(origin.type) +
                           " is no cursor: use a TIMESTAMP, DATETIME or integer column");
  inspect_server(evidence);
  if (origin.table) {
    inspect_column(evidence, origin);
  } else {
    evidence.single_timezone = origin.type.kind != TypeKind::timestamp;
    evidence.notes.push_back(
        "the server does not say which table's column the cursor is: what assigns it is for "
        "cursor.assume to state");
  }
  for (const TableName& table : origin.other_tables)
    evidence.notes.push_back("a change in " + table.display() +
                             " alone does not move the cursor and is not seen");
  return evidence;
}

void MysqlSource::inspect_server(CursorEvidence& evidence) {
  try {
    ask("SELECT 1 FROM information_schema.INNODB_TRX LIMIT 1");
  } catch (const Error& error) {
    if (error.kind() != FailureKind::permission) throw;
    // PROCESSLIST would silently show only our own sessions, so this one answer decides.
    obstacle(evidence,
             "this login can't see other sessions' transactions: GRANT PROCESS ON *.* TO " +
                 dialect_.quote(session_.settings().user) + "@'%'");
    return;
  }
  if (!replica_) inspect_replication(evidence);
  inspect_cluster(evidence);
}

/// A replica gets rows with the times of another server, whose open transactions it does not show;
/// one that is stopped now will get them later (docs/horizon.md).
void MysqlSource::inspect_replication(CursorEvidence& evidence) {
  const bool mariadb = session_.flavor().mariadb;
  const std::string remedy =
      "set `primary` of the connection to a connection to that server, or use safety: lookback";
  try {
    const auto status = ask(mariadb                              ? "SHOW ALL SLAVES STATUS"
                            : session_.flavor().version >= 80022 ? "SHOW REPLICA STATUS"
                                                                 : "SHOW SLAVE STATUS");
    if (!status.rows.empty())
      obstacle(evidence, "this server replicates from another one: " + remedy);
    return;
  } catch (const Error& error) {
    if (error.kind() != FailureKind::permission) throw;
  }
  // What a login without the privilege can see: threads that apply, a position that was applied, a
  // server that takes no writes of its own.
  const auto signs =
      ask(std::string("SELECT (SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE USER = "
                      "'system user' AND COMMAND <> 'Daemon') + @@global.read_only") +
          (mariadb ? " + (@@global.gtid_slave_pos <> '')" : " + 1"));
  if (signs.scalar() == "0") return;
  obstacle(evidence, std::string("this server may replicate from another one, which this login "
                                 "can't see: GRANT ") +
                         (mariadb ? "REPLICA MONITOR" : "REPLICATION CLIENT") + " ON *.* TO " +
                         dialect_.quote(session_.settings().user) + "@'%', or " + remedy);
}

void MysqlSource::inspect_cluster(CursorEvidence& evidence) {
  const auto wsrep = ask("SHOW GLOBAL STATUS LIKE 'wsrep_cluster_size'");
  if (!wsrep.rows.empty() && wsrep.rows[0][1].value_or("0") != "0")
    obstacle(evidence, "a Galera cluster has writers on other nodes: use safety: lookback");
  if (session_.flavor().mariadb) return;
  try {
    const auto group =
        ask("SELECT COUNT(*) FROM performance_schema.replication_group_members "
            "WHERE MEMBER_STATE <> 'OFFLINE'");
    if (group.scalar() != "0")
      obstacle(evidence, "group replication may have writers on other nodes: use safety: lookback");
  } catch (const Error& error) {
    if (error.kind() != FailureKind::permission && error.kind() != FailureKind::schema) throw;
    obstacle(evidence,
             "whether this server belongs to a replication group can't be seen: GRANT "
             "SELECT ON performance_schema.* TO " +
                 dialect_.quote(session_.settings().user) + "@'%'");
  }
}

void MysqlSource::inspect_column(CursorEvidence& evidence, const CursorOrigin& origin) {
  const CatalogueColumn& column = *origin.table->find(origin.column);
  if (origin.table->view)
    evidence.notes.push_back("the table is a view: what assigns its columns is not looked into");
  else if (lower(origin.table->engine) != "innodb")
    obstacle(evidence, "the table's engine is " + origin.table->engine +
                           ", whose writes no view of transactions shows: ALTER TABLE … "
                           "ENGINE=InnoDB, or use safety: lookback");
  if (origin.automatic) {
    evidence.method = "drain, largest id";
    evidence.server_assigned = true;
    evidence.inserts_only = true;
    evidence.moves_on_write = true;
    if (ask("SELECT @@global.auto_increment_increment").scalar() != "1")
      obstacle(evidence,
               "auto_increment_increment is not 1: ids come from several servers in no common "
               "order; use safety: lookback");
    return;
  }
  if (!is_temporal(origin.type.kind)) {
    evidence.notes.push_back(
        "the column is neither AUTO_INCREMENT nor a time: that the server's order of writes is its "
        "order is for cursor.assume to state");
    return;
  }
  evidence.single_timezone = column.native.data_type == "timestamp";
  if (!evidence.single_timezone)
    evidence.notes.push_back(column.native.data_type +
                             " holds each writer's local time: TIMESTAMP would not");
  if (session_.flavor().mariadb && ask("SELECT @@global.secure_timestamp").scalar() == "NO")
    evidence.notes.push_back(
        "any session may write under another time with SET TIMESTAMP; secure_timestamp = YES or "
        "REPLICATION forbids it");
  evidence.server_assigned = is_now(column.default_text);
  evidence.moves_on_write = column.extra.find("on update current_timestamp") != std::string::npos;
  if (!evidence.server_assigned || !evidence.moves_on_write) inspect_triggers(evidence, origin);
}

void MysqlSource::inspect_triggers(CursorEvidence& evidence, const CursorOrigin& origin) {
  const auto name = [&](const std::string& text) {
    return dialect_.literal(Value::of(text_type(), text));
  };
  const auto triggers = ask(
      "SELECT EVENT_MANIPULATION, ACTION_STATEMENT, TRIGGER_NAME FROM information_schema.TRIGGERS "
      "WHERE EVENT_OBJECT_SCHEMA = " +
      name(origin.table->name.schema) + " AND EVENT_OBJECT_TABLE = " +
      name(origin.table->name.name) + " AND ACTION_TIMING = 'BEFORE'");
  const std::string column = lower(origin.column);
  for (const auto& row : triggers.rows) {
    if (lower(row[1].value_or("")).find(column) == std::string::npos) continue;
    const bool insert = row[0] == "INSERT";
    if (insert) evidence.server_assigned = true;
    if (row[0] == "UPDATE") evidence.moves_on_write = true;
    evidence.notes.push_back("trigger " + row[2].value_or("") + " sets the column on " +
                             (insert ? "INSERT" : "UPDATE"));
  }
}

}  // namespace tidemark::mysql
