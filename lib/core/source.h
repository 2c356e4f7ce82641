#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/batch.h"
#include "core/horizon.h"
#include "core/names.h"
#include "core/settings.h"
#include "core/value.h"

namespace tidemark {

/// What a job reads: a table with an optional predicate, or a query.
struct Relation {
  std::optional<TableName> table = {};
  std::string where = {};
  std::string query = {};  ///< may hold {{cursor}}
};

struct UnsupportedColumn {
  std::string name;
  std::string native_type;
};

struct SourceDescription {
  Schema columns;                        ///< in the relation's order, supported ones only
  std::vector<std::string> primary_key;  ///< of a table; empty for a query
  /// Columns of a type this version does not carry: refused by name unless excluded.
  std::vector<UnsupportedColumn> unsupported = {};
  /// While it is being read, nobody can write to its database (SQLite without WAL).
  bool blocks_writers = false;
  /// What the relation has beside its own columns, to be followed as a cursor and never written
  /// (PostgreSQL's xmin). Names that a column of the relation has are left out.
  Schema system_columns = {};
};

/// The cursor of a job as the source needs it.
struct CursorRef {
  std::string column;      ///< output column of the relation
  std::string expression;  ///< inside the query; equals `column` for a table
};

/// Half-open range of keys, bounds chosen by the database; an empty side is open.
struct KeyRange {
  std::vector<Value> lower = {};
  std::vector<Value> upper = {};
};

enum class ReadOrder { none, key, cursor };
enum class NullCursor { exclude, only };

struct ReadPlan {
  Relation relation;
  /// The subset wanted, as `describe` gave them; a type differs only where Source::can_read_as said
  /// yes to it.
  Schema columns;
  std::vector<std::string> named = {};  ///< the columns whose type is the user's, see can_read_as
  std::vector<KeyPart> key = {};
  std::optional<CursorRef> cursor = {};
  ReadOrder order = ReadOrder::none;
  /// Only rows strictly behind this position in (cursor, key…) order. With an empty key in it: rows
  /// whose cursor is strictly greater.
  std::optional<Position> after = {};
  std::optional<Value> from = {};   ///< cursor >= from
  std::optional<Value> below = {};  ///< cursor < below
  NullCursor null_cursor = NullCursor::exclude;
  std::optional<KeyRange> range = {};
  std::size_t batch_rows = default_batch_rows;
  Bytes batch_bytes = default_batch_bytes;
  std::uint64_t max_rows = 0;  ///< stop after so many; 0: all
};

/// Rows of one read, in the order asked for. Never holds more than about one batch in memory.
class BatchReader {
 public:
  virtual ~BatchReader() = default;
  /// Fills `batch` (cleared first, made with the plan's columns) and says whether it holds rows;
  /// false at the end. A batch ends at batch_rows or batch_bytes, a larger row travels alone.
  virtual bool next(Batch& batch) = 0;
};

/// One read session on a database. Worker threads, one at a time; only `cancel` may come from
/// another. Sessions are read-only and pinned: UTC, UTF-8, exact float output. Throws Error.
class Source {
 public:
  virtual ~Source() = default;

  virtual SourceDescription describe(const Relation& relation) = 0;

  /// How rows leave this database, for people: "binary COPY". Any thread.
  virtual std::string_view read_path() const noexcept = 0;

  /// Whether `read` can deliver `column`, as `describe` gave it, as `type` instead, going round the
  /// type that the server declares. The engine asks for every column (but cursor and key) whose
  /// type the user names, and puts a `type` that is accepted into the plan's column, unchanged:
  ///   text (no length)    the server's own text, unparsed: a zero date arrives as "0000-00-00"
  ///   native, this connector's origin ("mysql:date", "sqlite:any")
  ///                       the same, to be written back as it was by a target of this connector
  ///   any other           what this database's values may mean besides (SQLite: the number of a
  ///                       date column as a timestamp)
  /// Without it the declared type is read and the transforms convert. Does not go to the server.
  virtual bool can_read_as(const Column& column, const Type& type) const {
    static_cast<void>(column);
    static_cast<void>(type);
    return false;
  }

  /// What the catalogue and this login's rights show about a cursor. Missing privileges fail
  /// closed: they lower `proof` and stand in `obstacles`.
  virtual CursorEvidence inspect(const Relation& relation, const CursorRef& cursor) = 0;

  /// Samples a token: the mark first, then who may still commit behind it. Never waits for them.
  virtual HorizonToken horizon(const Relation& relation, const CursorRef& cursor,
                               ProofKind proof) = 0;
  /// Asks whether a token's transactions have all ended. Each call looks anew; never waits long.
  virtual Settlement settled(const HorizonToken& token) = 0;

  /// About how many rows a relation holds, by the server's own statistics and without counting: for
  /// progress only. `where` is not looked at. nullopt: a query, or nothing is known.
  virtual std::optional<std::uint64_t> estimated_rows(const Relation& relation) {
    static_cast<void>(relation);
    return std::nullopt;
  }

  /// Boundaries for `parts` ranges of about equal size in the server's key order, first and last
  /// open. Fewer, or one open range, where the table is small.
  virtual std::vector<KeyRange> split(const Relation& relation, const std::vector<KeyPart>& key,
                                      std::size_t parts) = 0;

  /// Starts a read in a snapshot taken now. The reader must not outlive the source; one at a time.
  virtual std::unique_ptr<BatchReader> read(const ReadPlan& plan) = 0;

  /// The source's clock.
  virtual WallTime now() = 0;
  /// Identity and history of the server's data (C7): changes on restore, promotion, other server.
  virtual std::string identity() = 0;

  /// Stops a statement under way; it throws Cancelled. Any thread; harmless when idle.
  virtual void cancel() noexcept = 0;
  /// False when the connection is gone. Does not go to the server.
  virtual bool usable() const noexcept = 0;
};

}  // namespace tidemark
