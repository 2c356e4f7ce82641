// MariaDB's binary rows and the texts of its own types. The client library hands over whole cells
// without saying where a packet ends, so cells are made whole here and filled with anything.
#include <array>

#include "connector/mysql/cell_decoder.h"
#include "connector/mysql/native_type.h"
#include "connector/mysql/types.h"
#include "core/value.h"
#include "fuzz.h"

using namespace tidemark;
using namespace tidemark::mysql;
using fuzz::require;

namespace {

constexpr std::array wires{MYSQL_TYPE_TINY,      MYSQL_TYPE_SHORT, MYSQL_TYPE_YEAR,
                           MYSQL_TYPE_LONG,      MYSQL_TYPE_FLOAT, MYSQL_TYPE_LONGLONG,
                           MYSQL_TYPE_DOUBLE,    MYSQL_TYPE_DATE,  MYSQL_TYPE_DATETIME,
                           MYSQL_TYPE_TIME,      MYSQL_TYPE_BIT,   MYSQL_TYPE_NEWDECIMAL,
                           MYSQL_TYPE_VAR_STRING};
/// What a column that sends these may be read as (types.cpp, can_read_as).
constexpr std::array kinds{
    TypeKind::boolean, TypeKind::int8,    TypeKind::int16,  TypeKind::int32,     TypeKind::int64,
    TypeKind::uint8,   TypeKind::uint16,  TypeKind::uint32, TypeKind::uint64,    TypeKind::decimal,
    TypeKind::float32, TypeKind::float64, TypeKind::date,   TypeKind::timestamp, TypeKind::instant,
    TypeKind::time,    TypeKind::text,    TypeKind::bytes,  TypeKind::json};

std::size_t fixed_size(enum_field_types type) {
  switch (type) {
    case MYSQL_TYPE_TINY:
      return 1;
    case MYSQL_TYPE_SHORT:
    case MYSQL_TYPE_YEAR:
      return 2;
    case MYSQL_TYPE_LONG:
    case MYSQL_TYPE_FLOAT:
      return 4;
    case MYSQL_TYPE_LONGLONG:
    case MYSQL_TYPE_DOUBLE:
      return 8;
    default:
      return 0;
  }
}

/// A cell as the protocol has it, of the length that its type allows nearest to what is there.
std::string whole_cell(enum_field_types type, std::string_view content) {
  if (const std::size_t size = fixed_size(type); size != 0) {
    std::string cell(content.substr(0, size));
    cell.resize(size);
    return cell;
  }
  std::size_t size = std::min<std::size_t>(content.size(), 250);
  if (type == MYSQL_TYPE_DATE || type == MYSQL_TYPE_DATETIME)
    size = size >= 11 ? 11 : size >= 7 ? 7 : size >= 4 ? 4 : 0;
  if (type == MYSQL_TYPE_TIME) size = size >= 12 ? 12 : size >= 8 ? 8 : 0;
  return static_cast<char>(size) + std::string(content.substr(0, size));
}

void check_cell(fuzz::Input& input) {
  const WireField field{.type = wires[input.byte() % wires.size()],
                        .is_unsigned = (input.byte() & 1) != 0};
  ColumnData column(make_type(kinds[input.byte() % kinds.size()]));
  std::string cell = whole_cell(field.type, input.rest());
  auto* at = reinterpret_cast<unsigned char*>(cell.data());
  const bool number = fixed_size(field.type) != 0 && field.type != MYSQL_TYPE_FLOAT &&
                      field.type != MYSQL_TYPE_DOUBLE;
  try {
    decode_cell(field, &at, column);
  } catch (const Error& error) {
    require(error.kind() == FailureKind::conversion || error.kind() == FailureKind::internal,
            "what is no value is refused as such");
    require(column.size() == 0, "what was refused left nothing behind");
    return;
  }
  require(at == reinterpret_cast<unsigned char*>(cell.data()) + cell.size(),
          "a cell is taken whole");
  const std::string text = text_of(column, 0);
  if (number && is_integer(column.type().kind)) {
    // Whatever width it came in, it is the number that was sent.
    std::int64_t sent = 0;
    for (std::size_t byte = 0; byte < cell.size(); ++byte)
      sent |= static_cast<std::int64_t>(
          static_cast<std::uint64_t>(static_cast<unsigned char>(cell[byte])) << (8 * byte));
    const unsigned unused = 64 - 8 * static_cast<unsigned>(cell.size());
    if (!field.is_unsigned)
      sent = static_cast<std::int64_t>(static_cast<std::uint64_t>(sent) << unused) >> unused;
    require(text == (field.is_unsigned ? std::to_string(static_cast<std::uint64_t>(sent))
                                       : std::to_string(sent)),
            "a number arrives as it was sent");
  }
}

void check_native(std::string_view column_type, std::string_view text) {
  const auto native = parse_native(column_type);
  if (!native) return;
  try {
    switch (native->kind) {
      case NativeKind::enumeration:
        require(label_number(*native, text) <= native->labels.size(), "a label has a number");
        break;
      case NativeKind::set:
        static_cast<void>(label_mask(*native, text));
        break;
      case NativeKind::bit: {
        const std::uint64_t bits = bits_from_digits(text);
        std::string bytes(8, '\0');
        for (int at = 0; at < 8; ++at)
          bytes[static_cast<std::size_t>(7 - at)] = static_cast<char>(bits >> (8 * at));
        require(bits_from_digits(bit_digits(bytes, 64)) == bits, "bits come back");
        break;
      }
      default:
        check_own_form(*native, text);
    }
  } catch (const Error& error) {
    require(error.kind() == FailureKind::conversion, "what is no value is refused as such");
    require(text.size() < 8 || error.fields().message.find(text) == std::string::npos,
            "a message holds no value");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input(data, size);
  if (input.byte() % 2 == 0) {
    check_cell(input);
    return 0;
  }
  const std::string_view column_type = input.line();
  NativeColumn column{.column_type = std::string(column_type)};
  column.data_type = column.column_type.substr(0, column.column_type.find_first_of("( "));
  static_cast<void>(logical_type(column));
  check_native(column_type, input.rest());
  return 0;
}
