#include "moments.h"

#include <unistd.h>

#include <charconv>
#include <csignal>
#include <cstdlib>
#include <mutex>
#include <string>

namespace tidemark::fault {
namespace {

thread_local bool committing = false;

class Appointment {
 public:
  explicit Appointment(const char* variable) {
    const char* text = std::getenv(variable);
    if (text == nullptr) return;
    name_ = text;
    const std::size_t last = name_.rfind(' ');
    if (last == std::string::npos) return;
    const char* end = name_.data() + name_.size();
    if (std::from_chars(name_.data() + last + 1, end, left_).ptr != end)
      left_ = 1;
    else
      name_.resize(last);
  }
  bool reached(std::string_view name) {
    const std::lock_guard lock(mutex_);
    return !name_.empty() && name == name_ && --left_ == 0;
  }

 private:
  std::mutex mutex_;
  std::string name_;
  unsigned left_ = 1;
};

}  // namespace

bool due(std::string_view name) {
  static Appointment appointment("TIDEMARK_CRASH_AT");
  return appointment.reached(name);
}

void die(std::string_view name) {
  const std::string line = "crash point reached: " + std::string(name) + "\n";
  static_cast<void>(!::write(STDERR_FILENO, line.data(), line.size()));
  ::kill(::getpid(), SIGKILL);
  for (;;)
    ::pause();
}

void moment(std::string_view name) {
  static Appointment pause("TIDEMARK_STOP_AT");
  if (due(name)) die(name);
  // To this thread: sent to the process, it may reach another one first, and this one goes on.
  if (pause.reached(name)) ::raise(SIGSTOP);
}

Committing::Committing() {
  committing = true;
}
Committing::~Committing() {
  committing = false;
}
bool Committing::now() noexcept {
  return committing;
}

}  // namespace tidemark::fault
