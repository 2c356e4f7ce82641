#include <sys/stat.h>

#include <catch2/catch.hpp>

#include "unit/config/loading.h"

namespace tidemark::config::test {
namespace {

std::string connection_with(const std::string& password) {
  return "version: 1\nconnections:\n  erp: {type: mysql, host: localhost, database: erp, "
         "password: " +
         password + "}\n";
}

/// A file that only its owner may read, unless a mode says otherwise.
void secret_file(const Loader& loader, const std::string& name, const std::string& text,
                 mode_t mode = 0600) {
  loader.file(name, text);
  REQUIRE(::chmod((loader.directory() + "/" + name).c_str(), mode) == 0);
}

std::string password_of(const LoadResult& result) {
  return result.settings.connections.at(ConnectionName("erp")).password.reveal();
}

}  // namespace

TEST_CASE("a secret file gives its text without one newline at its end", "[unit][config]") {
  const Loader loader;
  for (const auto& [text, expected] : std::map<std::string, std::string>{{"pw", "pw"},
                                                                         {"pw\n", "pw"},
                                                                         {"pw\n\n", "pw\n"},
                                                                         {"pw\r\n", "pw"},
                                                                         {"pw\r", "pw\r"},
                                                                         {" pw ", " pw "},
                                                                         {"\n", ""}}) {
    CAPTURE(text);
    secret_file(loader, "secret", text);
    const LoadResult result =
        loader.load(connection_with("{file: " + loader.directory() + "/secret}"));
    CHECK(result.ok() == !expected.empty());
    CHECK(password_of(result) == expected);
  }
}

TEST_CASE("a relative secret file lies beside the file that names it", "[unit][config]") {
  const Loader loader;
  loader.file("conf.d/erp.yaml",
              "connections:\n  erp: {type: mysql, host: localhost, database: erp, password: {file: "
              "secret}}\n");
  secret_file(loader, "conf.d/secret", "beside");
  secret_file(loader, "secret", "elsewhere");
  const LoadResult result = loader.load("version: 1\ninclude: conf.d/*.yaml\n");
  CHECK(joined(result.errors, "") == "");
  CHECK(password_of(result) == "beside");
}

TEST_CASE("a secret file that every user can open is refused", "[unit][config]") {
  const Loader loader;
  secret_file(loader, "secret", "hunter2", 0644);
  const std::string path = loader.directory() + "/secret";
  const std::string text = connection_with("{file: secret}");
  CHECK(loader.report(text) ==
        "error: tidemark.yaml:3:65: connections.erp.password: the secret in secret is open to "
        "every user of this machine (chmod o= secret)\n");
  LoadOptions check = options_with();
  check.resolve_secrets = false;
  CHECK_FALSE(loader.load(text, check).ok());
  for (const mode_t mode : {mode_t{0640}, mode_t{0400}, mode_t{0660}}) {
    REQUIRE(::chmod(path.c_str(), mode) == 0);
    CHECK(loader.load(text).ok());
  }
}

TEST_CASE("a credential comes from systemd's directory, whatever its mode", "[unit][config]") {
  const Loader loader;
  secret_file(loader, "credentials/erp", "from systemd\n", 0444);
  const auto options =
      options_with({{"CREDENTIALS_DIRECTORY", loader.directory() + "/credentials"}});
  const LoadResult result = loader.load(connection_with("{credential: erp}"), options);
  CHECK(joined(result.errors, "") == "");
  CHECK(password_of(result) == "from systemd");
  const LoadResult missing = loader.load(connection_with("{credential: wms}"), options);
  REQUIRE(missing.errors.size() == 1);
  CHECK(missing.errors[0].message.find("No such file") != std::string::npos);
}

TEST_CASE("unusable secret files are refused without showing what they hold", "[unit][config]") {
  const Loader loader;
  secret_file(loader, "secret", std::string("hunter2\0x", 9));
  CHECK(loader.report(connection_with("{file: secret}")) ==
        "error: tidemark.yaml:3:65: connections.erp.password: the secret in secret holds a NUL\n");
  secret_file(loader, "secret", std::string((64 << 10) + 1, 'x'));
  CHECK(loader.report(connection_with("{file: secret}")) ==
        "error: tidemark.yaml:3:65: connections.erp.password: the secret in secret is over 64 "
        "KiB\n");
  REQUIRE(::mkfifo((loader.directory() + "/pipe").c_str(), 0600) == 0);
  CHECK(loader.report(connection_with("{file: pipe}")) ==
        "error: tidemark.yaml:3:65: connections.erp.password: pipe is not a regular file\n");
}

TEST_CASE("a secret that is missing is only a warning for a check without login",
          "[unit][config]") {
  const Loader loader;
  LoadOptions check = options_with();
  check.resolve_secrets = false;
  for (const char* where : {"{env: NOT_SET}", "{file: not-there}", "{credential: erp}"}) {
    CAPTURE(where);
    const LoadResult strict = loader.load(connection_with(where));
    CHECK(strict.errors.size() == 1);
    const LoadResult relaxed = loader.load(connection_with(where), check);
    CHECK(relaxed.ok());
    REQUIRE(relaxed.warnings.size() >= 1);
    CHECK(relaxed.warnings.back().path == "connections.erp.password");
    CHECK(password_of(relaxed).empty());
  }
}

TEST_CASE("any single value may come from the environment", "[unit][config]") {
  const Loader loader;
  const auto options = options_with({{"WORKERS", "12"},
                                     {"MEMORY", "128MiB"},
                                     {"LEVEL", "debug"},
                                     {"TABLE", "dwh.customers"},
                                     {"ENABLED", "false"},
                                     {"COLUMN", "internal_note"},
                                     {"REGION", "north"},
                                     {"FRESH", "30m"}});
  const LoadResult result = loader.load(
      file_with_job({.extra = "enabled: {env: ENABLED}\n"
                              "exclude: [{env: COLUMN}, x]\n"
                              "freshness: {env: FRESH}\n"
                              "parallel: {env: NOT_SET, default: 3}\n"
                              "include: {env: NOT_SET, default: \"*\"}\n",
                     .top = "daemon: {workers: {env: WORKERS}, memory: {env: MEMORY}, log: {level: "
                            "{env: LEVEL}}}\n",
                     .target = "table: {env: TABLE}, scope: {region: {env: REGION}}"}),
      options);
  CHECK(joined(result.errors, "") == "");
  CHECK(result.settings.daemon.workers == 12);
  CHECK(result.settings.daemon.memory == 128U << 20);
  CHECK(result.settings.daemon.log_level == LogLevel::debug);
  const JobSettings& job = result.settings.jobs.at(JobName("customers"));
  CHECK(job.target_table == TableName{"dwh", "customers"});
  CHECK_FALSE(job.enabled);
  CHECK(job.exclude == std::vector<std::string>{"internal_note", "x"});
  CHECK(job.include == std::vector<std::string>{"*"});
  CHECK(job.scope.at("region") == "north");
  CHECK(job.parallel == 3);
  CHECK(job.freshness->error == Duration(std::chrono::minutes(30)));
}

TEST_CASE("a value of the environment that is wrong is not shown", "[unit][config]") {
  const Loader loader;
  const std::string report = loader.report(
      "version: 1\ndaemon: {workers: {env: WORKERS}, listen: {env: LISTEN}, instance: {env: I}}\n",
      options_with({{"WORKERS", "hunter2"}, {"LISTEN", "hunter2"}, {"I", "hunter 2"}}));
  CHECK(report.find("hunter") == std::string::npos);
  CHECK(report.find("the value of env WORKERS is not a whole number") != std::string::npos);
}

TEST_CASE("no secret stands in any error, warning or explanation", "[unit][config]") {
  const Loader loader;
  secret_file(loader, "secret", "hunter2-from-file");
  const auto options = options_with({{"SECRET", "hunter2-from-env"}});
  const LoadResult result = loader.load(
      "version: 1\n"
      "daemon: {api_token: hunter2-literal}\n"
      "connections:\n"
      "  a: {type: mysql, host: localhost, database: a, password: {file: secret}}\n"
      "  b: {type: mysql, host: localhost, database: b, password: {env: SECRET}}\n"
      "  c: {type: mysql, host: localhost, database: c, password: hunter2-literal}\n"
      "  d: {url: 'mysql://u:hunter2-url@localhost/d'}\n"
      "  e: {type: mysql, host: localhost, database: e, password: [hunter2-list]}\n"
      "  f: {type: mysql, host: localhost, database: f, password: {hunter2-key: x}}\n",
      options);
  CHECK(result.settings.connections.at(ConnectionName("a")).password.reveal() ==
        "hunter2-from-file");
  std::string everything = joined(result.errors, "") + joined(result.warnings, "");
  for (const bool origin : {false, true})
    for (const bool json : {false, true})
      everything += explain(result.effective, {.origin = origin, .json = json});
  CHECK(everything.find("hunter2") == std::string::npos);
  CHECK(everything.find("<secret>") != std::string::npos);
}

}  // namespace tidemark::config::test
