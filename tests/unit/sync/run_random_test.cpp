// Writers, late commits, crashes and doubtful commits in random order: at rest the target holds
// every source row, equal, and of extra rows only those that were deleted (I2).
#include <catch2/catch.hpp>
#include <set>

#include "bench.h"

using namespace tidemark;
using namespace tidemark::test;
using std::chrono::milliseconds;

namespace {

/// One seed's world.
class World {
 public:
  World(std::uint64_t seed, WriteMode write) : random_(seed), write_(write) {
    bench_.job.write = write;
    // A sanitizer keeps a record of each thread that ever was; some worlds show what there is to
    // see.
    bench_.limits.threads = seed % 8 == 0;
    bench_.restart();
    bench_.job.batch_rows = 1 + random_.below(4);
    if (write == WriteMode::append)
      bench_.job.cursor = CursorSettings{.column = "id", .source = "id"};
  }

  void play() {
    const std::uint64_t steps = 15 + random_.below(25);
    for (std::uint64_t step = 0; step < steps; ++step)
      turn();
    bench_.source->clear_faults();
    bench_.target->clear_faults();
    for (memory::Writer& writer : open_)
      writer.commit();
    open_.clear();
    bench_.tick(std::chrono::minutes(2));  // a lease of the process before may still stand
    bench_.run_until_quiet();
    bench_.tick();
    bench_.run_until_quiet();
  }

  /// Target rows that the source does not have, and whether all the source's are there.
  std::set<std::string> extra() const {
    std::set<std::string> rows;
    for (const std::string& row : bench_.target_rows())
      rows.insert(row);
    return rows;
  }
  Bench& bench() { return bench_; }
  const std::set<std::string>& deleted_ids() const { return deleted_; }

 private:
  void turn() {
    switch (random_.below(12)) {
      case 0:
      case 1:
        bench_.tick(milliseconds(random_.below(3) * 500));
        break;
      case 2:
      case 3:
        change([&](memory::Row row) { bench_.source->put(Bench::source_table, std::move(row)); });
        break;
      case 4:
        if (open_.size() < 3) open_.push_back(bench_.source->begin());
        break;
      case 5:
      case 6:
        if (open_.empty()) break;
        change([&](memory::Row row) { pick_open().put(Bench::source_table, std::move(row)); });
        break;
      case 7:
        end_one();
        break;
      case 8:
        if (write_ == WriteMode::append) break;
        erase();
        break;
      case 9:
        trouble();
        break;
      default:
        bench_.run();
        break;
    }
  }

  /// A row of a transaction must not be overtaken by another one's: what the row lock of a real
  /// database does.
  template <class Put>
  void change(Put&& put) {
    int id = 0;
    if (write_ == WriteMode::append) {
      id = next_id_++;
    } else {
      id = static_cast<int>(random_.below(12));
      if (locked_.contains(id)) return;
      if (!open_.empty()) locked_.insert(id);
    }
    put(bench_.row(id, "v" + std::to_string(random_.below(1000))));
  }

  memory::Writer& pick_open() { return open_[random_.below(open_.size())]; }

  void end_one() {
    if (open_.empty()) return;
    const std::size_t at = random_.below(open_.size());
    if (random_.below(4) == 0)
      open_[at].roll_back();
    else
      open_[at].commit();
    std::vector<memory::Writer> kept;
    for (std::size_t index = 0; index < open_.size(); ++index)
      if (index != at) kept.push_back(std::move(open_[index]));
    open_.swap(kept);
    if (open_.empty()) locked_.clear();
  }

  void erase() {
    const int id = static_cast<int>(random_.below(12));
    if (locked_.contains(id)) return;
    bench_.source->erase(Bench::source_table, {std::to_string(id)});
    deleted_.insert(std::to_string(id));
  }

  void trouble() {
    memory::Database& side = random_.below(2) == 0 ? *bench_.source : *bench_.target;
    switch (random_.below(5)) {
      case 0:
        bench_.restart();  // the process's memory is gone
        break;
      case 1:
        bench_.target->inject(commit_in_doubt(true, 1 + random_.below(3)));
        break;
      case 2:
        bench_.target->inject(commit_in_doubt(false, 1 + random_.below(3)));
        break;
      case 3:
        side.inject({.operation = std::nullopt, .after = 1 + random_.below(25)});
        break;
      default:
        side.kill_sessions();
        break;
    }
  }

  SeededRandom random_;
  WriteMode write_;
  Bench bench_;
  std::vector<memory::Writer> open_;
  std::set<int> locked_;
  std::set<std::string> deleted_;
  int next_id_ = 1;
};

}  // namespace

TEST_CASE("any order of writes, late commits and crashes ends with both sides equal",
          "[sync][random]") {
  for (std::uint64_t seed = 1; seed <= 700; ++seed) {
    CAPTURE(seed);
    World world(seed, WriteMode::upsert);
    world.play();
    std::set<std::string> target = world.extra();
    for (const std::string& row : world.bench().source_rows())
      REQUIRE(target.erase(row) == 1);
    for (const std::string& row : target)
      REQUIRE(world.deleted_ids().contains(row.substr(0, row.find('|'))));
  }
}

TEST_CASE("an append has each row exactly once, whatever happens on the way", "[sync][random]") {
  for (std::uint64_t seed = 1; seed <= 500; ++seed) {
    CAPTURE(seed);
    World world(seed, WriteMode::append);
    world.play();
    std::vector<std::string> source = world.bench().source_rows();
    std::vector<std::string> target = world.bench().target_rows();
    std::sort(source.begin(), source.end());
    std::sort(target.begin(), target.end());
    REQUIRE(target == source);
  }
}
