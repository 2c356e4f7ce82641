#include <catch2/catch.hpp>
#include <csignal>

#include "site.h"

using namespace tidemark;
using namespace tidemark::e2e;
using test::wait_until;

namespace {

std::string with(std::string text, const std::string& from, const std::string& to) {
  text.replace(text.find(from), from.size(), to);
  return text;
}

}  // namespace

TEST_CASE("a good file is applied whole: jobs come, go and change", "[e2e]") {
  Site site;
  site.add_items(20);
  test::Daemon daemon = site.start_ready();
  site.wait_equal("items");

  std::string text = site.config_text();
  text = text.substr(0, text.find("  log:\n    source"));
  text += "  copy:\n    source: {table: log}\n    target: {table: copy}\n    mode: full\n";
  text = with(text, "cursor: {column: updated_at", "priority: 3\n    cursor: {column: updated_at");
  site.write_config(text);
  const CommandResult reload = site.command({"reload", "--json"});
  REQUIRE(reload.status == 0);
  const Json result = Json::parse(reload.out);
  CHECK(result["result"] == "applied");
  CHECK(result["added"] == Json{"copy"});
  CHECK(result["removed"] == Json{"log"});
  CHECK(result["changed"] == Json{"items"});
  wait_until("the new job's rows",
             [&] { return site.target().number("SELECT count(*) FROM copy") == 20; });
  CHECK(site.client().get("/api/v1/jobs/log").status == 404);

  SECTION("the same file again changes nothing") {
    const CommandResult again = site.command({"reload"});
    CHECK(again.status == 0);
    CHECK(again.out.find("nothing changed") != std::string::npos);
  }
  SECTION("the memory budget follows the file") {
    site.write_config(with(text, "instance: e2e", "instance: e2e\n  memory: 8MiB"));
    CHECK(site.command({"reload"}).status == 0);
    CHECK(site.http("GET", "/metrics").body.find("tidemark_queue_capacity_bytes 8388608") !=
          std::string::npos);
  }
  SECTION("what needs a restart is named and keeps its value") {
    site.write_config(with(text, "instance: e2e", "instance: other"));
    const CommandResult restart = site.command({"reload", "--json"});
    CHECK(restart.status == 0);
    CHECK(Json::parse(restart.out)["restart_required"] == Json{"daemon.instance"});
    CHECK(site.client().get("/api/v1/status").body["instance"] == "e2e");
  }
}

TEST_CASE("a bad file changes nothing and everybody hears of it", "[e2e]") {
  Site site;
  site.add_items(5);
  test::Daemon daemon = site.start_ready();
  site.wait_equal("items");
  site.write_config(with(site.config_text(), "mode: incremental", "mod: incremental"));

  const CommandResult reload = site.command({"reload", "--wait=30s"});
  CHECK(reload.status == 78);
  CHECK(reload.err.find("tidemark.yaml:") != std::string::npos);
  CHECK(reload.err.find("did you mean") != std::string::npos);
  CHECK(site.http("GET", "/metrics").body.find("tidemark_config_last_reload_successful 0") !=
        std::string::npos);
  const Json status = site.client().get("/api/v1/status").body;
  CHECK(status["last_reload"]["result"] == "rejected");
  CHECK(site.http("GET", "/").body.find("Reload refused") != std::string::npos);
  site.add_items(5, "still");
  site.wait_equal("items");
  site.wait_equal("log");

  site.write_config(site.config_text());
  CHECK(site.command({"reload"}).status == 0);
  CHECK(site.http("GET", "/metrics").body.find("tidemark_config_last_reload_successful 1") !=
        std::string::npos);
}

TEST_CASE("HUP reloads and is in the audit trail's log", "[e2e]") {
  Site site;
  test::Daemon daemon = site.start_ready();
  site.write_config(with(site.config_text(), "every: 1s", "every: 2s"));
  daemon.signal(SIGHUP);
  wait_until("the new generation",
             [&] { return site.client().get("/api/v1/status").body["generation"] == 2; });
  site.write_config("version: 1\nbroken: [\n");
  daemon.signal(SIGHUP);
  wait_until("the refusal", [&] {
    return site.client().get("/api/v1/status").body["last_reload"]["result"] == "rejected";
  });
  CHECK(site.client().get("/api/v1/status").body["generation"] == 2);
}

TEST_CASE("a changed definition halts only that job until somebody accepts it", "[e2e]") {
  Site site;
  site.add_items(30);
  test::Daemon daemon = site.start_ready();
  site.wait_equal("items");
  site.wait_equal("log");
  wait_until("a success", [&] { return site.job("items")["last"]["success"].is_string(); });
  site.write_config(
      with(site.config_text(), "source: {table: items}", "source: {table: items, where: id > 0}"));

  const CommandResult diff = site.command({"check", "--diff"});
  CHECK(diff.status == 1);
  CHECK(diff.out.find("items: would halt") != std::string::npos);
  CHECK(diff.out.find("log: goes on") != std::string::npos);

  REQUIRE(site.command({"reload"}).status == 0);
  wait_until("the halt", [&] { return site.job("items")["state"] == "halted"; });
  CHECK(site.command({"status"}).status == 3);
  CHECK(site.command({"status", "log"}).status == 0);
  const CommandResult why = site.command({"why", "items"});
  CHECK(why.out.find("accept") != std::string::npos);

  const CommandResult accept = site.command({"accept", "items", "--keep-mark"});
  CHECK(accept.status == 0);
  site.add_items(5, "accepted");
  site.wait_equal("items");
  CHECK(site.command({"status"}).status == 0);
}
