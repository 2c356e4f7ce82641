#pragma once

#include "core/target.h"
#include "core/type.h"

namespace tidemark::mysql {

/// What happens to values of `arriving` in a column that is there (sql::Dialect::fits). Any thread.
ColumnVerdict judge_fit(const Column& arriving, const Column& existing);

/// The number n of another connector's "postgres:bit(n)", whose texts are those of our BIT(n); 0
/// for any other type, and for more bits than BIT has.
unsigned foreign_bits(const Type& type);

}  // namespace tidemark::mysql
