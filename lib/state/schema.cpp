#include "state/schema.h"

#include <fmt/format.h>

#include <array>

namespace tidemark::state {
namespace {

// Step N brings user_version from N to N + 1. Steps are never edited once released.
constexpr std::array steps{
    R"(
    CREATE TABLE meta (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID;

    -- AUTOINCREMENT: ids of pruned runs never come back, so pages of history stay stable.
    CREATE TABLE run (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      run_id TEXT NOT NULL,
      job TEXT NOT NULL,
      trigger TEXT NOT NULL,
      started INTEGER NOT NULL,  -- microseconds since 1970, UTC, as all times here
      ended INTEGER NOT NULL,
      result TEXT NOT NULL,
      details TEXT NOT NULL      -- JSON: failure, counts, phases, freshness
    ) STRICT;
    -- Holds all that looking over every job needs, so that a start does not read the whole table.
    CREATE INDEX run_by_job ON run (job, id, result);
    CREATE INDEX run_succeeded ON run (job, id) WHERE result IN ('success', 'partial');

    CREATE TABLE pause (
      job TEXT PRIMARY KEY,
      since INTEGER NOT NULL,
      until INTEGER,
      reason TEXT NOT NULL,
      paused_by TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE audit (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      at INTEGER NOT NULL,
      actor TEXT NOT NULL,
      action TEXT NOT NULL,
      object TEXT NOT NULL,
      result TEXT NOT NULL
    ) STRICT;
    )",
};

std::int64_t user_version(Database& database) {
  Statement asked = database.prepare("PRAGMA user_version");
  asked.step();
  return asked.integer(0);
}

}  // namespace

std::int64_t schema_version() noexcept {
  return static_cast<std::int64_t>(steps.size());
}

void configure_writer(Database& database) {
  database.execute(
      "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;"
      "PRAGMA journal_size_limit = 4194304; PRAGMA secure_delete = OFF;");
}

void migrate(Database& database) {
  const std::int64_t found = user_version(database);
  if (found > schema_version()) {
    Error::Fields fields{.kind = FailureKind::schema,
                         .message = fmt::format(
                             "state.db was written by a newer tidemark: its schema version is {}, "
                             "this program knows {}",
                             found, schema_version())};
    fields.operation = "open state store";
    fields.hint =
        "Install the newer version again, or move state.db away: history and pauses start "
        "anew, tables stay in step.";
    throw Error(std::move(fields));
  }
  for (std::int64_t step = found; step < schema_version(); ++step) {
    Transaction transaction(database);
    database.execute(steps[static_cast<std::size_t>(step)]);
    database.execute(fmt::format("PRAGMA user_version = {}", step + 1).c_str());
    transaction.commit();
  }
}

void check_sound(Database& database) {
  Statement check = database.prepare("PRAGMA quick_check(1)");
  if (check.step() && check.text(0) == "ok") return;
  Error::Fields fields{.message = "the file is damaged", .code = "corrupt"};
  fields.operation = "state store";
  throw Error(std::move(fields));
}

}  // namespace tidemark::state
