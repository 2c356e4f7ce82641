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
  std::optional<std::pair<std::size_t, std::size_t>> first;
  for (const std::size_t at : key_) {
    if (batch.column(at).null_count() == 0) continue;
    const std::size_t end = first ? first->first : batch.rows();
    for (std::size_t row = 0; row < end; ++row) {
      if (!batch.column(at).is_null(row)) continue;
      first = std::pair(row, at);
      break;
    }
  }
  return first;
}

}  // namespace tidemark
