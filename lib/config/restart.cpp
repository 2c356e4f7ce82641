#include "config/config.h"
#include "config/option.h"

namespace tidemark::config {

std::vector<std::string> restart_required(const Effective& before, const Effective& after) {
  std::vector<std::string> keys;
  for (const Option& option : option_table()) {
    if (option.reload != Reload::restart) continue;
    const Effective* old = before.find(option.path);
    const Effective* now = after.find(option.path);
    const bool same = old == nullptr || now == nullptr ? old == now : old->value == now->value;
    if (!same) keys.emplace_back(option.path);
  }
  return keys;
}

}  // namespace tidemark::config
