#include <chrono>
#include <cstring>
#include <numeric>
#include <string>
#include <vector>

#include "bench/micro/orders.h"
#include "connector/mysql/cell_decoder.h"
#include "connector/mysql/params.h"
#include "core/temporal.h"
#include "core/value.h"

namespace tidemark::bench {
namespace {

enum_field_types field_of(const Type& type) {
  switch (type.kind) {
    case TypeKind::int64:
      return MYSQL_TYPE_LONGLONG;
    case TypeKind::int32:
      return MYSQL_TYPE_LONG;
    case TypeKind::decimal:
      return MYSQL_TYPE_NEWDECIMAL;
    case TypeKind::timestamp:
      return MYSQL_TYPE_DATETIME;
    case TypeKind::instant:
      return MYSQL_TYPE_TIMESTAMP;
    default:
      return MYSQL_TYPE_VAR_STRING;
  }
}

template <typename T>
void append(std::string& packet, T value) {
  packet.append(reinterpret_cast<const char*>(&value), sizeof(value));
}

/// A moment as the binary protocol has it, with microseconds.
void append_moment(std::string& packet, std::int64_t micros) {
  const auto days = static_cast<std::int32_t>(micros / micros_per_day);
  const std::int64_t rest = micros % micros_per_day;
  const CivilDate date = civil_from_days(days);
  const std::int64_t seconds = rest / micros_per_second;
  packet += '\x0b';
  append(packet, static_cast<std::uint16_t>(date.year));
  packet += {static_cast<char>(date.month), static_cast<char>(date.day),
             static_cast<char>(seconds / 3600), static_cast<char>(seconds / 60 % 60),
             static_cast<char>(seconds % 60)};
  append(packet, static_cast<std::uint32_t>(rest % micros_per_second));
}

/// A cell that is not NULL, as a packet of the binary protocol has it.
void append_cell(std::string& packet, const ColumnData& column, std::size_t row) {
  switch (column.type().kind) {
    case TypeKind::int64:
      return append(packet, column.at<std::int64_t>(row));
    case TypeKind::int32:
      return append(packet, column.at<std::int32_t>(row));
    case TypeKind::timestamp:
    case TypeKind::instant:
      return append_moment(packet, column.at<std::int64_t>(row));
    default:
      break;
  }
  const std::string_view bytes = column.bytes_at(row);
  if (bytes.size() < 251) {
    packet += static_cast<char>(bytes.size());
  } else {
    packet += '\xfc';
    append(packet, static_cast<std::uint16_t>(bytes.size()));
  }
  packet += bytes;
}

void mysql_decode(benchmark::State& state) {
  const Batch batch = orders(batch_rows);
  std::vector<std::string> packets(batch.rows());
  for (std::size_t row = 0; row < packets.size(); ++row)
    for (std::size_t at = 0; at < batch.column_count(); ++at)
      if (!batch.column(at).is_null(row)) append_cell(packets[row], batch.column(at), row);
  std::vector<mysql::WireField> fields;
  for (const Column& column : batch.schema())
    fields.push_back({.type = field_of(column.type)});
  Batch back(batch.schema_ptr());
  for ([[maybe_unused]] auto round : state) {
    back.clear();
    for (std::size_t row = 0; row < packets.size(); ++row) {
      auto* at = reinterpret_cast<unsigned char*>(packets[row].data());
      for (std::size_t column = 0; column < fields.size(); ++column) {
        if (batch.column(column).is_null(row))
          back.column(column).push_null();
        else
          mysql::decode_cell(fields[column], &at, back.column(column));
      }
    }
    benchmark::DoNotOptimize(back.bytes());
  }
  count(state, batch);
}

/// What stands before a bulk bind: the checks, and the buffers.
void mysql_bind(benchmark::State& state) {
  const Batch batch = orders(batch_rows);
  std::vector<mysql::ParamColumn> columns;
  for (const Column& column : batch.schema()) {
    // DATETIME has no zone: instants are written in UTC.
    const Type existing =
        column.type.kind == TypeKind::instant ? time_type(TypeKind::timestamp) : column.type;
    columns.emplace_back(
        mysql::WrittenColumn{.name = column.name, .arriving = column.type, .existing = existing});
  }
  std::vector<std::uint32_t> rows(batch.rows());
  std::iota(rows.begin(), rows.end(), 0);
  for ([[maybe_unused]] auto round : state)
    for (std::size_t at = 0; at < columns.size(); ++at)
      columns[at].fill(batch.column(at), rows);
  count(state, batch);
}

BENCHMARK(mysql_decode)->Unit(benchmark::kMillisecond);
BENCHMARK(mysql_bind)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace tidemark::bench
