#include "core/pipeline.h"

#include <algorithm>
#include <set>

#include "core/error.h"
#include "transform/cast.h"
#include "transform/default.h"
#include "transform/map.h"
#include "transform/named_type.h"
#include "transform/select.h"
#include "transform/timezone.h"
#include "transform/trim.h"

namespace tidemark {
namespace {

const ColumnRule* rule_of(const JobSettings& job, const std::string& column) {
  for (const ColumnRule& rule : job.columns)
    if (rule.column == column) return &rule;
  return nullptr;
}

/// The output columns and what each is made of. A column that another takes with `from` is renamed:
/// it is not kept under its own name too, unless it has a rule of its own.
std::vector<Select::Pick> picks_of(const JobSettings& job, const Schema& input,
                                   const std::vector<std::string>& wanted,
                                   std::vector<std::string>& problems) {
  std::set<std::string> taken;
  for (const ColumnRule& rule : job.columns)
    if (rule.from && *rule.from != rule.column) taken.insert(*rule.from);
  std::vector<Select::Pick> picks;
  std::set<std::string> used;
  for (const std::string& name : wanted) {
    for (const ColumnRule& rule : job.columns) {
      if (!rule.from || *rule.from != name || rule.column == name) continue;
      picks.push_back({name, rule.column});
      used.insert(rule.column);
    }
    const ColumnRule* own = rule_of(job, name);
    const bool replaced = own != nullptr && own->from && *own->from != name;
    if (replaced || (own == nullptr && taken.contains(name))) continue;
    picks.push_back({name, name});
    used.insert(name);
  }
  for (const ColumnRule& rule : job.columns) {
    if (used.contains(rule.column)) continue;
    const std::string& from = rule.from ? *rule.from : rule.column;
    const bool read = find_column(input, from) != npos;
    problems.push_back(
        "columns." + rule.column + ": " +
        (read ? "source column " + from + " is excluded" : "the source has no column " + from));
  }
  return picks;
}

bool is_identity(const std::vector<Select::Pick>& picks, const Schema& input) {
  if (picks.size() != input.size()) return false;
  for (std::size_t index = 0; index < picks.size(); ++index)
    if (picks[index].from != input[index].name || picks[index].name != input[index].name)
      return false;
  return true;
}

/// Builds the steps of a job one after the other, each against what the ones before it leave.
class Builder {
 public:
  Builder(const JobSettings& job, const PipelineContext& context,
          std::vector<std::string>& problems, Schema schema)
      : job_(job), context_(context), problems_(problems), schema_(std::move(schema)) {}

  bool add(std::unique_ptr<const Transform> step, const std::string& column) {
    try {
      schema_ = step->output(schema_);
    } catch (const Error& error) {
      problems_.push_back((column.empty() ? "" : "columns." + column + ": ") +
                          error.fields().message +
                          (error.fields().hint.empty() ? "" : ". " + error.fields().hint));
      return false;
    }
    steps.push_back(std::move(step));
    return true;
  }

  void add_column(ColumnOrigin& origin, const Column& source) {
    const std::string& name = origin.column;
    const ColumnRule* rule = rule_of(job_, name);
    const auto step = [&](std::unique_ptr<const ColumnTransform> transform) {
      const std::string text = transform->describe();
      if (add(std::move(transform), name)) origin.steps.push_back(text);
    };
    if (rule != nullptr) {
      if (rule->trim != Trim::none) step(std::make_unique<TrimText>(name, rule->trim));
      if (!rule->map.empty()) step(std::make_unique<MapValues>(name, rule->map, rule->unmapped));
      if (rule->default_value)
        step(std::make_unique<DefaultValue>(name, *rule->default_value, rule->default_for));
    }
    const std::optional<Type> type = wanted_type(rule, name, source);
    if (const auto direction = zone_shift(rule, name, type)) {
      const bool in = *direction == ShiftZone::Direction::to_instant;
      std::string zone = in ? context_.source_timezone : context_.target_timezone;
      if (in && rule != nullptr && rule->source_timezone) zone = *rule->source_timezone;
      step(std::make_unique<ShiftZone>(name, *direction, zone, context_.zones));
    }
    if (type && !(*type == current(name).type))
      step(std::make_unique<Cast>(name, *type, rule != nullptr ? rule->lossy : Lossy::error));
  }

  std::vector<std::unique_ptr<const Transform>> steps;
  const Schema& schema() const { return schema_; }

 private:
  const Column& current(const std::string& name) const {
    return schema_[find_column(schema_, name)];
  }

  std::optional<Type> wanted_type(const ColumnRule* rule, const std::string& name,
                                  const Column& source) const {
    if (const Type* named = named_type(job_, rule, context_.source_type, source)) return *named;
    const std::size_t there = find_column(context_.target, name);
    if (there == npos) return std::nullopt;
    const TypeKind have = current(name).type.kind;
    const TypeKind want = context_.target[there].type.kind;
    if ((have == TypeKind::timestamp && want == TypeKind::instant) ||
        (have == TypeKind::instant && want == TypeKind::timestamp)) {
      Type type = current(name).type;
      type.kind = want;
      return type;
    }
    return std::nullopt;
  }

  std::optional<ShiftZone::Direction> zone_shift(const ColumnRule* rule, const std::string& name,
                                                 const std::optional<Type>& type) const {
    const TypeKind have = current(name).type.kind;
    if (rule != nullptr && rule->source_timezone && have != TypeKind::instant)
      return ShiftZone::Direction::to_instant;
    if (!type) return std::nullopt;
    if (have == TypeKind::timestamp && type->kind == TypeKind::instant)
      return ShiftZone::Direction::to_instant;
    if (have == TypeKind::instant &&
        (type->kind == TypeKind::timestamp || type->kind == TypeKind::date))
      return ShiftZone::Direction::to_local;
    return std::nullopt;
  }

  const JobSettings& job_;
  const PipelineContext& context_;
  std::vector<std::string>& problems_;
  Schema schema_;
};

}  // namespace

std::unique_ptr<Pipeline> make_pipeline(const JobSettings& job, const Schema& input,
                                        const std::vector<std::string>& wanted,
                                        const PipelineContext& context,
                                        std::vector<std::string>& problems) {
  std::vector<Select::Pick> picks = picks_of(job, input, wanted, problems);
  Builder builder(job, context, problems, input);
  std::vector<ColumnOrigin> origins;
  origins.reserve(picks.size());
  for (const Select::Pick& pick : picks)
    origins.push_back({.column = pick.name, .source_column = pick.from});
  if (!is_identity(picks, input)) builder.add(std::make_unique<Select>(std::move(picks)), {});
  for (ColumnOrigin& origin : origins) {
    const std::size_t at = find_column(input, origin.source_column);
    if (at == npos || find_column(builder.schema(), origin.column) == npos) continue;
    if (origin.column != origin.source_column)
      origin.steps.push_back("from " + origin.source_column);
    builder.add_column(origin, input[at]);
  }
  Schema output = builder.schema();
  return std::make_unique<Pipeline>(input, std::move(output), std::move(builder.steps),
                                    std::move(origins));
}

}  // namespace tidemark
