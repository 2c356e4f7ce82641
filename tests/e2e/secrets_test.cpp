#include <catch2/catch.hpp>

#include "site.h"

using namespace tidemark;
using namespace tidemark::e2e;
using test::wait_until;

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
  std::string said = site.log();
  for (const char* target : {"/metrics", "/api/v1/status", "/", "/api/v1/history?job=locked"})
    said += site.http("GET", target).body;
  for (const std::vector<std::string>& words : {std::vector<std::string>{"explain", "--origin"},
                                                {"explain", "--json"},
                                                {"status", "--json"},
                                                {"why", "locked"},
                                                {"check"},
                                                {"check", "--connect"},
                                                {"plan", "items"},
                                                {"grants"}}) {
    const CommandResult result = site.command(words);
    said += result.out + result.err;
  }
  CHECK(said.find(password) == std::string::npos);
  CHECK(said.find(token) == std::string::npos);
  CHECK(said.find("private-value") == std::string::npos);
}
