#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "daemon/app.h"
#include "daemon/exit_status.h"

namespace tidemark::demo {

/// A directory of its own with a configuration for two SQLite files, and the real daemon on it, in
/// a thread of this process. Everything goes with it.
class Stage {
 public:
  Stage();
  ~Stage();
  Stage(const Stage&) = delete;
  Stage& operator=(const Stage&) = delete;

  std::string source() const { return path("shop.db"); }
  std::string target() const { return path("copy.db"); }
  std::string config() const { return path("tidemark.yaml"); }
  std::string socket() const { return path("tidemark.sock"); }
  std::string log() const { return path("daemon.log"); }

  /// Throws Error when the daemon can't start.
  void start_daemon();
  /// As SIGTERM, and waits for the end.
  ExitStatus stop_daemon();
  std::string http_address() const { return app_->http_address().value_or(""); }

 private:
  std::string path(const char* name) const { return (directory_ / name).string(); }
  void write_config() const;

  std::filesystem::path directory_;
  int log_fd_ = -1;
  std::unique_ptr<App> app_;
  std::thread thread_;
  ExitStatus status_ = ExitStatus::done;
};

}  // namespace tidemark::demo
