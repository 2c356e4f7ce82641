#include "sync/job_plan.h"

#include <algorithm>
#include <filesystem>

#include "core/error.h"
#include "sync/cursor_proof.h"
#include "sync/cursor_value.h"
#include "sync/definition.h"
#include "sync/name_pattern.h"
#include "sync/range_plan.h"
#include "transform/named_type.h"

namespace tidemark {
namespace {

bool matches_any(const std::string& name, const std::vector<std::string>& patterns) {
  return std::any_of(patterns.begin(), patterns.end(),
                     [&](const std::string& pattern) { return matches_pattern(name, pattern); });
}

bool is_wanted(const JobSettings& job, const std::string& name) {
  return (job.include.empty() || matches_any(name, job.include)) && !matches_any(name, job.exclude);
}

const ColumnRule* rule_of(const JobSettings& job, const std::string& column) {
  for (const ColumnRule& rule : job.columns)
    if (rule.column == column) return &rule;
  return nullptr;
}

/// The relation's column that a name of `key` or `cursor` stands for: its own, or the one that a
/// rule renames to it.
std::string relation_column(const JobPlan& plan, const std::string& name) {
  if (find_column(plan.source.columns, name) != npos) return name;
  const ColumnRule* rule = rule_of(*plan.job, name);
  if (rule != nullptr && rule->from && find_column(plan.source.columns, *rule->from) != npos)
    return *rule->from;
  return {};
}

std::vector<std::string> choose_columns(JobPlan& plan) {
  const JobSettings& job = *plan.job;
  for (const UnsupportedColumn& column : plan.source.unsupported)
    if (is_wanted(job, column.name))
      plan.problems.push_back("source column " + column.name + " has the type " +
                              column.native_type +
                              ", which is not carried yet. Add it to `exclude`, or read it as text "
                              "in a query");
  for (const auto* patterns : {&job.include, &job.exclude}) {
    for (const std::string& pattern : *patterns) {
      const auto fits = [&](const auto& column) { return matches_pattern(column.name, pattern); };
      const auto& all = plan.source.columns;
      const auto& other = plan.source.unsupported;
      if (std::none_of(all.begin(), all.end(), fits) &&
          std::none_of(other.begin(), other.end(), fits))
        plan.warnings.push_back(std::string(patterns == &job.include ? "include" : "exclude") +
                                ": no source column matches " + pattern);
    }
  }
  std::vector<std::string> wanted;
  for (const Column& column : plan.source.columns)
    if (is_wanted(job, column.name)) wanted.push_back(column.name);
  if (wanted.empty())
    plan.problems.push_back("no column is left to read. Check `include` and `exclude`");
  return wanted;
}

void find_key(JobPlan& plan) {
  const JobSettings& job = *plan.job;
  std::vector<std::string> names;
  for (const KeyPart& part : job.key) {
    const std::string column = relation_column(plan, part.column);
    if (column.empty()) {
      plan.problems.push_back("key: the source has no column " + part.column);
      continue;
    }
    plan.key.push_back({column, part.source == part.column ? column : part.source});
    names.push_back(column);
  }
  if (job.key.empty())
    for (const std::string& column : plan.source.primary_key) {
      plan.key.push_back({column, column});
      names.push_back(column);
    }
  std::vector<std::string> primary = plan.source.primary_key;
  std::sort(names.begin(), names.end());
  std::sort(primary.begin(), primary.end());
  plan.key_is_unique = !primary.empty() && names == primary;
  if (!plan.key.empty()) return;
  if (plan.apply == Apply::upsert)
    plan.problems.push_back(
        "the job has no key: the source shows no primary key. Name the columns that identify a row "
        "in `key`" +
        std::string(job.mode == Mode::full ? ", or use `target.write: replace`"
                                           : ", or use `target.write: append`"));
}

void find_cursor(JobPlan& plan) {
  const JobSettings& job = *plan.job;
  if (job.mode != Mode::incremental) return;
  if (!job.cursor) {
    plan.problems.push_back("mode incremental needs `cursor.column`");
    return;
  }
  std::string column = relation_column(plan, job.cursor->column);
  if (column.empty() && find_column(plan.source.system_columns, job.cursor->column) != npos)
    column = job.cursor->column;
  if (column.empty()) {
    plan.problems.push_back("cursor.column: the source has no column " + job.cursor->column);
    return;
  }
  const bool plain = job.cursor->source.empty() || job.cursor->source == job.cursor->column;
  plan.cursor = CursorRef{column, plain ? column : job.cursor->source};
}

void choose_reading(JobPlan& plan, const std::vector<std::string>& wanted) {
  const auto needed = [&](const std::string& name) {
    if (std::find(wanted.begin(), wanted.end(), name) != wanted.end()) return true;
    if (plan.cursor && plan.cursor->column == name) return true;
    return std::any_of(plan.key.begin(), plan.key.end(),
                       [&](const KeyPart& part) { return part.column == name; });
  };
  for (const Column& column : plan.source.columns)
    if (needed(column.name)) plan.read_columns.push_back(column);
  for (const Column& column : plan.source.system_columns)
    if (plan.cursor && plan.cursor->column == column.name) plan.read_columns.push_back(column);
  for (const KeyPart& part : plan.key)
    plan.key_at.push_back(find_column(plan.read_columns, part.column));
  if (plan.cursor) plan.cursor_at = find_column(plan.read_columns, plan.cursor->column);
}

/// What the user wants a source column to be, where all output columns made of it agree.
std::optional<Type> type_named_for(const JobPlan& plan, const Column& column,
                                   const std::string& source_type) {
  std::optional<Type> wanted;
  bool touched = false;
  for (const ColumnRule& rule : plan.job->columns) {
    if (rule.from.value_or(rule.column) != column.name) continue;
    const Type* named = named_type(*plan.job, &rule, source_type, column);
    if (named == nullptr || rule.source_timezone || (wanted && !(*wanted == *named)))
      return std::nullopt;
    wanted = *named;
    touched = true;
  }
  if (touched) return wanted;
  const Type* named = named_type(*plan.job, nullptr, source_type, column);
  return named == nullptr ? std::nullopt : std::optional(*named);
}

/// A named type's length and digits are checked by the transforms, which know what the user allows.
Type without_limits(Type type) {
  if (type.kind == TypeKind::text) return text_type();
  return is_temporal(type.kind) ? make_type(type.kind) : type;
}

/// Reads a column as the type the user names where the source can: what its declared type can't
/// hold then never has to be parsed. The cursor and the key keep the type that orders them.
void choose_forms(JobPlan& plan, const PlanPorts& ports) {
  for (std::size_t at = 0; at < plan.read_columns.size(); ++at) {
    Column& column = plan.read_columns[at];
    const bool orders = at == plan.cursor_at ||
                        std::find(plan.key_at.begin(), plan.key_at.end(), at) != plan.key_at.end();
    if (orders) continue;
    std::optional<Type> wanted = type_named_for(plan, column, ports.source_type);
    if (wanted) wanted = without_limits(std::move(*wanted));
    if (!wanted || !ports.source.can_read_as(column, *wanted)) continue;
    column.type = *wanted;
    plan.named_columns.push_back(column.name);
  }
}

void choose_apply(JobPlan& plan) {
  const JobSettings& job = *plan.job;
  switch (job.write) {
    case WriteMode::upsert:
      plan.apply = Apply::upsert;
      break;
    case WriteMode::append:
      plan.apply = Apply::append;
      break;
    case WriteMode::replace:
      plan.apply = Apply::replace;
      if (job.mode == Mode::incremental)
        plan.problems.push_back(
            "target.write: replace needs `mode: full`: an incremental job does not see all rows");
      break;
  }
}

/// Where the output holds the key, and whether a transform might make two keys one.
void find_output_key(JobPlan& plan) {
  const auto& origins = plan.pipeline->origins();
  for (const KeyPart& part : plan.key) {
    const auto at = std::find_if(origins.begin(), origins.end(), [&](const ColumnOrigin& origin) {
      return origin.source_column == part.column;
    });
    const std::size_t index =
        at == origins.end() ? npos : find_column(*plan.pipeline->output(), at->column);
    if (index == npos) {
      if (plan.apply != Apply::append)
        plan.problems.push_back("key column " + part.column +
                                " does not arrive at the target. Take it out of `exclude`, or add "
                                "it to `include`");
      continue;
    }
    plan.output_key_at.push_back(index);
    const bool renamed_only =
        at->steps.empty() || (at->steps.size() == 1 && at->column != at->source_column);
    if (!renamed_only) plan.key_is_unique = false;
  }
  if (plan.output_key_at.size() < plan.key.size()) plan.key_is_unique = false;
}

bool same_columns(std::vector<std::string> left, std::vector<std::string> right) {
  std::sort(left.begin(), left.end());
  std::sort(right.begin(), right.end());
  return left == right;
}

/// An append with a key knows rows that are there already: a lookback needs that, an audit uses it
/// where the target has a unique index over the key.
void choose_append_key(JobPlan& plan, const std::optional<Target::TableDescription>& there) {
  const bool whole = !plan.output_key_at.empty() && plan.output_key_at.size() == plan.key.size();
  if (!whole || !plan.incremental()) return;
  std::vector<std::string> key;
  for (const std::size_t at : plan.output_key_at)
    key.push_back((*plan.pipeline->output())[at].name);
  const bool unique =
      there && std::any_of(there->unique_keys.begin(), there->unique_keys.end(),
                           [&](const auto& index) { return same_columns(index, key); });
  if (!plan.proven()) plan.apply = Apply::insert_missing;
  if (!plan.proven() || unique) plan.write.key = std::move(key);
}

void describe_write(JobPlan& plan, const std::optional<Target::TableDescription>& there) {
  const JobSettings& job = *plan.job;
  WriteSpec& write = plan.write;
  write.table = job.target_table;
  write.create = job.create;
  write.schema_changes = job.schema_changes;
  write.scope = job.scope;
  write.replace = job.replace;
  const Schema& output = *plan.pipeline->output();
  for (const Column& column : output) {
    TargetColumn target{.column = column};
    if (const ColumnRule* rule = rule_of(job, column.name)) {
      target.native_type = rule->native_type;
      target.lossy = rule->lossy;
    }
    write.columns.push_back(std::move(target));
  }
  write.write = job.write;
  if (plan.apply == Apply::append)
    choose_append_key(plan, there);
  else
    for (const std::size_t at : plan.output_key_at)
      write.key.push_back(output[at].name);
  if (write.key.empty()) return;
  for (const std::size_t at : plan.output_key_at)
    write.columns[at].column.nullable = false;
}

/// Each part with its length in front: no two lists of parts give the same bytes.
class Parts {
 public:
  Parts& add(const std::string& part) {
    bytes_ += std::to_string(part.size()) + ":" + part;
    return *this;
  }
  std::string hash() const { return sha256_hex(bytes_); }

 private:
  std::string bytes_;
};

std::string output_hash(const JobPlan& plan, const PlanPorts& ports) {
  Parts parts;
  parts.add(ports.source_timezone).add(ports.target_timezone);
  for (const ColumnOrigin& origin : plan.pipeline->origins())
    parts.add(origin.source_column).add(origin.column);
  for (const Column& column : *plan.pipeline->output())
    parts.add(column.name).add(to_string(column.type));
  for (const ColumnRule& rule : plan.job->columns) {
    parts.add(rule.column).add(rule.native_type.value_or("")).add(std::to_string(int(rule.trim)));
    parts.add(rule.default_value ? "default " + *rule.default_value : "");
    parts.add(std::to_string(int(rule.default_for)) + std::to_string(int(rule.unmapped)));
    parts.add(rule.source_timezone.value_or(""));
    for (const auto& [from, to] : rule.map)
      parts.add(from).add(to);
  }
  for (const std::string& column : plan.target.ignored_columns)
    parts.add("without " + column);
  return parts.hash();
}

/// A job that waits for its own reader's lock would wait until that gives up.
void check_locks(JobPlan& plan, const PlanPorts& ports) {
  if (!ports.same_database || !plan.source.blocks_writers) return;
  plan.problems.push_back(
      "source and target are one database, which can't be written to while it is being read: put "
      "the file into WAL mode once (sqlite3 FILE 'PRAGMA journal_mode=WAL'), or use two files");
}

void ask_target(JobPlan& plan, Target& target) {
  WriteSpec first = plan.write;
  first.key_last = plan.problems.empty() && may_fill_table(plan);
  plan.target = target.plan(first);
  const auto append = [](std::vector<std::string>& to, const std::vector<std::string>& from) {
    to.insert(to.end(), from.begin(), from.end());
  };
  append(plan.problems, plan.target.problems);
  append(plan.warnings, plan.target.drift);
  append(plan.notes, plan.target.notes);
}

void add_notes(JobPlan& plan) {
  const JobSettings& job = *plan.job;
  if (job.source_where && plan.incremental())
    plan.notes.push_back("source.where: a row that leaves the predicate stays in the target");
  if (job.write == WriteMode::append && plan.incremental()) {
    if (plan.apply == Apply::insert_missing)
      plan.notes.push_back(
          "append with a lookback: rows that come again are known by their key and left as they "
          "are");
    else if (plan.write.key.empty())
      plan.notes.push_back(
          "append without a unique index over the job's key at the target can't be audited: rows "
          "that break the proof's assumptions are not found");
    if (plan.apply == Apply::append && plan.evidence && !plan.evidence->inserts_only)
      plan.notes.push_back(
          "append: the cursor moves on update, so the target gets one row per "
          "version seen");
  }
  if (!plan.key.empty() && !plan.key_is_unique && !plan.source.primary_key.empty())
    plan.notes.push_back(
        "key: it is not the source's primary key, so it is checked for rows that "
        "share one in each read");
}

}  // namespace

JobPlan plan_job(std::shared_ptr<const JobSettings> job, const PlanPorts& ports) {
  JobPlan plan;
  plan.job = std::move(job);
  plan.definition = definition_hash(*plan.job);
  plan.relation.table = plan.job->source_table;
  plan.relation.where = plan.job->source_where.value_or("");
  plan.relation.query = plan.job->source_query.value_or("");
  plan.source = ports.source.describe(plan.relation);
  choose_apply(plan);
  const std::vector<std::string> wanted = choose_columns(plan);
  find_key(plan);
  find_cursor(plan);
  choose_reading(plan, wanted);
  choose_forms(plan, ports);
  if (plan.cursor) prove_cursor(plan, ports);

  std::optional<Target::TableDescription> there;
  if (ports.target != nullptr) there = ports.target->describe(plan.job->target_table);
  PipelineContext context{.zones = ports.zones,
                          .source_type = ports.source_type,
                          .source_timezone = ports.source_timezone,
                          .target_timezone = ports.target_timezone};
  if (there) context.target = there->columns;
  plan.pipeline = make_pipeline(*plan.job, plan.read_columns, wanted, context, plan.problems);
  find_output_key(plan);
  describe_write(plan, there);
  check_locks(plan, ports);
  if (ports.target != nullptr) ask_target(plan, *ports.target);
  plan.output = output_hash(plan, ports);
  add_notes(plan);
  return plan;
}

bool is_same_database(const ConnectionSettings& left, const ConnectionSettings& right) {
  if (left.type != right.type) return false;
  if (left.path.empty() && right.path.empty())
    return left.host == right.host && left.port == right.port &&
           left.unix_socket == right.unix_socket && left.database == right.database;
  std::error_code unknown;
  return std::filesystem::equivalent(left.path, right.path, unknown);
}

void require_possible(const JobPlan& plan) {
  if (plan.problems.empty()) return;
  const std::size_t more = plan.problems.size() - 1;
  throw Error({.kind = FailureKind::schema,
               .message = plan.problems.front() +
                          (more > 0 ? " (and " + std::to_string(more) + " more)" : ""),
               .operation = "plan",
               .table = plan.job->target_table.display(),
               .hint = "`tidemark check --connect " + plan.job->name.text + "` shows everything."});
}

std::string duration_text(Duration duration) {
  const std::int64_t micros = duration.count();
  struct Unit {
    std::int64_t micros;
    const char* name;
  };
  for (const Unit unit : {Unit{86'400'000'000, "d"}, Unit{3'600'000'000, "h"},
                          Unit{60'000'000, "m"}, Unit{1'000'000, "s"}, Unit{1'000, "ms"}})
    if (micros != 0 && micros % unit.micros == 0)
      return std::to_string(micros / unit.micros) + unit.name;
  return micros == 0 ? "0s" : std::to_string(micros) + "us";
}

}  // namespace tidemark
