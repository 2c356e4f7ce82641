#pragma once

#include <charconv>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include "connector/sql/session.h"
#include "core/error.h"

namespace tidemark::postgres {

/// A cell of an answer to one of our own questions, read as what the question says it is. Throws
/// Error{internal} where it is not: question and reader then do not fit together.
class Cell {
 public:
  explicit Cell(const std::optional<std::string>& text) : text_(text) {}
  bool is_null() const noexcept { return !text_.has_value(); }
  /// "" for NULL.
  const char* c_str() const noexcept { return text_ ? text_->c_str() : ""; }

  template <class T>
  T as() const {
    if constexpr (std::is_same_v<T, bool>) {
      if (text_ == "t") return true;
      if (text_ == "f") return false;
    } else {
      T value{};
      const char* const end = text_ ? text_->data() + text_->size() : nullptr;
      if (text_ && !text_->empty() && std::from_chars(text_->data(), end, value).ptr == end)
        return value;
    }
    throw Error({.kind = FailureKind::internal,
                 .message = "the server answered a question of ours with something else"});
  }

 private:
  const std::optional<std::string>& text_;
};

class Row {
 public:
  explicit Row(const std::vector<std::optional<std::string>>& cells) : cells_(cells) {}
  Cell operator[](std::size_t column) const { return Cell(cells_.at(column)); }

 private:
  const std::vector<std::optional<std::string>>& cells_;
};

/// The answer; cells point into it.
class Rows {
 public:
  Rows() = default;
  explicit Rows(sql::Result result) : rows_(std::move(result.rows)) {}
  bool empty() const noexcept { return rows_.empty(); }
  Row operator[](std::size_t row) const { return Row(rows_.at(row)); }

  class Iterator {
   public:
    explicit Iterator(const std::vector<std::optional<std::string>>* at) : at_(at) {}
    Row operator*() const { return Row(*at_); }
    Iterator& operator++() {
      ++at_;
      return *this;
    }
    bool operator!=(const Iterator& other) const { return at_ != other.at_; }

   private:
    const std::vector<std::optional<std::string>>* at_;
  };
  Iterator begin() const { return Iterator(rows_.data()); }
  Iterator end() const { return Iterator(rows_.data() + rows_.size()); }

 private:
  std::vector<std::vector<std::optional<std::string>>> rows_;
};

}  // namespace tidemark::postgres
