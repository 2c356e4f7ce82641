#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>

#include "simulation/application.h"
#include "simulation/process.h"
#include "simulation/scenario.h"
#include "simulation/trace.h"
#include "sync/checkpoint.h"

namespace tidemark::sim {

/// One seed's world: an application on a source, one or two daemons with the same job, a target,
/// and whatever may go wrong. Moves come between runs and, by the databases' listeners, between any
/// two operations of a run; one daemon may run in the middle of the other's run. One thread.
///
/// A new kind of trouble is one more function here and one more line in the table of moves.
class World {
 public:
  World(std::uint64_t seed, Trace& trace);
  ~World();

  /// Plays the seed to its end. What promise was broken; nullopt: none.
  std::optional<std::string> play();
  const Tally& tally() const noexcept { return tally_; }

 private:
  struct Move {
    unsigned weight;
    void (World::*act)();
  };
  static const std::vector<Move>& moves();

  void between_operations();
  void move();
  void come_to_rest();
  void check_outcome(const Outcome& outcome);
  void check_marks();
  /// After a run; `past_stood`: the source's past was not changed since it began.
  void notice_answer(bool past_stood, bool came_to_an_end);
  void disturb();
  std::int64_t stored_epoch() const;
  void check_settled_rows(const Value& settled);
  void check_end();
  void broken(std::string what);

  // the application
  void app_write() { app_.write(); }
  void app_begin() { app_.begin(); }
  void app_write_in_transaction() { app_.write_in_transaction(); }
  void app_savepoint() { app_.set_savepoint(); }
  void app_roll_back_to_savepoint() { app_.roll_back_to_savepoint(); }
  void app_prepare() { app_.prepare(); }
  void app_end_transaction() { app_.end_transaction(); }
  void app_erase() { app_.erase(); }
  void app_rename() { app_.rename(); }
  void app_write_ahead() { app_.write_ahead(); }

  // time, daemons, databases
  void tick();
  void wait_long();
  void run_first() { run(0); }
  void run_second();
  void run(std::size_t at);
  void kill_daemon();
  void stop_daemon();
  void lose_connection();
  void lose_commit_answer();
  void land_commits();
  void end_sessions();
  void restart_source();
  void restart_target();
  void freeze_view();
  void back_up_target();
  void restore_target();
  void set_source_clock_back();
  void set_own_clock();
  void back_up_source();
  void restore_source();

  void advance(Duration by);
  void start(std::size_t at, bool same_holder);
  JobSettings job() const;
  JobKey key() const { return {"sim", JobName("job")}; }

  std::string name_;
  Trace& trace_;
  Chance chance_;
  Scenario scenario_;
  std::shared_ptr<memory::Database> source_;
  std::shared_ptr<memory::Database> target_;
  MachineClock clock_;
  Application app_;
  std::array<std::unique_ptr<Process>, 2> processes_;
  std::array<std::string, 2> holders_;
  unsigned started_ = 0;
  bool quiet_ = false;
  bool moving_ = false;
  std::shared_ptr<const memory::Database::Backup> target_backup_;
  std::shared_ptr<const memory::Database::Backup> source_backup_;
  /// The source's past was changed, and no mark epoch has been opened since.
  bool disturbed_ = false;
  std::uint64_t past_changes_ = 0;
  std::int64_t unanswered_epoch_ = 0;
  std::optional<Checkpoint> seen_;  ///< as stored after the run before
  std::optional<std::string> broken_;
  Tally tally_;
};

}  // namespace tidemark::sim
