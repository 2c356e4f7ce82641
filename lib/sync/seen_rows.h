#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include "sync/digest.h"

namespace tidemark {

/// Rows near the mark that were written and will be read again: they are recognised, so that an
/// idle source causes no writes. Forgetting is always right, it only costs a write that changes
/// nothing; so it is bounded, and forgets all at once. Used by one run at a time.
class SeenRows {
 public:
  static constexpr std::size_t bound = 10'000;

  explicit SeenRows(DigestKey secret) : secret_(secret) {}

  bool empty() const noexcept { return rows_.empty(); }
  void clear() noexcept { rows_.clear(); }
  /// Rows of the batch, in order, that are not in the target as they are, as far as is known.
  std::vector<std::size_t> unknown(const Batch& batch, const std::vector<std::size_t>& key);
  /// The batch is in the target. Rows from `first` on will be read again; the others are forgotten.
  void written(const Batch& batch, const std::vector<std::size_t>& key, std::size_t first);
  /// Only what is written from now on will be read again.
  void next_generation();

 private:
  struct Known {
    Digest row;
    std::uint32_t generation;
  };
  void choose_columns(const Batch& batch);

  DigestKey secret_;
  std::unordered_map<Digest, Known, DigestHash> rows_;
  std::vector<std::size_t> columns_;
  std::string scratch_;
  std::uint32_t generation_ = 0;
};

}  // namespace tidemark
