#include "connector/mysql/type_samples.h"

#include <array>
#include <charconv>

namespace tidemark::mysql {
namespace {

struct SampleRow {
  std::string_view column_type;
  std::string_view canonical = {};
};

constexpr std::string_view own_text =
    "the server's text; a zero or partial date needs `type: text` or `type: \"mysql:…\"`";
constexpr std::string_view geometry_form =
    "lower hex of the server's own form: SRID (4 bytes, little-endian), then WKB";

constexpr std::array samples{
    SampleRow{"tinyint(4)"},
    SampleRow{"tinyint(1)", "a number: BOOLEAN is a name for it"},
    SampleRow{"tinyint(3) unsigned"},
    SampleRow{"smallint(6)"},
    SampleRow{"smallint(5) unsigned"},
    SampleRow{"mediumint(9)"},
    SampleRow{"mediumint(8) unsigned"},
    SampleRow{"int(11)"},
    SampleRow{"int(10) unsigned"},
    SampleRow{"int(10) unsigned zerofill", "a number: the zeros are not carried"},
    SampleRow{"bigint(20)"},
    SampleRow{"bigint(20) unsigned"},
    SampleRow{"decimal(65,30)"},
    SampleRow{"decimal(12,2) unsigned"},
    SampleRow{"float", "read and written in binary, bit for bit; MariaDB has no -0.0"},
    SampleRow{"double", "read and written in binary, bit for bit; MariaDB has no -0.0"},
    SampleRow{"bit(1)", "one binary digit"},
    SampleRow{"bit(64)", "as many binary digits as the type has bits"},
    SampleRow{"year(4)", "a number: 0, 1901 to 2155"},
    SampleRow{"date", own_text},
    SampleRow{"time(6)", "a span of up to 838:59:59.999999 either way"},
    SampleRow{"datetime(6)", own_text},
    SampleRow{"timestamp(6)", own_text},
    SampleRow{"char(10)"},
    SampleRow{"varchar(10)"},
    SampleRow{"tinytext"},
    SampleRow{"text"},
    SampleRow{"mediumtext"},
    SampleRow{"longtext"},
    SampleRow{"binary(4)"},
    SampleRow{"varbinary(10)"},
    SampleRow{"tinyblob"},
    SampleRow{"blob"},
    SampleRow{"mediumblob"},
    SampleRow{"longblob"},
    SampleRow{"enum('small','large')", "the label; '' for the error value with the number 0"},
    SampleRow{"set('red','green','blue')", "labels in the order of the type, joined by commas"},
    SampleRow{"json"},
    SampleRow{"uuid"},
    SampleRow{"inet4"},
    SampleRow{"inet6"},
    SampleRow{"geometry", geometry_form},
    SampleRow{"point", geometry_form},
    SampleRow{"linestring", geometry_form},
    SampleRow{"polygon", geometry_form},
    SampleRow{"multipoint", geometry_form},
    SampleRow{"multilinestring", geometry_form},
    SampleRow{"multipolygon", geometry_form},
    SampleRow{"geometrycollection", geometry_form},
};

}  // namespace

NativeColumn column_of_type(std::string_view column_type) {
  NativeColumn column;
  column.column_type = column_type;
  column.data_type = column_type.substr(0, column_type.find_first_of("( "));
  const std::size_t open = column_type.find('(');
  unsigned first = 0;
  int second = 0;
  if (open != std::string_view::npos) {
    const char* const end = column_type.data() + column_type.size();
    const auto parsed = std::from_chars(column_type.data() + open + 1, end, first);
    if (parsed.ptr != end && *parsed.ptr == ',') std::from_chars(parsed.ptr + 1, end, second);
  }
  column.length = first;
  column.precision = first;
  column.scale = second;
  column.fraction = first;
  return column;
}

std::vector<TypeSample> type_samples() {
  std::vector<TypeSample> all;
  for (const SampleRow& row : samples) {
    const NativeColumn native = column_of_type(row.column_type);
    all.push_back({.column = {.name = "v",
                              .type = logical_type(native).value_or(Type{}),
                              .nullable = true,
                              .native_type = native.column_type},
                   .canonical = std::string(row.canonical)});
  }
  return all;
}

}  // namespace tidemark::mysql
