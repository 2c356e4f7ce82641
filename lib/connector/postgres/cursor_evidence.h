#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "connector/postgres/catalogue.h"
#include "connector/postgres/connection.h"
#include "core/horizon.h"
#include "core/source.h"

namespace tidemark::postgres {

/// A column default that is the server's own time and nothing else: now(), CURRENT_TIMESTAMP, …,
/// cast or shifted into a zone. nullopt for any other expression; a sum could lie in the past.
struct ServerTime {
  std::string zone = {};  ///< of AT TIME ZONE; "" where the session's zone decides
  bool is_utc() const;
};
std::optional<ServerTime> server_time(std::string_view default_expression);

/// The relation's own column behind a cursor: of the table, or of the table that the query's
/// result column is taken from.
struct CursorOrigin {
  Type type;
  std::optional<TableFacts> table = {};
  std::string column = {};
  bool from_query = false;
  /// The id of the transaction that wrote the row: a column of type xid8, or the system column.
  bool xid8 = false;
  bool xmin = false;
  /// The query has an outer join, so that a NOT NULL of the table may be null in its result.
  bool may_be_padded = false;
};
CursorOrigin find_origin(Connection& connection, const Relation& relation, const CursorRef& cursor);

/// Zone in which a cursor without zone counts: UTC where the default shows it, else the one
/// configured for the connection.
std::string zone_of(const CursorOrigin& origin, const std::string& configured);

/// Source::inspect. Cursors that hold ids of transactions are proven by snapshots, which a standby
/// answers for itself. For the others, `has_primary`: for a standby, open transactions can be asked
/// for elsewhere. `watched`: the session on which they will be asked for, whose rights count.
CursorEvidence inspect_cursor(Connection& connection, Connection& watched, bool has_primary,
                              const CursorOrigin& origin, const CursorRef& cursor);

}  // namespace tidemark::postgres
