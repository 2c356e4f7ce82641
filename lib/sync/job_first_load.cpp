// The first load of an incremental job in key ranges: whether, from where, and what it proves.
#include <utility>

#include "core/guard_switch.h"
#include "sync/job_run.h"
#include "sync/range_plan.h"

namespace tidemark {
namespace {

/// More ranges than workers, so that ranges of unequal size even out, and a crash costs little.
constexpr std::size_t ranges_per_worker = 8;

bool has_type_of(const std::vector<Value>& bound, const JobPlan& plan,
                 const std::vector<std::string>& key) {
  if (bound.size() > key.size()) return false;
  for (std::size_t at = 0; at < bound.size(); ++at) {
    const std::size_t column = find_column(plan.read_columns, key[at]);
    if (column == npos || plan.read_columns[column].type.kind != bound[at].type.kind) return false;
  }
  return true;
}

}  // namespace

/// Everything below the horizon's mark, in key ranges; false where one pass does as well, or where
/// nothing may be read yet. Goes on with what an earlier run has begun.
bool JobRun::load_first(Sample& sample) {
  if (checkpoint_.initial_done) return false;
  if (checkpoint_.ranged_load) {
    if (auto ranges = stored_ranges()) {
      load_ranges(std::move(*ranges));
      return true;
    }
    checkpoint_.ranged_load.reset();
    writing_->plan_ranges({});
  }
  if (!fit_for_ranges(sample.token)) return false;
  const std::vector<KeyRange> ranges = split();
  if (ranges.size() < 2) return false;
  // The wait is worth more here than at a poll: a horizon that has settled before the load begins
  // saves reading all of it a second time.
  sample.settled = wait_settled(sample.token, ports_.limits.first_settle_wait);
  if (!sample.settled && plan_.apply == Apply::append) return false;
  begin_ranges(sample.token, sample.settled, ranges);
  return true;
}

bool JobRun::fit_for_ranges(const HorizonToken& token) const {
  return !token.mark.null && !checkpoint_.reached && !checkpoint_.settled && may_load_ranges(plan_);
}

WriteSpec JobRun::first_write() const {
  WriteSpec write = plan_.write;
  write.key_last = may_fill_table(plan_) && !checkpoint_.initial_done && !checkpoint_.reached &&
                   !checkpoint_.settled && !checkpoint_.backfill && !request_.options.backfill;
  return write;
}

void JobRun::finish_table() {
  writing_->finish_table();
  save_marks();
  key_pending_ = false;
}

std::vector<KeyRange> JobRun::split() const {
  // A writer that is alone waits for the first rows of each range, and loses at most a batch to a
  // crash with two ranges too.
  const std::size_t parts =
      sessions_.target->writes_in_parallel() ? ranges_per_worker * job_.parallel : 2;
  return sessions_.source->split(plan_.relation, range_key(plan_), parts);
}

void JobRun::begin_ranges(const HorizonToken& token, bool settled,
                          const std::vector<KeyRange>& ranges) {
  std::vector<RangeRecord> records;
  for (const KeyRange& range : ranges)
    records.push_back({.part = static_cast<std::int64_t>(records.size()),
                       .lower = encode_key(range.lower),
                       .upper = encode_key(range.upper)});
  if (key_pending_ && !made_table_ && !off(Guard::fill_untouched)) finish_table();
  checkpoint_.ranged_load =
      RangedLoad{.token = token, .settled = settled, .key = names_of(range_key(plan_))};
  writing_->plan_ranges(records);
  save_marks();
  load_ranges(std::move(records));
}

/// The ranges of a load that was begun; nullopt where they can't be gone on with and it may begin
/// anew.
std::optional<std::vector<RangeRecord>> JobRun::stored_ranges() {
  std::vector<RangeRecord> ranges = sessions_.target->ranges(key_, job_.target_table);
  bool fits = !ranges.empty() && checkpoint_.ranged_load->key == names_of(range_key(plan_));
  for (const RangeRecord& range : ranges) {
    if (!fits) break;
    fits = has_type_of(decode_key(range.lower), plan_, checkpoint_.ranged_load->key) &&
           has_type_of(decode_key(range.upper), plan_, checkpoint_.ranged_load->key) &&
           has_type_of(decode_key(range.position), plan_, names_of(plan_.key));
  }
  if (fits) return ranges;
  // Unlike the checkpoint, they were read without the job's row: who has taken the job over
  // meanwhile may have finished them. Throws "fenced" then.
  sessions_.target->renew(key_, fence_, job_.target_table, ports_.limits.lease);
  if (plan_.apply == Apply::append)
    lose_position("the key ranges of the first load do not fit the job's key any more",
                  "Read everything again with `tidemark resync " + job_.name.text +
                      "`, into an empty target.");
  ports_.observer.note(job_.name,
                       "the key ranges of the first load do not fit any more: it begins anew");
  return std::nullopt;
}

void JobRun::load_ranges(std::vector<RangeRecord> ranges) {
  hooks_before_change();
  const RangedLoad& load = *checkpoint_.ranged_load;
  Pass pass{.kind = Pass::Kind::range, .read = base_read()};
  pass.read.from = plan_.start;
  // An append must not read twice what lies behind the mark. Otherwise all that is there is read,
  // because the mark may be far back; the catch-up reads what lies behind it once more.
  if (plan_.apply == Apply::append) pass.read.below = load.token.mark;
  {
    FirstLoad work({.connections = ports_.connections,
                    .sessions = sessions_,
                    .memory = ports_.memory,
                    .limits = ports_.limits,
                    .writing = writing_->ports(),
                    .digest_key = digest_key_,
                    .outcome = outcome_,
                    .report = [this] { report(); }},
                   std::move(pass), std::move(ranges), range_resume(plan_));
    writing_->drop();
    try {
      // With one writer ranges still bring rows in key order, in which an index grows at least
      // cost, where a pass brings them in the cursor's: SQLite then needs a fraction of
      // the CPU (docs/performance.md).
      work.run(sessions_.target->writes_in_parallel() ? job_.parallel : 1);
    } catch (const Error& error) {
      memory_.in_doubt = memory_.in_doubt || error.in_doubt();
      throw;
    }
  }
  finish_ranged_load(checkpoint_);
  writing_->plan_ranges({});
  if (std::exchange(key_pending_, false)) writing_->finish_table();
  save_marks();
  outcome_.progress.ranges = outcome_.progress.ranges_finished = 0;
  report();
}

}  // namespace tidemark
