#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/error.h"
#include "daemon/http/api.h"
#include "daemon/text.h"

namespace tidemark::http {
namespace {

/// A body that can't be followed; becomes a 400.
Error bad_body(std::string message) {
  return Error({.kind = FailureKind::schema, .message = std::move(message)});
}

/// A field of a body with its type checked; nullopt when it is absent or null.
template <class Wanted>
std::optional<Wanted> field(const Json& body, const char* name) {
  const auto found = body.find(name);
  if (found == body.end() || found->is_null()) return std::nullopt;
  bool fits = false;
  if constexpr (std::is_same_v<Wanted, bool>) fits = found->is_boolean();
  if constexpr (std::is_same_v<Wanted, std::string>) fits = found->is_string();
  if constexpr (std::is_same_v<Wanted, std::uint64_t>) fits = found->is_number_unsigned();
  if (!fits) throw bad_body(fmt::format("\"{}\" has the wrong type", name));
  return found->template get<Wanted>();
}

/// A misspelt field must not silently mean the default.
void allow_only(const Json& body, std::initializer_list<std::string_view> names) {
  for (const auto& item : body.items())
    if (std::find(names.begin(), names.end(), item.key()) == names.end())
      throw bad_body("a field of the body is unknown; known: " +
                     fmt::format("{}", fmt::join(names, ", ")));
}

Json parse_body(const Request& request) {
  if (request.body.empty()) return Json::object();
  Json body = Json::parse(request.body, nullptr, false);
  if (!body.is_object()) throw bad_body("the body is no JSON object");
  return body;
}

bool does_not_apply(Refusal::Reason reason) {
  return reason == Refusal::Reason::not_paused || reason == Refusal::Reason::not_running ||
         reason == Refusal::Reason::disabled;
}

unsigned status_of(Refusal::Reason reason) {
  return reason == Refusal::Reason::unknown_job ? 404 : 409;
}

}  // namespace

void Api::add_write(Router& router, const std::string& name, Handler handler) {
  router.post("/api/v1/" + name,
              [this, handler = std::move(handler)](const Request& request, Respond respond) {
                repeats_.handle(request, std::move(respond), handler);
              });
}

void Api::add_writes(Router& router) {
  const auto add = [this, &router](const std::string& path, auto action) {
    add_write(router, path, [this, action](const Request& request, Respond respond) {
      if (stopping_)
        return respond(problem(503, "stopping", "the daemon is about to end; ask again later"));
      try {
        respond((this->*action)(request, parse_body(request)));
      } catch (const Error& error) {
        respond(problem(400, "bad request", error.what()));
      }
    });
  };
  add("run", &Api::start_run);
  add("backfill", &Api::backfill);
  add("accept", &Api::accept);
  add("pause", &Api::pause);
  const auto add_each = [this, &router](const std::string& action, Wish wish) {
    add_write(router, action,
              [this, action, wish = std::move(wish)](const Request& request, Respond respond) {
                try {
                  const Json body = parse_body(request);
                  allow_only(body, {"jobs", "all", "connection", "label"});
                  respond(each(request, body, action, wish));
                } catch (const Error& error) {
                  respond(problem(400, "bad request", error.what()));
                }
              });
  };
  add_each("resume", [this](const JobName& job) { return ports_.scheduler.resume(job); });
  add_each("cancel", [this](const JobName& job) { return ports_.scheduler.cancel(job); });
  add_write(router, "reload", [this](const Request& request, Respond respond) {
    reload(request, std::move(respond));
  });
}

std::vector<JobName> Api::chosen(const Json& body) const {
  const auto all = field<bool>(body, "all").value_or(false);
  const auto connection = field<std::string>(body, "connection");
  const auto label = field<std::string>(body, "label");
  std::vector<JobName> result;
  if (const auto names = body.find("jobs"); names != body.end()) {
    if (!names->is_array()) throw bad_body("\"jobs\" is a list of names");
    for (const Json& name : *names) {
      if (!name.is_string()) throw bad_body("\"jobs\" is a list of names");
      result.emplace_back(name.get<std::string>());
    }
  }
  const int ways = static_cast<int>(!result.empty()) + static_cast<int>(all) +
                   static_cast<int>(connection.has_value()) + static_cast<int>(label.has_value());
  if (ways != 1) throw bad_body("name the jobs by one of jobs, all, connection and label");
  if (!result.empty()) return result;
  for (const JobStatus& status : ports_.scheduler.status()) {
    const JobSettings& job = *status.settings;
    const bool by_connection = connection && (job.source_connection.text == *connection ||
                                              job.target_connection.text == *connection);
    const bool by_label =
        label && std::any_of(job.labels.begin(), job.labels.end(), [&](const auto& entry) {
          return entry.first + "=" + entry.second == *label;
        });
    if (all || by_connection || by_label) result.push_back(job.name);
  }
  if (result.empty()) throw bad_body("no job matches");
  return result;
}

Response Api::each(const Request& request, const Json& body, const std::string& action,
                   const Wish& wish) {
  Json jobs = Json::array();
  unsigned status = 200;
  // Of "all jobs" those are meant that it applies to.
  const bool named = body.contains("jobs");
  bool any = !named;
  for (const JobName& job : chosen(body)) {
    const auto refusal = wish(job);
    if (!named && refusal && does_not_apply(refusal->reason)) continue;
    any = any || !refusal;
    if (refusal) status = status_of(refusal->reason);
    audit(request, action, job.text, refusal ? refusal->message : "ok");
    jobs.push_back({{"job", job.text},
                    {"ok", !refusal},
                    {"refused", refusal ? Json(refusal->message) : Json(nullptr)}});
  }
  return json_response({{"api", 1}, {"jobs", std::move(jobs)}}, any ? 200 : status);
}

Response Api::pause(const Request& request, const Json& body) {
  allow_only(body, {"jobs", "all", "connection", "label", "for_seconds", "reason"});
  PauseRequest wish{.reason = field<std::string>(body, "reason").value_or(""),
                    .by = request.peer.actor()};
  if (const auto length = field<std::uint64_t>(body, "for_seconds")) {
    constexpr std::uint64_t century = 100ULL * 366 * 86'400;
    if (*length == 0 || *length > century) throw bad_body("\"for_seconds\" is out of range");
    wish.length = std::chrono::seconds(*length);
  }
  return each(request, body, "pause",
              [&](const JobName& job) { return ports_.scheduler.pause(job, wish); });
}

Response Api::run(const Request& request, const Json& body, const std::string& action,
                  RunOptions options) {
  const RunRequests::Entry& entry = ports_.requests.begin(chosen(body), options);
  bool any = false;
  unsigned status = 202;
  for (const RunRequests::Item& item : entry.items) {
    audit(request, action, item.job.text, item.refusal ? item.refusal->message : "ok");
    any = any || !item.refusal;
    if (item.refusal) status = status_of(item.refusal->reason);
  }
  return json_response(encode_request(entry), any ? 202 : status);
}

Response Api::start_run(const Request& request, const Json& body) {
  allow_only(body, {"jobs", "all", "connection", "label", "resync", "dry_run", "limit"});
  RunOptions options;
  options.resync = field<bool>(body, "resync").value_or(false);
  options.dry_run = field<bool>(body, "dry_run").value_or(false);
  options.limit = field<std::uint64_t>(body, "limit").value_or(0);
  return run(request, body, options.resync ? "resync" : "run", options);
}

Response Api::backfill(const Request& request, const Json& body) {
  allow_only(body, {"jobs", "from", "to", "where"});
  RunOptions options;
  options.backfill = RunOptions::Backfill{.from = field<std::string>(body, "from"),
                                          .to = field<std::string>(body, "to"),
                                          .where = field<std::string>(body, "where").value_or("")};
  if (!options.backfill->from && !options.backfill->to && options.backfill->where.empty())
    throw bad_body("a backfill needs from, to or where");
  return run(request, body, "backfill", options);
}

Response Api::accept(const Request& request, const Json& body) {
  allow_only(body, {"jobs", "how"});
  const std::string how = field<std::string>(body, "how").value_or("");
  RunOptions options;
  if (how == "keep-mark")
    options.accept = RunOptions::Accept::keep_mark;
  else if (how == "backfill")
    options.accept = RunOptions::Accept::backfill;
  else if (how == "resync")
    options.accept = RunOptions::Accept::resync;
  else
    throw bad_body("\"how\" is one of keep-mark, backfill, resync");
  return run(request, body, "accept " + how, options);
}

void Api::reload(const Request& request, Respond respond) {
  ports_.reloader.request([this, request, respond](const ReloadFinished& result) {
    const Json body = encode(result);
    audit(request, "reload", "", body["result"].get<std::string>());
    const bool rejected = result.result == ReloadFinished::Result::rejected;
    respond(json_response(body, rejected ? 422 : 200));
  });
}

void Api::audit(const Request& request, const std::string& action, const std::string& object,
                const std::string& result) {
  const std::string actor = request.peer.actor();
  ports_.store.record_audit({.at = ports_.clock.now(),
                             .actor = actor,
                             .action = action,
                             .object = object,
                             .result = result});
  ports_.log.write(
      LogLevel::info,
      fmt::format("{} by {}{}: {}", action, actor, object.empty() ? "" : " for " + object, result),
      {{"actor", actor}, {"action", action}, {"object", object}, {"result", result}},
      observe::LogEvent::audit);
}

}  // namespace tidemark::http
