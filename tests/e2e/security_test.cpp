// What somebody who is not let in can see, do, or keep from working.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstring>
#include <filesystem>
#include <iostream>
#include <sstream>
#include <utility>

#include "site.h"

using namespace tidemark;
using namespace tidemark::e2e;
namespace fs = std::filesystem;

namespace {

/// A TCP connection to a port of this machine that says what it is told, and no more.
class HalfRequest {
 public:
  HalfRequest(std::uint16_t port, std::string_view said)
      : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = ::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
    say(said);
  }
  ~HalfRequest() { ::close(socket_); }
  HalfRequest(const HalfRequest&) = delete;
  HalfRequest& operator=(const HalfRequest&) = delete;
  HalfRequest(HalfRequest&& other) noexcept
      : socket_(std::exchange(other.socket_, -1)), connected_(other.connected_) {}

  bool connected() const { return connected_; }
  void say(std::string_view bytes) const {
    static_cast<void>(::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT));
  }

 private:
  int socket_;
  bool connected_ = false;
};

const std::map<std::string, std::string> write_headers{{"X-Tidemark", "1"},
                                                       {"Content-Type", "application/json"}};

unsigned mode_of(const fs::path& path) {
  struct stat found {};
  REQUIRE(::lstat(path.c_str(), &found) == 0);
  return found.st_mode & 07777U;
}

std::string text_of_limit(const std::string& limits, const std::string& name) {
  const std::size_t at = limits.find(name);
  return at == std::string::npos ? "" : limits.substr(at, limits.find('\n', at) - at);
}

}  // namespace

TEST_CASE("many half requests keep nobody from the metrics", "[e2e][http][security]") {
  Site site;
  test::Daemon daemon = site.start_ready();
  // Four times as many as the daemon takes at once, and they go on dripping.
  std::vector<HalfRequest> halves;
  for (int count = 0; count < 256; ++count) {
    halves.emplace_back(site.port(), "POST /api/v1/pause HTTP/1.1\r\nHost: localhost\r\nX-A: ");
    REQUIRE(halves.back().connected());
  }
  for (int scrape = 0; scrape < 10; ++scrape) {
    for (const HalfRequest& half : halves)
      half.say("a");
    const auto started = std::chrono::steady_clock::now();
    CHECK(site.http("GET", "/metrics").status == 200);
    // The deadline of a half request is 10 s: nobody waits for that.
    CHECK(std::chrono::steady_clock::now() - started < std::chrono::seconds(9));
  }
  CHECK(site.client().get("/healthz").status == 200);
}

TEST_CASE("a page from elsewhere can change nothing, whatever its headers",
          "[e2e][http][security]") {
  Site site("  api_token: {env: E2E_TOKEN}");
  test::Daemon daemon = site.start_ready({"E2E_TOKEN=correct-horse-battery"});
  const auto post = [&](const std::string& name, const std::string& value) {
    auto headers = write_headers;
    headers["Authorization"] = "Bearer correct-horse-battery";
    if (!name.empty()) headers[name] = value;
    return site.http("POST", "/api/v1/pause", headers, R"({"jobs": ["items"]})").status;
  };
  CHECK(post("Origin", "http://evil.example") == 403);
  CHECK(post("Origin", "https://localhost.evil.example") == 403);
  CHECK(post("Origin", "null") == 403);
  CHECK(post("Origin", "") == 403);
  CHECK(post("Sec-Fetch-Site", "cross-site") == 403);
  CHECK(post("Host", "evil.example") == 421);
  CHECK(site.job("items")["state"] != "paused");
  // What a browser sends before such a call is refused as well, without a word of CORS.
  const HttpAnswer preflight = site.http(
      "OPTIONS", "/api/v1/pause",
      {{"Origin", "http://evil.example"}, {"Access-Control-Request-Headers", "x-tidemark"}});
  CHECK(preflight.status == 405);
  for (const auto& [name, value] : preflight.headers)
    CHECK(name.find("access-control") == std::string::npos);
  CHECK(post("Origin", "http://localhost:" + std::to_string(site.port())) == 200);
  CHECK(daemon.metric(R"(tidemark_http_auth_failures_total{reason="cross_site"})") != "0");
}

TEST_CASE("every call that changes something needs the token over TCP", "[e2e][http][security]") {
  Site site("  api_token: {env: E2E_TOKEN}");
  test::Daemon daemon = site.start_ready({"E2E_TOKEN=correct-horse-battery"});
  for (const char* action :
       {"reload", "run", "pause", "resume", "cancel", "resync", "backfill", "accept", "nothing"}) {
    CAPTURE(action);
    const std::string path = std::string("/api/v1/") + action;
    CHECK(site.http("POST", path, write_headers, "{}").status == 401);
    for (const char* wrong :
         {"Bearer", "Bearer ", "Bearer correct-horse", "Basic correct-horse-battery",
          "correct-horse-battery", "Bearer correct-horse-batteryy"}) {
      CAPTURE(wrong);
      auto headers = write_headers;
      headers["Authorization"] = wrong;
      CHECK(site.http("POST", path, headers, "{}").status == 401);
    }
  }
}

TEST_CASE("files and sockets are closed to others, whatever the umask", "[e2e][security]") {
  Site site;
  site.add_items(3);
  const mode_t before = ::umask(0);
  test::Daemon daemon = site.start_ready();
  ::umask(before);
  site.wait_equal("items");
  CHECK((mode_of(site.socket()) & 07U) == 0);
  CHECK((mode_of(site.socket() + ".lock") & 07U) == 0);
  CHECK((mode_of(site.path("state")) & 07U) == 0);
  std::size_t files = 0;
  for (const auto& entry : fs::recursive_directory_iterator(site.path("state"))) {
    CAPTURE(entry.path().string());
    CHECK((mode_of(entry.path()) & 07U) == 0);
    ++files;
  }
  CHECK(files >= 2);
}

TEST_CASE("a crash leaves no core file with secrets in it", "[e2e][security]") {
  Site site;
  test::Daemon daemon = site.start_ready();
  const std::string limits = read_file("/proc/" + std::to_string(daemon.pid()) + "/limits");
  const std::string core = text_of_limit(limits, "Max core file size");
  INFO(core);
  std::istringstream words(core.substr(std::strlen("Max core file size")));
  std::string soft, hard;
  words >> soft >> hard;
  CHECK(soft == "0");
  CHECK(hard == "0");
}

TEST_CASE("the unit's sandbox leaves little open", "[e2e][security]") {
  if (run({"/bin/sh", "-c", "command -v systemd-analyze"}).status != 0) {
    std::cout << "not run: this machine has no systemd-analyze (Debian's package systemd)\n";
    SUCCEED();
    return;
  }
  // --threshold counts tenths: exit 1 above 2.0.
  const CommandResult result =
      run({"systemd-analyze", "security", "--offline=true", "--threshold=20", "--no-pager",
           std::string(TIDEMARK_SOURCE_DIR) + "/systemd/tidemark.service"});
  INFO(result.out << result.err);
  CHECK(result.status == 0);
  CHECK(result.out.find("Overall exposure level") != std::string::npos);
}

TEST_CASE("the daemon works without privileges on a read-only system", "[e2e][security]") {
  if (::geteuid() != 0) {
    std::cout << "not run: only root can make a file system read-only for one process\n";
    SUCCEED();
    return;
  }
  if (run({"unshare", "--mount", "true"}).status != 0) {
    std::cout << "not run: no mount namespace can be made here (in a chroot, for one)\n";
    SUCCEED();
    return;
  }
  Site site;
  site.add_items(20);
  const std::string dir = fs::path(site.config()).parent_path().string();
  // What ProtectSystem=strict, User=, NoNewPrivileges= and CapabilityBoundingSet= come to.
  site.write_file("sandbox",
                  "#!/bin/sh\n"
                  "exec unshare --mount sh -c 'mount --bind " +
                      dir + " " + dir +
                      " && mount -o remount,bind,ro / && exec setpriv --reuid=65534 --regid=65534 "
                      "--clear-groups --no-new-privs --inh-caps=-all --bounding-set=-all " +
                      TIDEMARK_BINARY + " \"$@\"' sandbox \"$@\"\n");
  fs::permissions(site.path("sandbox"), fs::perms(0755));
  test::run_command({"chown", "-R", "65534:65534", dir});
  test::Daemon daemon(
      {.config = site.config(), .socket = site.socket(), .log = site.path("daemon.log")});
  daemon.start({.program = site.path("sandbox"), .environment = {}});
  daemon.wait_ready();
  site.wait_equal("items");
  const std::string status = read_file("/proc/" + std::to_string(daemon.pid()) + "/status");
  INFO(status);
  CHECK(status.find("NoNewPrivs:\t1") != std::string::npos);
  CHECK(status.find("CapBnd:\t0000000000000000") != std::string::npos);
  CHECK(status.find("Uid:\t65534") != std::string::npos);
  CHECK(daemon.stop() == 0);
}
