#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/names.h"
#include "core/ports.h"
#include "core/secret.h"
#include "core/type.h"

// The configuration as typed values, checked and with defaults filled in. lib/config makes them,
// the rest of the program only reads them. Plain values: any thread may hold a copy.
namespace tidemark {

using Bytes = std::uint64_t;

/// Fewer cost a round trip and a commit too many, more win nothing (docs/adr/0012).
inline constexpr std::size_t default_batch_rows = 20'000;
inline constexpr Bytes default_batch_bytes = 4 << 20;

enum class TlsMode { disable, require, verify_ca, verify_full };

struct TlsSettings {
  TlsMode mode = TlsMode::verify_full;  ///< default: verify_full off loopback, disable on it
  std::string ca = {};
  std::string cert = {};
  std::string key = {};
  friend bool operator==(const TlsSettings&, const TlsSettings&) = default;
};

enum class Access { read, write };

struct ConnectionSettings {
  ConnectionName name;
  std::string type;  ///< folder of the connector: sqlite, postgres, mysql, memory
  std::string host = {};
  std::uint16_t port = 0;  ///< 0: the connector's default
  std::string unix_socket = {};
  std::string user = {};
  Secret password = {};
  std::string database = {};
  std::string path = {};  ///< sqlite
  Access access = Access::write;
  TlsSettings tls = {};
  Duration connect_timeout = std::chrono::seconds(10);
  Duration stall_timeout = std::chrono::minutes(5);
  std::uint32_t max_connections = 8;
  std::uint64_t max_rows_per_second = 0;  ///< 0: no limit
  std::string timezone = "UTC";
  std::optional<ConnectionName> primary = {};
  std::vector<std::string> init_sql = {};
  std::string metadata_schema = {};
  friend bool operator==(const ConnectionSettings&, const ConnectionSettings&) = default;
};

enum class Mode { full, incremental };
enum class WriteMode { upsert, append, replace };
enum class CreatePolicy { automatic, never };
enum class SchemaChanges { report, fail, add, evolve };
enum class ReplaceMethod { transaction, swap };
enum class Safety { exact, lookback };
enum class CursorNulls { error, ignore, scan };
enum class Initial { load, skip };
enum class Lossy { error, allow };
enum class Trim { none, both, left, right };
enum class DefaultFor { null, empty };
enum class Unmapped { keep, null, error };
enum class Missed { run_once, skip };

std::string_view to_string(Mode mode) noexcept;
std::string_view to_string(WriteMode write) noexcept;

/// One part of the key: the output column and the expression that gives it in the source.
struct KeyPart {
  std::string column;
  std::string source;  ///< equals `column` where the configuration gave a list
  friend bool operator==(const KeyPart&, const KeyPart&) = default;
};

struct CursorSettings {
  std::string column;
  std::string source = {};  ///< expression for {{cursor}}; equals `column` by default
  Safety safety = Safety::exact;
  std::optional<Duration> lookback = {};             ///< for temporal cursors
  std::optional<std::uint64_t> lookback_count = {};  ///< for number cursors
  std::vector<std::string> assume = {};  ///< server_assigned, single_timezone, every_write_moves_it
  CursorNulls nulls = CursorNulls::error;
  std::optional<std::string> start = {};
  std::optional<Duration> audit = std::chrono::minutes(15);
  friend bool operator==(const CursorSettings&, const CursorSettings&) = default;
};

/// An override of one output column; order of work: from, trim, map, default, timezone, type.
struct ColumnRule {
  std::string column;
  std::optional<std::string> from = {};
  std::optional<Type> type = {};
  std::optional<std::string> native_type = {};
  Trim trim = Trim::none;
  std::optional<std::string> default_value = {};
  DefaultFor default_for = DefaultFor::null;
  std::map<std::string, std::string> map = {};
  Unmapped unmapped = Unmapped::keep;
  std::optional<std::string> source_timezone = {};
  Lossy lossy = Lossy::error;
  friend bool operator==(const ColumnRule&, const ColumnRule&) = default;
};

struct EverySchedule {
  Duration interval;
  friend bool operator==(const EverySchedule&, const EverySchedule&) = default;
};
struct CronSchedule {
  std::string expression;
  std::string timezone = "UTC";
  friend bool operator==(const CronSchedule&, const CronSchedule&) = default;
};
struct AfterSchedule {
  std::vector<JobName> jobs;
  friend bool operator==(const AfterSchedule&, const AfterSchedule&) = default;
};
struct ManualSchedule {
  friend bool operator==(const ManualSchedule&, const ManualSchedule&) = default;
};

struct ScheduleSettings {
  std::variant<ManualSchedule, EverySchedule, CronSchedule, AfterSchedule> when;
  Duration jitter{};
  Missed missed = Missed::run_once;
  friend bool operator==(const ScheduleSettings&, const ScheduleSettings&) = default;
};

struct RetrySettings {
  Duration initial = std::chrono::seconds(1);
  Duration max = std::chrono::minutes(5);
  double multiplier = 2;
  double jitter = 0.5;  ///< share of the delay that is random
  std::uint32_t attempts = 8;
  std::optional<Duration> probe_halted = std::chrono::minutes(10);  ///< nullopt: never
  friend bool operator==(const RetrySettings&, const RetrySettings&) = default;
};

enum class HookWhen { changed, always, initial };
enum class HookError { fail, warn };
struct HookSettings {
  std::vector<std::string> before = {};
  std::vector<std::string> after = {};
  HookWhen when = HookWhen::changed;
  Duration timeout = std::chrono::minutes(1);
  HookError on_error = HookError::fail;
  friend bool operator==(const HookSettings&, const HookSettings&) = default;
};

struct FreshnessSettings {
  std::optional<Duration> warn = {};
  Duration error{};
  friend bool operator==(const FreshnessSettings&, const FreshnessSettings&) = default;
};

struct JobSettings {
  JobName name;
  ConnectionName source_connection;
  std::optional<TableName> source_table = {};  ///< exactly one of table and query
  std::optional<std::string> source_query = {};
  std::optional<std::string> source_where = {};
  ConnectionName target_connection;
  TableName target_table;
  WriteMode write = WriteMode::upsert;
  CreatePolicy create = CreatePolicy::automatic;
  SchemaChanges schema_changes = SchemaChanges::report;
  std::map<std::string, std::string> scope = {};
  ReplaceMethod replace = ReplaceMethod::transaction;
  Mode mode = Mode::incremental;
  std::vector<KeyPart> key = {};  ///< empty: the source table's primary key
  std::optional<CursorSettings> cursor = {};
  Initial initial = Initial::load;
  std::vector<ColumnRule> columns = {};
  std::map<std::string, Type> types = {};  ///< "mysql:tinyint(1)" -> type
  std::vector<std::string> include = {};
  std::vector<std::string> exclude = {};
  ScheduleSettings schedule = {};
  std::optional<FreshnessSettings> freshness = {};
  std::size_t batch_rows = default_batch_rows;
  Bytes batch_bytes = default_batch_bytes;
  std::uint32_t parallel = 2;
  RetrySettings retry = {};
  Duration stall_timeout = std::chrono::minutes(30);
  HookSettings hooks = {};
  std::int32_t priority = 0;
  std::map<std::string, std::string> labels = {};
  bool enabled = true;
  friend bool operator==(const JobSettings&, const JobSettings&) = default;
};

enum class LogLevel { trace, debug, info, warn, error };
enum class LogFormat { automatic, text, json, journal };

struct DaemonSettings {
  std::string instance = "default";
  std::optional<std::string> listen = "127.0.0.1:9465";  ///< nullopt: none
  std::string socket = "/run/tidemark/tidemark.sock";
  Secret api_token = {};
  std::uint32_t workers = 4;
  Bytes memory = 64 << 20;
  std::string state_dir = "/var/lib/tidemark";
  Duration shutdown_timeout = std::chrono::seconds(60);
  LogLevel log_level = LogLevel::info;
  LogFormat log_format = LogFormat::automatic;
  friend bool operator==(const DaemonSettings&, const DaemonSettings&) = default;
};

struct Settings {
  DaemonSettings daemon = {};
  std::map<ConnectionName, ConnectionSettings> connections = {};
  std::map<JobName, JobSettings> jobs = {};
  friend bool operator==(const Settings&, const Settings&) = default;
};

}  // namespace tidemark
