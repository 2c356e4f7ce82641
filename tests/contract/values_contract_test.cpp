// What a value must survive: written by the target, read back by the source of the same connector.
#include <catch2/catch.hpp>

#include "contract/fixture.h"

using namespace tidemark;
using namespace tidemark::test;

namespace {

struct Sample {
  Type type;
  std::vector<const char*> values;
};

std::vector<Sample> samples() {
  return {
      {make_type(TypeKind::boolean), {"true", "false"}},
      {make_type(TypeKind::int8), {"-128", "0", "127"}},
      {make_type(TypeKind::int16), {"-32768", "32767"}},
      {make_type(TypeKind::int32), {"-2147483648", "2147483647"}},
      {make_type(TypeKind::int64), {"-9223372036854775808", "9223372036854775807"}},
      {make_type(TypeKind::uint8), {"0", "255"}},
      {make_type(TypeKind::uint16), {"65535"}},
      {make_type(TypeKind::uint32), {"4294967295"}},
      {make_type(TypeKind::uint64), {"0", "9223372036854775808", "18446744073709551615"}},
      {make_type(TypeKind::float32), {"16777216", "-0", "1e-45", "3.4028235e+38", "0.1"}},
      {make_type(TypeKind::float64),
       {"0.1", "-0", "5e-324", "1.7976931348623157e+308", "123456789.12345679"}},
      {decimal_type(12, 2), {"0.00", "-9999999999.99", "12.50"}},
      {decimal_type(38, 10), {"1234567890123456789012345678.0123456789", "-0.0000000001"}},
      {decimal_type(65, 30),
       {"12345678901234567890123456789012345.123456789012345678901234567890"}},
      {text_type(), {"", " ", "a\tb\nc\\d'e\"f`g", "鸡 🐔 é e\xcc\x81", "NULL", "\\N", "\\."}},
      {text_type(40), {"", "trailing blank ", "🐔🐔🐔"}},
      {bytes_type(), {"", "00", "00ff80275c0a0d00"}},
      {bytes_type(16), {"000102030405060708090a0b0c0d0e00"}},
      {make_type(TypeKind::date), {"2000-01-01", "1969-12-31", "9999-12-31", "1000-01-01"}},
      {make_type(TypeKind::time), {"00:00:00", "23:59:59.999999", "12:30:00.000001"}},
      {time_type(TypeKind::time, 0), {"23:59:59"}},
      {make_type(TypeKind::timestamp),
       {"2000-01-01 00:00:00", "1969-12-31 23:59:59.999999", "9999-12-31 23:59:59.999999",
        "2024-03-31 02:30:00"}},
      {time_type(TypeKind::timestamp, 3), {"2024-01-01 00:00:00.123"}},
      {make_type(TypeKind::instant),
       {"2000-01-01 00:00:00+00", "2037-12-31 23:59:59.999999+00", "2106-02-07 06:28:16+00"}},
      {make_type(TypeKind::uuid),
       {"00000000-0000-0000-0000-000000000000", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"}},
      {make_type(TypeKind::json), {"{\"a\": [1, null, \"鸡\"]}", "[]", "\"x\""}},
  };
}

}  // namespace

TEST_CASE("every value comes back as it was", "[contract][round-trip]") {
  Fixture fixture;
  const auto target = fixture.connector().open_target();
  const bool no_negative_zero = fixture.excused("negative-zero");
  const bool first_load = GENERATE(false, true);
  CAPTURE(first_load);
  for (const Sample& sample : samples()) {
    CAPTURE(to_string(sample.type));
    const TableName table = fixture.fresh_table("kind");
    const Schema schema{{"id", make_type(TypeKind::int32), false}, {"v", sample.type}};
    const WriteSpec spec = spec_of(table, schema, {"id"});
    const TargetPlan plan = target->plan(spec);
    REQUIRE(plan.problems.empty());
    REQUIRE(plan.columns.size() == 2);
    CHECK_FALSE(plan.write_path.usual.empty());
    CHECK(plan.columns[1].fidelity == Fidelity::lossless);

    Batch batch(std::make_shared<const Schema>(schema));
    std::vector<std::string> expected;
    const auto add = [&](const char* value) {
      const auto id = static_cast<std::int32_t>(expected.size());
      batch.column(0).push(id);
      if (value == nullptr)
        batch.column(1).push_null();
      else
        push_text(batch.column(1), value);
      expected.push_back(std::to_string(id) + "|" + (value == nullptr ? "∅" : value));
    };
    for (const char* value : sample.values)
      if (!no_negative_zero || std::string_view(value) != "-0") add(value);
    add(nullptr);
    if (first_load)
      fixture.fill(*target, spec, {&batch});
    else
      fixture.write(*target, spec, {&batch});
    CHECK(fixture.rows(table, {"id", "v"}, {"id"}) == expected);

    // Written once more, every byte is recognised as what stands there already.
    const WriteCounts again = fixture.write(*target, spec, {&batch});
    CHECK(again == WriteCounts{.unchanged = expected.size()});
  }
}

TEST_CASE("an empty text is not NULL", "[contract][null]") {
  Fixture fixture;
  const auto target = fixture.connector().open_target();
  const TableName table = fixture.fresh_table("nulls");
  const Schema schema{
      {"id", make_type(TypeKind::int32), false}, {"t", text_type(10)}, {"b", bytes_type(10)}};
  const Batch batch = batch_of(schema, {{"1", "", ""}, {"2", nullptr, nullptr}});
  fixture.write(*target, spec_of(table, schema, {"id"}), {&batch});
  CHECK(fixture.rows(table, {"id", "t", "b"}, {"id"}) == std::vector<std::string>{"1||", "2|∅|∅"});
}

TEST_CASE("a value that does not fit is a data error, not a shorter value", "[contract][fit]") {
  Fixture fixture;
  const auto target = fixture.connector().open_target();
  const auto refuse = [&](const Type& narrow, const Type& wide, const char* value) {
    CAPTURE(to_string(narrow), value);
    const TableName table = fixture.fresh_table("fit");
    const Schema created{{"id", make_type(TypeKind::int32), false}, {"v", narrow}};
    target->prepare(spec_of(table, created, {"id"}));
    const Schema arriving{{"id", make_type(TypeKind::int32), false}, {"v", wide}};
    WriteSpec spec = spec_of(table, arriving, {"id"});
    spec.columns[1].lossy = Lossy::allow;
    const Batch batch = batch_of(arriving, {{"1", value}});
    for (const bool first_load : {false, true}) {
      const Error error = error_of([&] {
        if (first_load)
          fixture.fill(*target, spec, {&batch});
        else
          fixture.write(*target, spec, {&batch});
      });
      CHECK(error.error_class() == ErrorClass::data);
      CHECK(std::string(error.what()).find(value) == std::string::npos);
      CHECK(fixture.rows(table, {"id"}, {"id"}).empty());
    }
  };
  refuse(text_type(5), text_type(), "sixsix");
  refuse(text_type(5), text_type(), "🐔🐔🐔🐔🐔🐔");
  refuse(make_type(TypeKind::int16), make_type(TypeKind::int32), "70001");
  refuse(decimal_type(5, 2), decimal_type(12, 2), "1234567.25");
}

TEST_CASE("a column that would lose data needs the user's word, and is refused by name",
          "[contract][verdict]") {
  Fixture fixture;
  const auto target = fixture.connector().open_target();
  struct Pair {
    Type narrow;
    Type wide;
    const char* value;  ///< that the narrow type can't hold
  };
  for (const Pair& pair : {Pair{text_type(5), text_type(9), "sixsix"},
                           Pair{make_type(TypeKind::int16), make_type(TypeKind::int64), "70001"},
                           Pair{decimal_type(5, 2), decimal_type(12, 4), "1.2345"},
                           Pair{time_type(TypeKind::timestamp, 0), time_type(TypeKind::timestamp),
                                "2024-01-01 00:00:00.5"}}) {
    CAPTURE(to_string(pair.narrow), to_string(pair.wide));
    const TableName table = fixture.fresh_table("word");
    const auto spec_with = [&](const Type& type) {
      return spec_of(table, {{"id", make_type(TypeKind::int32), false}, {"v", type}}, {"id"});
    };
    target->prepare(spec_with(pair.narrow));
    WriteSpec spec = spec_with(pair.wide);
    const TargetPlan refused = target->plan(spec);
    REQUIRE(refused.problems.size() == 1);
    CHECK(refused.problems.front().find("column v") != std::string::npos);
    CHECK(refused.columns.at(1).fidelity == Fidelity::lossy);
    CHECK_FALSE(refused.columns.at(1).reason.empty());
    CHECK_THROWS_AS(target->prepare(spec), Error);
    spec.columns[1].lossy = Lossy::allow;
    CHECK(target->plan(spec).problems.empty());
    spec = spec_with(pair.wide);
    spec.columns[1].native_type = "chosen by the user";
    CHECK(target->plan(spec).problems.empty());
    const Batch batch = batch_of({{"id", make_type(TypeKind::int32), false}, {"v", pair.wide}},
                                 {{"1", pair.value}});
    const Error error = error_of([&] { fixture.write(*target, spec, {&batch}); });
    CHECK(error.error_class() == ErrorClass::data);
    CHECK(fixture.rows(table, {"id"}, {"id"}).empty());
    CHECK(target->plan(spec_with(pair.narrow)).problems.empty());
  }
}

TEST_CASE("hostile names are quoted", "[contract][hostile]") {
  Fixture fixture;
  const auto target = fixture.connector().open_target();
  for (const std::string& name :
       {std::string("a\"b"), std::string("a`b"), std::string("a'b"), std::string("a;b--"),
        std::string("select"), std::string("a b"), std::string("[x]"), std::string("鸡%s{}"),
        std::string("back\\slash"), std::string("$1?:x@y")}) {
    CAPTURE(name);
    const TableName table = fixture.fresh_table(name);
    const Schema schema{{name, make_type(TypeKind::int32), false}, {name + "2", text_type(60)}};
    const Batch batch = batch_of(schema, {{"1", "'; DROP TABLE x; --"}, {"2", "\\'\"`"}});
    fixture.write(*target, spec_of(table, schema, {name}), {&batch});
    CHECK(fixture.rows(table, {name, name + "2"}, {name}) ==
          std::vector<std::string>{"1|'; DROP TABLE x; --", "2|\\'\"`"});
  }
}

TEST_CASE("hostile values in keys and cursors stay values", "[contract][hostile]") {
  Fixture fixture;
  const auto target = fixture.connector().open_target();
  const TableName table = fixture.fresh_table("keys");
  const Schema schema{{"k", text_type(60), false}, {"c", make_type(TypeKind::int64), false}};
  const Batch batch = batch_of(schema, {{"' OR 1=1 --", "1"},
                                        {"\\", "1"},
                                        {"\\' OR 1=1 #", "1"},
                                        {"\xc2\xa5", "1"},
                                        {"", "1"},
                                        {"🐔", "1"}});
  fixture.write(*target, spec_of(table, schema, {"k"}), {&batch});
  const auto source = fixture.connector().open_source();
  ReadPlan plan = plan_of(*source, table, {"k"}, "c");
  std::vector<std::string> one_by_one;
  for (;;) {
    plan.max_rows = 1;
    const auto reader = source->read(plan);
    Batch page(std::make_shared<const Schema>(plan.columns));
    if (!reader->next(page)) break;
    REQUIRE(page.rows() == 1);
    one_by_one.push_back(lines_of(page).front());
    REQUIRE(one_by_one.size() <= 6);
    plan.after = Position{value_at(page.column(1), 0), {value_at(page.column(0), 0)}};
  }
  CHECK(one_by_one.size() == 6);
}
