#include "core/one_line.h"

#include "core/value.h"

namespace tidemark {

std::string one_line(std::string_view text) {
  std::string line;
  line.reserve(text.size());
  for (const char letter : text) {
    const auto byte = static_cast<unsigned char>(letter);
    if (letter == '\n')
      line += "\\n";
    else if (letter == '\t')
      line += "\\t";
    else if (byte < 0x20 || byte == 0x7F)
      line += "\\x" + to_hex(std::string_view(&letter, 1));
    else
      line += letter;
  }
  return line;
}

}  // namespace tidemark
