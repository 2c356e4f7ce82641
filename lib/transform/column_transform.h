#pragma once

#include <optional>
#include <string>

#include "core/transform.h"

namespace tidemark {

/// A transform of one column by itself: what is common to all but `select`.
class ColumnTransform : public Transform {
 public:
  explicit ColumnTransform(std::string column) : column_(std::move(column)) {}
  Schema output(const Schema& input) const final;
  void apply(Batch& batch) const final;
  const std::string& column() const noexcept { return column_; }
  /// For people: "trim both", "type varchar(32)".
  virtual std::string describe() const = 0;

 protected:
  /// The column as it will be; throws Error{schema} where that can't be.
  virtual Column change(const Column& input) const = 0;
  /// The changed values, of type `to`; nullopt: they are as they should be.
  virtual std::optional<ColumnData> convert(const ColumnData& input, const Type& to) const = 0;
  /// Error{schema} that names transform and column.
  [[noreturn]] void refuse(const std::string& why, const std::string& hint) const;

 private:
  std::string column_;
};

}  // namespace tidemark
