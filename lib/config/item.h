#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/config.h"
#include "config/node.h"
#include "config/option.h"
#include "core/secret.h"

namespace tidemark::config {

/// One value of the configuration after it was checked against its option: what the typed settings
/// are built from. Every key of the table is there, also those that were not given. One thread.
struct Item {
  enum class State {
    absent,    ///< not given, and no default
    fallback,  ///< not given: the default
    given,
    unusable,  ///< given, but wrong or not to be had; what is wrong has been reported
  };

  const Option* option = nullptr;
  State state = State::absent;
  Place place = {};         ///< of the value; of the section, where it is not given
  std::string path = {};    ///< "jobs.supplier.mode"
  std::string name = {};    ///< the last part of the path
  std::string text = {};    ///< scalar; of a secret "<secret>"
  bool quoted = false;      ///< scalar: in quotes where it was written
  std::string source = {};  ///< " (env NAME)" for a value that stands elsewhere
  Secret secret = {};
  std::vector<Item> children = {};  ///< of a section in the table's order, else as written

  bool usable() const noexcept { return state == State::given || state == State::fallback; }
  bool given() const noexcept { return state == State::given || state == State::unusable; }
  /// Given by the job itself and not by `defaults`.
  bool own() const noexcept { return given() && !place.inherited; }

  /// A child by its name; for sections the table guarantees it.
  const Item& operator[](std::string_view key) const;
  Item& operator[](std::string_view key);
  const Item* find(std::string_view key) const noexcept;

  /// The value, or the type's zero where it is not usable.
  std::int64_t integer() const;
  double number() const;
  bool boolean() const;
  Duration duration() const;
  Bytes size() const;
  std::uint64_t rate() const;
  /// The usable elements of a list, the usable entries of a dictionary.
  std::vector<std::string> list() const;
  std::vector<std::pair<std::string, std::string>> dictionary() const;

  /// Gives a default that depends on something: counts as `fallback`.
  void fill(std::string value);
};

/// What `explain` prints. `report` knows the names of the files.
class Report;
Effective effective_of(const Item& item, const Report& report);

}  // namespace tidemark::config
