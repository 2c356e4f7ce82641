#pragma once

#include <functional>
#include <map>
#include <string>

#include "daemon/http/guard.h"
#include "daemon/http/message.h"

namespace tidemark::http {

using Handler = std::function<void(const Request&, Respond)>;

/// What the listener reports of each request it answered, for metrics and audit.
struct Answered {
  std::string handler;  ///< the route's pattern, a closed set; "" when nothing matched
  std::string method;
  unsigned status = 0;
  double seconds = 0;
  std::optional<observe::AuthFailure> auth_failure = {};
  Peer peer = {};
};

/// Finds the handler of a request and keeps the rules of Guard. Loop thread. A pattern is a path;
/// its last part may be "{name}", which stands for any one name.
class Router {
 public:
  Router(Guard guard, std::function<void(const Answered&)> answered)
      : guard_(std::move(guard)), answered_(std::move(answered)) {}

  void get(const std::string& pattern, Handler handler) { routes_[{pattern, false}] = handler; }
  void post(const std::string& pattern, Handler handler) { routes_[{pattern, true}] = handler; }
  Guard& guard() { return guard_; }

  /// Calls `respond` once, now or later. A handler that throws is a 500 without details.
  void handle(const Request& request, Respond respond) const;

 private:
  using Key = std::pair<std::string, bool>;
  const std::pair<const Key, Handler>* find(const std::string& path, bool writes) const;

  Guard guard_;
  std::function<void(const Answered&)> answered_;
  std::map<Key, Handler> routes_;
};

}  // namespace tidemark::http
