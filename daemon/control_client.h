#pragma once

#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>

#include "core/ports.h"

namespace tidemark {

/// Nobody answers at the control socket, or it is not ours to use.
class NoDaemon : public std::runtime_error {
 public:
  enum class Why {
    absent,     ///< nobody listens there
    forbidden,  ///< the socket's mode keeps us out
    lost,       ///< it was there, but gave no answer
  };
  NoDaemon(const std::string& text, Why why) : std::runtime_error(text), why_(why) {}
  Why why() const noexcept { return why_; }

 private:
  Why why_;
};

/// Talks to a running daemon: the HTTP interface over its unix socket. Blocking; one thread.
class ControlClient {
 public:
  struct Reply {
    unsigned status = 0;
    nlohmann::json body = {};  ///< null where the answer was no JSON
    bool ok() const noexcept { return status >= 200 && status < 300; }
    /// What a problem+json says, in one line.
    std::string problem() const;
  };

  explicit ControlClient(std::string socket) : socket_(std::move(socket)) {}
  const std::string& socket() const noexcept { return socket_; }

  /// Throws NoDaemon; also when no answer comes within `limit`.
  Reply get(const std::string& target, Duration limit = std::chrono::seconds(10)) const;
  Reply post(const std::string& target, const nlohmann::json& body,
             Duration limit = std::chrono::seconds(10)) const;

 private:
  Reply send(const std::string& method, const std::string& target, const std::string& body,
             Duration limit) const;
  std::string socket_;
};

}  // namespace tidemark
