#include <string>

#include "connector/postgres/natives.h"
#include "connector/postgres/types.h"
#include "connector/sql/integer_kinds.h"

namespace tidemark::postgres {
namespace {

Fit lossless() {
  return {};
}
Fit lossy(std::string reason) {
  return {Fidelity::lossy, std::move(reason)};
}
Fit impossible(std::string reason) {
  return {Fidelity::impossible, std::move(reason)};
}

/// Bits of magnitude that an integer kind needs.
int bits_of(TypeKind kind) {
  const int width = static_cast<int>(width_of(kind)) * 8;
  return is_signed_integer(kind) ? width - 1 : width;
}

Fit fit_integer(TypeKind kind, const WireType& wire) {
  const auto range = [&](int bits) {
    return bits_of(kind) <= bits ? lossless()
                                 : lossy("larger numbers are out of the column's range");
  };
  switch (wire.type) {
    case oid::int2:
      return range(15);
    case oid::int4:
      return range(31);
    case oid::int8:
      return range(63);
    case oid::float4:
      return bits_of(kind) <= 24 ? lossless() : lossy("real has 24 bits");
    case oid::float8:
      return bits_of(kind) <= 53 ? lossless() : lossy("double has 53 bits");
    case oid::oid:
      return is_signed_integer(kind) ? lossy("negative numbers are out of the column's range")
                                     : range(32);
    case oid::xid8:
      return is_signed_integer(kind) ? lossy("negative numbers are out of the column's range")
                                     : range(64);
    case oid::boolean:
      return lossy("only 0 and 1 are booleans");
    case oid::numeric: {
      if (wire.modifier < 0) return lossless();
      const int whole = numeric_precision(wire) - numeric_scale(wire);
      if (numeric_scale(wire) < 0) return lossy("the column rounds whole numbers");
      return whole >= sql::digits_of(kind) ? lossless()
                                           : lossy("larger numbers are out of the column's range");
    }
    default:
      return impossible("a number does not become " + native_name(wire));
  }
}

Fit fit_decimal(const Type& type, const WireType& wire) {
  switch (wire.type) {
    case oid::numeric: {
      if (wire.modifier < 0) return lossless();
      if (type.precision == 0) return lossy("the column limits digits, the source does not");
      const int scale = numeric_scale(wire);
      const int whole = numeric_precision(wire) - scale;
      if (scale < type.scale) return lossy("the column has fewer digits behind the point");
      return whole < type.precision - type.scale ? lossy("the column has fewer digits in all")
                                                 : lossless();
    }
    case oid::int2:
    case oid::int4:
    case oid::int8:
      return lossy("the column holds whole numbers within its range only");
    case oid::float8:
      return lossy("double precision rounds decimals");
    default:
      return impossible("a decimal does not become " + native_name(wire));
  }
}

Fit fit_text(const Type& type, const WireType& wire) {
  if (wire.type != oid::text && wire.type != oid::varchar && wire.type != oid::bpchar)
    return impossible("text becomes " + native_name(wire) +
                      " only by an explicit `type` of the column");
  const std::uint32_t limit = length_limit(wire);
  if (limit != 0 && (type.length == 0 || type.length > limit))
    return lossy("longer texts than " + std::to_string(limit) + " characters do not fit");
  if (wire.type == oid::bpchar && !type.fixed) return lossy("character drops blanks at the end");
  return lossless();
}

Fit fit_temporal(const Type& type, const WireType& wire) {
  const auto digits = [&] {
    return fractional_digits(wire) >= type.precision
               ? lossless()
               : lossy("the column has fewer digits of a second");
  };
  if (type.kind == TypeKind::date && wire.type == oid::date) return lossless();
  if (type.kind == TypeKind::date && wire.type == oid::timestamp) return lossless();
  if (type.kind == TypeKind::time && wire.type == oid::time) return digits();
  if (type.kind == TypeKind::timestamp && wire.type == oid::timestamp) return digits();
  if (type.kind == TypeKind::instant && wire.type == oid::timestamptz) return digits();
  if (type.kind == TypeKind::timestamp && wire.type == oid::timestamptz)
    return impossible(
        "a timestamp without zone becomes an instant only by an explicit "
        "`type: timestamptz` of the column, which says in which zone it was");
  if (type.kind == TypeKind::instant && wire.type == oid::timestamp)
    return impossible(
        "an instant becomes a timestamp without zone only by an explicit "
        "`type: timestamp` of the column, which says in which zone it will be");
  return impossible(std::string(to_string(type.kind)) + " does not become " + native_name(wire));
}

}  // namespace

Fit fit(const Type& arriving, const WireType& wire, bool from_jsonb) {
  const bool plain_text =
      wire.type == oid::text || (wire.type == oid::varchar && wire.modifier < 0);
  if (arriving.kind != TypeKind::bytes && plain_text) return lossless();
  switch (arriving.kind) {
    case TypeKind::boolean:
      if (wire.type == oid::boolean || wire.type == oid::int2 || wire.type == oid::int4 ||
          wire.type == oid::int8)
        return lossless();
      return impossible("a boolean does not become " + native_name(wire));
    case TypeKind::int8:
    case TypeKind::int16:
    case TypeKind::int32:
    case TypeKind::int64:
    case TypeKind::uint8:
    case TypeKind::uint16:
    case TypeKind::uint32:
    case TypeKind::uint64:
      return fit_integer(arriving.kind, wire);
    case TypeKind::float32:
      if (wire.type == oid::float4 || wire.type == oid::float8) return lossless();
      return impossible("a float does not become " + native_name(wire));
    case TypeKind::float64:
      if (wire.type == oid::float8) return lossless();
      if (wire.type == oid::float4) return lossy("real has fewer digits");
      return impossible("a float does not become " + native_name(wire));
    case TypeKind::decimal:
      return fit_decimal(arriving, wire);
    case TypeKind::text:
      return fit_text(arriving, wire);
    case TypeKind::bytes:
      return wire.type == oid::bytea ? lossless()
                                     : impossible("bytes do not become " + native_name(wire));
    case TypeKind::date:
    case TypeKind::time:
    case TypeKind::timestamp:
    case TypeKind::instant:
      return fit_temporal(arriving, wire);
    case TypeKind::interval:
      return wire.type == oid::interval
                 ? lossless()
                 : impossible("an interval does not become " + native_name(wire));
    case TypeKind::uuid:
      return wire.type == oid::uuid ? lossless()
                                    : impossible("a uuid does not become " + native_name(wire));
    case TypeKind::json:
      if (wire.type == oid::json || (wire.type == oid::jsonb && from_jsonb)) return lossless();
      if (wire.type == oid::jsonb)
        return lossy("jsonb keeps neither blanks nor the order of keys nor repeated keys");
      return impossible("json does not become " + native_name(wire));
    case TypeKind::native:
      if (wire.type == oid::varchar || wire.type == oid::bpchar) return fit_text(text_type(), wire);
      break;
  }
  return impossible(to_string(arriving) + " becomes " + native_name(wire) +
                    " only by an explicit `type` of the column");
}

Fit fit_native(const Type& arriving, std::string_view name) {
  const bool text = arriving.kind == TypeKind::text;
  if (!text && arriving.kind != TypeKind::native)
    return impossible(to_string(arriving) + " becomes " + std::string(name) +
                      " only by an explicit `type: \"postgres:" + std::string(name) +
                      "\"` of the column");
  std::string own(own_name(arriving));
  if (own.empty()) own = own_name_of(arriving);
  const std::string bare = without_limits(own);
  if (!own.empty() && (own == name || bare == name)) return lossless();
  if (bare == "bit" && name == "bit varying") return lossless();
  return lossy("the server writes it in its own form; `type: \"postgres:" + std::string(name) +
               "\"` says that it is in that form already");
}

}  // namespace tidemark::postgres
