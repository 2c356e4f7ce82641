#include "daemon/config_file.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/connector.h"
#include "core/error.h"
#include "schedule/cron.h"
#include "schedule/zones.h"

namespace tidemark {
namespace {

/// Asks the connector; hints of errors are sentences, those of problems are not.
std::optional<config::Complaint> complaint_about(const std::string& type,
                                                 const std::string& query) {
  const auto& all = connectors();
  const auto info = std::find_if(all.begin(), all.end(), [&](const ConnectorInfo& each) {
    return each.type == type && each.check_query != nullptr;
  });
  if (info == all.end()) return std::nullopt;
  try {
    info->check_query(query);
    return std::nullopt;
  } catch (const Error& error) {
    std::string hint = error.fields().hint;
    if (!hint.empty() && hint.back() == '.') hint.pop_back();
    return config::Complaint{error.fields().message, std::move(hint)};
  }
}

}  // namespace

config::LoadResult load_config(const std::string& path, bool resolve_secrets) {
  config::LoadOptions options;
  options.resolve_secrets = resolve_secrets;
  options.check_cron = [](const std::string& expression, const std::string& zone) {
    return schedule::validate(expression, zone);
  };
  options.check_zone = [](const std::string& zone) -> std::optional<std::string> {
    if (schedule::SystemZones().known(zone)) return std::nullopt;
    return "no such time zone; write an IANA name such as Europe/Berlin";
  };
  options.check_query = complaint_about;
  return config::load(path, options);
}

std::size_t show_problems(Console& console, const config::LoadResult& loaded) {
  for (const config::Problem& problem : loaded.errors)
    console.fail(config::to_string(problem));
  for (const config::Problem& problem : loaded.warnings)
    console.warn(config::to_string(problem));
  return loaded.errors.size();
}

std::string control_socket_of(const std::string& config_path) {
  const config::LoadResult loaded = load_config(config_path, false);
  if (loaded.ok()) return loaded.settings.daemon.socket;
  const config::Effective* socket = loaded.effective.find("daemon.socket");
  return socket != nullptr && !socket->value.empty() ? socket->value : DaemonSettings{}.socket;
}

}  // namespace tidemark
