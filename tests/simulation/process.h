#pragma once

#include <memory>
#include <string>

#include "connector/memory/database.h"
#include "simulation/chance.h"
#include "sync/run.h"

namespace tidemark::sim {

/// The machine's clocks, moved by the world.
class MachineClock final : public Clock {
 public:
  WallTime now() const override { return wall_; }
  SteadyTime steady() const override { return steady_; }
  void advance(Duration by) {
    wall_ += by;
    steady_ += by;
  }
  void step(Duration by) { wall_ += by; }

 private:
  WallTime wall_{std::chrono::seconds(1'760'000'000)};
  SteadyTime steady_{std::chrono::seconds(1'000)};
};

/// One daemon process: the real engine, with sessions that end when it is killed. One thread.
class Process {
 public:
  struct Setting {
    const Clock& clock;
    std::string world;  ///< its databases are named after it
    memory::Database& source;
    memory::Database& target;
    JobSettings job;
    bool audits_each_run = false;
    std::uint64_t seed = 0;
    std::string holder;  ///< its line: a daemon restarted in its place has the same
    std::string user;    ///< of sessions: this process's alone
  };
  explicit Process(const Setting& setting);
  ~Process();

  Outcome run(RunOptions options = {});
  /// What SIGKILL does: from now on no session of it does anything. A run under way fails; nothing
  /// is given back.
  void kill();
  /// What SIGTERM does, between runs.
  void stop();
  bool killed() const noexcept { return killed_; }
  bool running() const noexcept { return running_; }

 private:
  class Quiet final : public Observer {};
  class NoZones;

  Setting setting_;
  test::SeededRandom random_;
  Quiet observer_;
  std::unique_ptr<Zones> zones_;
  MemoryBudget memory_{1 << 20};
  std::unique_ptr<Connections> connections_;
  std::unique_ptr<SyncRunner> runner_;
  bool killed_ = false;
  bool running_ = false;
};

}  // namespace tidemark::sim
