#include "transform/named_type.h"

#include <algorithm>
#include <cctype>

namespace tidemark {
namespace {

bool equal_but_for_case(std::string_view left, std::string_view right) {
  return left.size() == right.size() &&
         std::equal(left.begin(), left.end(), right.begin(), [](unsigned char a, unsigned char b) {
           return std::tolower(a) == std::tolower(b);
         });
}

}  // namespace

const Type* named_type(const JobSettings& job, const ColumnRule* rule, std::string_view source_type,
                       const Column& source) {
  if (rule != nullptr && rule->type) return &*rule->type;
  const std::string name = std::string(source_type) + ":" + source.native_type;
  if (const auto exact = job.types.find(name); exact != job.types.end()) return &exact->second;
  for (const auto& [native, type] : job.types)
    if (equal_but_for_case(native, name)) return &type;
  return nullptr;
}

}  // namespace tidemark
