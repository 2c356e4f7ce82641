#include "handover_scene.h"

#include <sstream>
#include <stdexcept>

namespace tidemark::test {
namespace {

std::string connection_yaml(const std::string& type, std::uint16_t port) {
  return "{type: " + type + ", host: 127.0.0.1, port: " + std::to_string(port) +
         ", user: tidemark, password: {env: SCENE_PASSWORD}, database: test";
}

bool is_postgres(const Server& server) {
  return server.settings().type == "postgres";
}

class PostgresSide final : public SourceSide {
 public:
  explicit PostgresSide(PostgresServer& server) : server_(server) {}
  std::string connection(std::uint16_t port) const override {
    return connection_yaml("postgres", port);
  }
  std::string schema() const override { return "public."; }
  std::uint16_t port() const override { return server_.port(); }
  std::string sql(const std::string& statements) override { return server_.sql(statements); }
  std::string pause() const override { return "SELECT pg_sleep(0.2);"; }
  void make_tables() override {
    server_.sql(
        "DROP TABLE IF EXISTS big, events;"
        "CREATE TABLE big (id int PRIMARY KEY, note text, updated_at timestamptz NOT NULL DEFAULT "
        "clock_timestamp());"
        "CREATE OR REPLACE FUNCTION touch_big() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "NEW.updated_at := clock_timestamp(); RETURN NEW; END $$;"
        "CREATE TRIGGER touch BEFORE UPDATE ON big FOR EACH ROW EXECUTE FUNCTION "
        "touch_big();"
        "CREATE TABLE events (id bigserial PRIMARY KEY, what text)");
  }
  void fill(int rows) override {
    const std::string series = " FROM generate_series(1, " + std::to_string(rows) + ") AS g";
    // Old enough to lie behind the first mark, which stands some seconds back.
    server_.sql("INSERT INTO big SELECT g, 'n' || g, clock_timestamp() - interval '1 hour'" +
                series + "; INSERT INTO events (what) SELECT 'e' || g" + series);
  }

 private:
  PostgresServer& server_;
};

class MariaDbSide final : public SourceSide {
 public:
  explicit MariaDbSide(MariaDbServer& server) : server_(server) {}
  std::string connection(std::uint16_t port) const override {
    return connection_yaml("mysql", port);
  }
  std::string schema() const override { return "test."; }
  std::uint16_t port() const override { return server_.port(); }
  std::string sql(const std::string& statements) override { return server_.sql(statements); }
  std::string pause() const override { return "DO SLEEP(0.2);"; }
  void make_tables() override {
    server_.sql(
        "DROP TABLE IF EXISTS big, events;"
        "CREATE TABLE big (id int PRIMARY KEY, note varchar(60), updated_at timestamp(6) NOT NULL "
        "DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6), KEY (updated_at, id));"
        "CREATE TABLE events (id bigint AUTO_INCREMENT PRIMARY KEY, what varchar(60))");
  }
  void fill(int rows) override {
    const std::string series = " FROM seq_1_to_" + std::to_string(rows);
    server_.sql("INSERT INTO big (id, note) SELECT seq, CONCAT('n', seq)" + series +
                "; INSERT INTO events (what) SELECT CONCAT('e', seq)" + series);
  }

 private:
  MariaDbServer& server_;
};

class SqliteSide final : public SourceSide {
 public:
  std::string connection(std::uint16_t) const override {
    return "{type: sqlite, path: " + (dir_ / "source.db");
  }
  std::string schema() const override { return {}; }
  std::string sql(const std::string& statements) override {
    return run_command(
        {"sqlite3", "-bail", "-tabs", "-cmd", ".timeout 30000", dir_ / "source.db", statements});
  }
  void make_tables() override {
    const std::string now = "strftime('%Y-%m-%d %H:%M:%f', 'now')";
    sql("PRAGMA journal_mode = wal; DROP TABLE IF EXISTS big; DROP TABLE IF EXISTS events;"
        "CREATE TABLE big (id INTEGER PRIMARY KEY, note TEXT, updated_at TIMESTAMP NOT NULL "
        "DEFAULT (" +
        now +
        "));"
        "CREATE TRIGGER touch AFTER UPDATE OF id, note ON big BEGIN UPDATE big SET updated_at = " +
        now +
        " WHERE id = NEW.id; END;"
        "CREATE INDEX by_time ON big (updated_at, id);"
        "CREATE TABLE events (id INTEGER PRIMARY KEY AUTOINCREMENT, what TEXT)");
  }
  void fill(int rows) override {
    const std::string series =
        "WITH RECURSIVE s(g) AS (SELECT 1 UNION ALL SELECT g + 1 FROM s WHERE "
        "g < " +
        std::to_string(rows) + ") ";
    sql(series + "INSERT INTO big (id, note) SELECT g, 'n' || g FROM s; " + series +
        "INSERT INTO events (what) SELECT 'e' || g FROM s");
  }

 private:
  TempDir dir_;
};

std::string select_all(const std::string& table) {
  return "SELECT id, " + std::string(table == "big" ? "note" : "what") + " FROM " + table +
         " ORDER BY id";
}

}  // namespace

std::unique_ptr<SourceSide> postgres_source(PostgresServer& server) {
  return std::make_unique<PostgresSide>(server);
}
std::unique_ptr<SourceSide> mariadb_source(MariaDbServer& server) {
  return std::make_unique<MariaDbSide>(server);
}
std::unique_ptr<SourceSide> sqlite_source() {
  return std::make_unique<SqliteSide>();
}

std::map<std::string, std::string> rows_of(const std::string& table) {
  std::map<std::string, std::string> rows;
  std::istringstream lines(table);
  for (std::string line; std::getline(lines, line);) {
    const std::size_t tab = line.find('\t');
    rows.emplace(line.substr(0, tab), line.substr(tab + 1));
  }
  return rows;
}

Scene::Scene(SourceSide& side, Server& to, const Options& options)
    : source(side), target(to), source_gate(side.port()), target_gate(to.port()) {
  const bool post = is_postgres(target);
  target.sql("DROP TABLE IF EXISTS big, events, tidemark_checkpoint, tidemark_range");
  const std::string where = post ? "public." : "test.";
  sections_ = "connections:\n  from: " + source.connection(source_gate.port()) +
              (options.limits.empty() ? "" : ", " + options.limits) +
              "}\n  to: " + connection_yaml(post ? "postgres" : "mysql", target_gate.port()) +
              "}\n"
              "defaults:\n"
              "  retry: {initial: 50ms, max: 500ms}\n"
              "  schedule: {every: " +
              options.every +
              "}\n"
              "jobs:\n"
              "  big:\n"
              "    source: {connection: from, table: " +
              source.schema() + "big}\n" + "    target: {connection: to, table: " + where + "big" +
              (options.replace ? ", write: replace}\n    mode: full\n"
                               : "}\n    mode: incremental\n    cursor: {column: updated_at" +
                                     std::string(source.schema().empty()
                                                     ? ", assume: [server_assigned, "
                                                       "every_write_moves_it, single_timezone]"
                                                     : "") +
                                     "}\n") +
              options.job +
              "  events:\n"
              "    source: {connection: from, table: " +
              source.schema() + "events}\n" + "    target: {connection: to, table: " + where +
              "events, write: append}\n"
              "    mode: incremental\n"
              "    cursor: {column: id}\n" +
              options.job;
  daemon = std::make_unique<Daemon>(sections_, scene_environment);
}

Scene::~Scene() {
  if (daemon && daemon->running()) daemon->kill();
}

bool Scene::target_has(const std::string& table) {
  const std::string schema = is_postgres(target) ? "'public'" : "'test'";
  return target.sql("SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = " +
                    schema + " AND table_name = '" + table + "'") == "1\n";
}

std::string Scene::target_value(const std::string& select) {
  for (const std::string table : {"big", "events", "tidemark_checkpoint", "tidemark_range"})
    if (select.find(" " + table) != std::string::npos && !target_has(table)) return {};
  std::string text = target.sql(select);
  while (!text.empty() && text.back() == '\n')
    text.pop_back();
  return text;
}

std::string Scene::target_rows(const std::string& table) {
  return target_has(table) ? target.sql(select_all(table)) : std::string();
}
std::string Scene::source_rows(const std::string& table) {
  return source.sql(select_all(table));
}

bool Scene::equal(const std::set<std::string>& gone) {
  if (source_rows("events") != target_rows("events")) return false;
  auto there = rows_of(target_rows("big"));
  const auto wanted = rows_of(source_rows("big"));
  std::erase_if(there, [&](const auto& row) {
    return gone.contains(row.first) && !wanted.contains(row.first);
  });
  return there == wanted;
}

void Scene::await_equal(const std::set<std::string>& gone) {
  try {
    wait_until(
        "both sides to be equal",
        [&] {
          if (!daemon->running()) throw std::runtime_error("the daemon ended");
          return equal(gone);
        },
        std::chrono::seconds(90));
  } catch (const std::runtime_error& error) {
    throw std::runtime_error(
        std::string(error.what()) + "\nbig: " + std::to_string(rows_of(source_rows("big")).size()) +
        " against " + std::to_string(rows_of(target_rows("big")).size()) +
        ", events: " + std::to_string(rows_of(source_rows("events")).size()) + " against " +
        target_value("SELECT COUNT(*) FROM events") + "\n" + daemon->log());
  }
}

std::string Scene::job_state(const std::string& job) const {
  const std::string body = daemon->get("/api/v1/jobs/" + job);
  const std::size_t at = body.find("\"state\": \"");
  return at == std::string::npos ? std::string()
                                 : body.substr(at + 10, body.find('"', at + 10) - at - 10);
}

}  // namespace tidemark::test
