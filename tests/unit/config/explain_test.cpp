#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "unit/config/loading.h"

namespace tidemark::config::test {
namespace {

std::string without(std::string text, const std::string& part) {
  for (std::size_t at = 0; (at = text.find(part, at)) != std::string::npos;)
    text.erase(at, part.size());
  return text;
}

const std::string sample_text = file_with_job(
    {.extra = "retry: {max: {env: MAX}}\nexclude: [a, \"b c\", \"*_x\"]\nlabels: {team: \"007\"}\n",
     .top = "daemon: {api_token: {env: TOKEN}}\ndefaults:\n  priority: 3\n",
     .source = "query: \"SELECT 1 AS id,\\n  2 AS updated_at\\n\"",
     .target = "table: customers, write: append"});

LoadResult loaded(const Loader& loader) {
  return loader.load(sample_text, options_with({{"MAX", "2m"}, {"TOKEN", "0123456789abcdef"}}));
}

}  // namespace

TEST_CASE("explain shows one job with its origins, defaults filled in", "[unit][config]") {
  const Loader loader;
  const LoadResult result = loaded(loader);
  REQUIRE(joined(result.errors, "") == "");
  const std::string text =
      without(explain(result.effective, {.origin = true, .under = "jobs.customers"}),
              loader.directory() + "/");
  CHECK(text == R"(source:
  connection: shop  # tidemark.yaml:10
  query: |  # tidemark.yaml:10
    SELECT 1 AS id,
      2 AS updated_at
target:
  connection: warehouse  # tidemark.yaml:11
  table: customers  # tidemark.yaml:11
  write: append  # tidemark.yaml:11
  create: auto  # default
  schema_changes: report  # default
  replace: transaction  # default
mode: incremental  # tidemark.yaml:12
cursor:
  column: updated_at  # tidemark.yaml:13
  source: updated_at  # default
  safety: exact  # default
  assume: []  # default
  nulls: error  # default
  audit: 15m  # default
initial: load  # default
exclude: [a, b c, "*_x"]  # tidemark.yaml:16
schedule:
  every: 30s  # tidemark.yaml:14
  jitter: 0s  # default
  missed: run_once  # default
batch:
  rows: 20000  # default
  bytes: 4MiB  # default
parallel: 2  # default
retry:
  initial: 1s  # default
  max: 2m  # tidemark.yaml:15 (env MAX)
  multiplier: 2  # default
  jitter: 0.5  # default
  attempts: 8  # default
  probe_halted: 10m  # default
stall_timeout: 30m  # default
bad_rows: fail  # default
hooks:
  before: []  # default
  after: []  # default
  when: changed  # default
  timeout: 1m  # default
  on_error: fail  # default
priority: 3  # tidemark.yaml:4
labels:
  team: "007"  # tidemark.yaml:17
enabled: true  # default
)");
}

TEST_CASE("explain can be read back and means the same", "[unit][config]") {
  const Loader loader;
  const LoadResult first = loaded(loader);
  const LoadResult second = loader.load(explain(first.effective));
  CHECK(joined(second.errors, "") == "");
  CHECK(second.settings.jobs == first.settings.jobs);
  CHECK(second.settings.connections == first.settings.connections);
  CHECK(explain(second.effective) == explain(first.effective));
}

TEST_CASE("explain gives JSON with types, and origins where they are asked for", "[unit][config]") {
  const Loader loader;
  const LoadResult result = loaded(loader);
  const auto json = nlohmann::json::parse(explain(result.effective, {.json = true}));
  CHECK(json["version"] == 1);
  CHECK(json["daemon"]["api_token"] == "<secret>");
  CHECK(json["daemon"]["workers"] == 8);
  const auto& job = json["jobs"]["customers"];
  CHECK(job["retry"]["jitter"] == 0.5);
  CHECK(job["retry"]["max"] == "2m");
  CHECK(job["enabled"] == true);
  CHECK(job["exclude"] == nlohmann::json{"a", "b c", "*_x"});
  CHECK(job["labels"]["team"] == "007");
  CHECK_FALSE(json.contains("defaults"));
  const auto with_origin = nlohmann::json::parse(
      explain(result.effective, {.origin = true, .json = true, .under = "daemon.workers"}));
  CHECK(with_origin == nlohmann::json{{"value", 8}, {"origin", "default"}});
}

TEST_CASE("explain of what is not there is empty", "[unit][config]") {
  const Loader loader;
  const LoadResult result = loaded(loader);
  CHECK(explain(result.effective, {.under = "jobs.other"}).empty());
  CHECK(explain(result.effective, {.under = "jobs.customers.freshness"}).empty());
  CHECK(explain(result.effective, {.under = "jobs.customers.mode"}) == "incremental\n");
}

TEST_CASE("a name with dots is found in the effective configuration", "[unit][config]") {
  const LoadResult result = Loader().load(
      "version: 1\nconnections:\n  a: {type: sqlite, path: /1}\n  a.b: {type: sqlite, path: /2}\n");
  CHECK(result.effective.find("connections.a.path")->value == "/1");
  CHECK(result.effective.find("connections.a.b.path")->value == "/2");
  CHECK(result.effective.find("connections.a.c.path") == nullptr);
}

TEST_CASE("a reload can't apply exactly what the table says needs a restart", "[unit][config]") {
  const Loader loader;
  const Effective before = loader.load("version: 1\n").effective;
  const Effective after =
      loader
          .load(
              "version: 1\ndaemon: {instance: b, listen: none, socket: /s, workers: 9,"
              " state_dir: /d, memory: 1GiB, shutdown_timeout: 1s, log: {level: debug}}\n")
          .effective;
  CHECK(restart_required(before, before).empty());
  CHECK(restart_required(before, after) ==
        std::vector<std::string>{"daemon.instance", "daemon.listen", "daemon.socket",
                                 "daemon.workers", "daemon.state_dir"});
}

}  // namespace tidemark::config::test
