#include "bench/micro/orders.h"

#include <memory>
#include <string>

#include "bench/data.h"
#include "core/value.h"

namespace tidemark::bench {

Batch orders(std::size_t rows) {
  using enum TypeKind;
  Batch batch(std::make_shared<const Schema>(Schema{{"id", make_type(int64), false},
                                                    {"customer_id", make_type(int32), false},
                                                    {"sku", text_type(20), false},
                                                    {"state", text_type(16), false},
                                                    {"quantity", make_type(int32), false},
                                                    {"amount", decimal_type(12, 2), false},
                                                    {"created_at", time_type(timestamp), false},
                                                    {"updated_at", time_type(instant), false},
                                                    {"note", text_type(400)}}));
  std::string line;
  for (std::size_t row = 1; row <= rows; ++row) {
    line.clear();
    append_row(line, row);
    line.pop_back();
    std::size_t at = 0;
    for (std::size_t column = 0; column < batch.column_count(); ++column) {
      const std::size_t end = std::min(line.find('\t', at), line.size());
      std::string cell = line.substr(at, end - at);
      at = end + 1;
      if (cell == "\\N")
        batch.column(column).push_null();
      else
        push_text(batch.column(column),
                  batch.schema()[column].name == "updated_at" ? cell + "+00" : cell);
    }
  }
  return batch;
}

void count(benchmark::State& state, const Batch& batch) {
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations() * batch.rows()));
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * batch.bytes()));
}

}  // namespace tidemark::bench
