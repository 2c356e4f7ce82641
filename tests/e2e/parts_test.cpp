// Parts of the program that need no process to be looked at.
#include <catch2/catch.hpp>

#include "daemon/command/run_view.h"
#include "daemon/console.h"
#include "daemon/exit_status.h"
#include "daemon/http/message.h"
#include "daemon/text.h"

using namespace tidemark;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

TEST_CASE("spans of time read as people say them", "[parts]") {
  CHECK(span_text(milliseconds(850)) == "850ms");
  CHECK(span_text(milliseconds(1500)) == "1.5s");
  CHECK(span_text(seconds(59)) == "59s");
  CHECK(span_text(seconds(200)) == "3m 20s");
  CHECK(span_text(minutes(120)) == "2h");
  CHECK(span_text(hours(97)) == "4d 1h");
  CHECK(span_text(milliseconds(-5)) == "-5ms");
}

TEST_CASE("counts, rates and sizes have separators and units", "[parts]") {
  CHECK(count_text(0) == "0");
  CHECK(count_text(999) == "999");
  CHECK(count_text(1'234'567) == "1,234,567");
  CHECK(rate_text(10, 20, Duration(0)) == "-");
  CHECK(rate_text(3000, 6 << 20, seconds(2)) == "1,500/s, 3.0 MiB/s");
  CHECK(bytes_text(1023) == "1023 B");
  CHECK(bytes_text(1536) == "1.5 KiB");
}

TEST_CASE("times are UTC text and read back", "[parts]") {
  const WallTime moment{seconds(1'795'235'133)};
  CHECK(time_text(moment) == "2026-11-21T04:25:33Z");
  CHECK(parse_time_text(time_text(moment)) == moment);
  CHECK(parse_time_text("yesterday") == std::nullopt);
  CHECK(parse_time_text("") == std::nullopt);
}

TEST_CASE("a table is as wide as its cells, colour and accents not counted", "[parts]") {
  CHECK(display_width("\x1b[31mZürich\x1b[0m") == 6);
  Table table({{"A"}, {"N", true}});
  table.add({"Zürich", "1"});
  table.add({"\x1b[31mx\x1b[0m", "200"});
  CHECK(table.text() == "A         N\nZürich    1\n\x1b[31mx\x1b[0m       200\n");
}

TEST_CASE("a request's path and query are decoded once, and nonsense is refused", "[parts]") {
  http::Request request;
  REQUIRE(http::parse_target("/a%20b?x=1%262&y=a+b&z", request));
  CHECK(request.path == "/a b");
  CHECK(request.query["x"] == "1&2");
  CHECK(request.query["y"] == "a b");
  CHECK(request.query["z"].empty());
  for (const char* target : {"", "x", "/%", "/%2", "/%zz", "/%00", "/?a=%g0"}) {
    INFO(target);
    http::Request other;
    CHECK_FALSE(http::parse_target(target, other));
  }
}

TEST_CASE("a failure's kind decides the exit status", "[parts]") {
  const auto status = [](FailureKind kind) {
    Outcome outcome;
    outcome.failure = Failure{.kind = kind, .message = "m"};
    return exit_status_of(outcome);
  };
  CHECK(status(FailureKind::connect) == ExitStatus::unavailable);
  CHECK(status(FailureKind::resource) == ExitStatus::unavailable);
  CHECK(status(FailureKind::auth) == ExitStatus::no_permission);
  CHECK(status(FailureKind::permission) == ExitStatus::no_permission);
  CHECK(status(FailureKind::schema) == ExitStatus::config);
  CHECK(status(FailureKind::constraint) == ExitStatus::failed);
  CHECK(status(FailureKind::deadlock) == ExitStatus::failed);
  CHECK(exit_status_of(Outcome{.result = RunResult::held}) == ExitStatus::held);
  CHECK(exit_status_of(Outcome{.result = RunResult::success}) == ExitStatus::done);
}

TEST_CASE("of several exit statuses the one that needs a person counts", "[parts]") {
  CHECK(worse(ExitStatus::done, ExitStatus::unavailable) == ExitStatus::unavailable);
  CHECK(worse(ExitStatus::unavailable, ExitStatus::failed) == ExitStatus::failed);
  CHECK(worse(ExitStatus::config, ExitStatus::failed) == ExitStatus::config);
  CHECK(worse(ExitStatus::done, ExitStatus::done) == ExitStatus::done);
}
