#include <catch2/catch.hpp>
#include <chrono>
#include <limits>

#include "config/build.h"
#include "config/config.h"
#include "config/near_miss.h"
#include "config/scalar.h"
#include "config/url.h"
#include "config/yaml_text.h"

namespace tidemark::config {

using namespace std::chrono_literals;

TEST_CASE("a duration is a whole number and a unit", "[unit][config]") {
  CHECK(parse_duration("500ms") == Duration(500ms));
  CHECK(parse_duration("30s") == Duration(30s));
  CHECK(parse_duration("5m") == Duration(5min));
  CHECK(parse_duration("2h") == Duration(2h));
  CHECK(parse_duration("7d") == Duration(168h));
  CHECK(parse_duration("0s") == Duration(0));
  for (const char* wrong : {"", "5", "s", "-5s", "+5s", "1.5s", "5 s", " 5s", "5s ", "05s", "5S",
                            "5us", "5w", "1h30m", "5sec", "0x5s", "5s\n", "１s"}) {
    CAPTURE(wrong);
    CHECK_FALSE(parse_duration(wrong));
  }
}

TEST_CASE("a duration that no clock can hold is refused", "[unit][config]") {
  CHECK(parse_duration("9223372036854775ms").has_value());
  CHECK_FALSE(parse_duration("9223372036854776ms"));
  CHECK_FALSE(parse_duration("106751992d"));
  CHECK_FALSE(parse_duration("18446744073709551616s"));
}

TEST_CASE("a size is a whole number of a binary unit", "[unit][config]") {
  CHECK(parse_size("64KiB") == 65536U);
  CHECK(parse_size("8MiB") == 8U << 20);
  CHECK(parse_size("1GiB") == 1U << 30);
  CHECK(parse_size("2TiB") == 2ULL << 40);
  CHECK(parse_size("17B") == 17U);
  for (const char* wrong : {"", "64", "64MB", "64M", "64mib", "-1B", "1.5MiB", "8388608TiB"}) {
    CAPTURE(wrong);
    CHECK_FALSE(parse_size(wrong));
  }
}

TEST_CASE("a rate is a whole number a second", "[unit][config]") {
  CHECK(parse_rate("50000/s") == 50000U);
  CHECK(parse_rate("1/s") == 1U);
  for (const char* wrong : {"", "/s", "50000", "0/s", "-1/s", "5/m", "5 /s", "05/s", "5/sec"}) {
    CAPTURE(wrong);
    CHECK_FALSE(parse_rate(wrong));
  }
}

TEST_CASE("durations and sizes are printed in the largest unit that is exact", "[unit][config]") {
  CHECK(format_duration(0s) == "0s");
  CHECK(format_duration(500ms) == "500ms");
  CHECK(format_duration(90s) == "90s");
  CHECK(format_duration(120s) == "2m");
  CHECK(format_duration(48h) == "2d");
  CHECK(format_size(1536) == "1536B");
  CHECK(format_size(64 << 10) == "64KiB");
  CHECK(format_size(1ULL << 40) == "1TiB");
  for (const char* text : {"1ms", "999s", "59m", "23h", "400d"})
    CHECK(format_duration(*parse_duration(text)) == text);
}

TEST_CASE("whole numbers have neither leading zero nor other forms", "[unit][config]") {
  CHECK(parse_integer("0") == 0);
  CHECK(parse_integer("-17") == -17);
  CHECK(parse_integer("9223372036854775807") == std::numeric_limits<std::int64_t>::max());
  for (const char* wrong :
       {"", "-", "010", "-010", "0x10", "1_000", "1e3", "1.0", "+1", " 1", "9223372036854775808"}) {
    CAPTURE(wrong);
    CHECK_FALSE(parse_integer(wrong));
  }
}

TEST_CASE("numbers are digits with or without a point", "[unit][config]") {
  CHECK(parse_number("0.5") == 0.5);
  CHECK(parse_number("2") == 2.0);
  CHECK(parse_number("-1.25") == -1.25);
  for (const char* wrong : {"", "1e3", "nan", "inf", "0x1p3", "1.2.3", "01.5", "-"}) {
    CAPTURE(wrong);
    CHECK_FALSE(parse_number(wrong));
  }
}

TEST_CASE("a table is split at its dot, and quotes keep a dot together", "[unit][config]") {
  using Table = TableName;
  CHECK(parse_table("customers") == Table{"", "customers"});
  CHECK(parse_table("public.customers") == Table{"public", "customers"});
  CHECK(parse_table("public.\"odd.name\"") == Table{"public", "odd.name"});
  CHECK(parse_table("\"a\"\"b\".\"c\"") == Table{"a\"b", "c"});
  CHECK(parse_table("Sales Orders") == Table{"", "Sales Orders"});
  CHECK(parse_table("\"a.b\"") == Table{"", "a.b"});
  CHECK(parse_table("客户.订单") == Table{"客户", "订单"});
  for (const char* wrong : {"", ".", "a.", ".a", "a.b.c", "\"a", "a\"b", "\"a\"b", "\"\"", "a. b",
                            " a", "a..b", "\"a\".\"b\".\"c\"", "a.\""}) {
    CAPTURE(wrong);
    CHECK_FALSE(parse_table(wrong));
  }
}

TEST_CASE("a near miss is at most two edits away, swaps counting one", "[unit][config]") {
  CHECK(edit_distance("", "") == 0);
  CHECK(edit_distance("", "abc") == 3);
  CHECK(edit_distance("schedule", "schedule") == 0);
  CHECK(edit_distance("shcedule", "schedule") == 1);
  CHECK(edit_distance("hots", "host") == 1);
  CHECK(edit_distance("kitten", "sitting") == 3);
  CHECK(edit_distance("ca", "abc") == 3);  // a restricted distance: no edit within a swap
  const std::vector<std::string> words{"host", "port", "path", "password"};
  CHECK(nearest("hots", words) == "host");
  CHECK(nearest("pasword", words) == "password");
  CHECK(nearest("pat", words) == "path");
  CHECK(nearest("user", words).empty());
  CHECK(nearest("p", words).empty());
  CHECK(did_you_mean("prot", words) == "did you mean \"port\"?");
}

TEST_CASE("a URL is taken apart and its percent-encoding undone", "[unit][config]") {
  const UrlVerdict full = parse_url("postgresql://s%40les:x@h/d");
  CHECK_FALSE(full.url);
  const UrlVerdict encoded = parse_url("mysql://us%40er@db.example:3307/my%2Fbase");
  REQUIRE(encoded.url);
  CHECK(encoded.url->type == "mysql");
  CHECK(encoded.url->user == "us@er");
  CHECK(encoded.url->host == "db.example");
  CHECK(encoded.url->port == 3307);
  CHECK(encoded.url->database == "my/base");
  const UrlVerdict address = parse_url("postgres://[fe80::1]:5433/wms");
  REQUIRE(address.url);
  CHECK(address.url->type == "postgres");
  CHECK(address.url->host == "fe80::1");
  CHECK(address.url->port == 5433);
  CHECK(address.url->user.empty());
  const UrlVerdict least = parse_url("mariadb://localhost/erp");
  REQUIRE(least.url);
  CHECK(least.url->port == 0);
}

TEST_CASE("what is wrong with a URL is said without quoting it", "[unit][config]") {
  for (const char* text :
       {"postgresql://u:hunter2@h/d", "mysql://u:hun/ter2@h/d", "mysql://u:hunter2@h:x/d",
        "postgresql://u:hunter2@h/d?sslmode=disable", "postgres://u@h/d?password=hunter2",
        "oracle://u:hunter2@h/d", "u:hunter2@h", "mysql://h:hunter2/d", "mysql://hunter%2@h/d",
        "mysql://%00hunter2@h/d", "mysql://[hunter2/d"}) {
    CAPTURE(text);
    const UrlVerdict verdict = parse_url(text);
    CHECK_FALSE(verdict.url);
    CHECK_FALSE(verdict.message.empty());
    CHECK((verdict.message + verdict.hint).find("hunter") == std::string::npos);
    CHECK((verdict.message + verdict.hint).find("ter2") == std::string::npos);
  }
}

TEST_CASE("loopback is localhost, 127.0.0.0/8 and ::1", "[unit][config]") {
  for (const char* host : {"localhost", "127.0.0.1", "127.1.2.3", "::1"})
    CHECK(is_loopback(host));
  for (const char* host : {"", "10.0.0.5", "0.0.0.0", "::", "127.example.com", "localhost.evil"})
    CHECK_FALSE(is_loopback(host));
}

TEST_CASE("an endpoint is an address and a port", "[unit][config]") {
  CHECK(parse_endpoint("127.0.0.1:9465")->port == 9465);
  CHECK(parse_endpoint("[::1]:80")->host == "::1");
  CHECK(parse_endpoint("localhost:0")->port == 0);
  for (const char* wrong : {"", "9465", ":9465", "localhost", "localhost:", "localhost:65536",
                            "::1:80", "[::1]", "[::1]80", "localhost:-1"}) {
    CAPTURE(wrong);
    CHECK_FALSE(parse_endpoint(wrong));
  }
}

TEST_CASE("globs know a star and a question mark", "[unit][config]") {
  CHECK(matches_glob("*_at", "updated_at"));
  CHECK(matches_glob("a*b*c", "a-b-b-c"));
  CHECK(matches_glob("?d", "id"));
  CHECK(matches_glob("*", ""));
  CHECK(matches_glob("[a]", "[a]"));
  CHECK_FALSE(matches_glob("*_at", "updated_at2"));
  CHECK_FALSE(matches_glob("?", ""));
  CHECK_FALSE(matches_glob("id", "ID"));
}

TEST_CASE("names are short, lower-case and safe in labels and paths", "[unit][config]") {
  for (const char* name : {"a", "0", "supplier", "a.b-c_d", "erp_rw"})
    CHECK(is_name(name));
  CHECK(is_name(std::string(64, 'a')));
  for (const char* name : {"", "A", "-a", ".a", "_a", "a b", "a/b", "é"})
    CHECK_FALSE(is_name(name));
  CHECK_FALSE(is_name(std::string(65, 'a')));
}

TEST_CASE("a text that YAML would read as something else is put in quotes", "[unit][config]") {
  CHECK(yaml_scalar("public.customers") == "public.customers");
  CHECK(yaml_scalar("SELECT 1") == "SELECT 1");
  CHECK(yaml_scalar("") == "\"\"");
  CHECK(yaml_scalar("true") == "\"true\"");
  CHECK(yaml_scalar("null") == "\"null\"");
  for (const char* number : {"12", "007", "0x1F", "1_000", "1e3", "12:30", "2024-01-01", "-.5"})
    CHECK(yaml_scalar(number) == "\"" + std::string(number) + "\"");
  for (const char* plain : {"127.0.0.1:9465", "30s", "64MiB", "e", "15 2 * * *"})
    CHECK(yaml_scalar(plain) == plain);
  CHECK(yaml_scalar("a: b") == "\"a: b\"");
  CHECK(yaml_scalar("a #b") == "\"a #b\"");
  CHECK(yaml_scalar("*x") == "\"*x\"");
  CHECK(yaml_scalar("a\tb\\\"\n\x01") == R"("a\tb\\\"\n\x01")");
}

}  // namespace tidemark::config
