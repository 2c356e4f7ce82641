#include "observe/log_record.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <nlohmann/json.hpp>

#include "core/one_line.h"
#include "observe/metrics.h"

namespace tidemark::observe {
namespace {

struct EventRow {
  LogEvent event;
  std::string_view name;
  std::string_view id;
};

// Ids are for ever: people filter by them.
constexpr std::array events{
    EventRow{LogEvent::none, "", ""},
    EventRow{LogEvent::started, "started", "33e46e7bcda04591a00d7d18c55d5b1d"},
    EventRow{LogEvent::ready, "ready", "4cd8512b35724fc5b870a37500e682d0"},
    EventRow{LogEvent::stopping, "stopping", "d91f5a4538074a728759f73a32a3f861"},
    EventRow{LogEvent::run_finished, "run_finished", "04aed94f815642cb8db185e3ea3b131d"},
    EventRow{LogEvent::run_failed, "run_failed", "60c17ab54ae8446d9be5f735981b5b58"},
    EventRow{LogEvent::retry, "retry", "1a75d8f62f1e4ea7a701d7730a72d65b"},
    EventRow{LogEvent::state_changed, "state_changed", "b7a94bccd4564012916d0de2c6bf7d32"},
    EventRow{LogEvent::halted, "halted", "6db739c7ca1747919ddbdc689cb39972"},
    EventRow{LogEvent::reload_applied, "reload_applied", "6e2d34266f764cc99211a59b898bedc7"},
    EventRow{LogEvent::reload_rejected, "reload_rejected", "609c78b1862d4149a51bac45bca96fc5"},
    EventRow{LogEvent::mark_epoch, "mark_epoch", "7a3d1fd5828f4d218582703dfd4be9bb"},
    EventRow{LogEvent::note, "note", "40e0ee791f144d78956fbe7a744c3469"},
    EventRow{LogEvent::state_store, "state_store", "39cbf12f87f8496abfc1bcf626ce0d45"},
    EventRow{LogEvent::audit, "audit", "d9517b711a754501b0488b382f948d30"},
};

constexpr bool in_enum_order() {
  for (std::size_t index = 0; index < events.size(); ++index)
    if (static_cast<std::size_t>(events[index].event) != index) return false;
  return true;
}
static_assert(in_enum_order());

std::string value_text(const LogField& field) {
  if (const auto* text = std::get_if<std::string>(&field.value)) return *text;
  if (const auto* number = std::get_if<std::int64_t>(&field.value)) return std::to_string(*number);
  return fmt::format("{}", std::get<double>(field.value));
}

/// The sentence as people read it: with the job it is about.
std::string message(const LogRecord& record) {
  const auto job = std::find_if(record.fields.begin(), record.fields.end(),
                                [](const LogField& field) { return field.key == "job"; });
  if (job == record.fields.end()) return record.text;
  return value_text(*job) + ": " + record.text;
}

int priority(LogLevel level) noexcept {
  switch (level) {
    case LogLevel::trace:
    case LogLevel::debug:
      return 7;
    case LogLevel::info:
      return 6;
    case LogLevel::warn:
      return 4;
    case LogLevel::error:
      return 3;
  }
  return 3;
}

std::string_view colour_of(LogLevel level) noexcept {
  switch (level) {
    case LogLevel::trace:
    case LogLevel::debug:
      return "\x1b[2m";
    case LogLevel::info:
      return "\x1b[32m";
    case LogLevel::warn:
      return "\x1b[33m";
    case LogLevel::error:
      return "\x1b[1;31m";
  }
  return "";
}

std::string time_text(WallTime time) {
  const auto whole = std::chrono::floor<std::chrono::seconds>(time);
  const auto millis = std::chrono::duration_cast<std::chrono::milliseconds>(time - whole).count();
  const std::time_t stamp = whole.time_since_epoch().count();
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", fmt::gmtime(stamp), millis);
}

/// The part of a path that is the same on every machine.
std::string_view file_name(const std::source_location& where) {
  const std::string_view path = where.file_name();
  std::size_t start = 0;
  for (const std::string_view folder : {"/lib/", "/daemon/", "/tests/"})
    if (const std::size_t found = path.rfind(folder); found != std::string_view::npos)
      start = std::max(start, found + 1);
  return path.substr(start);
}

/// A field's name in the journal: upper case, and not in the way of its own fields.
std::string journal_key(std::string_view key) {
  if (key == "class" || key == "kind" || key == "code") {
    std::string name = "ERROR_";
    for (const char letter : key)
      name += static_cast<char>(letter - 'a' + 'A');
    return name;
  }
  std::string name;
  for (const char raw : key) {
    if (raw >= 'a' && raw <= 'z')
      name += static_cast<char>(raw - 'a' + 'A');
    else
      name += (raw >= '0' && raw <= '9') || (raw >= 'A' && raw <= 'Z') ? raw : '_';
  }
  return name;
}

void append_field(std::string& datagram, std::string_view key, std::string_view value) {
  datagram += key;
  if (value.find('\n') == std::string_view::npos) {
    datagram += '=';
  } else {
    datagram += '\n';
    for (unsigned shift = 0; shift < 64; shift += 8)
      datagram += static_cast<char>((static_cast<std::uint64_t>(value.size()) >> shift) & 0xff);
  }
  datagram += value;
  datagram += '\n';
}

}  // namespace

std::string_view to_string(LogEvent event) noexcept {
  return events[static_cast<std::size_t>(event)].name;
}

std::string_view message_id(LogEvent event) noexcept {
  return events[static_cast<std::size_t>(event)].id;
}

std::string text_line(const LogRecord& record, bool colour) {
  const std::string_view level = to_string(record.level);
  const std::string text = one_line(message(record));
  if (!colour) return fmt::format("{} {:<5} {}\n", time_text(record.time), level, text);
  return fmt::format("\x1b[2m{}\x1b[0m {}{:<5}\x1b[0m {}\n", time_text(record.time),
                     colour_of(record.level), level, text);
}

std::string prefixed_line(const LogRecord& record) {
  return fmt::format("<{}>{}\n", priority(record.level), one_line(message(record)));
}

std::string json_line(const LogRecord& record) {
  nlohmann::ordered_json line{{"time", time_text(record.time)},
                              {"level", to_string(record.level)},
                              {"message", record.text}};
  if (record.event != LogEvent::none) line["event"] = to_string(record.event);
  for (const LogField& field : record.fields) {
    const std::string key(field.key);
    if (line.contains(key)) continue;
    std::visit([&](const auto& value) { line[key] = value; }, field.value);
  }
  if (record.level <= LogLevel::debug) {
    line["file"] = file_name(record.where);
    line["line"] = record.where.line();
  }
  return line.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

std::string journal_datagram(const LogRecord& record, const std::string& identifier) {
  std::string datagram;
  append_field(datagram, "MESSAGE", message(record));
  append_field(datagram, "PRIORITY", std::to_string(priority(record.level)));
  append_field(datagram, "SYSLOG_IDENTIFIER", identifier);
  if (record.event != LogEvent::none)
    append_field(datagram, "MESSAGE_ID", message_id(record.event));
  append_field(datagram, "CODE_FILE", file_name(record.where));
  append_field(datagram, "CODE_LINE", std::to_string(record.where.line()));
  append_field(datagram, "CODE_FUNC", record.where.function_name());
  for (const LogField& field : record.fields)
    append_field(datagram, journal_key(field.key), value_text(field));
  return datagram;
}

}  // namespace tidemark::observe
