#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/type.h"

namespace tidemark::mysql {

/// A column as information_schema.COLUMNS describes it.
struct NativeColumn {
  std::string data_type;      ///< "varchar", lower case
  std::string column_type;    ///< "varchar(20)", "int(10) unsigned"
  std::uint32_t length = 0;   ///< CHARACTER_MAXIMUM_LENGTH of char and binary families
  unsigned precision = 0;     ///< NUMERIC_PRECISION
  int scale = 0;              ///< NUMERIC_SCALE
  unsigned fraction = 0;      ///< DATETIME_PRECISION
  std::string character_set;  ///< empty for what is not text
  std::string comment;
  bool json_check = false;  ///< MariaDB: JSON is LONGTEXT with a CHECK of json_valid
};

/// The logical type: kind native where there is no other (bit, enum, set, inet4, inet6, geometry);
/// nullopt for a type that is not known. Any thread.
std::optional<Type> logical_type(const NativeColumn& column);

}  // namespace tidemark::mysql
