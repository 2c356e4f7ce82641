#include "integration/type_cases.h"
#include "integration/type_values.h"

namespace tidemark::test {

std::vector<TypeCase> mariadb_type_cases() {
  const auto text = [](std::size_t most) -> Make {
    return [=](Random& random) { return "_utf8mb4 x'" + to_hex(random_text(random, most)) + "'"; };
  };
  const auto bytes = [](std::size_t most) -> Make {
    return [=](Random& random) { return "x'" + random_hex(random, most) + "'"; };
  };
  const auto same = [](const char* column, const char* ddl, std::vector<std::string> edges,
                       std::string form = {}) {
    return TypeCase{
        .column = column, .ddl = ddl, .edges = std::move(edges), .form = std::move(form)};
  };
  const Make bits = [](Random& random) { return "b'" + binary_digits(random, 64) + "'"; };
  const std::string raw = "HEX(@)";
  return {
      {"i1", "tinyint(4)", {"-128", "127"}, integers(8, true)},
      {"ib", "tinyint(1)", {"0", "1", "-128", "127"}, nullptr},
      {"u1", "tinyint(3) unsigned", {"0", "255"}, integers(8, false)},
      {"i2", "smallint(6)", {"-32768", "32767"}, integers(16, true)},
      {"u2", "smallint(5) unsigned", {"0", "65535"}, integers(16, false)},
      {"i3", "mediumint(9)", {"-8388608", "8388607"}, integers(24, true)},
      {"u3", "mediumint(8) unsigned", {"0", "16777215"}, integers(24, false)},
      {"i4", "int(11)", {"-2147483648", "2147483647"}, integers(32, true)},
      {"u4", "int(10) unsigned", {"0", "4294967295"}, integers(32, false)},
      {.column = "uz",
       .ddl = "int(10) unsigned zerofill",
       .edges = {"0", "4294967295"},
       .form = "@ + 0"},
      {"i8", "bigint(20)", {"-9223372036854775808", "9223372036854775807"}, integers(64, true)},
      {"u8", "bigint(20) unsigned", {"0", "18446744073709551615"}, integers(64, false)},
      {"n65",
       "decimal(65,30)",
       {"12345678901234567890123456789012345.123456789012345678901234567890", "-1e-30"},
       decimals(35, 30)},
      {"n12", "decimal(12,2) unsigned", {"0", "9999999999.99"}, nullptr},
      {.column = "f4",
       .ddl = "float",
       .edges = {"0.1", "16777216", "3.4028233e38", "1e-45"},
       .random = float_text<float, std::uint32_t>,
       .form = "HEX(CAST(@ + 0e0 AS CHAR))"},
      {"f8",
       "double",
       {"0.1", "5e-324", "1.7976931348623157e308"},
       float_text<double, std::uint64_t>},
      same("b1", "bit(1)", {"b'0'", "b'1'"}, "BIN(@ + 0)"),
      {.column = "b64",
       .ddl = "bit(64)",
       .edges = {"b'0'", "x'ffffffffffffffff'"},
       .random = bits,
       .form = "BIN(@ + 0)"},
      {.column = "ye", .ddl = "year(4)", .edges = {"0", "1901", "2155"}, .word = true},
      {"da", "date", {"'1000-01-01'", "'9999-12-31'"}, in_quotes(random_date)},
      {.column = "ti",
       .ddl = "time(6)",
       .edges = {"'00:00:00'", "'23:59:59.999999'", "'838:59:59.999999'", "'-838:59:59.000001'",
                 "'-00:00:00.000001'"},
       .random = [](Random& random) { return quoted(random_clock(random, 6)); },
       .refused = {{"postgres", "'838:59:59.999999'"},
                   {"postgres", "'-838:59:59.000001'"},
                   {"postgres", "'-00:00:00.000001'"}}},
      {"dt", "datetime(6)", {"'1000-01-01 00:00:00'", "'9999-12-31 23:59:59.999999'"}, moments(6)},
      {"tm",
       "timestamp(6)",
       {"'1970-01-01 00:00:01'", "'2038-01-19 03:14:07.999999'"},
       unix_moments()},
      {"ch", "char(10)", {"''", "'abc'", "'🐔🐔🐔🐔🐔🐔🐔🐔🐔🐔'"}, nullptr},
      {"vc", "varchar(10)", {"''", "'trailing  '"}, text(10)},
      {"tt", "tinytext", {"''"}, text(40)},
      {.column = "te",
       .ddl = "text",
       .edges = {"''", "' '", "_utf8mb4 x'6100'"},
       .random = text(60),
       .refused = {{"postgres", "_utf8mb4 x'6100'"}}},
      {"tu", "mediumtext", {"''"}, text(40)},
      {"tl", "longtext", {"''"}, text(40)},
      same("bi", "binary(4)", {"x''", "x'00ff'", "x'01020304'"}, raw),
      {.column = "vb",
       .ddl = "varbinary(10)",
       .edges = {"x''", "x'00ff0000'"},
       .random = bytes(10),
       .form = raw},
      {.column = "bs", .ddl = "tinyblob", .edges = {"x''"}, .random = bytes(40), .form = raw},
      {.column = "bl", .ddl = "blob", .edges = {"x''", "x'00'"}, .random = bytes(80), .form = raw},
      {.column = "bm", .ddl = "mediumblob", .edges = {"x''"}, .random = bytes(40), .form = raw},
      {.column = "bh", .ddl = "longblob", .edges = {"x''"}, .random = bytes(40), .form = raw},
      same("en", "enum('small','large')", {"'small'", "'large'"}),
      same("se", "set('red','green','blue')", {"''", "'red'", "'red,blue'"}),
      {"js", "json", {"'[]'", "'{\"a\":1,\"a\": 2}'"}, in_quotes(random_json)},
      {"uu", "uuid", {"'00000000-0000-0000-0000-000000000000'"}, in_quotes(random_uuid)},
      {"n4", "inet4", {"'0.0.0.0'"}, in_quotes(random_address)},
      same("n6", "inet6", {"'::1'", "'::ffff:1.2.3.4'", "'2001:db8::'"}),
      same("ge", "geometry",
           {"ST_GeomFromText('POINT(1 2)', 4326)", "ST_GeomFromText('LINESTRING(0 0,1 1.5)')"},
           raw),
      same("gp", "point", {"ST_GeomFromText('POINT(-1 0.1)', 3857)"}, raw),
      same("gl", "linestring", {"ST_GeomFromText('LINESTRING(0 0,1 1)')"}, raw),
      same("gy", "polygon", {"ST_GeomFromText('POLYGON((0 0,1 0,1 1,0 0))')"}, raw),
      same("gm", "multipoint", {"ST_GeomFromText('MULTIPOINT(0 0,1 1)')"}, raw),
      same("gn", "multilinestring", {"ST_GeomFromText('MULTILINESTRING((0 0,1 1))')"}, raw),
      same("gq", "multipolygon", {"ST_GeomFromText('MULTIPOLYGON(((0 0,1 0,1 1,0 0)))')"}, raw),
      same("gc", "geometrycollection", {"ST_GeomFromText('GEOMETRYCOLLECTION(POINT(1 1))')"}, raw),
  };
}

}  // namespace tidemark::test
