#pragma once

#include <string>
#include <string_view>

#include "core/error.h"

namespace tidemark::mysql {

/// What the server or the client library said: a native code (1045, 2013), SQLSTATE and a text that
/// may quote data.
struct NativeError {
  unsigned code = 0;
  std::string sqlstate;
  std::string text;
};

/// The one table from native codes to kinds: code first, then SQLSTATE, then its two-letter class
/// (lost connections come as HY000). Unknown is internal. Any thread.
FailureKind kind_of(unsigned code, std::string_view sqlstate) noexcept;

/// True for codes after which the session is gone: 2006, 2013, 2055, 1927, 1053, …
bool ends_session(unsigned code) noexcept;

/// Our words for it, never the driver's. Row values stay in `driver_text`.
Error make_error(const NativeError& native, std::string_view operation);

/// The last column a data error's text names ("… for column `db`.`t`.`c` at row 3"), "" where there
/// is none. Values stand before it in such texts and may hold anything, so the caller must compare
/// the answer with the names it wrote to.
std::string column_in(std::string_view driver_text);

}  // namespace tidemark::mysql
