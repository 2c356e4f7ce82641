// The daemon is killed at every stage of its work, for every source and every target, and started
// again: then both sides are equal, row by row.
#include <fmt/format.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <csignal>
#include <map>
#include <mutex>
#include <thread>

#include "arrival.h"
#include "place.h"
#include "report.h"
#include "stages.h"
#include "support/daemon.h"

using namespace tidemark::test;

namespace {

constexpr int batch_rows = 100;
constexpr int few_rows = 300;
/// Enough for key ranges, each of several batches.
constexpr int many_rows = 24'000;

struct Pair {
  const Place& source;
  const Place& target;
};

class Life {
 public:
  Life(const Pair& pair, const Stage& stage, Work work, int number)
      : pair_(pair),
        stage_(stage),
        work_(work),
        // One database is a source here and a target there.
        table_(fmt::format("crash_to_{}_{}", pair.target.type(), number)),
        daemon_(sections(), {password_in_environment}) {}

  void play() {
    pair_.source.make(table_, work_ == Work::ranges ? many_rows : few_rows);
    const bool replaces = work_ == Work::full || work_ == Work::swap;
    if (work_ == Work::swap) {
      // Only a table that we made is swapped.
      daemon_.start();
      arrive();
      daemon_.stop();
      pair_.source.change(table_, true);
    }
    if (work_ == Work::full) {
      pair_.target.make_bare(table_);
      pair_.target.fill_bare(table_, few_rows + 50, "old");
    }
    const auto before = pair_.target.rows(table_);
    be_killed();
    look_between(before, replaces);
    // A row that changes is no new one to an append.
    if (work_ == Work::append)
      pair_.source.add(table_, 30, "later");
    else
      pair_.source.change(table_, replaces);
    daemon_.start();
    arrive();
    if (const int status = daemon_.stop(); status != 0)
      throw std::runtime_error(fmt::format("the next daemon ended with {}", status));
    // Nothing came twice behind our back.
    if (!equal()) throw std::runtime_error("both sides differ after the daemon has stopped");
    pair_.source.drop(table_);
    pair_.target.drop(table_);
  }
  std::string log() const { return daemon_.log(); }

 private:
  std::string sections() const {
    const bool full = work_ == Work::full || work_ == Work::swap;
    const bool append = work_ == Work::append;
    std::string target =
        fmt::format("{{connection: target, table: {}{}{}}}", pair_.target.table(table_),
                    append ? ", write: append" : "", work_ == Work::swap ? ", replace: swap" : "");
    std::string job =
        fmt::format("    source: {{connection: source, table: {}}}\n    target: {}\n    mode: {}\n",
                    pair_.source.table(table_), target, full ? "full" : "incremental");
    if (!full)
      job += append ? "    cursor: {column: id}\n"
                    : "    cursor: {column: changed, assume: [server_assigned, "
                      "every_write_moves_it, single_timezone]}\n";
    const int rows = work_ == Work::ranges ? many_rows / 48 : batch_rows;
    return fmt::format(
        "connections:\n  source: {}\n  target: {}\n"
        "defaults:\n  schedule: {{every: 100ms}}\n  retry: {{initial: 100ms, max: 1s}}\n"
        "  batch: {{rows: {}}}\n"
        "jobs:\n  {}:\n{}    columns: {{word: {{trim: both}}}}\n{}",
        pair_.source.connection(), pair_.target.connection(), rows, table_, job,
        full ? "    exclude: [changed]\n" : "");
  }

  bool equal() const { return pair_.source.rows(table_) == pair_.target.rows(table_); }

  void arrive() {
    tidemark::test::arrive(
        daemon_, [this] { return equal(); }, std::chrono::seconds(60));
  }

  void be_killed() {
    daemon_.start(
        {.program = crash_program(), .environment = {"TIDEMARK_CRASH_AT=" + stage_.moment}});
    if (work_ == Work::stop) {
      arrive();
      daemon_.signal(SIGTERM);
    }
    const int status = daemon_.wait(std::chrono::seconds(60));
    if (status != 128 + SIGKILL)
      throw std::runtime_error(fmt::format("the daemon was not killed: status {}", status));
    if (log().find("crash point reached: ") == std::string::npos)
      throw std::runtime_error("somebody else has killed the daemon");
  }

  /// What a reader sees before the next daemon has begun.
  void look_between(const std::vector<std::string>& before, bool replaces) const {
    const auto source = pair_.source.rows(table_);
    const auto target = pair_.target.rows(table_);
    if (replaces) {
      if (target == before || target == source) return;
      throw std::runtime_error("the table is neither the old one nor the new one");
    }
    // Sorted by the same columns: each row at most as often as the source has it.
    if (!std::includes(source.begin(), source.end(), target.begin(), target.end(), by_id))
      throw std::runtime_error("the target has rows that the source has not, or one twice");
  }
  static bool by_id(const std::string& left, const std::string& right) {
    const auto number = [](const std::string& row) { return std::stoll(row); };
    return std::pair(number(left), left) < std::pair(number(right), right);
  }

  Pair pair_;
  const Stage& stage_;
  Work work_;
  std::string table_;
  Daemon daemon_;
};

bool possible(const Pair& pair, const Stage& stage, Work work) {
  // A horizon of SQLite has settled as soon as it is sampled.
  if (stage.moment.starts_with("source.settled")) return pair.source.type() != "sqlite";
  if (work == Work::ranges) return pair.target.type() != "sqlite";  // it has one writer
  if (work == Work::swap) return pair.target.type() == "postgres";
  return true;
}

/// All stages between two databases, one after the other; what failed, with its log.
class Column {
 public:
  explicit Column(const Pair& pair) : pair_(pair) {}
  void play() {
    int number = 0;
    for (const Stage& stage : stages())
      for (const Work work : stage.works)
        if (possible(pair_, stage, work)) play(stage, work, ++number);
  }
  const std::string& failures() const { return failures_; }
  int survived() const { return survived_; }
  std::string cell(const Stage& stage) const {
    const auto found = cells_.find(stage.name);
    return found == cells_.end() ? "-" : found->second;
  }

 private:
  void play(const Stage& stage, Work work, int number) {
    const std::string what = to_string(work);
    Life life(pair_, stage, work, number);
    try {
      life.play();
      ++survived_;
      std::string& cell = cells_[stage.name];
      cell += (cell.empty() ? "" : ", ") + what;
    } catch (const std::exception& error) {
      failures_ += fmt::format("{} -> {}, {}, killed at \"{}\" ({}): {}\n{}\n", pair_.source.type(),
                               pair_.target.type(), what, stage.name, stage.moment, error.what(),
                               life.log());
      cells_[stage.name] = "LOST";
    }
  }

  Pair pair_;
  std::map<std::string, std::string> cells_;
  std::string failures_;
  int survived_ = 0;
};

}  // namespace

TEST_CASE("killed at any stage, the daemon goes on and both sides are equal", "[fault][matrix]") {
  TempDir folder;
  const auto sqlite_from = sqlite_place(folder / "source.db");
  const auto sqlite_to = sqlite_place(folder / "target.db");
  const auto postgres = postgres_place(shared_postgres());
  const auto mariadb = mariadb_place(shared_mariadb());
  // Each database once as a source and once as a target.
  std::vector<Column> columns{Column({.source = *mariadb, .target = *sqlite_to}),
                              Column({.source = *sqlite_from, .target = *postgres}),
                              Column({.source = *postgres, .target = *mariadb})};
  {
    std::vector<std::jthread> threads;
    for (Column& column : columns)
      threads.emplace_back([&column] { column.play(); });
  }
  int survived = 0;
  for (const Column& column : columns) {
    survived += column.survived();
    INFO(column.failures());
    CHECK(column.failures().empty());
  }
  CHECK(survived > 150);
  for (const Stage& stage : stages()) {
    std::vector<std::string> cells{stage.name};
    for (const Column& column : columns)
      cells.push_back(column.cell(stage));
    report("crashes", cells);
  }
  report("crashes-total", {std::to_string(survived)});
}

TEST_CASE("docs/reliability.md shows every stage, and no other", "[fault][docs]") {
  const std::string page = read_file(TIDEMARK_SOURCE_DIR "/docs/reliability.md");
  const std::size_t begin = page.find("<!-- crashes -->");
  REQUIRE(begin != std::string::npos);
  const std::string part = page.substr(begin, page.find("<!-- end -->", begin) - begin);
  INFO("scripts/test --matrix writes it anew");
  for (const Stage& stage : stages())
    CHECK(part.find("\n| " + stage.name + " |") != std::string::npos);
  // Beside the rows: the marker, the head and the line below it.
  CHECK(std::count(part.begin(), part.end(), '\n') == static_cast<long>(stages().size()) + 3);
  CHECK(part.find("LOST") == std::string::npos);
}

TEST_CASE("the program that ships has no crash points", "[fault][docs]") {
  const std::string switch_name = "TIDEMARK_CRASH_AT";
  CHECK(read_file(crash_program()).find(switch_name) != std::string::npos);
  CHECK(read_file(TIDEMARK_BINARY).find(switch_name) == std::string::npos);
}
