// What the stored checkpoint says, whether it may be believed, and what the source's horizon adds.
#include <algorithm>
#include <array>

#include "core/guard_switch.h"
#include "sync/audit.h"
#include "sync/cursor_value.h"
#include "sync/job_run.h"

namespace tidemark {
namespace {

// How long to wait between looks whether a horizon has settled, and from the last one on.
constexpr std::array<int, 8> settle_looks_ms{0, 5, 15, 30, 50, 70, 80, 250};

// Rows written while a clock stood wrong lie this much further back at most.
constexpr Duration step_margin = std::chrono::minutes(1);

bool same_family(const Type& left, const Type& right) {
  const auto is_number = [](const Type& type) {
    return is_integer(type.kind) || type.kind == TypeKind::decimal;
  };
  return left.kind == right.kind || (is_number(left) && is_number(right));
}

}  // namespace

void JobRun::load_checkpoint(const std::optional<CheckpointRecord>& record) {
  if (!record) {
    checkpoint_ = Checkpoint{.definition = plan_.definition};
    checkpoint_.proof = plan_.proof;
    memory_.forget_position();
    return;
  }
  Checkpoint stored;
  try {
    stored = decode(*record);
  } catch (const Error&) {
    // Who asks to read everything again needs no position that can be read.
    const bool anew =
        request_.options.resync || request_.options.accept == RunOptions::Accept::resync;
    if (!anew) throw;
    stored = Checkpoint{.definition = record->definition,
                        .epoch = std::max<std::int64_t>(record->epoch, 1),
                        .revision = record->revision};
  }
  const bool known =
      memory_.latest && memory_.saved && memory_.saved->revision == stored.revision &&
      memory_.saved->epoch == stored.epoch && memory_.saved->reached == stored.reached;
  if (known) {
    checkpoint_ = *memory_.latest;
    return;
  }
  memory_.forget_position();
  memory_.saved = stored;
  memory_.saved_at = ports_.clock.steady();
  checkpoint_ = stored;
}

void JobRun::lose_position(const std::string& why, const std::string& hint) {
  throw Error({.kind = FailureKind::position_lost,
               .message = why,
               .operation = "load checkpoint",
               .table = job_.target_table.display(),
               .hint = hint});
}

void JobRun::check_definition() {
  if (checkpoint_.definition == plan_.definition) return;
  switch (request_.options.accept) {
    case RunOptions::Accept::none:
      if (request_.options.resync) break;
      lose_position("checkpoint of another definition",
                    "What the job means has changed. Answer with `tidemark accept " +
                        job_.name.text + " --keep-mark | --backfill | --resync`.");
      break;
    case RunOptions::Accept::keep_mark:
      stop_comparing(checkpoint_);
      break;
    case RunOptions::Accept::backfill:
      checkpoint_.backfill = true;
      break;
    case RunOptions::Accept::resync:
      begin_epoch("a changed definition was accepted with a resync");
      break;
  }
  checkpoint_.definition = plan_.definition;
  memory_.seen.clear();
}

void JobRun::check_position_types() {
  if (!plan_.cursor) return;
  const Type& type = plan_.read_columns[plan_.cursor_at].type;
  const auto adopt = [&](Value& value) {
    if (value.type == type) return;
    if (!same_family(value.type, type))
      lose_position(
          "the cursor is a " + to_string(type) + " now, the mark a " + to_string(value.type),
          "Read everything again with `tidemark resync " + job_.name.text + "`.");
    try {
      value = parse_cursor_value(type, value.text);
    } catch (const Error&) {
      lose_position("the mark does not fit the cursor's type any more, which is " + to_string(type),
                    "Read everything again with `tidemark resync " + job_.name.text + "`.");
    }
  };
  if (checkpoint_.settled) adopt(*checkpoint_.settled);
  if (checkpoint_.read_mark) adopt(*checkpoint_.read_mark);
  if (checkpoint_.floor) adopt(*checkpoint_.floor);
  for (PastMark& past : checkpoint_.past_marks)
    adopt(past.mark);
  for (HorizonToken& token : checkpoint_.tokens)
    adopt(token.mark);
  if (!checkpoint_.reached) return;
  adopt(checkpoint_.reached->cursor);
  std::vector<Value>& key = checkpoint_.reached->key;
  bool fits = key.empty() || key.size() == plan_.key_at.size();
  for (std::size_t index = 0; fits && index < key.size(); ++index)
    fits = key[index].type.kind == plan_.read_columns[plan_.key_at[index]].type.kind;
  if (fits) return;
  // Rows of the same cursor value are read again from `settled` on; an append can't do that.
  if (plan_.apply == Apply::append)
    lose_position("the key is of another type than the position",
                  "Read everything again with `tidemark resync " + job_.name.text + "`.");
  key.clear();
}

void JobRun::begin_epoch(const std::string& reason) {
  open_epoch(checkpoint_);
  writing_->plan_ranges({});
  memory_.seen.clear();
  ports_.observer.mark_epoch_opened(job_.name, checkpoint_.epoch, reason);
  if (plan_.apply == Apply::append)
    ports_.observer.note(job_.name, "rows that the target has already are appended once more");
}

void JobRun::check_identity() {
  const std::string identity = sessions_.source->identity();
  if (checkpoint_.identity.empty() || checkpoint_.identity == identity ||
      off(Guard::notice_identity)) {
    checkpoint_.identity = identity;
    return;
  }
  const bool accepted = request_.options.accept == RunOptions::Accept::keep_mark ||
                        request_.options.accept == RunOptions::Accept::backfill;
  checkpoint_.tokens.clear();
  // A job that replaces everything has no position to lose, and one that is about to begin anew or
  // was told to go on needs no other answer.
  if (plan_.incremental() && !accepted && !request_.options.resync) {
    if (plan_.apply == Apply::append)
      lose_position("the source is not the server, or not the history, that the mark belongs to",
                    "Reading again would append rows twice. Compare both sides, then go on with "
                    "`tidemark accept " +
                        job_.name.text + " --keep-mark`.");
    begin_epoch("the source is another server, or was restored: everything is read again");
  }
  checkpoint_.source_clock.reset();
  checkpoint_.our_clock.reset();
  memory_.source_clock.reset();
  checkpoint_.identity = identity;
}

JobRun::Sample JobRun::sample() {
  const Asked asked{ports_.clock.steady(), ports_.clock.now()};
  Sample sample{.token = sessions_.source->horizon(plan_.relation, *plan_.cursor, plan_.proof),
                .read_to = {}};
  check_server(sample.token);
  source_now_ = sample.token.sampled;
  outcome_.progress.clock_skew = sample.token.sampled - ports_.clock.now();
  check_clock(sample.token, asked);
  check_history(sample.token);
  checkpoint_.proof = plan_.proof;
  sample.read_to = sample.token.mark;
  if (!plan_.proven() && !sample.token.mark.null && !off(Guard::keep_lookback))
    sample.token.mark = minus(sample.token.mark, lookback_of(checkpoint_, plan_));
  return sample;
}

/// Transaction ids, and the numbers that a server gives out, only grow within one history. (The
/// highest number that is there may fall rightly: its newest rows were deleted.)
void JobRun::check_history(const HorizonToken& token) {
  if (!checkpoint_.settled || request_.options.accept == RunOptions::Accept::keep_mark) return;
  const auto went_back = [&](const Value& value) {
    return !value.null && less(value, *checkpoint_.settled);
  };
  std::string what;
  if (plan_.proof == ProofKind::snapshot && went_back(token.mark))
    what = "the source's transaction ids have gone back, so it was restored";
  else if (token.given_out && went_back(*token.given_out))
    what =
        "the source gives out numbers that were given out before: its table was emptied or "
        "restored";
  if (what.empty()) return;
  if (plan_.apply == Apply::append)
    lose_position(what,
                  "Reading again would append rows twice. Compare both sides, then go on with "
                  "`tidemark resync " +
                      job_.name.text + "` into an empty target.");
  begin_epoch(what + ": everything is read again");
}

/// What the source's clock must show at least. Our own wall clock may have been set as well, so it
/// counts only where a false alarm costs no more than reading some rows again.
std::optional<WallTime> JobRun::expected_clock(const Asked& asked) const {
  std::optional<WallTime> expected = checkpoint_.source_clock;
  const auto raise = [&](WallTime to) {
    if (!expected || *expected < to) expected = to;
  };
  if (memory_.source_clock) raise(*memory_.source_clock + (asked.steady - memory_.asked_at));
  if (checkpoint_.source_clock && checkpoint_.our_clock && plan_.absorbs())
    raise(*checkpoint_.source_clock + (asked.wall - *checkpoint_.our_clock));
  return expected;
}

void JobRun::check_clock(const HorizonToken& token, const Asked& asked) {
  const std::optional<WallTime> expected = expected_clock(asked);
  memory_.source_clock = token.sampled;
  memory_.asked_at = ports_.clock.steady();
  const bool stepped = expected && !off(Guard::notice_clock_step) &&
                       token.sampled + ports_.limits.clock_step < *expected;
  const bool accepted = request_.options.accept == RunOptions::Accept::keep_mark;
  const Type& type = plan_.read_columns[plan_.cursor_at].type;
  if (stepped && !accepted && is_temporal(type.kind) &&
      (checkpoint_.settled || checkpoint_.reached || checkpoint_.ranged_load ||
       !checkpoint_.tokens.empty()))
    step_back(*expected - token.sampled);
  checkpoint_.source_clock = token.sampled;
  checkpoint_.our_clock = ports_.clock.now();
}

void JobRun::step_back(Duration step) {
  // An append that has not settled anything has not written anything either.
  const bool wrote = checkpoint_.settled || checkpoint_.reached || checkpoint_.ranged_load;
  if (plan_.apply == Apply::append && wrote) {
    memory_.source_clock.reset();  // until a person has answered, each run finds it again
    lose_position("the source's clock was set back: rows written since may lie behind the mark",
                  "Going back would append rows twice. Compare both sides, then go on with "
                  "`tidemark accept " +
                      job_.name.text + " --keep-mark`.");
  }
  ++checkpoint_.epoch;
  const auto back = [&](Value& mark) { mark = minus(mark, step + step_margin); };
  if (checkpoint_.ranged_load) back(checkpoint_.ranged_load->token.mark);
  if (checkpoint_.settled) back(*checkpoint_.settled);
  checkpoint_.reached.reset();
  if (checkpoint_.settled) checkpoint_.reached = Position{*checkpoint_.settled, {}};
  // Their marks are times that the clock has yet to show again.
  checkpoint_.tokens.clear();
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(step);
  ports_.observer.mark_epoch_opened(
      job_.name, checkpoint_.epoch,
      "the source's clock was set back by about " + duration_text(seconds));
}

Settlement JobRun::ask_settled(const HorizonToken& token) {
  if (!plan_.proven() || token.proof == ProofKind::lookback) return {.settled = true};
  if (off(Guard::wait_for_transactions)) return {.settled = true};
  Settlement answer = sessions_.source->settled(token);
  if (answer.stale && off(Guard::distrust_stale_view)) answer.settled = true;
  if (answer.lost && off(Guard::drop_lost_token)) answer = {.settled = true};
  return answer;
}

bool JobRun::wait_settled(const HorizonToken& token, Duration limit) {
  // Sampled in this run, and nothing was open then.
  if (token.state.empty()) return true;
  // Who holds an older token up was open at this sample, too: there is nothing to be waited for.
  if (!checkpoint_.tokens.empty()) {
    const Settlement older = ask_settled(checkpoint_.tokens.back());
    if (!older.settled && !older.lost) {
      blocked_ = older;
      blocked_since_ = checkpoint_.tokens.back().sampled;
      return false;
    }
  }
  const SteadyTime begun = ports_.clock.steady();
  Duration waited{};
  for (std::size_t look = 0;; ++look) {
    const Duration pause =
        std::chrono::milliseconds(settle_looks_ms[std::min(look, settle_looks_ms.size() - 1)]);
    // A look may take longer than the pause before it: MariaDB's view needs 100 ms of rest.
    const Duration spent = std::max(waited, ports_.clock.steady() - begun);
    if (look > 0 && spent + pause > limit) return false;
    if (waited + pause > limit) return false;
    if (pause > Duration::zero() && !guard_.sleep(pause)) throw Cancelled();
    waited += pause;
    const Settlement answer = ask_settled(token);
    if (answer.settled) return true;
    blocked_ = answer;
    blocked_since_ = token.sampled;
    if (answer.lost) return false;
  }
}

/// Who was open at an older sample and still is was open at the newer ones too: so the tokens that
/// have settled stand in front, and a look at a few finds the last of them.
std::optional<HorizonToken> JobRun::newest_settled() {
  std::vector<HorizonToken>& tokens = checkpoint_.tokens;
  std::size_t settled = 0;
  std::size_t open = tokens.size();
  for (std::size_t at = 0; settled < open; at = (settled + open) / 2) {
    const Settlement answer = ask_settled(tokens[at]);
    if (answer.lost) {
      tokens.erase(tokens.begin() + static_cast<std::ptrdiff_t>(at));
      --open;
    } else if (answer.settled) {
      settled = at + 1;
    } else {
      open = at;
      blocked_ = answer;
      blocked_since_ = tokens[at].sampled;
    }
  }
  if (settled == 0) return std::nullopt;
  return tokens[settled - 1];
}

}  // namespace tidemark
