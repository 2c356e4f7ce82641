#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/batch.h"
#include "core/error.h"
#include "core/horizon.h"
#include "core/names.h"
#include "core/target.h"

namespace tidemark::memory {

/// One cell as canonical text (core/value.h); nullopt is NULL.
using Cell = std::optional<std::string>;
using Row = std::vector<Cell>;

/// What a session does, as far as a fault may strike it.
enum class Operation {
  connect,
  describe,
  inspect,
  horizon,
  settled,
  read,   ///< opening a read
  fetch,  ///< each batch of it
  acquire,
  keep,
  recover,
  prepare,
  write,  ///< upsert, append, erase
  save,
  commit,
  renew,
  hook,
};

/// What becomes of a transaction whose COMMIT gets no answer.
enum class Landing {
  never,    ///< it is rolled back
  arrived,  ///< it is committed
  later,    ///< it is under way: it lands when somebody waits for its job's row, or by `land`
};

/// A failure to come: strikes the `after`-th next operation of its kind, once.
struct Fault {
  std::optional<Operation> operation = {};  ///< nullopt: of any kind
  std::size_t after = 1;
  Error::Fields error = {.kind = FailureKind::connect, .message = "the connection was lost"};
  Landing landing = Landing::never;  ///< for commit
  /// The session is dead from then on.
  bool breaks_session = true;
};

/// A table as tests make it and as the connector describes it.
struct TableShape {
  Schema columns;
  std::vector<std::string> primary_key = {};
  std::vector<std::vector<std::string>> unique = {};  ///< secondary unique keys
  /// The primary key that a first load will give it (WriteSpec::key_last).
  std::vector<std::string> pending_key = {};
};

/// Rows that a query gives. Without `rows` it runs until it is cancelled.
struct View {
  Schema columns;
  std::function<std::vector<Row>()> rows = {};
};

/// What was done to a database, for assertions.
struct Counts {
  std::uint64_t commits = 0;  ///< of loads
  std::uint64_t saves = 0;    ///< of these, such with a checkpoint
  std::uint64_t reads = 0;
  std::uint64_t rows_read = 0;
  std::uint64_t row_changes = 0;  ///< inserted, updated and deleted by loads
  std::uint64_t prepares = 0;
  std::uint64_t renewals = 0;
};

class Database;
class Access;

/// An application's transaction, for tests: its rows are invisible until it commits, yet a horizon
/// sample sees that it is open. Destroyed without commit: rolled back. Used by one thread; must not
/// outlive its database.
class Writer {
 public:
  Writer(Writer&& other) noexcept;
  Writer& operator=(Writer&&) = delete;
  ~Writer();
  /// Inserts, or replaces the row with the same primary key; cells in the table's order.
  void put(const TableName& table, Row row);
  /// By primary key.
  void erase(const TableName& table, Row key);
  void savepoint();
  /// Undoes what came after the newest savepoint, which is gone then; all of it where there is
  /// none.
  void roll_back_to_savepoint();
  /// From now on the transaction outlives a restart of its database.
  void prepare();
  void commit();
  void roll_back() noexcept;
  std::uint64_t id() const noexcept { return id_; }

 private:
  friend class Database;
  Writer(Database& database, std::uint64_t id) : database_(&database), id_(id) {}
  Database* database_;
  std::uint64_t id_;
};

/// A database in this process, found by its name: the reference for what a connector must do, and
/// the fake that the engine's tests stand on. Any thread; one lock around everything.
///
/// A transaction is atomic: its changes become visible at commit, all at once, and a read sees what
/// was committed when it began. There is no lock between writers: the last commit wins.
class Database {
 public:
  /// The database of that name, made at first use; lives until `forget`.
  static std::shared_ptr<Database> named(const std::string& name);
  static void forget(const std::string& name);

  Database();
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  /// Follows the machine's clock until it is first set or moved, then stands still in between.
  WallTime now() const;
  void set_now(WallTime now);
  void advance(Duration by);

  void create(const TableName& table, TableShape shape);
  void drop(const TableName& table);
  std::optional<TableShape> shape(const TableName& table) const;
  void add_unique(const TableName& table, std::vector<std::string> columns);
  void add_unsupported(const TableName& table, const std::string& column,
                       const std::string& native_type);
  /// Committed rows in primary key order, or as inserted where there is none.
  std::vector<Row> rows(const TableName& table) const;
  /// One committed change, visible at once.
  void put(const TableName& table, Row row);
  void erase(const TableName& table, Row key);

  Writer begin();
  std::vector<std::uint64_t> open_transactions() const;

  /// What `Source::inspect` says. By default: proof by transactions, everything assigned by the
  /// server, NOT NULL as the column is declared.
  void set_evidence(const TableName& table, CursorEvidence evidence);
  void set_identity(const std::string& identity);
  /// Sessions and open transactions end, but for prepared ones; horizon tokens are lost, and so are
  /// commits under way.
  void restart();
  /// Committed rows and checkpoints as they are now; cheap.
  struct Backup;
  std::shared_ptr<const Backup> backup() const;
  /// Goes back to a backup, as a failover or a restore does. Ends sessions and transactions.
  void restore(const Backup& backup);
  /// Commits under way (Landing::later) arrive now.
  void land();
  /// Makes every horizon view untrustworthy (Settlement::stale).
  void set_stale(bool stale);

  /// A predicate or a query is understood when its text was defined here.
  using Predicate = std::function<bool(const Schema& columns, const Row& row)>;
  void define_predicate(const std::string& text, Predicate predicate);
  void define_query(const std::string& text, View view);

  void inject(Fault fault);
  void clear_faults();
  /// Called before each operation, outside the lock; to let things happen in between.
  void on_operation(std::function<void(Operation)> listener);
  /// Operations of that kind wait from now on, until let go or cancelled.
  void hold(Operation operation);
  void let_go(Operation operation);
  /// Waits until an operation of that kind is being held.
  void await_held(Operation operation);
  /// Ends every session: each one's next call throws Error{connect}.
  void kill_sessions();
  /// The same for the sessions of one connection user, and for each that he opens from now on: what
  /// the end of a process looks like from here.
  void sever(const std::string& user);
  std::size_t open_sessions() const;

  Counts counts() const;
  std::vector<std::string> hooks_run() const;
  std::optional<CheckpointRecord> checkpoint(const JobKey& job) const;
  void set_checkpoint(const JobKey& job, const CheckpointRecord& record);
  std::vector<RangeRecord> ranges(const JobKey& job) const;
  void drop_ranges(const JobKey& job);
  /// Another holder takes the job now, whatever its lease.
  void seize(const JobKey& job, const Holder& holder, Duration lease);

 private:
  friend class Access;
  friend class Writer;
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace tidemark::memory
