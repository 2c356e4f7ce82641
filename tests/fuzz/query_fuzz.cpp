// Users' SELECTs: what the scanner lets through stands behind FROM as one subquery and cannot get
// out of it. SQLite itself is the judge of its dialect; the other dialects are run for crashes.
#include <sqlite3.h>

#include <array>

#include "connector/mysql/dialect.h"
#include "connector/postgres/dialect.h"
#include "connector/sql/query_scanner.h"
#include "connector/sqlite/dialect.h"
#include "fuzz.h"

using namespace tidemark;
using fuzz::require;

namespace {

/// A database that only prepares: with the table that the seeds speak of.
sqlite3* judge() {
  static sqlite3* database = [] {
    sqlite3* opened = nullptr;
    sqlite3_open(":memory:", &opened);
    sqlite3_exec(opened, "CREATE TABLE t (a, b); CREATE TABLE u (a, c)", nullptr, nullptr, nullptr);
    sqlite3_limit(opened, SQLITE_LIMIT_EXPR_DEPTH, 100);
    return opened;
  }();
  return database;
}

/// Whether it is one statement that SQLite understands.
bool prepares(const std::string& text) {
  sqlite3_stmt* statement = nullptr;
  const char* tail = nullptr;
  const int code = sqlite3_prepare_v2(judge(), text.c_str(), static_cast<int>(text.size() + 1),
                                      &statement, &tail);
  const bool whole = code == SQLITE_OK && statement != nullptr && *tail == '\0';
  sqlite3_finalize(statement);
  return whole;
}

void check(std::string_view query, const sql::Lexis& lexis, bool judged) {
  sql::ScannedQuery scanned;
  try {
    scanned = sql::scan_query(query, lexis);
  } catch (const Error& error) {
    require(error.kind() == FailureKind::schema, "a refused query is a fault of the configuration");
    return;
  }
  for (const std::size_t at : scanned.markers)
    require(scanned.text.substr(at, sql::cursor_marker.size()) == sql::cursor_marker,
            "a marker is where it is said to be");
  const sql::ScannedQuery again = sql::scan_query(scanned.text, lexis);
  require(again.text == scanned.text && again.markers == scanned.markers, "a scan is stable");
  if (!judged || scanned.text.find('\0') != std::string::npos) return;
  const std::string bounded = scanned.with_cursor("1=1");
  if (prepares("SELECT * FROM (" + bounded + "\n) AS tidemark_rows WHERE 1=1"))
    require(prepares(bounded), "what stands as a subquery is a query of its own");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view query(reinterpret_cast<const char*>(data), size);
  check(query, sqlite::SqliteDialect().lexis(), true);
  check(query, postgres::dialect().lexis(), false);
  check(query, mysql::MysqlDialect(mysql::Flavor{.mariadb = true}).lexis(), false);
  return 0;
}
