#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/settings.h"

/// From YAML to typed settings, with every problem located; and everything else that one option
/// table can say: the reference, the sample, the JSON Schema, the effective configuration.
/// All functions: any thread. `load` reads files and the environment, the others touch nothing.
namespace tidemark::config {

/// One thing wrong with a configuration. Never holds the text of a secret.
struct Problem {
  std::string file;        ///< as given, or as found by `include`
  std::size_t line = 0;    ///< from 1; 0: the file as a whole
  std::size_t column = 0;  ///< from 1, in characters
  std::string path;        ///< "jobs.supplier.cursor.lookback"; "" for the whole file
  std::string message;     ///< lower case, no full stop
  std::string hint = {};   ///< what to do about it; "" if the message says it all
  friend bool operator==(const Problem&, const Problem&) = default;
};

/// "file:line:column: path: message (hint)", on one line.
std::string to_string(const Problem& problem);

/// One value of the effective configuration and where it came from. Secrets are masked in it.
struct Effective {
  enum class Shape { scalar, list, map };
  Shape shape = Shape::map;
  std::string value = {};   ///< scalar: as text; a secret is "<secret>"
  bool quoted = false;      ///< scalar: a text, as opposed to a number or boolean
  std::string origin = {};  ///< "tidemark.yaml:12", "tidemark.yaml:12 (env NAME)", "default"
  std::vector<std::pair<std::string, Effective>> children = {};  ///< list: the keys are ""

  /// The node at "daemon.log.level"; nullptr where there is none.
  const Effective* find(std::string_view path) const noexcept;
};

/// What somebody else finds wrong with a value, and what to do about it.
struct Complaint {
  std::string message;  ///< as in Problem
  std::string hint = {};
};

/// What loading takes from outside. The defaults are those of the daemon.
struct LoadOptions {
  /// False for `check` without `--connect`: an environment variable, file or credential that is
  /// missing here is a warning, and its value counts as not given.
  bool resolve_secrets = true;
  /// Says what is wrong with a five-field cron expression in a zone; nullopt: nothing. Unset: not
  /// checked.
  std::function<std::optional<std::string>(const std::string& expression, const std::string& zone)>
      check_cron = {};
  /// Says what is wrong with a time zone's name, and what to write. Unset: not checked.
  std::function<std::optional<std::string>(const std::string& zone)> check_zone = {};
  /// Says what is wrong with a SELECT for a connection type: what can be told without a database,
  /// such as an ORDER BY at its top level. Unset: not checked.
  std::function<std::optional<Complaint>(const std::string& type, const std::string& query)>
      check_query = {};
  /// Looks a variable up. Unset: the environment of this process.
  std::function<std::optional<std::string>(const std::string& name)> environment = {};
  unsigned cores = 0;  ///< for the default of `daemon.workers`; 0: as many as the machine has
};

/// `settings` counts only when `ok()`. Problems are sorted by file and position.
struct LoadResult {
  Settings settings;
  Effective effective;
  std::vector<Problem> errors;
  std::vector<Problem> warnings;
  std::vector<std::string> files = {};  ///< read, the main file first
  std::uint64_t fingerprint = 0;        ///< of the bytes of all files, not of what they refer to
  bool ok() const noexcept { return errors.empty(); }
};

/// Reads and checks a file and what it includes. Never throws for what a file may hold: a missing
/// file is a Problem too.
LoadResult load(const std::string& path, const LoadOptions& options = {});

/// Daemon keys ("daemon.listen") that differ and that a reload can't apply.
std::vector<std::string> restart_required(const Effective& before, const Effective& after);

struct ExplainOptions {
  bool origin = false;  ///< say of every value where it came from
  bool json = false;
  std::string under = {};  ///< only this part: "jobs.supplier"; "" is all
};
/// The effective configuration, defaults filled in and secrets masked, as YAML or JSON text. Where
/// a value came from is a comment in YAML; in JSON each value is then {"value": …, "origin": …}. ""
/// where there is nothing at `under`.
std::string explain(const Effective& effective, const ExplainOptions& options = {});

/// JSON Schema 2020-12 of the main file, for editors.
std::string schema_json();
/// docs/config.md.
std::string reference_markdown();
/// etc/tidemark.yaml: valid, commented, every key shown.
std::string sample_yaml();
/// Writes docs/config.md and etc/tidemark.yaml below `directory`; how many of them changed. Throws
/// Error{resource} where it can't write.
int write_generated(const std::string& directory);

/// "500ms 30s 5m 2h 7d", "64KiB 8MiB", "50000/s"; nullopt for anything else.
std::optional<Duration> parse_duration(std::string_view text);
std::optional<Bytes> parse_size(std::string_view text);
std::optional<std::uint64_t> parse_rate(std::string_view text);
/// The inverse, in the largest unit that is exact.
std::string format_duration(Duration duration);
std::string format_size(Bytes size);

/// Splits "schema.name" at the dot. A part that holds a dot or a double quote stands in double
/// quotes, with a quote in it doubled: public."odd.name". nullopt where that can't be read.
std::optional<TableName> parse_table(std::string_view text);

}  // namespace tidemark::config
