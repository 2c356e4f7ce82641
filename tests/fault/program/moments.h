#pragma once

#include <string_view>

// `tidemark_crash` is the program as it ships, every object of it, linked with what stands in this
// folder: its connectors are wrapped, and so are the calls that send a statement. The program
// itself has no crash points, so none can be set off in it.
namespace tidemark::fault {

/// The process dies here by SIGKILL, having said so on stderr, if TIDEMARK_CRASH_AT in its
/// environment names this moment: "load.commit", or "load.commit 3" for the third time. With
/// TIDEMARK_STOP_AT it stops there by SIGSTOP, and goes on at SIGCONT. Any thread.
void moment(std::string_view name);

/// The same in two steps, for moments that have to be made: whether it is to die now, counted once.
bool due(std::string_view name);
[[noreturn]] void die(std::string_view name);

/// While one lives, its thread is within Load::commit: statements are moments by their first word
/// ("commit UPDATE"), and COMMIT has those of its own.
class Committing {
 public:
  Committing();
  ~Committing();
  Committing(const Committing&) = delete;
  Committing& operator=(const Committing&) = delete;
  static bool now() noexcept;
};

}  // namespace tidemark::fault
