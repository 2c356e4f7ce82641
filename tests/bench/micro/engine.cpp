#include <map>
#include <string>
#include <vector>

#include "bench/micro/orders.h"
#include "core/transform.h"
#include "sync/checkpoint.h"
#include "sync/digest.h"
#include "transform/cast.h"
#include "transform/default.h"
#include "transform/map.h"
#include "transform/trim.h"

namespace tidemark::bench {
namespace {

/// A transform changes its batch: each round gets another copy, made while the clock stands.
void transform_batches(benchmark::State& state, const Transform& transform) {
  const Batch batch = orders(batch_rows);
  for ([[maybe_unused]] auto round : state) {
    state.PauseTiming();
    Batch copy = batch.slice(0, batch.rows());
    state.ResumeTiming();
    transform.apply(copy);
    benchmark::DoNotOptimize(copy.bytes());
  }
  count(state, batch);
}

void transform_trim(benchmark::State& state) {
  transform_batches(state, TrimText("note", Trim::both));
}

void transform_default(benchmark::State& state) {
  transform_batches(state, DefaultValue("note", "-", DefaultFor::null));
}

void transform_map(benchmark::State& state) {
  transform_batches(state, MapValues("state", {{"open", "O"}, {"paid", "P"}}, Unmapped::keep));
}

void transform_cast(benchmark::State& state) {
  transform_batches(state, Cast("amount", text_type(), Lossy::error));
}

void digest_rows(benchmark::State& state) {
  const Batch batch = orders(batch_rows);
  std::vector<std::size_t> columns;
  for (std::size_t at = 0; at < batch.column_count(); ++at)
    columns.push_back(at);
  std::string scratch;
  for ([[maybe_unused]] auto round : state)
    for (std::size_t row = 0; row < batch.rows(); ++row)
      benchmark::DoNotOptimize(digest_row(batch, row, columns, {1, 2}, scratch));
  count(state, batch);
}

void digest_keys(benchmark::State& state) {
  const Batch batch = orders(batch_rows);
  std::string scratch;
  for ([[maybe_unused]] auto round : state)
    for (std::size_t row = 0; row < batch.rows(); ++row)
      benchmark::DoNotOptimize(digest_row(batch, row, {0}, {1, 2}, scratch));
  count(state, batch);
}

/// As a job has it between two runs: a position and the open tokens.
Checkpoint checkpoint() {
  const Value mark = Value::of(time_type(TypeKind::instant), "2026-03-01 12:00:00.123456+00");
  Checkpoint checkpoint;
  checkpoint.definition = "v1:0123456789abcdef";
  checkpoint.reached =
      Position{.cursor = mark, .key = {Value::of(make_type(TypeKind::int64), "1234567")}};
  checkpoint.settled = mark;
  checkpoint.identity = "7312345678901234567";
  checkpoint.initial_done = true;
  return checkpoint;
}

void checkpoint_encode(benchmark::State& state) {
  const Checkpoint value = checkpoint();
  for ([[maybe_unused]] auto round : state)
    benchmark::DoNotOptimize(encode(value));
}

void checkpoint_decode(benchmark::State& state) {
  const CheckpointRecord record = encode(checkpoint());
  for ([[maybe_unused]] auto round : state)
    benchmark::DoNotOptimize(decode(record));
}

BENCHMARK(transform_trim)->Unit(benchmark::kMillisecond);
BENCHMARK(transform_default)->Unit(benchmark::kMillisecond);
BENCHMARK(transform_map)->Unit(benchmark::kMillisecond);
BENCHMARK(transform_cast)->Unit(benchmark::kMillisecond);
BENCHMARK(digest_rows)->Unit(benchmark::kMillisecond);
BENCHMARK(digest_keys)->Unit(benchmark::kMillisecond);
BENCHMARK(checkpoint_encode)->Unit(benchmark::kMicrosecond);
BENCHMARK(checkpoint_decode)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace tidemark::bench
