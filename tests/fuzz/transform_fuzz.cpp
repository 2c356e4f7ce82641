// Transforms: a pipeline of any rules over any values changes what it says or refuses the row.
#include <array>

#include "core/pipeline.h"
#include "core/value.h"
#include "fuzz.h"
#include "schedule/zones.h"

using namespace tidemark;
using fuzz::require;

namespace {

constexpr std::array zones{"UTC", "Europe/Berlin", "America/St_Johns", "Asia/Kolkata"};

std::optional<Type> type_of(std::string_view text) {
  try {
    return parse_type(text);
  } catch (const Error&) {
    return std::nullopt;
  }
}

/// A rule in letters: what each line of a seed sets.
ColumnRule rule_of(fuzz::Input& input) {
  ColumnRule rule{.column = "c"};
  const std::uint8_t flags = input.byte();
  rule.trim = static_cast<Trim>(flags & 3U);
  rule.unmapped = static_cast<Unmapped>((flags >> 2 & 3U) % 3);
  rule.default_for = (flags & 16U) != 0 ? DefaultFor::empty : DefaultFor::null;
  rule.lossy = (flags & 32U) != 0 ? Lossy::allow : Lossy::error;
  if ((flags & 64U) != 0) rule.source_timezone = zones[flags % zones.size()];
  if (const auto from = input.line(); !from.empty())
    rule.map[std::string(from)] = std::string(input.line());
  if (const auto value = input.line(); !value.empty()) rule.default_value = std::string(value);
  rule.type = type_of(input.line());
  return rule;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const schedule::SystemZones system_zones;
  fuzz::Input input(data, size);
  const auto type = type_of(input.line());
  if (!type || type->kind == TypeKind::native) return 0;
  JobSettings job{.name = JobName("j")};
  job.columns.push_back(rule_of(input));
  const auto schema = std::make_shared<const Schema>(Schema{{.name = "c", .type = *type}});
  std::vector<std::string> problems;
  const auto pipeline = make_pipeline(
      job, *schema, {"c"}, {.zones = system_zones, .target_timezone = zones[size % zones.size()]},
      problems);
  Batch batch(schema);
  batch.column(0).push_null();
  while (!input.empty()) {
    try {
      push_text(batch.column(0), input.line());
    } catch (const Error&) {
    }
  }
  const std::size_t rows = batch.rows();
  const bool exact = job.columns[0].lossy == Lossy::error;
  std::vector<std::string> before;
  for (std::size_t row = 1; row < rows; ++row)
    before.push_back(text_of(batch.column(0), row));
  try {
    pipeline->apply(batch);
  } catch (const Error& error) {
    require(error.kind() == FailureKind::conversion,
            "a value that does not fit is refused as such");
    require(error.fields().column == "c", "with its column");
    require(error.fields().row && *error.fields().row < rows, "and its row");
    return 0;
  }
  require(batch.rows() == rows, "no row comes or goes");
  require(batch.column(0).type() == (*pipeline->output())[0].type,
          "of the type that was announced");
  for (std::size_t row = 0; row < rows; ++row)
    if (!batch.column(0).is_null(row)) static_cast<void>(text_of(batch.column(0), row));
  // A cast to text and nothing else changes no letter.
  const ColumnRule& rule = job.columns[0];
  if (exact && rule.type && rule.type->kind == TypeKind::text && rule.trim == Trim::none &&
      rule.map.empty() && !rule.default_value && !rule.source_timezone && problems.empty() &&
      type->kind != TypeKind::bytes)
    for (std::size_t row = 1; row < rows; ++row)
      require(batch.column(0).bytes_at(row) == before[row - 1], "text of a value is its text");
  return 0;
}
