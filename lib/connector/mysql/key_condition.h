#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "connector/mysql/dialect.h"
#include "connector/mysql/params.h"
#include "core/batch.h"

namespace tidemark::mysql {

/// How rows of a batch are found again in SQL. Any thread.

std::vector<std::string> names_of(const std::vector<WrittenColumn>& columns);
/// "left.`a` = right.`a` AND …" for all of `columns`.
std::string same(const MysqlDialect& dialect, const std::vector<std::string>& columns,
                 std::string_view left, std::string_view right);
/// Whether the row `s` has the key of one of `rows`.
std::string any_of(const MysqlDialect& dialect, const std::vector<WrittenColumn>& key,
                   const Batch& batch, std::span<const std::uint32_t> rows);
/// The first of `rows` about which `any` is true, when it is true about all together; `any` is
/// asked about halves.
std::uint32_t first_of(std::span<const std::uint32_t> rows,
                       const std::function<bool(std::span<const std::uint32_t>)>& any);

}  // namespace tidemark::mysql
