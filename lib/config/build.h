#pragma once

#include <string>
#include <string_view>

#include "config/config.h"
#include "config/item.h"
#include "config/report.h"

namespace tidemark::config {

/// What making settings from items needs. Each function takes what one part of the file says,
/// checks what its keys mean together, fills in defaults that depend on other keys (also in the
/// items, for `explain`), and reports what is wrong. One thread.
struct Building {
  const LoadOptions& options;
  Report& report;

  void error(const Item& item, std::string message, std::string hint = {}) const {
    report.error(item.place, {item.path, std::move(message), std::move(hint)});
  }
  void warning(const Item& item, std::string message, std::string hint = {}) const {
    report.warning(item.place, {item.path, std::move(message), std::move(hint)});
  }
  /// Asks the options' callback about a zone that was given; false where it is none.
  bool check_zone(const Item& item) const;
};

DaemonSettings build_daemon(Item& item, const Building& building);
ConnectionSettings build_connection(Item& item, const Building& building);
JobSettings build_job(Item& item, const Building& building);
/// The parts of a job that stand by themselves.
CursorSettings build_cursor(Item& item, const Building& building);
ColumnRule build_column(const Item& item, const Building& building);
ScheduleSettings build_schedule(const Item& item, const Building& building);

/// What only several connections and jobs together can tell.
void check_together(const Settings& settings, const Item& root, const Building& building);

/// "mysql:tinyint(1)": a connection's type, a colon, a type there.
bool names_database_type(std::string_view text) noexcept;
/// [a-z0-9][a-z0-9_.-]{0,63}
bool is_name(std::string_view text) noexcept;
/// Whether a source column is kept: globs with * and ?.
bool keeps_column(const JobSettings& job, std::string_view column);
bool matches_glob(std::string_view pattern, std::string_view text) noexcept;

}  // namespace tidemark::config
