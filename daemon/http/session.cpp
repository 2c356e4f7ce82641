#include "daemon/http/session.h"

#include <algorithm>
#include <cctype>

namespace tidemark::http {
namespace {

namespace beast = boost::beast;

constexpr std::size_t spare_buffer = 16 << 10;
constexpr auto drain_time = std::chrono::seconds(2);

void add_security_headers(beast::http::response<beast::http::string_body>& message) {
  message.set("X-Content-Type-Options", "nosniff");
  message.set("X-Frame-Options", "DENY");
  message.set("Referrer-Policy", "no-referrer");
  message.set("Cross-Origin-Resource-Policy", "same-origin");
  message.set("Cache-Control", "no-store");
  message.set("Content-Security-Policy",
              "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
              "connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'");
}

std::string lower(boost::beast::string_view text) {
  std::string result(text.data(), text.size());
  std::transform(result.begin(), result.end(), result.begin(),
                 [](unsigned char letter) { return static_cast<char>(std::tolower(letter)); });
  return result;
}

}  // namespace

Session::Session(Socket socket, Peer peer, const Router& router, const Limits& limits,
                 std::function<void(Session*)> closed)
    : stream_(std::move(socket)),
      buffer_(limits.header_bytes + limits.body_bytes + spare_buffer),
      peer_(std::move(peer)),
      router_(router),
      limits_(limits),
      closed_(std::move(closed)) {}

Session::~Session() {
  closed_(this);
}

void Session::stop() {
  stopping_ = true;
  if (!busy_) close();
}

void Session::read() {
  waits_since_ = std::chrono::steady_clock::now();
  parser_.emplace();
  parser_->header_limit(limits_.header_bytes);
  parser_->body_limit(limits_.body_bytes);
  stream_.expires_after(limits_.deadline);
  beast::http::async_read(
      stream_, buffer_, *parser_,
      [self = shared_from_this()](beast::error_code error, std::size_t) { self->on_read(error); });
}

void Session::on_read(beast::error_code error) {
  using HttpError = beast::http::error;
  unread_ = static_cast<bool>(error);
  if (error == HttpError::header_limit || error == HttpError::buffer_overflow)
    return answer(problem(431, "header too large", "headers may hold 8 KiB"), false);
  if (error == HttpError::body_limit)
    return answer(problem(413, "body too large", "a body may hold 64 KiB"), false);
  const bool gone = error == HttpError::end_of_stream || error == HttpError::partial_message;
  if (error && !gone && error.category() == make_error_code(HttpError::bad_method).category())
    return answer(problem(400, "bad request", "this is no HTTP/1.1 request"), false);
  if (error) return close();
  busy_ = true;
  waits_since_.reset();
  Response refusal;
  const std::optional<Request> request = take_request(refusal);
  const bool keep_alive = parser_->get().keep_alive();
  if (!request) return answer(std::move(refusal), false);
  // What answers may take its time; only the client is held to the deadline.
  stream_.expires_never();
  router_.handle(*request, [self = shared_from_this(), keep_alive](Response response) {
    self->answer(std::move(response), keep_alive);
  });
}

std::optional<Request> Session::take_request(Response& refusal) const {
  const auto& message = parser_->get();
  Request request;
  request.peer = peer_;
  request.method = std::string(message.method_string().data(), message.method_string().size());
  if (message.count(beast::http::field::host) != 1 && message.version() >= 11) {
    refusal = problem(400, "bad request", "a request names one Host");
    return std::nullopt;
  }
  if (!parse_target({message.target().data(), message.target().size()}, request)) {
    refusal = problem(400, "bad request", "the path is not well formed");
    return std::nullopt;
  }
  for (const auto& field : message)
    request.headers.emplace(lower(field.name_string()),
                            std::string(field.value().data(), field.value().size()));
  request.body = message.body();
  return request;
}

void Session::answer(Response response, bool keep_alive) {
  busy_ = true;
  const auto* asked = parser_ ? &parser_->get() : nullptr;
  message_.emplace();
  message_->version(11);
  message_->result(response.status);
  message_->set(beast::http::field::content_type, response.type);
  add_security_headers(*message_);
  for (const auto& [name, value] : response.headers)
    message_->set(name, value);
  const bool head = asked != nullptr && asked->method() == beast::http::verb::head;
  const std::size_t size = response.body.size();
  if (!head) message_->body() = std::move(response.body);
  message_->content_length(size);
  keep_alive = keep_alive && !stopping_;
  message_->keep_alive(keep_alive);
  stream_.expires_after(limits_.deadline);
  waits_since_ = std::chrono::steady_clock::now();
  beast::http::async_write(
      stream_, *message_,
      [self = shared_from_this(), keep_alive](beast::error_code error, std::size_t) {
        self->on_written(error, keep_alive);
      });
}

void Session::on_written(beast::error_code error, bool keep_alive) {
  busy_ = false;
  message_.reset();
  if (!error && unread_ && !stopping_) {
    beast::error_code ignored;
    stream_.socket().shutdown(Socket::shutdown_send, ignored);
    stream_.expires_after(drain_time);
    return drain();
  }
  if (error || !keep_alive || stopping_) return close();
  read();
}

void Session::drain() {
  buffer_.clear();
  stream_.async_read_some(buffer_.prepare(spare_buffer),
                          [self = shared_from_this()](beast::error_code error, std::size_t) {
                            if (error) return self->close();
                            self->drain();
                          });
}

void Session::close() {
  beast::error_code ignored;
  stream_.socket().shutdown(Socket::shutdown_both, ignored);
  stream_.close();
}

}  // namespace tidemark::http
