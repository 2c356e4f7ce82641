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

/// "datetime(6)" and "decimal(12,2) unsigned" without what stands in parentheses.
std::string without_arguments(std::string_view native) {
  const std::size_t open = native.find('(');
  const std::size_t close = native.rfind(')');
  if (open == std::string_view::npos || close == std::string_view::npos || close < open)
    return std::string(native);
  return std::string(native.substr(0, open)) + std::string(native.substr(close + 1));
}

}  // namespace

const Type* named_type(const JobSettings& job, const ColumnRule* rule, std::string_view source_type,
                       const Column& source) {
  if (rule != nullptr && rule->type) return &*rule->type;
  const std::string connector = std::string(source_type) + ":";
  const std::string whole = connector + source.native_type;
  if (const auto exact = job.types.find(whole); exact != job.types.end()) return &exact->second;
  for (const std::string& name : {whole, connector + without_arguments(source.native_type)})
    for (const auto& [native, type] : job.types)
      if (equal_but_for_case(native, name)) return &type;
  return nullptr;
}

}  // namespace tidemark
