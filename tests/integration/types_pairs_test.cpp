// Every type of every database through every other and back, with the real program; what came back
// is compared bit for bit by the source's own client.
#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "core/connector.h"
#include "integration/database.h"
#include "integration/trip.h"
#include "integration/type_cases.h"

using namespace tidemark::test;
using Json = nlohmann::json;

namespace {

constexpr std::size_t random_rows = 40;

void require_run(const Trip& trip) {
  const Trip::Result result = trip.call({"run"});
  INFO(result.output);
  REQUIRE(result.status == 0);
}

bool concerns(const std::vector<TypeCase::Refused>& list, const std::string& target,
              const std::string& literal) {
  return std::any_of(list.begin(), list.end(), [&](const TypeCase::Refused& one) {
    return one.target == target && one.literal == literal;
  });
}

/// The types of one source with the values that one target holds.
class Table {
 public:
  Table(Database& source, const std::string& target, std::uint64_t seed)
      : source_(source), cases_(type_cases(source.name())), random_(seed) {
    for (const TypeCase& one : cases_) {
      auto& values = values_.emplace_back();
      for (const std::string& literal : one.edges)
        if (!concerns(one.refused, target, literal) && !concerns(one.left_out, target, literal))
          values.push_back(literal);
      values.push_back("NULL");
    }
  }

  const std::vector<TypeCase>& cases() const { return cases_; }

  std::string create(const std::string& name, bool with_cursor) const {
    std::string ddl = "CREATE TABLE " + name + " (id bigint NOT NULL PRIMARY KEY";
    for (const TypeCase& one : cases_)
      ddl += ", c_" + one.column + " " + one.ddl + nullable();
    if (with_cursor) ddl += ", " + source_.cursor_ddl();
    return ddl + ");\n" + (with_cursor ? source_.after_create(name) : "");
  }

  /// Rows whose ids begin at `first`: the edges, then as many random values.
  std::string insert(const std::string& name, std::size_t first) {
    std::size_t rows = random_rows;
    for (const auto& values : values_)
      rows = std::max(rows, values.size() + 5);
    std::string names = "id";
    for (const TypeCase& one : cases_)
      names += ", c_" + one.column;
    std::string statement = "INSERT INTO " + name + " (" + names + ") VALUES ";
    for (std::size_t row = 0; row < rows; ++row) {
      statement += (row == 0 ? "(" : ",(") + std::to_string(first + row);
      for (std::size_t at = 0; at < cases_.size(); ++at)
        statement += "," + value(at, row);
      statement += ")";
    }
    return statement + ";\n";
  }

  std::vector<std::string> dump(const std::string& name,
                                const std::set<std::string>& left_out) const {
    std::vector<std::string> expressions;
    for (const TypeCase& one : cases_)
      if (!left_out.contains("c_" + one.column)) expressions.push_back(expression(one));
    return source_.lines(name, expressions);
  }

 private:
  /// A TIMESTAMP of MariaDB is NOT NULL where nothing else is said.
  std::string nullable() const { return source_.name() == "mariadb" ? " NULL" : ""; }

  std::string value(std::size_t at, std::size_t row) {
    const auto& values = values_[at];
    if (row < values.size()) return values[row];
    return cases_[at].random ? cases_[at].random(random_) : values[row % values.size()];
  }

  std::string expression(const TypeCase& one) const {
    if (one.form.empty()) return source_.bits("c_" + one.column);
    std::string form = one.form;
    for (std::size_t at = 0; (at = form.find('@', at)) != std::string::npos;)
      form.replace(at, 1, "c_" + one.column);
    return form;
  }

  Database& source_;
  std::vector<TypeCase> cases_;
  std::vector<std::vector<std::string>> values_;
  std::mt19937_64 random_;
};

/// The columns that `plan` wants the user's word for, which must be the ones that the cases name;
/// and the logical type of each column.
struct Verdicts {
  std::set<std::string> asks;
  std::map<std::string, std::string> types;
};

Verdicts verdicts_of(const Trip& trip) {
  Verdicts verdicts;
  const Trip::Result planned = trip.call({"plan", "--json"});
  INFO(planned.output);
  const Json plan = Json::parse(planned.output, nullptr, false);
  REQUIRE_FALSE(plan.is_discarded());
  for (const Json& column : plan["columns"]) {
    const std::string name = column["source_column"];
    verdicts.types[name] = column["logical_type"];
    if (column["fidelity"] != "lossless") verdicts.asks.insert(name);
  }
  for (const std::string& name : verdicts.asks) {
    CAPTURE(name, plan["problems"].dump());
    CHECK(std::any_of(plan["problems"].begin(), plan["problems"].end(), [&](const Json& problem) {
      return problem.get<std::string>().find("column " + name + ":") != std::string::npos;
    }));
  }
  return verdicts;
}

std::string exclude_line(const std::set<std::string>& columns) {
  std::string list;
  for (const std::string& column : columns)
    list += (list.empty() ? "" : ", ") + column;
  return "    exclude: [" + list + "]\n";
}

/// What a type is at home, for the way back.
std::string back_settings(const Table& table, const Verdicts& verdicts,
                          const std::set<std::string>& excluded) {
  std::string text = "    mode: full\n    columns:\n";
  for (const TypeCase& one : table.cases()) {
    const std::string column = "c_" + one.column;
    if (excluded.contains(column)) continue;
    text += "      " + column + ": {type: " + Json(verdicts.types.at(column)).dump() +
            (one.word ? ", lossy: allow" : "") + "}\n";
  }
  return text;
}

/// Compares line by line, so that a failure shows the one cell that differs.
void check_same(const std::vector<std::string>& before, const std::vector<std::string>& after,
                const Table& table, const std::set<std::string>& left_out) {
  REQUIRE(before.size() == after.size());
  std::vector<std::string> names{"id"};
  for (const TypeCase& one : table.cases())
    if (!left_out.contains("c_" + one.column)) names.push_back(one.column + " " + one.ddl);
  const auto cells = [](const std::string& line) {
    std::vector<std::string> list;
    for (std::size_t at = 0; at <= line.size();) {
      const std::size_t end = std::min(line.find('\t', at), line.size());
      list.push_back(line.substr(at, end - at));
      at = end + 1;
    }
    return list;
  };
  for (std::size_t row = 0; row < before.size(); ++row) {
    if (before[row] == after[row]) continue;
    const auto left = cells(before[row]);
    const auto right = cells(after[row]);
    REQUIRE(left.size() == right.size());
    for (std::size_t at = 0; at < left.size(); ++at) {
      CAPTURE(names.at(at), row);
      CHECK(right[at] == left[at]);
    }
  }
}

void check_pair(Database& source, Database& target, std::uint64_t seed) {
  CAPTURE(source.name(), target.name(), seed);
  Table table(source, target.name(), seed);
  const std::string from = "types_" + source.name() + "_to_" + target.name();
  source.run(table.create(from, true) + table.insert(from, 0));
  for (const std::string mode : {"full", "incremental"}) {
    CAPTURE(mode);
    const std::string copy = "types_copy_" + source.name() + "_" + mode;
    const std::string back = "types_back_" + target.name() + "_" + mode;
    const std::string settings =
        "    mode: " + mode + "\n" +
        (mode == "incremental" ? "    cursor: {column: updated_at}\n" : "");
    const Verdicts verdicts =
        verdicts_of(Trip(source, target, from, copy, settings + exclude_line({})));
    std::set<std::string> asked;
    for (const TypeCase& one : table.cases())
      if (std::find(one.asks.begin(), one.asks.end(), target.name()) != one.asks.end())
        asked.insert("c_" + one.column);
    CHECK(verdicts.asks == asked);

    const Trip there(source, target, from, copy, settings + exclude_line(verdicts.asks));
    require_run(there);
    source.run(table.create(back, false));
    std::set<std::string> excluded = verdicts.asks;
    excluded.insert("updated_at");
    std::string settings_back = back_settings(table, verdicts, verdicts.asks);
    settings_back += "    exclude: [updated_at]\n";
    const Trip home(target, source, copy, back, settings_back);
    require_run(home);
    check_same(table.dump(from, excluded), table.dump(back, excluded), table, excluded);

    // What comes later takes the same way.
    source.run(table.insert(from, mode == "full" ? 100'000 : 200'000));
    require_run(there);
    require_run(home);
    check_same(table.dump(from, excluded), table.dump(back, excluded), table, excluded);
  }
}

/// Each value that a target can't hold is an error that names the column, and does not arrive.
void check_refused(Database& source, Database& target) {
  int number = 0;
  for (const TypeCase& one : type_cases(source.name())) {
    for (const TypeCase::Refused& refused : one.refused) {
      if (refused.target != target.name()) continue;
      CAPTURE(source.name(), target.name(), one.ddl, refused.literal);
      const std::string name =
          "refused_" + source.name() + "_" + target.name() + "_" + std::to_string(++number);
      source.run("CREATE TABLE " + name + " (id bigint NOT NULL PRIMARY KEY, c_" + one.column +
                 " " + one.ddl + ");\nINSERT INTO " + name + " VALUES (1, " + refused.literal +
                 ");\n");
      const Trip trip(source, target, name, name + "_copy", "    mode: full\n");
      const Trip::Result result = trip.call({"run"});
      INFO(result.output);
      CHECK(result.status == 1);
      CHECK(result.output.find("c_" + one.column) != std::string::npos);
      CHECK(target.lines(name + "_copy", {}).empty());
    }
  }
}

/// The same values each time, so that a failure is one of the change under test.
std::uint64_t seed() {
  const char* wanted = std::getenv("TIDEMARK_TYPES_SEED");
  return wanted == nullptr ? 20'261'121 : std::strtoull(wanted, nullptr, 10);
}

void check_source(Database& source) {
  source.run(type_setup(source.name()));
  const std::uint64_t chosen = seed();
  for (const auto& target :
       {sqlite_database("types_target.db"), postgres_database(), mariadb_database()}) {
    check_pair(source, *target, chosen);
    check_refused(source, *target);
  }
}

}  // namespace

TEST_CASE("types of SQLite go everywhere and come back", "[integration][types]") {
  check_source(*sqlite_database("types_source.db"));
}

TEST_CASE("types of PostgreSQL go everywhere and come back", "[integration][types]") {
  check_source(*postgres_database());
}

TEST_CASE("types of MariaDB go everywhere and come back", "[integration][types]") {
  check_source(*mariadb_database());
}

TEST_CASE("every type that a server's connector lists has values in this test",
          "[integration][types]") {
  for (const tidemark::ConnectorInfo& info : tidemark::connectors()) {
    if (info.types == nullptr || info.type == "sqlite") continue;
    const std::string source = info.type == "mysql" ? "mariadb" : std::string(info.type);
    std::set<std::string> covered;
    for (const TypeCase& one : type_cases(source))
      covered.insert(one.ddl);
    for (const std::string& ddl : types_without_case(source))
      covered.insert(ddl);
    for (const tidemark::TypeSample& sample : info.types()) {
      CAPTURE(source, sample.column.native_type);
      CHECK(covered.contains(sample.column.native_type));
    }
  }
}
