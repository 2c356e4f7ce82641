// PostgreSQL's binary COPY: any bytes are a row or refused, and a row comes back as it was.
#include <array>

#include "connector/postgres/copy_decoder.h"
#include "connector/postgres/copy_encoder.h"
#include "connector/postgres/natives.h"
#include "connector/postgres/numeric.h"
#include "connector/postgres/wire.h"
#include "core/value.h"
#include "fuzz.h"

using namespace tidemark;
using namespace tidemark::postgres;
using fuzz::require;

namespace {

constexpr std::array wires{
    oid::boolean, oid::bytea, oid::int8,      oid::int2,        oid::int4,     oid::text,
    oid::oid,     oid::json,  oid::float4,    oid::float8,      oid::bpchar,   oid::varchar,
    oid::date,    oid::time,  oid::timestamp, oid::timestamptz, oid::interval, oid::numeric,
    oid::uuid,    oid::jsonb, oid::xid8};

Batch batch_of(const std::vector<WireType>& columns) {
  auto schema = std::make_shared<Schema>();
  for (const WireType& wire : columns)
    schema->push_back({.name = "c" + std::to_string(schema->size()), .type = *logical_type(wire)});
  return Batch(std::move(schema));
}

void check_row(const std::vector<WireType>& wires_of_row, std::string_view message) {
  Batch batch = batch_of(wires_of_row);
  CopyDecoder decoder(wires_of_row);
  std::vector<EncodedColumn> columns;
  try {
    decoder.row(message, batch);
    for (std::size_t at = 0; at < wires_of_row.size(); ++at)
      columns.push_back({.name = batch.schema()[at].name, .index = at, .wire = wires_of_row[at]});
    std::string encoded;
    CopyEncoder(columns, false).row(batch, 0, encoded);
    Batch again = batch_of(wires_of_row);
    decoder.row(encoded, again);
    for (std::size_t at = 0; at < wires_of_row.size(); ++at) {
      require(batch.column(at).is_null(0) == again.column(at).is_null(0), "a NULL stays one");
      if (batch.column(at).is_null(0)) continue;
      require(text_of(batch.column(at), 0) == text_of(again.column(at), 0), "a row comes back");
    }
  } catch (const Error& error) {
    require(error.kind() == FailureKind::internal || error.kind() == FailureKind::conversion,
            "what is no row is refused as such");
  }
}

void check_numeric(std::string_view bytes) {
  std::string text, binary, again;
  if (decode_numeric(bytes, text)) {
    require(encode_numeric(text, binary), "a number that was read can be written");
    require(decode_numeric(binary, again) && again == text, "a number comes back");
  }
  try {
    const std::string canonical = canonical_decimal(bytes);
    require(canonical_decimal(canonical) == canonical, "a canonical number is canonical");
    binary.clear();
    if (encode_numeric(canonical, binary))
      require(decode_numeric(binary, again) && again == canonical, "a decimal comes back");
  } catch (const Error& error) {
    require(error.kind() == FailureKind::conversion, "what is no number is refused as such");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input(data, size);
  const std::uint8_t form = input.byte();
  if (form == 0) {
    check_numeric(input.rest());
  } else if (form == 1) {
    const std::string name(input.rest());
    static_cast<void>(held_as_text(name));
    require(own_name(native_of(name)) == name, "a native type keeps its name");
    static_cast<void>(without_limits(name));
    if (const auto wire = wire_type(name))
      require(wire_type(native_name(*wire)) == wire, "a type's name reads back");
  } else if (form == 2) {
    try {
      static_cast<void>(CopyDecoder::is_trailer(CopyDecoder::without_header(input.rest())));
    } catch (const Error&) {
    }
  } else {
    std::vector<WireType> columns;
    for (int count = form % 5; count >= 0; --count)
      columns.push_back({.type = wires[input.byte() % wires.size()]});
    check_row(columns, input.rest());
  }
  return 0;
}
