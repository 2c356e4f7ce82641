// Rows that pass values of a secondary unique index among themselves.
#include <catch2/catch.hpp>

#include "database.h"

using namespace tidemark;
using namespace tidemark::test;

namespace {

const Schema schema{{"id", make_type(TypeKind::int64), false},
                    {"code", text_type(20)},
                    {"v", make_type(TypeKind::int64)}};
const TableName table{"", "t"};
const JobKey job{"test", JobName("t")};

using Rows = std::vector<std::vector<const char*>>;

/// A target file whose table t has four rows, and one connection's target on it.
struct Codes {
  explicit Codes(const std::string& create)
      : database(create +
                 ";\nINSERT INTO t (id, code, v, kept) VALUES (1, 'a', 1, 'x1'), "
                 "(2, 'b', 2, 'x2'), (3, 'c', 3, 'x3'), (9, 'z', 9, 'x9')"),
        target(database.connector()->open_target()) {}

  WriteCounts write(const Rows& rows, WriteMode mode = WriteMode::upsert) {
    WriteSpec spec{.table = table, .columns = {}, .key = {"id"}, .write = mode};
    for (const Column& column : schema)
      spec.columns.push_back({.column = column});
    target->prepare(spec);
    const Acquired acquired =
        target->acquire(job, {"host", 1, "p"}, table, std::chrono::seconds(60));
    Batch batch(std::make_shared<const Schema>(schema));
    for (const auto& row : rows)
      for (std::size_t at = 0; at < row.size(); ++at)
        push_text(batch.column(at), row[at]);
    const auto load = target->begin({.job = job, .fence = acquired.fence, .write = spec});
    if (mode == WriteMode::upsert)
      load->upsert(batch);
    else
      load->append(batch);
    return load->commit();
  }
  std::string rows(const std::string& columns = "id || code || v") {
    return database
        .sql("SELECT group_concat(r, ' ') FROM (SELECT " + columns + " AS r FROM t ORDER BY id)")
        .front();
  }

  Database database;
  std::unique_ptr<Target> target;
};

const std::string plain =
    "CREATE TABLE t (id INTEGER PRIMARY KEY, code TEXT UNIQUE, v INTEGER, kept TEXT)";

}  // namespace

TEST_CASE("TGT-02 SQLite: unique values are swapped and passed round within one batch",
          "[sqlite][target][TGT-02]") {
  for (const std::string& create : std::vector<std::string>{
           plain,
           "CREATE TABLE t (id INTEGER PRIMARY KEY, code TEXT NOT NULL UNIQUE CHECK (length(code) "
           "= 1), v INTEGER, kept TEXT)",
           "CREATE TABLE t (id INTEGER PRIMARY KEY, code TEXT NOT NULL COLLATE NOCASE, v INTEGER, "
           "kept TEXT, UNIQUE (code, kept), UNIQUE (code)) STRICT",
           "CREATE TABLE t (id INT NOT NULL UNIQUE, code TEXT PRIMARY KEY, v INTEGER, kept TEXT) "
           "WITHOUT ROWID"}) {
    CAPTURE(create);
    Codes codes(create);
    CHECK(codes.write({{"1", "b", "1"}, {"2", "a", "2"}}) == WriteCounts{.updated = 2});
    CHECK(codes.rows() == "1b1 2a2 3c3 9z9");
    CHECK(codes.write({{"1", "a", "1"},
                       {"2", "c", "2"},
                       {"3", "b", "30"},
                       {"4", "d", "4"},
                       {"9", "z", "9"}}) ==
          WriteCounts{.inserted = 1, .updated = 3, .unchanged = 1});
    CHECK(codes.rows() == "1a1 2c2 3b30 4d4 9z9");
    // A value that a new row takes over from one that moves on.
    CHECK(codes.write({{"5", "a", "5"}, {"1", "e", "1"}}) ==
          WriteCounts{.inserted = 1, .updated = 1});
    CHECK(codes.rows("ifnull(kept, 'new')") == "x1 x2 x3 new new x9");
    // CHECK constraints count again.
    CHECK(codes.database.sql("PRAGMA integrity_check") == std::vector<std::string>{"ok"});
  }
}

TEST_CASE("TGT-02 SQLite: a replacement passes unique values round", "[sqlite][target][TGT-02]") {
  Codes codes(plain);
  CHECK(codes.write({{"1", "b", "1"}, {"2", "a", "2"}, {"3", "z", "3"}}, WriteMode::replace) ==
        WriteCounts{.updated = 3, .deleted = 1});
  CHECK(codes.rows() == "1b1 2a2 3z3");
  CHECK(codes.rows("kept") == "x1 x2 x3");
}

TEST_CASE("TGT-02 SQLite: numbers and the row's own number move as well",
          "[sqlite][target][TGT-02]") {
  // The job's key is not the table's: `v` is the row's number, and unique.
  Codes codes("CREATE TABLE t (id INTEGER UNIQUE, code TEXT, v INTEGER PRIMARY KEY, kept TEXT)");
  CHECK(codes.write({{"1", "a", "2"}, {"2", "b", "3"}, {"3", "c", "1"}}) ==
        WriteCounts{.updated = 3});
  CHECK(codes.rows() == "1a2 2b3 3c1 9z9");
}

TEST_CASE("TGT-01 SQLite: a row outside the batch is met and not changed, and the row is named",
          "[sqlite][target][TGT-01]") {
  Codes codes(plain);
  const auto fails_at = [&](const Rows& rows) {
    const Error error = error_of([&] { codes.write(rows); });
    CHECK(error.kind() == FailureKind::constraint);
    CHECK(codes.rows() == "1a1 2b2 3c3 9z9");
    return error.fields().row;
  };
  // Two rows that swap, which is right, and one that meets row 9, which is not.
  CHECK(fails_at({{"1", "b", "1"}, {"7", "y", "7"}, {"2", "a", "2"}, {"3", "z", "3"}}) == 3U);
  // A new row that meets one, and two rows of the batch that meet each other.
  CHECK(fails_at({{"5", "y", "5"}, {"6", "a", "6"}}) == 1U);
  CHECK(fails_at({{"5", "y", "5"}, {"6", "y", "6"}}) == 1U);
}

TEST_CASE("TGT-02 SQLite: rows that refer to a unique value keep their rows",
          "[sqlite][target][TGT-02]") {
  SECTION("where they wait for the end of the transaction") {
    Codes codes(plain);
    codes.database.sql(
        "CREATE TABLE child (id INTEGER PRIMARY KEY, code TEXT REFERENCES t (code));\n"
        "INSERT INTO child VALUES (1, 'a'), (2, 'b')");
    CHECK(codes.write({{"1", "b", "1"}, {"2", "a", "2"}}) == WriteCounts{.updated = 2});
    CHECK(codes.rows() == "1b1 2a2 3c3 9z9");
    CHECK(codes.database.sql("SELECT group_concat(code, ' ') FROM child").front() == "a b");
  }
  SECTION("where they follow each change, nothing is moved") {
    Codes codes(plain);
    codes.database.sql(
        "CREATE TABLE child (id INTEGER PRIMARY KEY, code TEXT REFERENCES t (code) ON UPDATE "
        "CASCADE);\nINSERT INTO child VALUES (1, 'a'), (2, 'b')");
    const Error error = error_of([&] { codes.write({{"1", "b", "1"}, {"2", "a", "2"}}); });
    CHECK(error.fields().code == "SQLITE_CONSTRAINT_UNIQUE");
    CHECK(codes.rows() == "1a1 2b2 3c3 9z9");
    CHECK(codes.database.sql("SELECT group_concat(code, ' ') FROM child").front() == "a b");
  }
}
