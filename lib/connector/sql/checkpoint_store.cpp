#include "connector/sql/checkpoint_store.h"

#include <algorithm>
#include <charconv>
#include <exception>

#include "core/error.h"

namespace tidemark::sql {
namespace {

constexpr std::string_view checkpoint_table = "tidemark_checkpoint";
constexpr std::string_view range_table = "tidemark_range";
/// Two sessions may make the row of a new job at once, or deadlock on it; one of them goes again.
constexpr int attempts = 5;

constexpr std::string_view row_columns =
    "definition, epoch, revision, reached, settled, tokens, details, fence, holder, process, "
    "backend, lease_until";

std::int64_t to_number(const std::optional<std::string>& text) {
  std::int64_t value = 0;
  if (text) std::from_chars(text->data(), text->data() + text->size(), value);
  return value;
}

bool is_collision(const Error& error) {
  return error.kind() == FailureKind::constraint || error.kind() == FailureKind::conflict ||
         error.kind() == FailureKind::deadlock;
}

/// BEGIN … COMMIT on a session; rolls back when left by an exception.
class Transaction {
 public:
  Transaction(Session& session, const Dialect& dialect) : session_(session) {
    session_.execute(dialect.begin());
  }
  ~Transaction() {
    if (!open_) return;
    try {
      session_.execute("ROLLBACK");
    } catch (const std::exception&) {
      // The session is broken, and the server rolls back by itself.
    }
  }
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  void commit() {
    session_.execute("COMMIT");
    open_ = false;
  }

 private:
  Session& session_;
  bool open_ = true;
};

/// Above all that the job ever had, also in a history that a restore of the target has undone: a
/// daemon that lived through that may hold a fence which was given out again.
std::int64_t next_fence(std::int64_t fence, std::int64_t now) {
  return std::max(fence + 1, now);
}

}  // namespace

/// The row of a job, with the time left on its lease as the target's clock has it.
struct CheckpointStore::Row {
  CheckpointRecord checkpoint;
  std::int64_t fence = 0;
  std::string holder;
  std::string process;
  std::string backend;
  std::int64_t lease_left = 0;
  std::int64_t now = 0;  ///< the target's clock, microseconds since 1970

  bool held_by_other(const Holder& asking) const {
    return !process.empty() && process != asking.id() && !asking.succeeds(process) &&
           lease_left > 0;
  }
  std::optional<CheckpointRecord> stored() const {
    // A job that was only taken has a row, but nothing was ever saved in it.
    return checkpoint.revision == 0 && checkpoint.definition.empty() ? std::nullopt
                                                                     : std::optional(checkpoint);
  }
  Acquired refused() const {
    return {.granted = false,
            .fence = fence,
            .held_by = holder,
            .lease_left = Duration(lease_left),
            .checkpoint = stored()};
  }
};

CheckpointStore::CheckpointStore(Session& session, const Dialect& dialect, std::string schema)
    : session_(session),
      dialect_(dialect),
      schema_(std::move(schema)),
      checkpoints_(dialect.table({schema_, std::string(checkpoint_table)})),
      ranges_(dialect.table({schema_, std::string(range_table)})) {}

std::string CheckpointStore::text(const std::string& value) const {
  return dialect_.literal(Value::of(text_type(), value));
}

std::string CheckpointStore::number(std::int64_t value) const {
  return dialect_.literal(Value::of(make_type(TypeKind::int64), std::to_string(value)));
}

std::string CheckpointStore::where(const JobKey& job) const {
  return " WHERE instance = " + text(job.instance) + " AND job = " + text(job.job.text);
}

std::vector<std::string> CheckpointStore::definitions() const {
  const std::string key(dialect_.key_text_type());
  const std::string words(dialect_.text_type());
  const std::string whole(dialect_.bigint_type());
  const std::string options(dialect_.table_options());
  const std::string tail = options.empty() ? ")" : ") " + options;
  return {
      "CREATE TABLE IF NOT EXISTS " + checkpoints_ + " (\n  instance " + key +
          " NOT NULL,\n  job " + key + " NOT NULL,\n  definition " + words +
          " NOT NULL,\n  epoch " + whole + " NOT NULL,\n  revision " + whole +
          " NOT NULL,\n  reached " + words + " NOT NULL,\n  settled " + words +
          " NOT NULL,\n  tokens " + words + " NOT NULL,\n  details " + words +
          " NOT NULL,\n  fence " + whole + " NOT NULL,\n  holder " + words +
          " NOT NULL,\n  process " + words + " NOT NULL,\n  backend " + words +
          " NOT NULL,\n  lease_until " + whole + " NOT NULL,\n  updated_at " + whole +
          " NOT NULL,\n  PRIMARY KEY (instance, job)\n" + tail,
      "CREATE TABLE IF NOT EXISTS " + ranges_ + " (\n  instance " + key + " NOT NULL,\n  job " +
          key + " NOT NULL,\n  part " + whole + " NOT NULL,\n  lower_bound " + words +
          " NOT NULL,\n  upper_bound " + words + " NOT NULL,\n  position " + words +
          " NOT NULL,\n  finished " + whole + " NOT NULL,\n  updated_at " + whole +
          " NOT NULL,\n  PRIMARY KEY (instance, job, part)\n" + tail,
  };
}

bool CheckpointStore::present() {
  for (const std::string& table : {checkpoints_, ranges_}) {
    try {
      session_.execute("SELECT 1 FROM " + table + " WHERE 1=0");
    } catch (const Error& error) {
      if (error.kind() == FailureKind::schema) return false;
      throw;
    }
  }
  return true;
}

void CheckpointStore::ensure() {
  // Asked first, because some servers want the right to create even where nothing is to be made.
  if (present()) return;
  try {
    Transaction transaction(session_, dialect_);
    if (const auto alone = dialect_.one_at_a_time(); !alone.empty()) session_.execute(alone);
    for (const std::string& definition : definitions())
      session_.execute(definition);
    transaction.commit();
  } catch (const Error& error) {
    if (error.kind() == FailureKind::permission) throw not_allowed(error);
    throw;
  }
}

Error CheckpointStore::gone_back(const JobKey& job) const {
  return Error({.kind = FailureKind::conflict,
                .message = "the stored checkpoint of job " + job.job.text +
                           " is not the one that this run went on from",
                .code = "moved",
                .operation = "save the checkpoint",
                .hint = "The target was restored, or something else writes to " +
                        std::string(checkpoint_table) +
                        ". The next run goes on from what is stored."});
}

Error CheckpointStore::not_allowed(const Error& error) const {
  Error::Fields fields = error.fields();
  fields.message = "this login may not create Tidemark's own tables";
  fields.operation = "create";
  fields.table = schema_.empty() ? std::string(checkpoint_table)
                                 : schema_ + "." + std::string(checkpoint_table);
  fields.hint = "Give it the right to create tables there, or run this once by hand:";
  for (const std::string& definition : definitions())
    fields.hint += "\n" + definition + ";";
  return Error(std::move(fields));
}

std::optional<CheckpointStore::Row> CheckpointStore::load(const JobKey& job, bool lock) {
  std::string statement = "SELECT " + std::string(row_columns) + ", " +
                          std::string(dialect_.now_micros()) + " FROM " + checkpoints_ + where(job);
  if (lock) statement += dialect_.for_update();
  const Result result = session_.execute(statement);
  if (result.rows.empty()) return std::nullopt;
  const auto& cells = result.rows.front();
  const auto words = [&](std::size_t index) { return cells.at(index).value_or(""); };
  Row row;
  row.checkpoint = {.definition = words(0),
                    .epoch = to_number(cells.at(1)),
                    .revision = to_number(cells.at(2)),
                    .reached = words(3),
                    .settled = words(4),
                    .tokens = words(5),
                    .details = words(6)};
  row.fence = to_number(cells.at(7));
  row.holder = words(8);
  row.process = words(9);
  row.backend = words(10);
  row.now = to_number(cells.at(12));
  row.lease_left = std::max<std::int64_t>(0, to_number(cells.at(11)) - row.now);
  return row;
}

Acquired CheckpointStore::take(const JobKey& job, const Holder& holder, Duration lease,
                               const std::string& backend, bool recovering) {
  Transaction transaction(session_, dialect_);
  const std::string now(dialect_.now_micros());
  const std::string lease_until = now + " + " + std::to_string(lease.count());
  const std::optional<Row> row = load(job, true);
  Acquired acquired{.granted = true, .lease_left = lease};
  if (!row) {
    acquired.fence = next_fence(0, to_number(session_.execute("SELECT " + now).scalar()));
    session_.execute("INSERT INTO " + checkpoints_ + " (instance, job, " +
                     std::string(row_columns) + ", updated_at) VALUES (" + text(job.instance) +
                     ", " + text(job.job.text) + ", " + text("") + ", 1, 0, " + text("") + ", " +
                     text("") + ", " + text("") + ", " + text("") + ", " + number(acquired.fence) +
                     ", " + text(holder.display()) + ", " + text(holder.id()) + ", " +
                     text(backend) + ", " + lease_until + ", " + now + ")");
  } else {
    if (row->held_by_other(holder)) return row->refused();
    const bool same = row->process == holder.id();
    acquired.fence = same && !recovering ? row->fence : next_fence(row->fence, row->now);
    acquired.took_over = !same && !row->process.empty() && !holder.succeeds(row->process);
    acquired.held_by = acquired.took_over ? row->holder : "";
    acquired.checkpoint = row->stored();
    session_.execute("UPDATE " + checkpoints_ + " SET fence = " + number(acquired.fence) +
                     ", holder = " + text(holder.display()) + ", process = " + text(holder.id()) +
                     ", backend = " + text(backend) + ", lease_until = " + lease_until +
                     ", updated_at = " + now + where(job));
  }
  transaction.commit();
  return acquired;
}

Acquired CheckpointStore::attempt(const JobKey& job, const Holder& holder, Duration lease,
                                  const std::string& backend, const EndSession& end_session,
                                  bool recovering) {
  // A plain read, without waiting for a lock that a dead session may still hold.
  if (const std::optional<Row> row = load(job, false)) {
    if (row->held_by_other(holder)) return row->refused();
    const bool foreign = row->process != holder.id();
    if (end_session && (foreign || recovering) && !row->backend.empty() && row->backend != backend)
      end_session(row->backend);
  }
  for (int left = attempts;; --left) {
    try {
      return take(job, holder, lease, backend, recovering);
    } catch (const Error& error) {
      if (left == 1 || !is_collision(error)) throw;
    }
  }
}

Acquired CheckpointStore::acquire(const JobKey& job, const Holder& holder, Duration lease,
                                  const std::string& backend, const EndSession& end_session) {
  return attempt(job, holder, lease, backend, end_session, false);
}

Acquired CheckpointStore::recover(const JobKey& job, const Holder& holder, Duration lease,
                                  const std::string& backend, const EndSession& end_session) {
  return attempt(job, holder, lease, backend, end_session, true);
}

void CheckpointStore::check_fence(const JobKey& job, std::int64_t fence, const Result& update) {
  if (update.affected != 0) return;
  // Some servers count a row that was set to what it held already as not affected.
  require_fence(job, fence, dialect_.for_update());
}

void CheckpointStore::require_fence(const JobKey& job, std::int64_t fence, std::string_view lock) {
  const Result found =
      session_.execute("SELECT fence FROM " + checkpoints_ + where(job) + std::string(lock));
  if (to_number(found.scalar()) == fence) return;
  throw Error({.kind = FailureKind::conflict,
               .message = "another process has taken over the job " + job.job.text,
               .code = "fenced",
               .operation = "save the checkpoint",
               .hint = "Nothing is lost: it goes on from the same checkpoint. If both are meant to "
                       "run, give each its own daemon.instance."});
}

void CheckpointStore::renew(const JobKey& job, std::int64_t fence, Duration lease) {
  const std::string now(dialect_.now_micros());
  Transaction transaction(session_, dialect_);
  const Result result = session_.execute("UPDATE " + checkpoints_ + " SET lease_until = " + now +
                                         " + " + std::to_string(lease.count()) + where(job) +
                                         " AND fence = " + number(fence));
  check_fence(job, fence, result);
  transaction.commit();
}

bool CheckpointStore::keep(const JobKey& job, const Holder& holder, const LeftBehind& left,
                           Duration lease, const std::string& backend) {
  const Result result = session_.execute(
      "UPDATE " + checkpoints_ + " SET backend = " + text(backend) + ", lease_until = " +
      std::string(dialect_.now_micros()) + " + " + std::to_string(lease.count()) + where(job) +
      " AND process = " + text(holder.id()) + " AND fence = " + number(left.fence) +
      " AND epoch = " + number(left.epoch) + " AND revision = " + number(left.revision));
  return result.affected != 0;
}

void CheckpointStore::release(const JobKey& job, std::int64_t fence) {
  Transaction transaction(session_, dialect_);
  session_.execute("UPDATE " + checkpoints_ + " SET holder = " + text("") +
                   ", process = " + text("") + ", backend = " + text("") + ", lease_until = 0" +
                   where(job) + " AND fence = " + number(fence));
  transaction.commit();
}

std::optional<Acquired> CheckpointStore::peek(const JobKey& job) {
  std::optional<Row> row;
  try {
    row = load(job, false);
  } catch (const Error& error) {
    // Without our tables nothing is stored. Another job may have made them just now; any other
    // fault of the schema comes again and is one to be seen.
    if (error.kind() != FailureKind::schema) throw;
    if (present()) row = load(job, false);
  }
  if (!row) return std::nullopt;
  return row->refused();
}

void CheckpointStore::save(const JobKey& job, std::int64_t fence, Duration lease,
                           const CheckpointRecord& checkpoint) {
  const std::string now(dialect_.now_micros());
  const Result result = session_.execute(
      "UPDATE " + checkpoints_ + " SET definition = " + text(checkpoint.definition) +
      ", epoch = " + number(checkpoint.epoch) + ", revision = " + number(checkpoint.revision) +
      ", reached = " + text(checkpoint.reached) + ", settled = " + text(checkpoint.settled) +
      ", tokens = " + text(checkpoint.tokens) + ", details = " + text(checkpoint.details) +
      ", lease_until = " + now + " + " + std::to_string(lease.count()) + ", updated_at = " + now +
      where(job) + " AND fence = " + number(fence) +
      " AND revision = " + number(checkpoint.revision - 1));
  if (result.affected != 0) return;
  require_fence(job, fence, dialect_.for_update());
  throw gone_back(job);
}

std::vector<RangeRecord> CheckpointStore::ranges(const JobKey& job) {
  const Result result =
      session_.execute("SELECT part, lower_bound, upper_bound, position, finished FROM " + ranges_ +
                       where(job) + " ORDER BY part");
  std::vector<RangeRecord> ranges;
  for (const auto& cells : result.rows)
    ranges.push_back({.part = to_number(cells.at(0)),
                      .lower = cells.at(1).value_or(""),
                      .upper = cells.at(2).value_or(""),
                      .position = cells.at(3).value_or(""),
                      .finished = to_number(cells.at(4)) != 0});
  return ranges;
}

void CheckpointStore::save_ranges(const JobKey& job, const std::vector<RangeRecord>& ranges) {
  session_.execute("DELETE FROM " + ranges_ + where(job));
  for (const RangeRecord& range : ranges)
    session_.execute("INSERT INTO " + ranges_ +
                     " (instance, job, part, lower_bound, upper_bound, position, finished, "
                     "updated_at) VALUES (" +
                     text(job.instance) + ", " + text(job.job.text) + ", " + number(range.part) +
                     ", " + text(range.lower) + ", " + text(range.upper) + ", " +
                     text(range.position) + ", " + number(range.finished ? 1 : 0) + ", " +
                     std::string(dialect_.now_micros()) + ")");
}

void CheckpointStore::save_range(const JobKey& job, std::int64_t fence, const RangeRecord& range) {
  // Sessions of one job share this lock; a take-over, which wants the row for itself, waits until
  // they have committed, and those that come after it see its fence.
  require_fence(job, fence, dialect_.for_share());
  const std::string part = where(job) + " AND part = " + number(range.part);
  const Result result =
      session_.execute("UPDATE " + ranges_ + " SET position = " + text(range.position) +
                       ", finished = " + number(range.finished ? 1 : 0) +
                       ", updated_at = " + std::string(dialect_.now_micros()) + part);
  if (result.affected != 0) return;
  if (!session_.execute("SELECT part FROM " + ranges_ + part).rows.empty()) return;
  throw Error(
      {.kind = FailureKind::conflict,
       .message = "the key range of the first load is gone from " + std::string(range_table),
       .operation = "save the key range",
       .hint = "Something else has written to that table; the next run looks at it anew."});
}

}  // namespace tidemark::sql
