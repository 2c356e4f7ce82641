// The small texts of a configuration: durations, sizes, rates, table names, addresses, types.
#include "config/config.h"
#include "config/scalar.h"
#include "config/url.h"
#include "core/type.h"
#include "fuzz.h"

using namespace tidemark;
using fuzz::require;

namespace {

void check_units(std::string_view text) {
  if (const auto duration = config::parse_duration(text)) {
    require(duration->count() >= 0, "a duration is not negative");
    require(config::parse_duration(config::format_duration(*duration)) == duration,
            "a duration reads back");
  }
  if (const auto size = config::parse_size(text))
    require(config::parse_size(config::format_size(*size)) == size, "a size reads back");
  if (const auto whole = config::parse_integer(text))
    require(*whole == 0 || std::to_string(*whole) == text, "a number has one spelling");
  static_cast<void>(config::parse_rate(text));
  static_cast<void>(config::parse_number(text));
  static_cast<void>(config::parse_boolean(text));
}

void check_names(std::string_view text) {
  if (const auto table = config::parse_table(text))
    require(!table->name.empty(), "a table has a name");
  if (const auto endpoint = config::parse_endpoint(text))
    require(!endpoint->host.empty(), "an address has a host");
}

void check_type(std::string_view text) {
  Type type;
  try {
    type = parse_type(text);
  } catch (const Error& error) {
    require(error.kind() == FailureKind::schema, "an unknown type is a fault of the configuration");
    return;
  }
  require(parse_type(to_string(type)) == type, "a type reads back");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  check_units(text);
  check_names(text);
  check_type(text);
  return 0;
}
