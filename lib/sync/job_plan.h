#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/pipeline.h"
#include "core/settings.h"
#include "core/source.h"
#include "core/target.h"
#include "core/zones.h"
#include "sync/cursor_value.h"

namespace tidemark {

/// How rows get into the target.
enum class Apply {
  upsert,          ///< by key; twice is once
  append,          ///< exactly once, through the checkpoint
  insert_missing,  ///< appended where its key is not there yet; twice is once
  replace,         ///< all at once
};

/// How far behind the horizon rows are read again.
using Lookback = Distance;

/// Everything about a job that the databases had to be asked for: what `run`, `check` and `plan`
/// share. Made on a worker thread, read by any afterwards.
struct JobPlan {
  std::shared_ptr<const JobSettings> job;
  SourceDescription source;
  Relation relation;
  Schema read_columns;                     ///< what is read: wanted columns, key and cursor
  std::vector<std::string> named_columns;  ///< of these, the ones read as the user's type
  std::vector<KeyPart> key;                ///< by columns of the relation
  std::vector<std::size_t> key_at;         ///< of read_columns
  std::vector<std::size_t> output_key_at;  ///< the same columns in the pipeline's output
  bool key_is_unique = false;              ///< it is the source table's own primary key, unchanged
  std::optional<CursorRef> cursor;
  std::size_t cursor_at = npos;  ///< of read_columns
  std::optional<CursorEvidence> evidence;
  ProofKind proof = ProofKind::lookback;
  std::string proof_text;      ///< "exact (P3)", "exact (assumed: server_assigned)", "lookback 15m"
  Lookback lookback;           ///< with a proof: a margin beside it
  std::optional<Value> start;  ///< cursor.start
  Apply apply = Apply::upsert;
  std::shared_ptr<const Pipeline> pipeline;
  WriteSpec write;
  TargetPlan target;
  std::string definition;
  /// Hash of how rows are written: rows that were written under another one differ rightly.
  std::string output;

  /// Each stops the job; said in full, with what to do.
  std::vector<std::string> problems;
  std::vector<std::string> warnings;
  std::vector<std::string> notes;

  bool incremental() const noexcept { return job->mode == Mode::incremental; }
  bool proven() const noexcept { return proof != ProofKind::lookback; }
  /// Writing a row twice is writing it once.
  bool absorbs() const noexcept { return apply == Apply::upsert || apply == Apply::insert_missing; }
};

struct PlanPorts {
  Source& source;
  Target* target = nullptr;  ///< nullptr: the target side is left out
  const Zones& zones;
  std::string source_type = {};  ///< "mysql": for the keys of `types`
  std::string source_timezone = "UTC";
  std::string target_timezone = "UTC";
  bool same_database = false;  ///< source and target, by is_same_database
};

/// Whether two connections lead to one database, as far as their settings show.
bool is_same_database(const ConnectionSettings& left, const ConnectionSettings& right);

/// Collects every problem; throws only what the databases throw (lost connection, missing table).
JobPlan plan_job(std::shared_ptr<const JobSettings> job, const PlanPorts& ports);

/// Throws Error{schema} with the first problem, if there is one.
void require_possible(const JobPlan& plan);

/// "15m", "90s", "500ms": as the configuration writes durations.
std::string duration_text(Duration duration);

}  // namespace tidemark
