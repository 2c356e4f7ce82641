#include "connector/postgres/type_samples.h"

#include <array>

#include "connector/postgres/catalogue.h"
#include "connector/postgres/natives.h"
#include "connector/postgres/types.h"

namespace tidemark::postgres {
namespace {

struct NativeRow {
  std::string_view name;
  std::string_view canonical;
};

/// By the names that format_type() prints.
constexpr std::array logical_names{
    "boolean",
    "smallint",
    "integer",
    "bigint",
    "oid",
    "xid8",
    "real",
    "double precision",
    "numeric",
    "numeric(12,2)",
    "numeric(5,-2)",
    "text",
    "character varying(20)",
    "character(8)",
    "bytea",
    "date",
    "time without time zone",
    "timestamp without time zone",
    "timestamp(3) without time zone",
    "timestamp with time zone",
    "interval",
    "uuid",
    "json",
    "jsonb",
};

constexpr std::array native_rows{
    NativeRow{"bit(8)", "binary digits, as many as the type has"},
    NativeRow{"bit varying", "binary digits"},
    NativeRow{"bit varying(8)", "binary digits"},
    NativeRow{"time with time zone", "HH:MM:SS[.ffffff]±HH[:MM[:SS]]"},
    NativeRow{"money", "$1,234.56 (lc_monetary C)"},
    NativeRow{"inet", "address[/bits], the bits left out where all count"},
    NativeRow{"cidr", "network/bits"},
    NativeRow{"macaddr", "08:00:2b:01:02:03"},
    NativeRow{"macaddr8", "08:00:2b:01:02:03:04:05"},
    NativeRow{"xml", "the document as it was given"},
    NativeRow{"jsonpath", "as the server prints it"},
    NativeRow{"tsvector", "'lexeme':positions, in the server's order"},
    NativeRow{"tsquery", "'lexeme' & | ! <-> 'lexeme'"},
    NativeRow{"point", "(x,y)"},
    NativeRow{"line", "{A,B,C}"},
    NativeRow{"lseg", "[(x,y),(x,y)]"},
    NativeRow{"box", "(x,y),(x,y), upper right corner first"},
    NativeRow{"path", "((x,y),…) closed, [(x,y),…] open"},
    NativeRow{"polygon", "((x,y),…)"},
    NativeRow{"circle", "<(x,y),r>"},
    NativeRow{"int4range", "[low,high), empty"},
    NativeRow{"int8range", "[low,high), empty"},
    NativeRow{"numrange", "[low,high), bounds as given, empty"},
    NativeRow{"daterange", "[low,high), empty"},
    NativeRow{"tsrange", "[\"low\",\"high\"), bounds as given, empty"},
    NativeRow{"tstzrange", "[\"low\",\"high\"), in UTC, empty"},
    NativeRow{"int4multirange", "{[low,high),…}"},
    NativeRow{"int8multirange", "{[low,high),…}"},
    NativeRow{"nummultirange", "{[low,high),…}"},
    NativeRow{"datemultirange", "{[low,high),…}"},
    NativeRow{"tsmultirange", "{[\"low\",\"high\"),…}"},
    NativeRow{"tstzmultirange", "{[\"low\",\"high\"),…}, in UTC"},
    NativeRow{"integer[]", "{1,NULL,{…}}, with [low:high]= before it where it does not begin at 1"},
    NativeRow{"text[]", "{a,\"b c\",NULL,\"NULL\"}"},
    NativeRow{"numeric(5,2)[]", "{1.50,NaN}"},
    NativeRow{"timestamp with time zone[]", "{\"2024-01-31 12:00:00+00\"}, in UTC"},
    NativeRow{"bytea[]", "{\"\\\\x00ff\"}"},
    NativeRow{"name", "text of at most 63 bytes"},
    NativeRow{"\"char\"", "one byte: a character, \\ooo from 128 on, empty for 0"},
    NativeRow{"xid", "a number of 32 bits"},
    NativeRow{"cid", "a number of 32 bits"},
    NativeRow{"tid", "(block,place)"},
    NativeRow{"pg_lsn", "16/B374D848"},
    NativeRow{"pg_snapshot", "xmin:xmax:xip,…"},
    NativeRow{"txid_snapshot", "xmin:xmax:xip,…"},
    NativeRow{"int2vector", "numbers with blanks between"},
    NativeRow{"oidvector", "numbers with blanks between"},
    NativeRow{"refcursor", "text"},
    NativeRow{"regclass", "a name, with its schema where that is needed"},
    NativeRow{"regcollation", "a name, with its schema where that is needed"},
    NativeRow{"regconfig", "a name, with its schema where that is needed"},
    NativeRow{"regdictionary", "a name, with its schema where that is needed"},
    NativeRow{"regnamespace", "a name"},
    NativeRow{"regoper", "a name, with its schema where that is needed"},
    NativeRow{"regoperator", "a name with its operands"},
    NativeRow{"regproc", "a name, with its schema where that is needed"},
    NativeRow{"regprocedure", "a name with its arguments"},
    NativeRow{"regrole", "a name"},
    NativeRow{"regtype", "a name as SQL writes it"},
    NativeRow{"aclitem", "grantee=rights/grantor"},
};

}  // namespace

std::vector<TypeSample> type_samples() {
  std::vector<TypeSample> samples;
  for (const std::string name : logical_names) {
    const auto wire = wire_type(name);
    if (!wire) continue;
    const auto type = logical_type(*wire);
    samples.push_back({.column = {.name = "v", .type = *type, .native_type = name}});
  }
  for (const NativeRow& row : native_rows)
    samples.push_back(
        {.column = {.name = "v", .type = native_of(row.name), .native_type = std::string(row.name)},
         .canonical = std::string(row.canonical)});
  return samples;
}

}  // namespace tidemark::postgres
