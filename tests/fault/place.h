#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "support/servers.h"

namespace tidemark::test {

/// One database of a job, worked on and looked at through its own command line client alone: what
/// is compared has not been through our readers and writers.
class Place {
 public:
  virtual ~Place() = default;
  /// Type of a connection in a configuration.
  virtual std::string type() const = 0;
  /// The connection in YAML; `port`: of a gate that stands before the server; `more`: further keys,
  /// each with a comma before it.
  virtual std::string connection(std::uint16_t port = 0, const std::string& more = "") const = 0;
  /// The table's name in a configuration.
  virtual std::string table(const std::string& name) const = 0;
  /// Runs statements; rows as lines, cells by tab.
  virtual std::string sql(const std::string& statements) const = 0;

  /// A table with `id` (assigned by the server), `word`, `amount` and `changed` (the cursor), and
  /// `rows` rows.
  void make(const std::string& table, int rows) const;
  /// A target's table without `changed`; `more` stands behind its columns.
  void make_bare(const std::string& table, const std::string& more = "") const;
  /// `rows` further rows.
  void add(const std::string& table, int rows, const std::string& word) const;
  /// The first `rows` rows of a bare table.
  void fill_bare(const std::string& table, int rows, const std::string& word) const;
  /// Changes the first rows, adds some; and deletes one, if asked to.
  void change(const std::string& table, bool with_delete) const;
  /// All rows by id: id, word, amount. Nothing where there is no table.
  std::vector<std::string> rows(const std::string& table) const;
  void drop(const std::string& table) const;

 protected:
  virtual std::string definition() const = 0;
  /// A SELECT of `rows` rows (id, word, amount), from 1 on.
  virtual std::string series(int rows, const std::string& word) const = 0;
  virtual std::string now() const = 0;
};

std::unique_ptr<Place> sqlite_place(const std::string& file);
std::unique_ptr<Place> postgres_place(Server& server);
std::unique_ptr<Place> mariadb_place(Server& server);

/// How both servers know us: the environment of each daemon holds it.
inline constexpr const char* password_in_environment = "FAULT_PASSWORD=tidemark";

/// The program whose connectors can be killed at a named moment.
std::string crash_program();

}  // namespace tidemark::test
