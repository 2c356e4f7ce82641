#include <mysql.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <stdexcept>

#include "bench/data.h"
#include "bench/limits/limits.h"

namespace tidemark::bench {
namespace {

struct Close {
  void operator()(MYSQL* session) const { mysql_close(session); }
  void operator()(MYSQL_STMT* statement) const { mysql_stmt_close(statement); }
  void operator()(MYSQL_RES* result) const { mysql_free_result(result); }
};
using Session = std::unique_ptr<MYSQL, Close>;

void run(MYSQL* session, const std::string& statement) {
  if (mysql_real_query(session, statement.data(), statement.size()) != 0)
    throw std::runtime_error(mysql_error(session));
}

/// `address`: PORT/DATABASE.
Session open(const std::string& address) {
  const std::size_t slash = address.find('/');
  Session session(mysql_init(nullptr));
  mysql_options(session.get(), MYSQL_SET_CHARSET_NAME, "utf8mb4");
  if (mysql_real_connect(
          session.get(), "127.0.0.1", "tidemark", "tidemark", address.substr(slash + 1).c_str(),
          static_cast<unsigned>(std::stoul(address.substr(0, slash))), nullptr, 0) == nullptr)
    throw std::runtime_error(mysql_error(session.get()));
  run(session.get(), "SET time_zone = '+00:00'");
  return session;
}

/// One column of all rows, as a bulk bind wants it: pointers, lengths, and who is NULL.
struct Column {
  std::vector<std::string> values;
  std::vector<char*> pointers;
  std::vector<unsigned long> lengths;
  std::vector<char> indicators;
};

/// `select` into columns; returns the number of rows.
std::size_t read(MYSQL* session, const std::string& select, std::vector<Column>& columns) {
  run(session, select);
  const std::unique_ptr<MYSQL_RES, Close> result(mysql_use_result(session));
  columns.resize(mysql_num_fields(result.get()));
  std::size_t rows = 0;
  while (const MYSQL_ROW row = mysql_fetch_row(result.get())) {
    const unsigned long* lengths = mysql_fetch_lengths(result.get());
    for (std::size_t at = 0; at < columns.size(); ++at) {
      Column& column = columns[at];
      column.indicators.push_back(row[at] == nullptr ? STMT_INDICATOR_NULL : STMT_INDICATOR_NONE);
      column.values.emplace_back(row[at] == nullptr ? "" : row[at], lengths[at]);
      column.lengths.push_back(lengths[at]);
    }
    ++rows;
  }
  if (mysql_errno(session) != 0) throw std::runtime_error(mysql_error(session));
  for (Column& column : columns)
    for (std::string& value : column.values)
      column.pointers.push_back(value.data());
  return rows;
}

}  // namespace

void upsert_mariadb(const Words& arguments) {
  constexpr std::size_t batch = 10'000;
  const Session source = open(arguments.at(0));
  const Session target = open(arguments.at(1));
  std::vector<Column> newest;
  read(target.get(), "SELECT max(updated_at) FROM orders", newest);
  std::vector<Column> rows;
  const std::size_t count =
      read(source.get(),
           std::string("SELECT ") + columns() + " FROM orders WHERE updated_at > '" +
               newest.front().values.front() + "' ORDER BY updated_at, id",
           rows);

  const double start = now_seconds();
  run(target.get(), "SET autocommit = 0");
  const std::unique_ptr<MYSQL_STMT, Close> statement(mysql_stmt_init(target.get()));
  std::string upsert = std::string("INSERT INTO orders (") + columns() + ") VALUES (?";
  for (std::size_t at = 1; at < rows.size(); ++at)
    upsert += ", ?";
  upsert += ") ON DUPLICATE KEY UPDATE " + assignments("VALUES(", ")");
  const auto check = [&](bool failed) {
    if (failed) throw std::runtime_error(mysql_stmt_error(statement.get()));
  };
  check(mysql_stmt_prepare(statement.get(), upsert.data(), upsert.size()) != 0);
  std::vector<MYSQL_BIND> binds(rows.size());
  for (std::size_t at = 0; at < count; at += batch) {
    const auto size = static_cast<unsigned>(std::min(batch, count - at));
    for (std::size_t column = 0; column < rows.size(); ++column) {
      MYSQL_BIND& bind = binds[column];
      bind = {};
      bind.buffer_type = MYSQL_TYPE_STRING;
      bind.buffer = &rows[column].pointers[at];
      bind.length = &rows[column].lengths[at];
      bind.u.indicator = &rows[column].indicators[at];
    }
    check(mysql_stmt_attr_set(statement.get(), STMT_ATTR_ARRAY_SIZE, &size) != 0);
    check(mysql_stmt_bind_param(statement.get(), binds.data()) != 0);
    check(mysql_stmt_execute(statement.get()) != 0);
    run(target.get(), "COMMIT");
  }
  std::printf("seconds=%.3f\n", now_seconds() - start);
}

}  // namespace tidemark::bench
