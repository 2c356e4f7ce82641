#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/batch.h"
#include "core/names.h"
#include "core/ports.h"
#include "core/settings.h"

namespace tidemark {

struct TargetColumn {
  Column column;                                ///< name and logical type of what arrives
  std::optional<std::string> native_type = {};  ///< the user's word for CREATE TABLE
  Lossy lossy = Lossy::error;
};

/// What a job writes, fixed for one run.
struct WriteSpec {
  TableName table;
  std::vector<TargetColumn> columns;
  /// Column names; empty only for append and full. An append with a key knows rows that are there
  /// already by it: it needs a unique index over it, as an upsert does.
  std::vector<std::string> key = {};
  WriteMode write = WriteMode::upsert;
  CreatePolicy create = CreatePolicy::automatic;
  SchemaChanges schema_changes = SchemaChanges::report;
  std::map<std::string, std::string> scope = {};
  ReplaceMethod replace = ReplaceMethod::transaction;
  /// A first load follows, with LoadStage::filling throughout: where that is faster, a table that
  /// `prepare` makes gets the index over its key only with LoadStage::finishing.
  bool key_last = false;
};

enum class Fidelity { lossless, lossy, impossible };

struct ColumnVerdict {
  std::string column;
  std::string target_type;  ///< as the target writes it
  Fidelity fidelity = Fidelity::lossless;
  std::string reason = {};  ///< for lossy and impossible
  /// How the target holds it where that is not plain to see: "as text: …", "… are refused".
  std::string note = {};
};

/// How rows go in, and why, for people; empty where nothing can be written.
struct WritePath {
  std::string first_load = {};  ///< of a job that loads a table and then follows it
  std::string usual = {};
};

/// What would happen at the target, without doing it.
struct TargetPlan {
  std::vector<std::string> statements;  ///< DDL that `prepare` would run
  std::vector<ColumnVerdict> columns;
  /// What makes the job impossible as configured: each with place and remedy. Empty: go.
  std::vector<std::string> problems = {};
  /// Degrades the job but does not stop it (columns the target lacks under `report`, …).
  std::vector<std::string> drift = {};
  std::vector<std::string> ignored_columns = {};  ///< source columns not written because of drift
  std::vector<std::string> added_columns = {};    ///< need a backfill once added
  std::vector<std::string> notes = {};
  WritePath write_path = {};
  bool makes_table = false;  ///< there is none yet: `prepare` makes it, and has made it
  /// A first load left the table without the index over its key: until LoadStage::finishing it
  /// takes rows with LoadStage::filling alone. Stored with the table, so that a crash loses
  /// nothing.
  bool key_pending = false;
};

/// A checkpoint as stored: the engine's own encodings (one line each), opaque to the target.
struct CheckpointRecord {
  std::string definition;     ///< hash of the job's meaning
  std::int64_t epoch = 1;     ///< mark epoch
  std::int64_t revision = 0;  ///< +1 at each save: tells whether a commit in doubt arrived
  std::string reached = {};
  std::string settled = {};
  std::string tokens = {};
  std::string details = {};  ///< everything else
  friend bool operator==(const CheckpointRecord&, const CheckpointRecord&) = default;
};

/// One key range of a first load, as stored: the engine's own encodings (one line each), opaque to
/// the target.
struct RangeRecord {
  std::int64_t part = 0;      ///< its place in key order, from 0
  std::string lower = {};     ///< inclusive; "": open
  std::string upper = {};     ///< exclusive; "": open
  std::string position = {};  ///< of the last row that was written; "": none yet
  bool finished = false;
  friend bool operator==(const RangeRecord&, const RangeRecord&) = default;
};

/// Who asks for a job. Two processes never compare equal.
struct Holder {
  std::string host;
  std::int64_t pid = 0;
  std::string process;  ///< random per process start
  /// Something that one living process at a time can have, such as a lock on a file; "" for none.
  /// Who holds a job on that line after another is its successor: it need not wait for the lease,
  /// and it is fenced off from the other's transactions like any other holder.
  std::string line = {};
  std::string display() const { return host + " pid " + std::to_string(pid); }
  /// What a target stores of it.
  std::string id() const { return line.empty() ? process : line + "/" + process; }
  /// Whether `stored` is the id() of an earlier holder on this one's line.
  bool succeeds(std::string_view stored) const {
    return !line.empty() && stored != id() && stored.starts_with(line + "/");
  }
};

struct Acquired {
  bool granted = false;
  std::int64_t fence = 0;
  bool took_over = false;  ///< from another holder that is no predecessor: its lease had run out
  std::string held_by = {};
  Duration lease_left{};
  std::optional<CheckpointRecord> checkpoint = {};
};

/// What a process knows of a job's row from when it last took it or wrote to it.
struct LeftBehind {
  std::int64_t fence = 0;
  std::int64_t epoch = 0;
  std::int64_t revision = 0;
};

struct WriteCounts {
  std::uint64_t inserted = 0;
  std::uint64_t updated = 0;
  std::uint64_t deleted = 0;
  std::uint64_t unchanged = 0;
  WriteCounts& operator+=(const WriteCounts& other) noexcept {
    inserted += other.inserted;
    updated += other.updated;
    deleted += other.deleted;
    unchanged += other.unchanged;
    return *this;
  }
  friend bool operator==(const WriteCounts&, const WriteCounts&) = default;
};

/// What a load is to the first load of a table.
enum class LoadStage {
  usual,      ///< rows may be there already
  filling,    ///< rows are new, as far as the engine knows: a plain insert may be tried first
  finishing,  ///< the last row has come: `commit` also gives the table the key that was put off
};

struct LoadSpec {
  JobKey job;
  std::int64_t fence = 0;
  Duration lease = std::chrono::seconds(60);
  WriteSpec write;
  /// Changes how fast rows arrive, never what arrives: rows that are there after all are updated.
  LoadStage stage = LoadStage::usual;
};

/// One target transaction: rows and the checkpoint that says so. Destroyed without `commit`: no
/// trace in the table. Worker thread. Throws Error; after a throw only destruction is allowed.
class Load {
 public:
  virtual ~Load() = default;
  /// Inserts or updates by the job's key, and by nothing else: a row that meets another row's
  /// secondary unique key is Error{constraint}. Unchanged rows are not rewritten. A key that comes
  /// twice in one batch: the later row counts.
  virtual void upsert(const Batch& batch) = 0;
  /// Inserts. With WriteMode::replace it goes to a staging table that `commit` compares with the
  /// table and swaps in (rows staged may be committed on the way; the table itself changes at
  /// once).
  virtual void append(const Batch& batch) = 0;
  /// Inserts the rows whose key the table does not hold; a row that is there stays as it is. A key
  /// that comes twice in one batch arrives once. Another row's secondary unique key is
  /// Error{constraint}, as in `upsert`. Needs a key.
  virtual void insert_missing(const Batch& batch) = 0;
  /// Deletes by key; the batch holds the key columns only.
  virtual void erase(const Batch& keys) = 0;
  /// The checkpoint to commit with the rows; renews the lease. Checks the fence: Error{conflict}
  /// with code "fenced" when another holder has taken over.
  virtual void save(const CheckpointRecord& checkpoint) = 0;
  /// Beside `save`: these are the job's key ranges from the commit on, instead of all it had.
  virtual void save_ranges(const std::vector<RangeRecord>& ranges) = 0;
  /// Instead of `save`, in a load of one key range: where that stands, to commit with its rows.
  /// Several sessions may do so for one job at once: the job's row is locked only against a
  /// take-over. Checks the fence as `save` does, but does not renew the lease. Error{conflict}
  /// where the job has no such range (any more).
  virtual void save_range(const RangeRecord& range) = 0;
  /// What this load has written so far. A replacement knows only at its commit.
  virtual WriteCounts written() const noexcept = 0;
  /// Error with in_doubt when COMMIT was sent and no answer came: then ask Target::recover. With
  /// LoadStage::finishing it may take as long as an index over the table does.
  virtual WriteCounts commit() = 0;
};

/// One write session on a database. Worker threads, one at a time; `cancel` from any. Throws Error.
class Target {
 public:
  virtual ~Target() = default;

  /// Columns and primary key of a table; nullopt where there is none.
  struct TableDescription {
    Schema columns;
    std::vector<std::string> primary_key;
    /// Columns of each unique index by which rows can be told apart, the primary key too.
    std::vector<std::vector<std::string>> unique_keys = {};
  };
  virtual std::optional<TableDescription> describe(const TableName& table) = 0;

  virtual TargetPlan plan(const WriteSpec& spec) = 0;
  /// Makes our metadata tables, creates or changes the table as `plan` says, drops staging tables
  /// that a crash left. Throws Error{schema} with the first of the plan's problems.
  virtual TargetPlan prepare(const WriteSpec& spec) = 0;

  /// Takes or renews the job for `holder`, unless another holds it and its lease has not run out by
  /// the target's clock. Taking over raises the fence. Creates the job's row when there is none.
  virtual Acquired acquire(const JobKey& job, const Holder& holder, const TableName& table,
                           Duration lease) = 0;
  /// Renews the lease in one statement where the job's row is as this process left it. False, with
  /// nothing changed, where it is not, be it taken over or restored: `acquire` tells.
  virtual bool keep(const JobKey& job, const Holder& holder, const LeftBehind& left,
                    const TableName& table, Duration lease) = 0;
  /// After a commit in doubt: ends the old session, waits for its transaction's end on the job's
  /// row, raises the fence and returns the checkpoint as it now is.
  virtual Acquired recover(const JobKey& job, const Holder& holder, const TableName& table,
                           Duration lease) = 0;
  virtual void renew(const JobKey& job, std::int64_t fence, const TableName& table,
                     Duration lease) = 0;
  /// Gives the job back: the next holder need not wait for the lease. Keeps the checkpoint.
  virtual void release(const JobKey& job, std::int64_t fence, const TableName& table) = 0;
  /// Reads without taking: for `status`, `checkpoint show`. nullopt: none stored.
  virtual std::optional<Acquired> peek(const JobKey& job, const TableName& table) = 0;

  /// The key ranges of the job's first load in order of `part`; empty where none is under way.
  virtual std::vector<RangeRecord> ranges(const JobKey& job, const TableName& table) = 0;
  /// Whether sessions can write to one table at the same time; false: one writer after the other.
  virtual bool writes_in_parallel() const noexcept = 0;

  virtual std::unique_ptr<Load> begin(const LoadSpec& spec) = 0;

  /// Runs one statement of a hook in its own transaction, within `timeout`.
  virtual void run_hook(const std::string& statement, Duration timeout) = 0;

  virtual WallTime now() = 0;
  virtual void cancel() noexcept = 0;
  virtual bool usable() const noexcept = 0;
};

}  // namespace tidemark
