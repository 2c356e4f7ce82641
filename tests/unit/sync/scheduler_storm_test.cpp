#include "scheduler_fixture.h"

using namespace tidemark;
using namespace tidemark::test;

namespace {

/// A random life of a few jobs: ticks, failures, wishes, reloads. Checks what must always hold.
class Storm {
 public:
  explicit Storm(std::uint64_t seed) : dice_(seed) {
    for (const JobOf& job : jobs_) {
      const std::string name = job.settings.name.text;
      world_.runner.scripts[name] = [this](const RunRequest& request) { return outcome(request); };
    }
    world_.workers.wait_for_test();
    world_.start(jobs_, slots);
  }

  void step() {
    switch (roll(10)) {
      case 0:
      case 1:
        advance(Duration{std::chrono::seconds{roll(90)}});
        break;
      case 2:
      case 3:
      case 4:
        world_.workers.run_next();
        break;
      case 5:
        wish();
        break;
      case 6:
        reload();
        break;
      case 7:
        world_.scheduler->pause(any(), {.length = pause_length()});
        break;
      case 8:
        world_.scheduler->resume(any());
        break;
      default:
        world_.scheduler->cancel(any());
        break;
    }
    world_.timers.drain();
    check();
  }

  /// The weather clears: everything that was broken is whole, every job comes round again.
  void calm() {
    calm_ = true;
    world_.workers.run_all();
    world_.workers.take(0s);
    for (JobOf& job : jobs_)
      job.settings.enabled = true;
    world_.apply(jobs_, slots);
    for (const JobOf& job : jobs_)
      world_.scheduler->resume(job.settings.name);
    const WallTime calm_since = world_.clock.now();
    advance(90min);
    for (const JobStatus& status : world_.scheduler->status()) {
      INFO(status.settings->name.text);
      CHECK(status.state == JobState::waiting);
      CHECK(status.consecutive_failures == 0);
      REQUIRE(status.last_success);
      CHECK(*status.last_success > calm_since);
    }
    CHECK(asked_ == answered_);
    CHECK(answers_twice_ == 0);
    CHECK(world_.scheduler->load().running == 0);
  }

 private:
  static constexpr std::uint32_t slots = 2;

  std::uint64_t roll(std::uint64_t sides) { return dice_.next() % sides; }
  JobName any() { return jobs_[roll(jobs_.size())].settings.name; }
  std::optional<Duration> pause_length() {
    if (roll(3) == 0) return std::nullopt;
    return Duration{std::chrono::seconds{1 + roll(600)}};
  }
  void advance(Duration by) { world_.timers.advance(by); }

  Outcome outcome(const RunRequest& request) {
    if (calm_) return succeeded();
    if (request.stop.stop_requested() && roll(4) != 0) return cancelled();
    switch (roll(8)) {
      case 0:
        return failed(FailureKind::connect);
      case 1:
        return failed(FailureKind::deadlock);
      case 2:
        return failed(FailureKind::auth);
      case 3:
        return failed(FailureKind::conversion);
      case 4: {
        Outcome held = succeeded();
        held.result = RunResult::held;
        held.held_by = "another";
        return held;
      }
      case 5:
        return roll(4) == 0 ? failed(FailureKind::internal) : cancelled();
      default:
        return succeeded();
    }
  }

  void wish() {
    RunOptions options;
    options.resync = roll(4) == 0;
    options.dry_run = roll(4) == 0;
    if (roll(6) == 0) options.backfill = RunOptions::Backfill{};
    const auto answered = std::make_shared<bool>(false);
    const auto refused =
        world_.scheduler->run_now(any(), options, [this, answered](const RunFinished&) {
          answers_twice_ += *answered ? 1 : 0;
          *answered = true;
          ++answered_;
        });
    if (!refused) ++asked_;
  }

  void reload() {
    JobOf& job = jobs_[roll(jobs_.size())];
    switch (roll(4)) {
      case 0:
        job.settings.enabled = !job.settings.enabled;
        break;
      case 1:
        job.settings.source_where = "a > " + std::to_string(roll(3));
        break;
      case 2:
        job.settings.priority = static_cast<std::int32_t>(roll(5));
        break;
      default: {
        // Away and back again, perhaps while its run has not ended.
        std::vector<JobOf> fewer;
        for (const JobOf& one : jobs_)
          if (one.settings.name != job.settings.name) fewer.push_back(one);
        world_.apply(fewer, slots);
        check();
      }
    }
    world_.apply(jobs_, slots);
  }

  void check() {
    const SchedulerLoad load = world_.scheduler->load();
    REQUIRE(load.running <= slots);
    // Each run under way is one task: none of a job beside another of it (I4), none forgotten.
    REQUIRE(load.running == world_.workers.pending());
    std::size_t queued = 0;
    for (const JobStatus& status : world_.scheduler->status()) {
      INFO(status.settings->name.text);
      REQUIRE((status.state == JobState::running) == (!status.run_id.empty() && !status.probing));
      if (status.state == JobState::queued) ++queued;
      if (status.state == JobState::backoff || status.state == JobState::halted)
        REQUIRE(status.failure);
      if (status.state == JobState::backoff) REQUIRE(status.next_run);
      if (status.state == JobState::paused)
        REQUIRE(world_.pauses.kept.count(status.settings->name));
      REQUIRE((status.state == JobState::disabled) <= !status.settings->enabled);
    }
    REQUIRE(queued <= load.queued);
    // Each change begins where the last one ended.
    for (; seen_states_ < world_.observer.states.size(); ++seen_states_) {
      const StateChanged& change = world_.observer.states[seen_states_];
      REQUIRE(change.from != change.to);
    }
  }

  SeededRandom dice_;
  std::vector<JobOf> jobs_{
      JobOf("orders").every(30s),
      JobOf("stock").every(45s).with([](JobSettings& job) { job.schedule.missed = Missed::skip; }),
      JobOf("lines").after({"orders"}), JobOf("report").after({"lines", "stock"}),
      JobOf("hourly").cron("0 * * * *")};
  World world_;
  bool calm_ = false;
  int asked_ = 0;
  int answered_ = 0;
  int answers_twice_ = 0;
  std::size_t seen_states_ = 0;
};

}  // namespace

TEST_CASE("whatever happens, runs stay apart, everybody is answered once, and all jobs recover",
          "[scheduler][property]") {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    INFO("seed " << seed);
    Storm storm(seed);
    for (int step = 0; step < 250; ++step)
      storm.step();
    storm.calm();
  }
}

TEST_CASE("a scheduler that goes in the middle of a storm leaves nothing that calls back",
          "[scheduler][property]") {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    INFO("seed " << seed);
    Storm storm(seed);
    for (int step = 0; step < 50; ++step)
      storm.step();
  }
}
