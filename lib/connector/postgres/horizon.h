#pragma once

#include <string>

#include "connector/postgres/connection.h"
#include "connector/postgres/shared.h"
#include "core/horizon.h"
#include "core/source.h"

namespace tidemark::postgres {

/// How PostgreSQL shows that nothing can still commit behind a mark of times or numbers (ids of
/// transactions: snapshot_proof.h). Two proofs, both of kind `transactions`: "the drain" (a
/// candidate mark, then who was open after it was taken, then wait until all of them have ended,
/// then read in a newer snapshot).
///
/// P3, for times. A value is at the earliest the start of the transaction that writes it, and
/// pg_stat_activity shows the start of every open one. So
///     mark = least(clock - 5 s, the earliest xact_start shown)
/// is behind every transaction that is open and shown; the 5 s cover the moment between a
/// transaction's reading the clock and its being shown, and are the only assumption on time. What
/// remains are prepared transactions, which are not shown but have an xid: X, the next xid to be
/// given, is taken after the mark, and the token has settled once no xid below X runs any more. On
/// an idle server that is so at once.
///
/// P4, for numbers of a sequence. mark = the largest visible number + 1. Whoever may still commit
/// a smaller one drew it before and is in a transaction that was open when all open ones were
/// listed after that. Such a transaction may take its xid late and may be prepared, so the list is
/// waited for first (pid, start of the session and of the transaction); X is taken only when all
/// of it has ended, and then waited for as above.
///
/// Both: each sample is one message of a few statements, which is a transaction of its own, because
/// pg_stat_activity does not change within one; its statements run in their order; our own
/// read-only sessions are left out by pid and start; a login that can't see the transactions of
/// others, or a session with track_activities off, is an Error, never an "all clear". On a standby
/// the questions go to the primary, and the token has settled when the standby has replayed what
/// the primary had written once all had ended.
///
/// Worker thread, that of the sessions.
class Horizon {
 public:
  /// `watched`: where transactions are asked for. `replica`: the standby that is read, or null.
  Horizon(Connection& watched, Connection* replica, Shared& shared)
      : watched_(watched), replica_(replica), shared_(shared) {}

  /// `read_from`: the session whose view of the table gives P4's largest number. One round trip, or
  /// none where another job asked for times on the same server just before (TimeSamples).
  HorizonToken sample(Connection& read_from, const FollowedCursor& followed,
                      const Relation& relation, const CursorRef& cursor);
  /// One round trip; more only to say who is waited for, and for a standby.
  Settlement settled(const HorizonToken& token);

 private:
  HorizonToken sample_time(const FollowedCursor& followed);
  TimeSample take_time_sample(const std::string& zone);
  HorizonToken sample_number(Connection& read_from, const FollowedCursor& followed,
                             const Relation& relation, const CursorRef& cursor);
  std::string others() const;
  Settlement drained(const std::string& key, const HorizonToken& token);
  static bool list_ended(const std::string& list, const Rows& activity, Settlement& settlement);
  bool replayed(const std::string& key);

  Connection& watched_;
  Connection* replica_;
  Shared& shared_;
};

/// A token without proof: the clock now, or the largest number now. Settled from the start.
HorizonToken lookback_token(Connection& connection, const FollowedCursor& followed,
                            const Relation& relation, const CursorRef& cursor);

/// Identity and history of a server's data: system identifier, timeline, database.
std::string identity_of(Connection& connection);
/// SQL for that and the start of the server: tokens do not outlive either.
std::string incarnation();
WallTime clock_of(Connection& connection);
/// SQL for the server's clock when it got the message that asks: earlier than all that the message
/// finds.
std::string message_micros();
WallTime wall_time(const Cell& micros);
/// Whether all transactions below `bound` have ended on the server that gave `token`, and if not,
/// who is waited for.
Settlement xids_ended(Connection& connection, const HorizonToken& token, const std::string& bound);

}  // namespace tidemark::postgres
