#include "daemon/app.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <set>
#include <utility>

#include "daemon/connection_watch.h"
#include "daemon/heartbeat.h"
#include "daemon/http/api.h"
#include "daemon/http/listener.h"
#include "daemon/lease_return.h"
#include "daemon/overview.h"
#include "daemon/program.h"
#include "daemon/signals.h"
#include "observe/log_observer.h"
#include "runtime/event_loop.h"
#include "runtime/system.h"
#include "runtime/worker_pool.h"
#include "schedule/schedule.h"
#include "schedule/zones.h"
#include "state/history_observer.h"

namespace tidemark {
namespace {

/// Metrics, history, reloads and logins: beside the runs, which may all be busy for hours.
constexpr std::size_t side_threads = 3;
/// How long giving the leases back may take at a stop, and at one that is in a hurry.
constexpr Duration release_patience = std::chrono::seconds(10);
constexpr Duration short_patience = std::chrono::seconds(1);
/// At most one refused call in so long goes to the audit trail; the metric counts them all.
constexpr Duration refusal_period = std::chrono::seconds(1);

observe::LogOptions log_options(const DaemonSettings& settings, int fd) {
  return {.level = settings.log_level, .format = settings.log_format, .fd = fd};
}

std::string features() {
  std::string result;
  for (const ConnectorInfo& info : connectors())
    result += (result.empty() ? "" : ",") + std::string(info.type);
  return result;
}

std::set<std::string> own_names(const DaemonSettings& settings) {
  std::set<std::string> names{this_process().host};
  if (settings.listen) names.insert(settings.listen->substr(0, settings.listen->rfind(':')));
  return names;
}

bool is_loopback(const std::string& address) {
  return address.rfind("127.", 0) == 0 || address.rfind("[::1]", 0) == 0 ||
         address.rfind("localhost:", 0) == 0;
}

}  // namespace

/// Every object of the daemon, in the order in which they need each other. The first ones live
/// longest: threads end before what they use.
class App::Parts {
 public:
  Parts(Options options, const config::LoadResult& loaded);
  ~Parts();
  ExitStatus run();
  void stop();
  std::optional<std::string> http_address() const;
  void post_stop() {
    timers_.post([this] { stop(); });
  }

 private:
  void listen();
  void start_jobs();
  void handle_signals();
  ReloadFinished apply(const config::LoadResult& loaded, const Reloader::History& history);
  void give_back_leases(const StopReport& report);
  void leave_leases();
  void end(const StopReport& report);
  void dump();
  void answered(const http::Answered& request);

  Options options_;
  Settings settings_;  ///< those of the start, for what keeps its value until a restart
  runtime::SystemClock clock_;
  runtime::SystemRandom random_;
  schedule::SystemZones zones_;
  observe::Log log_;
  Notifier notifier_;
  observe::Metrics metrics_;
  runtime::EventLoop loop_;
  runtime::AsioTimers timers_;
  std::unique_ptr<state::StateStore> store_;
  observe::LogObserver log_observer_;
  state::HistoryObserver history_observer_;
  ProgressRelay relay_;
  LeaseReturn lease_return_;
  Observers observers_;
  MemoryBudget memory_;
  std::unique_ptr<Connections> connections_;
  std::unique_ptr<SyncRunner> runner_;
  runtime::WorkerPool run_workers_;
  runtime::WorkerPool side_workers_;
  Scheduler scheduler_;
  RunRequests requests_;
  Reloader reloader_;
  ConnectionWatch watch_;
  Overview overview_;
  Heartbeat heartbeat_;
  http::Api api_;
  http::Router router_;
  std::unique_ptr<http::Listener> socket_;
  std::unique_ptr<http::Listener> tcp_;
  std::optional<Signals> signals_;
  std::unique_ptr<TimerHandle> patience_;
  std::optional<StopReport> report_;
  SteadyTime last_refusal_{};
  bool stopping_ = false;
  bool abandoned_ = false;
};

App::Parts::Parts(Options options, const config::LoadResult& loaded)
    : options_(std::move(options)),
      settings_(loaded.settings),
      log_(log_options(settings_.daemon, options_.log_fd)),
      notifier_(options_.supervisor.socket, options_.supervisor.watchdog),
      metrics_(clock_, {.version = std::string(program_version()),
                        .revision = std::string(program_revision()),
                        .features = features()}),
      timers_(loop_),
      store_(state::StateStore::open({.directory = settings_.daemon.state_dir,
                                      .on_problem =
                                          [this](std::string_view text) {
                                            log_.write(LogLevel::error, text, {},
                                                       observe::LogEvent::state_store);
                                          }})),
      log_observer_(log_),
      history_observer_(*store_, clock_),
      relay_(timers_),
      observers_({&log_observer_, &metrics_, &history_observer_, &relay_, &lease_return_}),
      memory_(settings_.daemon.memory),
      connections_(make_connections(settings_, clock_)),
      runner_(make_runner({.connections = *connections_,
                           .memory = memory_,
                           .clock = clock_,
                           .random = random_,
                           .observer = observers_,
                           .zones = zones_,
                           .instance = settings_.daemon.instance,
                           .holder = daemon_holder(store_->lock_identity()),
                           .key_secret = store_->key_secret()})),
      run_workers_(settings_.daemon.workers),
      side_workers_(side_threads),
      scheduler_({.timers = timers_,
                  .workers = run_workers_,
                  .clock = clock_,
                  .random = random_,
                  .runner = *runner_,
                  .observer = observers_,
                  .pauses = *store_,
                  .progress = relay_,
                  .make_schedule = schedule::make_schedule}),
      requests_(scheduler_, timers_),
      reloader_(
          {.timers = timers_,
           .workers = side_workers_,
           .clock = clock_,
           .notifier = notifier_,
           .path = options_.config_path,
           .history = [this] { return store_->job_history(); },
           .apply = [this](const config::LoadResult& fresh,
                           const Reloader::History& history) { return apply(fresh, history); },
           .observer = observers_}),
      watch_({.timers = timers_,
              .workers = side_workers_,
              .connections = *connections_,
              .metrics = metrics_}),
      overview_({.scheduler = scheduler_,
                 .connections = watch_,
                 .loop = loop_,
                 .memory = memory_,
                 .store = *store_,
                 .clock = clock_}),
      heartbeat_({.timers = timers_,
                  .clock = clock_,
                  .notifier = notifier_,
                  .scheduler_ticked = [this] { return scheduler_.load().ticked; },
                  .status = [this] { return overview_.line(); }}),
      api_({.scheduler = scheduler_,
            .requests = requests_,
            .reloader = reloader_,
            .store = *store_,
            .metrics = metrics_,
            .log = log_,
            .workers = side_workers_,
            .timers = timers_,
            .clock = clock_,
            .live = [this] { return overview_.values(); },
            .facts = {.version = std::string(program_version()),
                      .revision = std::string(program_revision()),
                      .instance = settings_.daemon.instance,
                      .config_path = options_.config_path,
                      .pid = this_process().pid,
                      .started = clock_.now()}}),
      router_(http::Guard(settings_.daemon.api_token, own_names(settings_.daemon)),
              [this](const http::Answered& request) { answered(request); }) {
  log_.redactor().learn(settings_);
  log_.on_message([this](LogLevel level) { metrics_.log_message(level); });
  metrics_.set_jobs(settings_);
  connections_->on_wait([this](const ConnectionName& connection, Duration took) {
    metrics_.pool_wait(connection, took);
  });
  metrics_.set_config_hash(loaded.fingerprint);
  lease_return_.serve(*runner_, side_workers_);
  lease_return_.configured(settings_, {});
  api_.add_routes(router_);
  listen();
  if (options_.handle_signals) handle_signals();
}

App::Parts::~Parts() {
  // No call may come in while the rest goes, and side tasks use what is destroyed before them.
  tcp_.reset();
  socket_.reset();
  side_workers_.join();
  relay_.listen({});
}

void App::Parts::listen() {
  const DaemonSettings& settings = settings_.daemon;
  socket_ = http::listen_unix(loop_.context(), settings.socket, router_);
  if (!settings.listen) return;
  tcp_ = http::listen_tcp(loop_.context(), *settings.listen, router_);
  if (!is_loopback(*settings.listen))
    log_.warn(
        fmt::format("{} is reachable from other machines without encryption: metrics and "
                    "health are open there, all else needs the token",
                    *settings.listen));
}

std::optional<std::string> App::Parts::http_address() const {
  return tcp_ ? std::optional(tcp_->address()) : std::nullopt;
}

ExitStatus App::Parts::run() {
  notifier_.status("starting");
  start_jobs();
  watch_.start();
  heartbeat_.start();
  log_.write(LogLevel::info,
             fmt::format("tidemark {} is ready: {} job(s), control socket {}{}", program_version(),
                         settings_.jobs.size(), socket_->address(),
                         tcp_ ? ", http://" + tcp_->address() : ""),
             {}, observe::LogEvent::ready);
  notifier_.ready(overview_.line());
  loop_.run();
  log_.flush();
  if (abandoned_) {
    // A worker is stuck in a call that does not return: its thread can't be joined, and the
    // supervisor must not wait for it. The databases roll its transaction back.
    store_->flush();
    std::_Exit(static_cast<int>(report_ && !report_->unfinished.empty() ? ExitStatus::failed
                                                                        : ExitStatus::done));
  }
  return ExitStatus::done;
}

void App::Parts::start_jobs() {
  std::map<JobName, JobHistory> history;
  try {
    history = store_->job_history();
    const auto progress = store_->last_progress();
    for (const auto& [job, known] : history) {
      const auto found = progress.find(job);
      metrics_.restore(job, known,
                       found == progress.end() ? std::nullopt : std::optional(found->second));
    }
  } catch (const Error& error) {
    log_.write(LogLevel::error, fmt::format("jobs start without their history: {}", error.what()),
               {}, observe::LogEvent::state_store);
  }
  scheduler_.start(settings_, history);
}

void App::Parts::handle_signals() {
  signals_.emplace(
      loop_.context(),
      Signals::Actions{.stop = [this] { stop(); },
                       .reload =
                           [this] {
                             reloader_.request([this](const ReloadFinished& result) {
                               const http::Json body = http::encode(result);
                               store_->record_audit({.at = clock_.now(),
                                                     .actor = "signal",
                                                     .action = "reload",
                                                     .object = "",
                                                     .result = body["result"].get<std::string>()});
                             });
                           },
                       .dump = [this] { dump(); }});
}

void App::Parts::stop() {
  if (std::exchange(stopping_, true)) {
    log_.warn("asked to stop again: statements under way are cancelled");
    if (report_) return leave_leases();
    scheduler_.stop({});
    return;
  }
  log_.write(LogLevel::info, "stopping: runs under way end after their batch", {},
             observe::LogEvent::stopping);
  notifier_.stopping("stopping: runs under way end after their batch");
  heartbeat_.stopping();
  api_.stopping();
  requests_.stop_waiting();
  scheduler_.stop([this](const StopReport& report) { give_back_leases(report); });
}

void App::Parts::give_back_leases(const StopReport& report) {
  if (!report.unfinished.empty()) return end(report);
  report_ = report;
  const Duration most = std::min(release_patience, settings_.daemon.shutdown_timeout);
  patience_ = timers_.after(report.forced ? short_patience : most, [this] { leave_leases(); });
  side_workers_.submit([this] {
    runner_->release_all();
    connections_->close_idle();
    timers_.post([this] { end(*report_); });
  });
}

void App::Parts::leave_leases() {
  log_.warn("a database does not answer: its leases will run out instead of being given back");
  abandoned_ = true;
  end(*report_);
}

void App::Parts::end(const StopReport& report) {
  for (const JobName& job : report.unfinished) {
    abandoned_ = true;
    log_.error("the run did not end even when its statement was cancelled", {{"job", job.text}});
  }
  report_ = report;
  log_.info(report.forced ? "stopped: runs were cut short and rolled back" : "stopped");
  loop_.stop();
}

ReloadFinished App::Parts::apply(const config::LoadResult& loaded,
                                 const Reloader::History& history) {
  std::set<JobName> running;
  for (const JobStatus& job : scheduler_.status())
    if (!job.run_id.empty()) running.insert(job.settings->name);
  log_.redactor().learn(loaded.settings);
  log_.configure(loaded.settings.daemon);
  router_.guard().set_token(loaded.settings.daemon.api_token);
  memory_.set_limit(loaded.settings.daemon.memory);
  settings_.daemon.shutdown_timeout = loaded.settings.daemon.shutdown_timeout;
  metrics_.set_jobs(loaded.settings);
  metrics_.set_config_hash(loaded.fingerprint);
  lease_return_.configured(loaded.settings, running);
  // Before the scheduler, whose changed jobs must open their sessions with the new settings.
  connections_->replace(loaded.settings.connections);
  const std::uint64_t before = scheduler_.generation();
  const ReloadDiff diff = scheduler_.apply(loaded.settings, history);

  ReloadFinished result;
  result.generation = scheduler_.generation();
  result.result = result.generation == before ? ReloadFinished::Result::unchanged
                                              : ReloadFinished::Result::applied;
  const auto texts = [](const std::vector<JobName>& names) {
    std::vector<std::string> list;
    for (const JobName& name : names)
      list.push_back(name.text);
    return list;
  };
  result.added = texts(diff.added);
  result.removed = texts(diff.removed);
  result.changed = texts(diff.changed);
  result.restart_required = diff.restart_required;
  return result;
}

void App::Parts::dump() {
  const http::Json status = api_.status();
  for (const http::Json& job : status["jobs"])
    log_.write(LogLevel::info, "state: " + job.dump(), {{"job", job["name"].get<std::string>()}});
  for (const http::Json& connection : status["connections"])
    log_.write(LogLevel::info, "state: connection " + connection.dump());
}

void App::Parts::answered(const http::Answered& request) {
  const bool known =
      request.method == "GET" || request.method == "HEAD" || request.method == "POST";
  metrics_.http_request(request.handler.empty() ? "other" : request.handler,
                        known ? request.method : "other", static_cast<int>(request.status),
                        Duration(static_cast<std::int64_t>(request.seconds * 1e6)));
  if (!request.auth_failure) return;
  metrics_.http_auth_failure(*request.auth_failure);
  // Whoever knocks without end must not push everybody else out of the audit trail.
  const SteadyTime now = clock_.steady();
  if (now - last_refusal_ < refusal_period) return;
  last_refusal_ = now;
  const std::string actor = request.peer.actor();
  const std::string reason(observe::to_string(*request.auth_failure));
  store_->record_audit({.at = clock_.now(),
                        .actor = actor,
                        .action = "call refused",
                        .object = request.handler,
                        .result = reason});
  log_.write(LogLevel::warn, fmt::format("a call by {} was refused: {}", actor, reason),
             {{"actor", actor}}, observe::LogEvent::audit);
}

App::App(Options options, const config::LoadResult& loaded)
    : parts_(std::make_unique<Parts>(std::move(options), loaded)) {}
App::~App() = default;
ExitStatus App::run() {
  return parts_->run();
}
void App::stop() {
  parts_->post_stop();
}
std::optional<std::string> App::http_address() const {
  return parts_->http_address();
}

}  // namespace tidemark
