#pragma once

#include <cstdint>
#include <map>
#include <string>

namespace tidemark::test {

/// Where an HTTP server listens: a unix socket, or a port on loopback.
struct HttpAddress {
  std::string socket = {};
  std::uint16_t port = 0;
};

struct HttpAnswer {
  unsigned status = 0;                         ///< 0: nobody answered
  std::map<std::string, std::string> headers;  ///< names in lower case
  std::string body;
};

/// What comes back for these bytes until the server closes; "" when nobody answers. Waits 20 s at
/// most.
std::string exchange(const HttpAddress& server, const std::string& bytes);

/// One request on a connection of its own, over plain sockets: nothing of ours looks at our answer.
HttpAnswer http(const HttpAddress& server, const std::string& method, const std::string& target,
                const std::map<std::string, std::string>& headers = {},
                const std::string& body = "");

}  // namespace tidemark::test
