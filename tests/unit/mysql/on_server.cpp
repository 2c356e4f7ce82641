#include "on_server.h"

#include <mysql.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <thread>

namespace tidemark::test {

std::unique_ptr<Connector> connect_to(const ConnectionSettings& settings,
                                      const ConnectorContext& context) {
  return mysql_connector().make(settings, context);
}

std::unique_ptr<Connector> connect_to_shared() {
  return connect_to(shared_mariadb().settings());
}

void remake(const std::string& table, const std::string& statements) {
  shared_mariadb().sql("DROP TABLE IF EXISTS " + table + "; " + statements);
}

ReadPlan whole_table(Source& source, const std::string& table,
                     const std::vector<std::string>& key) {
  ReadPlan plan;
  plan.relation.table = TableName{"test", table};
  plan.columns = source.describe(plan.relation).columns;
  for (const std::string& column : key)
    plan.key.push_back({column, column});
  plan.order = ReadOrder::key;
  return plan;
}

std::vector<std::string> rows_of(Source& source, const std::string& table,
                                 const std::vector<std::string>& key) {
  const ReadPlan plan = whole_table(source, table, key);
  const auto reader = source.read(plan);
  Batch batch(std::make_shared<const Schema>(plan.columns));
  std::vector<std::string> lines;
  while (reader->next(batch)) {
    for (std::size_t row = 0; row < batch.rows(); ++row) {
      std::string line;
      for (std::size_t at = 0; at < batch.column_count(); ++at) {
        const ColumnData& column = batch.column(at);
        line += (at == 0 ? "" : "|") + (column.is_null(row) ? "∅" : text_of(column, row));
      }
      lines.push_back(line);
    }
  }
  return lines;
}

Batch batch_from(const Schema& schema, const std::vector<std::vector<const char*>>& rows) {
  Batch batch(std::make_shared<const Schema>(schema));
  for (const auto& row : rows) {
    REQUIRE(row.size() == schema.size());
    for (std::size_t at = 0; at < row.size(); ++at) {
      if (row[at] == nullptr)
        batch.column(at).push_null();
      else
        push_text(batch.column(at), row[at]);
    }
  }
  return batch;
}

WriteSpec upsert_into(const std::string& table, const Schema& schema, std::vector<std::string> key,
                      WriteMode write) {
  WriteSpec spec;
  spec.table = {"test", table};
  for (const Column& column : schema)
    spec.columns.push_back({.column = column});
  spec.key = std::move(key);
  spec.write = write;
  return spec;
}

LoadSpec load_spec(Target& target, const WriteSpec& spec) {
  const JobKey job{"unit", JobName(spec.table.name)};
  const Holder holder{.host = "localhost", .pid = getpid(), .process = "unit"};
  const Acquired acquired = target.acquire(job, holder, spec.table, std::chrono::seconds(60));
  REQUIRE(acquired.granted);
  return {.job = job, .fence = acquired.fence, .write = spec};
}

WriteCounts write_once(Target& target, const WriteSpec& spec, const Batch& batch) {
  target.prepare(spec);
  const LoadSpec load_of = load_spec(target, spec);
  const auto stored = target.peek(load_of.job, spec.table);
  const std::int64_t revision = stored && stored->checkpoint ? stored->checkpoint->revision : 0;
  const auto load = target.begin(load_of);
  if (spec.write == WriteMode::upsert)
    load->upsert(batch);
  else
    load->append(batch);
  load->save({.definition = "d", .revision = revision + 1});
  return load->commit();
}

struct OpenSession::Native {
  MYSQL* mysql = nullptr;
  std::thread running;
  std::string failure;
};

OpenSession::OpenSession() : native_(std::make_unique<Native>()) {
  const ConnectionSettings settings = shared_mariadb().settings();
  native_->mysql = mysql_init(nullptr);
  if (mysql_real_connect(native_->mysql, settings.host.c_str(), settings.user.c_str(),
                         settings.password.reveal().c_str(), settings.database.c_str(),
                         settings.port, nullptr, 0) == nullptr)
    throw std::runtime_error(mysql_error(native_->mysql));
}

OpenSession::~OpenSession() {
  if (native_->running.joinable()) native_->running.join();
  mysql_close(native_->mysql);
}

void OpenSession::run(const std::string& statement) {
  start(statement);
  finish();
}

void OpenSession::start(const std::string& statement) {
  native_->running = std::thread([native = native_.get(), statement] {
    native->failure.clear();
    if (mysql_query(native->mysql, statement.c_str()) != 0)
      native->failure = mysql_error(native->mysql);
    mysql_free_result(mysql_store_result(native->mysql));
  });
}

void OpenSession::finish() {
  native_->running.join();
  if (!native_->failure.empty()) throw std::runtime_error(native_->failure);
}

std::string OpenSession::id() {
  return std::to_string(mysql_thread_id(native_->mysql));
}

Error thrown_by(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error;
  }
  throw std::runtime_error("no Error was thrown");
}

}  // namespace tidemark::test
