#include "sync/key_filter.h"

namespace tidemark {

std::optional<std::size_t> KeyFilter::find_repeated(const Batch& batch) {
  if (seen_.size() + batch.rows() > remembered) reach_ = Reach::batch;
  if (reach_ == Reach::batch) seen_.clear();
  for (std::size_t row = 0; row < batch.rows(); ++row)
    if (!seen_.insert(digest_row(batch, row, key_, secret_, scratch_)).second) return row;
  return std::nullopt;
}

std::optional<std::pair<std::size_t, std::size_t>> KeyFilter::find_null(const Batch& batch) const {
  for (const std::size_t at : key_) {
    if (batch.column(at).null_count() == 0) continue;
    for (std::size_t row = 0; row < batch.rows(); ++row)
      if (batch.column(at).is_null(row)) return std::pair(row, at);
  }
  return std::nullopt;
}

}  // namespace tidemark
