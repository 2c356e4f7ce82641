#pragma once

#include <compare>
#include <string>
#include <utility>

namespace tidemark {

/// A string with a meaning: two different ones do not mix.
template <class Tag>
struct Name {
  std::string text;
  Name() = default;
  explicit Name(std::string value) : text(std::move(value)) {}
  bool empty() const noexcept { return text.empty(); }
  friend auto operator<=>(const Name&, const Name&) = default;
  friend bool operator==(const Name&, const Name&) = default;
};

using JobName = Name<struct JobTag>;                ///< [a-z0-9][a-z0-9_.-]{0,63}
using ConnectionName = Name<struct ConnectionTag>;  ///< as in `connections:`

/// A table as its database knows it; `schema` may be empty (SQLite; or the connection's default).
struct TableName {
  std::string schema;
  std::string name;
  /// "schema.name" or "name": for people, never for SQL (connector/sql quotes).
  std::string display() const { return schema.empty() ? name : schema + "." + name; }
  friend auto operator<=>(const TableName&, const TableName&) = default;
  friend bool operator==(const TableName&, const TableName&) = default;
};

/// Key of a checkpoint: two daemons with different instances never take each other's.
struct JobKey {
  std::string instance;
  JobName job;
  friend auto operator<=>(const JobKey&, const JobKey&) = default;
  friend bool operator==(const JobKey&, const JobKey&) = default;
};

}  // namespace tidemark
