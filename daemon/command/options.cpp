#include "daemon/command/options.h"

namespace tidemark {

void ConfigOption::declare(CLI::App& app) {
  app.add_option("-c,--config", path, "Configuration file")->capture_default_str();
}

void JsonOption::declare(CLI::App& app) {
  app.add_flag("--json", on, "Print JSON, with \"api\": 1");
}

void DaemonOption::declare(CLI::App& app) {
  config.declare(app);
  app.add_option("--socket", socket, "The daemon's control socket, in place of the configured one");
}

ControlClient DaemonOption::client() const {
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
