#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tidemark::config {

/// The parts of `postgresql://user@host:port/database`, percent-decoded; what is not there is "".
struct ServerUrl {
  std::string type;  ///< postgres or mysql
  std::string user = {};
  std::string host = {};
  std::uint16_t port = 0;
  std::string database = {};
};

/// Either the parts or what is wrong, in words that never quote the URL: it may hold a password.
struct UrlVerdict {
  std::optional<ServerUrl> url = {};
  std::string message = {};
  std::string hint = {};
};
UrlVerdict parse_url(std::string_view text);

/// True where traffic stays on this machine: localhost, 127.0.0.0/8, ::1.
bool is_loopback(std::string_view host) noexcept;

/// "127.0.0.1:9465", "[::1]:9465", "name:9465"; nullopt for anything else.
struct Endpoint {
  std::string host;
  std::uint16_t port = 0;
};
std::optional<Endpoint> parse_endpoint(std::string_view text);

}  // namespace tidemark::config
