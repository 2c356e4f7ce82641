#include "observe/log.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstring>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>
#include <thread>

#include "observe/log_record.h"
#include "observe/log_sink.h"
#include "support/process.h"
#include "support/virtual_time.h"

using namespace tidemark;
using namespace tidemark::observe;
using namespace std::chrono_literals;

namespace {

/// A file that a log writes to.
class Output {
 public:
  Output() : fd_(open(dir_.path().c_str(), O_TMPFILE | O_RDWR, 0600)) { REQUIRE(fd_ >= 0); }
  ~Output() { close(fd_); }
  int fd() const { return fd_; }
  std::vector<std::string> lines() const {
    std::string all(static_cast<std::size_t>(lseek(fd_, 0, SEEK_END)), '\0');
    REQUIRE(pread(fd_, all.data(), all.size(), 0) == static_cast<ssize_t>(all.size()));
    std::vector<std::string> result;
    std::istringstream stream(all);
    for (std::string line; std::getline(stream, line);)
      result.push_back(line);
    return result;
  }

 private:
  test::TempDir dir_;
  int fd_;
};

/// The receiving end of a journal.
class Journal {
 public:
  Journal() : fd_(socket(AF_UNIX, SOCK_DGRAM, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path().c_str(), sizeof address.sun_path - 1);
    REQUIRE(bind(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  }
  ~Journal() { close(fd_); }
  std::string path() const { return dir_ / "socket"; }
  bool pending() const {
    pollfd waiting{.fd = fd_, .events = POLLIN, .revents = 0};
    return poll(&waiting, 1, 0) == 1;
  }

  /// One entry, which must be there already: fields by name. Follows a passed file.
  std::map<std::string, std::string> receive() {
    std::string bytes(1 << 20, '\0');
    iovec part{.iov_base = bytes.data(), .iov_len = bytes.size()};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))]{};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    const ssize_t size = recvmsg(fd_, &message, MSG_DONTWAIT);
    REQUIRE(size >= 0);
    bytes.resize(static_cast<std::size_t>(size));
    if (const cmsghdr* header = CMSG_FIRSTHDR(&message)) bytes = read_passed(header);
    return parse(bytes);
  }

  bool last_was_file() const { return last_was_file_; }

 private:
  std::string read_passed(const cmsghdr* header) {
    int file = -1;
    std::memcpy(&file, CMSG_DATA(header), sizeof file);
    struct stat status {};
    REQUIRE(fstat(file, &status) == 0);
    constexpr int all_seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL;
    CHECK(fcntl(file, F_GET_SEALS) == all_seals);
    std::string bytes(static_cast<std::size_t>(status.st_size), '\0');
    REQUIRE(pread(file, bytes.data(), bytes.size(), 0) == status.st_size);
    close(file);
    last_was_file_ = true;
    return bytes;
  }

  static std::map<std::string, std::string> parse(const std::string& bytes) {
    std::map<std::string, std::string> fields;
    for (std::size_t at = 0; at < bytes.size();) {
      const std::size_t end = bytes.find_first_of("=\n", at);
      REQUIRE(end != std::string::npos);
      const std::string name = bytes.substr(at, end - at);
      if (bytes[end] == '=') {
        const std::size_t stop = bytes.find('\n', end);
        REQUIRE(stop != std::string::npos);
        fields[name] = bytes.substr(end + 1, stop - end - 1);
        at = stop + 1;
        continue;
      }
      std::uint64_t size = 0;
      for (unsigned index = 0; index < 8; ++index)
        size |= static_cast<std::uint64_t>(static_cast<unsigned char>(bytes.at(end + 1 + index)))
                << (8 * index);
      fields[name] = bytes.substr(end + 9, size);
      at = end + 9 + size;
      REQUIRE(bytes.at(at) == '\n');
      ++at;
    }
    return fields;
  }

  test::TempDir dir_;
  int fd_;
  bool last_was_file_ = false;
};

const char* no_environment(const char*) {
  return nullptr;
}

DaemonSettings settings_with(LogLevel level, LogFormat format) {
  DaemonSettings settings;
  settings.log_level = level;
  settings.log_format = format;
  return settings;
}

}  // namespace

TEST_CASE("a text line has time, level, job and text") {
  const Output output;
  const test::VirtualClock clock(WallTime(1'767'323'045'678ms));
  Log log({.format = LogFormat::text, .fd = output.fd(), .clock = &clock});
  log.info("hello");
  log.warn("late", {{"job", "orders"}, {"run_id", "r1"}});
  CHECK(output.lines() == std::vector<std::string>{"2026-01-02T03:04:05.678Z info  hello",
                                                   "2026-01-02T03:04:05.678Z warn  orders: late"});
}

TEST_CASE("no text can forge a second line or drive a terminal") {
  const Output output;
  Log log({.format = LogFormat::text, .fd = output.fd()});
  log.info("one\n2026-01-01T00:00:00.000Z error forged\x1b[2J\x7f");
  REQUIRE(output.lines().size() == 1);
  CHECK(output.lines().front().find("one\\n2026") != std::string::npos);
  CHECK(output.lines().front().find('\x1b') == std::string::npos);
  CHECK(output.lines().front().find("\\x1b[2J\\x7f") != std::string::npos);
}

TEST_CASE("a JSON line holds every field with its type") {
  const Output output;
  const test::VirtualClock clock(WallTime(1'767'323'045'678ms));
  Log log({.format = LogFormat::json, .fd = output.fd(), .clock = &clock});
  log.write(LogLevel::error, "a \"quoted\"\nfailure",
            {{"job", "orders"}, {"rows", std::int64_t{12}}, {"took_seconds", 0.5}},
            LogEvent::run_failed);
  log.info("bad \xff utf-8");
  REQUIRE(output.lines().size() == 2);
  const auto line = nlohmann::json::parse(output.lines()[0]);
  CHECK(line == nlohmann::json{{"time", "2026-01-02T03:04:05.678Z"},
                               {"level", "error"},
                               {"message", "a \"quoted\"\nfailure"},
                               {"event", "run_failed"},
                               {"job", "orders"},
                               {"rows", 12},
                               {"took_seconds", 0.5}});
  CHECK_NOTHROW(nlohmann::json::parse(output.lines()[1]));
}

TEST_CASE("secrets are taken out of text and fields in every format") {
  for (const LogFormat format : {LogFormat::text, LogFormat::json}) {
    const Output output;
    Log log({.format = format, .fd = output.fd()});
    log.redactor().add(Secret("hunter2000"));
    log.error("login with hunter2000 failed", {{"detail", "password=other hunter2000"}});
    REQUIRE(output.lines().size() == 1);
    CHECK(output.lines().front().find("hunter2000") == std::string::npos);
    CHECK(output.lines().front().find("other") == std::string::npos);
    CHECK(output.lines().front().find("***") != std::string::npos);
  }
}

TEST_CASE("level and format follow the settings at a reload") {
  const Output output;
  Log log({.format = LogFormat::text, .fd = output.fd()});
  log.debug("not yet");
  CHECK_FALSE(log.enabled(LogLevel::debug));
  log.configure(settings_with(LogLevel::debug, LogFormat::json));
  CHECK(log.enabled(LogLevel::debug));
  log.debug("now");
  log.configure(settings_with(LogLevel::error, LogFormat::json));
  log.warn("not any more");
  REQUIRE(output.lines().size() == 1);
  const auto line = nlohmann::json::parse(output.lines()[0]);
  CHECK(line["message"] == "now");
  CHECK(line["file"] == "tests/unit/observe/log_test.cpp");
}

TEST_CASE("each line written is counted by level") {
  const Output output;
  std::map<LogLevel, int> counted;
  Log log({.format = LogFormat::text, .fd = output.fd()});
  log.on_message([&](LogLevel level) { ++counted[level]; });
  log.info("a");
  log.info("b");
  log.error("c");
  log.debug("not written");
  CHECK(counted == std::map<LogLevel, int>{{LogLevel::info, 2}, {LogLevel::error, 1}});
}

TEST_CASE("identical lines are limited, and a line says how many were dropped") {
  const Output output;
  test::VirtualClock clock;
  test::VirtualTimers timers(clock);
  Log log(
      {.format = LogFormat::text, .fd = output.fd(), .clock = &clock, .burst = 2, .window = 60s});
  for (int number = 0; number < 10; ++number)
    log.warn("the disk is full", {{"job", "a"}, {"run_id", std::to_string(number)}});
  log.warn("the disk is full", {{"job", "b"}});
  log.warn("something else", {{"job", "a"}});
  CHECK(output.lines().size() == 4);

  timers.advance(61s);
  log.info("next");
  REQUIRE(output.lines().size() == 6);
  CHECK(output.lines()[4].find("a: the disk is full (8 more of these were not written)") !=
        std::string::npos);
  CHECK(output.lines()[5].find("next") != std::string::npos);

  for (int number = 0; number < 5; ++number)
    log.warn("the disk is full", {{"job", "a"}});
  log.flush();
  REQUIRE(output.lines().size() == 9);
  CHECK(output.lines()[8].find("(3 more of these") != std::string::npos);
}

TEST_CASE("lines that differ in a number are not identical") {
  const Output output;
  Log log({.format = LogFormat::text, .fd = output.fd(), .burst = 1});
  for (std::int64_t number = 0; number < 5; ++number)
    log.info("retry", {{"attempt", number}});
  CHECK(output.lines().size() == 5);
}

TEST_CASE("the journal gets its own fields, and values with line breaks in binary form") {
  Journal journal;
  Log log({.format = LogFormat::journal, .journal_socket = journal.path()});
  log.write(LogLevel::error, "first\nsecond",
            {{"job", "orders"},
             {"run_id", "r1"},
             {"class", "config"},
             {"kind", "auth"},
             {"rows_read", std::int64_t{7}}},
            LogEvent::run_failed);
  const auto entry = journal.receive();
  CHECK(entry.at("MESSAGE") == "orders: first\nsecond");
  CHECK(entry.at("PRIORITY") == "3");
  CHECK(entry.at("SYSLOG_IDENTIFIER") == "tidemark");
  CHECK(entry.at("MESSAGE_ID") == "60c17ab54ae8446d9be5f735981b5b58");
  CHECK(entry.at("JOB") == "orders");
  CHECK(entry.at("RUN_ID") == "r1");
  CHECK(entry.at("ERROR_CLASS") == "config");
  CHECK(entry.at("ERROR_KIND") == "auth");
  CHECK(entry.at("ROWS_READ") == "7");
  CHECK(entry.at("CODE_FILE") == "tests/unit/observe/log_test.cpp");
  CHECK(std::stoi(entry.at("CODE_LINE")) > 0);
  CHECK_FALSE(entry.at("CODE_FUNC").empty());
  CHECK_FALSE(journal.last_was_file());
}

TEST_CASE("a line too large for a datagram reaches the journal as a sealed file") {
  Journal journal;
  Log log({.format = LogFormat::journal, .journal_socket = journal.path()});
  // The kernel doubles what a socket asks for and bounds it by wmem_max.
  std::size_t most = 0;
  REQUIRE(std::ifstream("/proc/sys/net/core/wmem_max") >> most);
  const std::string large(2 * std::min<std::size_t>(most, 8 << 20) + 1, 'x');
  log.info(large, {{"job", "orders"}});
  const auto entry = journal.receive();
  CHECK(journal.last_was_file());
  CHECK(entry.at("MESSAGE").size() == large.size() + std::strlen("orders: "));
}

TEST_CASE("a journal without room costs lines, not time, and the loss is told") {
  Journal journal;
  Log log({.format = LogFormat::journal, .journal_socket = journal.path(), .burst = 0});
  std::uint64_t written = 0;
  log.on_message([&](LogLevel) { ++written; });
  std::uint64_t tried = 0;
  while (written == tried) {
    ++tried;
    log.info("line");
  }
  while (journal.pending())
    journal.receive();
  log.info("room again");
  CHECK(journal.receive().at("MESSAGE") == "room again");
  CHECK(journal.receive().at("MESSAGE").starts_with("1 line(s) of log were lost"));
}

TEST_CASE("without a journal socket the lines go to stderr with their priority") {
  const Output output;
  Log log({.format = LogFormat::journal, .fd = output.fd(), .journal_socket = "/nonexistent"});
  log.warn("late", {{"job", "orders"}});
  CHECK(output.lines() == std::vector<std::string>{"<4>orders: late"});
}

TEST_CASE("the automatic format goes by where stderr leads") {
  const Output output;
  struct stat status {};
  REQUIRE(fstat(output.fd(), &status) == 0);
  const std::string ours = std::to_string(status.st_dev) + ":" + std::to_string(status.st_ino);
  std::map<std::string, std::string> variables;
  const auto environment = [&](const char* name) -> const char* {
    const auto found = variables.find(name);
    return found == variables.end() ? nullptr : found->second.c_str();
  };
  CHECK(choose_style(LogFormat::automatic, output.fd(), environment) == LogStyle::text);
  variables["INVOCATION_ID"] = "0123";
  variables["JOURNAL_STREAM"] = "1:2";
  CHECK(choose_style(LogFormat::automatic, output.fd(), environment) == LogStyle::prefixed);
  variables["JOURNAL_STREAM"] = ours;
  CHECK(choose_style(LogFormat::automatic, output.fd(), environment) == LogStyle::journal);
  CHECK(choose_style(LogFormat::json, output.fd(), environment) == LogStyle::json);
  CHECK(choose_style(LogFormat::text, output.fd(), environment) == LogStyle::text);
}

TEST_CASE("colours appear on a terminal only, and not where they are unwanted") {
  const int terminal = posix_openpt(O_RDWR | O_NOCTTY);
  REQUIRE(terminal >= 0);
  const auto colourless = [](const char* name) -> const char* {
    return std::strcmp(name, "NO_COLOR") == 0 ? "1" : nullptr;
  };
  const auto dumb = [](const char* name) -> const char* {
    return std::strcmp(name, "TERM") == 0 ? "dumb" : nullptr;
  };
  CHECK(choose_style(LogFormat::automatic, terminal, no_environment) == LogStyle::coloured);
  CHECK(choose_style(LogFormat::text, terminal, no_environment) == LogStyle::coloured);
  CHECK(choose_style(LogFormat::automatic, terminal, colourless) == LogStyle::text);
  CHECK(choose_style(LogFormat::automatic, terminal, dumb) == LogStyle::text);
  close(terminal);
  LogRecord record;
  record.text = "hello";
  CHECK(text_line(record, true).find("\x1b[32m") != std::string::npos);
  CHECK(text_line(record, false).find('\x1b') == std::string::npos);
}

TEST_CASE("every event has a name and an id of its own") {
  std::set<std::string_view> names;
  std::set<std::string_view> ids;
  for (int value = 1; value <= static_cast<int>(LogEvent::audit); ++value) {
    const auto event = static_cast<LogEvent>(value);
    CHECK(names.insert(to_string(event)).second);
    CHECK(ids.insert(message_id(event)).second);
    CHECK(message_id(event).size() == 32);
  }
}

TEST_CASE("lines of many threads do not mix") {
  const Output output;
  Log log({.format = LogFormat::text, .fd = output.fd(), .burst = 0});
  std::vector<std::thread> threads;
  for (int number = 0; number < 4; ++number)
    threads.emplace_back([&log, number] {
      for (int line = 0; line < 100; ++line)
        log.info(std::string(200, static_cast<char>('a' + number)));
    });
  for (std::thread& thread : threads)
    thread.join();
  const auto lines = output.lines();
  REQUIRE(lines.size() == 400);
  for (const std::string& line : lines) {
    const std::string text = line.substr(line.size() - 200);
    CHECK(text == std::string(200, text.front()));
  }
}
