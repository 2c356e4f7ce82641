#include <fmt/format.h>

#include <csignal>
#include <ctime>
#include <fstream>
#include <functional>
#include <iterator>

#include "core/error.h"
#include "daemon/command/command.h"
#include "daemon/command/options.h"
#include "daemon/demo/comparison.h"
#include "daemon/demo/stage.h"
#include "daemon/text.h"

namespace tidemark {
namespace {

using Json = nlohmann::ordered_json;
using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

constexpr auto redraw = milliseconds(500);
constexpr auto line_period = seconds(2);
constexpr auto patience = seconds(45);

struct Side {
  const char* table;
  std::vector<std::string> columns;  ///< the key first
};

/// What is compared: every column; times by their value, as their text may drop trailing zeros.
const std::vector<Side>& sides() {
  static const std::string time = "strftime('%Y-%m-%d %H:%M:%f', updated_at)";
  static const std::vector<Side> all{
      {"customers", {"id", "name", "city", "credit_cents", time}},
      {"orders", {"id", "customer_id", "status", "total_cents", "note", time}},
      {"events", {"id", "order_id", "kind", "amount_cents"}}};
  return all;
}

/// INT and TERM are taken from the queue between two pictures instead of ending the process, so
/// that everything is cleaned up. Blocked in all threads: made before the first.
class Interrupts {
 public:
  Interrupts() {
    sigemptyset(&set_);
    sigaddset(&set_, SIGINT);
    sigaddset(&set_, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &set_, nullptr);
  }
  /// True: a person wants the end. False: the time has passed.
  bool wait(milliseconds time) const {
    const timespec limit{.tv_sec = time.count() / 1000, .tv_nsec = time.count() % 1000 * 1'000'000};
    return sigtimedwait(&set_, nullptr, &limit) > 0;
  }

 private:
  sigset_t set_{};
};

class Demo {
 public:
  Demo(Console& console, std::uint64_t writing_seconds)
      : console_(console), writing_(seconds(writing_seconds)) {}

  ExitStatus run(bool keep) {
    console_.print(
        "A shop in SQLite: 200,000 rows in three tables, and a writer that does not rest.");
    shop_ = std::make_unique<demo::Shop>(stage_.source());
    source_ = std::make_unique<demo::Database>(stage_.source());
    target_ = std::make_unique<demo::Database>(stage_.target());
    target_->execute("PRAGMA journal_mode = WAL;");
    stage_.start_daemon();
    console_.print(fmt::format("The daemon runs: http://{}/ is its page, /metrics its metrics.\n",
                               stage_.http_address()));
    shop_->start_writing();
    if (watch_until(steady_clock::now() + writing_, [] { return false; })) return interrupted();
    shop_->stop_writing();
    const WallTime stopped = now();
    console_.print("\nThe writer rests. What is still on its way arrives:");
    bool caught_up = false;
    if (watch_until(steady_clock::now() + patience,
                    [&] { return caught_up = fresh_since(stopped); }))
      return interrupted();
    if (!caught_up) console_.fail("the jobs did not catch up; the daemon's log follows\n" + log());
    const ExitStatus status = prove(caught_up);
    return keep && status == ExitStatus::done ? stay() : status;
  }

 private:
  static WallTime now() {
    return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
  }

  ExitStatus interrupted() {
    console_.say("interrupted: everything is cleaned up");
    return ExitStatus::failed;
  }

  std::string log() const {
    std::ifstream file(stage_.log());
    return {std::istreambuf_iterator<char>(file), {}};
  }

  Json jobs() const {
    return Json(ControlClient(stage_.socket()).get("/api/v1/status").body)["jobs"];
  }

  /// Every job has read all that was there when the writer stopped, and it has settled.
  bool fresh_since(WallTime moment) const {
    const WallTime asked = now();
    for (const Json& job : jobs()) {
      const Json& lag = job["progress"]["lag_seconds"];
      if (!lag.is_number()) return false;
      if (asked - Duration(static_cast<std::int64_t>(lag.get<double>() * 1e6)) < moment)
        return false;
    }
    return true;
  }

  /// Shows the state twice a second until `done`, the end or an interrupt, which it returns.
  bool watch_until(steady_clock::time_point end, const std::function<bool()>& done) {
    while (steady_clock::now() < end) {
      if (interrupts_.wait(redraw)) return true;
      show();
      if (done()) break;
    }
    show_line(true);
    return false;
  }

  void show() {
    picture_.clear();
    for (const Json& job : jobs()) {
      const std::string table = job["name"].get<std::string>();
      const Json& lag = job["progress"]["lag_seconds"];
      picture_ += fmt::format(
          "{}{} {} of {}, lag {}", picture_.empty() ? "" : " | ", table,
          count_text(target_->number("SELECT count(*) FROM " + table)),
          count_text(source_->number("SELECT count(*) FROM " + table)),
          lag.is_number() ? fmt::format("{:.1f}s", lag.get<double>()) : std::string("-"));
    }
    show_line(false);
  }

  void show_line(bool last) {
    if (picture_.empty()) return;
    if (console_.progress_redraws() && !last) {
      progress_.show(picture_);
      return;
    }
    if (!last && steady_clock::now() < next_line_) return;
    next_line_ = steady_clock::now() + line_period;
    console_.print(picture_);
  }

  ExitStatus prove(bool caught_up) {
    console_.print("\nBoth sides, row by row and cell by cell, with plain SQLite:");
    bool equal = caught_up;
    std::uint64_t rows = 0;
    for (const Side& side : sides()) {
      const demo::Comparison result = demo::compare(*source_, *target_, side.table, side.columns);
      equal = equal && result.equal();
      rows += result.rows;
      console_.print(fmt::format("  {:<10} {} equal, {} different, {} missing, {} extra  {}",
                                 side.table, count_text(result.rows), result.different,
                                 result.missing, result.extra,
                                 result.equal() ? console_.paint(Tone::good, "ok")
                                                : console_.paint(Tone::bad, "NOT EQUAL")));
    }
    const demo::WriterCounts counts = shop_->counts();
    if (!equal) {
      console_.fail("the two sides differ");
      return ExitStatus::failed;
    }
    console_.print(fmt::format(
        "\nProved: {} rows are the same on both sides, though meanwhile {} transactions changed {} "
        "rows;\n{} of them were rolled back, {} stayed open for over a second, and whole "
        "transactions shared one\ntimestamp. No event came twice, and none is missing.",
        count_text(rows), count_text(counts.transactions), count_text(counts.rows),
        count_text(counts.rolled_back), counts.held_open));
    return ExitStatus::done;
  }

  ExitStatus stay() {
    shop_->start_writing();
    console_.print(
        fmt::format("\nThe daemon goes on, and so does the writer. Look at it:\n"
                    "  http://{0}/   http://{0}/metrics   tidemark status -c {1}\n"
                    "Ctrl-C ends it and cleans up.",
                    stage_.http_address(), stage_.config()));
    while (!interrupts_.wait(redraw))
      if (console_.progress_redraws()) show();
    console_.say("cleaning up");
    return ExitStatus::done;
  }

  Console& console_;
  steady_clock::duration writing_;
  Interrupts interrupts_;
  demo::Stage stage_;
  std::unique_ptr<demo::Shop> shop_;
  std::unique_ptr<demo::Database> source_;
  std::unique_ptr<demo::Database> target_;
  ProgressLine progress_{console_};
  std::string picture_;
  steady_clock::time_point next_line_{};
};

class DemoCommand final : public Command {
 public:
  void declare(CLI::App& app) override {
    app.add_flag("--keep", keep_, "Leave the daemon running until Ctrl-C");
    app.add_option("--seconds", seconds_, "How long the writer writes")
        ->capture_default_str()
        ->check(CLI::Range(1, 600));
  }

  ExitStatus run(Console& console) override { return Demo(console, seconds_).run(keep_); }

 private:
  bool keep_ = false;
  std::uint64_t seconds_ = 15;
};

}  // namespace

CommandInfo demo_command() {
  return {.name = "demo",
          .summary = "Show it at work: a busy SQLite shop, its copy, and the proof",
          .details =
              "Works in a temporary directory and cleans up. Exit status: 0 only if both sides\n"
              "are equal at the end.",
          .make = [] { return std::unique_ptr<Command>(std::make_unique<DemoCommand>()); }};
}

}  // namespace tidemark
