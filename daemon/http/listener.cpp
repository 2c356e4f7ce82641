#include "daemon/http/listener.h"

#include <fcntl.h>
#include <grp.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <boost/asio/steady_timer.hpp>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <vector>

#include "core/error.h"
#include "daemon/http/session.h"

namespace tidemark::http {
namespace {

namespace asio = boost::asio;
using Tcp = asio::ip::tcp;
using Local = asio::local::stream_protocol;

[[noreturn]] void refuse(FailureKind kind, std::string message, std::string hint) {
  throw Error({.kind = kind,
               .message = std::move(message),
               .operation = "listen",
               .hint = std::move(hint)});
}

FailureKind kind_of(int number) {
  return number == EACCES || number == EPERM ? FailureKind::permission : FailureKind::resource;
}

/// The part that both kinds of address share: accepting, and keeping the number of sessions.
template <class Protocol>
class Accepting : public Listener {
 public:
  Accepting(asio::io_context& loop, const Router& router, Limits limits)
      : acceptor_(loop), router_(router), limits_(limits) {}
  ~Accepting() override {
    *alive_ = false;
    close();
  }

  void stop() override { close(); }

 protected:
  void close() {
    boost::system::error_code ignored;
    acceptor_.close(ignored);
    stopping_ = true;
    const std::set<Session*> sessions = sessions_;
    for (Session* session : sessions)
      session->stop();
  }

  void accept() {
    if (stopping_ || sessions_.size() >= limits_.connections) {
      accepting_ = false;
      if (!stopping_) make_room();
      return;
    }
    accepting_ = true;
    acceptor_.async_accept(
        [this, alive = alive_](boost::system::error_code error, typename Protocol::socket socket) {
          if (!*alive || error == asio::error::operation_aborted) return;
          // Out of descriptors is the one error that repeats at once: something must end first.
          if (error) return retry_later();
          open(std::move(socket));
          accept();
        });
  }

  virtual Peer peer_of(typename Protocol::socket& socket) = 0;

  typename Protocol::acceptor acceptor_;

 private:
  void retry_later() {
    auto timer = std::make_shared<asio::steady_timer>(acceptor_.get_executor(),
                                                      std::chrono::milliseconds(200));
    timer->async_wait([this, alive = alive_, timer](boost::system::error_code) {
      if (*alive) accept();
    });
  }

  /// What its end brings is the next accept.
  void make_room() {
    Session* oldest = nullptr;
    for (Session* session : sessions_)
      if (session->waits_since() &&
          (oldest == nullptr || *session->waits_since() < *oldest->waits_since()))
        oldest = session;
    if (oldest != nullptr) oldest->drop();
  }

  void open(typename Protocol::socket socket) {
    Peer peer = peer_of(socket);
    auto session =
        std::make_shared<Session>(Session::Socket(std::move(socket)), std::move(peer), router_,
                                  limits_, [this, alive = alive_](Session* gone) {
                                    if (!*alive) return;
                                    sessions_.erase(gone);
                                    if (!accepting_) accept();
                                  });
    sessions_.insert(session.get());
    session->start();
  }

  const Router& router_;
  Limits limits_;
  std::set<Session*> sessions_;
  // Handlers may run behind the listener's end: they look here first.
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  bool accepting_ = false;
  bool stopping_ = false;
};

class TcpListener final : public Accepting<Tcp> {
 public:
  TcpListener(asio::io_context& loop, const std::string& address, const Router& router,
              Limits limits)
      : Accepting(loop, router, limits) {
    const Tcp::endpoint endpoint = parse(address);
    boost::system::error_code error;
    acceptor_.open(endpoint.protocol(), error);
    if (!error) acceptor_.set_option(asio::socket_base::reuse_address(true), error);
    if (!error) acceptor_.bind(endpoint, error);
    if (!error) acceptor_.listen(asio::socket_base::max_listen_connections, error);
    if (error)
      refuse(kind_of(error.value()), "can't listen on " + address + ": " + error.message(),
             "Choose another daemon.listen, or stop what uses it.");
    accept();
  }

  std::string address() const override {
    boost::system::error_code error;
    const Tcp::endpoint endpoint = acceptor_.local_endpoint(error);
    if (error) return {};
    const std::string host = endpoint.address().to_string();
    return (endpoint.address().is_v6() ? "[" + host + "]" : host) + ":" +
           std::to_string(endpoint.port());
  }

 protected:
  Peer peer_of(Tcp::socket& socket) override {
    boost::system::error_code error;
    asio::ip::address address = socket.remote_endpoint(error).address();
    socket.set_option(Tcp::no_delay(true), error);
    // A listener on [::] sees this machine's own callers as ::ffff:127.0.0.1.
    if (address.is_v6() && address.to_v6().is_v4_mapped())
      address = asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6());
    return {.loopback = address.is_loopback(), .address = address.to_string()};
  }

 private:
  static Tcp::endpoint parse(const std::string& text) {
    const std::size_t colon = text.rfind(':');
    std::string host = text.substr(0, colon);
    if (host.size() > 1 && host.front() == '[') host = host.substr(1, host.size() - 2);
    if (host == "localhost") host = "127.0.0.1";
    std::uint16_t port = 0;
    const char* end = text.data() + text.size();
    boost::system::error_code error;
    const auto address = asio::ip::make_address(host, error);
    if (colon == std::string::npos || error ||
        std::from_chars(text.data() + colon + 1, end, port).ptr != end)
      refuse(FailureKind::schema, "daemon.listen is no address: " + text,
             "Write an IP address and a port, as in 127.0.0.1:9465.");
    return {address, port};
  }
};

/// Held for the listener's life: whoever has it may replace the socket file.
class PathLock {
 public:
  explicit PathLock(const std::string& path) {
    handle_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
    if (handle_ < 0)
      refuse(kind_of(errno), "can't create " + path + ": " + std::strerror(errno),
             "The directory of daemon.socket must exist and be writable.");
    if (flock(handle_, LOCK_EX | LOCK_NB) == 0) return;
    ::close(handle_);
    refuse(FailureKind::resource, "another daemon serves this control socket (" + path + ")",
           "Give each daemon its own daemon.socket.");
  }
  ~PathLock() { ::close(handle_); }
  PathLock(const PathLock&) = delete;
  PathLock& operator=(const PathLock&) = delete;

 private:
  int handle_ = -1;
};

class UnixListener final : public Accepting<Local> {
 public:
  UnixListener(asio::io_context& loop, std::string path, const Router& router, Limits limits)
      : Accepting(loop, router, limits), path_(check(std::move(path))), lock_(path_ + ".lock") {
    // Made complete under another name and renamed: never there with a wider mode, and a file
    // that a crash has left is replaced in one step.
    const std::string fresh = path_ + ".new";
    ::unlink(fresh.c_str());
    boost::system::error_code error;
    acceptor_.open(Local(), error);
    if (!error) acceptor_.bind(Local::endpoint(fresh), error);
    if (!error && ::chmod(fresh.c_str(), 0660) != 0)
      error.assign(errno, boost::system::system_category());
    if (!error) give_to_admins(fresh);
    if (!error) acceptor_.listen(asio::socket_base::max_listen_connections, error);
    if (!error && ::rename(fresh.c_str(), path_.c_str()) != 0)
      error.assign(errno, boost::system::system_category());
    if (error)
      refuse(kind_of(error.value()), "can't create " + path_ + ": " + error.message(),
             "The directory of daemon.socket must exist and be writable.");
    accept();
  }
  ~UnixListener() override { remove(); }

  void stop() override {
    Accepting::stop();
    remove();
  }
  std::string address() const override { return path_; }

 protected:
  Peer peer_of(Local::socket& socket) override {
    ucred who{};
    socklen_t size = sizeof(who);
    Peer peer{.local = true, .uid = static_cast<uid_t>(-1)};
    if (getsockopt(socket.native_handle(), SOL_SOCKET, SO_PEERCRED, &who, &size) == 0) {
      peer.uid = who.uid;
      peer.pid = who.pid;
    }
    return peer;
  }

 private:
  static std::string check(std::string path) {
    constexpr std::size_t longest = sizeof(sockaddr_un::sun_path) - sizeof(".new");
    if (path.size() > longest)
      refuse(FailureKind::schema,
             "daemon.socket is longer than " + std::to_string(longest) + " bytes",
             "Put it into a directory with a shorter name.");
    return path;
  }

  /// Operators in tidemark-admin may use it; where there is no such group, our own group may.
  static void give_to_admins(const std::string& path) {
    group entry{};
    group* found = nullptr;
    std::vector<char> buffer(16 << 10);
    if (getgrnam_r("tidemark-admin", &entry, buffer.data(), buffer.size(), &found) == 0 &&
        found != nullptr)
      (void)!::chown(path.c_str(), static_cast<uid_t>(-1), found->gr_gid);
  }

  void remove() {
    if (!std::exchange(removed_, true)) ::unlink(path_.c_str());
  }

  std::string path_;
  PathLock lock_;
  bool removed_ = false;
};

}  // namespace

std::unique_ptr<Listener> listen_tcp(asio::io_context& loop, const std::string& address,
                                     const Router& router, Limits limits) {
  return std::make_unique<TcpListener>(loop, address, router, limits);
}

std::unique_ptr<Listener> listen_unix(asio::io_context& loop, const std::string& path,
                                      const Router& router, Limits limits) {
  return std::make_unique<UnixListener>(loop, path, router, limits);
}

}  // namespace tidemark::http
