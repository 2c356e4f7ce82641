#include "observe/log_observer.h"

#include <fmt/format.h>

#include <algorithm>

namespace tidemark::observe {
namespace {

using Fields = std::vector<LogField>;

double seconds(Duration span) {
  return std::chrono::duration<double>(span).count();
}

/// "350us", "12ms", "4.2s", "3m12s", "5h03m", "2d04h": one look, three digits.
std::string human(Duration span) {
  const std::int64_t micros = span.count();
  if (micros < 1000) return fmt::format("{}us", micros);
  if (micros < 1'000'000) return fmt::format("{}ms", micros / 1000);
  if (micros < 60'000'000) return fmt::format("{:.1f}s", seconds(span));
  const std::int64_t whole = micros / 1'000'000;
  if (whole < 3600) return fmt::format("{}m{:02}s", whole / 60, whole % 60);
  if (whole < 86'400) return fmt::format("{}h{:02}m", whole / 3600, whole / 60 % 60);
  return fmt::format("{}d{:02}h", whole / 86'400, whole / 3600 % 24);
}

std::int64_t number(std::uint64_t count) {
  return static_cast<std::int64_t>(count);
}

void add_failure(Fields& fields, const Failure& failure) {
  fields.push_back({"kind", std::string(to_string(failure.kind))});
  fields.push_back({"class", std::string(to_string(failure.error_class()))});
  if (!failure.code.empty()) fields.push_back({"code", failure.code});
  if (!failure.table.empty()) fields.push_back({"table", failure.table});
  if (!failure.column.empty()) fields.push_back({"column", failure.column});
  if (!failure.key_hash.empty()) fields.push_back({"key_hash", failure.key_hash});
  if (!failure.remedy.empty()) fields.push_back({"remedy", failure.remedy});
}

/// A failure's message holds its hint already where an Error made it.
std::string sentence(const Failure& failure) {
  if (failure.hint.empty() || failure.message.find(failure.hint) != std::string::npos)
    return failure.message;
  return failure.message + ". HINT: " + failure.hint;
}

std::string row_text(const RunCounts& counts) {
  const WriteCounts& written = counts.written;
  std::string text = fmt::format("read {} row(s), wrote {}", counts.rows_read,
                                 written.inserted + written.updated + written.deleted);
  std::string parts;
  const auto part = [&](std::uint64_t count, std::string_view word) {
    if (count > 0) parts += fmt::format("{}{} {}", parts.empty() ? "" : ", ", count, word);
  };
  part(written.inserted, "inserted");
  part(written.updated, "updated");
  part(written.deleted, "deleted");
  part(written.unchanged, "unchanged");
  part(counts.rows_rejected, "rejected");
  part(counts.late_rows, "LATE");
  return parts.empty() ? text : fmt::format("{} ({})", text, parts);
}

std::string phase_text(const PhaseTimes& phases) {
  std::string text;
  const auto part = [&](Duration span, std::string_view word) {
    if (span.count() > 0)
      text += fmt::format("{}{} {}", text.empty() ? "" : ", ", word, human(span));
  };
  part(phases.connect, "connect");
  part(phases.read, "read");
  part(phases.transform, "transform");
  part(phases.write, "write");
  part(phases.commit, "commit");
  part(phases.wait, "wait");
  return text;
}

std::int64_t rows_per_second(const RunFinished& event) {
  const double took = seconds(event.took);
  if (took <= 0) return 0;
  return static_cast<std::int64_t>(static_cast<double>(event.outcome.counts.rows_read) / took);
}

std::optional<Duration> lag(const RunFinished& event) {
  const Progress& progress = event.outcome.progress;
  if (!progress.fresh_as_of) return std::nullopt;
  return std::max(Duration{}, event.ended + progress.clock_skew - *progress.fresh_as_of);
}

Fields run_fields(const RunFinished& event) {
  const RunCounts& counts = event.outcome.counts;
  const PhaseTimes& phases = event.outcome.phases;
  Fields fields{{"job", event.job.text},
                {"run_id", event.run_id},
                {"trigger", std::string(to_string(event.trigger))},
                {"result", std::string(to_string(event.outcome.result))},
                {"took_seconds", seconds(event.took)},
                {"rows_read", number(counts.rows_read)},
                {"rows_inserted", number(counts.written.inserted)},
                {"rows_updated", number(counts.written.updated)},
                {"rows_deleted", number(counts.written.deleted)},
                {"rows_unchanged", number(counts.written.unchanged)},
                {"rows_per_second", rows_per_second(event)},
                {"connect_seconds", seconds(phases.connect)},
                {"read_seconds", seconds(phases.read)},
                {"transform_seconds", seconds(phases.transform)},
                {"write_seconds", seconds(phases.write)},
                {"commit_seconds", seconds(phases.commit)},
                {"wait_seconds", seconds(phases.wait)}};
  if (const auto behind = lag(event)) fields.push_back({"lag_seconds", seconds(*behind)});
  if (counts.late_rows > 0) fields.push_back({"late_rows", number(counts.late_rows)});
  if (event.outcome.failure) add_failure(fields, *event.outcome.failure);
  return fields;
}

std::string run_text(const RunFinished& event) {
  const RunCounts& counts = event.outcome.counts;
  std::string text = row_text(counts);
  if (counts.rows_read > 0) text += fmt::format(", {} rows/s", rows_per_second(event));
  if (const auto behind = lag(event)) text += fmt::format("; lag {}", human(*behind));
  const std::string phases = phase_text(event.outcome.phases);
  if (!phases.empty()) text += "; " + phases;
  return text;
}

/// A scheduled run that found nothing: a line each would bury all others.
bool is_quiet(const RunFinished& event) {
  const bool asked_for = event.trigger == Trigger::manual || event.trigger == Trigger::resume;
  return event.outcome.result == RunResult::success && event.outcome.counts.rows_read == 0 &&
         event.outcome.counts.written == WriteCounts{} && !asked_for;
}

std::string listed(std::string_view word, const std::vector<std::string>& names) {
  if (names.empty()) return "";
  return fmt::format("; {} {}", word, fmt::join(names, ", "));
}

}  // namespace

void LogObserver::run_started(const RunStarted& event) {
  if (!log_.enabled(LogLevel::debug)) return;
  log_.debug(fmt::format("run started ({})", to_string(event.trigger)),
             {{"job", event.job.text}, {"run_id", event.run_id}});
}

void LogObserver::batch_committed(const RunProgress& event) {
  if (!log_.enabled(LogLevel::debug)) return;
  log_.debug(
      fmt::format("batch {} committed: {} so far", event.counts.batches, row_text(event.counts)),
      {{"job", event.job.text}, {"run_id", event.run_id}});
}

void LogObserver::run_finished(const RunFinished& event) {
  const Outcome& outcome = event.outcome;
  if (outcome.failure && !outcome.failure->driver_text.empty())
    log_.debug("the driver said: " + outcome.failure->driver_text,
               {{"job", event.job.text}, {"run_id", event.run_id}});
  const std::string took = human(event.took);
  switch (outcome.result) {
    case RunResult::success:
      log_.write(is_quiet(event) ? LogLevel::debug : LogLevel::info,
                 fmt::format("run succeeded in {}: {}", took, run_text(event)), run_fields(event),
                 LogEvent::run_finished);
      break;
    case RunResult::partial:
      log_.write(LogLevel::warn,
                 fmt::format("run ended in {} with rows left out: {}", took, run_text(event)),
                 run_fields(event), LogEvent::run_finished);
      break;
    case RunResult::cancelled:
      log_.write(LogLevel::info, fmt::format("run cancelled after {}: {}", took, run_text(event)),
                 run_fields(event), LogEvent::run_finished);
      break;
    case RunResult::held:
      log_.write(LogLevel::info,
                 fmt::format("standing back: the job is held by {}", outcome.held_by),
                 run_fields(event), LogEvent::run_finished);
      break;
    case RunResult::failed:
      log_.write(event.trigger == Trigger::probe ? LogLevel::debug : LogLevel::error,
                 fmt::format("run failed after {}: {}; {}", took,
                             outcome.failure ? sentence(*outcome.failure) : "no reason was given",
                             row_text(outcome.counts)),
                 run_fields(event), LogEvent::run_failed);
      break;
  }
}

void LogObserver::retry_scheduled(const JobName& job, const Failure& failure, unsigned attempt,
                                  Duration delay) {
  Fields fields{{"job", job.text},
                {"attempt", static_cast<std::int64_t>(attempt)},
                {"delay_seconds", seconds(delay)}};
  add_failure(fields, failure);
  log_.write(LogLevel::warn,
             fmt::format("retry {} in {} ({})", attempt, human(delay), to_string(failure.kind)),
             std::move(fields), LogEvent::retry);
}

void LogObserver::run_skipped(const JobName& job, SkipReason reason) {
  log_.info(fmt::format("a start was skipped: {}", to_string(reason)), {{"job", job.text}});
}

void LogObserver::state_changed(const StateChanged& event) {
  Fields fields{{"job", event.job.text},
                {"from", std::string(to_string(event.from))},
                {"to", std::string(to_string(event.to))}};
  if (event.failure) add_failure(fields, *event.failure);
  if (event.to == JobState::halted) {
    std::string text = "halted: ";
    text += event.failure ? sentence(*event.failure) : event.reason;
    if (event.failure && !event.reason.empty() && event.reason != event.failure->message)
      text += fmt::format(" ({})", event.reason);
    log_.write(LogLevel::error, text, std::move(fields), LogEvent::halted);
    return;
  }
  // Pauses and the end of a halt are news; the steps of every run are not.
  const bool news = event.to == JobState::paused || event.from == JobState::paused ||
                    event.from == JobState::halted || event.to == JobState::disabled;
  std::string text = fmt::format("{} -> {}", to_string(event.from), to_string(event.to));
  if (!event.reason.empty()) text += ": " + event.reason;
  log_.write(news ? LogLevel::info : LogLevel::debug, text, std::move(fields),
             LogEvent::state_changed);
}

void LogObserver::mark_epoch_opened(const JobName& job, std::int64_t epoch,
                                    std::string_view reason) {
  log_.write(LogLevel::warn, fmt::format("mark epoch {} opened: {}", epoch, reason),
             {{"job", job.text}, {"epoch", epoch}}, LogEvent::mark_epoch);
}

void LogObserver::reload_finished(const ReloadFinished& event) {
  Fields fields{{"generation", number(event.generation)}};
  if (event.result == ReloadFinished::Result::rejected) {
    log_.write(LogLevel::error,
               fmt::format("reload rejected, {} problem(s); everything goes on as it was",
                           event.errors.size()),
               fields, LogEvent::reload_rejected);
    for (const std::string& error : event.errors)
      log_.write(LogLevel::error, error, fields, LogEvent::reload_rejected);
    return;
  }
  const bool unchanged = event.result == ReloadFinished::Result::unchanged;
  std::string text = unchanged ? "reload: nothing has changed"
                               : fmt::format("reload applied: generation {}", event.generation);
  text += listed("added", event.added) + listed("removed", event.removed) +
          listed("changed", event.changed);
  log_.write(LogLevel::info, text, fields, LogEvent::reload_applied);
  if (!event.restart_required.empty())
    log_.write(LogLevel::warn,
               fmt::format("these settings keep their old value until a restart: {}",
                           fmt::join(event.restart_required, ", ")),
               std::move(fields), LogEvent::reload_applied);
}

void LogObserver::note(const JobName& job, std::string_view text) {
  Fields fields;
  if (!job.empty()) fields.push_back({"job", job.text});
  log_.write(LogLevel::warn, text, std::move(fields), LogEvent::note);
}

}  // namespace tidemark::observe
