#pragma once

#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <functional>

namespace tidemark {

/// Turns signals into calls on the loop. Loop thread.
class Signals {
 public:
  struct Actions {
    std::function<void()> stop;         ///< TERM, INT; called again at each further one
    std::function<void()> reload = {};  ///< HUP
    std::function<void()> dump = {};    ///< USR2
  };
  Signals(boost::asio::io_context& loop, Actions actions);

  /// A peer that goes away must not end the process: write errors say so instead.
  static void ignore_broken_pipes() noexcept;

 private:
  void wait();
  boost::asio::signal_set set_;
  Actions actions_;
};

}  // namespace tidemark
