#include "support/process.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <grp.h>
#include <netinet/in.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <mutex>
#include <sstream>
#include <stdexcept>
#include <string_view>
#include <thread>
#include <utility>

namespace tidemark::test {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;

/// Whom to become, looked up before the fork: a child of a program with threads may take no lock.
struct Account {
  explicit Account(const std::string& name) {
    if (name.empty() || getuid() != 0) return;
    static std::mutex one_at_a_time;  // the answer is the library's
    const std::lock_guard lock(one_at_a_time);
    const passwd* user = getpwnam(name.c_str());
    if (user == nullptr) throw std::runtime_error("there is no user " + name);
    uid = user->pw_uid;
    gid = user->pw_gid;
    int count = 64;
    groups.resize(64);
    if (getgrouplist(name.c_str(), gid, groups.data(), &count) < 0)
      throw std::runtime_error("user " + name + " is in too many groups");
    groups.resize(static_cast<std::size_t>(count));
    given = true;
  }
  /// By system calls of their own: glibc's would look for other threads.
  bool take() const {
    return syscall(SYS_setgroups, groups.size(), groups.data()) == 0 &&
           syscall(SYS_setgid, gid) == 0 && syscall(SYS_setuid, uid) == 0;
  }
  bool given = false;
  uid_t uid = 0;
  gid_t gid = 0;
  std::vector<gid_t> groups = {};
};

/// What execvpe takes, made before the fork like an Account.
class Words {
 public:
  explicit Words(std::vector<std::string> words) : words_(std::move(words)) {
    for (std::string& word : words_)
      pointers_.push_back(word.data());
    pointers_.push_back(nullptr);
  }
  Words(const Words&) = delete;
  Words& operator=(const Words&) = delete;
  char* const* get() const { return pointers_.data(); }

 private:
  std::vector<std::string> words_;
  std::vector<char*> pointers_;
};

/// Our own environment, but for what `changes` ("NAME=value") say.
std::vector<std::string> environment_with(const std::vector<std::string>& changes) {
  std::vector<std::string> all = changes;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view own(*entry);
    const std::string_view name = own.substr(0, own.find('=') + 1);
    if (std::none_of(changes.begin(), changes.end(),
                     [&](const std::string& one) { return one.starts_with(name); }))
      all.emplace_back(own);
  }
  return all;
}

[[noreturn]] void become(const Words& command, const Words& environment,
                         const ChildProcess::Options& options, const Account& account,
                         pid_t parent) {
  // Die with the test program, even when it is killed.
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(127);
  if (!options.output.empty()) {
    const int file = open(options.output.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0666);
    dup2(file, 1);
    dup2(file, 2);
  }
  const int null = open("/dev/null", O_RDONLY);
  dup2(null, 0);
  if (account.given) {
    if (!account.take()) _exit(127);
    // Changing the user clears the death signal.
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(127);
  }
  if (!options.directory.empty() && chdir(options.directory.c_str()) != 0) _exit(127);
  execvpe(command.get()[0], command.get(), environment.get());
  _exit(127);
}

}  // namespace

TempDir::TempDir() {
  std::string pattern = (fs::temp_directory_path() / "tidemark-test-XXXXXX").string();
  if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no temporary directory");
  path_ = pattern;
  fs::permissions(path_, fs::perms::all);
}

TempDir::~TempDir() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

ChildProcess::ChildProcess(const std::vector<std::string>& command, const Options& options) {
  const Account account(options.user);
  const Words words(command);
  const Words environment(environment_with(options.environment));
  const pid_t parent = getpid();
  pid_ = fork();
  if (pid_ < 0) throw std::runtime_error("fork failed");
  if (pid_ == 0) become(words, environment, options, account, parent);
}

ChildProcess::~ChildProcess() {
  if (pid_ <= 0 || !running()) return;
  signal(SIGKILL);
  waitpid(pid_, &status_, 0);
}

ChildProcess::ChildProcess(ChildProcess&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)), status_(other.status_), usage_(other.usage_) {}

ChildProcess& ChildProcess::operator=(ChildProcess&& other) noexcept {
  std::swap(pid_, other.pid_);
  std::swap(status_, other.status_);
  std::swap(usage_, other.usage_);
  return *this;
}

bool ChildProcess::running() {
  if (pid_ <= 0) return false;
  if (wait4(pid_, &status_, WNOHANG, &usage_) == 0) return true;
  pid_ = -1;
  return false;
}

void ChildProcess::signal(int number) const {
  if (pid_ > 0) kill(pid_, number);
}

int ChildProcess::wait(milliseconds limit) {
  wait_until(
      "the end of a child process", [&] { return !running(); }, limit);
  return WIFEXITED(status_) ? WEXITSTATUS(status_) : 128 + WTERMSIG(status_);
}

std::string run_command(const std::vector<std::string>& command, const std::string& user,
                        const std::string& directory) {
  TempDir dir;
  const std::string output = dir / "output";
  ChildProcess process(command, {.user = user, .output = output, .directory = directory});
  const int status = process.wait(std::chrono::minutes(5));
  const std::string text = read_file(output);
  if (status != 0)
    throw std::runtime_error(command.front() + " exited " + std::to_string(status) + ": " + text);
  return text;
}

std::uint16_t free_port() {
  const int handle = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  const bool bound = bind(handle, reinterpret_cast<sockaddr*>(&address), size) == 0 &&
                     getsockname(handle, reinterpret_cast<sockaddr*>(&address), &size) == 0;
  close(handle);
  if (!bound) throw std::runtime_error("no free port on loopback");
  return ntohs(address.sin_port);
}

void wait_until(const std::string& what, const std::function<bool()>& condition,
                milliseconds limit) {
  const auto end = std::chrono::steady_clock::now() + limit;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end)
      throw std::runtime_error("waited " + std::to_string(limit.count()) + " ms for " + what);
    std::this_thread::sleep_for(milliseconds(5));
  }
}

std::string read_file(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

}  // namespace tidemark::test
