#include "daemon/http/message.h"

#include <fmt/format.h>

namespace tidemark::http {
namespace {

int hex_digit(char letter) noexcept {
  if (letter >= '0' && letter <= '9') return letter - '0';
  if (letter >= 'a' && letter <= 'f') return letter - 'a' + 10;
  if (letter >= 'A' && letter <= 'F') return letter - 'A' + 10;
  return -1;
}

bool decode(std::string_view text, bool plus_is_blank, std::string& result) {
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '+' && plus_is_blank) {
      result += ' ';
    } else if (text[at] != '%') {
      result += text[at];
    } else {
      const int high = at + 2 < text.size() ? hex_digit(text[at + 1]) : -1;
      const int low = high >= 0 ? hex_digit(text[at + 2]) : -1;
      if (low < 0 || (high == 0 && low == 0)) return false;
      result += static_cast<char>(high * 16 + low);
      at += 2;
    }
  }
  return true;
}

}  // namespace

std::string Peer::actor() const {
  return local ? fmt::format("uid {} (pid {})", uid, pid) : "tcp " + address;
}

const std::string& Request::header(const std::string& name) const {
  static const std::string none;
  const auto found = headers.find(name);
  return found == headers.end() ? none : found->second;
}

Response json_response(const nlohmann::ordered_json& value, unsigned status) {
  // Names may come from a database: a broken byte in one must not cost the whole answer.
  return {
      .status = status,
      .type = "application/json",
      .body = value.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n"};
}

Response text_response(std::string text, unsigned status) {
  return {.status = status, .type = "text/plain; charset=utf-8", .body = std::move(text)};
}

Response problem(unsigned status, std::string_view title, std::string_view detail) {
  Response response = json_response(
      {{"type", "about:blank"}, {"title", title}, {"status", status}, {"detail", detail}}, status);
  response.type = "application/problem+json";
  return response;
}

bool parse_target(std::string_view target, Request& request) {
  if (target.empty() || target.front() != '/') return false;
  const std::size_t mark = target.find('?');
  if (!decode(target.substr(0, mark), false, request.path)) return false;
  if (mark == std::string_view::npos) return true;
  std::string_view rest = target.substr(mark + 1);
  while (!rest.empty()) {
    const std::size_t end = rest.find('&');
    const std::string_view part = rest.substr(0, end);
    const std::size_t equals = part.find('=');
    std::string name, value;
    if (!decode(part.substr(0, equals), true, name)) return false;
    if (equals != std::string_view::npos && !decode(part.substr(equals + 1), true, value))
      return false;
    if (!name.empty()) request.query[name] = value;
    if (end == std::string_view::npos) break;
    rest.remove_prefix(end + 1);
  }
  return true;
}

}  // namespace tidemark::http
