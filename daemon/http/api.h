#pragma once

#include <functional>
#include <string>
#include <vector>

#include "daemon/http/encode.h"
#include "daemon/http/idempotency.h"
#include "daemon/http/router.h"
#include "daemon/reload.h"
#include "daemon/run_requests.h"
#include "observe/log.h"
#include "observe/metrics.h"
#include "state/state_store.h"
#include "sync/scheduler.h"

namespace tidemark::http {

/// What does not change while the process lives.
struct DaemonFacts {
  std::string version;
  std::string revision;
  std::string instance;
  std::string config_path;
  std::int64_t pid = 0;
  WallTime started{};
};

struct ApiPorts {
  Scheduler& scheduler;
  RunRequests& requests;
  Reloader& reloader;
  state::StateStore& store;
  observe::Metrics& metrics;
  observe::Log& log;
  Workers& workers;  ///< for what reads the disk or takes its time; never the runs' own
  Timers& timers;
  const Clock& clock;
  std::function<observe::LiveValues()> live;
  DaemonFacts facts;
};

/// The HTTP interface: what it answers to which path. Loop thread.
///
/// GET  /metrics /healthz /readyz / /status.css /api/v1/status /api/v1/jobs/{name}
///      /api/v1/history /api/v1/requests/{name}
/// POST /api/v1/reload run pause resume cancel resync backfill accept
class Api {
 public:
  explicit Api(ApiPorts ports) : ports_(std::move(ports)) {}
  void add_routes(Router& router);
  /// The whole of /api/v1/status; also what SIGUSR2 logs.
  Json status() const;
  /// From now on /readyz says no.
  void stopping() noexcept { stopping_ = true; }

 private:
  void add_reads(Router& router);
  void add_writes(Router& router);
  void add_write(Router& router, const std::string& name, Handler handler);

  void metrics(const Request& request, Respond respond) const;
  Response ready() const;
  Response job(const Request& request) const;
  void request_state(const Request& request, Respond respond) const;
  Response request_now(const std::string& id) const;
  void history(const Request& request, Respond respond) const;

  void reload(const Request& request, Respond respond);
  Response run(const Request& request, const Json& body, const std::string& action,
               RunOptions options);
  Response start_run(const Request& request, const Json& body);
  Response backfill(const Request& request, const Json& body);
  Response accept(const Request& request, const Json& body);
  using Wish = std::function<std::optional<Refusal>(const JobName&)>;
  Response each(const Request& request, const Json& body, const std::string& action,
                const Wish& wish);
  Response pause(const Request& request, const Json& body);

  /// The jobs that a body names: "jobs", "all", "connection" or "label". Throws Problem.
  std::vector<JobName> chosen(const Json& body) const;
  Json encode_request(const RunRequests::Entry& entry) const;
  void audit(const Request& request, const std::string& action, const std::string& object,
             const std::string& result);

  ApiPorts ports_;
  Idempotency repeats_;
  bool stopping_ = false;
};

/// The status page: plain HTML that needs no script.
std::string status_page(const Json& status);
std::string_view status_style() noexcept;

}  // namespace tidemark::http
