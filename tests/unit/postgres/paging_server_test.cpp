// Where a read goes on behind a position: in the order in which the server gave the rows.
#include <catch2/catch.hpp>

#include "support.h"

using namespace tidemark;
using namespace tidemark::test;

namespace {

/// A database that sorts as a dictionary does, as most of those in use do.
ConnectionSettings linguistic_database() {
  static const bool made = [] {
    Application person(shared_postgres());
    person.run(
        "CREATE DATABASE dictionary TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C.UTF-8' "
        "LOCALE_PROVIDER icu ICU_LOCALE 'en-US'");
    person.run("\\connect dictionary\nCREATE TABLE plain (word text PRIMARY KEY)");
    person.run("CREATE TABLE blanks (word char(3) PRIMARY KEY)");
    person.run("CREATE TABLE own (word text COLLATE \"de-x-icu\" PRIMARY KEY)");
    person.run("INSERT INTO plain VALUES ('a'), ('B'), ('c'), ('D')");
    person.run("INSERT INTO blanks TABLE plain");
    person.run("INSERT INTO own TABLE plain");
    return true;
  }();
  static_cast<void>(made);
  ConnectionSettings settings = shared_postgres().settings();
  settings.database = "dictionary";
  return settings;
}

}  // namespace

TEST_CASE("a page of a text key goes on in the order of its collation", "[postgres]") {
  const auto connector = connect(linguistic_database());
  const auto source = connector->open_source();
  const std::string table = GENERATE("plain", "blanks", "own");
  CAPTURE(table);
  ReadPlan plan = table_plan(*source, {"public", table});
  const std::vector<std::string> all = read_rows(*source, plan);
  REQUIRE(all.size() == 4);
  for (std::size_t row = 0; row < all.size(); ++row) {
    plan.after =
        Position{Value::null_of(plan.columns[0].type), {Value::of(plan.columns[0].type, all[row])}};
    CHECK(read_rows(*source, plan) ==
          std::vector<std::string>(all.begin() + static_cast<std::ptrdiff_t>(row) + 1, all.end()));
  }
}
