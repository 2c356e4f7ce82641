// Native codes, SQLSTATEs and what an error's text may carry.
#include "connector/mysql/errors.h"

#include <catch2/catch.hpp>

using namespace tidemark;
using namespace tidemark::mysql;

TEST_CASE("native codes decide before SQLSTATE does", "[unit][mysql]") {
  struct Row {
    unsigned code;
    const char* state;
    FailureKind kind;
  };
  const Row rows[] = {
      {1205, "HY000", FailureKind::deadlock},   {1213, "40001", FailureKind::deadlock},
      {2002, "HY000", FailureKind::connect},    {2003, "HY000", FailureKind::connect},
      {2006, "HY000", FailureKind::connect},    {2013, "HY000", FailureKind::connect},
      {1927, "70100", FailureKind::connect},    {1045, "28000", FailureKind::auth},
      {2026, "HY000", FailureKind::tls},        {1044, "42000", FailureKind::permission},
      {1142, "42000", FailureKind::permission}, {1227, "42000", FailureKind::permission},
      {1049, "42000", FailureKind::schema},     {1054, "42S22", FailureKind::schema},
      {1146, "42S02", FailureKind::schema},     {1062, "23000", FailureKind::constraint},
      {1048, "23000", FailureKind::constraint}, {1452, "23000", FailureKind::constraint},
      {3819, "HY000", FailureKind::constraint}, {4025, "23000", FailureKind::constraint},
      {1264, "22003", FailureKind::conversion}, {1265, "01000", FailureKind::conversion},
      {1366, "22007", FailureKind::conversion}, {1292, "22007", FailureKind::conversion},
      {1406, "22001", FailureKind::conversion}, {1021, "HY000", FailureKind::resource},
      {1114, "HY000", FailureKind::resource},   {1040, "08004", FailureKind::resource},
      {1203, "42000", FailureKind::resource},   {1290, "HY000", FailureKind::resource},
      {1836, "HY000", FailureKind::resource},   {1053, "08S01", FailureKind::resource},
      {1969, "70100", FailureKind::timeout},    {6, "HY000", FailureKind::resource},
      {20, "HY000", FailureKind::resource},     {2001, "HY000", FailureKind::resource},
      {2004, "HY000", FailureKind::resource},   {2008, "HY000", FailureKind::resource},
      {2027, "HY000", FailureKind::connect},    {5013, "HY000", FailureKind::connect},
      {5014, "HY000", FailureKind::connect},    {5015, "HY000", FailureKind::connect},
  };
  for (const Row& row : rows) {
    CAPTURE(row.code);
    CHECK(kind_of(row.code, row.state) == row.kind);
  }
}

TEST_CASE("an unknown code falls back on SQLSTATE, then on its class, then on internal",
          "[unit][mysql]") {
  CHECK(kind_of(59'999, "40001") == FailureKind::conflict);
  CHECK(kind_of(59'999, "42S22") == FailureKind::schema);
  CHECK(kind_of(59'999, "08007") == FailureKind::connect);
  CHECK(kind_of(59'999, "22999") == FailureKind::conversion);
  CHECK(kind_of(59'999, "23999") == FailureKind::constraint);
  CHECK(kind_of(59'999, "HY000") == FailureKind::internal);
  CHECK(kind_of(59'999, "") == FailureKind::internal);
  CHECK(class_of(kind_of(59'999, "HY000")) == ErrorClass::permanent);
}

TEST_CASE("the driver's text stays out of the message", "[unit][mysql]") {
  for (const unsigned code : {1062U, 1366U, 1045U, 59'999U}) {
    const Error error =
        make_error({code, "HY000", "Duplicate entry 'geheim' for key 'PRIMARY'"}, "write");
    CHECK(std::string(error.what()).find("geheim") == std::string::npos);
    CHECK(std::string(error.what()).find(std::to_string(code)) != std::string::npos);
    CHECK(error.fields().driver_text.find("geheim") != std::string::npos);
  }
}

TEST_CASE("lost sessions are told from refused statements", "[unit][mysql]") {
  for (const unsigned code : {2006U, 2013U, 2027U, 1927U, 1053U, 1159U, 4031U, 5013U, 5014U, 5015U})
    CHECK(ends_session(code));
  for (const unsigned code : {1062U, 1213U, 1317U, 2014U, 1045U})
    CHECK_FALSE(ends_session(code));
}

TEST_CASE("the column is read from the end of the text, where no value can stand",
          "[unit][mysql]") {
  CHECK(column_in("Data too long for column 'note' at row 3") == "note");
  CHECK(column_in("Column 'id' cannot be null") == "id");
  CHECK(column_in("Incorrect integer value: 'x' for column `test`.`t`.`n` at row 1") == "n");
  CHECK(column_in("Incorrect integer value: 'column `a`' for column `test`.`t`.`n``m` at row 1") ==
        "n`m");
  CHECK(column_in("Deadlock found") == "");
  CHECK(column_in("Data too long for column 'unclosed") == "");
}
