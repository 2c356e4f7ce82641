#include "sync/row_error.h"

#include "core/value.h"
#include "sync/definition.h"

namespace tidemark {

std::string key_hash_of(const Batch& batch, std::size_t row, const std::vector<std::size_t>& key,
                        const std::string& secret) {
  if (key.empty() || row >= batch.rows()) return {};
  std::string bytes;
  for (const std::size_t at : key) {
    if (batch.column(at).is_null(row)) {
      bytes += "N;";
      continue;
    }
    const std::string text = text_of(batch.column(at), row);
    bytes += std::to_string(text.size()) + ":" + text + ";";
  }
  return hmac_sha256_hex(secret, bytes).substr(0, 32);
}

}  // namespace tidemark
