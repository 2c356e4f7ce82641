#pragma once

#include <string>

#include "config/config.h"
#include "config/item.h"
#include "config/node.h"
#include "config/option.h"
#include "config/reference_value.h"
#include "config/report.h"

namespace tidemark::config {

/// Checks a tree of nodes against the option table: known keys, types, bounds, words; resolves
/// references and fills in defaults. What only several keys together can tell is not looked at
/// here. One thread.
class Reader {
 public:
  Reader(const LoadOptions& options, Report& report)
      : report_(report), references_(options, report) {}

  /// Reads the whole file, `defaults` merged into the jobs already.
  Item root(const Node& node);
  /// Reads one key of the top by itself.
  Item one(const OptionNode& spec, const Entry& entry);

 private:
  /// `key` is where the key stands: what is missing in a section is reported there.
  Item value(const OptionNode& spec, const Node& node, const Place& key, const std::string& path);
  Item not_given(const OptionNode& spec, const Place& key, const std::string& path);
  void read_section(Item& item, const OptionNode& spec, const Node& node, const Place& key);
  void read_named(Item& item, const OptionNode& spec, const Node& node);
  void read_scalar(Item& item, const Node& node);
  void read_list(Item& item, const Node& node);
  void read_dictionary(Item& item, const Node& node);
  Item element(const Item& parent, const Node& node, std::string name, const std::string& path);

  void take_text(Item& item, const Node& node, const Node& written);
  void refuse_unknown(const OptionNode& spec, const Entry& entry, const std::string& path);
  void refuse_groups(const Item& section);
  void refuse_kind(Item& item, const Node& node);

  Report& report_;
  References references_;
  bool required_ = true;
};

/// What is wrong with a text as the value of an option; "" message: nothing. `shown` is how the
/// message may name the text: values from outside the file are not quoted.
struct Verdict {
  std::string message = {};
  std::string hint = {};
};
Verdict judge(const Option& option, const std::string& text, bool quoted, const std::string& shown);

}  // namespace tidemark::config
