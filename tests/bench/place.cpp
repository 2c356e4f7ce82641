#include "bench/place.h"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>

#include "bench/measure.h"

namespace tidemark::bench {
namespace {

constexpr std::chrono::minutes statement_limit{60};

std::string run_client(const std::vector<std::string>& command, const std::string& statements) {
  const test::TempDir dir;
  std::ofstream(dir / "statements.sql") << statements;
  std::vector<std::string> words{"sh", "-c", "file=$1; shift; exec \"$@\" < \"$file\"", "sh",
                                 dir / "statements.sql"};
  words.insert(words.end(), command.begin(), command.end());
  test::ChildProcess process(
      words, {.output = dir / "output", .environment = {"PGPASSWORD=tidemark", "PGTZ=UTC"}});
  const int status = process.wait(statement_limit);
  std::string text = test::read_file(dir / "output");
  if (status != 0) throw std::runtime_error(command.front() + " failed: " + text);
  while (text.ends_with('\n'))
    text.pop_back();
  return text;
}

class PostgresPlace final : public Place {
 public:
  PostgresPlace(std::uint16_t port, std::string name) : port_(port), name_(std::move(name)) {}
  Vendor vendor() const override { return Vendor::postgres; }
  std::string yaml() const override {
    return fmt::format(
        "{{type: postgres, host: 127.0.0.1, port: {}, user: tidemark, password: {{env: "
        "TIDEMARK_BENCH_PASSWORD}}, database: {}}}",
        port_, name_);
  }
  std::string address() const override {
    return fmt::format(
        "host=127.0.0.1 port={} user=tidemark password=tidemark dbname={} sslmode=disable", port_,
        name_);
  }
  std::string url() const override {
    return fmt::format("postgresql://tidemark:tidemark@127.0.0.1:{}/{}", port_, name_);
  }
  std::string sql(const std::string& statements) const override { return psql(name_, statements); }
  void load(const std::string& file, const std::string& table,
            const std::string& columns) const override {
    sql("\\copy " + table + " (" + columns + ") FROM '" + file + "'\n");
  }
  void recreate() const override {
    psql("test",
         "DROP DATABASE IF EXISTS " + name_ + " WITH (FORCE);\nCREATE DATABASE " + name_ + ";\n");
  }
  void copy_from(const Place& from) const override {
    const auto& other = dynamic_cast<const PostgresPlace&>(from);
    psql("test", "DROP DATABASE IF EXISTS " + name_ + " WITH (FORCE);\nCREATE DATABASE " + name_ +
                     " TEMPLATE " + other.name_ + " STRATEGY file_copy;\n");
  }
  void settle() const override { sql("CHECKPOINT;"); }

 private:
  std::string psql(const std::string& database, const std::string& statements) const {
    return run_client(
        {"psql", "-X", "-q", "-A", "-t", "-F", "\t", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1",
         "-p", std::to_string(port_), "-U", "tidemark", "-d", database, "-f", "-"},
        statements);
  }

  std::uint16_t port_;
  std::string name_;
};

class MariaDbPlace final : public Place {
 public:
  MariaDbPlace(std::uint16_t port, std::string name) : port_(port), name_(std::move(name)) {}
  Vendor vendor() const override { return Vendor::mariadb; }
  std::string yaml() const override {
    return fmt::format(
        "{{type: mysql, host: 127.0.0.1, port: {}, user: tidemark, password: {{env: "
        "TIDEMARK_BENCH_PASSWORD}}, database: {}}}",
        port_, name_);
  }
  std::string address() const override { return fmt::format("{}/{}", port_, name_); }
  std::string url() const override {
    return fmt::format("mysql://tidemark:tidemark@127.0.0.1:{}/{}", port_, name_);
  }
  std::string sql(const std::string& statements) const override {
    return client({name_}, statements);
  }
  void load(const std::string& file, const std::string& table,
            const std::string& columns) const override {
    client({"--local-infile=1", name_}, "LOAD DATA LOCAL INFILE '" + file + "' INTO TABLE " +
                                            table + " CHARACTER SET utf8mb4 (" + columns + ");");
  }
  void recreate() const override {
    client({}, "DROP DATABASE IF EXISTS " + name_ + "; CREATE DATABASE " + name_ +
                   " CHARACTER SET utf8mb4;");
  }
  void copy_from(const Place& from) const override {
    recreate();
    const auto& other = dynamic_cast<const MariaDbPlace&>(from);
    std::istringstream tables(other.sql("SHOW TABLES;"));
    for (std::string table; std::getline(tables, table);)
      sql(fmt::format("CREATE TABLE {0} LIKE {1}.{0}; INSERT INTO {0} SELECT * FROM {1}.{0};",
                      table, other.name_));
  }
  // InnoDB writes dirty pages behind our back; those of a dropped table are dropped with it.
  void settle() const override { sql("FLUSH TABLES;"); }

 private:
  std::string client(std::vector<std::string> more, const std::string& statements) const {
    std::vector<std::string> command{"mariadb",
                                     "--no-defaults",
                                     "-h127.0.0.1",
                                     "-P" + std::to_string(port_),
                                     "-utidemark",
                                     "-ptidemark",
                                     "-N",
                                     "-B",
                                     "--default-character-set=utf8mb4"};
    command.insert(command.end(), more.begin(), more.end());
    return run_client(command, "SET time_zone = '+00:00';\n" + statements);
  }

  std::uint16_t port_;
  std::string name_;
};

class SqlitePlace final : public Place {
 public:
  explicit SqlitePlace(std::string file) : file_(std::move(file)) {}
  Vendor vendor() const override { return Vendor::sqlite; }
  std::string yaml() const override { return "{type: sqlite, path: " + file_ + "}"; }
  std::string address() const override { return file_; }
  std::string url() const override { return "sqlite://" + file_; }
  std::string sql(const std::string& statements) const override {
    return run_client({"sqlite3", "-bail", "-tabs", file_}, ".timeout 60000\n" + statements);
  }
  void load(const std::string& file, const std::string& table,
            const std::string& columns) const override {
    run_client({limits_program(), "sqlite-fill", file, file_, table, columns}, "");
  }
  void recreate() const override {
    for (const char* end : {"", "-wal", "-shm"})
      std::filesystem::remove(file_ + end);
    sql("PRAGMA journal_mode = WAL;");
  }
  void copy_from(const Place& from) const override {
    recreate();
    from.sql("PRAGMA wal_checkpoint(TRUNCATE);");
    std::filesystem::copy_file(from.address(), file_,
                               std::filesystem::copy_options::overwrite_existing);
  }
  void settle() const override { sql("PRAGMA wal_checkpoint(TRUNCATE);"); }

 private:
  std::string file_;
};

/// Of the memory that performance.md's figures were made with, as much as this machine can give.
std::string scaled_mib(std::uint64_t wanted_mib) {
  const auto pages = static_cast<std::uint64_t>(sysconf(_SC_PHYS_PAGES));
  const std::uint64_t have_mib =
      pages * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE)) / (1024 * 1024);
  constexpr std::uint64_t full_mib = 20 * 1024;
  return std::to_string(have_mib >= full_mib ? wanted_mib : wanted_mib * have_mib / full_mib);
}

std::vector<std::string> postgres_settings(bool small) {
  return {"shared_buffers=" + (small ? "64" : scaled_mib(1024)) + "MB",
          "max_wal_size=" + (small ? "256" : scaled_mib(8192)) + "MB", "wal_level=logical",
          "fsync=on", "timezone=UTC"};
}

std::vector<std::string> mariadb_settings(bool small) {
  return {"--innodb-buffer-pool-size=" + (small ? "128" : scaled_mib(2048)) + "M",
          "--innodb-log-file-size=" + (small ? "64" : scaled_mib(2048)) + "M",
          "--innodb-flush-log-at-trx-commit=1",
          "--sync-binlog=1",
          "--log-bin=binlog",
          "--binlog-format=ROW",
          "--binlog-row-image=FULL",
          "--expire-logs-days=1",
          "--max-binlog-size=256M",
          "--server-id=1"};
}

/// Server 0 or 1 of a kind.
std::size_t index_of(Stage::Side side) {
  return side == Stage::Side::source ? 0 : 1;
}

}  // namespace

std::string Place::table(const std::string& table) const {
  return vendor() == Vendor::postgres ? "public." + table : table;
}

std::string Place::sums(const std::string& table) const {
  return sql(sums_query(vendor(), table) + ";");
}

Stage::Stage(Options options) : options_(std::move(options)) {}

const std::string& Stage::rows_file() {
  if (rows_file_.empty()) {
    rows_file_ = dir_ / "orders.tsv";
    rows_bytes_ = write_rows(rows_file_, options_.rows);
  }
  return rows_file_;
}

std::uint64_t Stage::rows_bytes() {
  rows_file();
  return rows_bytes_;
}

test::PostgresServer& Stage::postgres(Side side) {
  auto& server = postgres_[index_of(side)];
  if (!server) {
    server = std::make_unique<test::PostgresServer>(postgres_settings(options_.small));
    server->start();
  }
  return *server;
}

test::MariaDbServer& Stage::mariadb(Side side) {
  auto& server = mariadb_[index_of(side)];
  if (!server) {
    server = std::make_unique<test::MariaDbServer>(mariadb_settings(options_.small));
    server->start();
  }
  return *server;
}

std::unique_ptr<Place> Stage::place(Vendor vendor, Side side, const std::string& name) {
  switch (vendor) {
    case Vendor::postgres:
      return std::make_unique<PostgresPlace>(postgres(side).port(), name);
    case Vendor::mariadb:
      return std::make_unique<MariaDbPlace>(mariadb(side).port(), name);
    case Vendor::sqlite:
      break;
  }
  return std::make_unique<SqlitePlace>(
      dir_ / ((side == Side::source ? "source-" : "target-") + name + ".db"));
}

Place& Stage::source(Vendor vendor) {
  auto& source = sources_[static_cast<std::size_t>(vendor)];
  if (!source) {
    auto made = place(vendor, Side::source, "shop");
    made->recreate();
    made->sql(create_source(vendor));
    made->load(rows_file(), "orders", columns());
    made->sql(finish_source(vendor));
    source = std::move(made);
  }
  return *source;
}

double Stage::server_cpu() const {
  double seconds = 0;
  for (const auto& server : postgres_)
    if (server) seconds += cpu_of_tree(server->pid());
  for (const auto& server : mariadb_)
    if (server) seconds += cpu_of_tree(server->pid());
  return seconds;
}

std::vector<std::string> Stage::settings() const {
  std::vector<std::string> lines;
  for (const auto& [name, settings] : {std::pair{"PostgreSQL", postgres_settings(options_.small)},
                                       std::pair{"MariaDB", mariadb_settings(options_.small)}}) {
    std::string line = std::string(name) + ":";
    for (const std::string& setting : settings)
      line += " " + setting;
    lines.push_back(std::move(line));
  }
  return lines;
}

}  // namespace tidemark::bench
