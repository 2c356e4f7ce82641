#pragma once

#include "core/transform.h"

namespace tidemark {

/// Chooses columns, renames them and puts them in order.
class Select final : public Transform {
 public:
  struct Pick {
    std::string from;
    std::string name;
  };
  explicit Select(std::vector<Pick> picks) : picks_(std::move(picks)) {}
  std::string_view name() const noexcept override { return "select"; }
  Schema output(const Schema& input) const override;
  void apply(Batch& batch) const override;

 private:
  std::vector<Pick> picks_;
};

}  // namespace tidemark
