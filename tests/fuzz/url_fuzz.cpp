// Connection URLs: no part is lost, and what is wrong is said without the password.
#include "config/url.h"
#include "fuzz.h"

using namespace tidemark;
using fuzz::require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::string_view password = "hunter2-xyzzy";
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const config::UrlVerdict verdict = config::parse_url(text);
  if (verdict.url) {
    require(verdict.url->type == "postgres" || verdict.url->type == "mysql", "one of our types");
    require(!verdict.url->host.empty(), "a URL names a host");
    require(verdict.message.empty(), "what is right has no message");
    static_cast<void>(config::is_loopback(verdict.url->host));
  } else {
    require(!verdict.message.empty(), "what is wrong is said");
    require(verdict.message.find(password) == std::string::npos &&
                verdict.hint.find(password) == std::string::npos,
            "a message quotes no password");
  }
  return 0;
}
