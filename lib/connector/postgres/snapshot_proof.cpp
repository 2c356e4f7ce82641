#include "connector/postgres/snapshot_proof.h"

#include <algorithm>
#include <charconv>

#include "connector/postgres/dialect.h"
#include "connector/postgres/horizon.h"

namespace tidemark::postgres {
namespace {

constexpr std::string_view xmin_name = "xmin";
/// Enough to say who is in the way; a hundred names help nobody.
constexpr std::string_view most_blockers = "10";
constexpr std::int64_t widest_window = std::int64_t{1} << 31;

/// One more than the newest id that has ended, with all 64 bits.
constexpr std::string_view ended_xid = "pg_snapshot_xmax(pg_current_snapshot())::text::bigint";

std::int64_t number_of(const std::string& text) {
  std::int64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

/// No server gives half a window of ids (2^30) within a minute.
bool surely_within(const std::optional<SeenXid>& seen, std::int64_t begin) {
  return seen && std::chrono::steady_clock::now() - seen->at < std::chrono::minutes(1) &&
         seen->id - begin < widest_window / 2;
}

void check_window(Connection& connection, const ReadPlan& plan,
                  const std::optional<SeenXid>& seen) {
  std::optional<std::int64_t> begin;
  if (plan.from) begin = number_of(plan.from->text);
  if (plan.after && !plan.after->cursor.null) begin = number_of(plan.after->cursor.text);
  if (!begin || surely_within(seen, *begin)) return;
  const auto ended = connection.query("SELECT " + std::string(ended_xid))[0][0].as<std::int64_t>();
  if (ended - *begin < widest_window) return;
  throw Error({.kind = FailureKind::position_lost,
               .message = "the mark lies 2^31 transactions or more behind: a row's 32 bits of xmin "
                          "do not tell what was written since",
               .hint = "Read everything again with `tidemark resync`, and more often from then on; "
                       "or use a column of type xid8 (`tidemark prepare --xid-column`)."});
}

}  // namespace

HorizonToken sample_snapshot(Connection& connection, const Type& cursor) {
  const Rows answer = connection.query("SELECT " + incarnation() + ", " + message_micros() + ", (" +
                                       std::string(ended_xid) +
                                       ")::text, pg_snapshot_xmin(s) = "
                                       "pg_snapshot_xmax(s) FROM pg_current_snapshot() AS s");
  const std::string bound = answer[0][2].c_str();
  return {.proof = ProofKind::snapshot,
          .mark = Value::of(cursor, bound),
          .server = answer[0][0].c_str(),
          // Where none ran, there is nothing to wait for.
          .state = answer[0][3].as<bool>() ? "" : "snapshot " + bound,
          .sampled = wall_time(answer[0][1])};
}

SeenXid xid_of(const HorizonToken& sampled) {
  return {.id = number_of(sampled.mark.text), .at = std::chrono::steady_clock::now()};
}

Settlement snapshot_settled(Connection& connection, const HorizonToken& token) {
  return xids_ended(connection, token, token.mark.text);
}

bool follows_xmin(const Relation& relation, const std::string& cursor) {
  return relation.table && cursor == xmin_name;
}

Schema system_columns(const TableFacts& facts) {
  if (facts.kind != 'r' && facts.kind != 'p') return {};
  return {{.name = std::string(xmin_name),
           .type = make_type(TypeKind::int64),
           .nullable = false,
           .native_type = "xid"}};
}

ReadPlan xmin_plan(Connection& connection, const ReadPlan& plan,
                   const std::optional<SeenXid>& seen) {
  check_window(connection, plan, seen);
  // A subselect of its own, so that it is computed once and not for each row.
  const std::string ended = "(SELECT " + std::string(ended_xid) + ")";
  const std::string id =
      "CASE WHEN xmin::text::bigint < 3 THEN xmin::text::bigint ELSE " + ended + " - (" + ended +
      " % 4294967296 - xmin::text::bigint + 4294967296) % 4294967296 END AS xmin";
  ReadPlan over_query = plan;
  over_query.relation.table.reset();
  over_query.relation.query =
      "SELECT *, " + id + " FROM " + dialect().table(*plan.relation.table) +
      (plan.relation.where.empty() ? std::string() : " WHERE (" + plan.relation.where + "\n)");
  over_query.relation.where.clear();
  return over_query;
}

std::vector<Blocker> holders_of_xids(Connection& connection, const std::string& bound) {
  // Only the lower 32 bits of running xids are shown; age() compares as the server does.
  const Rows rows =
      connection.query("WITH bound AS (SELECT age((" + bound +
                       " % 4294967296)::text::xid) AS age) SELECT * FROM ("
                       "SELECT 'transaction', pid::text, coalesce(usename, backend_type), '', " +
                       micros("clock_timestamp() - xact_start") +
                       " AS age FROM pg_stat_activity, bound WHERE backend_xid IS NOT NULL AND "
                       "age(backend_xid) > bound.age "
                       "UNION ALL SELECT 'prepared', transaction::text, owner, gid, " +
                       micros("clock_timestamp() - prepared") +
                       " FROM pg_prepared_xacts, bound WHERE age(transaction) > bound.age) AS held "
                       "ORDER BY age DESC NULLS LAST LIMIT " +
                       std::string(most_blockers));
  std::vector<Blocker> blockers;
  for (const Row row : rows)
    blockers.push_back({.kind = row[0].c_str(),
                        .id = row[1].c_str(),
                        .user = row[2].c_str(),
                        .gid = row[3].c_str(),
                        .age = Duration(row[4].is_null() ? 0 : row[4].as<std::int64_t>())});
  return blockers;
}

std::vector<std::string> xid_column_statements(const TableName& table, const std::string& column,
                                               const std::vector<std::string>& key) {
  const std::string name = dialect().table(table);
  const std::string quoted = dialect().quote(column);
  const std::string function = dialect().table({table.schema, "tidemark_set_" + column});
  std::vector<std::string> indexed = key;
  indexed.insert(indexed.begin(), column);
  return {
      // Rows that are there already get the id of this transaction: they are read once.
      "ALTER TABLE " + name + " ADD COLUMN " + quoted +
          " xid8 NOT NULL DEFAULT pg_catalog.pg_current_xact_id()",
      "CREATE OR REPLACE FUNCTION " + function +
          "() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN NEW." + quoted +
          " := pg_catalog.pg_current_xact_id(); RETURN NEW; END$$",
      "CREATE TRIGGER " + dialect().quote("tidemark_set_" + column) +
          " BEFORE INSERT OR UPDATE ON " + name + " FOR EACH ROW EXECUTE FUNCTION " + function +
          "()",
      "CREATE INDEX ON " + name + " (" + dialect().list(indexed) + ")",
  };
}

}  // namespace tidemark::postgres
