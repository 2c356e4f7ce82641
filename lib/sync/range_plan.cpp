#include "sync/range_plan.h"

#include <algorithm>

namespace tidemark {

std::vector<std::string> names_of(const std::vector<KeyPart>& key) {
  std::vector<std::string> names;
  for (const KeyPart& part : key)
    names.push_back(part.column);
  return names;
}

std::vector<KeyPart> range_key(const JobPlan& plan) {
  const bool stays = plan.evidence && plan.evidence->inserts_only;
  if (!stays || plan.key.empty()) return plan.key;
  if (plan.key.front().column != plan.cursor->column) return {};
  return {plan.key.front()};
}

RangeResume range_resume(const JobPlan& plan) {
  // MariaDB sorts an ENUM by its number and compares it by its label.
  for (const std::size_t at : plan.key_at)
    if (plan.read_columns[at].type.kind == TypeKind::native) return RangeResume::anew;
  std::vector<std::string> key = names_of(plan.key);
  std::vector<std::string> primary = plan.source.primary_key;
  std::sort(key.begin(), key.end());
  std::sort(primary.begin(), primary.end());
  const bool own_key = !primary.empty() && key == primary;  // also by the server's collation
  return own_key ? RangeResume::behind : RangeResume::at;
}

bool may_load_ranges(const JobPlan& plan) {
  if (!plan.incremental() || plan.job->initial == Initial::skip || plan.job->parallel < 2)
    return false;
  // A query would be run once for each range, and may cost as much each time.
  if (!plan.relation.table || range_key(plan).empty()) return false;
  return plan.apply != Apply::append || range_resume(plan) == RangeResume::behind;
}

bool may_fill_table(const JobPlan& plan) {
  return may_load_ranges(plan) && plan.job->cursor->nulls != CursorNulls::scan &&
         plan.apply == Apply::upsert && plan.key_is_unique &&
         range_resume(plan) == RangeResume::behind;
}

}  // namespace tidemark
