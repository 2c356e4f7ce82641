// Each transform by itself, and a job's pipeline as a whole.
#include <catch2/catch.hpp>

#include "core/error.h"
#include "core/pipeline.h"
#include "core/temporal.h"
#include "core/value.h"
#include "transform/cast.h"
#include "transform/decimal.h"
#include "transform/text_length.h"

using namespace tidemark;

namespace {

/// "+8" lies eight hours before UTC and skips the first hour of 2024.
class TestZones final : public Zones {
 public:
  bool known(std::string_view zone) const noexcept override { return zone == "+8"; }
  std::int64_t local_to_utc(std::string_view, std::int64_t micros) const override {
    if (format_timestamp(micros).starts_with("2024-01-01 00:"))
      throw Error({.kind = FailureKind::conversion, .message = "no instant has this local time"});
    return micros - 8 * 3600 * micros_per_second;
  }
  std::int64_t utc_to_local(std::string_view, std::int64_t micros) const override {
    return micros + 8 * 3600 * micros_per_second;
  }
};

const TestZones zones;

Batch batch_of(const Schema& schema, const std::vector<std::vector<const char*>>& rows) {
  Batch batch(std::make_shared<const Schema>(schema));
  for (const auto& row : rows)
    for (std::size_t index = 0; index < row.size(); ++index)
      row[index] == nullptr ? batch.column(index).push_null()
                            : push_text(batch.column(index), row[index]);
  return batch;
}

std::vector<std::string> lines_of(const Batch& batch) {
  std::vector<std::string> lines;
  for (std::size_t row = 0; row < batch.rows(); ++row) {
    std::string line;
    for (std::size_t index = 0; index < batch.column_count(); ++index)
      line += (index == 0 ? "" : "|") +
              (batch.column(index).is_null(row) ? "∅" : text_of(batch.column(index), row));
    lines.push_back(std::move(line));
  }
  return lines;
}

struct Made {
  std::unique_ptr<Pipeline> pipeline;
  std::vector<std::string> problems;
};

Made make(const Schema& input, std::vector<ColumnRule> rules, Schema target = {},
          std::map<std::string, Type> types = {}) {
  JobSettings job;
  job.columns = std::move(rules);
  job.types = std::move(types);
  std::vector<std::string> wanted;
  for (const Column& column : input)
    wanted.push_back(column.name);
  Made made;
  made.pipeline = make_pipeline(job, input, wanted,
                                {.zones = zones,
                                 .source_type = "mysql",
                                 .source_timezone = "+8",
                                 .target_timezone = "+8",
                                 .target = std::move(target)},
                                made.problems);
  return made;
}

std::vector<std::string> run(const Made& made, Batch batch) {
  REQUIRE(made.problems.empty());
  made.pipeline->apply(batch);
  CHECK(batch.column_count() == made.pipeline->output()->size());
  for (std::size_t index = 0; index < batch.column_count(); ++index) {
    CHECK(batch.schema()[index].name == (*made.pipeline->output())[index].name);
    CHECK(batch.column(index).type() == (*made.pipeline->output())[index].type);
  }
  return lines_of(batch);
}

/// One value through a cast; "!" where it is refused.
std::string cast(const Type& from, const Type& to, const char* value, Lossy lossy = Lossy::error) {
  const Cast step("v", to, lossy);
  Batch batch = batch_of({{"v", from}}, {{nullptr}, {value}});
  try {
    step.apply(batch);
  } catch (const Error& error) {
    CHECK(error.kind() == FailureKind::conversion);
    CHECK(error.fields().column == "v");
    CHECK(error.fields().row == 1);
    CHECK((std::string(value).size() < 4 ||
           std::string(error.what()).find(value) == std::string::npos));
    return "!";
  }
  CHECK(batch.column(0).is_null(0));
  CHECK(batch.schema()[0].type == to);
  return text_of(batch.column(0), 1);
}

Type t(TypeKind kind) {
  return make_type(kind);
}

}  // namespace

TEST_CASE("a job without rules changes nothing and costs nothing", "[transform]") {
  const Schema schema{{"a", t(TypeKind::int32)}, {"b", text_type()}};
  const Made made = make(schema, {});
  CHECK(made.pipeline->identity());
  CHECK(made.pipeline->input() == made.pipeline->output());
  CHECK(run(made, batch_of(schema, {{"1", "x"}})) == std::vector<std::string>{"1|x"});
}

TEST_CASE("columns are chosen, renamed and copied", "[transform][select]") {
  const Schema schema{{"a", t(TypeKind::int32)}, {"b", text_type()}, {"c", text_type()}};
  const Batch batch = batch_of(schema, {{"1", "x", "y"}});
  CHECK(run(make(schema, {{.column = "n", .from = "b"}}), batch.slice(0, 1)) ==
        std::vector<std::string>{"1|x|y"});
  const Made both = make(schema, {{.column = "n", .from = "b"}, {.column = "b"}});
  CHECK(run(both, batch.slice(0, 1)) == std::vector<std::string>{"1|x|x|y"});
  CHECK(both.pipeline->origins()[1].column == "n");
  CHECK(both.pipeline->origins()[1].source_column == "b");

  JobSettings job;
  std::vector<std::string> problems;
  const auto some = make_pipeline(job, schema, {"c", "a"}, {.zones = zones}, problems);
  Batch two = batch.slice(0, 1);
  some->apply(two);
  CHECK(lines_of(two) == std::vector<std::string>{"y|1"});

  CHECK(make(schema, {{.column = "ghost"}}).problems.front() ==
        "columns.ghost: the source has no column ghost");
}

TEST_CASE("steps of a column come in their order", "[transform]") {
  const Schema schema{{"v", text_type(20)}};
  const Made made = make(schema, {{.column = "v",
                                   .type = t(TypeKind::int32),
                                   .trim = Trim::both,
                                   .default_value = "-1",
                                   .map = {{"one", "1"}, {"none", "0"}},
                                   .unmapped = Unmapped::null}});
  CHECK(run(made, batch_of(schema, {{" one "}, {"none"}, {"two"}, {nullptr}})) ==
        std::vector<std::string>{"1", "0", "-1", "-1"});
  CHECK_FALSE((*made.pipeline->output())[0].nullable);
  CHECK(made.pipeline->origins()[0].steps ==
        std::vector<std::string>{"trim both", "map 2 values, others NULL", "default for NULL",
                                 "type int32"});
}

TEST_CASE("trim takes blanks where it is told to", "[transform][trim]") {
  const Schema schema{{"v", text_type(9)}};
  const auto trimmed = [&](Trim side) {
    return run(make(schema, {{.column = "v", .trim = side}}),
               batch_of(schema, {{" \ta b\r\n "}, {"x"}, {"  "}, {nullptr}}));
  };
  CHECK(trimmed(Trim::both) == std::vector<std::string>{"a b", "x", "", "∅"});
  CHECK(trimmed(Trim::left) == std::vector<std::string>{"a b\r\n ", "x", "", "∅"});
  CHECK(trimmed(Trim::right) == std::vector<std::string>{" \ta b", "x", "", "∅"});
  CHECK(make({{"v", t(TypeKind::int32)}}, {{.column = "v", .trim = Trim::both}}).problems.size() ==
        1);
}

TEST_CASE("a map replaces, keeps, nulls or refuses", "[transform][map]") {
  const Schema schema{{"v", t(TypeKind::int32)}};
  const Batch batch = batch_of(schema, {{"1"}, {"7"}, {nullptr}});
  const auto mapped = [&](Unmapped unmapped) {
    return make(schema, {{.column = "v", .map = {{"1", "active"}}, .unmapped = unmapped}});
  };
  CHECK(run(mapped(Unmapped::keep), batch.slice(0, 3)) ==
        std::vector<std::string>{"active", "7", "∅"});
  CHECK(run(mapped(Unmapped::null), batch.slice(0, 3)) ==
        std::vector<std::string>{"active", "∅", "∅"});
  Batch refused = batch.slice(0, 3);
  try {
    mapped(Unmapped::error).pipeline->apply(refused);
    FAIL("an unmapped value was taken");
  } catch (const Error& error) {
    CHECK(error.fields().row == 1);
    CHECK(error.fields().column == "v");
    CHECK(error.error_class() == ErrorClass::data);
  }
}

TEST_CASE("a default stands in for NULL or for empty text", "[transform][default]") {
  const Schema schema{{"v", text_type()}};
  const Batch batch = batch_of(schema, {{""}, {nullptr}, {"x"}});
  CHECK(run(make(schema, {{.column = "v", .default_value = "d"}}), batch.slice(0, 3)) ==
        std::vector<std::string>{"", "d", "x"});
  CHECK(run(make(schema, {{.column = "v", .default_value = "d", .default_for = DefaultFor::empty}}),
            batch.slice(0, 3)) == std::vector<std::string>{"d", "∅", "x"});
  const Schema number{{"v", t(TypeKind::int8)}};
  CHECK(make(number, {{.column = "v", .default_value = "300"}}).problems.size() == 1);
  CHECK(make(number, {{.column = "v", .default_value = "", .default_for = DefaultFor::empty}})
            .problems.size() == 1);
}

TEST_CASE("local times become instants by their zone, and back", "[transform][timezone]") {
  const Schema local{{"v", time_type(TypeKind::timestamp)}};
  const Schema instant{{"v", time_type(TypeKind::instant)}};
  const auto value = [&](const char* text) { return batch_of(local, {{text}}); };
  const Made in = make(local, {{.column = "v", .source_timezone = "+8"}});
  CHECK(run(in, value("2024-02-01 08:00:00")) ==
        std::vector<std::string>{"2024-02-01 00:00:00+00"});
  // The connection's zone where a type or the target's column asks for an instant.
  CHECK(run(make(local, {{.column = "v", .type = time_type(TypeKind::instant)}}),
            value("2024-02-01 08:00:00")) == std::vector<std::string>{"2024-02-01 00:00:00+00"});
  CHECK(run(make(local, {}, instant), value("2024-02-01 08:00:00")) ==
        std::vector<std::string>{"2024-02-01 00:00:00+00"});
  CHECK(run(make(instant, {}, local), batch_of(instant, {{"2024-02-01 00:00:00+00"}})) ==
        std::vector<std::string>{"2024-02-01 08:00:00"});
  CHECK(make(local, {}, local).pipeline->identity());
  CHECK(make(local, {{.column = "v", .source_timezone = "Mars/Olympus"}}).problems.size() == 1);
  CHECK(make({{"v", text_type()}}, {{.column = "v", .source_timezone = "+8"}}).problems.size() ==
        1);
  Batch skipped = value("2024-01-01 00:30:00");
  try {
    in.pipeline->apply(skipped);
    FAIL("a skipped time was taken");
  } catch (const Error& error) {
    CHECK(error.fields().row == 0);
    CHECK(error.fields().column == "v");
  }
}

TEST_CASE("types of a whole job follow the source's own names", "[transform][type]") {
  const Schema schema{{"v", t(TypeKind::int8), true, "tinyint(1)"}, {"w", t(TypeKind::int8)}};
  const Made made = make(schema, {}, {}, {{"mysql:tinyint(1)", t(TypeKind::boolean)}});
  CHECK(run(made, batch_of(schema, {{"1", "1"}})) == std::vector<std::string>{"true|1"});
}

TEST_CASE("a type's name alone stands for it with any arguments", "[transform][type]") {
  const Schema schema{{"a", t(TypeKind::int8), true, "tinyint(1)"},
                      {"b", t(TypeKind::int8), true, "TINYINT(4)"},
                      {"c", t(TypeKind::uint8), true, "tinyint(3) unsigned"}};
  const Made made = make(schema, {}, {},
                         {{"mysql:tinyint(1)", t(TypeKind::boolean)},
                          {"mysql:tinyint", t(TypeKind::int32)},
                          {"mysql:tinyint unsigned", text_type()}});
  REQUIRE(made.problems.empty());
  const Schema& output = *made.pipeline->output();
  CHECK(output[0].type == t(TypeKind::boolean));
  CHECK(output[1].type == t(TypeKind::int32));
  CHECK(output[2].type == text_type());
}

TEST_CASE("integers are cast within their ranges", "[transform][cast]") {
  CHECK(cast(t(TypeKind::int64), t(TypeKind::int8), "-128") == "-128");
  CHECK(cast(t(TypeKind::int64), t(TypeKind::int8), "-129") == "!");
  CHECK(cast(t(TypeKind::int64), t(TypeKind::int8), "-129", Lossy::allow) == "!");
  CHECK(cast(t(TypeKind::int8), t(TypeKind::uint64), "-1") == "!");
  CHECK(cast(t(TypeKind::uint64), t(TypeKind::int64), "9223372036854775807") ==
        "9223372036854775807");
  CHECK(cast(t(TypeKind::uint64), t(TypeKind::int64), "9223372036854775808") == "!");
  CHECK(cast(t(TypeKind::int32), t(TypeKind::boolean), "1") == "true");
  CHECK(cast(t(TypeKind::int32), t(TypeKind::boolean), "2") == "!");
  CHECK(cast(t(TypeKind::boolean), t(TypeKind::int16), "true") == "1");
}

TEST_CASE("decimals and floats keep every digit or are refused", "[transform][cast]") {
  const Type money = decimal_type(5, 2);
  CHECK(cast(t(TypeKind::int32), money, "999") == "999");
  CHECK(cast(t(TypeKind::int32), money, "1000") == "!");
  CHECK(cast(decimal_type(12, 4), money, "12.3400") == "12.34");
  CHECK(cast(decimal_type(12, 4), money, "12.3401") == "!");
  CHECK(cast(decimal_type(12, 4), money, "12.3499", Lossy::allow) == "12.34");
  CHECK(cast(decimal_type(12, 4), money, "-0.0001", Lossy::allow) == "0.00");
  CHECK(cast(decimal_type(12, 4), money, "1234.0", Lossy::allow) == "!");
  CHECK(cast(decimal_type(12, 4), t(TypeKind::int32), "7.0000") == "7");
  CHECK(cast(decimal_type(12, 4), t(TypeKind::int32), "7.5") == "!");
  CHECK(cast(decimal_type(12, 4), t(TypeKind::int32), "-7.5", Lossy::allow) == "-7");
  CHECK(cast(decimal_type(20, 1), t(TypeKind::boolean), "1.0") == "true");
  CHECK(cast(decimal_type(20, 1), t(TypeKind::boolean), "10.0") == "!");
  CHECK(cast(t(TypeKind::float64), decimal_type(10, 3), "0.125") == "0.125");
  CHECK(cast(t(TypeKind::float64), t(TypeKind::int64), "1e+18") == "1000000000000000000");
  CHECK(cast(t(TypeKind::float64), t(TypeKind::int64), "NaN") == "!");
  CHECK(cast(t(TypeKind::float64), make_type(TypeKind::decimal), "NaN") == "NaN");
  CHECK(cast(decimal_type(20, 10), t(TypeKind::float64), "0.1") == "0.1");
  CHECK(cast(t(TypeKind::int64), t(TypeKind::float64), "9007199254740992") == "9007199254740992");
  CHECK(cast(t(TypeKind::int64), t(TypeKind::float64), "9007199254740993") == "!");
  CHECK(cast(t(TypeKind::float64), t(TypeKind::float32), "0.1") == "0.1");
  CHECK(cast(t(TypeKind::float64), t(TypeKind::float32), "0.12345678901234") == "!");
  CHECK(cast(t(TypeKind::float32), t(TypeKind::float64), "0.5") == "0.5");
}

TEST_CASE("text is cast as its database would read it", "[transform][cast]") {
  CHECK(cast(text_type(), t(TypeKind::int32), "-42") == "-42");
  CHECK(cast(text_type(), t(TypeKind::int32), "42x") == "!");
  CHECK(cast(text_type(), t(TypeKind::int32), "") == "!");
  CHECK(cast(text_type(), decimal_type(6, 2), "1.5") == "1.5");
  CHECK(cast(text_type(), t(TypeKind::uuid), "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11") ==
        "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11");
  CHECK(cast(text_type(), time_type(TypeKind::timestamp, 0), "2024-02-29T12:00:00") ==
        "2024-02-29 12:00:00");
  CHECK(cast(text_type(), time_type(TypeKind::timestamp, 0), "2024-02-29 12:00:00.5") == "!");
  CHECK(cast(text_type(), t(TypeKind::date), "2023-02-29") == "!");
  CHECK(cast(text_type(), text_type(3), "鸡🐔é") == "鸡🐔é");
  CHECK(cast(text_type(), text_type(2), "鸡🐔é") == "!");
  CHECK(cast(text_type(), text_type(2), "鸡🐔é", Lossy::allow) == "鸡🐔");
  CHECK(cast(t(TypeKind::int64), text_type(3), "1234") == "!");
  CHECK(cast(bytes_type(), text_type(), "c3a9") == "é");
  CHECK(cast(bytes_type(), text_type(), "ff00") == "!");
  CHECK(cast(bytes_type(16), t(TypeKind::uuid), "a0eebc999c0b4ef8bb6d6bb9bd380a11") ==
        "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11");
  CHECK(cast(bytes_type(16), t(TypeKind::uuid), "a0ee") == "!");
  CHECK(cast(t(TypeKind::uuid), bytes_type(16), "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11") ==
        "a0eebc999c0b4ef8bb6d6bb9bd380a11");
}

TEST_CASE("times keep their fractions or are refused", "[transform][cast]") {
  const Type fine = time_type(TypeKind::timestamp, 6);
  CHECK(cast(fine, time_type(TypeKind::timestamp, 3), "2024-01-01 00:00:00.123") ==
        "2024-01-01 00:00:00.123");
  CHECK(cast(fine, time_type(TypeKind::timestamp, 3), "2024-01-01 00:00:00.1239") == "!");
  CHECK(cast(fine, time_type(TypeKind::timestamp, 3), "1999-12-31 23:59:59.9999", Lossy::allow) ==
        "1999-12-31 23:59:59.999");
  CHECK(cast(fine, t(TypeKind::date), "1999-12-31 00:00:00") == "1999-12-31");
  CHECK(cast(fine, t(TypeKind::date), "1999-12-31 00:00:01") == "!");
  CHECK(cast(fine, t(TypeKind::date), "1999-12-31 23:00:00", Lossy::allow) == "1999-12-31");
  CHECK(cast(fine, t(TypeKind::date), "infinity") == "infinity");
  CHECK(cast(t(TypeKind::date), fine, "2024-02-29") == "2024-02-29 00:00:00");
  CHECK(cast(t(TypeKind::date), fine, "-infinity") == "-infinity");
}

TEST_CASE("what can't become another type is refused before it runs", "[transform][cast]") {
  CHECK_FALSE(can_cast(t(TypeKind::date), t(TypeKind::int32)));
  CHECK_FALSE(can_cast(t(TypeKind::uuid), t(TypeKind::int64)));
  CHECK_FALSE(can_cast(time_type(TypeKind::timestamp), time_type(TypeKind::instant)));
  CHECK_FALSE(can_cast(t(TypeKind::json), t(TypeKind::bytes)));
  CHECK(can_cast(t(TypeKind::json), text_type()));
  const Made made = make({{"v", t(TypeKind::uuid)}}, {{.column = "v", .type = t(TypeKind::date)}});
  REQUIRE(made.problems.size() == 1);
  CHECK(made.problems.front().find("uuid can't become date") != std::string::npos);
}

TEST_CASE("decimal text is cut and compared without limits", "[transform][decimal]") {
  std::string value = "123456789012345678901234567890.120";
  CHECK(cut_to_scale(value, 2));
  CHECK(value == "123456789012345678901234567890.12");
  CHECK_FALSE(cut_to_scale(value, 1));
  CHECK(value == "123456789012345678901234567890.1");
  CHECK(whole_digits("-0012.5") == 2);
  CHECK(whole_digits("0.5") == 0);
  CHECK(same_number("1.50", "1.5"));
  CHECK(same_number("-0.0", "0"));
  CHECK_FALSE(same_number("1.5", "-1.5"));
  CHECK(characters_of("鸡é") == 2);
  CHECK(first_characters("鸡éx", 2) == "鸡é");
}
