#include "daemon/http/guard.h"

#include <arpa/inet.h>
#include <strings.h>

#include <algorithm>
#include <cctype>

namespace tidemark::http {
namespace {

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char letter) { return static_cast<char>(std::tolower(letter)); });
  return text;
}

bool is_ip_address(const std::string& text) {
  in6_addr buffer{};
  return inet_pton(AF_INET, text.c_str(), &buffer) == 1 ||
         inet_pton(AF_INET6, text.c_str(), &buffer) == 1;
}

/// The host of "host", "host:port", "[v6]:port"; empty where it is none of these.
std::string host_of(const std::string& field) {
  if (field.empty()) return {};
  if (field.front() == '[') {
    const std::size_t end = field.find(']');
    return end == std::string::npos ? std::string{} : field.substr(1, end - 1);
  }
  return field.substr(0, field.rfind(':'));
}

bool open_to_all(const std::string& path) {
  return path == "/metrics" || path == "/healthz" || path == "/readyz";
}

}  // namespace

Guard::Guard(Secret token, std::set<std::string> names) : token_(std::move(token)) {
  for (const std::string& name : names)
    names_.insert(lower(name));
  names_.insert("localhost");
}

bool Guard::host_allowed(const std::string& host) const {
  std::string name = lower(host_of(host));
  if (!name.empty() && name.back() == '.') name.pop_back();
  return is_ip_address(name) || names_.count(name) != 0;
}

/// "http://localhost:9465"; "null" is what a browser says for a page from nowhere.
bool Guard::origin_allowed(const std::string& origin) const {
  const std::size_t scheme = origin.find("://");
  return scheme != std::string::npos && host_allowed(origin.substr(scheme + 3));
}

std::optional<Response> Guard::refuse_write(const Request& request, Reason& reason) const {
  if (request.method != "POST")
    return problem(405, "method not allowed", "this server answers GET, HEAD and POST");
  if (request.header("x-tidemark") != "1")
    return problem(403, "header missing", "a call that changes something carries X-Tidemark: 1");
  if (const std::string& site = request.header("sec-fetch-site");
      site == "cross-site" || site == "same-site" ||
      (request.headers.contains("origin") && !origin_allowed(request.header("origin")))) {
    reason = observe::AuthFailure::cross_site;
    return problem(403, "cross-site call", "calls from another site's page are refused");
  }
  const std::string type = lower(request.header("content-type"));
  if (type.substr(0, type.find(';')) != "application/json")
    return problem(415, "not JSON", "a call that changes something carries application/json");
  return std::nullopt;
}

std::optional<Response> Guard::refuse_token(const Request& request, Reason& reason) const {
  const std::string& field = request.header("authorization");
  reason = field.empty() ? observe::AuthFailure::missing_token : observe::AuthFailure::wrong_token;
  if (token_.empty())
    return problem(403, "only over the unix socket",
                   "no daemon.api_token is configured, so this call is taken on the unix socket "
                   "alone");
  constexpr std::size_t prefix = 7;  // "Bearer "
  const bool bearer = field.size() > prefix && strncasecmp(field.c_str(), "Bearer ", prefix) == 0;
  if (bearer && token_.equals(std::string_view(field).substr(prefix))) {
    reason.reset();
    return std::nullopt;
  }
  Response response =
      problem(401, "token needed", "send the daemon's api_token as Authorization: Bearer TOKEN");
  response.headers.emplace_back("WWW-Authenticate", "Bearer");
  return response;
}

std::optional<Response> Guard::refuse(const Request& request, Reason& reason) const {
  if (!request.peer.local && !host_allowed(request.header("host"))) {
    reason = observe::AuthFailure::forbidden_host;
    return problem(421, "unknown host",
                   "ask for this server by its address, localhost or the name it listens on");
  }
  if (request.writes())
    if (auto refusal = refuse_write(request, reason)) return refusal;
  if (request.peer.local) return std::nullopt;
  if (request.writes() || (!request.peer.loopback && !open_to_all(request.path)))
    return refuse_token(request, reason);
  return std::nullopt;
}

}  // namespace tidemark::http
