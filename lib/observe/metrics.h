#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/observer.h"
#include "core/pauses.h"
#include "core/settings.h"

namespace tidemark::observe {

/// What *is* at the moment of a scrape, as opposed to what was counted: taken on the loop thread as
/// plain values and handed to `Metrics::serialize` on a worker.
struct LiveValues {
  struct Halt {
    FailureKind kind = FailureKind::internal;
    std::string remedy =
        {};  ///< Failure::remedy; anything outside its closed set shows as "report"
  };
  struct Job {
    JobName name;
    JobState state = JobState::waiting;
    std::optional<WallTime> next_run = {};
    std::optional<WallTime> deadline = {};  ///< when the next success is due (decisions: stale)
    bool stale = false;
    bool degraded = false;
    unsigned consecutive_failures = 0;
    std::optional<Halt> halt = {};  ///< set while the state is `halted`
  };
  struct Connection {
    ConnectionName name;
    std::optional<bool> up = {};  ///< nullopt: nobody has tried yet
    std::string server_version = {};
    std::string tls = {};  ///< "TLSv1.3", "off", "local"; "" while unknown
    std::uint32_t idle = 0;
    std::uint32_t busy = 0;
    std::uint32_t waiting = 0;  ///< runs without a session
  };
  std::vector<Job> jobs = {};
  std::vector<Connection> connections = {};
  std::size_t scheduler_queue_length = 0;
  std::uint32_t workers_idle = 0;
  std::uint32_t workers_busy = 0;
  Duration event_loop_delay{};
  std::uint64_t queue_rows = 0;    ///< batches in flight
  Bytes queue_bytes = 0;           ///< the same
  Bytes queue_capacity_bytes = 0;  ///< daemon.memory
  Bytes state_store_bytes = 0;
  std::uint64_t state_store_errors = 0;  ///< since the start of the process
};

/// Why a call over HTTP was turned away.
enum class AuthFailure { missing_token, wrong_token, forbidden_host, cross_site };
std::string_view to_string(AuthFailure reason) noexcept;
std::string_view to_string(LogLevel level) noexcept;

struct BuildInfo {
  std::string version;
  std::string revision;
  std::string compiler = {};  ///< "": the one that built this library
  std::string features = {};  ///< connectors, comma separated
};

/// Every metric of the daemon (metric_table.h), on prometheus-cpp's core.
///
/// Counts come from Observer events and the methods below, states from LiveValues, lag is computed
/// when `serialize` is called, so that it grows while nothing happens. Label values come from the
/// configuration or a closed enum; every series of a closed enum exists at 0 from the start. Series
/// of jobs and connections that are no longer configured go away with `set_jobs`.
///
/// Any thread, all methods: one short mutex. Observer methods never throw.
class Metrics final : public Observer {
 public:
  Metrics(const Clock& clock, BuildInfo build);
  ~Metrics() override;
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  /// Makes the series of all jobs and connections; at start and after an applied reload.
  void set_jobs(const Settings& settings);
  /// Hash of the configuration's text; the lower 48 bits are shown (exact in a double).
  void set_config_hash(std::uint64_t hash);

  /// What a job knew before this process started, from the state store. After `set_jobs`.
  void restore(const JobName& job, const JobHistory& history,
               const std::optional<Progress>& progress);

  void connection_error(const ConnectionName& connection, FailureKind kind);
  /// How long a run waited for a session of a connection.
  void pool_wait(const ConnectionName& connection, Duration took);
  /// `handler` is the route's pattern ("/api/v1/jobs/{name}"), never the path that was asked for.
  void http_request(std::string_view handler, std::string_view method, int code, Duration took);
  void http_auth_failure(AuthFailure reason);
  void log_message(LogLevel level);

  void run_started(const RunStarted& event) override;
  void batch_committed(const RunProgress& event) override;
  void run_finished(const RunFinished& event) override;
  void retry_scheduled(const JobName& job, const Failure& failure, unsigned attempt,
                       Duration delay) override;
  void run_skipped(const JobName& job, SkipReason reason) override;
  void state_changed(const StateChanged& event) override;
  void rows_came_late(const JobName& job, Duration by, std::uint64_t rows) override;
  void reload_finished(const ReloadFinished& event) override;

  /// The text format 0.0.4, for Content-Type "text/plain; version=0.0.4; charset=utf-8". Takes 0.1
  /// s for 500 jobs (40,000 lines): call it on a worker thread.
  std::string serialize(const LiveValues& live) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tidemark::observe
