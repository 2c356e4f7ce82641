#include "daemon/local_engine.h"

#include <fmt/format.h>

#include <algorithm>

#include "daemon/program.h"
#include "daemon/signals.h"
#include "daemon/text.h"
#include "runtime/event_loop.h"
#include "runtime/system.h"
#include "runtime/worker_pool.h"
#include "schedule/schedule.h"
#include "schedule/zones.h"
#include "state/state_store.h"

namespace tidemark {
namespace {

constexpr Duration look_period = std::chrono::milliseconds(250);

/// Nothing is paused here: a person asked for the run.
class NoPauses final : public PauseStore {
 public:
  std::vector<Pause> load() override { return {}; }
  void save(const Pause&) noexcept override {}
  void remove(const JobName&) noexcept override {}
};

/// Hands what a person should see to the terminal, on the loop thread.
class Talker final : public Observer {
 public:
  Talker(Timers& timers, std::function<void(const std::string&)> talk)
      : timers_(timers), talk_(std::move(talk)) {}
  void retry_scheduled(const JobName& job, const Failure& failure, unsigned attempt,
                       Duration delay) override {
    say(fmt::format("{}: {}; attempt {} in {}", job.text, failure.message, attempt + 1,
                    span_text(delay)));
  }
  void mark_epoch_opened(const JobName& job, std::int64_t, std::string_view reason) override {
    say(fmt::format("{}: the marks begin anew: {}", job.text, reason));
  }
  void note(const JobName& job, std::string_view text) override {
    say(fmt::format("{}: {}", job.text, text));
  }

 private:
  void say(std::string text) {
    if (!talk_) return;
    timers_.post([talk = talk_, text = std::move(text)] { talk(text); });
  }
  Timers& timers_;
  std::function<void(const std::string&)> talk_;
};

/// The installation's key, where this user may read it; else one of this process's own, so that
/// hashes of keys say nothing to anybody.
Secret key_of(const std::string& state_dir, Random& random) {
  try {
    return state::StateStore::open({.directory = state_dir, .read_only = true})->key_secret();
  } catch (const Error&) {
    return Secret(random_id(random) + random_id(random));
  }
}

/// Only what was asked for, and nothing by itself.
Settings only(const Settings& settings, const std::vector<JobName>& jobs) {
  Settings result = settings;
  std::erase_if(result.jobs, [&](const auto& entry) {
    return std::find(jobs.begin(), jobs.end(), entry.first) == jobs.end();
  });
  for (auto& [name, job] : result.jobs) {
    job.schedule = {.when = ManualSchedule{}};
    job.enabled = true;
  }
  return result;
}

}  // namespace

class LocalEngine::Parts {
 public:
  Parts(const Settings& settings, Events events)
      : settings_(settings),
        events_(std::move(events)),
        timers_(loop_),
        talker_(timers_, events_.talk),
        relay_(timers_),
        observers_({&talker_, &relay_}),
        memory_(settings.daemon.memory),
        connections_(make_connections(settings, clock_)),
        runner_(make_runner({.connections = *connections_,
                             .memory = memory_,
                             .clock = clock_,
                             .random = random_,
                             .observer = observers_,
                             .zones = zones_,
                             .instance = settings.daemon.instance,
                             .holder = this_process(),
                             .key_secret = key_of(settings.daemon.state_dir, random_)})),
        workers_(settings.daemon.workers),
        scheduler_({.timers = timers_,
                    .workers = workers_,
                    .clock = clock_,
                    .random = random_,
                    .runner = *runner_,
                    .observer = observers_,
                    .pauses = pauses_,
                    .progress = relay_,
                    .make_schedule = schedule::make_schedule}) {}

  std::vector<Result> run(const std::vector<JobName>& jobs, const RunOptions& options) {
    std::vector<Result> results;
    for (const JobName& job : jobs)
      results.push_back({.job = job});
    Signals signals(loop_.context(),
                    {.stop = [this, &jobs] { cancel(jobs); }, .reload = {}, .dump = {}});
    timers_.post([&] {
      scheduler_.start(only(settings_, jobs), {});
      for (Result& result : results)
        result.refusal =
            scheduler_.run_now(result.job, options, [this, &result, &results](const auto& run) {
              result.finished = run;
              end_if_done(results);
            });
      end_if_done(results);
      look();
    });
    loop_.run();
    timer_.reset();
    workers_.join();
    runner_->release_all();
    return results;
  }

 private:
  void look() {
    if (events_.progress) events_.progress(scheduler_.status());
    timer_ = timers_.after(look_period, [this] { look(); });
  }

  void end_if_done(const std::vector<Result>& results) {
    const bool done = std::all_of(results.begin(), results.end(), [](const Result& result) {
      return result.refusal.has_value() || result.finished.has_value();
    });
    if (done) loop_.stop();
  }

  void cancel(const std::vector<JobName>& jobs) {
    if (events_.talk)
      events_.talk(asked_to_stop_ ? "statements under way are cancelled"
                                  : "the runs end after their batch; once more to cut them short");
    asked_to_stop_ = true;
    for (const JobName& job : jobs)
      (void)scheduler_.cancel(job);
  }

  Settings settings_;
  Events events_;
  runtime::SystemClock clock_;
  runtime::SystemRandom random_;
  schedule::SystemZones zones_;
  runtime::EventLoop loop_;
  runtime::AsioTimers timers_;
  NoPauses pauses_;
  Talker talker_;
  ProgressRelay relay_;
  Observers observers_;
  MemoryBudget memory_;
  std::unique_ptr<Connections> connections_;
  std::unique_ptr<SyncRunner> runner_;
  runtime::WorkerPool workers_;
  Scheduler scheduler_;
  std::unique_ptr<TimerHandle> timer_;
  bool asked_to_stop_ = false;
};

LocalEngine::LocalEngine(const Settings& settings, Events events)
    : parts_(std::make_unique<Parts>(settings, std::move(events))) {}

LocalEngine::~LocalEngine() = default;

std::vector<LocalEngine::Result> LocalEngine::run(const std::vector<JobName>& jobs,
                                                  const RunOptions& options) {
  return parts_->run(jobs, options);
}

}  // namespace tidemark
