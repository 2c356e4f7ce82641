#include "observe/metrics.h"

#include <algorithm>
#include <map>
#include <mutex>
#include <unordered_map>

#include "observe/job_series.h"
#include "observe/process.h"
#include "observe/scrape.h"
#include "observe/snapshot.h"

namespace tidemark::observe {
namespace {

const std::vector<double> batch_bounds{0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 30};
const std::vector<double> delay_bounds{0.01, 0.05, 0.1, 0.5, 1, 5, 15, 60};
const std::vector<double> wait_bounds{0.001, 0.01, 0.1, 1, 10, 60, 600};
const std::vector<double> request_bounds{0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5};
constexpr std::array<std::string_view, 6> methods{"GET", "HEAD",   "POST",
                                                  "PUT", "DELETE", "OPTIONS"};
/// Routes are a closed set; should a caller pass paths instead, the number of series stays bounded.
constexpr std::size_t most_handlers = 64;

class ConnectionSeries {
 public:
  explicit ConnectionSeries(ConnectionSettings settings) : settings_(std::move(settings)) {}

  void set_settings(ConnectionSettings settings) { settings_ = std::move(settings); }
  void failed(FailureKind kind) { errors_[kind].Increment(); }
  void waited(Duration took) { pool_wait_.Observe(seconds(took)); }
  void batch_written(Duration took) { batch_write_.Observe(seconds(took)); }
  void add_to(Snapshot& snapshot, const LiveValues::Connection& live) const {
    const Labels name{{"connection", settings_.name.text}};
    add_connection(snapshot, settings_, live, clock_skew);
    snapshot.add("tidemark_connection_errors_total", name, "kind", errors_);
    snapshot.add("tidemark_pool_wait_seconds", name, pool_wait_);
    snapshot.add("tidemark_batch_write_duration_seconds", {{"target", settings_.name.text}},
                 batch_write_);
  }

  std::optional<Duration> clock_skew = {};

 private:
  ConnectionSettings settings_;
  Counters<FailureKind> errors_;
  Histogram pool_wait_{wait_bounds};
  Histogram batch_write_{batch_bounds};
};

/// Keeps what `wanted` names, makes what is missing, drops the rest.
template <class Name, class Series, class Settings>
void align(std::map<Name, Series>& series, const std::map<Name, Settings>& wanted) {
  std::erase_if(series, [&](const auto& entry) { return !wanted.contains(entry.first); });
  for (const auto& [name, settings] : wanted) {
    const auto found = series.find(name);
    if (found == series.end())
      series.try_emplace(name, settings);
    else
      found->second.set_settings(settings);
  }
}

/// The entries of a scrape by their names.
template <class Item>
class Live {
 public:
  explicit Live(const std::vector<Item>& items) {
    for (const Item& item : items)
      items_.emplace(item.name.text, &item);
  }
  Item find(const decltype(Item::name)& name) const {
    const auto found = items_.find(name.text);
    return found == items_.end() ? Item{.name = name} : *found->second;
  }

 private:
  std::unordered_map<std::string_view, const Item*> items_;
};

}  // namespace

std::string_view to_string(AuthFailure reason) noexcept {
  switch (reason) {
    case AuthFailure::missing_token:
      return "missing_token";
    case AuthFailure::wrong_token:
      return "wrong_token";
    case AuthFailure::forbidden_host:
      return "forbidden_host";
    case AuthFailure::cross_site:
      return "cross_site";
  }
  return "wrong_token";
}

std::string_view to_string(LogLevel level) noexcept {
  switch (level) {
    case LogLevel::trace:
      return "trace";
    case LogLevel::debug:
      return "debug";
    case LogLevel::info:
      return "info";
    case LogLevel::warn:
      return "warn";
    case LogLevel::error:
      return "error";
  }
  return "error";
}

struct Metrics::Impl {
  Impl(const Clock& clock_in, BuildInfo build_in)
      : clock(clock_in), build(std::move(build_in)), reloaded(clock.now()) {
    if (build.compiler.empty()) build.compiler = "gcc " __VERSION__;
  }

  void observe_request(const std::string& handler, std::string method, int code, Duration took);
  void committed(const RunProgress& event);
  void finished(const RunFinished& event);
  void add_configuration(Snapshot& snapshot) const;
  void add_service(Snapshot& snapshot) const;
  JobSeries* job(const JobName& name);

  const Clock& clock;
  BuildInfo build;
  Counters<ReloadFinished::Result> reloads;
  Counters<AuthFailure> auth_failures;
  Counters<LogLevel> log_messages;

  mutable std::mutex mutex;  // guards what follows
  std::map<JobName, JobSeries> jobs;
  std::map<ConnectionName, ConnectionSeries> connections;
  Histogram scheduler_delay{delay_bounds};
  std::map<std::string, Histogram, std::less<>> handlers;  ///< how long requests took
  std::map<Labels, Counter> requests;
  std::uint64_t config_hash = 0;
  std::uint64_t generation = 1;
  bool reload_successful = true;
  std::size_t restart_required = 0;
  WallTime reloaded;
};

JobSeries* Metrics::Impl::job(const JobName& name) {
  const auto found = jobs.find(name);
  return found == jobs.end() ? nullptr : &found->second;
}

void Metrics::Impl::observe_request(const std::string& handler, std::string method, int code,
                                    Duration took) {
  auto found = handlers.find(handler);
  if (found == handlers.end()) {
    if (handlers.size() >= most_handlers) return;
    found = handlers.try_emplace(handler, request_bounds).first;
  }
  found->second.Observe(seconds(took));
  requests[{{"handler", handler}, {"method", std::move(method)}, {"code", std::to_string(code)}}]
      .Increment();
}

void Metrics::Impl::committed(const RunProgress& event) {
  JobSeries* series = job(event.job);
  if (series == nullptr) return;
  const auto took = series->committed(event, clock.now());
  const auto target = connections.find(series->settings().target_connection);
  if (took && target != connections.end()) target->second.batch_written(*took);
}

void Metrics::Impl::finished(const RunFinished& event) {
  JobSeries* series = job(event.job);
  if (series == nullptr) return;
  series->finished(event);
  const Progress& progress = event.outcome.progress;
  const auto source = connections.find(series->settings().source_connection);
  if (source != connections.end() && (progress.read_as_of || progress.fresh_as_of))
    source->second.clock_skew = progress.clock_skew;
}

void Metrics::Impl::add_configuration(Snapshot& snapshot) const {
  snapshot.add("tidemark_build_info",
               {{"version", build.version},
                {"revision", build.revision},
                {"compiler", build.compiler},
                {"features", build.features}},
               1);
  snapshot.add("tidemark_config_hash", {}, static_cast<double>(config_hash));
  snapshot.add("tidemark_config_generation", {}, static_cast<double>(generation));
  snapshot.add("tidemark_config_last_reload_successful", {}, reload_successful ? 1 : 0);
  snapshot.add("tidemark_config_last_reload_success_timestamp_seconds", {},
               epoch_seconds(reloaded));
  snapshot.add("tidemark_config_restart_required", {}, static_cast<double>(restart_required));
}

void Metrics::Impl::add_service(Snapshot& snapshot) const {
  snapshot.add("tidemark_config_reloads_total", {}, "result", reloads);
  snapshot.add("tidemark_http_auth_failures_total", {}, "reason", auth_failures);
  snapshot.add("tidemark_log_messages_total", {}, "level", log_messages);
  snapshot.add("tidemark_scheduler_delay_seconds", {}, scheduler_delay);
  for (const auto& [labels, count] : requests)
    snapshot.add("tidemark_http_requests_total", labels, count);
  for (const auto& [handler, took] : handlers)
    snapshot.add("tidemark_http_request_duration_seconds", {{"handler", handler}}, took);
}

Metrics::Metrics(const Clock& clock, BuildInfo build)
    : impl_(std::make_unique<Impl>(clock, std::move(build))) {}
Metrics::~Metrics() = default;

void Metrics::set_jobs(const Settings& settings) {
  const std::lock_guard guard(impl_->mutex);
  align(impl_->jobs, settings.jobs);
  align(impl_->connections, settings.connections);
}

void Metrics::set_config_hash(std::uint64_t hash) {
  const std::lock_guard guard(impl_->mutex);
  impl_->config_hash = hash & 0xffff'ffff'ffffU;
}

void Metrics::restore(const JobName& job, const JobHistory& history,
                      const std::optional<Progress>& progress) {
  const std::lock_guard guard(impl_->mutex);
  if (JobSeries* series = impl_->job(job)) series->restore(history, progress);
}

void Metrics::connection_error(const ConnectionName& connection, FailureKind kind) {
  const std::lock_guard guard(impl_->mutex);
  const auto found = impl_->connections.find(connection);
  if (found != impl_->connections.end()) found->second.failed(kind);
}

void Metrics::pool_wait(const ConnectionName& connection, Duration took) {
  const std::lock_guard guard(impl_->mutex);
  const auto found = impl_->connections.find(connection);
  if (found != impl_->connections.end()) found->second.waited(took);
}

void Metrics::http_request(std::string_view handler, std::string_view method, int code,
                           Duration took) {
  const bool known = std::find(methods.begin(), methods.end(), method) != methods.end();
  const int sane = code >= 100 && code <= 599 ? code : 500;
  const std::lock_guard guard(impl_->mutex);
  impl_->observe_request(std::string(handler), known ? std::string(method) : "other", sane, took);
}

void Metrics::http_auth_failure(AuthFailure reason) {
  impl_->auth_failures[reason].Increment();
}

void Metrics::log_message(LogLevel level) {
  impl_->log_messages[level].Increment();
}

void Metrics::run_started(const RunStarted& event) {
  const std::lock_guard guard(impl_->mutex);
  JobSeries* series = impl_->job(event.job);
  if (series == nullptr) return;
  if (const auto late = series->started(event)) impl_->scheduler_delay.Observe(seconds(*late));
}

void Metrics::batch_committed(const RunProgress& event) {
  const std::lock_guard guard(impl_->mutex);
  impl_->committed(event);
}

void Metrics::run_finished(const RunFinished& event) {
  const std::lock_guard guard(impl_->mutex);
  impl_->finished(event);
}

void Metrics::retry_scheduled(const JobName& job, const Failure& failure, unsigned, Duration) {
  const std::lock_guard guard(impl_->mutex);
  if (JobSeries* series = impl_->job(job)) series->retried(failure.kind);
}

void Metrics::run_skipped(const JobName& job, SkipReason reason) {
  const std::lock_guard guard(impl_->mutex);
  if (JobSeries* series = impl_->job(job)) series->skipped(reason);
}

void Metrics::state_changed(const StateChanged& event) {
  if (event.to == JobState::queued || event.to == JobState::running) return;
  const std::lock_guard guard(impl_->mutex);
  if (JobSeries* series = impl_->job(event.job)) series->planned(event.next);
}

void Metrics::rows_came_late(const JobName& job, Duration by, std::uint64_t rows) {
  const std::lock_guard guard(impl_->mutex);
  if (JobSeries* series = impl_->job(job)) series->came_late(by, rows);
}

void Metrics::reload_finished(const ReloadFinished& event) {
  impl_->reloads[event.result].Increment();
  const std::lock_guard guard(impl_->mutex);
  impl_->reload_successful = event.result != ReloadFinished::Result::rejected;
  if (!impl_->reload_successful) return;
  impl_->generation = event.generation;
  impl_->reloaded = impl_->clock.now();
  impl_->restart_required = event.restart_required.size();
}

std::string Metrics::serialize(const LiveValues& live) const {
  const WallTime now = impl_->clock.now();
  const Live live_jobs(live.jobs);
  const Live live_connections(live.connections);
  ScrapeText text;
  Snapshot snapshot;
  {
    const std::lock_guard guard(impl_->mutex);
    impl_->add_configuration(snapshot);
    impl_->add_service(snapshot);
    for (const auto& [name, connection] : impl_->connections)
      connection.add_to(snapshot, live_connections.find(name));
  }
  add_queues(snapshot, live);
  add_process(snapshot, read_process());
  text.add(snapshot);
  // Job by job: thousands of them under one lock would hold up the loop, which counts too.
  std::optional<JobName> last;
  for (;;) {
    {
      const std::lock_guard guard(impl_->mutex);
      const auto next = last ? impl_->jobs.upper_bound(*last) : impl_->jobs.begin();
      if (next == impl_->jobs.end()) break;
      last = next->first;
      add_job(snapshot, next->second, live_jobs.find(*last), now);
    }
    text.add(snapshot);
  }
  return std::move(text).text();
}

}  // namespace tidemark::observe
