#include <catch2/catch.hpp>
#include <chrono>

#include "unit/config/loading.h"

namespace tidemark::config::test {

using namespace std::chrono_literals;

namespace {

constexpr const char* whole_example = R"(version: 1

daemon:
  instance: prod-wms
  listen: 127.0.0.1:9465
  socket: /run/tidemark/tidemark.sock
  api_token: {env: API_TOKEN}
  workers: 8
  memory: 64MiB
  state_dir: /var/lib/tidemark
  shutdown_timeout: 60s
  log: {level: info, format: auto}

connections:
  erp:
    type: mysql
    host: 10.0.0.5
    port: 3306
    user: sync
    password: {env: ERP_PASSWORD}
    database: erp
    access: read
    tls: {mode: verify-full, ca: /etc/ssl/erp-ca.pem}
    connect_timeout: 10s
    stall_timeout: 5m
    limits: {connections: 8, rows: 50000/s}
    timezone: Asia/Shanghai
    primary: erp_rw
    init_sql: []
  erp_rw: {url: mysql://sync@10.0.0.6/erp, password: {env: ERP_PASSWORD}}
  wms:
    url: postgresql://sync@db.example:5432/wms
    password: {env: WMS_PASSWORD}
    metadata_schema: tidemark
  shop: {type: sqlite, path: /srv/shop/shop.db}

defaults:
  source: {connection: erp}
  retry: {initial: 1s, max: 5m, multiplier: 2, jitter: 0.5, attempts: 8, probe_halted: 10m}

jobs:
  supplier:
    source:
      query: |
        SELECT a.FSUPPLIERID AS supplier_id, a.FNUMBER AS supplier_number,
               a.FMODIFYDATE AS last_time, l.FNAME AS supplier_name
        FROM T_BD_SUPPLIER a LEFT JOIN T_BD_SUPPLIER_L l ON l.FSUPPLIERID = a.FSUPPLIERID
        WHERE a.FDOCUMENTSTATUS = 'C' AND {{cursor}}
    target: {connection: wms, table: public.wms_supplier}
    mode: incremental
    key: {supplier_id: a.FSUPPLIERID}
    cursor:
      column: last_time
      source: a.FMODIFYDATE
      safety: exact
      assume: [server_assigned]
    columns:
      supplier_name: {trim: both, default: "", default_for: null}
      code: {from: supplier_number, type: varchar(32), map: {A01: a, B02: b}, unmapped: keep}
    exclude: [internal_note]
    schedule: {every: 30s, jitter: 3s}
    freshness: {warn: 5m, error: 30m}
    labels: {team: wms}
)";

const LoadOptions& example_options() {
  static const LoadOptions options = options_with({{"API_TOKEN", "0123456789abcdef"},
                                                   {"ERP_PASSWORD", "erp-secret"},
                                                   {"WMS_PASSWORD", "wms-secret"}});
  return options;
}

}  // namespace

TEST_CASE("the example of the documentation gives the settings that it says", "[unit][config]") {
  const LoadResult result = Loader().load(whole_example, example_options());
  CHECK(joined(result.errors, "") == "");
  CHECK(joined(result.warnings, "") == "");

  DaemonSettings daemon;
  daemon.instance = "prod-wms";
  daemon.api_token = Secret("0123456789abcdef");
  daemon.workers = 8;
  CHECK(result.settings.daemon == daemon);

  ConnectionSettings erp{.name = ConnectionName("erp"), .type = "mysql"};
  erp.host = "10.0.0.5";
  erp.port = 3306;
  erp.user = "sync";
  erp.password = Secret("erp-secret");
  erp.database = "erp";
  erp.access = Access::read;
  erp.tls = {.mode = TlsMode::verify_full, .ca = "/etc/ssl/erp-ca.pem"};
  erp.max_rows_per_second = 50000;
  erp.timezone = "Asia/Shanghai";
  erp.primary = ConnectionName("erp_rw");
  CHECK(result.settings.connections.at(ConnectionName("erp")) == erp);

  ConnectionSettings wms{.name = ConnectionName("wms"), .type = "postgres"};
  wms.host = "db.example";
  wms.port = 5432;
  wms.user = "sync";
  wms.password = Secret("wms-secret");
  wms.database = "wms";
  wms.metadata_schema = "tidemark";
  CHECK(result.settings.connections.at(ConnectionName("wms")) == wms);

  ConnectionSettings shop{.name = ConnectionName("shop"), .type = "sqlite"};
  shop.path = "/srv/shop/shop.db";
  shop.tls.mode = TlsMode::disable;
  CHECK(result.settings.connections.at(ConnectionName("shop")) == shop);

  const JobSettings& job = result.settings.jobs.at(JobName("supplier"));
  JobSettings expected;
  expected.name = JobName("supplier");
  expected.source_connection = ConnectionName("erp");
  expected.source_query = job.source_query;
  expected.target_connection = ConnectionName("wms");
  expected.target_table = {.schema = "public", .name = "wms_supplier"};
  expected.key = {{.column = "supplier_id", .source = "a.FSUPPLIERID"}};
  expected.cursor = CursorSettings{.column = "last_time", .source = "a.FMODIFYDATE"};
  expected.cursor->assume = {"server_assigned"};
  ColumnRule name{.column = "supplier_name"};
  name.trim = Trim::both;
  name.default_value = "";
  ColumnRule code{.column = "code", .from = "supplier_number", .type = parse_type("varchar(32)")};
  code.map = {{"A01", "a"}, {"B02", "b"}};
  expected.columns = {name, code};
  expected.exclude = {"internal_note"};
  expected.schedule.when = EverySchedule{.interval = 30s};
  expected.schedule.jitter = 3s;
  expected.freshness = FreshnessSettings{.warn = 5min, .error = 30min};
  expected.labels = {{"team", "wms"}};
  CHECK(job == expected);
  REQUIRE(job.source_query);
  CHECK(job.source_query->starts_with("SELECT a.FSUPPLIERID AS supplier_id"));
  CHECK(job.source_query->ends_with("AND {{cursor}}\n"));
}

TEST_CASE("what is not given has the defaults of the settings", "[unit][config]") {
  const LoadResult result = Loader().load("version: 1\n");
  CHECK(result.ok());
  DaemonSettings daemon;
  daemon.workers = 8;  // two for each of the four cores
  CHECK(result.settings.daemon == daemon);

  const LoadResult with_job = Loader().load(file_with_job({}));
  REQUIRE(with_job.ok());
  JobSettings job;
  job.name = JobName("customers");
  job.source_connection = ConnectionName("shop");
  job.source_table = TableName{.schema = "", .name = "customers"};
  job.target_connection = ConnectionName("warehouse");
  job.target_table = {.schema = "", .name = "customers"};
  job.cursor = CursorSettings{.column = "updated_at", .source = "updated_at"};
  job.schedule.when = EverySchedule{.interval = 30s};
  CHECK(with_job.settings.jobs.at(JobName("customers")) == job);
}

TEST_CASE("workers are twice the cores and at least four", "[unit][config]") {
  LoadOptions options = options_with();
  options.cores = 1;
  CHECK(Loader().load("version: 1\n", options).settings.daemon.workers == 4);
  options.cores = 16;
  CHECK(Loader().load("version: 1\n", options).settings.daemon.workers == 32);
}

TEST_CASE("encryption is off on this machine and verified on the way to others", "[unit][config]") {
  const LoadResult result = Loader().load(
      "version: 1\n"
      "connections:\n"
      "  local: {type: mysql, host: 127.0.0.1, database: a}\n"
      "  socket: {type: postgres, unix: /run/postgresql, database: a}\n"
      "  url: {url: 'postgresql://localhost/a'}\n"
      "  far: {type: mysql, host: 10.0.0.5, database: a}\n"
      "  chosen: {type: mysql, host: localhost, database: a, tls: {mode: verify-ca, ca: /ca}}\n");
  CHECK(result.ok());
  const auto mode = [&](const char* name) {
    return result.settings.connections.at(ConnectionName(name)).tls.mode;
  };
  CHECK(mode("local") == TlsMode::disable);
  CHECK(mode("socket") == TlsMode::disable);
  CHECK(mode("url") == TlsMode::disable);
  CHECK(mode("far") == TlsMode::verify_full);
  CHECK(mode("chosen") == TlsMode::verify_ca);
}

TEST_CASE("write follows the mode unless it is given", "[unit][config]") {
  const auto write = [](const JobText& text) {
    const LoadResult result = Loader().load(file_with_job(text));
    CHECK(joined(result.errors, "") == "");
    return result.settings.jobs.at(JobName("customers")).write;
  };
  CHECK(write({}) == WriteMode::upsert);
  CHECK(write({.mode = "full", .cursor = ""}) == WriteMode::replace);
  CHECK(write({.target = "table: c, write: upsert", .mode = "full", .cursor = ""}) ==
        WriteMode::upsert);
  CHECK(write({.target = "table: c, write: append"}) == WriteMode::append);
}

TEST_CASE("a lookback is a duration or a count, and 15 minutes for safety lookback",
          "[unit][config]") {
  const auto cursor = [](const std::string& keys) {
    const LoadResult result =
        Loader().load(file_with_job({.cursor = "cursor: {column: c, " + keys + "}"}));
    CHECK(joined(result.errors, "") == "");
    return *result.settings.jobs.at(JobName("customers")).cursor;
  };
  CHECK_FALSE(cursor("safety: exact").lookback);
  CHECK(cursor("safety: lookback").lookback == Duration(15min));
  CHECK(cursor("safety: lookback, lookback: 2h").lookback == Duration(2h));
  CHECK(cursor("safety: lookback, lookback: 1000").lookback_count == 1000U);
  CHECK_FALSE(cursor("safety: lookback, lookback: 1000").lookback);
  CHECK(cursor("lookback: 0s").lookback == Duration(0));
  CHECK_FALSE(cursor("audit: none").audit);
  CHECK(cursor("audit: 1h").audit == Duration(1h));
  CHECK(cursor("start: 2024-01-01").start == "2024-01-01");
  CHECK(cursor("nulls: scan").nulls == CursorNulls::scan);
}

TEST_CASE("each kind of schedule has its form", "[unit][config]") {
  const auto schedule = [](const std::string& keys) {
    const LoadResult result = Loader().load(
        file_with_job({.extra = "enabled: true", .schedule = "schedule: {" + keys + "}"}));
    CHECK(joined(result.errors, "") == "");
    return result.settings.jobs.at(JobName("customers")).schedule;
  };
  CHECK(std::get<EverySchedule>(schedule("every: 500ms").when).interval == Duration(500ms));
  const ScheduleSettings cron = schedule("cron: '15 2 * * *', timezone: Asia/Shanghai");
  CHECK(std::get<CronSchedule>(cron.when).expression == "15 2 * * *");
  CHECK(std::get<CronSchedule>(cron.when).timezone == "Asia/Shanghai");
  CHECK(std::get<CronSchedule>(schedule("cron: '15 2 * * *'").when).timezone == "UTC");
  CHECK(std::holds_alternative<ManualSchedule>(schedule("manual: true").when));
  CHECK(schedule("every: 1h, missed: skip, jitter: 1m").missed == Missed::skip);
}

TEST_CASE("after names jobs in a list or as one", "[unit][config]") {
  for (const char* after : {"[a]", "a"}) {
    const LoadResult result =
        Loader().load(file_with_job({.extra = std::string("enabled: true\n")}) +
                      "  a:\n    source: {connection: shop, table: a}\n"
                      "    target: {connection: warehouse, table: a}\n"
                      "    mode: full\n    schedule: {manual: true}\n"
                      "  b:\n    source: {connection: shop, table: b}\n"
                      "    target: {connection: warehouse, table: b}\n"
                      "    mode: full\n    schedule: {after: " +
                      after + "}\n");
    CHECK(joined(result.errors, "") == "");
    const auto& when = result.settings.jobs.at(JobName("b")).schedule.when;
    CHECK(std::get<AfterSchedule>(when).jobs == std::vector{JobName("a")});
  }
}

TEST_CASE("freshness is one duration or two", "[unit][config]") {
  const auto freshness = [](const std::string& value) {
    return Loader()
        .load(file_with_job({.extra = "freshness: " + value}))
        .settings.jobs.at(JobName("customers"))
        .freshness;
  };
  CHECK(freshness("30m") == FreshnessSettings{.warn = {}, .error = 30min});
  CHECK(freshness("{error: 30m}") == FreshnessSettings{.warn = {}, .error = 30min});
  CHECK(freshness("{warn: 5m, error: 30m}") == FreshnessSettings{.warn = 5min, .error = 30min});
  CHECK_FALSE(freshness("~"));
}

TEST_CASE("a key is a list or a map, and follows renamed columns", "[unit][config]") {
  const auto key = [](const std::string& extra) {
    return Loader()
        .load(file_with_job({.extra = extra}))
        .settings.jobs.at(JobName("customers"))
        .key;
  };
  CHECK(key("key: [a, b]") == std::vector<KeyPart>{{"a", "a"}, {"b", "b"}});
  CHECK(key("key: id") == std::vector<KeyPart>{{"id", "id"}});
  CHECK(key("key: {id: t.ID}") == std::vector<KeyPart>{{"id", "t.ID"}});
  CHECK(key("key: [id]\ncolumns: {id: {from: FID}}") == std::vector<KeyPart>{{"id", "FID"}});
  CHECK(key("").empty());
}

TEST_CASE("a cursor over a renamed column reads the source column", "[unit][config]") {
  const LoadResult result =
      Loader().load(file_with_job({.extra = "columns: {updated_at: {from: FMODIFYDATE}}"}));
  CHECK(result.settings.jobs.at(JobName("customers")).cursor->source == "FMODIFYDATE");
}

TEST_CASE("types, hooks, limits and the rest arrive as written", "[unit][config]") {
  const LoadResult result = Loader().load(file_with_job(
      {.extra = "types: {\"mysql:tinyint(1)\": bool, \"mysql:datetime\": timestamptz}\n"
                "include: [id, \"*_at\"]\n"
                "hooks: {before: SELECT 1, after: [SELECT 2, SELECT 3], when: always, timeout: 5s,"
                " on_error: warn}\n"
                "batch: {rows: 500, bytes: 1MiB}\n"
                "parallel: 4\n"
                "priority: -5\n"
                "stall_timeout: 1h\n"
                "enabled: false\n"
                "initial: skip\n"
                "retry: {probe_halted: never, attempts: 3, multiplier: 1.5}\n",
       .target = "table: c, create: never, schema_changes: evolve, scope: {region: 7}"}));
  CHECK(joined(result.errors, "") == "");
  const JobSettings& job = result.settings.jobs.at(JobName("customers"));
  CHECK(job.types.at("mysql:tinyint(1)") == make_type(TypeKind::boolean));
  CHECK(job.types.at("mysql:datetime").kind == TypeKind::instant);
  CHECK(job.include == std::vector<std::string>{"id", "*_at"});
  CHECK(job.hooks == HookSettings{.before = {"SELECT 1"},
                                  .after = {"SELECT 2", "SELECT 3"},
                                  .when = HookWhen::always,
                                  .timeout = 5s,
                                  .on_error = HookError::warn});
  CHECK(job.batch_rows == 500);
  CHECK(job.batch_bytes == 1U << 20);
  CHECK(job.parallel == 4);
  CHECK(job.priority == -5);
  CHECK(job.stall_timeout == Duration(1h));
  CHECK_FALSE(job.enabled);
  CHECK(job.initial == Initial::skip);
  CHECK_FALSE(job.retry.probe_halted);
  CHECK(job.retry.attempts == 3);
  CHECK(job.retry.multiplier == 1.5);
  CHECK(job.create == CreatePolicy::never);
  CHECK(job.schema_changes == SchemaChanges::evolve);
  CHECK(job.scope == std::map<std::string, std::string>{{"region", "7"}});
}

TEST_CASE("texts are taken as written, whatever YAML would make of them", "[unit][config]") {
  const LoadResult result = Loader().load(
      "version: 1\n"
      "connections:\n"
      "  a: {type: mysql, host: localhost, user: 010, database: yes}\n"
      "  b: {type: mysql, host: localhost, user: \"\\u00e9\", database: 1_000}\n");
  CHECK(result.ok());
  CHECK(result.settings.connections.at(ConnectionName("a")).user == "010");
  CHECK(result.settings.connections.at(ConnectionName("a")).database == "yes");
  CHECK(result.settings.connections.at(ConnectionName("b")).user == "é");
  CHECK(result.settings.connections.at(ConnectionName("b")).database == "1_000");
}

TEST_CASE("listen may be none, and open with a token", "[unit][config]") {
  CHECK_FALSE(Loader().load("version: 1\ndaemon: {listen: none}\n").settings.daemon.listen);
  const LoadResult open =
      Loader().load("version: 1\ndaemon: {listen: '0.0.0.0:9465', api_token: {env: API_TOKEN}}\n",
                    example_options());
  CHECK(open.ok());
  CHECK(open.settings.daemon.listen == "0.0.0.0:9465");
}

TEST_CASE("a byte order mark and Windows line ends do no harm", "[unit][config]") {
  const LoadResult result = Loader().load("\xEF\xBB\xBFversion: 1\r\ndaemon:\r\n  workers: 3\r\n");
  CHECK(joined(result.errors, "") == "");
  CHECK(result.settings.daemon.workers == 3);
}

TEST_CASE("columns are counted in characters", "[unit][config]") {
  const LoadResult result = Loader().load("version: 1\ndaemon: {instance: \"é客\", workers: x}\n");
  REQUIRE(result.errors.size() == 2);
  CHECK(result.errors[1].line == 2);
  CHECK(result.errors[1].column == 35);
}

TEST_CASE("a file that is too large or not there is one problem", "[unit][config]") {
  const Loader loader;
  CHECK(loader.report("version: 1\n# " + std::string(4 << 20, 'x')) ==
        "error: tidemark.yaml: larger than 4 MiB (spread it over files by `include`)\n");
  CHECK(report_of(load(loader.directory() + "/other.yaml"), loader.directory()) ==
        "error: other.yaml: can't be read: no such file\n");
  CHECK(report_of(load(loader.directory()), "/") ==
        "error: " + loader.directory() + ": is not a regular file\n");
}

TEST_CASE("the fingerprint changes with any byte of any file", "[unit][config]") {
  const Loader loader;
  loader.file("conf.d/a.yaml", "jobs: {}\n");
  const std::string text = "version: 1\ninclude: conf.d/*.yaml\n";
  const std::uint64_t first = loader.load(text).fingerprint;
  CHECK(first != 0);
  CHECK(loader.load(text).fingerprint == first);
  CHECK(loader.load(text + "#\n").fingerprint != first);
  loader.file("conf.d/a.yaml", "jobs: {} \n");
  CHECK(loader.load(text).fingerprint != first);
}

}  // namespace tidemark::config::test
