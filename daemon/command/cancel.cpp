#include "daemon/command/command.h"
#include "daemon/command/wish.h"

namespace tidemark {
namespace {

class CancelCommand final : public Command {
 public:
  void declare(CLI::App& app) override { wish_.declare(app); }

  ExitStatus run(Console& console) override { return wish_.send(console, "cancel"); }

 private:
  Wish wish_;
};

}  // namespace

CommandInfo cancel_command() {
  return {.name = "cancel",
          .summary = "End a run under way after its batch; asked again, at once",
          .details =
              "The next tick starts as planned.\n"
              "Example: tidemark cancel orders",
          .make = [] { return std::unique_ptr<Command>(std::make_unique<CancelCommand>()); }};
}

}  // namespace tidemark
