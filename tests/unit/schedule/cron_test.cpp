#include "schedule/cron.h"

#include <date/tz.h>

#include <catch2/catch.hpp>
#include <set>

#include "core/error.h"

using namespace tidemark;
using schedule::Cron;
using std::chrono::minutes;
using std::chrono::seconds;

namespace {

WallTime utc(const std::string& text) {
  std::istringstream in(text);
  date::sys_seconds at;
  in >> date::parse("%F %T", at);
  REQUIRE_FALSE(in.fail());
  return WallTime{at};
}

std::string show(std::optional<WallTime> at) {
  return at ? date::format("%F %T", date::floor<seconds>(*at)) : "never";
}

std::vector<std::string> times(std::string_view expression, std::string_view zone,
                               const std::string& from, std::size_t count) {
  const Cron cron(expression, zone);
  std::vector<std::string> found;
  std::optional<WallTime> at = utc(from);
  while (found.size() < count && (at = cron.next(*at)))
    found.push_back(show(at));
  return found;
}

using Times = std::vector<std::string>;

/// An expression with the sets that it means, written by hand: the oracle has no parser.
struct Example {
  std::string text;
  std::set<int> minutes, hours, days, months, weekdays;
  bool any_day = true, any_weekday = true;
  bool real_time = false;
};

std::set<int> range(int low, int high, int step = 1) {
  std::set<int> all;
  for (int value = low; value <= high; value += step)
    all.insert(value);
  return all;
}

const std::set<int> all_days = range(1, 31), all_months = range(1, 12), all_weekdays = range(0, 6);

const std::vector<Example>& examples() {
  static const std::vector<Example> list{
      {"30 2 * * *", {30}, {2}, all_days, all_months, all_weekdays},
      {"0 2 * * *", {0}, {2}, all_days, all_months, all_weekdays},
      {"15,45 1,2,3 * * *", {15, 45}, {1, 2, 3}, all_days, all_months, all_weekdays},
      {"0,30 0-23 * * *", {0, 30}, range(0, 23), all_days, all_months, all_weekdays},
      {"*/20 2 * * *", {0, 20, 40}, {2}, all_days, all_months, all_weekdays, true, true, true},
      {"7 * * * *", {7}, range(0, 23), all_days, all_months, all_weekdays, true, true, true},
      {"0 2 * * sun", {0}, {2}, all_days, all_months, {0}, true, false},
      {"30 1 1-7 * 1", {30}, {1}, range(1, 7), all_months, {1}, false, false},
  };
  return list;
}

bool day_matches(const Example& example, date::local_days day) {
  const date::year_month_day civil{day};
  const bool by_day = example.days.count(static_cast<int>(static_cast<unsigned>(civil.day())));
  const bool by_weekday = example.weekdays.count(static_cast<int>(date::weekday{day}.c_encoding()));
  const bool both = example.any_day || example.any_weekday;
  return example.months.count(static_cast<int>(static_cast<unsigned>(civil.month()))) &&
         (both ? by_day && by_weekday : by_day || by_weekday);
}

bool matches(const Example& example, date::local_seconds local) {
  const auto day = date::floor<date::days>(local);
  const auto of_day = date::floor<minutes>(local - day).count();
  return day_matches(example, day) && example.hours.count(static_cast<int>(of_day / 60)) &&
         example.minutes.count(static_cast<int>(of_day % 60));
}

/// What the promise says, instant by instant, by asking the zone about each minute.
std::set<WallTime> brute_force(const Example& example, const date::time_zone* zone,
                               date::sys_seconds from, date::sys_seconds to) {
  std::set<WallTime> due;
  for (date::sys_seconds at = from; at < to; at += minutes{1}) {
    const date::local_seconds local = zone->to_local(at);
    const bool again = zone->get_info(local).result == date::local_info::ambiguous &&
                       zone->to_sys(local, date::choose::earliest) != at;
    if (matches(example, local) && (example.real_time || !again)) due.insert(WallTime{at});
  }
  if (example.real_time) return due;
  // Every wall-clock minute, also those that no instant has.
  for (auto local = date::local_seconds{from.time_since_epoch()} - date::days{1};
       local < date::local_seconds{to.time_since_epoch()} + date::days{1}; local += minutes{1}) {
    const date::local_info info = zone->get_info(local);
    if (info.result == date::local_info::nonexistent && matches(example, local) &&
        info.second.begin >= from && info.second.begin < to)
      due.insert(WallTime{info.second.begin});
  }
  return due;
}

}  // namespace

TEST_CASE("a time that a clock change skips runs once, at the first valid instant", "[cron]") {
  // Berlin, 2026-03-29: 02:00 CET becomes 03:00 CEST, which is 01:00 UTC.
  CHECK(times("30 2 * * *", "Europe/Berlin", "2026-03-28 12:00:00", 2) ==
        Times{"2026-03-29 01:00:00", "2026-03-30 00:30:00"});
  CHECK(times("0,15,30 2 * * *", "Europe/Berlin", "2026-03-28 12:00:00", 2) ==
        Times{"2026-03-29 01:00:00", "2026-03-30 00:00:00"});
  CHECK(times("0 2,3 * * *", "Europe/Berlin", "2026-03-28 12:00:00", 2) ==
        Times{"2026-03-29 01:00:00", "2026-03-30 00:00:00"});
}

TEST_CASE("a time that comes twice runs the first time only", "[cron]") {
  // New York, 2026-11-01: 01:30 comes at 05:30 and at 06:30 UTC.
  CHECK(times("30 1 * * *", "America/New_York", "2026-11-01 00:00:00", 2) ==
        Times{"2026-11-01 05:30:00", "2026-11-02 06:30:00"});
  // Asked between the two, the next one is tomorrow's.
  CHECK(times("30 1 * * *", "America/New_York", "2026-11-01 06:10:00", 1) ==
        Times{"2026-11-02 06:30:00"});
}

TEST_CASE("wildcard hours and minutes follow real time across clock changes", "[cron]") {
  CHECK(times("0 * * * *", "America/New_York", "2026-11-01 04:30:00", 3) ==
        Times{"2026-11-01 05:00:00", "2026-11-01 06:00:00", "2026-11-01 07:00:00"});
  CHECK(times("*/30 * * * *", "Europe/Berlin", "2026-03-29 00:29:00", 3) ==
        Times{"2026-03-29 00:30:00", "2026-03-29 01:00:00", "2026-03-29 01:30:00"});
}

TEST_CASE("a day that a zone never had runs at the start of the next", "[cron]") {
  // Apia went from 29 to 31 December 2011: the change was at 10:00 UTC.
  CHECK(times("0 12 30 12 *", "Pacific/Apia", "2011-12-01 00:00:00", 1) ==
        Times{"2011-12-30 10:00:00"});
}

TEST_CASE("cron times equal those found by asking each minute, around every clock change",
          "[cron][property]") {
  const auto zone_name = GENERATE(as<std::string>{}, "America/New_York", "Europe/Berlin",
                                  "Australia/Lord_Howe", "Asia/Shanghai", "UTC", "America/Havana");
  const date::time_zone* zone = date::locate_zone(zone_name);
  // Shanghai had summer time in 1988 only, as far as these years go.
  const int first_year = zone_name == "Asia/Shanghai" ? 1988 : 2025;
  std::set<date::sys_seconds> centres{
      date::sys_days{date::year{first_year} / 2 / 28},  // an ordinary time as well
  };
  const date::sys_seconds end = date::sys_days{date::year{first_year + 2} / 1 / 1};
  for (date::sys_seconds at = date::sys_days{date::year{first_year} / 1 / 1}; at < end;) {
    const date::sys_info info = zone->get_info(at);
    if (info.begin > date::sys_days{date::year{first_year} / 1 / 1}) centres.insert(info.begin);
    at = info.end;
  }
  CHECK(centres.size() >= (zone_name == "UTC" ? 1u : 3u));

  for (const Example& example : examples()) {
    const Cron cron(example.text, zone_name);
    for (const date::sys_seconds centre : centres) {
      INFO(zone_name << " " << example.text << " around " << date::format("%F %T", centre));
      const date::sys_seconds from = date::floor<date::days>(centre) - date::days{2};
      const date::sys_seconds to = from + date::days{5};
      std::set<WallTime> found;
      for (auto at = cron.next(WallTime{from} - Duration{1}); at && *at < WallTime{to};
           at = cron.next(*at))
        found.insert(*at);
      const std::set<WallTime> wanted = brute_force(example, zone, from, to);
      CHECK(found == wanted);
      // The answer is the same wherever between two times one asks.
      for (int hour = 0; hour < 120; ++hour) {
        const WallTime ask = WallTime{from} + std::chrono::hours{hour} + minutes{hour % 60};
        const auto expected = wanted.upper_bound(ask);
        if (expected != wanted.end()) CHECK(show(cron.next(ask)) == show(*expected));
      }
    }
  }
}

TEST_CASE("restricted days of month and of week are alternatives, as in Vixie cron", "[cron]") {
  // 13 November 2026 is a Friday; the 20th is one too.
  CHECK(times("0 0 13 * fri", "UTC", "2026-11-10 00:00:00", 3) ==
        Times{"2026-11-13 00:00:00", "2026-11-20 00:00:00", "2026-11-27 00:00:00"});
  CHECK(times("0 0 14 * fri", "UTC", "2026-11-10 00:00:00", 2) ==
        Times{"2026-11-13 00:00:00", "2026-11-14 00:00:00"});
  // A field that begins with a star restricts nothing: both must match.
  CHECK(times("0 0 */2 * fri", "UTC", "2026-11-10 00:00:00", 2) ==
        Times{"2026-11-13 00:00:00", "2026-11-27 00:00:00"});
}

TEST_CASE("names, ranges, steps, lists and calendars mean what they say", "[cron]") {
  CHECK(times("10-40/15 8-9 * JAN,mar Mon-Fri", "UTC", "2026-01-01 23:00:00", 4) ==
        Times{"2026-01-02 08:10:00", "2026-01-02 08:25:00", "2026-01-02 08:40:00",
              "2026-01-02 09:10:00"});
  CHECK(times("0 0 * * 7", "UTC", "2026-11-20 00:00:00", 1) == Times{"2026-11-22 00:00:00"});
  CHECK(times("0 0 * * 5-7", "UTC", "2026-11-19 12:00:00", 4) ==
        Times{"2026-11-20 00:00:00", "2026-11-21 00:00:00", "2026-11-22 00:00:00",
              "2026-11-27 00:00:00"});
  CHECK(times("50/5 0 * * *", "UTC", "2026-11-20 00:00:00", 3) ==
        Times{"2026-11-20 00:50:00", "2026-11-20 00:55:00", "2026-11-21 00:50:00"});
  CHECK(times("@daily", "UTC", "2026-11-20 00:00:00", 1) == Times{"2026-11-21 00:00:00"});
  CHECK(times("@Hourly", "UTC", "2026-11-20 00:00:00", 1) == Times{"2026-11-20 01:00:00"});
  CHECK(times("@weekly", "UTC", "2026-11-20 00:00:00", 1) == Times{"2026-11-22 00:00:00"});
  CHECK(times("@monthly", "UTC", "2026-11-20 00:00:00", 1) == Times{"2026-12-01 00:00:00"});
  CHECK(times("@yearly", "UTC", "2026-11-20 00:00:00", 1) == Times{"2027-01-01 00:00:00"});
}

TEST_CASE("the leap day comes, over the year 2100 too, and 31 February never", "[cron]") {
  CHECK(times("0 0 29 2 *", "UTC", "2096-03-01 00:00:00", 1) == Times{"2104-02-29 00:00:00"});
  CHECK_FALSE(Cron("0 0 31 2 *", "UTC").next(utc("2026-01-01 00:00:00")));
  CHECK_FALSE(Cron("0 0 31 2 *", "Europe/Berlin").next(utc("2026-01-01 00:00:00")));
}

TEST_CASE("the next time is strictly later, to the microsecond", "[cron]") {
  const Cron cron("0 * * * *", "UTC");
  const WallTime hour = utc("2026-11-20 10:00:00");
  CHECK(cron.next(hour - Duration{1}) == hour);
  CHECK(cron.next(hour) == hour + std::chrono::hours{1});
  CHECK(cron.next(hour + Duration{1}) == hour + std::chrono::hours{1});
}

TEST_CASE("a wrong expression is refused with field, position and remedy", "[cron]") {
  struct Bad {
    std::string text;
    std::string message;
  };
  const std::vector<Bad> list{
      {"0 25 * * *",
       "position 3, field 2 (hour): 25 is outside 0-23. HINT: Write *, a number, a range, a list "
       "or a step over 0-23."},
      {"61 * * * *",
       "position 1, field 1 (minute): 61 is outside 0-59. HINT: Write *, a number, a range, a list "
       "or a step over 0-59."},
      {"0 0 * * fry",
       "position 9, field 5 (day of week): \"fry\" is not a name that it knows. HINT: Write *, a "
       "number, a range, a list or a step over 0-7 or sun-sat, where 0 and 7 are Sunday."},
      {"*/0 * * * *",
       "position 4, field 1 (minute): a step of 0 never moves. HINT: Write *, a number, a range, a "
       "list or a step over 0-59."},
      {"0 5-3 * * *",
       "position 6, field 2 (hour): the range 5-3 runs backwards. HINT: Write *, a number, a "
       "range, a list or a step over 0-23."},
      {"0 0 0 * *",
       "position 5, field 3 (day of month): 0 is outside 1-31. HINT: Write *, a number, a range, a "
       "list or a step over 1-31."},
      {"1, * * * *",
       "position 3, field 1 (minute): a value is missing. HINT: Write *, a number, a range, a list "
       "or a step over 0-59."},
      {"0 0 ? * *",
       "position 5, field 3 (day of month): '?' is not a number. HINT: Write *, a number, a range, "
       "a list or a step over 1-31."},
      {"**/2 * * * *",
       "position 2, field 1 (minute): '*' is not expected here. HINT: Write *, a number, a range, "
       "a list or a step over 0-59."},
      {"0 0 * *",
       "the expression has 4 fields, not 5. HINT: Write: minute hour day-of-month month "
       "day-of-week, such as \"30 2 * * *\"."},
      {"0 0 * * * *",
       "the expression has 6 fields, not 5. HINT: Write: minute hour day-of-month month "
       "day-of-week, such as \"30 2 * * *\"."},
      {"",
       "the expression has 0 fields, not 5. HINT: Write: minute hour day-of-month month "
       "day-of-week, such as \"30 2 * * *\"."},
      {"@reboot",
       "position 1: \"@reboot\" is not a calendar that it knows. HINT: Write @hourly, @daily, "
       "@weekly, @monthly, @yearly or five fields."},
      {"99999999999 * * * *",
       "position 1, field 1 (minute): the number is too large. HINT: Write *, a number, a range, a "
       "list or a step over 0-59."},
  };
  for (const Bad& bad : list) {
    INFO(bad.text);
    const auto found = schedule::validate(bad.text, "UTC");
    REQUIRE(found);
    CHECK(*found == bad.message);
    CHECK_THROWS_AS(Cron(bad.text, "UTC"), Error);
  }
  CHECK(schedule::validate("0 0 * * *", "Mars/Olympus") ==
        "no time zone is called \"Mars/Olympus\". HINT: Write an IANA name, such as Europe/Berlin, "
        "Asia/Shanghai or UTC.");
  CHECK_FALSE(schedule::validate("  0\t0  * * *  ", "Asia/Shanghai"));
}

TEST_CASE("a preview lists the next times in the zone's own clock", "[cron]") {
  const auto preview =
      schedule::cron_preview("30 2 * * *", "Europe/Berlin", utc("2026-03-27 12:00:00"), 3);
  REQUIRE(preview.size() == 3);
  CHECK(preview[0].local == "2026-03-28 02:30:00 CET");
  CHECK(preview[1].local == "2026-03-29 03:00:00 CEST");
  CHECK(preview[1].at == utc("2026-03-29 01:00:00"));
  CHECK(preview[2].local == "2026-03-30 02:30:00 CEST");
  CHECK(schedule::cron_preview("0 0 31 2 *", "UTC", utc("2026-01-01 00:00:00"), 5).empty());
}
