#include "connector/memory/table.h"

#include <charconv>

#include "core/temporal.h"

namespace tidemark::memory {
namespace {

std::strong_ordering compare_decimals(std::string_view left, std::string_view right) {
  const bool left_negative = left.starts_with('-');
  if (left_negative != right.starts_with('-'))
    return left_negative ? std::strong_ordering::less : std::strong_ordering::greater;
  if (left_negative) {
    left.remove_prefix(1);
    right.remove_prefix(1);
    std::swap(left, right);
  }
  const auto split = [](std::string_view text) {
    const std::size_t point = text.find('.');
    std::string fraction(point == std::string_view::npos ? "" : text.substr(point + 1));
    fraction.erase(fraction.find_last_not_of('0') + 1);
    return std::pair(text.substr(0, point), fraction);
  };
  const auto [left_whole, left_fraction] = split(left);
  const auto [right_whole, right_fraction] = split(right);
  if (left_whole.size() != right_whole.size()) return left_whole.size() <=> right_whole.size();
  if (const int order = left_whole.compare(right_whole); order != 0) return order <=> 0;
  return left_fraction.compare(right_fraction) <=> 0;
}

double to_double(const std::string& text) {
  ColumnData column(make_type(TypeKind::float64));
  push_text(column, text);
  return column.at<double>(0);
}

std::size_t characters(std::string_view text) {
  std::size_t count = 0;
  for (const char c : text)
    count += (static_cast<unsigned char>(c) & 0xC0) != 0x80 ? 1 : 0;
  return count;
}

bool decimal_fits(const Type& type, std::string_view text) {
  if (type.precision == 0 || text == "NaN" || text.ends_with("Infinity"))
    return type.precision == 0;
  if (text.starts_with('-')) text.remove_prefix(1);
  const std::size_t point = text.find('.');
  std::string_view whole = text.substr(0, point);
  const std::size_t first = whole.find_first_not_of('0');
  whole = first == std::string_view::npos ? std::string_view{} : whole.substr(first);
  std::string_view fraction =
      point == std::string_view::npos ? std::string_view{} : text.substr(point + 1);
  while (fraction.ends_with('0'))
    fraction.remove_suffix(1);
  const auto scale = static_cast<std::size_t>(type.scale);
  return fraction.size() <= scale && whole.size() <= type.precision - scale;
}

/// Bits of value that an integer kind holds, sign apart.
int integer_bits(TypeKind kind) {
  const int bits = static_cast<int>(width_of(kind)) * 8;
  return is_signed_integer(kind) ? bits - 1 : bits;
}

}  // namespace

std::strong_ordering compare_cells(const Type& type, const Cell& left, const Cell& right) {
  if (!left || !right) return left.has_value() <=> right.has_value();
  switch (type.kind) {
    case TypeKind::date:
      return parse_date(*left) <=> parse_date(*right);
    case TypeKind::time:
      return parse_time(*left) <=> parse_time(*right);
    case TypeKind::timestamp:
      return parse_timestamp(*left) <=> parse_timestamp(*right);
    case TypeKind::instant:
      return parse_instant(*left) <=> parse_instant(*right);
    case TypeKind::float32:
    case TypeKind::float64: {
      const double a = to_double(*left);
      const double b = to_double(*right);
      if (a < b) return std::strong_ordering::less;
      return a > b ? std::strong_ordering::greater : std::strong_ordering::equal;
    }
    default:
      if (is_integer(type.kind) || type.kind == TypeKind::decimal)
        return compare_decimals(*left, *right);
      return left->compare(*right) <=> 0;
  }
}

void require_fit(const Type& type, std::string_view text, const Column& column, std::size_t row) {
  bool fits = true;
  try {
    ColumnData probe(type);
    push_text(probe, text);
    if (type.kind == TypeKind::decimal)
      fits = decimal_fits(type, probe.bytes_at(0));
    else if (type.kind == TypeKind::text && type.length > 0)
      fits = characters(text) <= type.length;
    else if (type.kind == TypeKind::bytes && type.length > 0)
      fits = text.size() / 2 <= type.length;
    else if (type.kind == TypeKind::time || type.kind == TypeKind::timestamp ||
             type.kind == TypeKind::instant)
      fits = floor_to_precision(probe.at<std::int64_t>(0), type.precision) ==
             probe.at<std::int64_t>(0);
  } catch (const Error&) {
    fits = false;
  }
  if (fits) return;
  throw Error({.kind = FailureKind::conversion,
               .message = "a value does not fit " + to_string(type),
               .operation = "write",
               .column = column.name,
               .row = row});
}

Fidelity fidelity(const Type& from, const Type& to) {
  if (is_integer(from.kind) && is_integer(to.kind)) {
    const bool sign_kept = is_signed_integer(to.kind) || !is_signed_integer(from.kind);
    return sign_kept && integer_bits(to.kind) >= integer_bits(from.kind) ? Fidelity::lossless
                                                                         : Fidelity::lossy;
  }
  if (from.kind != to.kind) {
    if (from.kind == TypeKind::float32 && to.kind == TypeKind::float64) return Fidelity::lossless;
    return Fidelity::impossible;
  }
  switch (from.kind) {
    case TypeKind::text:
    case TypeKind::bytes:
      return to.length == 0 || (from.length != 0 && from.length <= to.length) ? Fidelity::lossless
                                                                              : Fidelity::lossy;
    case TypeKind::decimal:
      if (to.precision == 0) return Fidelity::lossless;
      return from.precision != 0 && from.scale <= to.scale &&
                     from.precision - from.scale <= to.precision - to.scale
                 ? Fidelity::lossless
                 : Fidelity::lossy;
    case TypeKind::time:
    case TypeKind::timestamp:
    case TypeKind::instant:
      return from.precision <= to.precision ? Fidelity::lossless : Fidelity::lossy;
    case TypeKind::native:
      return from.origin == to.origin ? Fidelity::lossless : Fidelity::impossible;
    default:
      return Fidelity::lossless;
  }
}

bool RowKeyLess::operator()(const RowKey& left, const RowKey& right) const {
  for (std::size_t index = 0; index < types.size(); ++index) {
    const auto order = compare_cells(types[index], left.cells[index], right.cells[index]);
    if (order != 0) return order < 0;
  }
  return left.number < right.number;
}

Table::Table(TableShape shape) : shape_(std::move(shape)) {
  order_by_key();
}

void Table::order_by_key() {
  RowKeyLess less;
  for (const std::string& name : shape_.primary_key) {
    const std::size_t at = find_column(shape_.columns, name);
    if (at == npos)
      throw Error({.kind = FailureKind::schema,
                   .message = "the primary key names a column that the table does not have",
                   .column = name});
    key_at_.push_back(at);
    less.types.push_back(shape_.columns[at].type);
    shape_.columns[at].nullable = false;
  }
  rows_ = RowMap(less);
}

RowKey Table::key_of(const Row& row) {
  if (!keyed()) return {{}, next_number_++};
  RowKey key;
  for (const std::size_t at : key_at_)
    key.cells.push_back(row[at]);
  return key;
}

void Table::add_late_key() {
  if (shape_.pending_key.empty()) return;
  shape_.primary_key = std::exchange(shape_.pending_key, {});
  const RowMap as_they_came = std::move(rows_);
  order_by_key();
  for (const auto& [number, row] : as_they_came)
    rows_.emplace(key_of(*row), row);
}

void Table::apply(const Changes& changes) {
  for (const auto& [key, row] : changes) {
    // The table may have got its key since the row was written.
    if (row)
      rows_.insert_or_assign(keyed() && key.cells.empty() ? key_of(*row) : key, row);
    else
      rows_.erase(key);
  }
}

bool Table::clashes(const RowKey& key, const Row& row, const Changes& changes) const {
  const RowKeyLess less = this->less();
  for (const std::vector<std::string>& unique : shape_.unique) {
    std::vector<std::size_t> at;
    for (const std::string& name : unique)
      at.push_back(find_column(shape_.columns, name));
    const auto same = [&](const RowKey& other_key, const Row& other) {
      if (!less(key, other_key) && !less(other_key, key)) return false;
      for (const std::size_t index : at)
        if (!row[index] || row[index] != other[index]) return false;
      return true;
    };
    for (const auto& [other_key, other] : changes)
      if (other && same(other_key, *other)) return true;
    for (const auto& [other_key, other] : rows_)
      if (!changes.contains(other_key) && same(other_key, *other)) return true;
  }
  return false;
}

void Table::add_column(const Column& column) {
  shape_.columns.push_back(column);
  for (auto& [key, row] : rows_) {
    Row longer = *row;
    longer.emplace_back();
    row = std::make_shared<const Row>(std::move(longer));
  }
}

}  // namespace tidemark::memory
