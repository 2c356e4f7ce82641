// Checkpoints, definitions, digests and cursor arithmetic.
#include <catch2/catch.hpp>

#include "core/error.h"
#include "sync/checkpoint.h"
#include "sync/cursor_value.h"
#include "sync/definition.h"
#include "sync/digest.h"
#include "sync/job_plan.h"
#include "sync/key_filter.h"
#include "sync/name_pattern.h"
#include "sync/seen_rows.h"

using namespace tidemark;
using std::chrono::hours;
using std::chrono::minutes;

namespace {

const Type instant = time_type(TypeKind::instant);

Checkpoint full_checkpoint() {
  Checkpoint checkpoint;
  checkpoint.definition = "abc";
  checkpoint.epoch = 3;
  checkpoint.revision = 41;
  checkpoint.reached =
      Position{Value::of(instant, "2024-02-29 12:00:00.123456+00"),
               {Value::of(make_type(TypeKind::uint64), "18446744073709551615"),
                Value::of(text_type(20), "a\"b\\鸡"), Value::of(decimal_type(12, 2), "-12.50"),
                Value::of(bytes_type(4), "00ff")}};
  checkpoint.settled = Value::of(instant, "2024-02-29 11:00:00+00");
  HorizonToken token;
  token.proof = ProofKind::transactions;
  token.mark = Value::of(instant, "2024-02-29 12:30:00+00");
  token.server = "s/1";
  token.state = "1,2";
  token.sampled = WallTime(Duration(1'700'000'000'000'001));
  checkpoint.tokens = {token, token};
  checkpoint.identity = "server 7";
  checkpoint.proof = ProofKind::single_writer;
  checkpoint.initial_done = true;
  checkpoint.ranged_load = RangedLoad{.token = token, .settled = true, .key = {"a", "b\""}};
  checkpoint.backfill = true;
  checkpoint.fresh_as_of = WallTime(Duration(5));
  checkpoint.source_clock = WallTime(Duration(-5));
  return checkpoint;
}

JobSettings some_job() {
  JobSettings job;
  job.name = JobName("j");
  job.source_connection = ConnectionName("a");
  job.target_connection = ConnectionName("b");
  job.source_table = TableName{"s", "t"};
  job.target_table = {"", "u"};
  job.cursor = CursorSettings{.column = "c", .source = "c"};
  return job;
}

}  // namespace

TEST_CASE("a checkpoint comes back as it was", "[sync][checkpoint]") {
  const Checkpoint checkpoint = full_checkpoint();
  const CheckpointRecord record = encode(checkpoint);
  CHECK(decode(record) == checkpoint);
  CHECK(record.reached.find('\n') == std::string::npos);
  CHECK(decode(encode(Checkpoint{})) == Checkpoint{});
  CHECK(decode_position(encode_position(*checkpoint.reached)) == *checkpoint.reached);
}

TEST_CASE("a checkpoint that is not as it was written is refused and not quoted",
          "[sync][checkpoint]") {
  const CheckpointRecord good = encode(full_checkpoint());
  const auto refused = [&](auto&& change) {
    CheckpointRecord bad = good;
    change(bad);
    try {
      decode(bad);
      FAIL("it was taken");
    } catch (const Error& error) {
      CHECK(error.kind() == FailureKind::position_lost);
      CHECK(std::string(error.what()).find("server 7") == std::string::npos);
    }
  };
  const auto replace = [](std::string& text, const std::string& from, const std::string& to) {
    const std::size_t at = text.find(from);
    REQUIRE(at != std::string::npos);
    text.replace(at, from.size(), to);
  };
  refused([](auto& bad) { bad.epoch = 0; });
  refused([](auto& bad) { bad.revision = -1; });
  refused([](auto& bad) { bad.reached.pop_back(); });
  refused([](auto& bad) { bad.reached = "null"; });
  refused([](auto& bad) { bad.settled = R"({"type":{"kind":"text"},"text":"x"})"; });
  refused([](auto& bad) { bad.settled = R"({"type":{"kind":"int64"}})"; });
  refused([](auto& bad) { bad.details = "{}"; });
  refused([](auto& bad) { bad.details.clear(); });
  refused([&](auto& bad) { replace(bad.reached, "2024-02-29", "2023-02-29"); });
  refused([&](auto& bad) { replace(bad.reached, "uint64", "uint63"); });
  refused([&](auto& bad) { replace(bad.reached, "\"key\"", "\"kex\""); });
  refused([&](auto& bad) { replace(bad.details, "single-writer", "hearsay"); });
  refused([&](auto& bad) { replace(bad.details, "{", "{\"extra\":1,"); });
  refused([&](auto& bad) { replace(bad.details, "\"initial_done\":true", "\"initial_done\":1"); });
  refused([&](auto& bad) { replace(bad.tokens, "1700000000000001", "1e99"); });
  refused([&](auto& bad) { replace(bad.tokens, "1700000000000001", "18446744073709551615"); });
  refused([](auto& bad) { bad.tokens = "[" + std::string(100000, '['); });
}

TEST_CASE("bounds of key ranges come back as they were", "[sync][checkpoint]") {
  const std::vector<Value> key = full_checkpoint().reached->key;
  CHECK(decode_key(encode_key(key)) == key);
  CHECK(encode_key({}).empty());
  CHECK(decode_key("").empty());
  for (const char* text : {"{}", "[1]", "[{\"text\":\"x\"}]", "["})
    CHECK_THROWS_AS(decode_key(text), Error);
}

TEST_CASE("a definition is what a job means, however it is written", "[sync][definition]") {
  const JobSettings job = some_job();
  const std::string hash = definition_hash(job);
  CHECK(hash.size() == 64);
  const auto same = [&](auto&& change) {
    JobSettings other = job;
    change(other);
    return definition_hash(other) == hash;
  };
  CHECK(same([](auto& other) { other.source_connection = ConnectionName("x"); }));
  CHECK(same([](auto& other) { other.name = JobName("renamed"); }));
  CHECK(same([](auto& other) { other.columns = {{.column = "v"}}; }));
  CHECK(same([](auto& other) { other.cursor->safety = Safety::lookback; }));
  CHECK_FALSE(same([](auto& other) { other.source_table->name = "x"; }));
  CHECK_FALSE(same([](auto& other) { other.source_where = "a"; }));
  CHECK_FALSE(same([](auto& other) { other.key = {{"id", "id"}}; }));
  CHECK_FALSE(same([](auto& other) { other.cursor->source = "d"; }));
  CHECK_FALSE(same([](auto& other) { other.cursor->start = "1"; }));
  CHECK_FALSE(same([](auto& other) { other.mode = Mode::full; }));
  CHECK_FALSE(same([](auto& other) { other.write = WriteMode::append; }));
  CHECK_FALSE(same([](auto& other) { other.target_table.schema = "x"; }));
  CHECK_FALSE(same([](auto& other) { other.scope = {{"a", "b"}}; }));
  // Fields are framed: moving text from one to the next is another definition.
  CHECK_FALSE(same([](auto& other) { other.source_table = TableName{"", "st"}; }));
}

TEST_CASE("SQL is compared without comments and layout", "[sync][definition]") {
  CHECK(normalised_sql(" SELECT a,\n\tb -- why\nFROM t /* x */ WHERE c = 'a  b' ;\n") ==
        "SELECT a, b FROM t WHERE c = 'a  b'");
  CHECK(normalised_sql("a'--'b") == "a'--'b");
  CHECK(normalised_sql("a \"/* \" b") == "a \"/* \" b");
  CHECK(normalised_sql("a /* open") == "a");
  CHECK(normalised_sql("a 'open") == "a 'open");
}

TEST_CASE("hashes agree with their published test vectors", "[sync][digest]") {
  CHECK(sha256_hex("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(hmac_sha256_hex("Jefe", "what do ya want for nothing?") ==
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  const DigestKey key{0x0706050403020100ULL, 0x0f0e0d0c0b0a0908ULL};
  CHECK(siphash("", key) == Digest{0xe6a825ba047f81a3ULL, 0x930255c71472f66dULL});
  const std::string bytes{"\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e", 15};
  CHECK(siphash(bytes, key) == Digest{0x11a8b03399e99354ULL, 0xd9c3cf970fec087eULL});
}

TEST_CASE("a digest tells NULL, empty text and neighbours apart", "[sync][digest]") {
  Batch batch(std::make_shared<const Schema>(Schema{{"a", text_type()}, {"b", text_type()}}));
  for (const auto& [a, b] : std::vector<std::pair<const char*, const char*>>{
           {"x0", "y"}, {"x", "0y"}, {"", nullptr}, {nullptr, ""}, {nullptr, nullptr}, {"", ""}}) {
    a == nullptr ? batch.column(0).push_null() : batch.column(0).push_bytes(a);
    b == nullptr ? batch.column(1).push_null() : batch.column(1).push_bytes(b);
  }
  std::string scratch;
  for (std::size_t left = 0; left < batch.rows(); ++left)
    for (std::size_t right = 0; right < batch.rows(); ++right)
      CHECK((digest_row(batch, left, {0, 1}, {1, 2}, scratch) ==
             digest_row(batch, right, {0, 1}, {1, 2}, scratch)) == (left == right));
}

TEST_CASE("what is remembered of rows is forgotten in time", "[sync][digest]") {
  Batch batch(std::make_shared<const Schema>(Schema{{"k", make_type(TypeKind::int64)}}));
  for (std::int64_t row = 0; row < 6000; ++row)
    batch.column(0).push(row);
  SeenRows seen({1, 2});
  seen.written(batch, {0}, batch.rows());
  CHECK(seen.empty());
  seen.written(batch, {0}, 5990);
  CHECK(seen.unknown(batch, {0}).size() == 5990);
  seen.next_generation();
  seen.next_generation();
  CHECK(seen.empty());
  seen.written(batch, {0}, 0);
  seen.written(batch, {0}, 0);  // past the bound
  CHECK(seen.empty());
  CHECK(seen.unknown(batch, {0}).size() == batch.rows());
}

TEST_CASE("cursor values are moved back within their type", "[sync][cursor]") {
  const auto back = [](const Type& type, const char* text, auto distance) {
    return minus(Value::of(type, text), distance).text;
  };
  CHECK(back(instant, "2024-03-01 00:00:00+00", minutes(1)) == "2024-02-29 23:59:00+00");
  CHECK(back(time_type(TypeKind::timestamp, 0), "2024-03-01 00:00:00", Duration(1)) ==
        "2024-02-29 23:59:59");
  CHECK(back(make_type(TypeKind::date), "2024-03-01", hours(1)) == "2024-02-29");
  CHECK(back(make_type(TypeKind::date), "858045-02-15", hours(1)) == "858045-02-14");
  CHECK(back(make_type(TypeKind::date), "5874897-12-31", hours(24)) == "5874897-12-30");
  CHECK(back(instant, "infinity", hours(1)) == "infinity");
  CHECK(back(make_type(TypeKind::int64), "10", std::uint64_t{3}) == "7");
  CHECK(back(make_type(TypeKind::int64), "10", std::uint64_t{30}) == "-20");
  CHECK(back(make_type(TypeKind::int8), "-120", std::uint64_t{30}) == "-128");
  CHECK(back(make_type(TypeKind::uint64), "18446744073709551615", std::uint64_t{5}) ==
        "18446744073709551610");
  CHECK(back(make_type(TypeKind::uint32), "3", std::uint64_t{5}) == "0");
  CHECK(back(decimal_type(38, 0), "100000000000000000000000000000", std::uint64_t{1}) ==
        "99999999999999999999999999999");
  CHECK(back(decimal_type(38, 0), "-99999999999999999999", std::uint64_t{1}) ==
        "-100000000000000000000");
  CHECK_FALSE(wall_time_of(Value::of(instant, "infinity")));
  CHECK_FALSE(wall_time_of(Value::of(make_type(TypeKind::int64), "1")));
  CHECK(wall_time_of(Value::of(instant, "1970-01-01 00:00:01+00")) ==
        WallTime(Duration(1'000'000)));
}

TEST_CASE("rows below a mark are counted without looking at each", "[sync][cursor]") {
  ColumnData column(make_type(TypeKind::int64));
  for (const std::int64_t value : {1, 3, 3, 3, 7, 9})
    column.push(value);
  const auto value = [](const char* text) { return Value::of(make_type(TypeKind::int64), text); };
  CHECK(count_below(column, value("0"), true) == 0);
  CHECK(count_below(column, value("3"), false) == 1);
  CHECK(count_below(column, value("3"), true) == 4);
  CHECK(count_below(column, value("8"), false) == 5);
  CHECK(count_below(column, value("9"), true) == 6);
}

TEST_CASE("name patterns know star and question mark", "[sync][plan]") {
  CHECK(matches_pattern("internal_note", "internal_*"));
  CHECK(matches_pattern("abc", "a?c"));
  CHECK(matches_pattern("aXbXc", "a*b*c"));
  CHECK(matches_pattern("", "*"));
  CHECK_FALSE(matches_pattern("abc", "ab"));
  CHECK_FALSE(matches_pattern("abc", "a*d"));
  CHECK_FALSE(matches_pattern("ABC", "abc"));
}

TEST_CASE("durations are written as the configuration writes them", "[sync][plan]") {
  CHECK(duration_text(minutes(15)) == "15m");
  CHECK(duration_text(minutes(90)) == "90m");
  CHECK(duration_text(hours(48)) == "2d");
  CHECK(duration_text(std::chrono::milliseconds(500)) == "500ms");
  CHECK(duration_text(Duration(7)) == "7us");
  CHECK(duration_text(Duration(0)) == "0s");
}
