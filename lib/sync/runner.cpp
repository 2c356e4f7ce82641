#include <map>
#include <mutex>
#include <optional>

#include "sync/job_run.h"
#include "sync/row_error.h"

namespace tidemark {
namespace {

class JobRunner final : public SyncRunner {
 public:
  explicit JobRunner(RunnerPorts ports)
      : ports_(std::move(ports)), digest_key_{ports_.random.next(), ports_.random.next()} {
    if (ports_.limits.threads) watch_.emplace();
  }

  Outcome run(const RunRequest& request) noexcept override;
  void release_all() noexcept override;
  void release(const JobName& job) noexcept override;

 private:
  std::shared_ptr<JobMemory> memory_of(const JobName& job);
  void give_back(const JobName& job, JobMemory& memory) noexcept;
  Outcome attempt(const RunRequest& request, JobMemory& memory, RunCounts so_far, bool& outdated);
  Outcome fail(JobRun& run, JobMemory& memory, const Error& error, const std::string& key_hash);

  RunnerPorts ports_;
  DigestKey digest_key_;
  std::optional<RunWatch> watch_;
  std::mutex mutex_;
  std::map<JobName, std::shared_ptr<JobMemory>> memories_;
};

/// What an earlier run found out may not be so any more: a column was changed, a session has died.
bool may_be_outdated(const Error& error) {
  return error.kind() == FailureKind::schema || error.kind() == FailureKind::internal ||
         error.kind() == FailureKind::connect || error.fields().code == "moved";
}

bool waits_for_person(const Error& error) {
  return error.kind() == FailureKind::position_lost;
}

std::shared_ptr<JobMemory> JobRunner::memory_of(const JobName& job) {
  const std::lock_guard lock(mutex_);
  std::shared_ptr<JobMemory>& memory = memories_[job];
  if (!memory) memory = std::make_shared<JobMemory>(digest_key_);
  return memory;
}

Outcome JobRunner::fail(JobRun& run, JobMemory& memory, const Error& error,
                        const std::string& key_hash) {
  run.fill_progress();
  Outcome outcome = std::move(run.outcome());
  outcome.result = RunResult::failed;
  outcome.failure = Failure::from(error);
  outcome.failure->key_hash = key_hash;
  outcome.failure->needs_person = waits_for_person(error);
  if (error.fields().code == "fenced") memory.held = false;
  // Marks that were only remembered may stand on what just failed.
  memory.forget_position();
  return outcome;
}

Outcome JobRunner::attempt(const RunRequest& request, JobMemory& memory, RunCounts so_far,
                           bool& outdated) {
  JobRun run(ports_, watch_ ? &*watch_ : nullptr, request, memory, digest_key_);
  run.outcome().counts = so_far;
  try {
    run.execute();
    run.fill_progress();
    return std::move(run.outcome());
  } catch (const Cancelled&) {
    if (const auto verdict = run.verdict()) return fail(run, memory, *verdict, {});
    run.save_marks_at_stop();
    run.fill_progress();
    Outcome outcome = std::move(run.outcome());
    outcome.result = RunResult::cancelled;
    return outcome;
  } catch (const RowError& error) {
    return fail(run, memory, error.error(), error.key_hash());
  } catch (const Error& error) {
    if (const auto verdict = run.verdict()) return fail(run, memory, *verdict, {});
    outdated = run.on_old_knowledge() && may_be_outdated(error) && !memory.in_doubt;
    return fail(run, memory, error, {});
  } catch (const std::exception& error) {
    return fail(run, memory,
                Error({.kind = FailureKind::internal,
                       .message = "an unexpected fault in the program",
                       .operation = "run",
                       .hint = "This is a bug; please report it with the debug log.",
                       .driver_text = error.what()}),
                {});
  }
}

Outcome JobRunner::run(const RunRequest& request) noexcept {
  try {
    const std::shared_ptr<JobMemory> memory = memory_of(request.job->name);
    bool outdated = false;
    Outcome outcome = attempt(request, *memory, {}, outdated);
    if (!outdated || request.stop.stop_requested()) return outcome;
    return attempt(request, *memory, outcome.counts, outdated);
  } catch (const std::exception& error) {
    Outcome outcome;
    outcome.failure = Failure{
        .kind = FailureKind::resource, .message = "a run could not be set up", .remedy = "report"};
    outcome.failure->driver_text = error.what();
    return outcome;
  }
}

void JobRunner::give_back(const JobName& job, JobMemory& memory) noexcept {
  if (!memory.held) return;
  memory.held = false;
  const JobKey key{ports_.instance, job};
  const auto save = [&](Target& target) {
    if (!memory.saved || !memory.latest || *memory.saved == *memory.latest) return;
    Checkpoint marks = *memory.latest;
    marks.revision = memory.saved->revision + 1;
    target.prepare(memory.write);
    const auto load = target.begin(
        {.job = key, .fence = memory.fence, .lease = ports_.limits.lease, .write = memory.write});
    load->save(encode(marks));
    load->commit();
  };
  try {
    ports_.connections.beside(memory.target_connection, [&](Target& target) {
      save(target);
      target.release(key, memory.fence, memory.target_table);
    });
  } catch (const std::exception&) {
    // The marks are proven again by the next run, and the lease runs out by itself.
  }
}

void JobRunner::release_all() noexcept {
  std::map<JobName, std::shared_ptr<JobMemory>> all;
  {
    const std::lock_guard lock(mutex_);
    all.swap(memories_);
  }
  for (const auto& [job, memory] : all)
    give_back(job, *memory);
}

void JobRunner::release(const JobName& job) noexcept {
  std::shared_ptr<JobMemory> memory;
  {
    const std::lock_guard lock(mutex_);
    const auto at = memories_.find(job);
    if (at == memories_.end()) return;
    memory = std::move(at->second);
    memories_.erase(at);
  }
  give_back(job, *memory);
}

}  // namespace

std::unique_ptr<SyncRunner> make_runner(RunnerPorts ports) {
  return std::make_unique<JobRunner>(std::move(ports));
}

}  // namespace tidemark
