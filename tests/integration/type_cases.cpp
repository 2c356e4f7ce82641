#include "integration/type_cases.h"

#include <array>
#include <cstdio>
#include <cstring>

#include "core/value.h"

namespace tidemark::test {
namespace {

using Random = std::mt19937_64;
using Make = std::function<std::string(Random&)>;

std::string quoted(const std::string& text) {
  return "'" + text + "'";
}

Make in_quotes(Make make) {
  return [make = std::move(make)](Random& random) { return quoted(make(random)); };
}

Make integers(int bits, bool with_sign) {
  return [=](Random& random) {
    const std::uint64_t wide = random() >> (64 - bits);
    if (!with_sign) return std::to_string(wide);
    return std::to_string(static_cast<std::int64_t>(wide << (64 - bits)) >> (64 - bits));
  };
}

Make decimals(int whole, int fraction) {
  return [=](Random& random) {
    std::string text = random() % 2 == 0 ? "-" : "";
    text += std::to_string(1 + random() % 9);
    for (int digit = 1; digit < whole; ++digit)
      text += std::to_string(random() % 10);
    text += '.';
    for (int digit = 0; digit < fraction; ++digit)
      text += std::to_string(random() % 10);
    return text;
  };
}

template <class Float, class Bits>
std::string float_text(Random& random) {
  for (;;) {
    const auto bits = static_cast<Bits>(random());
    Float value = 0;
    std::memcpy(&value, &bits, sizeof value);
    const std::string text = format_float(value);
    if (text.find_first_of("Nn") == std::string::npos && text != "-0") return text;
  }
}

/// Without a point or an exponent SQLite would take it for a whole number.
std::string real_text(Random& random) {
  std::string text = float_text<double, std::uint64_t>(random);
  return text.find_first_of(".e") == std::string::npos ? text + ".0" : text;
}

std::string random_hex(Random& random, std::size_t most) {
  std::string bytes;
  for (auto left = random() % (most + 1); left > 0; --left)
    bytes += static_cast<char>(random());
  return to_hex(bytes);
}

/// At most so many characters of UTF-8, without NUL, which PostgreSQL can't hold.
std::string random_text(Random& random, std::size_t most) {
  static const std::array<std::string, 15> characters{
      "a", " ", "'", "\"", "\\", "\n", "\t", "%", "é", "鸡", "🐔", "\xcc\x81", "\x01", "ß", "0"};
  std::string text;
  for (auto left = random() % (most + 1); left > 0; --left)
    text += characters[random() % characters.size()];
  return text;
}

std::string random_date(Random& random) {
  std::array<char, 16> text{};
  std::snprintf(text.data(), text.size(), "%04d-%02d-%02d",
                static_cast<int>(1000 + random() % 9000), static_cast<int>(1 + random() % 12),
                static_cast<int>(1 + random() % 28));
  return text.data();
}

std::string random_clock(Random& random, int digits) {
  std::array<char, 20> text{};
  std::snprintf(text.data(), text.size(), "%02d:%02d:%02d.%06d", static_cast<int>(random() % 24),
                static_cast<int>(random() % 60), static_cast<int>(random() % 60),
                static_cast<int>(random() % 1'000'000));
  std::string clock = text.data();
  clock.resize(clock.size() - 6 + static_cast<std::size_t>(digits));
  return clock;
}

Make moments(int digits, const std::string& suffix = {}) {
  return [=](Random& random) {
    return quoted(random_date(random) + " " + random_clock(random, digits) + suffix);
  };
}

/// Within what TIMESTAMP of MariaDB holds.
Make unix_moments() {
  return [](Random& random) {
    return quoted(std::to_string(1971 + random() % 66) + random_date(random).substr(4) + " " +
                  random_clock(random, 6));
  };
}

/// Of version 4, as RFC 4122 has it.
std::string random_uuid(Random& random) {
  std::string hex;
  while (hex.size() < 32)
    hex += to_hex(std::string(1, static_cast<char>(random())));
  hex[12] = '4';
  hex[16] = "89ab"[random() % 4];
  for (const std::size_t at : {8U, 13U, 18U, 23U})
    hex.insert(at, 1, '-');
  return hex;
}

std::string random_json(Random& random) {
  return R"({"b": [1, null, "鸡"], "a": )" + std::to_string(random() % 1000) + R"(, "n": 1.50})";
}

std::string binary_digits(Random& random, std::size_t count) {
  std::string digits;
  while (digits.size() < count)
    digits += random() % 2 == 0 ? '0' : '1';
  return digits;
}

std::string random_address(Random& random) {
  std::string text;
  for (int part = 0; part < 4; ++part)
    text += (part == 0 ? "" : ".") + std::to_string(random() % 256);
  return text;
}

std::vector<TypeCase> postgres_cases() {
  const auto text = [](std::size_t most) -> Make {
    return [=](Random& random) {
      return "convert_from(decode('" + to_hex(random_text(random, most)) + "','hex'),'UTF8')";
    };
  };
  const auto same = [](const char* column, const char* ddl, std::vector<std::string> edges) {
    return TypeCase{.column = column, .ddl = ddl, .edges = std::move(edges)};
  };
  const Make address = [](Random& random) { return quoted(random_address(random)); };
  std::vector<TypeCase> cases{
      same("bo", "boolean", {"true", "false"}),
      {"i2", "smallint", {"-32768", "0", "32767"}, integers(16, true)},
      {"i4", "integer", {"-2147483648", "2147483647"}, integers(32, true)},
      {"i8", "bigint", {"-9223372036854775808", "9223372036854775807"}, integers(64, true)},
      {"oi", "oid", {"0", "4294967295"}, integers(32, false)},
      same("x8", "xid8", {"'0'", "'18446744073709551615'"}),
      {.column = "f4",
       .ddl = "real",
       .edges = {"'0.1'", "'16777216'", "'3.4028235e38'", "'1e-45'", "'-0'", "'NaN'",
                 "'-Infinity'"},
       .random = in_quotes(float_text<float, std::uint32_t>),
       .refused = {{"mariadb", "'NaN'"}, {"mariadb", "'-Infinity'"}},
       .left_out = {{"mariadb", "'-0'"}},
       .form = "encode(float4send(@),'hex')"},
      {.column = "f8",
       .ddl = "double precision",
       .edges = {"'0.1'", "'5e-324'", "'1.7976931348623157e308'", "'-0'", "'NaN'", "'Infinity'"},
       .random = in_quotes(float_text<double, std::uint64_t>),
       .refused = {{"mariadb", "'NaN'"}, {"mariadb", "'Infinity'"}},
       .left_out = {{"mariadb", "'-0'"}},
       .form = "encode(float8send(@),'hex')"},
      // Without limits MariaDB's DECIMAL(65,30) keeps the number, but not how many zeros end it.
      {.column = "nu",
       .ddl = "numeric",
       .edges = {"0", "12.50", "-1e-30", "'NaN'", "'Infinity'", "1e-400", "1e40"},
       .random = decimals(30, 12),
       .refused = {{"mariadb", "'NaN'"},
                   {"mariadb", "'Infinity'"},
                   {"mariadb", "1e-400"},
                   {"mariadb", "1e40"}},
       .form = "trim_scale(@)::text"},
      {"n12", "numeric(12,2)", {"0", "-9999999999.99"}, decimals(9, 2)},
      {"n65",
       "numeric(65,30)",
       {"12345678901234567890123456789012345.123456789012345678901234567890"},
       decimals(35, 30)},
      {"te", "text", {"''", "' '", "'NULL'"}, text(60)},
      {"vc", "character varying(20)", {"''", "'trailing  '"}, text(20)},
      {"ch", "character(8)", {"''", "'ab'", "'🐔🐔🐔🐔🐔🐔🐔🐔'"}, nullptr},
      {.column = "by",
       .ddl = "bytea",
       .edges = {"''", "'\\x00'", "'\\x00ff5c27'"},
       .random = [](Random& random) { return "decode('" + random_hex(random, 40) + "','hex')"; },
       .form = "encode(@,'hex')"},
      {.column = "da",
       .ddl = "date",
       .edges = {"'2000-01-01'", "'1000-01-01'", "'9999-12-31'", "'infinity'", "'-infinity'",
                 "'0044-03-15 BC'", "'10000-01-01'"},
       .random = in_quotes(random_date),
       .refused = {{"mariadb", "'infinity'"},
                   {"mariadb", "'-infinity'"},
                   {"mariadb", "'0044-03-15 BC'"},
                   {"mariadb", "'10000-01-01'"}}},
      {"ti",
       "time without time zone",
       {"'00:00:00'", "'23:59:59.999999'", "'24:00:00'"},
       [](Random& random) { return quoted(random_clock(random, 6)); }},
      {.column = "ts",
       .ddl = "timestamp without time zone",
       .edges = {"'1999-12-31 23:59:59.999999'", "'infinity'", "'4713-01-01 00:00:00 BC'"},
       .random = moments(6),
       .refused = {{"mariadb", "'infinity'"}, {"mariadb", "'4713-01-01 00:00:00 BC'"}}},
      {"ts3", "timestamp(3) without time zone", {"'2024-02-29 00:00:00.001'"}, moments(3)},
      {.column = "tz",
       .ddl = "timestamp with time zone",
       .edges = {"'2106-02-07 06:28:16+00'", "'-infinity'", "'20000-01-01 00:00:00+00'"},
       .random = moments(6, "+00"),
       .refused = {{"mariadb", "'-infinity'"}, {"mariadb", "'20000-01-01 00:00:00+00'"}}},
      same("iv", "interval",
           {"'1 mon'", "'30 days'", "'-1 day +02:00:00.000001'", "'178000000 years'",
            "'-3 years 4 mons'"}),
      // Of version 8 with a variant of old, which MariaDB calls no UUID.
      {.column = "uu",
       .ddl = "uuid",
       .edges = {"'00000000-0000-0000-0000-000000000000'",
                 "'a0eebc99-9c0b-8ef8-0b6d-6bb9bd380a11'"},
       .random = in_quotes(random_uuid),
       .refused = {{"mariadb", "'a0eebc99-9c0b-8ef8-0b6d-6bb9bd380a11'"}}},
      {"js", "json", {"'[]'", "'{\"a\":1,\"a\": 2}'", "'1e400'"}, in_quotes(random_json)},
      {.column = "jb",
       .ddl = "jsonb",
       .edges = {"'[]'", "'1.50'"},
       .random = in_quotes(random_json),
       .word = true},
      {"b8",
       "bit(8)",
       {"B'00000000'", "B'11111111'"},
       [](Random& random) { return "B'" + binary_digits(random, 8) + "'"; }},
      {"bv",
       "bit varying",
       {"B''", "B'0'"},
       [](Random& random) { return "B'" + binary_digits(random, random() % 90) + "'"; }},
      same("bw", "bit varying(8)", {"B''", "B'10'"}),
      same("tt", "time with time zone", {"'00:00:00+00'", "'23:59:59.999999-15:59:59'"}),
      same("mo", "money", {"'-92233720368547758.08'", "'1234.56'"}),
      {"ne", "inet", {"'::1'", "'10.0.0.1/8'", "'::ffff:1.2.3.4/128'"}, address},
      same("ci", "cidr", {"'10.0.0.0/8'", "'2001:db8::/32'"}),
      same("ma", "macaddr", {"'08:00:2b:01:02:03'"}),
      same("mb", "macaddr8", {"'08:00:2b:01:02:03:04:05'"}),
      {.column = "xm", .ddl = "xml", .edges = {"'<a b=\"1\">é</a>'", "'text'"}},
      same("jp", "jsonpath", {"'$.a[*] ? (@ > 2)'"}),
      same("tv", "tsvector", {"'a:1A fat:2B,4C'", "''"}),
      same("tq", "tsquery", {"'fat & (rat | !cat) <-> dog'"}),
      same("g1", "point", {"'(1.1,-2e300)'"}),
      same("g2", "line", {"'{1,-1,0.1}'"}),
      same("g3", "lseg", {"'[(0,0),(1,0.1)]'"}),
      same("g4", "box", {"'((1,1),(0,0))'"}),
      same("g5", "path", {"'[(0,0),(1,1)]'", "'((0,0),(1,1))'"}),
      same("g6", "polygon", {"'((0,0),(1,1),(1,0))'"}),
      same("g7", "circle", {"'<(0.1,0),5>'"}),
      same("r1", "int4range", {"'[1,5)'", "'empty'", "'(,)'"}),
      same("r2", "int8range", {"'[1,)'"}),
      same("r3", "numrange", {"'(1.50,2.5]'"}),
      same("r4", "daterange", {"'[2024-01-01,infinity)'"}),
      same("r5", "tsrange", {"'[2024-01-01 00:00:00.1,)'"}),
      same("r6", "tstzrange", {"'(,2024-01-01 00:00:00+00]'"}),
      same("m1", "int4multirange", {"'{[1,3),[5,9)}'", "'{}'"}),
      same("m2", "int8multirange", {"'{[1,3)}'"}),
      same("m3", "nummultirange", {"'{[1.5,3)}'"}),
      same("m4", "datemultirange", {"'{[2024-01-01,2024-02-01)}'"}),
      same("m5", "tsmultirange", {"'{[2024-01-01 00:00:00,2024-02-01 00:00:00)}'"}),
      same("m6", "tstzmultirange", {"'{[2024-01-01 00:00:00+00,)}'"}),
      same("a1", "integer[]", {"'{}'", "'{1,NULL,-3}'", "'{{1,2},{3,4}}'", "'[0:1]={7,8}'"}),
      same("a2", "text[]", {"ARRAY['a','b c',NULL,'NULL','','\"','\\']"}),
      same("a3", "numeric(5,2)[]", {"'{1.50,NaN}'"}),
      same("a4", "timestamp with time zone[]", {"'{2024-01-31 12:00:00+00,infinity}'"}),
      same("a5", "bytea[]", {"ARRAY['\\x00ff'::bytea]"}),
      same("na", "name", {"'abc'", "''"}),
      same("qc", "\"char\"", {"'a'", "''"}),
      same("xi", "xid", {"'0'", "'4294967295'"}),
      same("cd", "cid", {"'7'"}),
      same("td", "tid", {"'(4294967295,65535)'"}),
      same("ls", "pg_lsn", {"'16/B374D848'"}),
      same("sn", "pg_snapshot", {"'10:20:10,14,15'"}),
      same("sx", "txid_snapshot", {"'10:20:10,14,15'"}),
      same("iw", "int2vector", {"'1 -2 3'"}),
      same("ow", "oidvector", {"'1 2 4294967295'"}),
      same("rc", "refcursor", {"'my cursor'"}),
      same("rt", "regtype", {"'integer'", "'timestamp with time zone'"}),
      same("en", "mood", {"'sad'", "'it''s'", "''"}),
      same("dm", "positive", {"1", "2147483647"}),
      same("cm", "pair", {"ROW(1,'a b')", "ROW(NULL,'\"')"}),
  };
  return cases;
}

std::vector<TypeCase> mariadb_cases() {
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

std::vector<TypeCase> sqlite_cases() {
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

}  // namespace

std::vector<TypeCase> type_cases(const std::string& source) {
  return source == "postgres"  ? postgres_cases()
         : source == "mariadb" ? mariadb_cases()
                               : sqlite_cases();
}

std::string type_setup(const std::string& source) {
  if (source != "postgres") return {};
  return "DROP TYPE IF EXISTS mood CASCADE; CREATE TYPE mood AS ENUM ('sad', 'it''s', '');\n"
         "DROP DOMAIN IF EXISTS positive CASCADE; CREATE DOMAIN positive AS integer CHECK (VALUE > "
         "0);\n"
         "DROP TYPE IF EXISTS pair CASCADE; CREATE TYPE pair AS (a integer, b text);\n";
}

std::vector<std::string> types_without_case(const std::string& source) {
  // Other spellings of types that have a case are those of SQLite.
  if (source == "postgres")
    return {// Its scale lies outside of what a logical decimal can be named with.
            "numeric(5,-2)",
            // They name objects of one database, as regtype does.
            "regclass", "regcollation", "regconfig", "regdictionary", "regnamespace", "regoper",
            "regoperator", "regproc", "regprocedure", "regrole", "aclitem"};
  return {};
}

}  // namespace tidemark::test
