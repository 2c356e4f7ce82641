#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "connector/postgres/catalogue.h"
#include "connector/postgres/connection.h"
#include "core/horizon.h"
#include "core/source.h"

namespace tidemark::postgres {

/// The proof by a snapshot (P1, P2): the cursor is the transaction id that wrote the row, so what
/// may still commit is what the server itself counts as running.
///
/// P1: a column of type xid8 that is set to pg_current_xact_id() by default and by a trigger. P2:
/// the system column xmin. It may be a subtransaction's id, which is above its transaction's, so
/// what holds for ids below a bound holds for it too; but pg_visible_in_snapshot, which looks at
/// whole transactions, must not be asked about it (and on a standby not about any: it calls running
/// ones visible).
///
/// The mark is a snapshot's xmax: every id below it was given before. The token has settled when
/// the xmin of a later snapshot has reached the mark: then all of these have ended, prepared ones
/// and those of other databases included. Readers have no id and hold nothing. No privilege is
/// needed, and a standby answers for itself: it counts what it has not replayed as running.
HorizonToken sample_snapshot(Connection& connection, const Type& cursor);

/// A transaction id that the server had given, when it was asked.
struct SeenXid {
  std::int64_t id = 0;
  std::chrono::steady_clock::time_point at{};
};
SeenXid xid_of(const HorizonToken& sampled);

/// `token` is of the server of `connection`, in its present life.
Settlement snapshot_settled(Connection& connection, const HorizonToken& token);

/// True where `relation` is a table whose system column xmin is the cursor.
bool follows_xmin(const Relation& relation, const std::string& cursor);
/// What `describe` offers beside a table's own columns.
Schema system_columns(const TableFacts& facts);
/// A plan over a table's xmin as one over a query that has it as a column of 64 bits: of the ids
/// that end in the 32 bits which a row keeps, the newest that was given. A row that is older than
/// 2^32 transactions may seem newer than it is, never older: it is read again. Throws
/// Error{position_lost} where the plan begins 2^31 transactions ago or earlier; the server is asked
/// about that only where what was `seen` of it leaves doubt.
ReadPlan xmin_plan(Connection& connection, const ReadPlan& plan,
                   const std::optional<SeenXid>& seen);

/// Who holds the ids below `bound` open, oldest first. Empty on a standby, which does not know.
std::vector<Blocker> holders_of_xids(Connection& connection, const std::string& bound);

/// Statements that give a table the column, trigger and index of P1.
std::vector<std::string> xid_column_statements(const TableName& table, const std::string& column,
                                               const std::vector<std::string>& key);

}  // namespace tidemark::postgres
