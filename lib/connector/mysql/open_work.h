#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/horizon.h"

namespace tidemark::mysql {

/// A session of the server that does something, as PROCESSLIST shows it.
struct BusyThread {
  std::uint64_t id = 0;
  bool busy = false;
  /// Of the statement under way; 0 where it is not sure whose number stands there.
  std::uint64_t query_id = 0;
  std::string user;
  Duration age{};
};

/// An InnoDB transaction; `thread` 0 is a prepared one that no session holds.
struct OpenTransaction {
  std::uint64_t thread = 0;
  std::uint64_t id = 0;      ///< 0: has not written (yet)
  std::int64_t started = 0;  ///< seconds since 1970
  Duration age{};
};

/// What was open at one moment. PROCESSLIST was read before INNODB_TRX.
struct OpenWork {
  std::vector<BusyThread> threads;
  std::vector<OpenTransaction> transactions;
  std::string prepared_gids;
};

/// One thing that a token waits for. Serialised as "thread.query.transaction.started".
struct Pending {
  std::uint64_t thread = 0;
  std::uint64_t query_id = 0;
  std::uint64_t transaction = 0;
  std::int64_t started = 0;
};

/// All that may still commit something assigned before the sample. Pure; any thread.
std::vector<Pending> blockers_of(const OpenWork& work);
/// Those of `pending` that a later sample does not show to have ended.
std::vector<Pending> still_open(const std::vector<Pending>& pending, const OpenWork& later);
/// For people: who they are in `work`.
std::vector<Blocker> describe(const std::vector<Pending>& pending, const OpenWork& work);

}  // namespace tidemark::mysql
