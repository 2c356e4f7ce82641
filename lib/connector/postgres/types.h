#pragma once

#include <libpq-fe.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/target.h"
#include "core/type.h"

namespace tidemark::postgres {

/// The built-in types that are carried in binary form, by the numbers that never change
/// (pg_type.dat).
namespace oid {
inline constexpr Oid boolean = 16;
inline constexpr Oid bytea = 17;
inline constexpr Oid int8 = 20;
inline constexpr Oid int2 = 21;
inline constexpr Oid int4 = 23;
inline constexpr Oid text = 25;
inline constexpr Oid oid = 26;
inline constexpr Oid json = 114;
inline constexpr Oid float4 = 700;
inline constexpr Oid float8 = 701;
inline constexpr Oid bpchar = 1042;
inline constexpr Oid varchar = 1043;
inline constexpr Oid date = 1082;
inline constexpr Oid time = 1083;
inline constexpr Oid timestamp = 1114;
inline constexpr Oid timestamptz = 1184;
inline constexpr Oid interval = 1186;
inline constexpr Oid numeric = 1700;
inline constexpr Oid uuid = 2950;
inline constexpr Oid jsonb = 3802;
inline constexpr Oid xid8 = 5069;
}  // namespace oid

/// What a column of PostgreSQL holds, as the wire and the catalogue know it.
struct WireType {
  Oid type = 0;
  int modifier = -1;
  friend bool operator==(const WireType&, const WireType&) = default;
};

/// The logical type; nullopt for a type that has none and travels as text (natives.h).
std::optional<Type> logical_type(const WireType& wire);
/// What format_type() prints for it: "numeric(12,2)", "timestamp(3) without time zone".
std::string native_name(const WireType& wire);
/// The inverse, for the spellings that native_name gives; nullopt for other types.
std::optional<WireType> wire_type(std::string_view native_name);

/// text, varchar or char.
bool is_text(const WireType& wire);
/// Limits in a modifier: characters, digits, fractional digits. 0 characters: none.
std::uint32_t length_limit(const WireType& wire);
unsigned fractional_digits(const WireType& wire);
/// Of a numeric with a modifier.
int numeric_precision(const WireType& wire);
int numeric_scale(const WireType& wire);

/// The type of CREATE TABLE that holds `type`, nullopt where there is none.
std::optional<WireType> column_wire_type(const Type& type);
/// What happens to values of `arriving` in a column of `wire`; copy_encoder.h does exactly this.
/// `from_jsonb`: the source is a jsonb already, so jsonb loses nothing.
struct Fit {
  Fidelity fidelity = Fidelity::lossless;
  std::string reason = {};
};
Fit fit(const Type& arriving, const WireType& wire, bool from_jsonb);
/// The same for a column whose type travels as text. What arrives with that type's name is in the
/// server's own form and comes back as it was; any other text is what the server makes of it.
Fit fit_native(const Type& arriving, std::string_view name);

}  // namespace tidemark::postgres
