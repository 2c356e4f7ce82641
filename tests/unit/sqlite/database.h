#pragma once

#include <algorithm>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "connector/sqlite/connection.h"
#include "core/connector.h"
#include "core/error.h"
#include "support/servers.h"

namespace tidemark {
ConnectorInfo sqlite_connector();
}

namespace tidemark::test {

/// An SQLite file in a folder of its own, and a connector for it.
class Database {
 public:
  explicit Database(const std::string& statements = {}) {
    settings_.name = ConnectionName("file");
    settings_.type = "sqlite";
    settings_.path = dir_ / "test.db";
    if (!statements.empty()) sql(statements);
  }

  ConnectionSettings& settings() { return settings_; }
  std::unique_ptr<Connector> connector() const { return sqlite_connector().make(settings_, {}); }

  /// Runs statements, which a semicolon at a line's end closes; the last one's rows, cells joined
  /// by "|".
  std::vector<std::string> sql(const std::string& statements) {
    sqlite::Connection connection(settings_.path, sqlite::Connection::Opening::create,
                                  std::chrono::seconds(10));
    std::vector<std::string> lines;
    std::size_t from = 0;
    while (from < statements.size()) {
      const std::size_t end = std::min(statements.find(";\n", from), statements.size());
      lines.clear();
      for (const auto& row : connection.execute(statements.substr(from, end - from)).rows) {
        std::string& line = lines.emplace_back();
        for (const auto& cell : row)
          line += (line.empty() ? "" : "|") + cell.value_or("NULL");
      }
      from = end + 2;
    }
    return lines;
  }

 private:
  TempDir dir_;
  ConnectionSettings settings_;
};

inline ReadPlan plan_of(Source& source, const std::string& table, const std::string& key = {},
                        const std::string& cursor = {}) {
  ReadPlan plan;
  plan.relation.table = TableName{"", table};
  plan.columns = source.describe(plan.relation).columns;
  if (!key.empty()) plan.key = {{key, key}};
  plan.order = key.empty() ? ReadOrder::none : ReadOrder::key;
  if (!cursor.empty()) {
    plan.cursor = CursorRef{cursor, cursor};
    plan.order = ReadOrder::cursor;
  }
  return plan;
}

inline std::vector<std::string> lines_of(const Batch& batch) {
  std::vector<std::string> lines;
  for (std::size_t row = 0; row < batch.rows(); ++row) {
    std::string line;
    for (std::size_t column = 0; column < batch.column_count(); ++column)
      line += (column == 0 ? "" : "|") +
              (batch.column(column).is_null(row) ? "NULL" : text_of(batch.column(column), row));
    lines.push_back(line);
  }
  return lines;
}

inline std::vector<std::string> read_all(Source& source, const ReadPlan& plan) {
  std::vector<std::string> lines;
  const auto reader = source.read(plan);
  Batch batch(std::make_shared<const Schema>(plan.columns));
  while (reader->next(batch))
    for (std::string& line : lines_of(batch))
      lines.push_back(std::move(line));
  return lines;
}

template <class Action>
Error error_of(const Action& action) {
  try {
    action();
  } catch (const Error& error) {
    return error;
  }
  throw std::logic_error("no Error was thrown");
}

}  // namespace tidemark::test
