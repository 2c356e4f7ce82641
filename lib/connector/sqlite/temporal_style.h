#pragma once

#include <string>
#include <string_view>

#include "core/type.h"

namespace tidemark::sqlite {

/// How the texts of a temporal column are written: 'T' or a blank, how many digits behind the
/// second, which zone suffix. SQLite compares them as text, which is the order of time only while
/// all are written alike, and a bound must be written like them too. Learns from each text it is
/// shown. Worker thread.
class TemporalStyle {
 public:
  /// False where the text is not written like those before it, so that their order is not that of
  /// time.
  bool learn(std::string_view text);
  /// Canonical text (core/temporal.h) in this style; unchanged before anything was learned.
  std::string apply(const Type& type, const std::string& canonical) const;

 private:
  enum class Digits {
    unknown,
    none,   ///< so far no fraction anywhere
    equal,  ///< so far `count_` digits everywhere, the last of them never zero
    fixed,  ///< always `count_` digits
    cut,    ///< trailing zeros are cut
  };
  bool learn_digits(std::size_t count, bool ends_in_zero);

  bool learned_ = false;
  char separator_ = ' ';
  std::string zone_;
  Digits digits_ = Digits::unknown;
  std::size_t count_ = 0;
};

}  // namespace tidemark::sqlite
