#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bench/data.h"
#include "support/servers.h"

namespace tidemark::bench {

/// A database that rows are read from or written to, reached through its own command line client.
class Place {
 public:
  virtual ~Place() = default;
  virtual Vendor vendor() const = 0;
  /// The connection as a value in a configuration; the password is in the environment.
  virtual std::string yaml() const = 0;
  /// How the clients in tests/bench/limits are told: libpq's words for PostgreSQL, PORT/DATABASE
  /// for MariaDB, a path for SQLite.
  virtual std::string address() const = 0;
  /// A URL with the password, as the peers take it.
  virtual std::string url() const = 0;
  /// Runs statements; returns what they printed, fields by tab.
  virtual std::string sql(const std::string& statements) const = 0;
  /// Loads a file in the text form into a table; `columns`: names by comma.
  virtual void load(const std::string& file, const std::string& table,
                    const std::string& columns) const = 0;
  /// An empty database of that name, whatever was there.
  virtual void recreate() const = 0;
  /// Takes what `from` holds, keys and indexes too. Both lie on the same server.
  virtual void copy_from(const Place& from) const = 0;
  /// Writes out what earlier cases left in memory, so that the next one does not pay for it.
  virtual void settle() const = 0;

  /// The table's name in a configuration.
  std::string table(const std::string& table) const;
  std::string sums(const std::string& table = "orders") const;
};

/// The servers and files of one run, each started when a route first asks for it.
class Stage {
 public:
  struct Options {
    std::uint64_t rows;
    bool small;           ///< servers with little memory: a smoke test
    std::string program;  ///< the tidemark to time
  };
  explicit Stage(Options options);

  std::uint64_t rows() const { return options_.rows; }
  const std::string& program() const { return options_.program; }
  std::string path(const std::string& name) const { return dir_ / name; }
  /// The rows in the text form.
  const std::string& rows_file();
  std::uint64_t rows_bytes();
  /// A database of that name on the first server of its kind, where sources are, or on the second.
  enum class Side { source, target };
  std::unique_ptr<Place> place(Vendor vendor, Side side, const std::string& name);
  /// The database `shop` with the table `orders`, filled the first time.
  Place& source(Vendor vendor);
  /// CPU seconds that all servers have used so far.
  double server_cpu() const;
  /// What the servers were started with, for the report.
  std::vector<std::string> settings() const;

 private:
  test::PostgresServer& postgres(Side side);
  test::MariaDbServer& mariadb(Side side);

  Options options_;
  test::TempDir dir_;
  std::string rows_file_;
  std::uint64_t rows_bytes_ = 0;
  std::unique_ptr<test::PostgresServer> postgres_[2];
  std::unique_ptr<test::MariaDbServer> mariadb_[2];
  std::unique_ptr<Place> sources_[3];
};

}  // namespace tidemark::bench
