#include "config/url.h"

#include <algorithm>
#include <utility>

#include "config/scalar.h"
#include "core/value.h"

namespace tidemark::config {
namespace {

struct Scheme {
  std::string_view name;
  std::string_view type;
};
constexpr Scheme schemes[] = {
    {"postgresql", "postgres"}, {"postgres", "postgres"}, {"mysql", "mysql"}, {"mariadb", "mysql"}};

int hex_digit(char letter) noexcept {
  if (letter >= '0' && letter <= '9') return letter - '0';
  if (letter >= 'a' && letter <= 'f') return letter - 'a' + 10;
  if (letter >= 'A' && letter <= 'F') return letter - 'A' + 10;
  return -1;
}

std::optional<std::string> percent_decoded(std::string_view text) {
  std::string decoded;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '%') {
      decoded += text[at];
      continue;
    }
    if (at + 2 >= text.size()) return std::nullopt;
    const int high = hex_digit(text[at + 1]);
    const int low = hex_digit(text[at + 2]);
    if (high < 0 || low < 0 || (high == 0 && low == 0)) return std::nullopt;
    decoded += static_cast<char>(high * 16 + low);
    at += 2;
  }
  if (!is_valid_utf8(decoded)) return std::nullopt;
  return decoded;
}

std::optional<std::uint16_t> parse_port(std::string_view text) {
  const auto number = parse_integer(text);
  if (!number || *number < 0 || *number > 65535) return std::nullopt;
  return static_cast<std::uint16_t>(*number);
}

/// Splits "host", "host:port", "[v6]", "[v6]:port".
std::optional<std::pair<std::string_view, std::string_view>> split_host(std::string_view text) {
  if (text.starts_with('[')) {
    const std::size_t end = text.find(']');
    if (end == std::string_view::npos) return std::nullopt;
    const std::string_view rest = text.substr(end + 1);
    if (!rest.empty() && rest.front() != ':') return std::nullopt;
    return std::pair(text.substr(1, end - 1), rest.empty() ? rest : rest.substr(1));
  }
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos) return std::pair(text, std::string_view());
  if (text.find(':', colon + 1) != std::string_view::npos) return std::nullopt;
  return std::pair(text.substr(0, colon), text.substr(colon + 1));
}

UrlVerdict wrong(std::string message, std::string hint = {}) {
  return {.message = std::move(message), .hint = std::move(hint)};
}

}  // namespace

UrlVerdict parse_url(std::string_view text) {
  const std::size_t colon = text.find("://");
  if (colon == std::string_view::npos)
    return wrong("is not a URL", "postgresql://user@host:port/database or mysql://…");
  const auto scheme = std::find_if(std::begin(schemes), std::end(schemes), [&](const Scheme& one) {
    return one.name == text.substr(0, colon);
  });
  if (scheme == std::end(schemes))
    return wrong("the URL starts with neither postgresql:// nor mysql://",
                 "for sqlite use type and path");
  ServerUrl url{.type = std::string(scheme->type)};
  std::string_view rest = text.substr(colon + 3);
  const auto holds_password = [&] {
    const std::size_t at = rest.rfind('@');
    return at != std::string_view::npos && rest.substr(0, at).find(':') != std::string_view::npos;
  };
  if (holds_password())
    return wrong("the URL holds a password",
                 "take it out, and give it as password: {file: PATH}, {credential: NAME} or "
                 "{env: NAME}");
  if (rest.find_first_of("?#") != std::string_view::npos)
    return wrong("the URL has parameters",
                 "keys of the connection say the same: tls, "
                 "connect_timeout, init_sql");
  const std::size_t slash = std::min(rest.find('/'), rest.size());
  std::string_view authority = rest.substr(0, slash);
  const auto database = percent_decoded(slash < rest.size() ? rest.substr(slash + 1) : "");
  const std::size_t at = authority.rfind('@');
  if (at != std::string_view::npos) {
    const auto decoded = percent_decoded(authority.substr(0, at));
    if (!decoded) return wrong("the URL's user has a % that is no percent-encoding");
    url.user = *decoded;
    authority.remove_prefix(at + 1);
  }
  const auto host = split_host(authority);
  if (!host) return wrong("the URL's host can't be read", "an IPv6 address stands in brackets");
  const auto decoded_host = percent_decoded(host->first);
  if (!decoded_host || decoded_host->empty()) return wrong("the URL names no host");
  url.host = *decoded_host;
  if (!host->second.empty()) {
    const auto port = parse_port(host->second);
    if (!port || *port == 0) return wrong("the URL's port is not a number from 1 to 65535");
    url.port = *port;
  }
  if (!database) return wrong("the URL's database has a % that is no percent-encoding");
  url.database = *database;
  return {.url = std::move(url)};
}

bool is_loopback(std::string_view host) noexcept {
  if (host == "localhost" || host == "::1") return true;
  return host.starts_with("127.") &&
         host.find_first_not_of("0123456789.") == std::string_view::npos;
}

std::optional<Endpoint> parse_endpoint(std::string_view text) {
  const auto parts = split_host(text);
  if (!parts || parts->first.empty() || parts->second.empty()) return std::nullopt;
  const auto port = parse_port(parts->second);
  if (!port) return std::nullopt;
  return Endpoint{.host = std::string(parts->first), .port = *port};
}

}  // namespace tidemark::config
