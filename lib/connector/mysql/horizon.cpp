// The drain: marks, and whether what was open when they were taken has ended (docs/horizon.md).
#include "connector/mysql/source.h"
#include "connector/sql/select.h"
#include "core/temporal.h"

namespace tidemark::mysql {
namespace {

std::string token_name(const HorizonToken& token) {
  return token.server + " " + std::to_string(token.sampled.time_since_epoch().count()) + " " +
         token.mark.text;
}

/// A note of the sampler on an unsampled token.
constexpr const char* waits_for_sample = "waits";

/// What a sample taken for a token says of it.
TokenState state_of(const Sample& sample) {
  return {.kind = sample.fresh ? TokenState::Kind::sampled : TokenState::Kind::unsampled,
          .after = sample.last,
          .pending = blockers_of(sample.work)};
}

}  // namespace

Value MysqlSource::clock_mark(const Type& type, WallTime clock) {
  std::int64_t micros = clock.time_since_epoch().count() - unix_to_2000_seconds * micros_per_second;
  const std::string& zone = session_.settings().timezone;
  // A column without a zone holds what the writers' sessions called now.
  if (type.kind != TypeKind::instant && zone != "UTC") {
    const auto local = ask("SELECT CONVERT_TZ('" + format_timestamp(micros) + "', '+00:00', " +
                           dialect_.literal(Value::of(text_type(), zone)) + ")")
                           .scalar();
    if (!local)
      throw Error({.kind = FailureKind::schema,
                   .message = "the server does not know the time zone " + zone,
                   .operation = "take a mark",
                   .hint = "Load its zone tables with mysql_tzinfo_to_sql, or write the "
                           "connection's timezone as an offset (+08:00)."});
    micros = parse_timestamp(*local);
  }
  micros = floor_to_precision(micros, type.precision);
  switch (type.kind) {
    case TypeKind::date:
      return Value::of(type, format_timestamp(micros).substr(0, 10));
    case TypeKind::instant:
      return Value::of(type, format_instant(micros));
    default:
      return Value::of(type, format_timestamp(micros));
  }
}

void MysqlSource::mark_number(HorizonToken& token, const Relation& relation,
                              const CursorRef& cursor, const FollowedCursor& followed) {
  const bool base = followed.table.has_value();
  const std::string column = dialect_.quote(base ? followed.column : cursor.column);
  const std::string from =
      base ? dialect_.table(*followed.table) : sql::from_clause(relation, dialect_);
  // The counter is written with the rows and never falls but with them. MySQL shows an old one.
  std::string counter = "NULL";
  if (followed.automatic && session_.flavor().mariadb)
    counter =
        "(SELECT AUTO_INCREMENT FROM information_schema.TABLES WHERE TABLE_SCHEMA = " +
        dialect_.literal(Value::of(text_type(), followed.table->schema)) +
        " AND TABLE_NAME = " + dialect_.literal(Value::of(text_type(), followed.table->name)) + ")";
  // All ids up to the largest visible one were given out before this moment. The bound is
  // exclusive; decimals, because MAX + 1 of a BIGINT may be one too many for it.
  const auto row =
      ask("SELECT top, GREATEST(top, " + counter + ") FROM (SELECT CAST(COALESCE(MAX(" + column +
          "), 0) AS DECIMAL(65,0)) + 1 AS top FROM " + from + ") AS numbers")
          .rows.at(0);
  token.mark = Value::of(followed.type, row[0].value_or("1"));
  if (row[1]) token.given_out = Value::of(followed.type, *row[1]);
}

HorizonToken MysqlSource::horizon(const Relation& relation, const CursorRef& cursor,
                                  ProofKind proof) {
  const FollowedCursor column = followed(relation, cursor);
  const bool timed = is_temporal(column.type.kind);
  bool unsampled = false;
  HorizonToken token;
  token.proof = proof;
  // The mark first, the sample after it: what was assigned before the mark is in the sample or
  // over. A sample looks at the clock before it looks at anything else.
  if (!timed) mark_number(token, relation, cursor, column);
  if (proof == ProofKind::transactions) {
    const SharedSample sample = sampler_->sample(caller_);
    token.server = sample->server;
    token.sampled = sample->clock;
    token.state = to_text(state_of(*sample), replica_);
    unsampled = !sample->fresh;
  } else {
    token.server = sampler_->server(caller_);
    token.sampled = now();
  }
  if (timed) token.mark = clock_mark(column.type, token.sampled);
  if (unsampled) sampler_->remember(token_name(token), waits_for_sample);
  return token;
}

/// Who was open when the view was new for the first time since: as good as what could not be seen
/// when the token was taken, because it lists whatever has not ended by then. nullopt: another
/// process took the token; a new one does as well, and its sample is in the checkpoint.
std::optional<TokenState> MysqlSource::sampled_late(const HorizonToken& token,
                                                    const Sample& sample) {
  const std::string name = token_name(token);
  const std::string known = sampler_->recall(name);
  if (known.empty()) return std::nullopt;
  if (known != waits_for_sample) return token_state_from(known);
  const TokenState state = state_of(sample);
  sampler_->remember(name, to_text(state, true));
  return state;
}

Settlement MysqlSource::settled(const HorizonToken& token) {
  if (token.state.empty()) {
    if (same_server(token.server, sampler_->server(caller_))) return {.settled = true};
    return {.lost = true};
  }
  TokenState state = token_state_from(token.state);
  if (state.kind != TokenState::Kind::drained) {
    // Without a number to go by, only a sample that begins now is sure to be a later one.
    const SharedSample sample =
        state.after == 0 ? sampler_->sample(caller_) : sampler_->recent(caller_);
    if (!same_server(token.server, sample->server)) return {.lost = true};
    // Another daemon's token may be younger than the newest sample here.
    const bool early = state.after != 0 && sample->first <= state.after;
    if (!sample->fresh || (early && state.kind == TokenState::Kind::unsampled))
      return {.stale = true};
    if (state.kind == TokenState::Kind::unsampled) {
      const auto late = sampled_late(token, *sample);
      if (!late) return {.lost = true};
      state = *late;
    }
    const std::vector<Pending> open = still_open(state, *sample);
    if (!open.empty()) return {.blockers = mysql::describe(open, sample->work)};
  } else if (!same_server(token.server, sampler_->server(caller_))) {
    return {.lost = true};
  }
  return replica_ ? reached_by_replica(token) : Settlement{.settled = true};
}

Settlement MysqlSource::reached_by_replica(const HorizonToken& token) {
  // The position is taken once, after the drain: a newer one each time would never be reached.
  const std::string name = "position " + token_name(token);
  std::string position = sampler_->recall(name);
  const bool mariadb = session_.flavor().mariadb;
  if (position.empty()) {
    position =
        sampler_->ask(mariadb ? "SELECT @@gtid_binlog_pos" : "SELECT @@gtid_executed", caller_)
            .scalar()
            .value_or("");
    if (position.empty())
      throw Error({.kind = FailureKind::schema,
                   .message = "the primary writes no binary log with GTIDs",
                   .operation = "settle",
                   .hint = "Turn on log_bin there, or read from the primary itself."});
    sampler_->remember(name, position);
  }
  const std::string literal = dialect_.literal(Value::of(text_type(), position));
  const auto waited =
      session_.execute(mariadb ? "SELECT MASTER_GTID_WAIT(" + literal + ", 0.2)"
                               : "SELECT WAIT_FOR_EXECUTED_GTID_SET(" + literal + ", 0.2)");
  if (waited.scalar() == "0") return {.settled = true};
  return {.blockers = {{.kind = "transaction", .id = "replication", .user = {}, .gid = position}}};
}

}  // namespace tidemark::mysql
