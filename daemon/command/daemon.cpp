#include <malloc.h>
#include <sys/resource.h>

#include "core/error.h"
#include "daemon/app.h"
#include "daemon/command/command.h"
#include "daemon/command/options.h"

namespace tidemark {
namespace {

/// A core file would hold passwords and rows. systemd-coredump keeps none of this size either.
void forbid_core_files() {
  const rlimit none{.rlim_cur = 0, .rlim_max = 0};
  setrlimit(RLIMIT_CORE, &none);
}

/// What is large and short-lived, as the text of a scrape of thousands of jobs is, goes back to the
/// system when it is freed. By default the first such block teaches the allocator to keep the next
/// ones, in the heap of whichever worker served them: 5,000 jobs took 251 MiB instead of 129.
/// Batches stay below the bound and are used again.
void return_large_blocks() {
  constexpr int large = 8 * 1024 * 1024;
  mallopt(M_MMAP_THRESHOLD, large);
  mallopt(M_TRIM_THRESHOLD, large);
}

class DaemonCommand final : public Command {
 public:
  void declare(CLI::App& app) override { config_.declare(app); }

  ExitStatus run(Console& console) override {
    forbid_core_files();
    return_large_blocks();
    NotifyEnvironment supervisor = NotifyEnvironment::take();
    auto loaded = load_or_complain(console, config_.path, true);
    if (!loaded) return ExitStatus::config;
    try {
      App app({.config_path = config_.path, .supervisor = std::move(supervisor)}, *loaded);
      // With many jobs the file's items and their origins take more than all that was made of
      // them, for as long as the daemon lives.
      loaded.reset();
      malloc_trim(0);
      return app.run();
    } catch (const Error& error) {
      console.fail(error.what());
      if (error.kind() == FailureKind::permission) return ExitStatus::no_permission;
      if (error.kind() == FailureKind::schema) return ExitStatus::config;
      return ExitStatus::cannot_create;
    }
  }

 private:
  ConfigOption config_;
};

}  // namespace

CommandInfo daemon_command() {
  return {.name = "daemon",
          .summary = "Run the daemon: every job, as its schedule says",
          .details =
              "Stops at TERM or INT behind the batches under way, at a second one at once.\n"
              "HUP reloads the configuration, all or nothing; USR2 logs the state.\n"
              "Example: tidemark daemon -c /etc/tidemark/tidemark.yaml",
          .make = [] { return std::unique_ptr<Command>(std::make_unique<DaemonCommand>()); }};
}

}  // namespace tidemark
