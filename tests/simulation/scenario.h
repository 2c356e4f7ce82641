#pragma once

#include "core/settings.h"
#include "simulation/chance.h"

namespace tidemark::sim {

/// What kind of world a seed plays in.
struct Scenario {
  enum class Job {
    upsert,  ///< incremental by a timestamp that moves with every write
    append,  ///< incremental, each row once, by a timestamp
    serial,  ///< incremental, each row once, by an ascending number
    full,    ///< replaces everything
    /// As upsert, at a source that proves nothing, reading further back than any transaction lasts.
    lookback,
  };
  Job job = Job::upsert;
  /// Fractional digits of the cursor: 0 makes ties of all that happens within a second.
  std::uint16_t digits = 6;
  /// The cursor is the transaction's start (PostgreSQL's now()), else the statement's time.
  bool stamps_start = false;
  bool long_transactions = false;  ///< they seldom end, so several horizons are open at once
  bool fragile_source = false;     ///< restarts often, with transactions prepared before
  bool two_daemons = false;
  /// Somebody sets clocks, restores backups of the source: only a job that writes by key can mend
  /// that by itself.
  bool history_changes = false;
  std::size_t batch_rows = 3;
  std::uint32_t parallel = 1;     ///< with more, a first load goes in key ranges
  std::uint64_t rows_before = 0;  ///< in the source before the first run
  bool audits_each_run = false;
  std::uint64_t turns = 40;        ///< moves and runs before all comes to rest
  std::uint64_t interference = 6;  ///< something happens between operations once in so many

  bool writes_by_key() const noexcept { return job == Job::upsert || job == Job::lookback; }
  bool appends() const noexcept { return job == Job::append || job == Job::serial; }

  static Scenario drawn(Chance& chance) {
    Scenario drawn;
    constexpr std::array jobs{Job::upsert, Job::upsert, Job::upsert, Job::upsert, Job::upsert,
                              Job::append, Job::append, Job::serial, Job::full,   Job::lookback};
    drawn.job = chance.pick(jobs);
    constexpr std::array<std::uint16_t, 3> digits{6, 3, 0};
    drawn.digits = chance.pick(digits);
    drawn.stamps_start = chance.once_in(2);
    drawn.long_transactions = chance.once_in(3);
    drawn.fragile_source = chance.once_in(3);
    drawn.two_daemons = chance.once_in(3);
    drawn.history_changes = drawn.job == Job::upsert && chance.once_in(2);
    drawn.batch_rows = chance.between(1, 4);
    drawn.parallel = static_cast<std::uint32_t>(chance.between(1, 3));
    drawn.rows_before = chance.below(20);
    drawn.audits_each_run = chance.once_in(2);
    drawn.turns = chance.between(12, 45);
    drawn.interference = chance.between(3, 12);
    return drawn;
  }
};

}  // namespace tidemark::sim
