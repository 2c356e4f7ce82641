#include "sync/definition.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>

#include "core/error.h"
#include "core/value.h"

namespace tidemark {
namespace {

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\v' || c == '\f';
}

std::string hex(const unsigned char* bytes, std::size_t size) {
  return to_hex({reinterpret_cast<const char*>(bytes), size});
}

/// Fields with their lengths in front: no two lists of fields give the same bytes.
class Frame {
 public:
  Frame& add(std::string_view field) {
    bytes_ += std::to_string(field.size()) + ":";
    bytes_ += field;
    return *this;
  }
  const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
};

}  // namespace

std::string normalised_sql(std::string_view sql) {
  std::string text;
  bool blank = false;
  const auto put = [&](std::string_view piece) {
    if (blank && !text.empty()) text += ' ';
    blank = false;
    text += piece;
  };
  std::size_t at = 0;
  while (at < sql.size()) {
    const char c = sql[at];
    if (is_blank(c)) {
      blank = true;
      ++at;
    } else if (sql.substr(at, 2) == "--") {
      at = std::min(sql.find('\n', at), sql.size());
      blank = true;
    } else if (sql.substr(at, 2) == "/*") {
      const std::size_t end = sql.find("*/", at + 2);
      at = end == std::string_view::npos ? sql.size() : end + 2;
      blank = true;
    } else if (c == '\'' || c == '"' || c == '`') {
      const std::size_t end = sql.find(c, at + 1);
      const std::size_t next = end == std::string_view::npos ? sql.size() : end + 1;
      put(sql.substr(at, next - at));
      at = next;
    } else {
      put(sql.substr(at, 1));
      ++at;
    }
  }
  while (text.ends_with(';') || text.ends_with(' '))
    text.pop_back();
  return text;
}

std::string sha256_hex(std::string_view bytes) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  if (EVP_Digest(bytes.data(), bytes.size(), digest.data(), &size, EVP_sha256(), nullptr) != 1)
    throw Error({.kind = FailureKind::internal, .message = "SHA-256 is not available"});
  return hex(digest.data(), size);
}

std::string hmac_sha256_hex(std::string_view key, std::string_view bytes) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  if (HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
           reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), digest.data(),
           &size) == nullptr)
    throw Error({.kind = FailureKind::internal, .message = "HMAC-SHA256 is not available"});
  return hex(digest.data(), size);
}

std::string definition_hash(const JobSettings& job) {
  Frame frame;
  frame.add("tidemark definition 1");
  if (job.source_table)
    frame.add("table").add(job.source_table->schema).add(job.source_table->name);
  else
    frame.add("query").add(normalised_sql(job.source_query.value_or("")));
  frame.add("where").add(normalised_sql(job.source_where.value_or("")));
  frame.add("key");
  for (const KeyPart& part : job.key)
    frame.add(part.column).add(normalised_sql(part.source));
  frame.add("cursor");
  if (job.cursor) {
    frame.add(job.cursor->column);
    frame.add(normalised_sql(job.cursor->source.empty() ? job.cursor->column : job.cursor->source));
    frame.add(job.cursor->start ? "from " + *job.cursor->start : "all");
  }
  frame.add("mode").add(to_string(job.mode)).add(to_string(job.write));
  frame.add("target").add(job.target_table.schema).add(job.target_table.name);
  frame.add("scope");
  for (const auto& [column, value] : job.scope)
    frame.add(column).add(value);
  return sha256_hex(frame.bytes());
}

}  // namespace tidemark
