// HTTP requests over a real pair of sockets: any bytes get a well-formed answer or the end of the
// connection, and nobody changes anything without what the guard asks for.
#include <sys/socket.h>
#include <unistd.h>

#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>

#include "daemon/http/session.h"
#include "fuzz.h"

using namespace tidemark;
using namespace tidemark::http;
using fuzz::require;

namespace {

constexpr std::string_view token = "correct-horse";

/// All that the server wrote so far.
std::string received(int socket) {
  std::string all;
  char buffer[4096];
  for (;;) {
    const ssize_t count = recv(socket, buffer, sizeof buffer, MSG_DONTWAIT);
    if (count <= 0) return all;
    all.append(buffer, static_cast<std::size_t>(count));
  }
}

Router router_for() {
  Router router(Guard(Secret(std::string(token)), {"tidemark.example"}), nullptr);
  router.get("/metrics", [](const Request&, Respond respond) { respond(text_response("ok\n")); });
  router.get("/api/v1/jobs/{name}", [](const Request& request, Respond respond) {
    require(!request.path.empty() && request.path.front() == '/', "a path begins with a slash");
    respond(json_response({{"path", request.path}, {"query", request.query}}));
  });
  router.post("/api/v1/pause", [](const Request& request, Respond respond) {
    require(request.method == "POST" && request.header("x-tidemark") == "1", "a change is marked");
    require(request.peer.local || request.header("authorization").find(token) != std::string::npos,
            "a change over TCP has the token");
    require(request.body.size() <= (64U << 10), "a body is bounded");
    respond(json_response({{"ok", true}}));
  });
  return router;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Router router = router_for();
  fuzz::Input input(data, size);
  const std::uint8_t caller = input.byte();
  Peer peer{.local = (caller & 1U) != 0, .loopback = (caller & 2U) != 0, .address = "192.0.2.1"};
  int ends[2];
  require(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0, "a pair of sockets can be made");
  boost::asio::io_context loop;
  bool closed = false;
  {
    boost::asio::local::stream_protocol::socket socket(loop);
    socket.assign(boost::asio::local::stream_protocol(), ends[0]);
    const auto session =
        std::make_shared<Session>(Session::Socket(std::move(socket)), peer, router, Limits{},
                                  [&closed](Session*) { closed = true; });
    session->start();
  }
  const std::string_view request = input.rest();
  static_cast<void>(send(ends[1], request.data(), std::min<std::size_t>(request.size(), 100'000),
                         MSG_DONTWAIT | MSG_NOSIGNAL));
  loop.poll();
  const std::string answer = received(ends[1]);
  require(answer.empty() || answer.starts_with("HTTP/1.1 "), "an answer is one");
  require(answer.find(token) == std::string::npos, "no answer holds the token");
  shutdown(ends[1], SHUT_RDWR);
  close(ends[1]);
  // What is left is over when the peer is gone; only a deadline could still wait.
  while (!closed && loop.run_one_for(std::chrono::seconds(5)) != 0) {
  }
  require(closed, "a connection whose client is gone ends");
  return 0;
}
