#pragma once

#include <sys/types.h>

#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

namespace tidemark::http {

/// Who is at the other end of a connection.
struct Peer {
  bool local = false;     ///< over the unix socket: its file mode has let the caller in
  bool loopback = false;  ///< over TCP from this machine
  uid_t uid = 0;          ///< local only: SO_PEERCRED
  pid_t pid = 0;
  std::string address = {};  ///< TCP only
  /// "uid 1000 (pid 4711)" or "tcp 127.0.0.1": for the audit trail.
  std::string actor() const;
};

/// One request, whole, within the limits. Header names are lower case.
struct Request {
  std::string method;
  std::string path;                               ///< decoded, without the query
  std::map<std::string, std::string> query = {};  ///< decoded
  std::map<std::string, std::string> headers = {};
  std::string body = {};
  Peer peer = {};
  const std::string& header(const std::string& name) const;
  bool writes() const { return method != "GET" && method != "HEAD"; }
};

struct Response {
  unsigned status = 200;
  std::string type = "application/json";
  std::string body = {};
  std::vector<std::pair<std::string, std::string>> headers = {};
};

/// Answers a request; called once, on the loop thread.
using Respond = std::function<void(Response)>;

Response json_response(const nlohmann::ordered_json& value, unsigned status = 200);
Response text_response(std::string text, unsigned status = 200);
/// RFC 9457. `detail` says what to do next; it must hold no secret.
Response problem(unsigned status, std::string_view title, std::string_view detail);

/// "/a%20b?x=1&y" taken apart. Returns false where it is not well formed.
bool parse_target(std::string_view target, Request& request);

}  // namespace tidemark::http
