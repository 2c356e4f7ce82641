#include <libpq-fe.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <memory>
#include <stdexcept>
#include <thread>

#include "bench/data.h"
#include "bench/limits/limits.h"

namespace tidemark::bench {
namespace {

struct Close {
  void operator()(PGconn* connection) const { PQfinish(connection); }
  void operator()(PGresult* result) const { PQclear(result); }
};
using Result = std::unique_ptr<PGresult, Close>;

class Session {
 public:
  explicit Session(const std::string& address) : connection_(PQconnectdb(address.c_str())) {
    if (PQstatus(connection_.get()) != CONNECTION_OK) fail();
  }

  Result run(const std::string& statement) {
    Result result(PQexec(connection_.get(), statement.c_str()));
    const ExecStatusType status = PQresultStatus(result.get());
    if (status == PGRES_BAD_RESPONSE || status == PGRES_FATAL_ERROR) fail();
    return result;
  }

  /// The next message of a COPY TO; false at its end.
  bool next(std::string_view& message) {
    if (buffer_ != nullptr) PQfreemem(buffer_);
    buffer_ = nullptr;
    const int size = PQgetCopyData(connection_.get(), &buffer_, 0);
    if (size == -2) fail();
    if (size == -1) {
      finish();
      return false;
    }
    message = {buffer_, static_cast<std::size_t>(size)};
    return true;
  }

  void put(std::string_view bytes) {
    if (PQputCopyData(connection_.get(), bytes.data(), static_cast<int>(bytes.size())) != 1) fail();
  }

  void end_copy() {
    if (PQputCopyEnd(connection_.get(), nullptr) != 1) fail();
    finish();
  }

 private:
  [[noreturn]] void fail() { throw std::runtime_error(PQerrorMessage(connection_.get())); }

  void finish() {
    while (Result result{PQgetResult(connection_.get())})
      if (PQresultStatus(result.get()) != PGRES_COMMAND_OK) fail();
  }

  std::unique_ptr<PGconn, Close> connection_;
  char* buffer_ = nullptr;
};

constexpr std::size_t header_size = 19;
constexpr std::string_view header{"PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0", header_size};
constexpr std::string_view trailer{"\377\377", 2};

}  // namespace

void postgres_to_postgres(const Words& arguments) {
  Session source(arguments.at(0));
  Session target(arguments.at(1));
  const std::string list = columns();
  source.run("COPY (SELECT " + list + " FROM orders) TO STDOUT (FORMAT binary)");
  target.run("COPY orders (" + list + ") FROM STDIN (FORMAT binary)");
  for (std::string_view message; source.next(message);)
    target.put(message);
  target.end_copy();
  target.run("ALTER TABLE orders ADD PRIMARY KEY (id)");
  target.run("CREATE INDEX ON orders (updated_at)");
}

void upsert_postgres(const Words& arguments) {
  constexpr std::size_t batch = 20'000;
  Session source(arguments.at(0));
  Session target(arguments.at(1));
  const std::string list = columns();
  const Result newest = target.run("SELECT max(updated_at) FROM orders");
  source.run("COPY (SELECT " + list + " FROM orders WHERE updated_at > '" +
             PQgetvalue(newest.get(), 0, 0) +
             "' ORDER BY updated_at, id) TO STDOUT (FORMAT binary)");
  std::vector<std::string> rows;
  for (std::string_view message; source.next(message);) {
    if (rows.empty()) message.remove_prefix(header_size);
    if (message != trailer) rows.emplace_back(message);
  }

  const double start = now_seconds();
  target.run("CREATE TEMP TABLE staged (LIKE orders) ON COMMIT DELETE ROWS");
  const std::string upsert = "INSERT INTO orders (" + list + ") SELECT " + list +
                             " FROM staged ORDER BY id ON CONFLICT (id) DO UPDATE SET " +
                             assignments("excluded.");
  for (std::size_t at = 0; at < rows.size();) {
    target.run("BEGIN");
    target.run("COPY staged (" + list + ") FROM STDIN (FORMAT binary)");
    target.put(header);
    for (const std::size_t end = std::min(at + batch, rows.size()); at < end; ++at)
      target.put(rows[at]);
    target.put(trailer);
    target.end_copy();
    target.run(upsert);
    target.run("COMMIT");
  }
  std::printf("seconds=%.3f\n", now_seconds() - start);
}

void poll_postgres(const Words& arguments) {
  using Steady = std::chrono::steady_clock;
  Session source(arguments.at(0));
  const int tables = std::stoi(arguments.at(1));
  const int polls = std::stoi(arguments.at(2));
  const auto pause = std::chrono::microseconds(1'000'000 / std::stoi(arguments.at(3)));
  const auto begin = Steady::now();
  for (int poll = 0; poll < polls; ++poll) {
    std::this_thread::sleep_until(begin + poll * pause);
    const std::string query = "SELECT id, word, updated_at FROM t" + std::to_string(poll % tables) +
                              " WHERE updated_at >= '2999-01-01' ORDER BY updated_at, id";
    source.run("SELECT * FROM (" + query + ") AS described LIMIT 0; COPY (" + query +
               ") TO STDOUT (FORMAT binary)");
    for (std::string_view message; source.next(message);) {
    }
  }
}

}  // namespace tidemark::bench
