// Every source and target pair, both modes, with the real program between two real databases. What
// arrived is compared through the databases' own clients.
#include <catch2/catch.hpp>
#include <cstdlib>

#include "integration/database.h"
#include "integration/trip.h"
#include "support/servers.h"

using namespace tidemark::test;

namespace {

std::size_t row_count() {
  const char* wanted = std::getenv("TIDEMARK_PAIR_ROWS");
  return wanted == nullptr ? 100'000 : std::strtoul(wanted, nullptr, 10);
}

/// Runs one job between two tables with the real program.
void copy_table(const Database& source, const Database& target, const std::string& table,
                const std::string& copy, const std::string& mode) {
  const Trip trip(source, target, table, copy,
                  "    mode: " + mode + "\n" +
                      (mode == "incremental" ? "    cursor: {column: updated_at}\n" : ""));
  const Trip::Result result = trip.call({"run"}, std::chrono::minutes(10));
  INFO(result.output);
  REQUIRE(result.status == 0);
}

/// Compares without printing 100,000 lines when something is wrong.
void check_equal(const std::vector<std::string>& source, const std::vector<std::string>& target) {
  REQUIRE(source.size() == target.size());
  for (std::size_t row = 0; row < source.size(); ++row) {
    if (source[row] != target[row]) {
      CHECK(target[row] == source[row]);
      FAIL("row " << row << " differs");
    }
  }
}

/// MariaDB stores -0.0 as 0, by whatever way it arrives; the column's verdict says so.
std::vector<std::string> as_held_by(const Database& target, std::vector<std::string> lines) {
  if (target.name() != "mariadb") return lines;
  for (std::string& line : lines)
    for (const std::string zero : {"\t0000000000000080", "\t00000080"})
      for (std::size_t at = 0; (at = line.find(zero, at)) != std::string::npos; ++at)
        if (at + zero.size() == line.size() || line[at + zero.size()] == '\t')
          line[at + zero.size() - 2] = '0';
  return lines;
}

void check_pairs(Database& source) {
  const std::string table = "everyday";
  source.run(fill_statements(source, table, row_count()));
  const auto columns = source.everyday_columns();
  std::vector<std::unique_ptr<Database>> targets;
  targets.push_back(sqlite_database("target.db"));
  targets.push_back(postgres_database());
  targets.push_back(mariadb_database());

  const auto before = source.dump(table, columns);
  REQUIRE(before.size() == row_count());
  for (const auto& target : targets) {
    for (const std::string mode : {"full", "incremental"}) {
      CAPTURE(source.name(), target->name(), mode);
      const std::string copy = "copy_" + source.name() + "_" + mode;
      copy_table(source, *target, table, copy, mode);
      check_equal(as_held_by(*target, before), target->dump(copy, columns));
    }
  }

  // Some rows change, some come, and in full mode some go.
  source.run("UPDATE " + table + " SET v = 'changed' WHERE id % 1000 = 7;\n" + "INSERT INTO " +
             table + " (id, v) VALUES (1000000001, 'new'), (1000000002, NULL);\n");
  const auto after = source.dump(table, columns);
  for (const auto& target : targets) {
    for (const std::string mode : {"full", "incremental"}) {
      CAPTURE(source.name(), target->name(), mode);
      const std::string copy = "copy_" + source.name() + "_" + mode;
      copy_table(source, *target, table, copy, mode);
      check_equal(as_held_by(*target, after), target->dump(copy, columns));
    }
  }
  source.run("DELETE FROM " + table + " WHERE id % 1000 = 8;\n");
  const auto fewer = source.dump(table, columns);
  for (const auto& target : targets) {
    CAPTURE(source.name(), target->name());
    copy_table(source, *target, table, "copy_" + source.name() + "_full", "full");
    check_equal(as_held_by(*target, fewer),
                target->dump("copy_" + source.name() + "_full", columns));
  }
}

}  // namespace

TEST_CASE("SQLite flows into every database", "[integration][pairs]") {
  check_pairs(*sqlite_database("source.db"));
}

TEST_CASE("PostgreSQL flows into every database", "[integration][pairs]") {
  check_pairs(*postgres_database());
}

TEST_CASE("MariaDB flows into every database", "[integration][pairs]") {
  check_pairs(*mariadb_database());
}
