#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "connector/mysql/params.h"
#include "core/batch.h"

namespace tidemark::mysql {

/// Row numbers of a batch with the last row of each key only, in their order. A key column whose
/// collation ignores trailing blanks (PAD SPACE) takes two keys that differ in those for one: that
/// is Error{constraint}, not a merge. NULL in a key is Error{constraint} too.
std::vector<std::uint32_t> last_of_each_key(const Batch& batch,
                                            const std::vector<WrittenColumn>& key);

/// All row numbers.
std::vector<std::uint32_t> every_row(const Batch& batch);

/// Whether the server compares the column's values as bytes, but perhaps for trailing blanks.
bool compares_bytes(const Type& type, const std::string& collation);
/// Whether its collation ignores trailing blanks.
bool pads_blanks(const WrittenColumn& column);

}  // namespace tidemark::mysql
