#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/connector.h"
#include "core/target.h"
#include "core/type.h"

namespace tidemark::sqlite {

// SQLite's declared types are names, from which it derives an affinity: what it turns values into
// that are put into the column. The logical type of a column follows from the name, for the names
// that have a settled meaning, and from the affinity for others. Where neither says what the values
// are, the column is native ("sqlite:GEOMETRY", "sqlite:any" without a name), and its values travel
// as SQL literals (any_value.h). Types that no affinity leaves alone are held under names of ours,
// which people can read and other programs can use:
//   DECIMAL_TEXT(p,s)  exact decimals as text (a DECIMAL column would make them binary floats)
//   JSON_TEXT          JSON as it came (a JSON column would turn "1.0" into 1)
//   DOUBLE_BLOB, FLOAT_BLOB  numbers kept bit for bit (a REAL column loses the sign of zero), and
//                      the text NaN, for which SQLite has no number; "BLOB" means: change nothing
//   ANY_BLOB           any value as it is: the "sqlite:any" of others
//   UNSIGNED64_BLOB    integers; above 2^63-1 as text of 20 digits, so that they sort behind
// Temporal values are ISO text, as SQLite's own functions read and write it; UTC where there is a
// zone. Anything else keeps the usual name.

enum class Affinity { integer, text, blob, real, numeric };

/// SQLite's own rules, applied in their order.
Affinity affinity_of(std::string_view declared) noexcept;

/// The declared name that changes no value, and the origin of a column that may hold any.
inline constexpr std::string_view any_declared = "ANY_BLOB";
inline constexpr std::string_view any_name = "any";

/// What a column holds by its declared type; kind native where the name leaves that open.
Type type_of(std::string_view declared);
/// The affinity of a native type's own name.
Affinity affinity_of(const Type& type) noexcept;
/// Any value, in any storage class: "sqlite:any".
Type any_type();

/// What CREATE TABLE gets. In a key, integers become INTEGER, which SQLite stores as the row's own
/// number.
std::string declared_type(const Type& type, bool in_key);

/// How a column of declared_type holds a type, where that is not plain: ColumnVerdict::note.
std::string note_of(const Type& type);

/// What happens to values of one type in a column of another.
struct Fit {
  Fidelity fidelity = Fidelity::lossless;
  std::string reason = {};
};
Fit fit_of(const Type& arriving, const Type& existing, Affinity affinity);

/// ConnectorInfo::types.
std::vector<TypeSample> type_samples();

/// Least and greatest value of an integer kind that fits an int64; uint64 ends at 2^63-1 here.
struct IntegerRange {
  std::int64_t least;
  std::int64_t greatest;
};
IntegerRange range_of(TypeKind kind) noexcept;

}  // namespace tidemark::sqlite
