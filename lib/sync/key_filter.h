#pragma once

#include <optional>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "sync/digest.h"

namespace tidemark {

/// Finds rows of one read that share a key, or lack it. One read's, one thread's.
///
/// A whole read is looked over up to a bound of keys, past which only rows of one batch are
/// compared with each other. In a read by cursor a row may come again rightly, moved forward
/// between two pages, so there it is each batch by itself; the caller compares neighbours across
/// its edges.
class KeyFilter {
 public:
  enum class Reach { batch, whole_read };
  static constexpr std::size_t remembered = 500'000;

  KeyFilter(std::vector<std::size_t> key, DigestKey secret, Reach reach)
      : key_(std::move(key)), secret_(secret), reach_(reach) {}

  /// The first row whose key came before; nullopt where there is none.
  std::optional<std::size_t> find_repeated(const Batch& batch);
  /// The first row with a NULL in its key, and the column that is NULL.
  std::optional<std::pair<std::size_t, std::size_t>> find_null(const Batch& batch) const;

 private:
  std::vector<std::size_t> key_;
  DigestKey secret_;
  Reach reach_;
  std::unordered_set<Digest, DigestHash> seen_;
  std::string scratch_;
};

}  // namespace tidemark
