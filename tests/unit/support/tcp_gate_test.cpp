// The gate that fault tests stand on carries, breaks, holds and delays as it is told.
#include "support/tcp_gate.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <catch2/catch.hpp>
#include <mutex>
#include <thread>

#include "support/process.h"

using namespace tidemark::test;
using std::chrono::milliseconds;

namespace {

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

/// Answers each line with "ok <line>", and remembers what it got.
class LineServer {
 public:
  LineServer() : listener_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address = loopback(0);
    socklen_t length = sizeof address;
    auto* raw = reinterpret_cast<sockaddr*>(&address);
    REQUIRE(::bind(listener_, raw, length) == 0);
    REQUIRE(::listen(listener_, 16) == 0);
    REQUIRE(::getsockname(listener_, raw, &length) == 0);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  ~LineServer() {
    ::shutdown(listener_, SHUT_RDWR);
    thread_.join();
    ::close(listener_);
    for (std::thread& session : sessions_)
      session.join();
  }
  std::uint16_t port() const { return port_; }
  std::string got() const {
    const std::lock_guard lock(mutex_);
    return got_;
  }

 private:
  void serve() {
    for (;;) {
      const int fd = ::accept(listener_, nullptr, nullptr);
      if (fd < 0) return;
      sessions_.emplace_back([this, fd] { talk(fd); });
    }
  }
  void talk(int fd) {
    std::array<char, 4096> buffer{};
    std::string line;
    ssize_t size = 0;
    while ((size = ::recv(fd, buffer.data(), buffer.size(), 0)) > 0) {
      for (const char c : std::string_view(buffer.data(), static_cast<std::size_t>(size))) {
        line += c;
        if (c != '\n') continue;
        {
          const std::lock_guard lock(mutex_);
          got_ += line;
        }
        line = "ok " + line;
        ::send(fd, line.data(), line.size(), MSG_NOSIGNAL);
        line.clear();
      }
    }
    ::close(fd);
  }

  int listener_;
  std::uint16_t port_ = 0;
  std::thread thread_;
  std::vector<std::thread> sessions_;  // of `thread_` until it has ended
  mutable std::mutex mutex_;
  std::string got_;
};

class Client {
 public:
  explicit Client(std::uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address = loopback(port);
    REQUIRE(::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  }
  ~Client() { ::close(fd_); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  void send(const std::string& bytes) {
    CHECK(::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
          static_cast<ssize_t>(bytes.size()));
  }
  /// One line, "end" for a clean end, "reset" for an error.
  std::string line() {
    std::string text;
    char c = 0;
    for (;;) {
      const ssize_t got = ::recv(fd_, &c, 1, 0);
      if (got <= 0) return got == 0 ? "end" : "reset";
      if (c == '\n') return text;
      text += c;
    }
  }
  std::string ask(const std::string& question) {
    send(question + "\n");
    return line();
  }
  void finish() { ::shutdown(fd_, SHUT_WR); }

 private:
  int fd_;
};

}  // namespace

TEST_CASE("the gate carries bytes and ends both ways", "[support][gate]") {
  LineServer server;
  TcpGate gate(server.port());
  Client client(gate.port());
  CHECK(client.ask("one") == "ok one");
  const std::string large(3 << 20, 'x');
  std::thread sender([&] { client.send(large + "\n"); });
  CHECK(client.line() == "ok " + large);
  sender.join();
  client.finish();
  CHECK(client.line() == "end");
  wait_until("the link to be over", [&] { return gate.connections() == 0; });
}

TEST_CASE("the gate cuts what is there and refuses what comes", "[support][gate]") {
  LineServer server;
  TcpGate gate(server.port());
  Client old(gate.port());
  CHECK(old.ask("1") == "ok 1");
  gate.refuse();
  Client refused(gate.port());
  CHECK(refused.line() == "reset");
  CHECK(old.ask("2") == "ok 2");
  gate.cut();
  CHECK(old.line() == "reset");
  gate.restore();
  Client again(gate.port());
  CHECK(again.ask("3") == "ok 3");
}

TEST_CASE("a gate without a server resets", "[support][gate]") {
  TcpGate gate(free_port());
  Client client(gate.port());
  CHECK(client.line() == "reset");
}

TEST_CASE("a stalled gate holds everything and lets it go", "[support][gate]") {
  LineServer server;
  TcpGate gate(server.port());
  Client client(gate.port());
  CHECK(client.ask("1") == "ok 1");
  gate.stall();
  client.send("2\n");
  Client other(gate.port());
  other.send("3\n");
  CHECK(server.got() == "1\n");
  gate.restore();
  CHECK(client.line() == "ok 2");
  CHECK(other.line() == "ok 3");
}

TEST_CASE("a delayed byte is no earlier than that", "[support][gate]") {
  LineServer server;
  TcpGate gate(server.port());
  Client client(gate.port());
  gate.delay(milliseconds(30));
  const auto started = std::chrono::steady_clock::now();
  CHECK(client.ask("1") == "ok 1");
  CHECK(std::chrono::steady_clock::now() - started >= milliseconds(60));
}

TEST_CASE("bytes drip in order and no faster than that", "[support][gate]") {
  LineServer server;
  TcpGate gate(server.port());
  Client client(gate.port());
  gate.drip(2, milliseconds(5));
  const auto started = std::chrono::steady_clock::now();
  CHECK(client.ask("123456789") == "ok 123456789");
  // Five drops there, seven back, one of each at once.
  CHECK(std::chrono::steady_clock::now() - started >= milliseconds(10 * 5));
}

TEST_CASE("a garbled greeting is not what the server said, and the next one is",
          "[support][gate]") {
  LineServer server;
  TcpGate gate(server.port());
  gate.garble();
  Client first(gate.port());
  first.send("1\n");
  wait_until("the server to answer", [&] { return server.got() == "1\n"; });
  gate.restore();
  Client second(gate.port());
  CHECK(second.ask("2") == "ok 2");
  CHECK(first.ask("3").substr(0, 4) != "ok 1");
}

TEST_CASE("a cut strikes before the bytes arrive, or before their answer does", "[support][gate]") {
  LineServer server;
  TcpGate gate(server.port());
  const bool before = GENERATE(true, false);
  gate.inject({.texts = {"BEGIN", "COMMIT"},
               .moment = before ? TcpGate::Cut::Moment::before : TcpGate::Cut::Moment::answer});
  Client client(gate.port());
  CHECK(client.ask("COMMIT") == "ok COMMIT");
  CHECK(client.ask("BEGIN") == "ok BEGIN");
  CHECK(client.ask("rows") == "ok rows");
  // In two pieces, which may arrive as such.
  client.send("COM");
  client.send("MIT\n");
  CHECK(client.line() == "reset");
  CHECK(gate.struck() == 1);
  if (before)
    CHECK(server.got() == "COMMIT\nBEGIN\nrows\n");
  else
    CHECK(server.got() == "COMMIT\nBEGIN\nrows\nCOMMIT\n");
  Client next(gate.port());
  CHECK(next.ask("BEGIN") == "ok BEGIN");
  CHECK(next.ask("COMMIT") == "ok COMMIT");
}

TEST_CASE("a held connection goes on where it stood, or never", "[support][gate]") {
  LineServer server;
  TcpGate gate(server.port());
  const bool before = GENERATE(true, false);
  const bool ended = GENERATE(true, false);
  gate.inject({.texts = {"COMMIT"},
               .moment = before ? TcpGate::Cut::Moment::before : TcpGate::Cut::Moment::answer,
               .hold = true});
  Client held(gate.port());
  held.send("COMMIT\n");
  wait_until("the cut to strike", [&] { return gate.struck() == 1; });
  Client other(gate.port());
  CHECK(other.ask("1") == "ok 1");
  CHECK(server.got() == (before ? "1\n" : "COMMIT\n1\n"));
  if (ended) {
    gate.cut();
    CHECK(held.line() == "reset");
    CHECK(server.got() == (before ? "1\n" : "COMMIT\n1\n"));
  } else {
    gate.restore();
    CHECK(held.line() == "ok COMMIT");
  }
}

TEST_CASE("a cut counts a client's messages", "[support][gate]") {
  LineServer server;
  TcpGate gate(server.port());
  gate.inject({.message = 3, .times = 2});
  for (int round = 0; round < 2; ++round) {
    Client client(gate.port());
    CHECK(client.ask("1") == "ok 1");
    CHECK(client.ask("2") == "ok 2");
    CHECK(client.ask("3") == "reset");
  }
  Client spared(gate.port());
  for (const char* line : {"1", "2", "3", "4"})
    CHECK(spared.ask(line) == "ok " + std::string(line));
  CHECK(gate.struck() == 2);
}
