#include "integration/type_cases.h"
#include "integration/type_values.h"

namespace tidemark::test {

std::vector<TypeCase> sqlite_type_cases() {
  const auto text = [](std::size_t most) -> Make {
    return [=](Random& random) {
      return "CAST(x'" + to_hex(random_text(random, most)) + "' AS TEXT)";
    };
  };
  const Make any = [text](Random& random) -> std::string {
    switch (random() % 4) {
      case 0:
        return std::to_string(static_cast<std::int64_t>(random()) / 3);
      case 1:
        return real_text(random);
      case 2:
        return "x'" + random_hex(random, 20) + "'";
      default:
        return text(20)(random);
    }
  };
  const auto same = [](const char* column, const char* ddl, std::vector<std::string> edges) {
    return TypeCase{.column = column, .ddl = ddl, .edges = std::move(edges)};
  };
  const std::vector<std::string> any_edges{"1",
                                           "1.0",
                                           "-0.5",
                                           "'1'",
                                           "'it''s'",
                                           "x''",
                                           "x'00ff'",
                                           "9e999",
                                           "CAST(x'ff' AS TEXT)",
                                           "CAST(x'6100' AS TEXT)",
                                           "''"};
  return {
      {"i8", "INTEGER", {"-9223372036854775807 - 1", "9223372036854775807"}, integers(64, true)},
      {"i1", "TINYINT", {"-128", "127"}, integers(8, true)},
      {"i2", "SMALLINT", {"-32768", "32767"}, integers(16, true)},
      {"i4", "INT4", {"-2147483648", "2147483647"}, integers(32, true)},
      {"u1", "TINYINT UNSIGNED", {"0", "255"}, integers(8, false)},
      {"u4", "INT UNSIGNED", {"0", "4294967295"}, integers(32, false)},
      same("u8", "UNSIGNED64_BLOB", {"0", "9223372036854775807", "'18446744073709551615'"}),
      same("bo", "BOOLEAN", {"0", "1"}),
      {.column = "re",
       .ddl = "REAL",
       .edges = {"0.1", "5e-324", "1.7976931348623157e308", "3", "9e999"},
       .random = real_text,
       .refused = {{"mariadb", "9e999"}}},
      {.column = "rb",
       .ddl = "DOUBLE_BLOB",
       .edges = {"0.1", "'NaN'"},
       .random = real_text,
       .refused = {{"mariadb", "'NaN'"}}},
      same("fb", "FLOAT_BLOB", {"0.5", "16777216.0"}),
      {"n12", "DECIMAL(12,2)", {"0", "12", "-0.25"}, decimals(7, 2)},
      {"nt", "DECIMAL_TEXT(40,10)", {"'0.0000000000'"}, in_quotes(decimals(30, 10))},
      {.column = "te",
       .ddl = "TEXT",
       .edges = {"''", "' '", "'012'", "'1.0'", "CAST(x'6100' AS TEXT)"},
       .random = text(60),
       .refused = {{"postgres", "CAST(x'6100' AS TEXT)"}}},
      {"vc", "VARCHAR(20)", {"''", "'trailing  '"}, text(20)},
      {"bl",
       "BLOB",
       {"x''", "x'00'"},
       [](Random& random) { return "x'" + random_hex(random, 40) + "'"; }},
      {"da", "DATE", {"'1000-01-01'", "'9999-12-31'"}, in_quotes(random_date)},
      same("ti", "TIME", {"'00:00:00'", "'23:59:59.999999'"}),
      same("dt", "DATETIME", {"'2024-02-29 12:00:00'", "'1999-12-31 23:59:59.999999'"}),
      same("tz", "TIMESTAMPTZ", {"'2024-02-29 12:00:00+00'"}),
      // Of version 8 with a variant of old, which MariaDB calls no UUID.
      {.column = "uu",
       .ddl = "UUID",
       .edges = {"'00000000-0000-0000-0000-000000000000'",
                 "'a0eebc99-9c0b-8ef8-0b6d-6bb9bd380a11'"},
       .random = in_quotes(random_uuid),
       .refused = {{"mariadb", "'a0eebc99-9c0b-8ef8-0b6d-6bb9bd380a11'"}}},
      same("iv", "INTERVAL", {"'{\"months\":1,\"days\":-2,\"micros\":3}'"}),
      {"js", "JSON_TEXT", {"'[]'", "'1.0'"}, in_quotes(random_json)},
      {"an", "ANY_BLOB", any_edges, any},
      {"no", "", any_edges, any},
      {"st", "STRING", {"1", "'abc'", "x'00'", "1.5"}, nullptr},
      {"ge", "GEOMETRY", {"'POINT(1 2)'", "x'00ff'"}, nullptr},
      same("ay", "ANY", {"12", "'abc'"}),
  };
}

}  // namespace tidemark::test
