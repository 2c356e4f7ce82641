#pragma once

#include <boost/system/error_code.hpp>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>
#include <string>

#include "core/ports.h"
#include "core/secret.h"

namespace tidemark {

/// Nobody answers where the daemon should be, or it is not ours to use.
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

/// Where a daemon is: at its unix socket, or at an address that it listens on.
struct ControlAddress {
  std::string socket = {};
  std::string host = {};  ///< not empty: TCP
  std::string port = {};
  Secret token = {};  ///< TCP only: what it wants for calls that change something
  /// For people: the socket's path, or "http://host:port".
  std::string display() const;
};

/// "http://host:port" taken apart; nullopt for anything else.
std::optional<ControlAddress> parse_daemon_url(const std::string& url);

/// Talks to a running daemon: the HTTP interface over its unix socket or TCP. Blocking; one thread.
class ControlClient {
 public:
  struct Reply {
    unsigned status = 0;
    nlohmann::json body = {};  ///< null where the answer was no JSON
    bool ok() const noexcept { return status >= 200 && status < 300; }
    /// What a problem+json says, in one line.
    std::string problem() const;
  };

  explicit ControlClient(std::string socket) : address_{.socket = std::move(socket)} {}
  explicit ControlClient(ControlAddress address) : address_(std::move(address)) {}

  /// Throws NoDaemon; also when no answer comes within `limit`. A `post` whose answer got lost is
  /// sent once more with the same Idempotency-Key, so it is carried out once.
  Reply get(const std::string& target, Duration limit = std::chrono::seconds(10)) const;
  Reply post(const std::string& target, const nlohmann::json& body,
             Duration limit = std::chrono::seconds(10)) const;

 private:
  struct Call {
    std::string method;
    std::string target;
    std::string body = {};
    std::string key = {};
  };
  Reply send(const Call& call, Duration limit) const;
  [[noreturn]] void give_up(const boost::system::error_code& error) const;
  ControlAddress address_;
};

}  // namespace tidemark
