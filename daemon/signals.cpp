#include "daemon/signals.h"

#include <csignal>

namespace tidemark {

Signals::Signals(boost::asio::io_context& loop, Actions actions)
    : set_(loop, SIGTERM, SIGINT), actions_(std::move(actions)) {
  if (actions_.reload) set_.add(SIGHUP);
  if (actions_.dump) set_.add(SIGUSR2);
  // No log file of ours to reopen, but logrotate's habit must not end the daemon.
  set_.add(SIGUSR1);
  wait();
}

void Signals::ignore_broken_pipes() noexcept {
  std::signal(SIGPIPE, SIG_IGN);
}

void Signals::wait() {
  set_.async_wait([this](boost::system::error_code error, int number) {
    if (error) return;
    wait();
    if (number == SIGTERM || number == SIGINT)
      actions_.stop();
    else if (number == SIGHUP)
      actions_.reload();
    else if (number == SIGUSR2)
      actions_.dump();
  });
}

}  // namespace tidemark
