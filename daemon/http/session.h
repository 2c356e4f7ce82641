#pragma once

#include <utility>

#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>

#include "daemon/http/listener.h"

namespace tidemark::http {

/// One connection: requests one after the other. Loop thread. Shared: its own pending operations
/// hold it, and so it goes when the connection does.
class Session : public std::enable_shared_from_this<Session> {
 public:
  using Socket = boost::asio::generic::stream_protocol::socket;

  /// `closed` is called once, when the connection is gone.
  Session(Socket socket, Peer peer, const Router& router, const Limits& limits,
          std::function<void(Session*)> closed);
  ~Session();

  void start() { read(); }
  /// Ends the connection: now if it is idle, else behind the answer under way.
  void stop();
  /// Ends the connection now, whatever it is doing.
  void drop() { close(); }
  /// Since when it has waited for its client, to send or to take something; nullopt while the
  /// client waits for us.
  std::optional<std::chrono::steady_clock::time_point> waits_since() const noexcept {
    return waits_since_;
  }

 private:
  using RequestParser = boost::beast::http::request_parser<boost::beast::http::string_body>;
  using Message = boost::beast::http::response<boost::beast::http::string_body>;

  void read();
  void on_read(boost::beast::error_code error);
  void answer(Response response, bool keep_alive);
  void on_written(boost::beast::error_code error, bool keep_alive);
  void close();
  /// Reads away what the client is still sending: closing on it would take our answer from it.
  void drain();
  /// nullopt: the request is malformed and `refusal` is the answer.
  std::optional<Request> take_request(Response& refusal) const;

  boost::beast::basic_stream<boost::asio::generic::stream_protocol> stream_;
  boost::beast::flat_buffer buffer_;
  std::optional<RequestParser> parser_;
  std::optional<Message> message_;
  Peer peer_;
  const Router& router_;
  Limits limits_;
  std::function<void(Session*)> closed_;
  std::optional<std::chrono::steady_clock::time_point> waits_since_ = {};
  bool busy_ = false;
  bool unread_ = false;  ///< the request was refused before all of it had come
  bool stopping_ = false;
};

}  // namespace tidemark::http
