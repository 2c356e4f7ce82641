#include "connector/postgres/dialect.h"

#include "connector/postgres/natives.h"
#include "connector/postgres/types.h"
#include "core/batch.h"
#include "core/error.h"

namespace tidemark::postgres {
namespace {

/// PostgreSQL cuts longer names without an error, and two of them could become one.
constexpr std::size_t max_name_bytes = 63;

bool is_jsonb(const Column& column) {
  return column.type.kind == TypeKind::json && column.native_type == "jsonb";
}

/// The literal's type, so that an index over the column is used; "" where the column's own type
/// must decide: unsigned numbers of 64 bits are numeric or xid8.
std::string_view type_of_literal(const Type& type) {
  switch (type.kind) {
    case TypeKind::boolean:
      return "boolean";
    case TypeKind::int8:
    case TypeKind::uint8:
    case TypeKind::int16:
      return "smallint";
    case TypeKind::uint16:
    case TypeKind::int32:
      return "integer";
    case TypeKind::uint32:
    case TypeKind::int64:
      return "bigint";
    case TypeKind::uint64:
      return "";
    case TypeKind::decimal:
      return "numeric";
    case TypeKind::float32:
      return "real";
    case TypeKind::float64:
      return "double precision";
    case TypeKind::date:
      return "date";
    case TypeKind::time:
      return "time";
    case TypeKind::timestamp:
      return "timestamp";
    case TypeKind::instant:
      return "timestamptz";
    case TypeKind::uuid:
      return "uuid";
    case TypeKind::json:
      return "jsonb";
    default:
      return "text";
  }
}

std::string interval_literal(const Value& value) {
  ColumnData parsed(value.type);
  push_value(parsed, value);
  const auto interval = parsed.at<Interval>(0);
  return "'" + std::to_string(interval.months) + " months " + std::to_string(interval.days) +
         " days " + std::to_string(interval.micros) + " microseconds'::interval";
}

ColumnVerdict verdict_of(const Column& column, std::string target_type, const Fit& fit) {
  return {.column = column.name,
          .target_type = std::move(target_type),
          .fidelity = fit.fidelity,
          .reason = fit.reason};
}

}  // namespace

const PostgresDialect& dialect() {
  static const PostgresDialect one;
  return one;
}

std::string PostgresDialect::quote(std::string_view identifier) const {
  const auto refuse = [](std::string message) {
    throw Error({.kind = FailureKind::schema, .message = std::move(message)});
  };
  if (identifier.empty()) refuse("a name is empty");
  if (identifier.find('\0') != std::string_view::npos) refuse("a name holds a NUL");
  if (identifier.size() > max_name_bytes)
    refuse("the name \"" + std::string(identifier) + "\" is longer than PostgreSQL's 63 bytes");
  std::string quoted = "\"";
  for (const char c : identifier) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + "\"";
}

std::string PostgresDialect::quote_text(std::string_view text) {
  std::string quoted = "'";
  for (const char c : text) {
    if (c == '\'') quoted += '\'';
    quoted += c;
  }
  return quoted + "'";
}

std::string PostgresDialect::list(const std::vector<std::string>& names,
                                  std::string_view before) const {
  std::string joined;
  for (const std::string& name : names)
    joined += (joined.empty() ? "" : ", ") + std::string(before) + quote(name);
  return joined;
}

std::string PostgresDialect::literal(const Value& value) const {
  if (value.null) return "NULL";
  switch (value.type.kind) {
    case TypeKind::text:
    case TypeKind::native: {
      if (value.text.find('\0') != std::string::npos)
        throw Error({.kind = FailureKind::conversion,
                     .message = "a text with a NUL has no place among PostgreSQL's"});
      // A constant of the default collation, which gives way to the column's. What a function makes
      // of a name, such as convert_from of an encoding's, compares under "C" instead, and rows come
      // in another order than that.
      const std::string text = quote_text(value.text) + "::text";
      const std::string_view own = own_name(value.type);
      if (!own.empty()) return from_text(own, text);
      return value.type.fixed ? text + "::bpchar" : text;
    }
    case TypeKind::bytes:
      return "'\\x" + value.text + "'::bytea";
    case TypeKind::interval:
      return interval_literal(value);
    default: {
      const std::string_view type = type_of_literal(value.type);
      return quote_text(value.text) + (type.empty() ? "" : "::" + std::string(type));
    }
  }
}

sql::Lexis PostgresDialect::lexis() const {
  return {.escape_strings = true, .dollar_quotes = true, .nested_comments = true};
}

ColumnVerdict PostgresDialect::native_column(const Column& column) const {
  const std::string_view own = own_name(column.type);
  const auto as_text = [&](std::string_view why) {
    return ColumnVerdict{
        .column = column.name, .target_type = "text", .note = "as text: " + std::string(why)};
  };
  if (own.empty()) {
    const std::string same = own_name_of(column.type);
    if (same.empty()) return as_text("PostgreSQL has no type that holds its values as they are");
    return {.column = column.name, .target_type = same};
  }
  if (const std::string_view reason = held_as_text(own); !reason.empty()) return as_text(reason);
  if (absent_.contains(std::string(own)))
    return as_text("this database has no type " + std::string(own) +
                   "; create it before the table is made to hold the values in it");
  return {.column = column.name, .target_type = std::string(own)};
}

ColumnVerdict PostgresDialect::column_type(const Column& column, bool in_key) const {
  if (column.type.kind == TypeKind::native) return native_column(column);
  auto wire = column_wire_type(column.type);
  if (!wire)
    return verdict_of(column, to_string(column.type),
                      {Fidelity::impossible, "PostgreSQL has no column type for it"});
  // What a column of PostgreSQL was, where the logical kind alone does not say it.
  if (is_jsonb(column)) wire->type = oid::jsonb;
  if (column.type.kind == TypeKind::uint64 && column.native_type == "xid8") *wire = {oid::xid8, -1};
  if (column.type.kind == TypeKind::uint32 && column.native_type == "oid") *wire = {oid::oid, -1};
  if (in_key && wire->type == oid::json)
    return verdict_of(column, "json", {Fidelity::impossible, "json can't be part of a key"});
  return verdict_of(column, native_name(*wire), fit(column.type, *wire, is_jsonb(column)));
}

ColumnVerdict PostgresDialect::fits(const Column& arriving, const Column& existing) const {
  auto wire = wire_type(existing.native_type);
  // A domain is known by its own name; `describe` gave the kind of the type below it.
  if (!wire && existing.type.kind != TypeKind::native) {
    wire = column_wire_type(existing.type);
    if (wire && wire->type == oid::json) wire->type = oid::jsonb;
  }
  // A type that has a logical kind, read in its text form because the user said so.
  const bool own_text = wire && !is_text(*wire) && arriving.type.kind == TypeKind::native;
  ColumnVerdict verdict = verdict_of(arriving, existing.native_type,
                                     own_text ? fit_native(arriving.type, existing.native_type)
                                     : wire   ? fit(arriving.type, *wire, is_jsonb(arriving))
                                              : fit_native(arriving.type, own_name(existing.type)));
  if (wire && !own_text && arriving.type.kind == TypeKind::native &&
      verdict.fidelity != Fidelity::impossible)
    verdict.note = "as text: the column is one";
  return verdict;
}

std::optional<std::string> PostgresDialect::widen(const TableName& name, const Column& existing,
                                                  std::string_view native_type) const {
  // A domain would lose its name and checks with its type.
  if (!wire_type(existing.native_type)) return std::nullopt;
  return "ALTER TABLE " + table(name) + " ALTER COLUMN " + quote(existing.name) + " TYPE " +
         std::string(native_type);
}

std::string PostgresDialect::differs(std::string_view left, std::string_view right,
                                     const std::vector<std::string>& columns) const {
  return "ROW(" + list(columns, std::string(left) + ".") + ")::record *<> ROW(" +
         list(columns, std::string(right) + ".") + ")::record";
}

}  // namespace tidemark::postgres
