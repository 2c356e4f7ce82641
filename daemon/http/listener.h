#pragma once

#include <utility>

#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <cstddef>
#include <memory>
#include <set>
#include <string>

#include "core/ports.h"
#include "daemon/http/router.h"

namespace tidemark::http {

struct Limits {
  std::uint32_t header_bytes = 8 << 10;
  std::uint64_t body_bytes = 64 << 10;
  Duration deadline = std::chrono::seconds(10);  ///< to send a request, and to take its answer
  /// Per listener. At that number the connection goes that has waited longest for its client, so
  /// that many half requests keep nobody out; where none waits for its client, newcomers wait for
  /// us.
  std::size_t connections = 64;
};

class Session;

/// Accepts HTTP/1.1 on one address. Lives on the loop thread. A client that sends slowly, too much
/// or nonsense costs a bounded amount and is dropped.
class Listener {
 public:
  virtual ~Listener() = default;
  /// Stops accepting; requests under way are answered, idle connections are closed.
  virtual void stop() = 0;
  /// Where it listens: "127.0.0.1:9465" or a path.
  virtual std::string address() const = 0;
};

/// "127.0.0.1:9465", "[::1]:9465", "0.0.0.0:9465"; port 0 takes a free one. Throws
/// Error{resource} when the address can't be had.
std::unique_ptr<Listener> listen_tcp(boost::asio::io_context& loop, const std::string& address,
                                     const Router& router, Limits limits = {});

/// A unix socket with mode 0660, in place of one that a crash has left. A lock beside it keeps two
/// daemons from taking each other's. Throws Error{resource} or Error{permission}.
std::unique_ptr<Listener> listen_unix(boost::asio::io_context& loop, const std::string& path,
                                      const Router& router, Limits limits = {});

}  // namespace tidemark::http
