// Finding rows that share a key: the same answer as comparing every row with every other.
#include <set>

#include "core/value.h"
#include "fuzz.h"
#include "sync/key_filter.h"

using namespace tidemark;
using fuzz::require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input(data, size);
  const std::uint8_t form = input.byte();
  const auto schema = std::make_shared<const Schema>(Schema{
      {.name = "a", .type = make_type(TypeKind::int16)}, {.name = "b", .type = text_type()}});
  const bool both = (form & 1U) != 0;
  KeyFilter filter(both ? std::vector<std::size_t>{0, 1} : std::vector<std::size_t>{1},
                   {.first = 1, .second = 2},
                   (form & 2U) != 0 ? KeyFilter::Reach::whole_read : KeyFilter::Reach::batch);
  Batch batch(schema);
  std::set<std::pair<std::string, std::string>> seen;
  std::optional<std::size_t> repeated, null_row;
  while (!input.empty() && batch.rows() < 1000) {
    const std::size_t row = batch.rows();
    const std::uint8_t shape = input.byte();
    std::string a = "-", b = "-";
    if ((shape & 1U) != 0) {
      batch.column(0).push_null();
      if (both && !null_row) null_row = row;
    } else {
      batch.column(0).push(static_cast<std::int16_t>(shape));
      a = std::to_string(shape);
    }
    if ((shape & 6U) == 2U) {
      batch.column(1).push_null();
      if (!null_row) null_row = row;
    } else {
      const std::string_view text = input.bytes(shape >> 5U);
      batch.column(1).push_bytes(text);
      b = "=" + std::string(text);
    }
    if (!seen.emplace(both ? a : "", b).second && !repeated) repeated = row;
  }
  const auto found = filter.find_null(batch);
  require(found.has_value() == null_row.has_value() && (!found || found->first == *null_row),
          "the first NULL in a key is found");
  require(filter.find_repeated(batch) == repeated, "the first key that came before is found");
  return 0;
}
