#include "daemon/demo/stage.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <cstdlib>
#include <fstream>

#include "core/error.h"
#include "daemon/config_file.h"

namespace tidemark::demo {
namespace {

constexpr const char* configuration = R"(version: 1

daemon:
  instance: demo
  listen: 127.0.0.1:{port}
  socket: {directory}/tidemark.sock
  state_dir: {directory}/state
  log: {{level: info, format: text}}

connections:
  shop: {{type: sqlite, path: {directory}/shop.db, access: read}}
  copy: {{type: sqlite, path: {directory}/copy.db}}

defaults:
  source: {{connection: shop}}
  target: {{connection: copy}}
  schedule: {{every: 1s}}

jobs:
  customers:
    source: {{table: customers}}
    target: {{table: customers}}
    mode: incremental
    cursor: {{column: updated_at, assume: [server_assigned, every_write_moves_it, single_timezone]}}
  orders:
    source: {{table: orders}}
    target: {{table: orders}}
    mode: incremental
    cursor: {{column: updated_at, assume: [server_assigned, every_write_moves_it, single_timezone]}}
  events:
    source: {{table: events}}
    target: {{table: events, write: append}}
    mode: incremental
    cursor: {{column: id}}
)";

/// A port that nobody listens on; the daemon takes it a moment later.
std::uint16_t free_port() {
  boost::asio::io_context context;
  using boost::asio::ip::tcp;
  return tcp::acceptor(context, {boost::asio::ip::address_v4::loopback(), 0})
      .local_endpoint()
      .port();
}

}  // namespace

Stage::Stage() {
  std::string pattern = (std::filesystem::temp_directory_path() / "tidemark-demo-XXXXXX").string();
  if (mkdtemp(pattern.data()) == nullptr)
    throw Error({.kind = FailureKind::resource,
                 .message = "can't make a temporary directory",
                 .operation = "demo"});
  directory_ = pattern;
  write_config();
  log_fd_ = ::open(log().c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

Stage::~Stage() {
  stop_daemon();
  app_.reset();
  if (log_fd_ >= 0) ::close(log_fd_);
  std::error_code ignored;
  std::filesystem::remove_all(directory_, ignored);
}

void Stage::write_config() const {
  std::ofstream file(config());
  file << fmt::format(configuration, fmt::arg("port", free_port()),
                      fmt::arg("directory", directory_.string()));
}

void Stage::start_daemon() {
  const config::LoadResult loaded = load_config(config());
  if (!loaded.ok())
    throw Error({.kind = FailureKind::internal,
                 .message = config::to_string(loaded.errors.front()),
                 .operation = "demo"});
  app_ = std::make_unique<App>(
      App::Options{.config_path = config(), .handle_signals = false, .log_fd = log_fd_}, loaded);
  thread_ = std::thread([this] { status_ = app_->run(); });
}

ExitStatus Stage::stop_daemon() {
  if (!thread_.joinable()) return status_;
  app_->stop();
  thread_.join();
  return status_;
}

}  // namespace tidemark::demo
