#pragma once

#include <string>
#include <string_view>
#include <utility>

namespace tidemark {

/// A password or token: no stream operator, no formatter, wiped when it goes. Any thread.
class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string value) : value_(std::move(value)) {}
  Secret(const Secret&) = default;
  Secret& operator=(const Secret&) = default;
  Secret(Secret&& other) noexcept : value_(std::exchange(other.value_, {})) {}
  Secret& operator=(Secret&& other) noexcept {
    std::swap(value_, other.value_);
    return *this;
  }
  ~Secret() { wipe(); }

  bool empty() const noexcept { return value_.empty(); }
  /// The plain text, for the driver call that needs it and nothing else.
  const std::string& reveal() const noexcept { return value_; }
  /// Compares in a time that does not depend on where the two differ.
  bool equals(std::string_view other) const noexcept {
    unsigned difference = value_.size() == other.size() ? 0 : 1;
    for (std::size_t index = 0; index < other.size(); ++index)
      difference |= static_cast<unsigned char>(other[index]) ^
                    static_cast<unsigned char>(value_.empty() ? 0 : value_[index % value_.size()]);
    return difference == 0;
  }
  friend bool operator==(const Secret&, const Secret&) = default;

 private:
  void wipe() noexcept {
    volatile char* bytes = value_.data();
    for (std::size_t index = 0; index < value_.size(); ++index)
      bytes[index] = 0;
  }
  std::string value_;
};

}  // namespace tidemark
