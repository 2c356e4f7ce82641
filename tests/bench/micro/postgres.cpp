#include <string>
#include <vector>

#include "bench/micro/orders.h"
#include "connector/postgres/copy_decoder.h"
#include "connector/postgres/copy_encoder.h"

namespace tidemark::bench {
namespace {

std::vector<postgres::EncodedColumn> encoded_columns(const Batch& batch) {
  std::vector<postgres::EncodedColumn> columns;
  for (std::size_t at = 0; at < batch.column_count(); ++at) {
    const Column& column = batch.schema()[at];
    columns.push_back({.name = column.name,
                       .index = at,
                       .wire = postgres::column_wire_type(column.type).value()});
  }
  return columns;
}

void postgres_encode(benchmark::State& state) {
  const Batch batch = orders(batch_rows);
  postgres::CopyEncoder encoder(encoded_columns(batch), false);
  std::string out;
  for ([[maybe_unused]] auto round : state) {
    out.clear();
    for (std::size_t row = 0; row < batch.rows(); ++row)
      encoder.row(batch, row, out);
    benchmark::DoNotOptimize(out.data());
  }
  count(state, batch);
}

void postgres_decode(benchmark::State& state) {
  const Batch batch = orders(batch_rows);
  std::vector<postgres::WireType> wires;
  for (const auto& column : encoded_columns(batch))
    wires.push_back(column.wire);
  postgres::CopyEncoder encoder(encoded_columns(batch), false);
  std::vector<std::string> rows(batch.rows());
  for (std::size_t row = 0; row < rows.size(); ++row)
    encoder.row(batch, row, rows[row]);
  postgres::CopyDecoder decoder(wires);
  Batch back(batch.schema_ptr());
  for ([[maybe_unused]] auto round : state) {
    back.clear();
    for (const std::string& row : rows)
      decoder.row(row, back);
    benchmark::DoNotOptimize(back.bytes());
  }
  count(state, batch);
}

BENCHMARK(postgres_encode)->Unit(benchmark::kMillisecond);
BENCHMARK(postgres_decode)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace tidemark::bench
