#include "daemon/control_client.h"

#include <fmt/format.h>

#include <functional>
#include <utility>
#include <vector>

#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>

#include "daemon/program.h"
#include "runtime/system.h"

namespace tidemark {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
using Stream = asio::generic::stream_protocol;

constexpr std::uint64_t largest_answer = 64 << 20;

Stream::endpoint unix_endpoint(const std::string& socket) {
  if (socket.size() >= sizeof(sockaddr_un::sun_path))
    throw NoDaemon(fmt::format("the control socket's path is too long: {}", socket),
                   NoDaemon::Why::absent);
  return asio::local::stream_protocol::endpoint(socket);
}

std::vector<Stream::endpoint> endpoints_of(const ControlAddress& address) {
  if (address.host.empty()) return {unix_endpoint(address.socket)};
  asio::io_context loop;
  beast::error_code error;
  std::vector<Stream::endpoint> all;
  for (const auto& found : asio::ip::tcp::resolver(loop).resolve(address.host, address.port, error))
    all.emplace_back(found.endpoint());
  if (error || all.empty())
    throw NoDaemon(fmt::format("{}: no such host: {}", address.display(), error.message()),
                   NoDaemon::Why::absent);
  return all;
}

}  // namespace

std::string ControlAddress::display() const {
  return host.empty() ? socket : "http://" + host + ":" + port;
}

std::optional<ControlAddress> parse_daemon_url(const std::string& url) {
  constexpr std::string_view scheme = "http://";
  if (!url.starts_with(scheme)) return std::nullopt;
  std::string rest = url.substr(scheme.size());
  if (rest.ends_with('/')) rest.pop_back();
  const std::size_t colon = rest.rfind(':');
  if (colon == std::string::npos || colon == 0) return std::nullopt;
  ControlAddress address{.host = rest.substr(0, colon), .port = rest.substr(colon + 1)};
  if (address.host.front() == '[' && address.host.back() == ']')
    address.host = address.host.substr(1, address.host.size() - 2);
  const bool number =
      !address.port.empty() && address.port.find_first_not_of("0123456789") == std::string::npos;
  if (!number || address.host.find_first_of("/@?# ") != std::string::npos) return std::nullopt;
  return address;
}

void ControlClient::give_up(const beast::error_code& error) const {
  const std::string where = address_.display();
  if (error == asio::error::access_denied)
    throw NoDaemon(fmt::format("no permission for the control socket {}: join its group", where),
                   NoDaemon::Why::forbidden);
  if (error == beast::error::timeout)
    throw NoDaemon(fmt::format("the daemon at {} did not answer in time", where),
                   NoDaemon::Why::lost);
  const bool absent = error == asio::error::connection_refused ||
                      error == boost::system::errc::no_such_file_or_directory;
  if (absent)
    throw NoDaemon(fmt::format("no daemon is running: nobody answers at {}", where),
                   NoDaemon::Why::absent);
  throw NoDaemon(fmt::format("lost the daemon at {}: {}", where, error.message()),
                 NoDaemon::Why::lost);
}

std::string ControlClient::Reply::problem() const {
  const auto field = [this](const char* name) {
    return body.is_object() ? body.value(name, std::string()) : std::string();
  };
  const std::string title = field("title"), detail = field("detail");
  if (title.empty()) return fmt::format("the daemon answered with status {}", status);
  return detail.empty() ? title : title + ": " + detail;
}

ControlClient::Reply ControlClient::get(const std::string& target, Duration limit) const {
  return send({.method = "GET", .target = target}, limit);
}

ControlClient::Reply ControlClient::post(const std::string& target, const nlohmann::json& body,
                                         Duration limit) const {
  runtime::SystemRandom random;
  const Call call{.method = "POST",
                  .target = target,
                  .body = body.dump(),
                  .key = random_id(random) + random_id(random)};
  try {
    return send(call, limit);
  } catch (const NoDaemon& lost) {
    if (lost.why() != NoDaemon::Why::lost) throw;
    try {
      return send(call, limit);
    } catch (const NoDaemon&) {
      throw lost;
    }
  }
}

ControlClient::Reply ControlClient::send(const Call& call, Duration limit) const {
  asio::io_context loop;
  beast::basic_stream<Stream> stream(loop);
  beast::http::request<beast::http::string_body> request;
  request.version(11);
  request.method_string(call.method);
  request.target(call.target);
  request.set(beast::http::field::host,
              address_.host.empty() ? "localhost" : address_.host + ":" + address_.port);
  request.set("X-Tidemark", "1");
  if (!address_.token.empty())
    request.set(beast::http::field::authorization,
                "Bearer " + std::string(address_.token.reveal()));
  request.keep_alive(false);
  if (call.method == "POST") request.set(beast::http::field::content_type, "application/json");
  if (!call.key.empty()) request.set("Idempotency-Key", call.key);
  request.body() = call.body;
  request.prepare_payload();

  const auto endpoints = endpoints_of(address_);
  beast::flat_buffer buffer;
  beast::http::response_parser<beast::http::string_body> parser;
  parser.body_limit(largest_answer);
  beast::error_code result;
  stream.expires_after(limit);
  const auto exchange = [&](beast::error_code error) {
    if (error) return void(result = error);
    beast::http::async_write(stream, request, [&](beast::error_code failed, std::size_t) {
      if (failed) return void(result = failed);
      beast::http::async_read(stream, buffer, parser,
                              [&](beast::error_code at_end, std::size_t) { result = at_end; });
    });
  };
  // A name may have several addresses, not all of them listened on.
  std::size_t next = 0;
  std::function<void()> connect = [&] {
    stream.async_connect(endpoints[next++], [&](beast::error_code error) {
      if (!error || error == beast::error::timeout || next == endpoints.size())
        return exchange(error);
      stream.socket().close();
      connect();
    });
  };
  connect();
  loop.run();
  if (result) give_up(result);
  return {.status = parser.get().result_int(),
          .body = nlohmann::json::parse(parser.get().body(), nullptr, false)};
}

}  // namespace tidemark
