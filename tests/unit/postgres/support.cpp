#include "support.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <stdexcept>

namespace tidemark::test {
namespace {

/// Printed by psql after each statement's own output.
constexpr const char* mark = "--answered--";

}  // namespace

Application::Application(const PostgresServer& server) {
  std::array<int, 2> in{};
  std::array<int, 2> out{};
  if (pipe2(in.data(), O_CLOEXEC) != 0 || pipe2(out.data(), O_CLOEXEC) != 0)
    throw std::runtime_error("no pipe");
  const std::string host = server.socket_directory();
  const std::string port = std::to_string(server.port());
  pid_ = fork();
  if (pid_ == 0) {
    dup2(in[0], STDIN_FILENO);
    dup2(out[1], STDOUT_FILENO);
    dup2(out[1], STDERR_FILENO);
    execlp("psql", "psql", "-X", "-q", "-A", "-t", "-h", host.c_str(), "-p", port.c_str(), "-U",
           "tidemark", "-d", "test", static_cast<char*>(nullptr));
    _exit(127);
  }
  close(in[0]);
  close(out[1]);
  to_ = fdopen(in[1], "w");
  from_ = fdopen(out[0], "r");
}

Application::~Application() {
  fclose(to_);
  fclose(from_);
  kill(pid_, SIGTERM);
  waitpid(pid_, nullptr, 0);
}

std::string Application::run(const std::string& statement) {
  fprintf(to_, "%s;\n\\echo %s\n", statement.c_str(), mark);
  fflush(to_);
  std::string answer;
  std::array<char, 4096> line{};
  while (fgets(line.data(), line.size(), from_) != nullptr) {
    if (std::string(line.data()).starts_with(mark)) {
      if (!answer.empty()) answer.pop_back();
      if (answer.find("ERROR:") != std::string::npos) throw std::runtime_error(answer);
      return answer;
    }
    answer += line.data();
  }
  throw std::runtime_error("psql ended: " + answer);
}

std::vector<std::string> read_rows(Source& source, ReadPlan plan) {
  std::vector<std::string> rows;
  const auto reader = source.read(plan);
  Batch batch(std::make_shared<const Schema>(plan.columns));
  while (reader->next(batch)) {
    for (std::size_t row = 0; row < batch.rows(); ++row) {
      std::string line;
      for (std::size_t index = 0; index < batch.column_count(); ++index) {
        if (index > 0) line += "|";
        line += batch.column(index).is_null(row) ? "∅" : text_of(batch.column(index), row);
      }
      rows.push_back(std::move(line));
    }
  }
  return rows;
}

ReadPlan table_plan(Source& source, const TableName& table, const std::string& cursor) {
  ReadPlan plan;
  plan.relation.table = table;
  const SourceDescription description = source.describe(plan.relation);
  plan.columns = description.columns;
  for (const std::string& column : description.primary_key)
    plan.key.push_back({column, column});
  plan.order = cursor.empty() ? ReadOrder::key : ReadOrder::cursor;
  if (!cursor.empty()) plan.cursor = CursorRef{cursor, cursor};
  return plan;
}

Batch make_batch(const Schema& schema, const std::vector<std::vector<const char*>>& rows) {
  Batch batch(std::make_shared<const Schema>(schema));
  for (const auto& row : rows)
    for (std::size_t index = 0; index < row.size(); ++index) {
      if (row[index] == nullptr)
        batch.column(index).push_null();
      else
        push_text(batch.column(index), row[index]);
    }
  return batch;
}

WriteSpec make_spec(const TableName& table, const Schema& schema, std::vector<std::string> key,
                    WriteMode write) {
  WriteSpec spec{.table = table, .columns = {}, .key = std::move(key), .write = write};
  for (const Column& column : schema)
    spec.columns.push_back({.column = column});
  return spec;
}

JobKey job_of(const WriteSpec& spec) {
  return {"unit", JobName(spec.table.name)};
}

Holder this_process() {
  return {.host = "localhost", .pid = getpid(), .process = "unit"};
}

std::unique_ptr<Load> begin_load(Target& target, const WriteSpec& spec) {
  target.prepare(spec);
  const Acquired acquired =
      target.acquire(job_of(spec), this_process(), spec.table, std::chrono::seconds(60));
  if (!acquired.granted) throw std::runtime_error("the job is held by " + acquired.held_by);
  return target.begin({.job = job_of(spec),
                       .fence = acquired.fence,
                       .lease = std::chrono::seconds(60),
                       .write = spec});
}

CheckpointRecord next_checkpoint(Target& target, const WriteSpec& spec) {
  const auto held = target.peek(job_of(spec), spec.table);
  const bool stored = held && held->checkpoint;
  return {.definition = "d", .revision = stored ? held->checkpoint->revision + 1 : 1};
}

WriteCounts write_batch(Target& target, const WriteSpec& spec, const Batch& batch) {
  target.prepare(spec);
  const CheckpointRecord checkpoint = next_checkpoint(target, spec);
  const auto load = begin_load(target, spec);
  if (spec.write == WriteMode::upsert)
    load->upsert(batch);
  else
    load->append(batch);
  load->save(checkpoint);
  return load->commit();
}

}  // namespace tidemark::test
