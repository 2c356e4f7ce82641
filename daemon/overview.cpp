#include "daemon/overview.h"

#include <fmt/format.h>

#include <algorithm>

#include "daemon/http/encode.h"
#include "daemon/text.h"

namespace tidemark {

observe::LiveValues Overview::values() const {
  observe::LiveValues values;
  for (const JobStatus& job : of_.scheduler.status()) {
    observe::LiveValues::Job entry{.name = job.settings->name,
                                   .state = job.state,
                                   .next_run = job.next_run,
                                   .deadline = job.deadline,
                                   .stale = job.stale,
                                   .degraded = job.degraded,
                                   .consecutive_failures = job.consecutive_failures};
    if (job.state == JobState::halted && job.failure)
      entry.halt = observe::LiveValues::Halt{job.failure->kind, job.failure->remedy};
    values.jobs.push_back(std::move(entry));
  }
  const SchedulerLoad load = of_.scheduler.load();
  values.connections = of_.connections.values();
  values.scheduler_queue_length = load.queued;
  values.workers_busy = static_cast<std::uint32_t>(load.running);
  values.workers_idle = static_cast<std::uint32_t>(load.slots - std::min(load.slots, load.running));
  values.event_loop_delay = of_.loop.delay();
  values.queue_rows = of_.memory.rows();
  values.queue_bytes = of_.memory.used();
  values.queue_capacity_bytes = of_.memory.limit();
  values.state_store_bytes = of_.store.bytes();
  values.state_store_errors = of_.store.errors();
  return values;
}

std::string Overview::line() const {
  std::size_t jobs = 0;
  std::string failing;
  std::size_t failures = 0;
  std::optional<Duration> worst;
  for (const JobStatus& job : of_.scheduler.status()) {
    ++jobs;
    const auto lag = http::lag(job.progress, of_.clock.now());
    if (lag && (!worst || *lag > *worst)) worst = lag;
    if (http::healthy(job) && job.consecutive_failures == 0) continue;
    ++failures;
    const std::string_view kind =
        job.failure ? to_string(job.failure->kind) : std::string_view("stale");
    if (failures <= 3)
      failing +=
          fmt::format("{}{}: {}", failing.empty() ? "" : ", ", job.settings->name.text, kind);
  }
  std::string line = fmt::format("{} jobs, {} failing", jobs, failures);
  if (failures > 0) line += fmt::format(" ({})", failing);
  if (worst) line += ", worst lag " + span_text(*worst);
  return line;
}

}  // namespace tidemark
