#include "daemon/command/command.h"
#include "daemon/command/wish.h"

namespace tidemark {
namespace {

class ResumeCommand final : public Command {
 public:
  void declare(CLI::App& app) override { wish_.declare(app); }

  ExitStatus run(Console& console) override { return wish_.send(console, "resume"); }

 private:
  Wish wish_;
};

}  // namespace

CommandInfo resume_command() {
  return {.name = "resume",
          .summary = "End a pause, a halt or a back-off",
          .details =
              "A halted or backing-off job runs at once.\n"
              "Example: tidemark resume orders",
          .make = [] { return std::unique_ptr<Command>(std::make_unique<ResumeCommand>()); }};
}

}  // namespace tidemark
