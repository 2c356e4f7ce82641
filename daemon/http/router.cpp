#include "daemon/http/router.h"

#include <chrono>
#include <memory>

#include "core/error.h"

namespace tidemark::http {

const std::pair<const Router::Key, Handler>* Router::find(const std::string& path,
                                                          bool writes) const {
  if (const auto exact = routes_.find({path, writes}); exact != routes_.end()) return &*exact;
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos || slash + 1 == path.size()) return nullptr;
  const auto prefix = routes_.find({path.substr(0, slash) + "/{name}", writes});
  return prefix == routes_.end() ? nullptr : &*prefix;
}

void Router::handle(const Request& request, Respond respond) const {
  const auto* route = find(request.path, request.writes());
  auto event = std::make_shared<Answered>();
  event->handler = route != nullptr ? route->first.first : "";
  event->method = request.method;
  event->peer = request.peer;
  const auto started = std::chrono::steady_clock::now();
  auto finish = [this, event, started, respond = std::move(respond)](Response response) {
    event->status = response.status;
    event->seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
    if (answered_) answered_(*event);
    respond(std::move(response));
  };
  if (auto refusal = guard_.refuse(request, event->auth_failure)) {
    finish(std::move(*refusal));
    return;
  }
  if (route == nullptr) {
    if (find(request.path, !request.writes()) != nullptr)
      finish(problem(405, "method not allowed", "this path takes another method"));
    else
      finish(problem(404, "not found", "the interface is described at docs/operations.md"));
    return;
  }
  try {
    route->second(request, finish);
  } catch (const Error& error) {
    finish(problem(500, "failed", error.what()));
  } catch (const std::exception&) {
    // The text of a foreign exception may quote what it choked on.
    finish(problem(500, "internal error", "see the daemon's log"));
  }
}

}  // namespace tidemark::http
