#include <catch2/catch.hpp>
#include <chrono>

#include "unit/config/loading.h"

namespace tidemark::config::test {

using namespace std::chrono_literals;

namespace {

const std::string connections =
    "connections:\n"
    "  shop: {type: sqlite, path: /srv/shop.db}\n"
    "  warehouse: {type: sqlite, path: /srv/warehouse.db}\n";

/// Loads `defaults` and one job `a` that adds to them.
JobSettings merged(const std::string& defaults, const std::string& job,
                   const std::string& daemon = {}) {
  const LoadResult result = Loader().load("version: 1\n" + daemon + connections + "defaults:\n" +
                                          defaults + "jobs:\n  a:\n" + job);
  CHECK(joined(result.errors, "") == "");
  return result.settings.jobs.at(JobName("a"));
}

const std::string basic_defaults =
    "  source: {connection: shop}\n"
    "  target: {connection: warehouse}\n"
    "  mode: incremental\n"
    "  cursor: {column: updated_at, lookback: 5m}\n"
    "  schedule: {every: 30s, jitter: 3s}\n";
const std::string basic_job =
    "    source: {table: a}\n"
    "    target: {table: a}\n";

}  // namespace

TEST_CASE("a job has what defaults says, key by key", "[unit][config]") {
  const JobSettings job = merged(basic_defaults + "  retry: {initial: 2s, max: 1m}\n",
                                 basic_job + "    retry: {max: 2m}\n");
  CHECK(job.source_connection == ConnectionName("shop"));
  CHECK(job.target_connection == ConnectionName("warehouse"));
  CHECK(job.cursor->lookback == Duration(5min));
  CHECK(job.retry.initial == Duration(2s));
  CHECK(job.retry.max == Duration(2min));
  CHECK(job.schedule.jitter == Duration(3s));
}

TEST_CASE("lists and keys of a job replace those of defaults", "[unit][config]") {
  const JobSettings job =
      merged(basic_defaults + "  exclude: [a, b]\n  key: {id: ID, region: REGION}\n",
             basic_job + "    exclude: [c]\n    key: {code: CODE}\n");
  CHECK(job.exclude == std::vector<std::string>{"c"});
  CHECK(job.key == std::vector<KeyPart>{{"code", "CODE"}});
}

TEST_CASE("labels, types and column rules merge by name", "[unit][config]") {
  const JobSettings job =
      merged(basic_defaults +
                 "  labels: {team: wms, tier: gold}\n"
                 "  types: {\"mysql:int\": bigint}\n"
                 "  columns: {name: {trim: both, default: x}, note: {trim: left}}\n",
             basic_job +
                 "    labels: {tier: ~, stage: prod}\n"
                 "    types: {\"mysql:bit(1)\": bool}\n"
                 "    columns: {name: {default: y, default_for: empty}, note: ~}\n");
  CHECK(job.labels == std::map<std::string, std::string>{{"team", "wms"}, {"stage", "prod"}});
  CHECK(job.types.size() == 2);
  REQUIRE(job.columns.size() == 1);
  CHECK(job.columns[0].trim == Trim::both);
  CHECK(job.columns[0].default_value == "y");
  CHECK(job.columns[0].default_for == DefaultFor::empty);
}

TEST_CASE("null takes a job back to the program's own default", "[unit][config]") {
  const JobSettings job = merged(
      basic_defaults +
          "  parallel: 9\n  batch: {rows: 5, bytes: 1MiB}\n  freshness: 5m\n  exclude: [a]\n",
      basic_job +
          "    parallel: ~\n    batch: {rows: null}\n    freshness: ~\n    exclude: ~\n"
          "    retry: ~\n");
  CHECK(job.parallel == 2);
  CHECK(job.batch_rows == 20000);
  CHECK(job.batch_bytes == 1U << 20);
  CHECK_FALSE(job.freshness);
  CHECK(job.exclude.empty());
  CHECK(job.retry == RetrySettings{});
}

TEST_CASE("a batch is a sixteenth of the memory, and 4 MiB at most", "[unit][config]") {
  const auto bytes = [](const std::string& memory, const std::string& batch = "") {
    const std::string daemon = memory.empty() ? "" : "daemon: {memory: " + memory + "}\n";
    return merged(basic_defaults, basic_job + batch, daemon).batch_bytes;
  };
  CHECK(bytes("") == 4U << 20);
  CHECK(bytes("1GiB") == 4U << 20);
  CHECK(bytes("16MiB") == 1U << 20);
  CHECK(bytes("1MiB") == 64U << 10);
  CHECK(bytes("16MiB", "    batch: {bytes: 8MiB}\n") == 8U << 20);
}

TEST_CASE("the word null is a value where it is one of the choices", "[unit][config]") {
  const JobSettings job =
      merged(basic_defaults +
                 "  columns: {c: {map: {a: b}, unmapped: error, default: x, default_for: empty}}\n",
             basic_job + "    columns: {c: {unmapped: null, default_for: ~}}\n");
  CHECK(job.columns[0].unmapped == Unmapped::null);
  CHECK(job.columns[0].default_for == DefaultFor::null);
}

TEST_CASE("of keys that exclude each other a job's own displaces the inherited one",
          "[unit][config]") {
  const JobSettings cron =
      merged(basic_defaults, basic_job + "    schedule: {cron: '0 2 * * *'}\n");
  CHECK(std::holds_alternative<CronSchedule>(cron.schedule.when));
  CHECK(cron.schedule.jitter == Duration(3s));
  const JobSettings query = merged(
      "  source: {connection: shop, table: shared}\n  target: {connection: warehouse}\n"
      "  mode: full\n  schedule: {cron: '0 2 * * *', timezone: Asia/Shanghai}\n",
      "    source: {query: SELECT 1 AS id}\n    target: {table: a}\n    schedule: {every: 1h}\n");
  CHECK(query.source_query == "SELECT 1 AS id");
  CHECK_FALSE(query.source_table);
  CHECK(std::holds_alternative<EverySchedule>(query.schedule.when));
}

TEST_CASE("a short freshness in defaults merges with a long one", "[unit][config]") {
  const JobSettings job =
      merged(basic_defaults + "  freshness: 30m\n", basic_job + "    freshness: {warn: 5m}\n");
  CHECK(job.freshness == FreshnessSettings{.warn = 5min, .error = 30min});
}

TEST_CASE("a cursor of defaults does not bother a full job", "[unit][config]") {
  const JobSettings job = merged(basic_defaults, basic_job + "    mode: full\n");
  CHECK(job.mode == Mode::full);
  CHECK_FALSE(job.cursor);
}

TEST_CASE("what is wrong in defaults is said once, and there", "[unit][config]") {
  const std::string report = Loader().report(
      "version: 1\n" + connections + "defaults:\n" + basic_defaults + "  parallel: many\n" +
      "jobs:\n  a:\n" + basic_job + "  b:\n    source: {table: b}\n    target: {table: b}\n");
  CHECK(report ==
        "error: tidemark.yaml:11:13: defaults.parallel: \"many\" is not a whole number (digits "
        "only)\n");
}

TEST_CASE("included files add connections and jobs, in bytewise order", "[unit][config]") {
  const Loader loader;
  loader.file("conf.d/10-shop.yaml", "connections:\n  shop: {type: sqlite, path: /srv/shop.db}\n");
  loader.file("conf.d/9-warehouse.yaml",
              "version: 1\nconnections:\n  warehouse: {type: sqlite, path: /srv/warehouse.db}\n");
  loader.file("conf.d/B.yaml", "jobs:\n  b:\n    source: {table: b}\n    target: {table: b}\n");
  loader.file("conf.d/a.yaml", "jobs:\n  a:\n    source: {table: a}\n    target: {table: a}\n");
  loader.file("conf.d/.hidden.yaml", "not: [read\n");
  loader.file("conf.d/empty.yaml", "");
  loader.file("more.yaml", "connections:\njobs:\n");
  const LoadResult result = loader.load(
      "version: 1\ninclude: [conf.d/*.yaml, more.yaml, "
      "conf.d/a*.yaml, none/*.yaml]\ndefaults:\n" +
      basic_defaults);
  CHECK(joined(result.errors, "") == "");
  CHECK(result.settings.connections.size() == 2);
  CHECK(result.settings.jobs.size() == 2);
  std::string files;
  for (const std::string& file : result.files)
    files += file.substr(loader.directory().size() + 1) + " ";
  CHECK(files ==
        "tidemark.yaml conf.d/10-shop.yaml conf.d/9-warehouse.yaml conf.d/B.yaml conf.d/a.yaml "
        "conf.d/empty.yaml more.yaml ");
  CHECK(result.effective.find("jobs.a.source.table")->origin ==
        loader.directory() + "/conf.d/a.yaml:3");
}

TEST_CASE("a directory with the letters of a glob is taken as it is", "[unit][config]") {
  const Loader loader;
  loader.file("[a]*/tidemark.yaml", "version: 1\ninclude: b.yaml\n");
  loader.file("[a]*/b.yaml", "connections:\n  shop: {type: sqlite, path: /srv/shop.db}\n");
  const LoadResult result = load(loader.directory() + "/[a]*/tidemark.yaml");
  CHECK(joined(result.errors, "") == "");
  CHECK(result.settings.connections.size() == 1);
}

}  // namespace tidemark::config::test
