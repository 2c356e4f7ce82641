#include "connector/sql/integer_kinds.h"
#include "connector/sqlite/types.h"

namespace tidemark::sqlite {
namespace {

bool is_float(TypeKind kind) {
  return kind == TypeKind::float32 || kind == TypeKind::float64;
}

Fit lossy(std::string reason) {
  return {Fidelity::lossy, std::move(reason)};
}
Fit impossible() {
  return {Fidelity::impossible, "the two types have no common values"};
}

Fit fit_integer(const Type& arriving, const Type& existing, Affinity affinity) {
  const bool boolean = arriving.kind == TypeKind::boolean;
  if (arriving.kind == TypeKind::uint64) {
    if (existing.kind == TypeKind::uint64 && affinity == Affinity::blob) return {};
    return lossy("numbers above 9223372036854775807 do not fit");
  }
  if (boolean) return {};
  const IntegerRange from = range_of(arriving.kind);
  const IntegerRange into = range_of(existing.kind);
  if (from.least >= into.least && from.greatest <= into.greatest) return {};
  return lossy("numbers outside of " + std::to_string(into.least) + " to " +
               std::to_string(into.greatest) + " do not fit");
}

Fit fit_decimal(const Type& arriving, const Type& existing, Affinity affinity) {
  int whole = arriving.precision - arriving.scale;
  int fraction = arriving.scale;
  const bool unlimited = arriving.kind == TypeKind::decimal && arriving.precision == 0;
  if (arriving.kind != TypeKind::decimal) {
    whole = sql::digits_of(arriving.kind);
    fraction = 0;
  }
  if (affinity != Affinity::text && (unlimited || whole + fraction > 15))
    return lossy("this column keeps binary floats: only 15 digits are exact");
  if (existing.precision == 0) return {};
  if (unlimited || whole > existing.precision - existing.scale || fraction > existing.scale)
    return lossy("not every such number has only " + std::to_string(existing.precision) +
                 " digits, " + std::to_string(existing.scale) + " of them behind the point");
  return {};
}

Fit fit_float(const Type& arriving, const Type& existing) {
  if (is_float(arriving.kind))
    return arriving.kind == TypeKind::float64 && existing.kind == TypeKind::float32
               ? lossy("not every double is a float")
               : Fit{};
  if (is_integer(arriving.kind))
    return sql::digits_of(arriving.kind) > (existing.kind == TypeKind::float64 ? 15 : 7)
               ? lossy("large whole numbers are not exact in binary floats")
               : Fit{};
  if (arriving.kind == TypeKind::decimal) return lossy("decimals are not exact in binary floats");
  return impossible();
}

Fit fit_length(const Type& arriving, const Type& existing, const char* unit) {
  if (existing.length == 0 || (arriving.length != 0 && arriving.length <= existing.length))
    return {};
  return lossy("values of more than " + std::to_string(existing.length) + " " + unit +
               " do not fit");
}

/// Values with their storage classes: they stay as they are where the affinity is that of the
/// column they come from, or none.
Fit fit_own(const Type& arriving, Affinity affinity) {
  if (affinity == Affinity::blob || affinity == affinity_of(arriving)) return {};
  return {Fidelity::impossible,
          "a column of this affinity changes values of other storage classes: declare it " +
              std::string(any_declared)};
}

/// A column whose declared type says nothing: the affinity alone decides what stays as it is.
Fit fit_open(const Type& arriving, Affinity affinity) {
  if (arriving.kind == TypeKind::bytes) return {};
  if (arriving.kind == TypeKind::uint64)
    return lossy("numbers above 9223372036854775807 do not fit");
  if (is_integer(arriving.kind) || arriving.kind == TypeKind::boolean) return {};
  if (is_float(arriving.kind))
    return affinity == Affinity::blob ? Fit{} : lossy("the column turns 1.0 into 1");
  if (affinity == Affinity::blob || affinity == Affinity::text) return {};
  return lossy("a column of numeric affinity turns text that looks like a number into one");
}

}  // namespace

Fit fit_of(const Type& arriving, const Type& existing, Affinity affinity) {
  const TypeKind from = arriving.kind;
  if (!native_name_in(arriving, "sqlite").empty()) return fit_own(arriving, affinity);
  switch (existing.kind) {
    case TypeKind::boolean:
      if (from == TypeKind::boolean) return {};
      return is_integer(from) ? lossy("only 0 and 1 fit") : impossible();
    case TypeKind::float32:
    case TypeKind::float64:
      return fit_float(arriving, existing);
    case TypeKind::decimal:
      return is_integer(from) || from == TypeKind::decimal
                 ? fit_decimal(arriving, existing, affinity)
                 : impossible();
    case TypeKind::text:
      if (from == TypeKind::bytes) return impossible();
      if (from == TypeKind::text || existing.length != 0)
        return fit_length(arriving, existing, "characters");
      return {};
    case TypeKind::bytes:
      return from == TypeKind::bytes ? fit_length(arriving, existing, "bytes") : impossible();
    case TypeKind::time:
    case TypeKind::timestamp:
    case TypeKind::instant:
      if (from != existing.kind) return impossible();
      return arriving.precision > existing.precision
                 ? lossy("more than " + std::to_string(existing.precision) +
                         " digits behind the second do not fit")
                 : Fit{};
    case TypeKind::json:
      return from == TypeKind::json ? Fit{} : impossible();
    case TypeKind::native:
      return fit_open(arriving, affinity);
    default:
      break;
  }
  if (is_integer(existing.kind))
    return is_integer(from) || from == TypeKind::boolean ? fit_integer(arriving, existing, affinity)
                                                         : impossible();
  return from == existing.kind ? Fit{} : impossible();
}

}  // namespace tidemark::sqlite
