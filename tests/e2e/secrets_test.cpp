#include <catch2/catch.hpp>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <sstream>

#include "site.h"

using namespace tidemark;
using namespace tidemark::e2e;
using test::wait_until;

namespace {

/// The verbs that the help lists: "  verb   what it does", below "Subcommands:".
std::vector<std::string> verbs_of(const std::string& help) {
  std::vector<std::string> verbs;
  std::istringstream lines(help);
  bool below = false;
  for (std::string line; std::getline(lines, line);) {
    if (line.find("ommands:") != std::string::npos)
      below = true;
    else if (below && line.size() > 3 && line.starts_with("  ") && line[2] != ' ')
      verbs.push_back(line.substr(2, line.find(' ', 2) - 2));
  }
  REQUIRE(verbs.size() > 10);
  return verbs;
}

std::string percent_encoded(const std::string& text) {
  std::string encoded;
  for (const char c : text)
    encoded += c == '-' ? std::string("%2D") : std::string(1, c);
  return encoded;
}

/// As it would stand in an Authorization header of the Basic kind; length divisible by three.
std::string base64(const std::string& text) {
  static constexpr std::string_view letters =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string encoded;
  for (std::size_t at = 0; at + 2 < text.size(); at += 3) {
    const auto byte = [&](std::size_t behind) {
      return static_cast<unsigned>(static_cast<unsigned char>(text[at + behind]));
    };
    const unsigned bits = byte(0) << 16U | byte(1) << 8U | byte(2);
    for (const unsigned shift : {18U, 12U, 6U, 0U})
      encoded += letters[bits >> shift & 63U];
  }
  return encoded;
}

}  // namespace

TEST_CASE("no secret and no row value leaves the process, whatever is asked", "[e2e][secrets]") {
  const std::string password = "s3cr3t-Pa55w0rd", token = "t0ken-of-the-daemon";
  Site site("  api_token: {env: E2E_TOKEN}", R"(  locked:
    source: {connection: server, table: items}
    target: {table: locked}
    mode: full
)");
  std::string text = site.config_text();
  text.replace(text.find("level: debug"), 12, "level: trace");
  text.replace(text.find("defaults:"), 0,
               "  server: {type: postgres, host: 127.0.0.1, port: 1, user: u, database: d,\n"
               "           connect_timeout: 1s, password: {env: E2E_PASSWORD}, access: read}\n");
  site.write_config(text);
  site.add_items(50, "private-value");
  test::Daemon daemon = site.start_ready({"E2E_PASSWORD=" + password, "E2E_TOKEN=" + token});
  site.wait_equal("items");
  wait_until("the failure of the locked job",
             [&] { return site.job("locked")["failure"].is_object(); });
  (void)site.http("POST", "/api/v1/pause",
                  {{"X-Tidemark", "1"},
                   {"Content-Type", "application/json"},
                   {"Authorization", "Bearer wrong-" + token}},
                  "{}");
  // Every verb there is, so that a new one is asked here too.
  const std::map<std::string, std::vector<std::vector<std::string>>> verbs{
      {"accept", {{"accept", "items", "--keep-mark"}}},
      {"backfill", {{"backfill", "items", "--from", "2000-01-01"}}},
      {"cancel", {{"cancel", "items"}}},
      {"check", {{"check"}, {"check", "--connect"}, {"check", "--diff"}, {"check", "--json"}}},
      {"checkpoint", {{"checkpoint", "show", "items"}}},
      {"cron", {{"cron", "@daily"}}},
      {"daemon", {}},  // its log is read below
      {"demo", {}},    // brings its own configuration
      {"explain", {{"explain", "--origin"}, {"explain", "--json"}}},
      {"grants", {{"grants"}, {"grants", "server"}}},
      {"history", {{"history", "locked"}, {"history", "locked", "--json"}}},
      {"list", {{"list"}, {"list", "--json"}}},
      {"pause", {{"pause", "log"}}},
      {"plan", {{"plan", "items"}, {"plan", "locked"}}},
      {"prepare", {{"prepare", "locked", "--xid-column"}}},
      {"reload", {{"reload"}}},
      {"resume", {{"resume", "log"}}},
      {"resync", {{"resync", "items"}}},
      {"run", {{"run", "items"}, {"run", "locked"}}},
      {"schema", {{"schema"}}},
      {"status", {{"status"}, {"status", "--json"}}},
      {"version", {{"version"}}},
      {"why", {{"why", "locked"}, {"why", "items"}}}};
  // The verbs get them too, as they would in a shell of the daemon's user.
  ::setenv("E2E_PASSWORD", password.c_str(), 1);
  ::setenv("E2E_TOKEN", token.c_str(), 1);
  std::string said;
  for (const std::string& verb : verbs_of(site.command({"--help"}, false).out)) {
    INFO(verb << " is a verb that this test does not know");
    CHECK(verbs.contains(verb));
  }
  for (const auto& [verb, calls] : verbs) {
    for (const std::vector<std::string>& words : calls) {
      const CommandResult result = site.command(words);
      said += result.out + result.err;
    }
  }
  for (const char* target :
       {"/metrics", "/healthz", "/readyz", "/", "/api/v1/status", "/api/v1/jobs/locked",
        "/api/v1/jobs/items", "/api/v1/history?job=locked", "/api/v1/history?job=items"}) {
    const HttpAnswer answer = site.http("GET", target);
    CAPTURE(target);
    CHECK(answer.status == 200);
    said += answer.body;
    for (const auto& [name, value] : answer.headers)
      said += name + value;
  }
  ::unsetenv("E2E_PASSWORD");
  ::unsetenv("E2E_TOKEN");
  daemon.signal(SIGUSR2);
  wait_until("the state in the log",
             [&] { return site.log().find("state: connection") != std::string::npos; });
  const int status = daemon.stop();
  CHECK(status == 0);
  said += site.log();
  for (const auto& entry : std::filesystem::recursive_directory_iterator(site.path("state")))
    if (entry.is_regular_file()) said += test::read_file(entry.path().string());
  for (const std::string& spelling : {password, token, percent_encoded(password), base64(token)}) {
    CAPTURE(spelling);
    CHECK(said.find(spelling) == std::string::npos);
  }
  CHECK(said.find("private-value") == std::string::npos);
}
