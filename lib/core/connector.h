#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/settings.h"
#include "core/source.h"
#include "core/target.h"

namespace tidemark {

/// What a login found: for `check`, `connection_info` and the status page.
struct ConnectionFacts {
  std::string server_version;
  std::string tls;  ///< "TLSv1.3", "off", "local"
  std::string identity;
  WallTime clock{};
  std::vector<std::string> warnings = {};
};

/// What `grants` and `check` must ask for.
struct GrantNeeds {
  bool source = false;
  bool target = false;
  std::optional<TableName> source_table = {};
  std::optional<TableName> target_table = {};
  bool creates_table = false;
  ProofKind proof = ProofKind::lookback;
};

/// One configured connection: opens sessions. Any thread. Holds what all sessions of one server
/// share (a horizon sampler, canaries). Making one does not connect.
class Connector {
 public:
  virtual ~Connector() = default;
  virtual std::unique_ptr<Source> open_source() = 0;
  virtual std::unique_ptr<Target> open_target() = 0;
  virtual ConnectionFacts probe() = 0;
  /// The statements a database administrator would run, for this login and these needs.
  virtual std::vector<std::string> grants(const GrantNeeds& needs) const = 0;
  /// The statements that give a source table a column which a cursor can follow with the best proof
  /// that this database has; empty where it has none of that kind. Asks the server for the key.
  virtual std::vector<std::string> cursor_column(const TableName& table,
                                                 const std::string& column) {
    static_cast<void>(table);
    static_cast<void>(column);
    return {};
  }
};

/// What a connector may use of the outside.
struct ConnectorContext {
  const Clock* clock = nullptr;
  /// For a replica: the connection where open transactions are asked for.
  std::optional<ConnectionSettings> primary = {};
};

/// One type of a database's catalogue, by a column of it: what docs/types.md lists and what the
/// pair tests carry.
struct TypeSample {
  Column column;  ///< as `describe` gives it: native_type can stand in CREATE TABLE
  /// The text form of its values, where they travel as text: "dotted quad with /bits".
  std::string canonical = {};
};

/// One row of the generated list of connectors.
struct ConnectorInfo {
  std::string_view type;
  std::uint16_t default_port = 0;
  std::unique_ptr<Connector> (*make)(const ConnectionSettings& settings,
                                     const ConnectorContext& context) = nullptr;
  /// Every type that a source of this connector may meet, from the tables that `describe` uses.
  std::vector<TypeSample> (*types)() = nullptr;
  /// How a table that a target of this connector makes holds a column. `target_type` and verdict as
  /// in a plan. Without a server: for the newest version that is supported.
  ColumnVerdict (*holds)(const Column& column) = nullptr;
  /// Throws Error{schema} with the line for a user's query that can't be read in parts, as far as
  /// that shows without a server. nullptr: this connector takes any text, or no query at all.
  void (*check_query)(std::string_view query) = nullptr;
};

/// Every connector that was built, by type. Made by CMake from the folders in lib/connector.
const std::vector<ConnectorInfo>& connectors();

}  // namespace tidemark
