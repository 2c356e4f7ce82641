#include "daemon/notify.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <charconv>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "core/one_line.h"

namespace tidemark {
namespace {

std::uint64_t monotonic_micros() noexcept {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000 +
         static_cast<std::uint64_t>(now.tv_nsec) / 1'000;
}

}  // namespace

Notifier::Notifier(std::string socket, std::optional<Duration> watchdog)
    : socket_(std::move(socket)), watchdog_(watchdog) {
  const bool usable = socket_.size() > 1 && (socket_[0] == '/' || socket_[0] == '@') &&
                      socket_.size() < sizeof(sockaddr_un::sun_path);
  if (usable) handle_ = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

Notifier::~Notifier() {
  if (handle_ >= 0) close(handle_);
}

void Notifier::send(std::string_view message) const noexcept {
  if (handle_ < 0) return;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, socket_.data(), socket_.size());
  if (address.sun_path[0] == '@') address.sun_path[0] = '\0';
  // The length counts: an abstract name ends where the address ends, not at a NUL.
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + socket_.size());
  (void)sendto(handle_, message.data(), message.size(), MSG_NOSIGNAL,
               reinterpret_cast<const sockaddr*>(&address), size);
}

void Notifier::ready(std::string_view status) const noexcept {
  // On one line: a line break would start another assignment.
  send(fmt::format("READY=1\nSTATUS={}\n", one_line(status)));
}

void Notifier::reloading() const noexcept {
  send(fmt::format("RELOADING=1\nMONOTONIC_USEC={}\n", monotonic_micros()));
}

void Notifier::stopping(std::string_view status) const noexcept {
  send(fmt::format("STOPPING=1\nSTATUS={}\n", one_line(status)));
}

void Notifier::status(std::string_view text) const noexcept {
  send(fmt::format("STATUS={}\n", one_line(text)));
}

void Notifier::extend_timeout(Duration by) const noexcept {
  send(fmt::format("EXTEND_TIMEOUT_USEC={}\n", by.count()));
}

void Notifier::watchdog() const noexcept {
  send("WATCHDOG=1\n");
}

NotifyEnvironment NotifyEnvironment::take() {
  const auto number = [](const char* name) -> std::optional<std::int64_t> {
    const char* text = std::getenv(name);
    std::int64_t value = 0;
    if (text == nullptr) return std::nullopt;
    const char* end = text + std::strlen(text);
    const auto parsed = std::from_chars(text, end, value);
    return parsed.ec == std::errc{} && parsed.ptr == end ? std::optional(value) : std::nullopt;
  };
  NotifyEnvironment result;
  if (const char* socket = std::getenv("NOTIFY_SOCKET")) result.socket = socket;
  const auto period = number("WATCHDOG_USEC");
  const auto pid = number("WATCHDOG_PID");
  // WATCHDOG_PID names the process meant, where one of its parents had set the variables.
  if (period && *period > 0 && (!pid || *pid == getpid())) result.watchdog = Duration(*period);
  for (const char* name : {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"})
    unsetenv(name);
  return result;
}

}  // namespace tidemark
