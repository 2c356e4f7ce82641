#include "observe/redactor.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

namespace tidemark::observe {
namespace {

constexpr std::string_view mask = "***";
constexpr std::size_t shortest_value = 4;

/// Names whose value is masked wherever "NAME=" or "\"NAME\":" stands.
constexpr std::array<std::string_view, 8> secret_names{
    "password", "passwd", "pwd", "token", "access_token", "secret", "api_token", "authorization"};
/// Short names that mean a secret in a URL's query only ("?key=", "&sign=").
constexpr std::array<std::string_view, 2> query_names{"key", "sign"};

char lower(char letter) {
  return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
}

bool is_word(char letter) {
  const char low = lower(letter);
  return (low >= 'a' && low <= 'z') || (low >= '0' && low <= '9') || low == '_';
}

bool is_blank(char letter) {
  return letter == ' ' || letter == '\t' || letter == '\r' || letter == '\n';
}

std::string percent_encoded(std::string_view text) {
  std::string result;
  for (const char raw : text) {
    const bool plain = (is_word(raw) || raw == '-' || raw == '.' || raw == '~');
    if (plain)
      result += raw;
    else
      result += fmt::format("%{:02X}", static_cast<unsigned char>(raw));
  }
  return result;
}

std::string json_escaped(std::string_view text) {
  std::string quoted =
      nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  return quoted.substr(1, quoted.size() - 2);
}

void replace_all(std::string& text, std::string_view what) {
  for (std::size_t at = text.find(what); at != std::string::npos;
       at = text.find(what, at + mask.size()))
    text.replace(at, what.size(), mask);
}

/// Where a value that starts at `start` ends: at its closing quote, else at a delimiter.
std::size_t end_of_value(std::string_view text, std::size_t start) {
  if (start < text.size() && (text[start] == '"' || text[start] == '\'')) {
    std::size_t at = start + 1;
    while (at < text.size() && text[at] != text[start])
      at += text[at] == '\\' ? 2 : 1;
    return std::min(at + 1, text.size());
  }
  std::size_t at = start;
  while (at < text.size() && !is_blank(text[at]) &&
         std::string_view("&;,\"'<>)").find(text[at]) == std::string_view::npos)
    ++at;
  return at;
}

/// Start of the value if a name that ends at `at` is followed by "=" or, in JSON, "\":".
std::size_t value_after(std::string_view text, std::size_t at) {
  const bool quoted = at < text.size() && (text[at] == '"' || text[at] == '\'');
  if (quoted) ++at;
  while (at < text.size() && is_blank(text[at]))
    ++at;
  if (at >= text.size() || !(text[at] == '=' || (quoted && text[at] == ':')))
    return std::string_view::npos;
  ++at;
  while (at < text.size() && is_blank(text[at]))
    ++at;
  return at;
}

bool is_secret_name(std::string_view name, char before) {
  std::string low(name);
  std::transform(low.begin(), low.end(), low.begin(), lower);
  const bool in_query = before == '?' || before == '&';
  return std::find(secret_names.begin(), secret_names.end(), low) != secret_names.end() ||
         (in_query && std::find(query_names.begin(), query_names.end(), low) != query_names.end());
}

void mask_assignments(std::string& text) {
  for (std::size_t at = 0; at < text.size();) {
    if (!is_word(text[at])) {
      ++at;
      continue;
    }
    const std::size_t start = at;
    while (at < text.size() && is_word(text[at]))
      ++at;
    const std::string_view name = std::string_view(text).substr(start, at - start);
    if (!is_secret_name(name, start == 0 ? ' ' : text[start - 1])) continue;
    const std::size_t value = value_after(text, at);
    if (value == std::string_view::npos) continue;
    const std::size_t end = end_of_value(text, value);
    if (end == value) continue;
    text.replace(value, end - value, mask);
    at = value + mask.size();
  }
}

/// "scheme://user:password@host": the last "@" of the word ends the password, which may itself
/// hold any of the delimiters when somebody forgot to encode it.
void mask_userinfo(std::string& text) {
  for (std::size_t at = text.find("://"); at != std::string::npos; at = text.find("://", at + 3)) {
    const std::size_t start = at + 3;
    std::size_t end = start;
    while (end < text.size() && !is_blank(text[end]) && text[end] != '"' && text[end] != '\'')
      ++end;
    const std::size_t sign = text.rfind('@', end);
    if (sign == std::string::npos || sign < start || sign >= end) continue;
    const std::size_t colon = text.find(':', start);
    if (colon == std::string::npos || colon >= sign) continue;
    text.replace(colon + 1, sign - colon - 1, mask);
  }
}

/// "Authorization: Bearer x", "Bearer x".
void mask_credentials(std::string& text) {
  for (const std::string_view scheme : {"Bearer ", "bearer ", "Basic ", "basic "})
    for (std::size_t at = text.find(scheme); at != std::string::npos;
         at = text.find(scheme, at + scheme.size())) {
      const std::size_t start = at + scheme.size();
      const std::size_t end = end_of_value(text, start);
      if (end - start >= shortest_value * 2) text.replace(start, end - start, mask);
    }
}

}  // namespace

void Redactor::learn(const Settings& settings) {
  for (const auto& [name, connection] : settings.connections)
    add(connection.password);
  add(settings.daemon.api_token);
}

void Redactor::add(const Secret& secret) {
  if (secret.reveal().size() < shortest_value) return;
  const std::lock_guard guard(mutex_);
  auto next = std::make_shared<Values>(*values_);
  for (const std::string& form :
       {secret.reveal(), percent_encoded(secret.reveal()), json_escaped(secret.reveal())}) {
    const bool known = std::any_of(next->begin(), next->end(),
                                   [&](const Secret& value) { return value.reveal() == form; });
    if (!known) next->emplace_back(form);
  }
  // The longest first: one secret may be part of another.
  std::stable_sort(next->begin(), next->end(), [](const Secret& left, const Secret& right) {
    return left.reveal().size() > right.reveal().size();
  });
  values_ = std::move(next);
}

std::shared_ptr<const Redactor::Values> Redactor::values() const {
  const std::lock_guard guard(mutex_);
  return values_;
}

std::string Redactor::redact(std::string_view text) const {
  std::string result(text);
  const auto known = values();
  for (const Secret& value : *known)
    replace_all(result, value.reveal());
  mask_userinfo(result);
  mask_credentials(result);
  mask_assignments(result);
  return result;
}

}  // namespace tidemark::observe
