#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/ports.h"
#include "core/value.h"

namespace tidemark {

/// How a source shows that nothing can still commit behind a mark.
enum class ProofKind {
  snapshot,       ///< PostgreSQL: xid or xmin compared with a snapshot (P1, P2)
  transactions,   ///< every transaction that was open has been seen to end (P3, P4, drain)
  rowversion,     ///< SQL Server
  single_writer,  ///< SQLite: commit order is lock order
  lookback,       ///< no proof: re-read some way behind, and say so everywhere
};
std::string_view to_string(ProofKind proof) noexcept;

/// What the source said at one moment. Opaque to the engine but for `mark`: once the token has
/// settled, every row with cursor < mark that will ever exist is visible to a new snapshot.
/// Serialised into the checkpoint.
struct HorizonToken {
  ProofKind proof = ProofKind::lookback;
  Value mark;          ///< exclusive upper bound of what the token settles
  std::string server;  ///< identity and start of the server that gave it
  std::string state;   ///< the connector's own, one line; "" when nothing needs waiting for
  WallTime sampled{};  ///< the source's clock at the start of sampling
  /// Of numbers that the server gives out, where it tells: all that it has given out so far lie
  /// below. Unlike `mark` it does not fall when the newest rows are deleted, so where it does, the
  /// table was emptied or restored. Not stored.
  std::optional<Value> given_out = {};
  /// Of a mark that is a time: how far it lies behind what rows are stamped with at `sampled`. Used
  /// in the run that sampled it, and not stored.
  Duration behind{};
};

/// One transaction that holds a token open.
struct Blocker {
  std::string kind;  ///< "transaction" or "prepared"
  std::string id;    ///< pid, thread id or xid
  std::string user;
  std::string gid;  ///< of a prepared transaction
  Duration age{};
};

/// Answer to `Source::settled`.
struct Settlement {
  bool settled = false;
  /// The server is not the one that gave the token (restart, failover): drop it, take a new one.
  bool lost = false;
  /// The view that shows open transactions can't be trusted now (frozen by another reader).
  bool stale = false;
  std::vector<Blocker> blockers = {};
};

/// What the catalogue shows of a cursor column, before any run (docs/guarantees.md: C1 to C5).
struct CursorEvidence {
  ProofKind proof = ProofKind::lookback;  ///< the best proof this source, login and column allow
  std::string method;                     ///< "P3", "P4", "drain", …: for people
  bool server_assigned = false;           ///< C1
  bool moves_on_write = false;            ///< C2; always true for a serial, which sees inserts only
  bool inserts_only = false;              ///< a serial or id: updates do not move it
  bool not_null = false;                  ///< C4
  bool single_timezone = true;            ///< C5: false for zone-less columns of local time
  /// Why `proof` is no better: a missing privilege, a replica, … each with its remedy.
  std::vector<std::string> obstacles = {};
  std::vector<std::string> notes = {};
};

}  // namespace tidemark
