#include "daemon/command/options.h"

#include <fstream>
#include <iterator>

#include "core/error.h"

namespace tidemark {
namespace {

CLI::Validator url_validator() {
  return CLI::Validator(
      [](std::string& text) {
        return parse_daemon_url(text)
                   ? std::string()
                   : "write http://HOST:PORT; from another machine through an SSH tunnel, as the "
                     "daemon does not encrypt";
      },
      "URL");
}

/// One trailing newline is cut, as in the configuration.
Secret read_token(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(file), {}};
  if (!file && text.empty())
    throw Error({.kind = FailureKind::permission, .message = "can't read the token file " + path});
  if (text.ends_with('\n')) text.pop_back();
  return Secret(std::move(text));
}

}  // namespace

void ConfigOption::declare(CLI::App& app) {
  app.add_option("-c,--config", path, "Configuration file")->capture_default_str();
}

void JsonOption::declare(CLI::App& app) {
  app.add_flag("--json", on, "Print JSON, with \"api\": 1");
}

void DaemonOption::declare(CLI::App& app) {
  config.declare(app);
  auto* at = app.add_option("--socket", socket,
                            "The daemon's control socket, in place of the configured one");
  auto* over = app.add_option("--url", url, "http://HOST:PORT of a daemon, in place of its socket")
                   ->excludes(at)
                   ->check(url_validator());
  app.add_option("--token-file", token_file, "File with the token that the daemon at --url wants")
      ->needs(over);
}

ControlClient DaemonOption::client() const {
  if (!url.empty()) {
    ControlAddress address = *parse_daemon_url(url);
    if (!token_file.empty()) address.token = read_token(token_file);
    return ControlClient(std::move(address));
  }
  return ControlClient(socket.empty() ? control_socket_of(config.path) : socket);
}

void JobsOption::declare(CLI::App& app) {
  app.add_option("JOB", jobs, "Jobs by name")->check(job_name_validator());
  app.add_option("--connection", connection, "All jobs that use this connection");
  app.add_option("--label", label, "All jobs with this label, as KEY=VALUE");
  app.add_flag("--all", all, "All jobs");
}

nlohmann::json JobsOption::body() const {
  const int ways = static_cast<int>(!jobs.empty()) + static_cast<int>(!connection.empty()) +
                   static_cast<int>(!label.empty()) + static_cast<int>(all);
  if (ways != 1) throw WrongUsage("name jobs, or give one of --connection, --label and --all");
  if (!jobs.empty()) return {{"jobs", jobs}};
  if (!connection.empty()) return {{"connection", connection}};
  if (!label.empty()) return {{"label", label}};
  return {{"all", true}};
}

CLI::Validator job_name_validator() {
  return CLI::Validator(
      [](std::string& text) {
        const bool good =
            !text.empty() && text.size() <= 64 &&
            text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_.-") == std::string::npos;
        return good ? std::string() : "this can't be a job's name: " + text;
      },
      "");
}

CLI::Validator duration_validator() {
  return CLI::Validator(
      [](std::string& text) {
        return config::parse_duration(text) ? std::string()
                                            : "write a duration with its unit, as in 30s or 2h";
      },
      "DURATION");
}

std::optional<config::LoadResult> load_or_complain(Console& console, const std::string& path,
                                                   bool resolve_secrets) {
  config::LoadResult loaded = load_config(path, resolve_secrets);
  if (show_problems(console, loaded) != 0) return std::nullopt;
  return loaded;
}

}  // namespace tidemark
