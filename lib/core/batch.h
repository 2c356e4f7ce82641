#pragma once

#include <array>
#include <concepts>
#include <cstring>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "core/type.h"

namespace tidemark {

/// A calendar interval as PostgreSQL and the SQL standard have it: the three parts do not mix.
struct Interval {
  std::int32_t months = 0;
  std::int32_t days = 0;
  std::int64_t micros = 0;
  friend bool operator==(const Interval&, const Interval&) = default;
};

struct Uuid {
  std::array<std::uint8_t, 16> bytes{};
  friend bool operator==(const Uuid&, const Uuid&) = default;
};

/// One column of a Batch: a null bitmap and either one buffer of equal-width values or one arena
/// with offsets. No allocation per cell. Not thread-safe; moved between threads, never shared.
///
/// Fixed kinds hold: boolean uint8 (0/1); intN/uintN; float32/64; date int32; time, timestamp,
/// instant int64 (core/temporal.h); interval Interval; uuid Uuid. Variable kinds hold bytes: text
/// and json and native UTF-8; bytes raw; decimal its canonical text ("-12.50", "NaN", "Infinity").
class ColumnData {
 public:
  explicit ColumnData(Type type);

  const Type& type() const noexcept { return type_; }
  std::size_t size() const noexcept { return size_; }
  /// Bytes held, for the memory budget: values, offsets and null bitmap.
  std::size_t bytes() const noexcept;
  std::size_t null_count() const noexcept { return nulls_count_; }

  bool is_null(std::size_t row) const noexcept { return (nulls_[row >> 3] >> (row & 7)) & 1; }
  void push_null();

  template <class T>
  requires std::is_trivially_copyable_v<T>
  void push(T value) {
    static_assert(!std::is_same_v<T, bool>, "push a uint8_t for a boolean");
    if (sizeof(T) != width_) [[unlikely]]
      refuse_width(sizeof(T));
    const char* bytes = reinterpret_cast<const char*>(&value);
    values_.insert(values_.end(), bytes, bytes + sizeof(T));
    push_present();
  }
  template <class T>
  requires std::is_trivially_copyable_v<T> T at(std::size_t row)
  const noexcept {
    T value;
    std::memcpy(&value, values_.data() + row * sizeof(T), sizeof(T));
    return value;
  }

  void push_bytes(std::string_view value) {
    if (width_ != 0) [[unlikely]]
      refuse_width(npos);
    if (value.size() > std::numeric_limits<std::uint32_t>::max() - arena_.size()) [[unlikely]]
      refuse_more();
    arena_.insert(arena_.end(), value.begin(), value.end());
    offsets_.push_back(static_cast<std::uint32_t>(arena_.size()));
    push_present();
  }
  std::string_view bytes_at(std::size_t row) const noexcept {
    return {arena_.data() + offsets_[row], offsets_[row + 1] - offsets_[row]};
  }

  /// Copies one cell of a column of the same kind.
  void push_cell(const ColumnData& from, std::size_t row);
  /// Removes the newest row; for a reader that finds the row does not fit any more.
  void pop();
  void clear() noexcept;
  void reserve(std::size_t rows);

 private:
  void push_present() {
    if ((size_ & 7) == 0) nulls_.push_back(0);
    ++size_;
  }
  [[noreturn]] void refuse_width(std::size_t width) const;
  [[noreturn]] static void refuse_more();

  Type type_;
  std::size_t width_;  ///< of a fixed kind; 0: variable
  std::size_t size_ = 0;
  std::size_t nulls_count_ = 0;
  std::vector<std::uint8_t> nulls_;
  std::vector<char> values_;            // fixed kinds
  std::vector<std::uint32_t> offsets_;  // variable kinds: size_ + 1 entries
  std::vector<char> arena_;             // variable kinds
};

/// Rows as columns of equal length: what travels from source through transforms to target.
/// Movable, not copyable; used by one thread at a time.
class Batch {
 public:
  explicit Batch(std::shared_ptr<const Schema> schema);
  Batch(Batch&&) noexcept = default;
  Batch& operator=(Batch&&) noexcept = default;
  Batch(const Batch&) = delete;
  Batch& operator=(const Batch&) = delete;

  const Schema& schema() const noexcept { return *schema_; }
  const std::shared_ptr<const Schema>& schema_ptr() const noexcept { return schema_; }
  std::size_t rows() const noexcept { return columns_.empty() ? 0 : columns_.front().size(); }
  bool empty() const noexcept { return rows() == 0; }
  std::size_t bytes() const noexcept;

  ColumnData& column(std::size_t index) { return columns_[index]; }
  const ColumnData& column(std::size_t index) const { return columns_[index]; }
  std::size_t column_count() const noexcept { return columns_.size(); }
  /// Replaces columns wholesale; what a transform does that changes a type.
  void replace(std::shared_ptr<const Schema> schema, std::vector<ColumnData> columns);
  std::vector<ColumnData> take_columns() && { return std::move(columns_); }

  /// Copies rows [first, first + count) into a batch of their own: halving to find a bad row.
  Batch slice(std::size_t first, std::size_t count) const;
  void push_row(const Batch& from, std::size_t row);
  void clear() noexcept;

 private:
  std::shared_ptr<const Schema> schema_;
  std::vector<ColumnData> columns_;
};

}  // namespace tidemark
