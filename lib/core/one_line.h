#pragma once

#include <string>
#include <string_view>

namespace tidemark {

/// `text` on one line that a terminal prints as it is: each control character becomes `\n`, `\t` or
/// `\x1b`. For texts that came from outside and go where lines mean something. Any thread.
std::string one_line(std::string_view text);

}  // namespace tidemark
