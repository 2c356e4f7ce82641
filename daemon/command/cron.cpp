#include <fmt/format.h>

#include "daemon/command/command.h"
#include "daemon/command/options.h"
#include "daemon/text.h"
#include "runtime/system.h"
#include "schedule/cron.h"

namespace tidemark {
namespace {

class CronCommand final : public Command {
 public:
  void declare(CLI::App& app) override {
    app.add_option("EXPRESSION", expression_, "Five fields, in quotes")->required();
    app.add_option("--timezone", zone_, "IANA name of the zone")->capture_default_str();
    app.add_option("--count", count_, "How many times to print")
        ->capture_default_str()
        ->check(CLI::Range(1, 1000));
    json_.declare(app);
  }

  ExitStatus run(Console& console) override {
    if (const auto wrong = schedule::validate(expression_, zone_)) {
      console.fail(*wrong);
      return ExitStatus::usage;
    }
    const WallTime now = runtime::SystemClock().now();
    const auto times = schedule::cron_preview(expression_, zone_, now, count_);
    if (json_.on) {
      nlohmann::ordered_json list = nlohmann::ordered_json::array();
      for (const schedule::CronTime& time : times)
        list.push_back({{"at", time_text(time.at)}, {"local", time.local}});
      const nlohmann::ordered_json body{
          {"api", 1}, {"expression", expression_}, {"timezone", zone_}, {"times", list}};
      console.print(body.dump(2));
      return ExitStatus::done;
    }
    Table table({{"LOCAL"}, {"UTC"}, {"IN", true}});
    for (const schedule::CronTime& time : times)
      table.add({time.local, time_text(time.at), span_text(time.at - now)});
    console.print(table.text());
    if (times.empty()) console.warn("this calendar never comes");
    return ExitStatus::done;
  }

 private:
  std::string expression_;
  std::string zone_ = "UTC";
  std::size_t count_ = 5;
  JsonOption json_;
};

}  // namespace

CommandInfo cron_command() {
  return {.name = "cron",
          .summary = "Say when a cron expression is due next",
          .details = "Example: tidemark cron '30 2 * * mon-fri' --timezone Europe/Berlin",
          .make = [] { return std::unique_ptr<Command>(std::make_unique<CronCommand>()); }};
}

}  // namespace tidemark
