#include "observe/log_sink.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string_view>

namespace tidemark::observe {
namespace {

/// $JOURNAL_STREAM is "device:inode" of the stream that systemd connected to the journal.
bool is_journal_stream(int fd, const char* announced) {
  struct stat status {};
  if (announced == nullptr || fstat(fd, &status) != 0) return false;
  return fmt::format("{}:{}", status.st_dev, status.st_ino) == announced;
}

bool write_all(int fd, std::string_view bytes) noexcept {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

class StreamSink final : public LogSink {
 public:
  StreamSink(int fd, LogStyle style) : fd_(fd), style_(style) {}
  bool write(const LogRecord& record) noexcept override {
    try {
      return write_all(fd_, render(record));
    } catch (const std::exception&) {
      return false;
    }
  }

 private:
  std::string render(const LogRecord& record) const {
    switch (style_) {
      case LogStyle::coloured:
        return text_line(record, true);
      case LogStyle::prefixed:
        return prefixed_line(record);
      case LogStyle::json:
        return json_line(record);
      case LogStyle::text:
      case LogStyle::journal:
        break;
    }
    return text_line(record, false);
  }
  int fd_;
  LogStyle style_;
};

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() {
    if (number_ >= 0) close(number_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const noexcept { return number_; }

 private:
  int number_;
};

class JournalSink final : public LogSink {
 public:
  JournalSink(int fd, const sockaddr_un& address, std::string identifier)
      : socket_(fd), address_(address), identifier_(std::move(identifier)) {}

  bool write(const LogRecord& record) noexcept override {
    try {
      const std::string datagram = journal_datagram(record, identifier_);
      iovec part{.iov_base = const_cast<char*>(datagram.data()), .iov_len = datagram.size()};
      msghdr message{};
      message.msg_iov = &part;
      message.msg_iovlen = 1;
      if (send(message)) return true;
      return (errno == EMSGSIZE || errno == ENOBUFS) && write_as_file(datagram);
    } catch (const std::exception&) {
      return false;
    }
  }

 private:
  // The address goes with every message: a restarted journal is a new socket under the old name.
  bool send(msghdr& message) noexcept {
    message.msg_name = &address_;
    message.msg_namelen = sizeof address_;
    return sendmsg(socket_.get(), &message, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0;
  }

  bool write_as_file(const std::string& datagram) noexcept {
    const Descriptor file(memfd_create("tidemark-log", MFD_CLOEXEC | MFD_ALLOW_SEALING));
    if (file.get() < 0 || !write_all(file.get(), datagram)) return false;
    // The journal takes sealed files only: nobody can change them under its hands.
    if (fcntl(file.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL))
      return false;
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))]{};
    msghdr message{};
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    const int number = file.get();
    std::memcpy(CMSG_DATA(header), &number, sizeof number);
    return send(message);
  }

  Descriptor socket_;
  sockaddr_un address_;
  std::string identifier_;
};

}  // namespace

LogStyle choose_style(LogFormat format, int fd,
                      const std::function<const char*(const char*)>& environment) {
  const bool terminal = isatty(fd) == 1;
  const char* term = environment("TERM");
  const bool colours = terminal && environment("NO_COLOR") == nullptr &&
                       (term == nullptr || std::strcmp(term, "dumb") != 0);
  switch (format) {
    case LogFormat::json:
      return LogStyle::json;
    case LogFormat::journal:
      return LogStyle::journal;
    case LogFormat::text:
      return colours ? LogStyle::coloured : LogStyle::text;
    case LogFormat::automatic:
      break;
  }
  if (is_journal_stream(fd, environment("JOURNAL_STREAM"))) return LogStyle::journal;
  if (terminal) return colours ? LogStyle::coloured : LogStyle::text;
  return environment("INVOCATION_ID") != nullptr ? LogStyle::prefixed : LogStyle::text;
}

std::unique_ptr<LogSink> make_stream_sink(int fd, LogStyle style) {
  return std::make_unique<StreamSink>(fd, style);
}

std::unique_ptr<LogSink> make_journal_sink(const std::string& socket,
                                           const std::string& identifier) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (socket.size() >= sizeof address.sun_path || access(socket.c_str(), W_OK) != 0) return nullptr;
  std::memcpy(address.sun_path, socket.data(), socket.size());
  const int fd = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return nullptr;
  const int room = 8 << 20;
  // Less room than asked for only means that a burst may lose lines, which is then said.
  static_cast<void>(setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof room));
  return std::make_unique<JournalSink>(fd, address, identifier);
}

}  // namespace tidemark::observe
