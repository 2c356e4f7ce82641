// The parts of a job that stand by themselves: cursor, a column, the schedule.
#include <algorithm>
#include <utility>

#include "config/build.h"
#include "config/scalar.h"

namespace tidemark::config {
namespace {

constexpr std::string_view usual_lookback = "15m";

CursorNulls cursor_nulls(std::string_view text) {
  if (text == "ignore") return CursorNulls::ignore;
  if (text == "scan") return CursorNulls::scan;
  return CursorNulls::error;
}

Trim trim(std::string_view text) {
  if (text == "both") return Trim::both;
  if (text == "left") return Trim::left;
  if (text == "right") return Trim::right;
  return Trim::none;
}

Unmapped unmapped(std::string_view text) {
  if (text == "null") return Unmapped::null;
  if (text == "error") return Unmapped::error;
  return Unmapped::keep;
}

void build_lookback(Item& item, CursorSettings& cursor, const Building& building) {
  if (item.state == Item::State::absent && cursor.safety == Safety::lookback)
    item.fill(std::string(usual_lookback));
  if (!item.usable()) return;
  if (const auto count = parse_integer(item.text))
    cursor.lookback_count = static_cast<std::uint64_t>(*count);
  else
    cursor.lookback = item.duration();
  const bool nothing = cursor.lookback == Duration::zero() || cursor.lookback_count == 0U;
  if (nothing && cursor.safety == Safety::lookback)
    building.error(item, "safety lookback with a lookback of 0 would miss rows",
                   "make it longer than the longest transaction of the source");
}

std::variant<ManualSchedule, EverySchedule, CronSchedule, AfterSchedule> build_when(
    const Item& item, bool known_zone, const Building& building) {
  if (item["every"].usable()) return EverySchedule{.interval = item["every"].duration()};
  if (item["cron"].usable()) {
    CronSchedule cron{.expression = item["cron"].text, .timezone = item["timezone"].text};
    if (building.options.check_cron && known_zone)
      if (const auto wrong = building.options.check_cron(cron.expression, cron.timezone))
        building.error(item["cron"], *wrong, "minute, hour, day of month, month, day of week");
    return cron;
  }
  if (item["after"].usable()) {
    AfterSchedule after;
    for (std::string& name : item["after"].list())
      after.jobs.emplace_back(std::move(name));
    if (item["after"].children.empty()) building.error(item["after"], "names no job");
    return after;
  }
  const Item& manual = item["manual"];
  if (manual.usable() && !manual.boolean())
    building.error(manual, "must be true, or be left out", "give every, cron or after instead");
  return ManualSchedule{};
}

}  // namespace

CursorSettings build_cursor(Item& item, const Building& building) {
  CursorSettings cursor;
  cursor.column = item["column"].text;
  cursor.source = item["source"].usable() ? item["source"].text : cursor.column;
  cursor.safety = item["safety"].text == "lookback" ? Safety::lookback : Safety::exact;
  build_lookback(item["lookback"], cursor, building);
  cursor.assume = item["assume"].list();
  cursor.nulls = cursor_nulls(item["nulls"].text);
  if (item["start"].usable()) cursor.start = item["start"].text;
  const Item& audit = item["audit"];
  cursor.audit = audit.text == "none" ? std::nullopt : std::optional<Duration>(audit.duration());
  return cursor;
}

bool names_database_type(std::string_view text) noexcept {
  const std::size_t colon = text.find(':');
  const std::string_view type = text.substr(0, colon);
  return (type == "sqlite" || type == "postgres" || type == "mysql") &&
         colon != std::string_view::npos && colon + 1 < text.size();
}

ColumnRule build_column(const Item& item, const Building& building) {
  ColumnRule rule;
  rule.column = item.name;
  if (item["from"].usable()) rule.from = item["from"].text;
  if (item["type"].usable()) rule.type = parse_type(item["type"].text);
  if (rule.type && rule.type->kind == TypeKind::native && !names_database_type(rule.type->origin))
    building.error(item["type"], "\"" + rule.type->origin + "\" names no type of a database",
                   "\"postgres:inet\": the connection's type, a colon, the type there");
  if (item["native_type"].usable()) rule.native_type = item["native_type"].text;
  rule.trim = trim(item["trim"].text);
  if (item["default"].usable()) rule.default_value = item["default"].text;
  rule.default_for = item["default_for"].text == "empty" ? DefaultFor::empty : DefaultFor::null;
  for (auto& [from, to] : item["map"].dictionary())
    rule.map.emplace(from, to);
  rule.unmapped = unmapped(item["unmapped"].text);
  if (item["source_timezone"].usable()) rule.source_timezone = item["source_timezone"].text;
  rule.lossy = item["lossy"].text == "allow" ? Lossy::allow : Lossy::error;
  building.check_zone(item["source_timezone"]);
  if (item["default_for"].given() && !item["default"].given())
    building.error(item["default_for"], "has no effect without default");
  if (item["unmapped"].given() && !item["map"].given())
    building.error(item["unmapped"], "has no effect without map");
  return rule;
}

ScheduleSettings build_schedule(const Item& item, const Building& building) {
  ScheduleSettings schedule;
  const bool any = std::any_of(item.children.begin(), item.children.end(), [](const Item& child) {
    return !child.option->group.empty() && child.given();
  });
  if (item.state == Item::State::given && !any)
    building.error(item, "says not when", "give one of every, cron, after or manual: true");
  const Item& zone = item["timezone"];
  const bool known_zone = building.check_zone(zone);
  schedule.when = build_when(item, known_zone, building);
  schedule.jitter = item["jitter"].duration();
  schedule.missed = item["missed"].text == "skip" ? Missed::skip : Missed::run_once;
  if (any && zone.own() && !item["cron"].given()) building.error(zone, "goes with cron only");
  const Item& every = item["every"];
  if (every.usable() && schedule.jitter > every.duration())
    building.error(item["jitter"], "is longer than every, which is " + every.text);
  return schedule;
}

}  // namespace tidemark::config
