#include "support/tcp_gate.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <deque>
#include <list>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <system_error>
#include <thread>
#include <utility>

namespace tidemark::test {
namespace {

using Clock = std::chrono::steady_clock;

/// So much may wait for a side that does not take it; then the other one is not read any more.
constexpr std::size_t held_bytes = 1 << 20;

[[noreturn]] void fail(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

/// A socket that closes itself; `reset` makes the other side see an error and no end.
class Socket {
 public:
  Socket() = default;
  explicit Socket(int fd) : fd_(fd) {
    fcntl(fd_, F_SETFL, fcntl(fd_, F_GETFL) | O_NONBLOCK);
    fcntl(fd_, F_SETFD, FD_CLOEXEC);
    const int on = 1;
    setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }
  Socket(Socket&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Socket& operator=(Socket&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Socket() {
    if (fd_ >= 0) ::close(fd_);
  }
  int fd() const noexcept { return fd_; }
  void reset() {
    if (fd_ < 0) return;
    const linger at_once{.l_onoff = 1, .l_linger = 0};
    setsockopt(fd_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    ::close(std::exchange(fd_, -1));
  }

 private:
  int fd_ = -1;
};

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

/// How bytes travel.
struct Pace {
  std::chrono::milliseconds late{};
  std::size_t drop = 0;  ///< so many at a time; 0: as they come
  std::chrono::milliseconds apart{};
};

/// Bytes on their way in one direction, each piece with the time from which it may arrive.
class Pipe {
 public:
  void push(std::string bytes, Clock::time_point now, const Pace& pace) {
    size_ += bytes.size();
    Clock::time_point when = now + pace.late;
    while (pace.drop != 0 && bytes.size() > pace.drop) {
      when = add(bytes.substr(0, pace.drop), when, pace);
      bytes.erase(0, pace.drop);
    }
    add(std::move(bytes), when, pace);
  }
  void end() noexcept { ended_ = true; }
  bool ended() const noexcept { return ended_; }
  bool empty() const noexcept { return pieces_.empty(); }
  bool full() const noexcept { return size_ >= held_bytes; }
  void drop() {
    pieces_.clear();
    size_ = 0;
  }
  std::optional<Clock::time_point> due() const {
    return pieces_.empty() ? std::nullopt : std::optional(pieces_.front().first);
  }
  /// Writes what is due; false where the connection is broken.
  bool flush(const Socket& to, Clock::time_point now) {
    while (!pieces_.empty() && pieces_.front().first <= now) {
      std::string& bytes = pieces_.front().second;
      const ssize_t sent = ::send(to.fd(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent < 0) return errno == EAGAIN || errno == EINTR;
      size_ -= static_cast<std::size_t>(sent);
      bytes.erase(0, static_cast<std::size_t>(sent));
      if (!bytes.empty()) return true;
      pieces_.pop_front();
    }
    if (ended_ && pieces_.empty()) ::shutdown(to.fd(), SHUT_WR);
    return true;
  }

 private:
  Clock::time_point add(std::string bytes, Clock::time_point when, const Pace& pace) {
    if (pace.drop != 0 && !pieces_.empty())
      when = std::max(when, pieces_.back().first + pace.apart);
    pieces_.push_back({when, std::move(bytes)});
    return when;
  }

  std::deque<std::pair<Clock::time_point, std::string>> pieces_;
  std::size_t size_ = 0;
  bool ended_ = false;
};

/// How far one connection is on the way to one cut.
struct Progress {
  std::size_t found = 0;  ///< texts of the cut
  std::string tail;       ///< the end of what was looked through: a text may come in two pieces
};

struct Link {
  Socket client;
  Socket server;
  Pipe to_server;
  Pipe to_client;
  std::size_t messages = 0;
  bool garbled = false;                ///< what the server says first is to be spoilt
  bool answered = true;                ///< the server has sent something since the client did
  const TcpGate::Cut* last = nullptr;  ///< reached: strikes with the answer to come
  bool held = false;
  std::list<Progress> progress = {};  ///< of each cut, in their order
};

}  // namespace

/// The thread that carries, and all it works on, under one lock.
class TcpGate::Relay {
 public:
  explicit Relay(std::uint16_t server_port);
  ~Relay();

  std::uint16_t port() const noexcept { return port_; }
  template <class Change>
  auto with(Change&& change) {
    const std::lock_guard lock(mutex_);
    wake();
    return change(*this);
  }

  // Under the lock.
  bool refusing = false;
  bool stalled = false;
  bool garbling = false;
  Pace pace;
  std::list<Cut> cuts;
  std::list<Link> links;
  std::size_t struck = 0;
  std::size_t messages = 0;
  void reset_all() {
    for (Link& link : links)
      reset(link);
    links.clear();
  }

 private:
  void wake() const {
    const std::uint64_t one = 1;
    static_cast<void>(!::write(waker_, &one, sizeof one));
  }
  void work();
  std::vector<pollfd> interests();
  int timeout();
  void accept_all();
  void carry(Link& link);
  bool take(Link& link, bool from_client);
  bool strikes(Link& link, std::string_view bytes);
  bool reaches(const Cut& cut, Progress& progress, std::string_view bytes, std::size_t messages);
  static void reset(Link& link) {
    link.client.reset();
    link.server.reset();
  }

  std::uint16_t server_port_;
  std::uint16_t port_ = 0;
  Socket listener_;
  int waker_ = -1;
  bool over_ = false;
  mutable std::mutex mutex_;
  std::thread thread_;
};

TcpGate::Relay::Relay(std::uint16_t server_port)
    : server_port_(server_port), waker_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  if (waker_ < 0) fail("eventfd");
  listener_ = Socket(::socket(AF_INET, SOCK_STREAM, 0));
  sockaddr_in address = loopback(0);
  socklen_t length = sizeof address;
  auto* raw = reinterpret_cast<sockaddr*>(&address);
  if (::bind(listener_.fd(), raw, length) != 0 || ::listen(listener_.fd(), 64) != 0 ||
      ::getsockname(listener_.fd(), raw, &length) != 0)
    fail("listen");
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { work(); });
}

TcpGate::Relay::~Relay() {
  with([](Relay& relay) { relay.over_ = true; });
  thread_.join();
  ::close(waker_);
}

void TcpGate::Relay::work() {
  for (;;) {
    std::vector<pollfd> polled;
    int wait = -1;
    {
      const std::lock_guard lock(mutex_);
      if (over_) return;
      polled = interests();
      wait = timeout();
    }
    ::poll(polled.data(), polled.size(), wait);
    std::uint64_t woken = 0;
    static_cast<void>(!::read(waker_, &woken, sizeof woken));
    const std::lock_guard lock(mutex_);
    accept_all();
    if (stalled) continue;
    for (Link& link : links)
      carry(link);
    links.remove_if([](const Link& link) { return link.client.fd() < 0; });
  }
}

std::vector<pollfd> TcpGate::Relay::interests() {
  std::vector<pollfd> all{{waker_, POLLIN, 0}, {listener_.fd(), POLLIN, 0}};
  if (stalled) return all;
  const Clock::time_point now = Clock::now();
  const auto add = [&](const Socket& socket, const Pipe& in, const Pipe& out) {
    short events = 0;
    if (!in.ended() && !in.full()) events |= POLLIN;
    if (const auto due = out.due(); due && *due <= now) events |= POLLOUT;
    if (events != 0) all.push_back({socket.fd(), events, 0});
  };
  for (const Link& link : links) {
    if (link.held) continue;
    add(link.client, link.to_server, link.to_client);
    add(link.server, link.to_client, link.to_server);
  }
  return all;
}

/// Until the next held piece may arrive; -1: only for sockets.
int TcpGate::Relay::timeout() {
  if (stalled) return -1;
  const Clock::time_point now = Clock::now();
  std::optional<Clock::time_point> next;
  for (const Link& link : links)
    for (const Pipe* pipe : {&link.to_server, &link.to_client})
      if (const auto due = pipe->due(); due && *due > now && (!next || *due < *next)) next = due;
  if (!next) return -1;
  return static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(*next - now).count());
}

void TcpGate::Relay::accept_all() {
  for (;;) {
    const int fd = ::accept(listener_.fd(), nullptr, nullptr);
    if (fd < 0) return;
    Link link;
    link.client = Socket(fd);
    sockaddr_in address = loopback(server_port_);
    const int to = refusing ? -1 : ::socket(AF_INET, SOCK_STREAM, 0);
    // To loopback: it is there at once, or nobody listens.
    if (to < 0 || ::connect(to, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
      if (to >= 0) ::close(to);
      link.client.reset();
      continue;
    }
    link.server = Socket(to);
    link.garbled = garbling;
    link.progress.resize(cuts.size());
    links.push_back(std::move(link));
  }
}

void TcpGate::Relay::carry(Link& link) {
  if (link.held) return;
  const bool alive = take(link, true) && take(link, false);
  if (alive && link.held) return;
  const bool flowed = alive && link.to_server.flush(link.server, Clock::now()) &&
                      link.to_client.flush(link.client, Clock::now());
  const bool over = link.to_server.ended() && link.to_server.empty() && link.to_client.ended() &&
                    link.to_client.empty();
  if (!flowed || over) reset(link);
}

/// Reads what one side has sent; false where the connection is to end.
bool TcpGate::Relay::take(Link& link, bool from_client) {
  Pipe& pipe = from_client ? link.to_server : link.to_client;
  const Socket& from = from_client ? link.client : link.server;
  std::array<char, 65536> buffer{};
  while (!link.held && !pipe.ended() && !pipe.full()) {
    const ssize_t got = ::recv(from.fd(), buffer.data(), buffer.size(), 0);
    if (got < 0) return errno == EAGAIN || errno == EINTR;
    if (!from_client && link.last != nullptr) {
      ++struck;
      if (!std::exchange(link.last, nullptr)->hold) return false;
      link.held = true;
    }
    if (got == 0) {
      pipe.end();
      return true;
    }
    std::string bytes(buffer.data(), static_cast<std::size_t>(got));
    if (from_client) {
      if (std::exchange(link.answered, false)) {
        ++link.messages;
        ++messages;
      }
      if (!strikes(link, bytes)) return false;
    } else {
      link.answered = true;
      if (std::exchange(link.garbled, false))
        for (char& byte : bytes)
          byte = static_cast<char>(byte ^ 0x5a);
    }
    pipe.push(std::move(bytes), Clock::now(), pace);
  }
  return true;
}

/// Looks for cuts in what a client has sent; false where the connection is to end before it
/// arrives.
bool TcpGate::Relay::strikes(Link& link, std::string_view bytes) {
  auto progress = link.progress.begin();
  for (Cut& cut : cuts) {
    if (progress == link.progress.end()) break;
    Progress& one = *progress++;
    if (cut.times == 0 || !reaches(cut, one, bytes, link.messages)) continue;
    --cut.times;
    if (cut.moment == Cut::Moment::answer) {
      link.last = &cut;
      continue;
    }
    ++struck;
    link.held = cut.hold;
    return cut.hold;
  }
  return true;
}

bool TcpGate::Relay::reaches(const Cut& cut, Progress& progress, std::string_view bytes,
                             std::size_t messages) {
  if (cut.texts.empty()) return messages == cut.message;
  progress.tail.append(bytes);
  while (progress.found < cut.texts.size()) {
    const std::string& text = cut.texts[progress.found];
    const std::size_t at = progress.tail.find(text);
    if (at == std::string::npos) {
      const std::size_t keep = std::min(progress.tail.size(), text.size() - 1);
      progress.tail.erase(0, progress.tail.size() - keep);
      return false;
    }
    progress.tail.erase(0, at + text.size());
    ++progress.found;
  }
  return true;
}

TcpGate::TcpGate(std::uint16_t server_port) : relay_(std::make_unique<Relay>(server_port)) {}
TcpGate::~TcpGate() = default;

std::uint16_t TcpGate::port() const noexcept {
  return relay_->port();
}

void TcpGate::refuse() {
  relay_->with([](Relay& relay) { relay.refusing = true; });
}

void TcpGate::cut() {
  relay_->with([](Relay& relay) { relay.reset_all(); });
}

void TcpGate::stall() {
  relay_->with([](Relay& relay) { relay.stalled = true; });
}

void TcpGate::delay(std::chrono::milliseconds by) {
  relay_->with([&](Relay& relay) { relay.pace.late = by; });
}

void TcpGate::drip(std::size_t bytes, std::chrono::milliseconds apart) {
  relay_->with([&](Relay& relay) {
    relay.pace.drop = bytes;
    relay.pace.apart = apart;
  });
}

void TcpGate::garble() {
  relay_->with([](Relay& relay) { relay.garbling = true; });
}

void TcpGate::inject(Cut cut) {
  relay_->with([&](Relay& relay) {
    relay.cuts.push_back(std::move(cut));
    for (Link& link : relay.links)
      link.progress.emplace_back();
  });
}

void TcpGate::restore() {
  relay_->with([](Relay& relay) {
    relay.refusing = relay.stalled = relay.garbling = false;
    relay.pace = {};
    relay.cuts.clear();
    for (Link& link : relay.links) {
      link.progress.clear();
      link.last = nullptr;
      link.held = false;
    }
  });
}

std::size_t TcpGate::connections() const {
  return relay_->with([](Relay& relay) { return relay.links.size(); });
}

std::size_t TcpGate::messages() const {
  return relay_->with([](Relay& relay) { return relay.messages; });
}

std::size_t TcpGate::struck() const {
  return relay_->with([](Relay& relay) { return relay.struck; });
}

}  // namespace tidemark::test
