#pragma once

#include <string_view>
#include <vector>

#include "connector/mysql/types.h"
#include "core/connector.h"

namespace tidemark::mysql {

/// Every type of MariaDB 10.11 and MySQL 8 by one column of it, through the same tables that
/// `describe` uses. Any thread.
std::vector<TypeSample> type_samples();

/// A column as the catalogue would describe one of this type: "decimal(12,2)", "int(10) unsigned".
NativeColumn column_of_type(std::string_view column_type);

}  // namespace tidemark::mysql
