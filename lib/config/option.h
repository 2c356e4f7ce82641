#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tidemark::config {

/// What may stand at a key.
enum class Kind {
  section,  ///< a map with the keys of the table
  named,    ///< a map from names to sections
  text,
  boolean,
  integer,
  number,
  duration,
  duration_or_count,
  size,
  rate,
  choice,
  type,  ///< a logical type
  secret,
  list,             ///< of texts; a single one may stand without brackets
  dictionary,       ///< name: text
  type_dictionary,  ///< native type: logical type
  list_or_dictionary,
};

/// What a reload does with a changed value.
enum class Reload { applied, restart };

/// One key of the configuration: everything that the reader, the reference, the sample and the
/// schema know of it. Texts are YAML as a person would write it.
struct Option {
  std::string_view path = {};  ///< "jobs.*.cursor.column"; "*" stands for a name
  Kind kind = Kind::section;
  std::string_view fallback = {};       ///< default; "" for none
  std::string_view fallback_note = {};  ///< a default that depends on something, in words
  std::string_view lowest = {};
  std::string_view highest = {};
  std::vector<std::string_view> choices = {};  ///< of a choice; else words accepted beside values
  std::vector<std::string_view> later_choices = {};  ///< refused until their feature exists
  std::string_view doc = {};      ///< what it does and when to change it; whole sentences
  std::string_view example = {};  ///< valid by itself; shown where there is no default
  Reload reload = Reload::applied;
  bool required = false;
  bool optional = false;      ///< section: without it, its keys have no defaults either
  bool may_be_empty = false;  ///< text: "" is a value
  bool later = false;         ///< refused until its feature exists
  bool active = false;        ///< not commented out in the sample
  /// Keys of one group exclude each other; one that a job gives displaces those of `defaults`.
  std::string_view group = {};
  /// Section: a single value that stands in its place is the value of this key.
  std::string_view shorthand = {};
};

/// The options as the tree they are: `named` has one child, "*".
struct OptionNode {
  const Option* option = nullptr;
  std::string name;
  std::vector<OptionNode> children = {};

  const OptionNode* child(std::string_view key) const noexcept;
};

/// The whole table, in the order of the reference. Any thread; made once.
const std::vector<Option>& option_table();
/// The root is a section without an option. `defaults` has the children of `jobs.*`.
const OptionNode& option_tree();

/// The parts of the table.
std::vector<Option> daemon_options();
std::vector<Option> connection_options();
std::vector<Option> job_options();
std::vector<Option> job_column_options();
std::vector<Option> job_running_options();

bool is_scalar(Kind kind) noexcept;

}  // namespace tidemark::config
