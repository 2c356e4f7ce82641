#pragma once

#include <string>

#include "config/config.h"
#include "daemon/console.h"

namespace tidemark {

inline constexpr const char* default_config = "/etc/tidemark/tidemark.yaml";

/// Reads and checks the configuration with the cron and zone rules of this program.
config::LoadResult load_config(const std::string& path, bool resolve_secrets = true);

/// Problems as file:line:column on stderr, errors and warnings. Returns how many were errors.
std::size_t show_problems(Console& console, const config::LoadResult& loaded);

/// Where a daemon with this configuration listens; works for a file with problems too, as `reload`
/// must reach the daemon to tell it of a bad file.
std::string control_socket_of(const std::string& config_path);

}  // namespace tidemark
