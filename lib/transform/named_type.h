#pragma once

#include <string_view>

#include "core/settings.h"
#include "core/type.h"

namespace tidemark {

/// The user's word for the type of an output column: its rule's `type`, else the entry of `types`
/// for what the source's database calls the column's type, upper or lower case, or for its name
/// alone ("mysql:datetime" for each datetime(n)). nullptr: none.
/// `rule` may be nullptr.
const Type* named_type(const JobSettings& job, const ColumnRule* rule, std::string_view source_type,
                       const Column& source);

}  // namespace tidemark
