#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace tidemark::test {

/// How a column's values are compared across databases, whatever each calls its type.
enum class Kind {
  integer,
  boolean,
  decimal,
  float32,
  float64,
  text,
  bytes,
  date,
  time,
  timestamp,
  instant,
  json,
  uuid
};

struct ColumnCase {
  std::string name;
  Kind kind;
  std::string ddl;  ///< type in the source's own words
  /// A literal in the source's SQL for row `row`; "NULL" now and then.
  std::function<std::string(std::size_t row)> value;
};

/// One database of a pair: reached only through its own command line client, so that what is
/// compared has not been through our readers and writers.
class Database {
 public:
  virtual ~Database() = default;
  virtual std::string name() const = 0;
  /// The connection as a line of YAML for `connections:`.
  virtual std::string connection_yaml() const = 0;
  /// The table's name in a configuration.
  virtual std::string table(const std::string& table) const = 0;
  /// Runs SQL from a file.
  virtual void run(const std::string& statements) = 0;
  virtual std::vector<ColumnCase> everyday_columns() const = 0;
  /// "updated_at" as an exact cursor that the server assigns, with everything that it takes.
  virtual std::string cursor_ddl() const = 0;
  virtual std::string after_create(const std::string& table) const = 0;
  /// Lines of `columns` ordered by id, each cell normalised by its kind.
  std::vector<std::string> dump(const std::string& table, const std::vector<ColumnCase>& columns);
  /// Cells of SQL expressions, joined by tabs, a line for each row by id; NULL is "NULL".
  std::vector<std::string> lines(const std::string& table,
                                 const std::vector<std::string>& expressions);
  /// SQL that shows every bit of a column's value, in ASCII.
  virtual std::string bits(const std::string& column) const = 0;

 protected:
  virtual std::string expression(const ColumnCase& column) const = 0;
  virtual std::string query(const std::string& select) = 0;
  virtual std::string from(const std::string& table) const = 0;
};

std::unique_ptr<Database> sqlite_database(const std::string& file);
std::unique_ptr<Database> postgres_database();
std::unique_ptr<Database> mariadb_database();

/// SQL that makes `table` and fills it with `rows` rows, 500 to a statement, so that each 500 share
/// one cursor value.
std::string fill_statements(const Database& database, const std::string& table, std::size_t rows);

}  // namespace tidemark::test
