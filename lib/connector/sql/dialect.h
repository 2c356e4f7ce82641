#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/names.h"
#include "core/target.h"
#include "core/type.h"
#include "core/value.h"

namespace tidemark::sql {

/// What a database's scanner takes for quotes and comments, beyond 'text', "name", -- and /* */.
struct Lexis {
  bool backslash_escapes = false;  ///< 'it\'s'
  bool escape_strings = false;     ///< E'it\'s'
  bool dollar_quotes = false;      ///< $tag$ … $tag$
  bool backquotes = false;         ///< `name`
  bool brackets = false;           ///< [name]
  bool hash_comments = false;      ///< # to the end of the line
  bool nested_comments = false;    ///< /* /* */ */
  bool comments_run = false;       ///< what stands in /*! … */ and /*M! … */ is code
  bool dashes_need_blank = false;  ///< "--" is a comment only before a blank
};

/// How an UPDATE takes its values from a second table.
enum class UpdateJoin {
  from_clause,  ///< UPDATE t SET … FROM s WHERE …
  join_clause,  ///< UPDATE t JOIN s ON … SET … WHERE …
};

/// How one database writes SQL. Stateless; any thread. One per connector, passed to the shared
/// statement builders; no default bodies that belong to one vendor.
class Dialect {
 public:
  virtual ~Dialect() = default;

  /// The only place where a name becomes SQL. Throws Error{schema} for a name with NUL in it.
  virtual std::string quote(std::string_view identifier) const = 0;
  /// The only place where a value becomes SQL: typed, text and bytes as hex.
  virtual std::string literal(const Value& value) const = 0;
  std::string table(const TableName& name) const {
    return name.schema.empty() ? quote(name.name) : quote(name.schema) + "." + quote(name.name);
  }
  virtual Lexis lexis() const = 0;

  /// The column type that holds `type` here, with what it would lose. `in_key`: must be indexable
  /// and compare by bytes.
  virtual ColumnVerdict column_type(const Column& column, bool in_key) const = 0;
  /// What happens to values of `arriving` in the column `existing` of a table that is there, whose
  /// logical and native types `describe` gave. target_type of the answer: existing.native_type.
  virtual ColumnVerdict fits(const Column& arriving, const Column& existing) const = 0;
  /// The statement that changes `existing` to `native_type` without losing anything; nullopt where
  /// this database can't do it in place. The planner has made sure that it is a widening.
  virtual std::optional<std::string> widen(const TableName& table, const Column& existing,
                                           std::string_view native_type) const = 0;

  /// True where two rows differ in one of `columns`, by bytes and not by the server's `=`
  /// (decisions: unchanged rows). `left` and `right` are SQL already: an alias or a quoted table.
  virtual std::string differs(std::string_view left, std::string_view right,
                              const std::vector<std::string>& columns) const = 0;
  virtual UpdateJoin update_join() const = 0;

  /// Opens a transaction that will write: "BEGIN", "BEGIN IMMEDIATE", "START TRANSACTION".
  virtual std::string_view begin() const = 0;
  /// Run within a transaction, makes those of our sessions that make metadata tables wait for each
  /// other until it ends; "" where CREATE TABLE IF NOT EXISTS or `begin` sees to that.
  virtual std::string_view one_at_a_time() const = 0;
  /// An integer expression: microseconds since 1970 by the server's clock, not frozen within a
  /// transaction.
  virtual std::string_view now_micros() const = 0;
  /// Appended to a SELECT that must lock its row: " FOR UPDATE", or "" where the transaction itself
  /// is the lock.
  virtual std::string_view for_update() const = 0;
  /// Appended to a SELECT that must keep others from changing its row, but not from reading it the
  /// same way: " FOR SHARE", or "" where the transaction itself is the lock.
  virtual std::string_view for_share() const = 0;
  /// The types of our own metadata columns: text of any length, bigint, a short key text.
  virtual std::string_view text_type() const = 0;
  virtual std::string_view bigint_type() const = 0;
  virtual std::string_view key_text_type() const = 0;
  /// Behind CREATE TABLE (…): "ENGINE=InnoDB …" or "".
  virtual std::string_view table_options() const = 0;
};

}  // namespace tidemark::sql
