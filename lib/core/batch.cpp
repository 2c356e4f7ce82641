#include "core/batch.h"

#include <limits>

#include "core/error.h"

namespace tidemark {

ColumnData::ColumnData(Type type) : type_(std::move(type)) {
  if (storage_of(type_.kind) == Storage::variable) offsets_.push_back(0);
}

std::size_t ColumnData::bytes() const noexcept {
  return nulls_.size() + values_.size() + arena_.size() + offsets_.size() * sizeof(std::uint32_t);
}

void ColumnData::check_width(std::size_t width) const {
  if (width == width_of(type_.kind)) return;
  throw Error({.kind = FailureKind::internal,
               .message = "a value of " + std::to_string(width) +
                          " bytes was put into a column of " + to_string(type_)});
}

void ColumnData::push_present() {
  if ((size_ & 7) == 0) nulls_.push_back(0);
  ++size_;
}

void ColumnData::push_null() {
  if (storage_of(type_.kind) == Storage::fixed)
    values_.resize(values_.size() + width_of(type_.kind));
  else
    offsets_.push_back(static_cast<std::uint32_t>(arena_.size()));
  push_present();
  nulls_[(size_ - 1) >> 3] |= static_cast<std::uint8_t>(1U << ((size_ - 1) & 7));
  ++nulls_count_;
}

void ColumnData::push_bytes(std::string_view value) {
  if (storage_of(type_.kind) == Storage::fixed) check_width(npos);
  if (value.size() > std::numeric_limits<std::uint32_t>::max() - arena_.size())
    throw Error({.kind = FailureKind::conversion,
                 .message = "a batch can't hold more than 4 GiB in one column",
                 .hint = "Lower batch.bytes or batch.rows of the job."});
  arena_.insert(arena_.end(), value.begin(), value.end());
  offsets_.push_back(static_cast<std::uint32_t>(arena_.size()));
  push_present();
}

void ColumnData::push_cell(const ColumnData& from, std::size_t row) {
  if (from.is_null(row)) return push_null();
  if (storage_of(type_.kind) == Storage::variable) return push_bytes(from.bytes_at(row));
  const std::size_t width = width_of(type_.kind);
  from.check_width(width);
  const char* start = from.values_.data() + row * width;
  values_.insert(values_.end(), start, start + width);
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
  if (storage_of(type_.kind) == Storage::variable) {
    offsets_.pop_back();
    arena_.resize(offsets_.back());
  } else {
    values_.resize(size_ * width_of(type_.kind));
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
  if (storage_of(type_.kind) == Storage::variable)
    offsets_.reserve(rows + 1);
  else
    values_.reserve(rows * width_of(type_.kind));
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
