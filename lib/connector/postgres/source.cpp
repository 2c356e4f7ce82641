#include "connector/postgres/source.h"

#include <algorithm>
#include <array>

#include "connector/postgres/dialect.h"
#include "connector/postgres/natives.h"
#include "connector/postgres/reader.h"
#include "connector/postgres/snapshot_proof.h"
#include "connector/sql/select.h"
#include "core/temporal.h"

namespace tidemark::postgres {
namespace {

/// Fewer rows than this to a range do not pay for a second reader.
constexpr double rows_worth_a_range = 10'000;
/// Rows of a sample that give the bounds of some dozen ranges well enough.
constexpr double sample_rows = 100'000;

std::string name_of(const Relation& relation) {
  return relation.table ? relation.table->display() : "query";
}

/// A key's part as a bound, from the server's text; nullopt where the carried types can't hold it.
std::optional<Value> bound_of(const Type& type, const std::string& text) {
  // Through a column, so that the bound has the canonical text of its type.
  ColumnData cell(type);
  try {
    push_text(cell, type.kind == TypeKind::bytes ? text.substr(2) : text);
  } catch (const Error&) {
    return std::nullopt;
  }
  return value_at(cell, 0);
}

/// Runs a question and says in its error what was done to which relation.
template <class Question>
auto asked(std::string_view operation, const std::string& table, Question&& question) {
  try {
    return question();
  } catch (Error& error) {
    throw Error(error.with_context(operation, table));
  }
}

}  // namespace

PostgresSource::PostgresSource(const ConnectionSettings& settings,
                               const std::optional<ConnectionSettings>& primary,
                               std::shared_ptr<Shared> shared)
    : settings_(settings), primary_(primary), shared_(std::move(shared)) {
  open(main_, settings_);
}

PostgresSource::~PostgresSource() {
  for (const auto& session : {main_, side_, at_primary_})
    if (session) shared_->readers.remove(session->session_id());
}

Connection& PostgresSource::open(std::shared_ptr<Connection>& session,
                                 const ConnectionSettings& settings) {
  if (session && session->usable()) return *session;
  if (session) shared_->readers.remove(session->session_id());
  auto opened = std::make_shared<Connection>(settings, Role::source, shared_->watchdog);
  shared_->readers.add(opened->session_id());
  const std::scoped_lock lock(mutex_);
  session = std::move(opened);
  return *session;
}

Connection& PostgresSource::idle() {
  return streaming_ ? open(side_, settings_) : *main_;
}

Connection& PostgresSource::watched(bool& replica) {
  replica = idle().on_standby();
  return replica && primary_ ? open(at_primary_, *primary_) : idle();
}

FollowedCursor PostgresSource::followed(const Relation& relation, const CursorRef& cursor) {
  if (auto known = shared_->cursors.recall(relation, cursor)) return *std::move(known);
  return keep(relation, cursor, find_origin(idle(), relation, cursor));
}

FollowedCursor PostgresSource::keep(const Relation& relation, const CursorRef& cursor,
                                    const CursorOrigin& origin) {
  FollowedCursor found{.type = origin.type, .zone = zone_of(origin, settings_.timezone)};
  shared_->cursors.keep(relation, cursor, found);
  return found;
}

SourceDescription PostgresSource::describe(const Relation& relation) {
  shared_->cursors.forget(relation);
  return asked("describe", name_of(relation), [&] { return describe_relation(idle(), relation); });
}

bool PostgresSource::can_read_as(const Column& column, const Type& type) const {
  if (type.kind == TypeKind::text) return column.type.kind != TypeKind::text;
  return !own_name(type).empty() && (own_name(type) == column.native_type || type == column.type);
}

CursorEvidence PostgresSource::inspect(const Relation& relation, const CursorRef& cursor) {
  return asked("inspect", name_of(relation), [&] {
    bool replica = false;
    Connection& watched_session = watched(replica);
    const CursorOrigin origin = find_origin(idle(), relation, cursor);
    keep(relation, cursor, origin);
    return inspect_cursor(idle(), watched_session, primary_.has_value(), origin, cursor);
  });
}

HorizonToken PostgresSource::horizon(const Relation& relation, const CursorRef& cursor,
                                     ProofKind proof) {
  if (proof != ProofKind::transactions && proof != ProofKind::lookback &&
      proof != ProofKind::snapshot)
    throw Error({.kind = FailureKind::internal,
                 .message = "PostgreSQL has no proof by " + std::string(to_string(proof))});
  return asked("sample the horizon of", name_of(relation), [&] {
    const FollowedCursor column = followed(relation, cursor);
    if (proof == ProofKind::snapshot) {
      HorizonToken token = sample_snapshot(idle(), column.type);
      seen_xid_ = xid_of(token);
      return token;
    }
    if (proof == ProofKind::lookback) return lookback_token(idle(), column, relation, cursor);
    bool replica = false;
    Connection& watched_session = watched(replica);
    if (replica && !primary_)
      throw Error({.kind = FailureKind::schema,
                   .message = "the server is a standby now and does not show the open transactions",
                   .hint = "Name the primary's connection with `primary`."});
    return Horizon(watched_session, replica ? &idle() : nullptr, *shared_)
        .sample(idle(), column, relation, cursor);
  });
}

Settlement PostgresSource::settled(const HorizonToken& token) {
  return asked("settle", "", [&] {
    if (token.proof == ProofKind::lookback) {
      const bool same = idle().query("SELECT " + incarnation())[0][0].c_str() == token.server;
      return Settlement{.settled = same, .lost = !same};
    }
    if (token.proof == ProofKind::snapshot) return snapshot_settled(idle(), token);
    bool replica = false;
    Connection& watched_session = watched(replica);
    return Horizon(watched_session, replica ? &idle() : nullptr, *shared_).settled(token);
  });
}

std::optional<std::uint64_t> PostgresSource::estimated_rows(const Relation& relation) {
  if (!relation.table) return std::nullopt;
  const double rows = asked("estimate", name_of(relation),
                            [&] { return require_table(idle(), *relation.table).estimated_rows; });
  // -1: never analysed.
  return rows > 0 ? std::optional(static_cast<std::uint64_t>(rows)) : std::nullopt;
}

std::vector<KeyRange> PostgresSource::split(const Relation& relation,
                                            const std::vector<KeyPart>& key, std::size_t parts) {
  std::vector<KeyRange> ranges(1);
  if (parts < 2 || key.empty()) return ranges;
  const std::string name = name_of(relation);
  return asked("split", name, [&] {
    Connection& session = idle();
    std::string from = sql::from_clause(relation, dialect());
    double rows = -1;
    bool can_sample = false;
    if (relation.table) {
      const TableFacts facts = require_table(session, *relation.table);
      rows = facts.estimated_rows;
      can_sample = facts.kind == 'r' || facts.kind == 'm' || facts.kind == 'p';
    }
    // Never analysed, or a view: counted as far as it matters.
    if (rows < 0)
      rows = session
                 .query("SELECT count(*) FROM (SELECT 1 FROM " + from + " LIMIT " +
                        std::to_string(parts * static_cast<std::size_t>(rows_worth_a_range)) +
                        ") AS first_rows")[0][0]
                 .as<double>();
    const std::size_t wanted = std::min(parts, static_cast<std::size_t>(rows / rows_worth_a_range));
    if (wanted < 2) return ranges;
    if (can_sample && rows > sample_rows)
      from += " TABLESAMPLE SYSTEM (" + std::to_string(100 * sample_rows / rows) + ")";
    std::vector<std::string> names;
    for (const KeyPart& part : key)
      names.push_back(part.column);
    const std::string list = dialect().list(names);
    const std::string where = relation.where.empty() ? "" : " WHERE (" + relation.where + "\n)";
    const Schema columns = describe_relation(session, relation).columns;
    const std::string tiles = "SELECT " + list + ", ntile(" + std::to_string(wanted) +
                              ") OVER (ORDER BY " + list + ") AS tidemark_part FROM " + from +
                              where;
    const sql::Result bounds =
        session.execute("SELECT DISTINCT ON (tidemark_part) " + list + " FROM (" + tiles +
                        ") AS tiles ORDER BY tidemark_part, " + list + " OFFSET 1");
    for (const auto& row : bounds.rows) {
      std::vector<Value> bound;
      for (std::size_t index = 0; index < names.size(); ++index) {
        const std::size_t at = find_column(columns, names[index]);
        if (at == npos || !row[index]) return std::vector<KeyRange>(1);
        const auto value = bound_of(columns[at].type, *row[index]);
        if (!value) return std::vector<KeyRange>(1);
        bound.push_back(*value);
      }
      ranges.back().upper = bound;
      ranges.push_back({.lower = bound});
    }
    return ranges;
  });
}

std::unique_ptr<BatchReader> PostgresSource::read(const ReadPlan& plan) {
  if (streaming_)
    throw Error({.kind = FailureKind::internal, .message = "a second read on one session"});
  const bool xmin = plan.cursor && follows_xmin(plan.relation, plan.cursor->column);
  return std::make_unique<CopyReader>(*main_, xmin ? xmin_plan(*main_, plan, seen_xid_) : plan,
                                      streaming_);
}

WallTime PostgresSource::now() {
  return clock_of(idle());
}
std::string PostgresSource::identity() {
  return identity_of(idle());
}

void PostgresSource::cancel() noexcept {
  std::array<std::shared_ptr<Connection>, 3> sessions;
  {
    const std::scoped_lock lock(mutex_);
    sessions = {main_, side_, at_primary_};
  }
  for (const auto& session : sessions)
    if (session) session->cancel();
}

bool PostgresSource::usable() const noexcept {
  return main_->usable();
}

}  // namespace tidemark::postgres
