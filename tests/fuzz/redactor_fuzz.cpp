// The last gate before a log or an answer: a registered secret does not get through it, whatever
// stands around it.
#include "fuzz.h"
#include "observe/redactor.h"

using namespace tidemark;
using fuzz::require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input(data, size);
  observe::Redactor redactor;
  std::vector<std::string> secrets;
  for (int count = input.byte() % 3; count >= 0; --count) {
    secrets.emplace_back(input.line());
    redactor.add(Secret(secrets.back()));
  }
  const std::string text(input.rest());
  const std::string clean = redactor.redact(text);
  for (const std::string& secret : secrets) {
    // What replaces a secret may make up a short one, or one of nothing but stars.
    if (secret.size() < 4 || secret.find('*') != std::string::npos) continue;
    require(clean.find(secret) == std::string::npos, "no registered secret gets through");
  }
  return 0;
}
