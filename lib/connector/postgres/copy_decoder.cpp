#include "connector/postgres/copy_decoder.h"

#include "connector/postgres/numeric.h"
#include "connector/postgres/wire.h"
#include "core/error.h"

namespace tidemark::postgres {
namespace {

constexpr std::string_view signature{"PGCOPY\n\377\r\n\0", 11};

[[noreturn]] void malformed(std::string_view what) {
  throw Error({.kind = FailureKind::internal,
               .message = "the server's COPY stream is not as described: " + std::string(what),
               .operation = "read",
               .hint = "A column may have changed its type during the read; run the job again."});
}

template <class T>
T take(std::string_view& rest) {
  if (rest.size() < sizeof(T)) malformed("a message ends within a field");
  const T value = read_big_endian<T>(rest.data());
  rest.remove_prefix(sizeof(T));
  return value;
}

template <class T>
void push_number(std::string_view bytes, ColumnData& column) {
  if (bytes.size() != sizeof(T)) malformed("a field has the wrong length");
  column.push(read_big_endian<T>(bytes.data()));
}

/// Blanks at the end of char(n) are padding and no part of the value (SQL, and the server's own
/// comparison).
std::string_view without_padding(std::string_view text) {
  const std::size_t last = text.find_last_not_of(' ');
  return text.substr(0, last == std::string_view::npos ? 0 : last + 1);
}

}  // namespace

std::string_view CopyDecoder::without_header(std::string_view message) {
  if (!message.starts_with(signature)) malformed("there is no header");
  message.remove_prefix(signature.size());
  const auto flags = take<std::uint32_t>(message);
  if ((flags & 0xFFFF0000U) != 0) malformed("unknown flags in the header");
  const auto extension = take<std::uint32_t>(message);
  if (message.size() < extension) malformed("a short header");
  message.remove_prefix(extension);
  return message;
}

bool CopyDecoder::is_trailer(std::string_view message) {
  return message.size() == 2 && read_big_endian<std::int16_t>(message.data()) == -1;
}

void CopyDecoder::row(std::string_view message, Batch& batch) {
  const auto count = take<std::int16_t>(message);
  if (count < 0 || static_cast<std::size_t>(count) != columns_.size())
    malformed("another number of columns");
  for (std::size_t index = 0; index < columns_.size(); ++index) {
    const auto size = take<std::int32_t>(message);
    ColumnData& column = batch.column(index);
    if (size < 0) {
      column.push_null();
      continue;
    }
    if (message.size() < static_cast<std::size_t>(size)) malformed("a message ends within a field");
    cell(columns_[index], message.substr(0, static_cast<std::size_t>(size)), column);
    message.remove_prefix(static_cast<std::size_t>(size));
  }
  if (!message.empty()) malformed("a message is longer than its row");
}

void CopyDecoder::cell(const WireType& wire, std::string_view bytes, ColumnData& column) {
  switch (wire.type) {
    case oid::boolean:
      return push_number<std::uint8_t>(bytes, column);
    case oid::int2:
      return push_number<std::int16_t>(bytes, column);
    case oid::int4:
      return push_number<std::int32_t>(bytes, column);
    case oid::int8:
      return push_number<std::int64_t>(bytes, column);
    case oid::oid:
      return push_number<std::uint32_t>(bytes, column);
    case oid::xid8:
      return push_number<std::uint64_t>(bytes, column);
    case oid::float4:
      return push_number<float>(bytes, column);
    case oid::float8:
      return push_number<double>(bytes, column);
    // The Batch counts dates and times as PostgreSQL does, infinities included.
    case oid::date:
      return push_number<std::int32_t>(bytes, column);
    case oid::time:
    case oid::timestamp:
    case oid::timestamptz:
      return push_number<std::int64_t>(bytes, column);
    case oid::interval:
      if (bytes.size() != 16) malformed("a field has the wrong length");
      return column.push(Interval{.months = read_big_endian<std::int32_t>(bytes.data() + 12),
                                  .days = read_big_endian<std::int32_t>(bytes.data() + 8),
                                  .micros = read_big_endian<std::int64_t>(bytes.data())});
    case oid::uuid: {
      Uuid uuid;
      if (bytes.size() != uuid.bytes.size()) malformed("a field has the wrong length");
      std::memcpy(uuid.bytes.data(), bytes.data(), bytes.size());
      return column.push(uuid);
    }
    case oid::numeric:
      if (!decode_numeric(bytes, decimal_)) malformed("a numeric can't be read");
      return column.push_bytes(decimal_);
    case oid::jsonb:
      if (bytes.empty() || bytes.front() != 1) malformed("an unknown version of jsonb");
      return column.push_bytes(bytes.substr(1));
    case oid::bpchar:
      return column.push_bytes(column.type().fixed ? without_padding(bytes) : bytes);
    default:
      return column.push_bytes(bytes);
  }
}

}  // namespace tidemark::postgres
