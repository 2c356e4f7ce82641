#pragma once

#include <benchmark/benchmark.h>

#include "core/batch.h"

namespace tidemark::bench {

/// Rows of the table that scripts/bench moves, as one batch.
Batch orders(std::size_t rows);

inline constexpr std::size_t batch_rows = 10'000;

/// Shows a benchmark that went through `batch` in each round as rows and bytes a second.
void count(benchmark::State& state, const Batch& batch);

}  // namespace tidemark::bench
