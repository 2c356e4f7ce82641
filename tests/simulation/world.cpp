#include "simulation/world.h"

#include <algorithm>
#include <map>

#include "sync/cursor_value.h"

namespace tidemark::sim {
namespace {

using memory::Database;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

std::string text_of(const memory::Row& row) {
  std::string line;
  for (const memory::Cell& cell : row)
    line += (line.empty() ? "" : "|") + cell.value_or("NULL");
  return line;
}

std::map<std::string, std::string> by_key(const std::vector<memory::Row>& rows) {
  std::map<std::string, std::string> all;
  for (const memory::Row& row : rows)
    all.emplace(*row[0], text_of(row));
  return all;
}

std::string told(const Outcome& outcome) {
  std::string text(to_string(outcome.result));
  if (outcome.failure) text += ": " + outcome.failure->message;
  if (!outcome.held_by.empty()) text += " by " + outcome.held_by;
  text += ", settled " + outcome.progress.settled + ", reached " + outcome.progress.reached;
  return text;
}

}  // namespace

World::World(std::uint64_t seed, Trace& trace)
    : name_("sim" + std::to_string(seed)),
      trace_(trace),
      chance_(seed),
      scenario_(Scenario::drawn(chance_)),
      source_(Database::named(name_ + "/source")),
      target_(Database::named(name_ + "/target")),
      app_(*source_, scenario_, chance_, trace) {
  source_->set_now(clock_.now());
  target_->set_now(clock_.now());
  if (scenario_.job == Scenario::Job::lookback)
    source_->set_evidence(Application::table, {.proof = ProofKind::lookback,
                                               .method = "none",
                                               .server_assigned = true,
                                               .moves_on_write = true,
                                               .not_null = true});
  source_->on_operation([this](memory::Operation) { between_operations(); });
  target_->on_operation([this](memory::Operation) { between_operations(); });
  start(0, false);
  if (scenario_.two_daemons) start(1, false);
}

World::~World() {
  source_->on_operation({});
  target_->on_operation({});
  app_.forget_all();
  for (auto& process : processes_)
    process.reset();
  Database::forget(name_ + "/source");
  Database::forget(name_ + "/target");
}

JobSettings World::job() const {
  JobSettings job;
  job.name = JobName("job");
  job.source_connection = ConnectionName("from");
  job.source_table = Application::table;
  job.target_connection = ConnectionName("to");
  job.target_table = Application::table;
  job.batch_rows = scenario_.batch_rows;
  job.parallel = scenario_.parallel;
  switch (scenario_.job) {
    case Scenario::Job::upsert:
      job.cursor = CursorSettings{.column = "c", .source = "c"};
      break;
    case Scenario::Job::lookback:
      job.cursor = CursorSettings{.column = "c",
                                  .source = "c",
                                  .safety = Safety::lookback,
                                  .lookback = std::chrono::hours(12)};
      break;
    case Scenario::Job::append:
      job.write = WriteMode::append;
      job.cursor = CursorSettings{.column = "c", .source = "c"};
      break;
    case Scenario::Job::serial:
      job.write = WriteMode::append;
      job.cursor = CursorSettings{.column = "id", .source = "id"};
      break;
    case Scenario::Job::full:
      job.mode = Mode::full;
      job.write = WriteMode::replace;
      break;
  }
  return job;
}

void World::start(std::size_t at, bool same_holder) {
  ++started_;
  if (!same_holder) holders_[at] = "holder " + std::to_string(started_);
  processes_[at] =
      std::make_unique<Process>(Process::Setting{.clock = clock_,
                                                 .world = name_,
                                                 .source = *source_,
                                                 .target = *target_,
                                                 .job = job(),
                                                 .audits_each_run = scenario_.audits_each_run,
                                                 .seed = started_,
                                                 .holder = holders_[at],
                                                 .user = "process " + std::to_string(started_)});
}

const std::vector<World::Move>& World::moves() {
  static const std::vector<Move> all{
      {20, &World::tick},
      {2, &World::wait_long},
      {20, &World::app_write},
      {6, &World::app_begin},
      {16, &World::app_write_in_transaction},
      {2, &World::app_savepoint},
      {2, &World::app_roll_back_to_savepoint},
      {4, &World::app_prepare},
      {12, &World::app_end_transaction},
      {4, &World::app_erase},
      {4, &World::app_rename},
      {1, &World::app_write_ahead},
      {30, &World::run_first},
      {10, &World::run_second},
      {4, &World::kill_daemon},
      {4, &World::stop_daemon},
      {6, &World::lose_connection},
      {6, &World::lose_commit_answer},
      {3, &World::land_commits},
      {2, &World::end_sessions},
      {8, &World::restart_source},
      {2, &World::restart_target},
      {2, &World::freeze_view},
      {4, &World::back_up_target},
      {4, &World::restore_target},
      {2, &World::set_source_clock_back},
      {1, &World::set_own_clock},
      {6, &World::back_up_source},
      {6, &World::restore_source},
  };
  return all;
}

void World::move() {
  static const std::uint64_t total = [] {
    std::uint64_t sum = 0;
    for (const Move& one : moves())
      sum += one.weight;
    return sum;
  }();
  std::uint64_t at = chance_.below(total);
  for (const Move& one : moves()) {
    if (at < one.weight) {
      ++tally_.moves;
      return (this->*one.act)();
    }
    at -= one.weight;
  }
}

void World::between_operations() {
  ++tally_.operations;
  if (quiet_ || moving_ || !chance_.once_in(scenario_.interference)) return;
  moving_ = true;
  move();
  moving_ = false;
}

std::optional<std::string> World::play() {
  for (std::uint64_t row = 0; row < scenario_.rows_before; ++row)
    app_.write();
  for (std::uint64_t turn = 0; turn < scenario_.turns && !broken_; ++turn)
    move();
  if (!broken_) come_to_rest();
  if (!broken_) check_end();
  ++tally_.seeds;
  return broken_;
}

void World::broken(std::string what) {
  trace_.add([&] { return "BROKEN: " + what; });
  if (!broken_) broken_ = std::move(what);
}

// Runs ------------------------------------------------------------------------------------------

void World::run_second() {
  if (scenario_.two_daemons) run(1);
}

void World::run(std::size_t at) {
  Process& process = *processes_[at];
  if (process.running()) return;
  trace_.add([&] { return "daemon " + std::to_string(at) + ": run"; });
  // What happens between its operations is the engine's world again, also within a move.
  const bool was_moving = std::exchange(moving_, false);
  const bool was_disturbed = disturbed_;
  const std::uint64_t past_before = past_changes_;
  const Outcome outcome = process.run();
  moving_ = was_moving;
  ++tally_.runs;
  trace_.add([&] { return "daemon " + std::to_string(at) + ": " + told(outcome); });
  if (process.killed()) {
    ++tally_.crashes;
    start(at, chance_.once_in(2));
  }
  if (!was_disturbed && !disturbed_) check_outcome(outcome);
  // Only a run that no other stands around, that saw one past from begin to end and has come to an
  // end itself shows that the engine has answered: an epoch may also be the answer to the change
  // before the last, in a commit that landed only now.
  const bool alone = std::none_of(processes_.begin(), processes_.end(),
                                  [](const auto& one) { return one && one->running(); });
  if (alone) notice_answer(past_before == past_changes_, outcome.result == RunResult::success);
  check_marks();
}

std::int64_t World::stored_epoch() const {
  const auto record = target_->checkpoint(key());
  return record ? record->epoch : 0;
}

void World::notice_answer(bool past_stood, bool came_to_an_end) {
  if (past_stood && came_to_an_end && stored_epoch() > unanswered_epoch_) disturbed_ = false;
  if (!past_stood) unanswered_epoch_ = stored_epoch();
}

void World::disturb() {
  disturbed_ = true;
  ++past_changes_;
  unanswered_epoch_ = stored_epoch();
}

void World::check_outcome(const Outcome& outcome) {
  const bool exact = scenario_.job != Scenario::Job::lookback;
  if (!exact && outcome.progress.proof && *outcome.progress.proof != ProofKind::lookback)
    broken("a job without proof is labelled exact");
  if (exact && outcome.counts.late_rows > 0)
    broken("a job that is labelled exact reports a late row");
  if (outcome.failure && outcome.failure->kind == FailureKind::internal)
    broken("an internal fault: " + outcome.failure->message);
  if (outcome.failure && outcome.failure->needs_person)
    broken("a person is asked for nothing: " + outcome.failure->message);
}

void World::check_marks() {
  const auto record = target_->checkpoint(key());
  if (!record) return;
  const Checkpoint now = decode(*record);
  if (seen_ && now.epoch < seen_->epoch) broken("the mark's epoch went back");
  if (seen_ && now.epoch == seen_->epoch && seen_->settled &&
      (!now.settled || less(*now.settled, *seen_->settled)))
    broken("the settled mark went back within its epoch");
  seen_ = now;
  if (now.settled && !disturbed_ && scenario_.job == Scenario::Job::upsert)
    check_settled_rows(*now.settled);
}

/// The promise of the settled mark: whatever is visible below it is in the target as it is.
void World::check_settled_rows(const Value& settled) {
  const auto there = by_key(target_->rows(Application::table));
  for (const memory::Row& row : source_->rows(Application::table)) {
    if (!less(Value::of(settled.type, *row[2]), settled)) continue;
    const auto at = there.find(*row[0]);
    if (at == there.end())
      return broken("row " + *row[0] + " is below the settled mark and not in the target");
    if (at->second != text_of(row))
      return broken("row " + *row[0] + " is below the settled mark and differs in the target");
  }
}

void World::come_to_rest() {
  quiet_ = true;
  trace_.add([] { return std::string("everything comes to rest"); });
  source_->clear_faults();
  target_->clear_faults();
  source_->set_stale(false);
  target_->land();
  app_.end_all();
  // Twice: what the first time finds is what was written before, the second shows that it stays.
  for (int round = 0; round < 2; ++round) {
    for (int turn = 0;; ++turn) {
      if (turn == 40) return broken("the job does not come to rest");
      advance(minutes(2));
      const Outcome outcome = processes_[0]->run();
      trace_.add([&] { return "at rest: " + told(outcome); });
      ++tally_.runs;
      if (!disturbed_) check_outcome(outcome);
      notice_answer(true, outcome.result == RunResult::success);
      check_marks();
      if (broken_) return;
      if (outcome.result == RunResult::success && !outcome.progress.blocked_since) break;
      if (processes_[0]->killed()) start(0, false);
    }
  }
}

void World::check_end() {
  const auto wanted = by_key(source_->rows(Application::table));
  std::vector<memory::Row> rows = target_->rows(Application::table);
  const auto there = by_key(rows);
  if (there.size() != rows.size()) return broken("the target has a row twice");
  for (const auto& [id, row] : wanted) {
    const auto at = there.find(id);
    if (at == there.end()) return broken("row " + id + " is not in the target");
    if (at->second != row)
      return broken("row " + id + " differs: source " + row + ", target " + at->second);
  }
  for (const auto& [id, row] : there) {
    if (wanted.contains(id)) continue;
    if (!scenario_.writes_by_key())
      return broken("the target has row " + id + ", which the source has not");
    if (!app_.ever_had(id)) return broken("the target has row " + id + ", which never was");
  }
}

// Moves -----------------------------------------------------------------------------------------

void World::advance(Duration by) {
  clock_.advance(by);
  source_->advance(by);
  target_->advance(by);
}

void World::tick() {
  const Duration by = milliseconds(chance_.below(4) * 400);
  trace_.add([&] { return "time: +" + std::to_string(by.count() / 1000) + " ms"; });
  advance(by);
}

void World::wait_long() {
  const Duration by = seconds(chance_.between(20, 200));
  trace_.add([&] { return "time: +" + std::to_string(by.count() / 1'000'000) + " s"; });
  advance(by);
}

void World::kill_daemon() {
  const std::size_t at = scenario_.two_daemons ? chance_.below(2) : 0;
  trace_.add([&] { return "daemon " + std::to_string(at) + ": killed"; });
  processes_[at]->kill();
  // One that is under way ends when its run does.
  if (processes_[at]->running()) return;
  ++tally_.crashes;
  start(at, chance_.once_in(2));
}

void World::stop_daemon() {
  const std::size_t at = scenario_.two_daemons ? chance_.below(2) : 0;
  if (processes_[at]->running()) return;
  trace_.add([&] { return "daemon " + std::to_string(at) + ": stopped and started"; });
  const bool was_moving = std::exchange(moving_, true);
  processes_[at]->stop();
  moving_ = was_moving;
  start(at, chance_.once_in(2));
}

void World::lose_connection() {
  Database& side = chance_.once_in(2) ? *source_ : *target_;
  trace_.add([] { return std::string("fault: a connection will be lost"); });
  side.inject({.operation = std::nullopt, .after = chance_.between(1, 25)});
}

void World::lose_commit_answer() {
  memory::Fault fault{.operation = memory::Operation::commit, .after = chance_.between(1, 3)};
  fault.error.in_doubt = true;
  fault.error.message = "the answer to COMMIT was lost";
  constexpr std::array landings{memory::Landing::never, memory::Landing::arrived,
                                memory::Landing::later};
  fault.landing = chance_.pick(landings);
  trace_.add([&] {
    return "fault: the answer to a COMMIT will be lost, landing " +
           std::to_string(static_cast<int>(fault.landing));
  });
  target_->inject(std::move(fault));
}

void World::land_commits() {
  target_->land();
}

void World::end_sessions() {
  Database& side = chance_.once_in(2) ? *source_ : *target_;
  trace_.add([] { return std::string("fault: all sessions of a side end"); });
  side.kill_sessions();
}

void World::restart_source() {
  if (scenario_.fragile_source ? !app_.has_prepared() : !chance_.once_in(8)) return;
  trace_.add([] { return std::string("source: restart"); });
  source_->restart();
  app_.forget_unprepared();
}

void World::restart_target() {
  trace_.add([] { return std::string("target: restart"); });
  target_->restart();
}

void World::freeze_view() {
  const bool stale = chance_.once_in(2);
  trace_.add(
      [&] { return std::string("source: view of transactions ") + (stale ? "frozen" : "free"); });
  source_->set_stale(stale);
}

void World::back_up_target() {
  target_backup_ = target_->backup();
}

void World::restore_target() {
  if (!target_backup_) return;
  trace_.add([] { return std::string("target: goes back to a backup"); });
  target_->restore(*target_backup_);
  advance(std::chrono::milliseconds(1));  // fences go by the clock, which no restore stops
  seen_.reset();
  // The checkpoint may be from before a change of the source's past that the engine has seen.
  if (past_changes_ > 0) disturb();
}

void World::set_source_clock_back() {
  if (!scenario_.history_changes) return;
  const Duration by = seconds(chance_.between(10, 4000));
  trace_.add(
      [&] { return "source: clock set back by " + std::to_string(by.count() / 1'000'000) + " s"; });
  source_->advance(-by);
  disturb();
}

void World::set_own_clock() {
  // With a source clock that is set as well, both could move together and hide each other.
  if (scenario_.history_changes) return;
  const auto by = seconds(static_cast<std::int64_t>(chance_.below(7200)) - 3600);
  trace_.add([&] { return "machine: clock set by " + std::to_string(by.count()) + " s"; });
  clock_.step(by);
}

void World::back_up_source() {
  // A backup must grow old to be worth a restore.
  if (scenario_.history_changes && (!source_backup_ || chance_.once_in(4)))
    source_backup_ = source_->backup();
}

void World::restore_source() {
  if (!source_backup_) return;
  trace_.add([] { return std::string("source: restored from a backup"); });
  source_->restore(*source_backup_);
  app_.forget_all();
  source_->set_identity("restored " + std::to_string(tally_.moves));
  disturb();
}

}  // namespace tidemark::sim
