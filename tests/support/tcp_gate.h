#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace tidemark::test {

/// A TCP relay on loopback in front of a server on loopback, that can be told to misbehave. Carries
/// bytes both ways on a thread of its own until it is destroyed. Methods: any thread; what they ask
/// for is in force when they return.
class TcpGate {
 public:
  /// One connection is broken (reset towards both sides) at a moment that its client chooses.
  struct Cut {
    /// Seen in this order in what one client sends, not one within the other. Then it strikes.
    std::vector<std::string> texts = {};
    /// Or: in the client's so many-th message, counted from 1. A message is all that a client sends
    /// between two answers.
    std::size_t message = 0;
    enum class Moment {
      before,  ///< the bytes that made it strike do not reach the server
      answer,  ///< they do; the server's answer, or its end of the connection, does not come back
    };
    Moment moment = Moment::before;
    /// The connection is not broken but held at that moment: nothing moves on it until `restore`
    /// lets it go on or `cut` ends it.
    bool hold = false;
    std::size_t times = 1;  ///< connections, one after the other or at once
  };

  explicit TcpGate(std::uint16_t server_port);
  ~TcpGate();
  TcpGate(const TcpGate&) = delete;
  TcpGate& operator=(const TcpGate&) = delete;

  std::uint16_t port() const noexcept;

  /// Resets connections that come from now on; those that are there go on.
  void refuse();
  /// Resets all that are there; those that come pass.
  void cut();
  /// Holds everything: connections stay open and carry nothing. New ones are held too.
  void stall();
  /// Every byte arrives so much later.
  void delay(std::chrono::milliseconds by);
  /// Bytes pass in drops of so many, the next one so much after the last.
  void drip(std::size_t bytes, std::chrono::milliseconds apart);
  /// On connections that come from now on, the first bytes that the server says are not what it
  /// said.
  void garble();
  void inject(Cut cut);
  /// Ends refusing, stalling, delaying, dripping, garbling and cuts to come. What was held arrives.
  void restore();

  std::size_t connections() const;  ///< open ones
  /// Messages of all clients so far, those that are gone included: each is a round trip.
  std::size_t messages() const;
  std::size_t struck() const;  ///< connections broken or held by `inject` so far

 private:
  class Relay;
  std::unique_ptr<Relay> relay_;
};

}  // namespace tidemark::test
