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

/// The columns of a batch, and the text of a scrape of thousands of jobs, go back to the system
/// when they are freed. By default the first such blocks teach the allocator to keep the next ones,
/// in the heap of each thread that ever had one: rows of 1 KiB took 137 MiB with a budget of 64,
/// and 5,000 jobs 251 MiB instead of 129. The price is page faults: a microsecond for a row of 1
/// KiB.
void return_large_blocks() {
  mallopt(M_MMAP_THRESHOLD, 1024 * 1024);
  mallopt(M_TRIM_THRESHOLD, 8 * 1024 * 1024);
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
