#include "daemon/http/api.h"

#include <malloc.h>

#include <charconv>
#include <memory>

#include "core/error.h"
#include "daemon/text.h"

namespace tidemark::http {
namespace {

constexpr std::size_t most_history = 1000;
constexpr std::uint32_t longest_wait = 30;
/// Of some 700 jobs.
constexpr std::size_t large_scrape = 4 << 20;

std::string last_part(const std::string& path) {
  return path.substr(path.rfind('/') + 1);
}

template <class Number>
std::optional<Number> number_of(const Request& request, const std::string& name, bool& wrong) {
  const auto found = request.query.find(name);
  if (found == request.query.end()) return std::nullopt;
  Number value{};
  const char* end = found->second.data() + found->second.size();
  const auto parsed = std::from_chars(found->second.data(), end, value);
  wrong = wrong || parsed.ec != std::errc{} || parsed.ptr != end;
  return value;
}

}  // namespace

void Api::add_routes(Router& router) {
  add_reads(router);
  add_writes(router);
}

void Api::add_reads(Router& router) {
  router.get("/metrics", [this](const Request& request, Respond respond) {
    metrics(request, std::move(respond));
  });
  // That it is answered at all is the answer: the loop is alive.
  router.get("/healthz", [](const Request&, Respond respond) { respond(text_response("ok\n")); });
  router.get("/readyz", [this](const Request&, Respond respond) { respond(ready()); });
  router.get("/api/v1/status",
             [this](const Request&, Respond respond) { respond(json_response(status())); });
  router.get("/api/v1/jobs/{name}",
             [this](const Request& request, Respond respond) { respond(job(request)); });
  router.get("/api/v1/requests/{name}", [this](const Request& request, Respond respond) {
    request_state(request, std::move(respond));
  });
  router.get("/api/v1/history", [this](const Request& request, Respond respond) {
    history(request, std::move(respond));
  });
  router.get("/", [this](const Request&, Respond respond) {
    respond({.type = "text/html; charset=utf-8", .body = status_page(status())});
  });
  router.get("/status.css", [](const Request&, Respond respond) {
    respond({.type = "text/css; charset=utf-8", .body = std::string(status_style())});
  });
}

void Api::metrics(const Request&, Respond respond) const {
  // Values are taken here, on the loop; turning them into text takes long and happens elsewhere.
  auto live = std::make_shared<observe::LiveValues>(ports_.live());
  ports_.workers.submit([this, live = std::move(live), respond = std::move(respond)]() mutable {
    auto text = std::make_shared<std::string>(ports_.metrics.serialize(*live));
    live.reset();
    const bool large = text->size() > large_scrape;
    ports_.timers.post([text = std::move(text), respond = std::move(respond)] {
      respond({.type = "text/plain; version=0.0.4; charset=utf-8", .body = std::move(*text)});
    });
    // Each worker that was ever asked would keep what the pieces of such a text took.
    if (large) malloc_trim(0);
  });
}

Response Api::ready() const {
  if (stopping_) return text_response("stopping\n", 503);
  if (!ports_.store.healthy()) return text_response("the state store can't write\n", 503);
  return text_response("ready\n");
}

Json Api::status() const {
  const WallTime now = ports_.clock.now();
  Json jobs = Json::array();
  bool all_healthy = true;
  for (const JobStatus& job : ports_.scheduler.status()) {
    all_healthy = all_healthy && healthy(job);
    jobs.push_back(encode(job, now));
  }
  const observe::LiveValues live = ports_.live();
  Json connections = Json::array();
  for (const auto& connection : live.connections)
    connections.push_back(encode(connection));
  Json reload = nullptr;
  if (const auto& last = ports_.reloader.last()) {
    reload = encode(last->result);
    reload["at"] = time_text(last->at);
  }
  return {{"api", 1},
          {"version", ports_.facts.version},
          {"revision", ports_.facts.revision},
          {"instance", ports_.facts.instance},
          {"pid", ports_.facts.pid},
          {"now", time_text(now)},
          {"started", time_text(ports_.facts.started)},
          {"config", ports_.facts.config_path},
          {"generation", ports_.scheduler.generation()},
          {"last_reload", std::move(reload)},
          {"stopping", stopping_},
          {"healthy", all_healthy},
          {"queue", live.scheduler_queue_length},
          {"jobs", std::move(jobs)},
          {"connections", std::move(connections)}};
}

Response Api::job(const Request& request) const {
  const JobName name(last_part(request.path));
  const auto status = ports_.scheduler.status(name);
  if (!status) return problem(404, "no such job", "see `tidemark list` for the jobs there are");
  Json body = {{"api", 1}};
  body.update(encode(*status, ports_.clock.now()));
  return json_response(body);
}

/// With `wait` the answer comes when the runs have ended, or after so many seconds as things stand.
void Api::request_state(const Request& request, Respond respond) const {
  bool wrong = false;
  const auto wait = number_of<std::uint32_t>(request, "wait", wrong);
  if (wrong || wait > longest_wait)
    return respond(
        problem(400, "bad number", "wait is a whole number of seconds, 30 at most: ask again"));
  const std::string id = last_part(request.path);
  if (!wait || *wait == 0 || stopping_) return respond(request_now(id));
  ports_.requests.when_done(id, std::chrono::seconds(*wait),
                            [this, id, respond = std::move(respond)] { respond(request_now(id)); });
}

Response Api::request_now(const std::string& id) const {
  const auto* entry = ports_.requests.find(id);
  if (entry == nullptr)
    return problem(404, "no such request", "only the newest hundred are remembered");
  return json_response(encode_request(*entry));
}

Json Api::encode_request(const RunRequests::Entry& entry) const {
  const WallTime now = ports_.clock.now();
  Json jobs = Json::array();
  for (const RunRequests::Item& item : entry.items) {
    const auto status = ports_.scheduler.status(item.job);
    Json outcome = nullptr;
    if (item.finished) {
      outcome = encode(item.finished->outcome);
      outcome["run"] = item.finished->run_id;
      outcome["seconds"] = std::chrono::duration<double>(item.finished->took).count();
    }
    jobs.push_back({{"job", item.job.text},
                    {"done", item.refusal.has_value() || item.finished.has_value()},
                    {"refused", item.refusal ? Json(item.refusal->message) : Json(nullptr)},
                    {"outcome", std::move(outcome)},
                    {"status", status ? encode(*status, now) : Json(nullptr)}});
  }
  return {{"api", 1}, {"request", entry.id}, {"done", entry.done()}, {"jobs", std::move(jobs)}};
}

void Api::history(const Request& request, Respond respond) const {
  const auto name = request.query.find("job");
  if (name == request.query.end())
    return respond(problem(400, "job missing", "ask for /api/v1/history?job=NAME"));
  bool wrong = false;
  const auto limit = number_of<std::size_t>(request, "limit", wrong);
  const auto before = number_of<std::int64_t>(request, "before", wrong);
  if (wrong) return respond(problem(400, "bad number", "limit and before are whole numbers"));
  const JobName job(name->second);
  const std::size_t count = std::min(limit.value_or(20), most_history);
  ports_.workers.submit([this, job, count, before, respond = std::move(respond)] {
    auto answer = std::make_shared<Response>();
    try {
      Json runs = Json::array();
      for (const state::RunRecord& record : ports_.store.history(job, count, before))
        runs.push_back(encode(record));
      *answer = json_response({{"api", 1}, {"job", job.text}, {"runs", std::move(runs)}});
    } catch (const Error& error) {
      *answer = problem(503, "the state store can't be read", error.what());
    }
    ports_.timers.post([answer, respond] { respond(std::move(*answer)); });
  });
}

}  // namespace tidemark::http
