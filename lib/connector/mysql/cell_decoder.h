#pragma once

#include <mysql.h>

#include "core/batch.h"

namespace tidemark::mysql {

/// A column of a binary result, as the server describes it.
struct WireField {
  enum_field_types type;
  bool is_unsigned = false;
  bool geometry = false;  ///< its bytes travel as hex
};

/// Takes one cell, which is not NULL, off a row's packet and moves `at` behind it. The client
/// library does not say where the packet ends: the server is trusted to send whole cells. Throws
/// Error{conversion} for what is no value of the column, without it. Any thread.
void decode_cell(const WireField& field, unsigned char** at, ColumnData& column);

}  // namespace tidemark::mysql
