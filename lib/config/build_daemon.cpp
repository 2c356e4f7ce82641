#include <algorithm>
#include <thread>

#include "config/build.h"
#include "config/url.h"

namespace tidemark::config {
namespace {

constexpr std::size_t shortest_token = 16;

LogLevel log_level(std::string_view text) {
  if (text == "trace") return LogLevel::trace;
  if (text == "debug") return LogLevel::debug;
  if (text == "warn") return LogLevel::warn;
  if (text == "error") return LogLevel::error;
  return LogLevel::info;
}

LogFormat log_format(std::string_view text) {
  if (text == "text") return LogFormat::text;
  if (text == "json") return LogFormat::json;
  if (text == "journal") return LogFormat::journal;
  return LogFormat::automatic;
}

std::optional<std::string> build_listen(const Item& item, const Item& token,
                                        const Building& building) {
  if (!item.usable() || item.text == "none") return std::nullopt;
  const auto endpoint = parse_endpoint(item.text);
  if (!endpoint) {
    building.error(item, "is not an address and a port", "127.0.0.1:9465, [::1]:9465, or none");
  } else if (!is_loopback(endpoint->host) && !token.given()) {
    building.error(item, "other machines can reach this address, so it needs daemon.api_token",
                   "give a token, or listen on 127.0.0.1");
  }
  return item.text;
}

bool is_instance(std::string_view text) {
  const auto fits = [](char letter) {
    return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
           (letter >= '0' && letter <= '9') || letter == '_' || letter == '.' || letter == '-';
  };
  return !text.empty() && text.size() <= 64 && std::all_of(text.begin(), text.end(), fits);
}

}  // namespace

DaemonSettings build_daemon(Item& item, const Building& building) {
  Item& workers = item["workers"];
  if (workers.state == Item::State::absent) {
    const unsigned cores =
        building.options.cores != 0 ? building.options.cores : std::thread::hardware_concurrency();
    workers.fill(std::to_string(std::max(4U, 2 * cores)));
  }
  const Item& instance = item["instance"];
  if (instance.usable() && !is_instance(instance.text))
    building.error(instance, "has characters that an instance's name can't have",
                   "up to 64 letters, digits, _, . and -");
  const Item& token = item["api_token"];
  if (token.usable() && token.secret.reveal().size() < shortest_token)
    building.warning(token, "is shorter than 16 characters, which can be guessed");

  DaemonSettings settings;
  settings.instance = instance.text;
  settings.listen = build_listen(item["listen"], token, building);
  settings.socket = item["socket"].text;
  settings.api_token = token.secret;
  settings.workers = static_cast<std::uint32_t>(workers.integer());
  settings.memory = item["memory"].size();
  settings.state_dir = item["state_dir"].text;
  settings.shutdown_timeout = item["shutdown_timeout"].duration();
  settings.log_level = log_level(item["log"]["level"].text);
  settings.log_format = log_format(item["log"]["format"].text);
  return settings;
}

}  // namespace tidemark::config
