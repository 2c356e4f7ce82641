#pragma once

#include <memory>
#include <string_view>

#include "core/batch.h"

namespace tidemark {

/// A pure step on the way from source to target. Worker thread; holds no state between batches.
class Transform {
 public:
  virtual ~Transform() = default;
  virtual std::string_view name() const noexcept = 0;
  /// The schema that `apply` will give for this input. Throws Error{schema} where it can't work.
  virtual Schema output(const Schema& input) const = 0;
  /// Changes the batch in place. Throws Error{conversion} with column and row of a bad value.
  virtual void apply(Batch& batch) const = 0;
};

}  // namespace tidemark
