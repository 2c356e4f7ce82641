#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tidemark::sql {

/// A small result, all of it in memory, every value as the server's text.
struct Result {
  std::vector<std::string> columns;
  std::vector<std::vector<std::optional<std::string>>> rows;
  std::uint64_t affected = 0;  ///< rows an INSERT, UPDATE or DELETE touched

  /// First column of the first row; nullopt when there is no row or it is NULL.
  std::optional<std::string> scalar() const {
    return rows.empty() || rows.front().empty() ? std::nullopt : rows.front().front();
  }
};

/// One database session as the shared statements need it: short statements and transactions.
/// Values stand in the text, written by Dialect::literal and nothing else. Throws Error with
/// kinds from the connector's own table. Worker thread, one at a time.
class Session {
 public:
  virtual ~Session() = default;
  virtual Result execute(std::string_view statement) = 0;
};

}  // namespace tidemark::sql
