#include "core/batch.h"

#include "core/error.h"

namespace tidemark {

ColumnData::ColumnData(Type type) : type_(std::move(type)), width_(width_of(type_.kind)) {
  if (width_ == 0) offsets_.push_back(0);
}

std::size_t ColumnData::bytes() const noexcept {
  return nulls_.size() + values_.size() + arena_.size() + offsets_.size() * sizeof(std::uint32_t);
}

void ColumnData::refuse_width(std::size_t width) const {
  throw Error({.kind = FailureKind::internal,
               .message = "a value of " + std::to_string(width) +
                          " bytes was put into a column of " + to_string(type_)});
}

void ColumnData::refuse_more() {
  throw Error({.kind = FailureKind::conversion,
               .message = "a batch can't hold more than 4 GiB in one column",
               .hint = "Lower batch.bytes or batch.rows of the job."});
}

void ColumnData::push_null() {
  if (width_ != 0)
    values_.resize(values_.size() + width_);
  else
    offsets_.push_back(static_cast<std::uint32_t>(arena_.size()));
  push_present();
  nulls_[(size_ - 1) >> 3] |= static_cast<std::uint8_t>(1U << ((size_ - 1) & 7));
  ++nulls_count_;
}

void ColumnData::push_cell(const ColumnData& from, std::size_t row) {
  if (from.is_null(row)) return push_null();
  if (width_ == 0) return push_bytes(from.bytes_at(row));
  if (from.width_ != width_) from.refuse_width(width_);
  const char* start = from.values_.data() + row * width_;
  values_.insert(values_.end(), start, start + width_);
  push_present();
}

void ColumnData::pop() {
  if (size_ == 0) return;
  if (is_null(size_ - 1)) --nulls_count_;
  --size_;
  if ((size_ & 7) == 0)
    nulls_.pop_back();
  else
    nulls_[size_ >> 3] &= static_cast<std::uint8_t>((1U << (size_ & 7)) - 1);
  if (width_ == 0) {
    offsets_.pop_back();
    arena_.resize(offsets_.back());
  } else {
    values_.resize(size_ * width_);
  }
}

void ColumnData::clear() noexcept {
  size_ = 0;
  nulls_count_ = 0;
  nulls_.clear();
  values_.clear();
  arena_.clear();
  if (!offsets_.empty()) offsets_.erase(offsets_.begin() + 1, offsets_.end());
}

void ColumnData::reserve(std::size_t rows) {
  nulls_.reserve((rows + 7) / 8);
  if (width_ == 0)
    offsets_.reserve(rows + 1);
  else
    values_.reserve(rows * width_);
}

Batch::Batch(std::shared_ptr<const Schema> schema) : schema_(std::move(schema)) {
  columns_.reserve(schema_->size());
  for (const Column& column : *schema_)
    columns_.emplace_back(column.type);
}

std::size_t Batch::bytes() const noexcept {
  std::size_t sum = 0;
  for (const ColumnData& column : columns_)
    sum += column.bytes();
  return sum;
}

void Batch::replace(std::shared_ptr<const Schema> schema, std::vector<ColumnData> columns) {
  schema_ = std::move(schema);
  columns_ = std::move(columns);
}

Batch Batch::slice(std::size_t first, std::size_t count) const {
  Batch part(schema_);
  for (std::size_t row = first; row < first + count; ++row)
    part.push_row(*this, row);
  return part;
}

void Batch::push_row(const Batch& from, std::size_t row) {
  for (std::size_t index = 0; index < columns_.size(); ++index)
    columns_[index].push_cell(from.columns_[index], row);
}

void Batch::clear() noexcept {
  for (ColumnData& column : columns_)
    column.clear();
}

}  // namespace tidemark
