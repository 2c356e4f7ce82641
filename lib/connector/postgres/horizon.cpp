#include "connector/postgres/horizon.h"

#include "connector/postgres/dialect.h"
#include "connector/postgres/snapshot_proof.h"
#include "connector/sql/select.h"
#include "core/temporal.h"

namespace tidemark::postgres {
namespace {

/// Correctness A2: between reading the clock at a transaction's start and showing it.
constexpr std::string_view delta = "interval '5 seconds'";

constexpr std::string_view p3 = "P3";
constexpr std::string_view p4 = "P4";
constexpr std::string_view replay = "+replay";

std::string start_of_session() {
  return micros("backend_start");
}

/// Who is in a transaction, to be compared with a list taken earlier.
std::string activity() {
  return "SELECT pid, " + start_of_session() + ", " + micros("xact_start") +
         ", state = 'disabled', usename, " + micros("clock_timestamp() - xact_start") +
         ", pg_has_role(current_user, 'pg_read_all_stats', 'USAGE') FROM pg_stat_activity";
}

Settlement lost() {
  return {.settled = false, .lost = true};
}

[[noreturn]] void blind(std::string message, std::string hint) {
  throw Error({.kind = FailureKind::permission,
               .message = std::move(message),
               .operation = "look for open transactions",
               .hint = std::move(hint)});
}

/// First two columns of the answer: may see others, how many sessions show nothing.
constexpr std::string_view sight =
    "SELECT pg_has_role(current_user, 'pg_read_all_stats', 'USAGE'), (SELECT count(*) FROM "
    "pg_stat_activity WHERE datname = current_database() AND state = 'disabled')";

void require_sight(const Row& row) {
  if (!row[0].as<bool>())
    blind("the login can't see the transactions of others any more",
          "GRANT pg_read_all_stats TO the login of this connection.");
  if (row[1].as<std::int64_t>() > 0)
    blind("a session has track_activities off, so that its transactions are not shown",
          "Set track_activities on, or end that session.");
}

/// Rounded down to what the column can hold: rounding up would pass rows.
Value mark_at(const Type& type, const std::string& text) {
  switch (type.kind) {
    case TypeKind::date:
      return Value::of(type, format_date(parse_date(text.substr(0, 10))));
    case TypeKind::timestamp:
      return Value::of(type,
                       format_timestamp(floor_to_precision(parse_timestamp(text), type.precision)));
    default:
      return Value::of(type,
                       format_instant(floor_to_precision(parse_instant(text), type.precision)));
  }
}

/// One more than a whole number of any length, in decimal text.
std::string successor(std::string number) {
  if (number.starts_with('-')) return number;  // lower than it need be, which settles no row early
  number = number.substr(0, number.find('.'));
  for (std::size_t at = number.size(); at-- > 0;) {
    if (number[at] != '9') {
      ++number[at];
      return number;
    }
    number[at] = '0';
  }
  return "1" + number;
}

/// A mark below every number: an empty table settles nothing.
std::string lowest(const Type& type) {
  switch (type.kind) {
    case TypeKind::int16:
      return "-32768";
    case TypeKind::int32:
      return "-2147483648";
    case TypeKind::int64:
      return "-9223372036854775808";
    default:
      return "-1" + std::string(type.precision == 0 ? 30 : type.precision - 1, '0');
  }
}

std::string largest(const Type& type) {
  switch (type.kind) {
    case TypeKind::int16:
      return "32767";
    case TypeKind::int32:
      return "2147483647";
    case TypeKind::int64:
      return "9223372036854775807";
    default:
      return "";
  }
}

std::string largest_number(const Relation& relation, const CursorRef& cursor) {
  return "SELECT max(" + dialect().quote(cursor.column) + ")::text FROM " +
         sql::from_clause(relation, dialect()) +
         (relation.where.empty() ? std::string() : " WHERE (" + relation.where + "\n)");
}

/// One behind the largest number that was visible.
Value number_mark(const Type& type, const Rows& top) {
  if (top[0][0].is_null()) return Value::of(type, lowest(type));
  const std::string number = top[0][0].c_str();
  // The type's largest number has no successor that a comparison could name.
  return Value::of(type, number == largest(type) ? number : successor(number));
}

// On a primary the timeline is that of the WAL being written; pg_control lags behind a promotion.
constexpr std::string_view identity =
    "(SELECT s.system_identifier || '/' || CASE WHEN pg_is_in_recovery() "
    "THEN (SELECT timeline_id FROM pg_control_checkpoint()) "
    "ELSE ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::int END "
    "|| '/' || (SELECT oid FROM pg_database WHERE datname = current_database()) "
    "FROM pg_control_system() s)";

/// Not the snapshot's xmax: that is one behind the newest xid that has *ended*, and a transaction
/// that is newer and still open or prepared would not be waited for. age() counts from the next
/// xid to be given, in 32 bits; xmax, which is never above it, gives the upper ones. age() does not
/// change within a transaction: a message may ask it once, after what it must come after.
constexpr std::string_view next_xid_query =
    "SELECT next::text, pg_snapshot_xmin(pg_current_snapshot())::text::bigint >= next FROM ("
    "SELECT ended + (3 + age('3'::xid)::bigint - ended % 4294967296 + 2 * 4294967296) "
    "% 4294967296 AS next FROM (SELECT pg_snapshot_xmax(pg_current_snapshot())"
    "::text::bigint AS ended) AS snapshot) AS given";

/// The server's incarnation and its clock when the message came: before all that it asks.
std::string sampling() {
  return incarnation() + ", " + message_micros();
}

}  // namespace

std::string identity_of(Connection& connection) {
  return connection.query("SELECT " + std::string(identity))[0][0].c_str();
}

std::string incarnation() {
  return std::string(identity) + " || '@' || " + micros("pg_postmaster_start_time()") + "::text";
}

std::string message_micros() {
  return micros("statement_timestamp()");
}

WallTime clock_of(Connection& connection) {
  return wall_time(connection.query("SELECT " + std::string(dialect().now_micros()))[0][0]);
}

WallTime wall_time(const Cell& micros) {
  return WallTime(std::chrono::microseconds(micros.as<std::int64_t>()));
}

Settlement xids_ended(Connection& connection, const HorizonToken& token, const std::string& bound) {
  const Rows answer =
      connection.query("SELECT " + incarnation() +
                       ", pg_snapshot_xmin(pg_current_snapshot())::text::bigint >= " + bound);
  if (answer[0][0].c_str() != token.server) return lost();
  Settlement settlement;
  settlement.settled = answer[0][1].as<bool>();
  if (!settlement.settled) settlement.blockers = holders_of_xids(connection, bound);
  return settlement;
}

HorizonToken lookback_token(Connection& connection, const FollowedCursor& followed,
                            const Relation& relation, const CursorRef& cursor) {
  const bool temporal = is_temporal(followed.type.kind);
  std::vector<std::string> message{"SELECT " + sampling() +
                                   ", statement_timestamp(), statement_timestamp() AT TIME ZONE " +
                                   PostgresDialect::quote_text(followed.zone)};
  if (!temporal) message.push_back(largest_number(relation, cursor));
  const std::vector<Rows> answers = connection.query_all(message);
  const Row clock = answers[0][0];
  HorizonToken token{.mark = {}, .server = clock[0].c_str(), .state = {}};
  token.sampled = wall_time(clock[1]);
  token.mark = temporal ? mark_at(followed.type,
                                  clock[followed.type.kind == TypeKind::instant ? 2 : 3].c_str())
                        : number_mark(followed.type, answers[1]);
  return token;
}

std::string Horizon::others() const {
  std::string condition =
      "datname = current_database() AND pid <> pg_backend_pid() "
      "AND backend_type NOT IN ('autovacuum worker', 'walsender')";
  std::string own;
  for (const std::string& session : shared_.readers.all()) {
    const std::size_t colon = session.find(':');
    own += (own.empty() ? "(" : ", (") + session.substr(0, colon) + ", " +
           session.substr(colon + 1) + ")";
  }
  if (!own.empty()) condition += " AND (pid, " + start_of_session() + ") NOT IN (" + own + ")";
  return condition;
}

HorizonToken Horizon::sample(Connection& read_from, const FollowedCursor& followed,
                             const Relation& relation, const CursorRef& cursor) {
  HorizonToken token = is_temporal(followed.type.kind)
                           ? sample_time(followed)
                           : sample_number(read_from, followed, relation, cursor);
  token.proof = ProofKind::transactions;
  if (replica_ != nullptr) token.state += replay;
  watched_.server() = token.server;
  return token;
}

TimeSample Horizon::take_time_sample(const std::string& zone) {
  const auto begun = TimeSamples::Clock::now();
  // The bound comes after the mark, in a statement of its own: the order is what the proof rests
  // on.
  const std::vector<Rows> answers = watched_.query_all(
      {std::string(sight) + ", " + sampling() + ", mark.at" +
           (zone.empty() ? std::string() : " AT TIME ZONE " + PostgresDialect::quote_text(zone)) +
           ", " + micros("statement_timestamp() - mark.at") +
           " FROM (SELECT least(statement_timestamp() - " + std::string(delta) +
           ", min(xact_start)) AS at FROM pg_stat_activity WHERE " + others() + ") AS mark",
       std::string(next_xid_query)});
  const Row activity = answers[0][0];
  require_sight(activity);
  const Row next = answers[1][0];
  TimeSample sample{.server = activity[2].c_str(),
                    .behind = Duration(activity[5].as<std::int64_t>()),
                    .mark = activity[4].c_str(),
                    .sampled = wall_time(activity[3]),
                    .bound = next[0].c_str(),
                    .none_open = next[1].as<bool>()};
  shared_.times.keep(zone, begun, sample);
  return sample;
}

HorizonToken Horizon::sample_time(const FollowedCursor& followed) {
  const std::string form = followed.type.kind == TypeKind::instant ? std::string() : followed.zone;
  std::optional<TimeSample> sample = shared_.times.recall(watched_.server(), form);
  if (!sample) sample = take_time_sample(form);
  HorizonToken token{
      .mark = mark_at(followed.type, sample->mark), .server = sample->server, .state = {}};
  token.sampled = sample->sampled;
  token.behind = sample->behind;
  // No transaction below it was open in a snapshot newer than the mark: nothing to wait for.
  if (!sample->none_open || replica_ != nullptr)
    token.state = std::string(p3) + " " + sample->bound;
  return token;
}

HorizonToken Horizon::sample_number(Connection& read_from, const FollowedCursor& followed,
                                    const Relation& relation, const CursorRef& cursor) {
  std::vector<std::string> message{
      std::string(sight) + ", " + sampling() + ", (SELECT string_agg(pid || ':' || " +
          start_of_session() + " || ':' || " + micros("xact_start") +
          ", ',' ORDER BY pid) FROM pg_stat_activity WHERE xact_start IS NOT NULL AND " + others() +
          ")",
      std::string(next_xid_query)};
  HorizonToken token{.mark = {}, .server = {}, .state = {}};
  std::optional<WallTime> begun;
  const std::string top = largest_number(relation, cursor);
  // The mark comes first, whoever gives it.
  if (replica_ != nullptr) {
    begun = clock_of(watched_);
    token.mark = number_mark(followed.type, read_from.query(top));
  } else {
    message.insert(message.begin(), top);
  }
  const std::vector<Rows> answers = watched_.query_all(message);
  if (replica_ == nullptr) token.mark = number_mark(followed.type, answers[0]);
  const Row open = answers[answers.size() - 2][0];
  require_sight(open);
  token.server = open[2].c_str();
  token.sampled = begun.value_or(wall_time(open[3]));
  const Row next = answers.back()[0];
  // Who is open may take an xid yet. Where nobody is, only xids that were taken already count.
  if (!open[4].is_null())
    token.state = std::string(p4) + " " + open[4].c_str();
  else if (!next[1].as<bool>() || replica_ != nullptr)
    token.state = std::string(p3) + " " + next[0].c_str();
  return token;
}

bool Horizon::list_ended(const std::string& list, const Rows& rows, Settlement& settlement) {
  // Without the right starts read as NULL, and every transaction as ended.
  if (rows.empty() || !rows[0][6].as<bool>()) {
    settlement.stale = true;
    return false;
  }
  const std::string searched = "," + list + ",";
  for (const Row row : rows) {
    const std::string session =
        std::string(row[0].c_str()) + ":" + (row[1].is_null() ? "" : row[1].c_str()) + ":";
    if (searched.find("," + session) == std::string::npos) continue;
    // A session that switched track_activities off meanwhile hides that it is still open.
    const bool hidden = !row[3].is_null() && row[3].as<bool>();
    if (hidden) settlement.stale = true;
    if (!hidden && (row[2].is_null() ||
                    searched.find("," + session + row[2].c_str() + ",") == std::string::npos))
      continue;
    settlement.blockers.push_back(
        {.kind = "transaction",
         .id = row[0].c_str(),
         .user = row[4].is_null() ? "" : row[4].c_str(),
         .gid = {},
         .age = Duration(row[5].is_null() ? 0 : row[5].as<std::int64_t>())});
  }
  return settlement.blockers.empty();
}

Settlement Horizon::drained(const std::string& key, const HorizonToken& token) {
  const std::string kind = token.state.substr(0, 2);
  std::string list = token.state.size() > 3 ? token.state.substr(3) : "";
  if (list.ends_with(replay)) list.resize(list.size() - replay.size());
  if (kind != p3 && kind != p4) return lost();
  std::string bound = kind == p3 ? std::exchange(list, {}) : shared_.drains.recall(key);
  if (!bound.empty()) return xids_ended(watched_, token, bound);

  const std::vector<Rows> answers =
      watched_.query_all({"SELECT " + incarnation(), activity(), std::string(next_xid_query)});
  if (answers[0][0][0].c_str() != token.server) return lost();
  Settlement settlement;
  if (!list_ended(list, answers[1], settlement)) return settlement;
  // Taken after the look that showed that all had ended.
  const Row next = answers[2][0];
  bound = next[0].c_str();
  shared_.drains.keep(key, bound);
  settlement.settled = next[1].as<bool>();
  if (!settlement.settled) settlement.blockers = holders_of_xids(watched_, bound);
  return settlement;
}

bool Horizon::replayed(const std::string& key) {
  const std::string place = key + replay.data();
  std::string written = shared_.drains.recall(place);
  if (written.empty()) {
    written = watched_.query("SELECT pg_current_wal_insert_lsn()::text")[0][0].c_str();
    shared_.drains.keep(place, written);
  }
  // A standby that was promoted has replayed all it will ever get and answers NULL or an old place.
  const Rows result = replica_->query(
      "SELECT pg_last_wal_replay_lsn() >= " + PostgresDialect::quote_text(written) + "::pg_lsn");
  return !result[0][0].is_null() && result[0][0].as<bool>();
}

Settlement Horizon::settled(const HorizonToken& token) {
  const bool waits_for_replay = token.state.ends_with(replay);
  if (waits_for_replay != (replica_ != nullptr)) return lost();
  const std::string key = token.server + "|" + token.state + "|" + token.mark.text;
  Settlement settlement;
  const bool waited = waits_for_replay && !shared_.drains.recall(key + replay.data()).empty();
  if (token.state.empty() || waited) {
    if (watched_.query("SELECT " + incarnation())[0][0].c_str() != token.server) return lost();
    settlement.settled = true;
  } else {
    settlement = drained(key, token);
  }
  if (settlement.settled && waits_for_replay) settlement.settled = replayed(key);
  if (settlement.settled) {
    shared_.drains.forget(key);
    shared_.drains.forget(key + replay.data());
  }
  return settlement;
}

}  // namespace tidemark::postgres
