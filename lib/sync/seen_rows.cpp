#include "sync/seen_rows.h"

#include <numeric>

#include "core/guard_switch.h"

namespace tidemark {

void SeenRows::choose_columns(const Batch& batch) {
  if (columns_.size() == batch.column_count()) return;
  columns_.resize(batch.column_count());
  std::iota(columns_.begin(), columns_.end(), std::size_t{0});
}

std::vector<std::size_t> SeenRows::unknown(const Batch& batch,
                                           const std::vector<std::size_t>& key) {
  choose_columns(batch);
  std::vector<std::size_t> rows;
  for (std::size_t row = 0; row < batch.rows(); ++row) {
    const auto known = rows_.find(digest_row(batch, row, key, secret_, scratch_));
    if (known != rows_.end() &&
        (off(Guard::compare_whole_row) ||
         known->second.row == digest_row(batch, row, columns_, secret_, scratch_))) {
      known->second.generation = generation_;
      continue;
    }
    rows.push_back(row);
  }
  return rows;
}

void SeenRows::written(const Batch& batch, const std::vector<std::size_t>& key, std::size_t first) {
  choose_columns(batch);
  if (rows_.empty() && first >= batch.rows()) return;
  if (rows_.size() + batch.rows() > bound) return clear();
  for (std::size_t row = 0; row < batch.rows(); ++row) {
    const Digest id = digest_row(batch, row, key, secret_, scratch_);
    if (row < first)
      rows_.erase(id);
    else
      rows_.insert_or_assign(
          id, Known{digest_row(batch, row, columns_, secret_, scratch_), generation_});
  }
}

void SeenRows::next_generation() {
  std::erase_if(rows_, [&](const auto& entry) { return entry.second.generation != generation_; });
  ++generation_;
}

}  // namespace tidemark
