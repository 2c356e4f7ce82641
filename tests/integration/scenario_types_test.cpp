// Types that cross from one vendor to another and come back, each by its name.
#include <algorithm>
#include <catch2/catch.hpp>

#include "integration/trip.h"

using namespace tidemark::test;

namespace {

/// A column, its type as its database writes it and as a configuration names it.
struct Column {
  std::string ddl;
  std::string type;
  std::vector<std::string> literals;
  std::string form = {};  ///< what shows the value; "": its bits
  bool word = false;      ///< the way back needs `lossy: allow`
};

std::string values_of(const Column& column) {
  std::string values;
  for (std::size_t row = 0; row < column.literals.size(); ++row)
    values += (row == 0 ? "(" : ", (") + std::to_string(row) + ", " + column.literals[row] + ")";
  return values;
}

void require_run(const Trip& trip) {
  const Trip::Result result = trip.call({"run"});
  INFO(result.output);
  REQUIRE(result.status == 0);
}

/// Carries a column to another database, in either mode, and back into one of its own type, and
/// compares by the source's own client. What the target shows meanwhile is returned.
std::vector<std::string> there_and_back(Database& source, Database& target, const std::string& name,
                                        const Column& column, const std::string& shown = {}) {
  std::vector<std::string> seen;
  for (const std::string mode : {"full", "incremental"}) {
    CAPTURE(source.name(), target.name(), column.ddl, mode);
    const std::string from = name + "_" + target.name() + "_" + mode;
    const std::string copy = from + "_c";
    const std::string back = from + "_b";
    const std::string made = " (id bigint NOT NULL PRIMARY KEY, v " + column.ddl;
    source.run("CREATE TABLE " + back + made + ");\nCREATE TABLE " + from + made + ", " +
               source.cursor_ddl() + ");\n" + source.after_create(from) + "INSERT INTO " + from +
               " (id, v) VALUES " + values_of(column) + ";\n");
    require_run(Trip(source, target, from, copy,
                     "    mode: " + mode + "\n" +
                         (mode == "incremental" ? "    cursor: {column: updated_at}\n" : "")));
    require_run(Trip(target, source, copy, back,
                     "    mode: full\n    exclude: [updated_at]\n    columns: {v: {type: \"" +
                         column.type + "\"" + (column.word ? ", lossy: allow" : "") + "}}\n"));
    const std::string form = column.form.empty() ? source.bits("v") : column.form;
    CHECK(source.lines(back, {form}) == source.lines(from, {form}));
    if (shown.empty()) continue;
    const std::vector<std::string> lines = target.lines(copy, {shown});
    if (!seen.empty()) CHECK(lines == seen);
    seen = lines;
  }
  return seen;
}

using Lines = std::vector<std::string>;

}  // namespace

TEST_CASE("TYP-02 the year 0000 is a year", "[scenario][types][TYP-02]") {
  const auto mariadb = mariadb_database();
  const Column year{"year(4)", "int16", {"0", "1901", "2155", "NULL"}, "", true};
  const Lines shown{"0\t0", "1\t1901", "2\t2155", "3\tNULL"};
  CHECK(there_and_back(*mariadb, *postgres_database(), "typ02", year, "v::text") == shown);
  CHECK(there_and_back(*mariadb, *sqlite_database("typ02.db"), "typ02", year, "CAST(v AS TEXT)") ==
        shown);
}

TEST_CASE("TYP-05 the largest number of 64 bits keeps its last digit",
          "[scenario][types][TYP-05]") {
  const std::string most = "18446744073709551615";
  const auto mariadb = mariadb_database();
  const Column wide{"bigint unsigned", "uint64", {"0", "9223372036854775808", most}};
  CHECK(there_and_back(*mariadb, *postgres_database(), "typ05", wide, "v::text").back() ==
        "2\t" + most);
  CHECK(there_and_back(*mariadb, *sqlite_database("typ05.db"), "typ05", wide, "CAST(v AS TEXT)")
            .back() == "2\t" + most);
  const Column text{"UNSIGNED64_BLOB", "uint64", {"0", "9223372036854775807", "'" + most + "'"}};
  CHECK(there_and_back(*sqlite_database("typ05s.db"), *mariadb, "typ05s", text, "CAST(v AS CHAR)")
            .back() == "2\t" + most);
  CHECK(
      there_and_back(*sqlite_database("typ05s.db"), *postgres_database(), "typ05s", text, "v::text")
          .back() == "2\t" + most);
}

TEST_CASE("TYP-06 floats keep every bit", "[scenario][types][TYP-06]") {
  const auto postgres = postgres_database();
  const std::string form = "encode(float4send(v),'hex')";
  const std::string wide_form = "encode(float8send(v),'hex')";
  const Column exact{"real", "float32", {"16777216", "'1e-45'", "'0.1'"}, form};
  const Column special{"real", "float32", {"'-0'", "'NaN'", "'Infinity'", "'-Infinity'"}, form};
  const Column wide{"double precision", "float64", {"16777217", "'5e-324'", "0.1"}, wide_form};
  for (const auto& target : {mariadb_database(), sqlite_database("typ06.db")}) {
    there_and_back(*postgres, *target, "typ06", exact);
    there_and_back(*postgres, *target, "typ06d", wide);
  }
  there_and_back(*postgres, *sqlite_database("typ06.db"), "typ06s", special);
}

TEST_CASE("TYP-08 bits, sets of 64 and the enum's error value", "[scenario][types][TYP-08]") {
  const auto mariadb = mariadb_database();
  std::string members;
  for (int member = 0; member < 64; ++member)
    members += (member == 0 ? "'m" : ",'m") + std::to_string(member) + "'";
  std::string all = members;
  all.erase(std::remove(all.begin(), all.end(), '\''), all.end());
  const std::vector<Column> columns{
      {"bit(1)", "mysql:bit(1)", {"b'0'", "b'1'"}, "BIN(v + 0)"},
      {"bit(64)", "mysql:bit(64)", {"b'0'", "x'8000000000000001'"}, "BIN(v + 0)"},
      {"set(" + members + ")", "mysql:set(" + members + ")", {"''", "'m63'", "'" + all + "'"}},
      {"enum('a','')", "mysql:enum('a','')", {"'a'", "''"}, "CONCAT(v + 0, HEX(v))"},
  };
  int number = 0;
  for (const Column& column : columns) {
    const std::string name = "typ08_" + std::to_string(++number);
    there_and_back(*mariadb, *postgres_database(), name, column);
    there_and_back(*mariadb, *sqlite_database("typ08.db"), name, column);
  }
}

TEST_CASE("TYP-11 geometries keep their reference system", "[scenario][types][TYP-11]") {
  const auto mariadb = mariadb_database();
  const Column places{"geometry",
                      "mysql:geometry",
                      {"ST_GeomFromText('POINT(1 2)', 4326)", "ST_GeomFromText('POINT(1 2)')",
                       "ST_GeomFromText('POLYGON((0 0,1 0,1 1,0 0))', 3857)", "NULL"},
                      "CONCAT(ST_SRID(v), ' ', HEX(v))"};
  there_and_back(*mariadb, *postgres_database(), "typ11", places);
  there_and_back(*mariadb, *sqlite_database("typ11.db"), "typ11", places);
}

TEST_CASE("TYP-12 what only PostgreSQL has comes back from anywhere", "[scenario][types][TYP-12]") {
  const auto postgres = postgres_database();
  const std::vector<Column> columns{
      {"uuid", "uuid", {"'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'"}},
      {"inet", "postgres:inet", {"'10.0.0.1/8'", "'10.0.0.1'", "'::1'"}},
      {"integer[]", "postgres:integer[]", {"'{1,NULL,3}'", "'{}'", "'{{1,2},{3,NULL}}'"}},
      {"text[]", "postgres:text[]", {"ARRAY['NULL',NULL,'','a,b']"}},
      {"interval", "interval", {"'1 mon'", "'30 days'", "'720:00:00'", "'-1 mon +1 day'"}},
      {"bytea", "bytes", {"'\\x00ff5c'", "''"}, "encode(v,'hex')"},
      {"character(5)", "char(5)", {"'a'", "'a  '", "''"}},
  };
  int number = 0;
  for (const Column& column : columns) {
    const std::string name = "typ12_" + std::to_string(++number);
    there_and_back(*postgres, *mariadb_database(), name, column);
    there_and_back(*postgres, *sqlite_database("typ12.db"), name, column);
  }
}
