#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

#include "core/batch.h"

namespace tidemark {

/// 128 bits that stand for a key or a row within one process. Two different rows practically never
/// share one; nobody outside can make them, as the key they are made with is random.
struct Digest {
  std::uint64_t low = 0;
  std::uint64_t high = 0;
  friend bool operator==(const Digest&, const Digest&) = default;
};

struct DigestHash {
  std::size_t operator()(const Digest& digest) const noexcept {
    return static_cast<std::size_t>(digest.low);
  }
};

/// The secret that digests are made with.
struct DigestKey {
  std::uint64_t first = 0;
  std::uint64_t second = 0;
};

/// SipHash-2-4 with 128 bits of output (Aumasson and Bernstein, 2012).
Digest siphash(std::string_view bytes, const DigestKey& key) noexcept;

/// Digest of some cells of a row: NULL, lengths and kinds are told apart. `scratch` saves
/// allocations from row to row.
Digest digest_row(const Batch& batch, std::size_t row, const std::vector<std::size_t>& columns,
                  const DigestKey& key, std::string& scratch);

}  // namespace tidemark
