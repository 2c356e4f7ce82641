#include "daemon/control_client.h"

#include <fmt/format.h>

#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>

namespace tidemark {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
using Local = asio::local::stream_protocol;

constexpr std::uint64_t largest_answer = 64 << 20;

[[noreturn]] void give_up(const std::string& socket, const beast::error_code& error) {
  if (error == asio::error::access_denied)
    throw NoDaemon(fmt::format("no permission for the control socket {}: join its group", socket),
                   NoDaemon::Why::forbidden);
  if (error == beast::error::timeout)
    throw NoDaemon(fmt::format("the daemon at {} did not answer in time", socket),
                   NoDaemon::Why::lost);
  const bool absent = error == asio::error::connection_refused ||
                      error == boost::system::errc::no_such_file_or_directory;
  if (absent)
    throw NoDaemon(fmt::format("no daemon is running: nobody answers at {}", socket),
                   NoDaemon::Why::absent);
  throw NoDaemon(fmt::format("lost the daemon at {}: {}", socket, error.message()),
                 NoDaemon::Why::lost);
}

}  // namespace

std::string ControlClient::Reply::problem() const {
  const auto field = [this](const char* name) {
    return body.is_object() ? body.value(name, std::string()) : std::string();
  };
  const std::string title = field("title"), detail = field("detail");
  if (title.empty()) return fmt::format("the daemon answered with status {}", status);
  return detail.empty() ? title : title + ": " + detail;
}

ControlClient::Reply ControlClient::get(const std::string& target, Duration limit) const {
  return send("GET", target, {}, limit);
}

ControlClient::Reply ControlClient::post(const std::string& target, const nlohmann::json& body,
                                         Duration limit) const {
  return send("POST", target, body.dump(), limit);
}

ControlClient::Reply ControlClient::send(const std::string& method, const std::string& target,
                                         const std::string& body, Duration limit) const {
  asio::io_context loop;
  beast::basic_stream<Local> stream(loop);
  if (socket_.size() >= sizeof(sockaddr_un::sun_path))
    throw NoDaemon(fmt::format("the control socket's path is too long: {}", socket_),
                   NoDaemon::Why::absent);
  beast::http::request<beast::http::string_body> request;
  request.version(11);
  request.method_string(method);
  request.target(target);
  request.set(beast::http::field::host, "localhost");
  request.set("X-Tidemark", "1");
  request.keep_alive(false);
  if (method == "POST") request.set(beast::http::field::content_type, "application/json");
  request.body() = body;
  request.prepare_payload();

  beast::flat_buffer buffer;
  beast::http::response_parser<beast::http::string_body> parser;
  parser.body_limit(largest_answer);
  beast::error_code result;
  stream.expires_after(limit);
  stream.async_connect(Local::endpoint(socket_), [&](beast::error_code error) {
    if (error) return void(result = error);
    beast::http::async_write(stream, request, [&](beast::error_code failed, std::size_t) {
      if (failed) return void(result = failed);
      beast::http::async_read(stream, buffer, parser,
                              [&](beast::error_code at_end, std::size_t) { result = at_end; });
    });
  });
  loop.run();
  if (result) give_up(socket_, result);
  return {.status = parser.get().result_int(),
          .body = nlohmann::json::parse(parser.get().body(), nullptr, false)};
}

}  // namespace tidemark
