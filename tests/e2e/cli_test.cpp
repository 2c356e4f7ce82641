#include <catch2/catch.hpp>
#include <csignal>
#include <filesystem>

#include "site.h"

using namespace tidemark;
using namespace tidemark::e2e;
using test::wait_until;

TEST_CASE("a wrong command line is 64, help and version are 0", "[e2e][cli]") {
  const auto status = [](std::vector<std::string> words) {
    words.insert(words.begin(), TIDEMARK_BINARY);
    return run(words).status;
  };
  CHECK(status({}) == 64);
  CHECK(status({"nonsense"}) == 64);
  CHECK(status({"status", "--nonsense"}) == 64);
  CHECK(status({"run"}) == 64);
  CHECK(status({"run", "Not/A/Job"}) == 64);
  CHECK(status({"cron"}) == 64);
  CHECK(status({"cron", "61 * * * *"}) == 64);
  CHECK(status({"reload", "--wait", "60"}) == 64);
  CHECK(status({"accept", "items"}) == 64);
  CHECK(status({"pause"}) == 64);
  CHECK(status({"--help"}) == 0);
  CHECK(status({"version"}) == 0);
  CHECK(status({"--version"}) == 0);
  for (const char* verb :
       {"daemon", "run",    "check",  "plan",     "status", "list",       "why",     "pause",
        "resume", "cancel", "resync", "backfill", "accept", "checkpoint", "history", "explain",
        "grants", "schema", "cron",   "reload",   "demo",   "prepare",    "version"}) {
    INFO(verb);
    CHECK(status({verb, "--help"}) == 0);
  }
}

TEST_CASE("check tells a good file from a bad one, with line and column", "[e2e][cli]") {
  Site site;
  site.add_items(3);
  CHECK(site.command({"check"}).status == 0);
  const CommandResult connected = site.command({"check", "--connect"});
  CHECK(connected.status == 0);
  CHECK(connected.out.find("items: ok") != std::string::npos);
  CHECK(connected.err.find("ReadWritePaths=") != std::string::npos);
  const Json json = Json::parse(site.command({"check", "--connect", "--json"}).out);
  CHECK(json["api"] == 1);
  CHECK(json["ok"] == true);
  CHECK(json["jobs"].size() == 2);

  std::string text = site.config_text();
  text.replace(text.find("{table: items}"), 14, "{table: absent}");
  site.write_config(text);
  CHECK(site.command({"check"}).status == 0);
  const CommandResult absent = site.command({"check", "--connect"});
  CHECK(absent.status == 78);
  CHECK(absent.out.find("absent") != std::string::npos);

  site.write_config("version: 1\njobs:\n  a: {mode: wrong}\n");
  const CommandResult bad = site.command({"check"});
  CHECK(bad.status == 78);
  CHECK(bad.err.find("tidemark.yaml:3:") != std::string::npos);
  CHECK(site.command({"daemon"}).status == 78);
  CHECK(site.command({"run", "a"}).status == 78);
  CHECK(run({TIDEMARK_BINARY, "check", "-c", site.path("no such file")}).status == 78);
}

TEST_CASE("a query that can't be read in parts is refused with its place in the file",
          "[e2e][cli]") {
  Site site;
  const auto refused = [&](const std::string& query) {
    std::string text = site.config_text();
    text.replace(text.find("{table: items}"), 14, "{query: \"" + query + "\"}\n    key: [id]");
    site.write_config(text);
    const CommandResult check = site.command({"check"});
    CHECK(check.status == 78);
    CHECK(site.command({"daemon"}).status == 78);
    return check.err;
  };
  const std::string ordered = refused("SELECT id, updated_at FROM items ORDER BY id");
  INFO(ordered);
  CHECK(ordered.find("tidemark.yaml:19:21: jobs.items.source.query: the query can't be used: it "
                     "has ORDER BY at its top level (line 1 of it)") != std::string::npos);
  CHECK(refused("SELECT id, updated_at FROM items LIMIT 5").find("it has LIMIT at its top level") !=
        std::string::npos);
}

TEST_CASE("every configuration in etc/ passes check", "[e2e][cli]") {
  std::size_t seen = 0;
  for (const auto& entry :
       std::filesystem::recursive_directory_iterator(std::string(TIDEMARK_SOURCE_DIR) + "/etc")) {
    const auto& path = entry.path();
    const std::string folder = path.parent_path().filename().string();
    if (path.extension() != ".yaml" || folder == "prometheus" || folder == "grafana" ||
        folder == "conf.d")
      continue;
    ++seen;
    const CommandResult check = run({TIDEMARK_BINARY, "check", "-c", path.string()});
    INFO(path.string() << "\n" << check.err);
    CHECK(check.status == 0);
  }
  CHECK(seen > 0);
}

TEST_CASE("run works without a daemon, and says where the time went", "[e2e][cli]") {
  Site site;
  site.add_items(2000);
  const CommandResult dry = site.command({"run", "items", "--dry-run"});
  CHECK(dry.status == 0);
  CHECK(site.target().number("SELECT count(*) FROM items") == 0);
  const CommandResult first = site.command({"run", "items", "log"});
  INFO(first.err);
  CHECK(first.status == 0);
  CHECK(first.out.find("items: success: 2,000 rows read") != std::string::npos);
  CHECK(first.out.find("time: ") != std::string::npos);
  CHECK(site.equal("items"));
  CHECK(site.equal("log"));
  const CommandResult again = site.command({"run", "items", "log", "--json"});
  CHECK(again.status == 0);
  const Json result = Json::parse(again.out);
  CHECK(result["api"] == 1);
  CHECK(result["jobs"][0]["outcome"]["counts"]["inserted"] == 0);
  CHECK(site.command({"run", "none"}).status == 64);
  const CommandResult checkpoint = site.command({"checkpoint", "show", "items", "--json"});
  CHECK(checkpoint.status == 0);
  CHECK(Json::parse(checkpoint.out)["same_definition"] == true);
}

TEST_CASE("run's exit status says what kept the rows from arriving", "[e2e][cli]") {
  Site site("", R"(  gone:
    source: {connection: away, table: items}
    target: {table: gone}
    mode: full
    retry: {initial: 10ms, max: 20ms, attempts: 2}
  absent:
    source: {table: absent}
    target: {table: absent}
    mode: full
  refused:
    source: {table: items}
    target: {table: narrow, create: never}
    mode: full
    exclude: [amount, updated_at]
)");
  std::string text = site.config_text();
  text.replace(text.find("defaults:"), 0,
               "  away: {type: postgres, host: 127.0.0.1, port: 1, user: u, database: d,\n"
               "         connect_timeout: 1s, access: read}\n");
  site.write_config(text);
  site.add_items(3);
  CHECK(site.command({"run", "gone"}).status == 69);
  const CommandResult absent = site.command({"run", "absent"});
  CHECK(absent.status == 78);
  CHECK(absent.err.find("absent") != std::string::npos);
  site.target().execute(
      "CREATE TABLE narrow (id INTEGER PRIMARY KEY, name VARCHAR(60) CHECK (name <> 'item 2'))");
  const CommandResult refused = site.command({"run", "refused"});
  CHECK(refused.status == 1);
  CHECK(refused.err.find("item 2") == std::string::npos);
  CHECK(site.command({"run", "items", "gone"}).status == 69);
}

TEST_CASE("the daemon is driven through its socket", "[e2e][cli]") {
  Site site;
  site.add_items(10);
  CHECK(site.command({"status"}).status == 69);
  CHECK(site.command({"pause", "items"}).status == 69);
  test::Daemon daemon = site.start_ready();
  site.wait_equal("items");
  wait_until("health", [&] { return site.command({"status"}).status == 0; });
  const Json status = Json::parse(site.command({"status", "--json"}).out);
  CHECK(status["api"] == 1);
  CHECK(status["healthy"] == true);
  CHECK(site.command({"list"}).out.find("NEXT") == 0);
  CHECK(Json::parse(site.command({"list", "--json"}).out)["jobs"].size() == 2);

  CHECK(site.command({"pause", "items", "--for", "1h", "--reason", "works"}).status == 0);
  // A run under way ends its batch first.
  wait_until("the pause", [&] { return site.job("items")["state"] == "paused"; });
  const CommandResult why = site.command({"why", "items"});
  CHECK(why.out.find("paused") != std::string::npos);
  CHECK(site.command({"run", "items"}).status == 1);
  CHECK(site.command({"resume", "log"}).status == 1);  // it was not paused
  CHECK(site.command({"resume", "--all"}).status == 0);
  CHECK(site.job("items")["state"] != "paused");
  CHECK(site.command({"resume", "none"}).status == 64);
  CHECK(site.command({"cancel", "--label", "no=match"}).status == 64);

  const CommandResult run = site.command({"run", "items"});
  CHECK(run.status == 0);
  CHECK(run.out.find("items: success") != std::string::npos);
  CHECK(site.command({"resync", "items"}).status == 64);  // nobody to ask, and no --yes
  const CommandResult resync = site.command({"resync", "items", "--yes", "--json"});
  CHECK(resync.status == 0);
  CHECK(Json::parse(resync.out)["jobs"][0]["outcome"]["counts"]["rows_read"] >= 10);
  CHECK(site.command({"backfill", "items", "--from", "2020-01-01"}).status == 0);
  CHECK(site.command({"backfill", "items"}).status == 64);
  const Json history = Json::parse(site.command({"history", "items", "--json"}).out);
  CHECK(history["runs"].size() >= 3);
}

TEST_CASE("a daemon elsewhere is driven by its address and a token from a file", "[e2e][cli]") {
  Site site("  api_token: {file: TOKENFILE}");
  site.write_file("token", "correct horse battery staple\n");
  std::filesystem::permissions(site.path("token"), std::filesystem::perms(0600));
  std::string text = site.config_text();
  text.replace(text.find("TOKENFILE"), 9, site.path("token"));
  site.write_config(text);
  site.add_items(10);
  test::Daemon daemon = site.start_ready();
  const auto at = [&](std::vector<std::string> words, bool with_token = true) {
    words.insert(words.begin(), TIDEMARK_BINARY);
    words.insert(words.end(), {"--url", "http://127.0.0.1:" + std::to_string(site.port())});
    if (with_token) words.insert(words.end(), {"--token-file", site.path("token")});
    return run(words);
  };
  CHECK(at({"list"}).out.find("NEXT") == 0);
  const CommandResult ran = at({"run", "items"});
  INFO(ran.err);
  CHECK(ran.status == 0);
  CHECK(ran.out.find("items: success") != std::string::npos);
  const CommandResult refused = at({"pause", "items"}, false);
  CHECK(refused.status == 64);
  CHECK(refused.err.find("token") != std::string::npos);
  CHECK(refused.err.find("battery") == std::string::npos);
  CHECK(at({"pause", "items"}).status == 0);
  // A run under way ends its batch first.
  wait_until("the pause", [&] { return site.job("items")["state"] == "paused"; });
  CHECK(run({TIDEMARK_BINARY, "list", "--url", "https://127.0.0.1:1"}).status == 64);
  CHECK(run({TIDEMARK_BINARY, "list", "--url", "http://127.0.0.1:1"}).status == 69);
  CHECK(at({"list", "--token-file", site.path("absent")}, false).status == 77);
}

TEST_CASE("a pause survives a restart of the daemon", "[e2e][cli]") {
  Site site;
  {
    test::Daemon daemon = site.start_ready();
    REQUIRE(site.command({"pause", "items"}).status == 0);
    daemon.signal(SIGTERM);
    REQUIRE(daemon.wait() == 0);
  }
  test::Daemon daemon = site.start_ready();
  CHECK(site.job("items")["state"] == "paused");
}

TEST_CASE("what only looks at the configuration needs no daemon", "[e2e][cli]") {
  Site site;
  site.add_items(1);
  const CommandResult explain = site.command({"explain", "jobs.items", "--origin"});
  CHECK(explain.status == 0);
  CHECK(explain.out.find("tidemark.yaml:") != std::string::npos);
  CHECK(site.command({"explain", "jobs.none"}).status == 64);
  CHECK(site.command({"grants"}).status == 0);
  const CommandResult asked = site.command({"grants", "source"});
  CHECK(asked.out.find("-- source (sqlite)") == 0);
  CHECK(asked.err.find("by the configuration alone") == std::string::npos);
  CHECK(site.command({"grants", "--no-connect"})
            .err.find("items: by the configuration alone: not asked to connect") !=
        std::string::npos);
  CHECK(site.command({"grants", "none"}).status == 64);
  const CommandResult plan = site.command({"plan", "items"});
  CHECK(plan.status == 0);
  CHECK(plan.out.find("CREATE TABLE") != std::string::npos);
  CHECK(plan.out.find(
            "reads: stepped statement\nwrites: prepared INSERT … ON CONFLICT of each row\n") !=
        std::string::npos);
  const CommandResult schema = run({TIDEMARK_BINARY, "schema"});
  CHECK(Json::parse(schema.out).is_object());
  const CommandResult cron =
      run({TIDEMARK_BINARY, "cron", "30 2 * * *", "--timezone", "Europe/Berlin", "--json"});
  CHECK(Json::parse(cron.out)["times"].size() == 5);
  const CommandResult version = run({TIDEMARK_BINARY, "version", "--json"});
  CHECK(Json::parse(version.out)["api"] == 1);
}

TEST_CASE("colour only where it is asked for", "[e2e][cli]") {
  Site site;
  test::Daemon daemon = site.start_ready();
  CHECK(site.command({"status"}).out.find("\x1b[") == std::string::npos);
  CHECK(site.command({"status", "--color", "always"}).out.find("\x1b[") != std::string::npos);
  CHECK(site.command({"status", "--color", "sometimes"}).status == 64);
}
