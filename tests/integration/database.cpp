#include "integration/database.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <stdexcept>

#include "core/value.h"
#include "support/servers.h"

namespace tidemark::test {
namespace {

std::string quoted_hex(std::string_view text) {
  return "'" + to_hex(text) + "'";
}

/// Text that hurts: empty, blanks, quotes, control characters, four-byte UTF-8, combining marks.
std::string ugly_text(std::size_t row) {
  static const std::array<std::string, 12> texts{"",
                                                 " ",
                                                 "O'Brien \"x\" `y`",
                                                 "a\tb\nc\rd",
                                                 "back\\slash \\N \\. %s {}",
                                                 "鸡🐔 é e\xcc\x81",
                                                 "NULL",
                                                 "ＡＢ ｱ",
                                                 "Straße",
                                                 "'; DROP TABLE x; --",
                                                 "\x01\x1f",
                                                 "trailing  "};
  std::string text = texts[row % texts.size()];
  if (row % 3 == 0) text += std::to_string(row);
  return text;
}

std::string ugly_bytes(std::size_t row) {
  std::string bytes;
  for (std::size_t index = 0; index < row % 19; ++index)
    bytes += static_cast<char>((row * 31 + index * 97) & 0xff);
  return bytes;
}

/// NULL for every 13th row, at another place for each column.
std::function<std::string(std::size_t)> nullable(std::size_t salt,
                                                 std::function<std::string(std::size_t)> value) {
  return [salt, value = std::move(value)](std::size_t row) {
    return (row + salt) % 13 == 0 ? std::string("NULL") : value(row);
  };
}

template <std::size_t N>
std::function<std::string(std::size_t)> one_of(std::size_t salt,
                                               std::array<const char*, N> values) {
  return nullable(salt, [values](std::size_t row) { return std::string(values[row % N]); });
}

std::string date_of(std::size_t row) {
  std::array<char, 16> text{};
  std::snprintf(text.data(), text.size(), "%04zu-%02zu-%02zu", 1000 + row * 7 % 8999, 1 + row % 12,
                1 + row % 28);
  return text.data();
}

std::string clock_of(std::size_t row) {
  std::array<char, 20> text{};
  std::snprintf(text.data(), text.size(), "%02zu:%02zu:%02zu.%06zu", row % 24, row % 60,
                row * 7 % 60, row * 7919 % 1'000'000);
  return text.data();
}

std::string double_of(std::size_t row) {
  static const std::array<double, 8> edges{0.1,    -0.0,
                                           5e-324, 1.7976931348623157e308,
                                           1e15,   123456789.12345679,
                                           -1.5,   2.2250738585072014e-308};
  return format_float(row % 9 == 8 ? static_cast<double>(row) / 7.0 : edges[row % 9 % 8]);
}

std::string float_of(std::size_t row) {
  static const std::array<float, 6> edges{0.1F, 16777216.0F, 3.4028233e38F, 1e-45F, -1.5F, 1e-38F};
  return format_float(row % 7 == 6 ? static_cast<float>(row) / 3.0F : edges[row % 7 % 6]);
}

std::string decimal_of(std::size_t row) {
  return (row % 2 == 0 ? "-" : "") + std::to_string(row * 104'729 % 10'000'000'000) + "." +
         (row % 100 < 10 ? "0" : "") + std::to_string(row % 100);
}

std::string uuid_of(std::size_t row) {
  std::array<char, 40> text{};
  std::snprintf(text.data(), text.size(), "%08zx-0000-4000-8000-%012zx", row, row * 31);
  return text.data();
}

std::string json_of(std::size_t row) {
  return R"({"b": [1, null, "鸡"], "a": )" + std::to_string(row) + R"(, "q": "\"\\"})";
}

/// Cuts the needless zeros of a fraction of seconds and every way of saying UTC.
std::string normal_moment(std::string text) {
  for (char& c : text)
    if (c == 'T') c = ' ';
  for (const std::string zone : {"+00:00", "+00", "Z"}) {
    if (text.ends_with(zone)) {
      text.resize(text.size() - zone.size());
      break;
    }
  }
  if (text.find('.') != std::string::npos) {
    while (text.back() == '0')
      text.pop_back();
    if (text.back() == '.') text.pop_back();
  }
  return text;
}

/// A number as text, or "x" and the eight bytes of a double in hex, which keep the sign of zero.
double number_of(const std::string& text) {
  if (text.front() != 'x') return std::strtod(text.c_str(), nullptr);
  const std::string bytes = from_hex(std::string_view(text).substr(1));
  std::uint64_t bits = 0;
  for (const char byte : bytes)
    bits = bits << 8 | static_cast<unsigned char>(byte);
  double value = 0;
  std::memcpy(&value, &bits, sizeof(value));
  return value;
}

std::string normal(Kind kind, const std::string& text) {
  switch (kind) {
    case Kind::boolean:
      return text == "t" || text == "true" || text == "1" ? "1" : "0";
    case Kind::float32: {
      const float value = static_cast<float>(number_of(text));
      return to_hex({reinterpret_cast<const char*>(&value), sizeof(value)});
    }
    case Kind::float64: {
      const double value = number_of(text);
      return to_hex({reinterpret_cast<const char*>(&value), sizeof(value)});
    }
    case Kind::time:
    case Kind::timestamp:
    case Kind::instant:
      return normal_moment(text);
    case Kind::text:
    case Kind::bytes:
    case Kind::json:
    case Kind::uuid: {
      std::string lower = text;
      for (char& c : lower)
        c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
      return lower;
    }
    case Kind::integer:
    case Kind::decimal:
    case Kind::date:
      break;
  }
  return text;
}

bool as_hex(Kind kind) {
  return kind == Kind::text || kind == Kind::bytes || kind == Kind::json;
}

class Postgres final : public Database {
 public:
  std::string name() const override { return "postgres"; }
  std::string connection_yaml() const override {
    return "{type: postgres, host: 127.0.0.1, port: " + std::to_string(shared_postgres().port()) +
           ", user: tidemark, password: {env: PAIR_PASSWORD}, database: test}";
  }
  std::string table(const std::string& table) const override { return "public." + table; }
  void run(const std::string& statements) override {
    const TempDir dir;
    std::ofstream(dir / "run.sql") << statements;
    run_command({"psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-h",
                 shared_postgres().socket_directory(), "-p",
                 std::to_string(shared_postgres().port()), "-U", "tidemark", "-d", "test", "-f",
                 dir / "run.sql"});
  }
  std::vector<ColumnCase> everyday_columns() const override {
    const auto quoted = [](std::string (*make)(std::size_t)) {
      return [make](std::size_t row) { return "'" + make(row) + "'"; };
    };
    const auto text = [](std::size_t row) {
      return "convert_from(decode(" + quoted_hex(ugly_text(row)) + ",'hex'),'UTF8')";
    };
    return {
        {"i2", Kind::integer, "smallint", one_of<3>(1, {"-32768", "0", "32767"})},
        {"i4", Kind::integer, "integer", one_of<3>(2, {"-2147483648", "7", "2147483647"})},
        {"i8", Kind::integer, "bigint",
         one_of<3>(3, {"-9223372036854775808", "42", "9223372036854775807"})},
        {"b", Kind::boolean, "boolean", one_of<2>(4, {"true", "false"})},
        {"n", Kind::decimal, "numeric(14,2)", nullable(5, decimal_of)},
        {"n65", Kind::decimal, "numeric(65,30)",
         one_of<2>(6, {"12345678901234567890123456789012345.123456789012345678901234567890",
                       "-0.000000000000000000000000000001"})},
        {"f4", Kind::float32, "real", nullable(7, quoted(float_of))},
        {"f8", Kind::float64, "double precision", nullable(8, quoted(double_of))},
        {"t", Kind::text, "text", nullable(9, text)},
        {"v", Kind::text, "varchar(40)", nullable(10, text)},
        {"ba", Kind::bytes, "bytea",
         nullable(
             11,
             [](std::size_t row) { return "decode(" + quoted_hex(ugly_bytes(row)) + ",'hex')"; })},
        {"d", Kind::date, "date", nullable(12, quoted(date_of))},
        {"ti", Kind::time, "time", nullable(0, quoted(clock_of))},
        {"ts", Kind::timestamp, "timestamp",
         nullable(1,
                  [](std::size_t row) { return "'" + date_of(row) + " " + clock_of(row) + "'"; })},
        {"tz", Kind::instant, "timestamptz",
         nullable(
             2, [](std::size_t row) { return "'" + date_of(row) + " " + clock_of(row) + "+00'"; })},
        {"j", Kind::json, "json",
         nullable(3, [](std::size_t row) { return "'" + json_of(row) + "'"; })},
        {"u", Kind::uuid, "uuid", nullable(4, quoted(uuid_of))},
    };
  }
  std::string cursor_ddl() const override {
    return "updated_at timestamptz NOT NULL DEFAULT clock_timestamp()";
  }
  std::string after_create(const std::string& table) const override {
    return "CREATE FUNCTION touch_" + table +
           "() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.updated_at := clock_timestamp(); "
           "RETURN NEW; END $$; CREATE TRIGGER touch BEFORE INSERT OR UPDATE ON " +
           table + " FOR EACH ROW EXECUTE FUNCTION touch_" + table + "();\n";
  }
  std::string bits(const std::string& column) const override {
    return "encode(convert_to(" + column + "::text,'UTF8'),'hex')";
  }

 protected:
  std::string expression(const ColumnCase& column) const override {
    if (column.kind == Kind::bytes) return "encode(" + column.name + ",'hex')";
    if (as_hex(column.kind)) return "encode(convert_to(" + column.name + "::text,'UTF8'),'hex')";
    return column.name + "::text";
  }
  std::string query(const std::string& select) override {
    return shared_postgres().sql("SET timezone='UTC'; " + select);
  }
  std::string from(const std::string& table) const override { return table; }
};

class MariaDb final : public Database {
 public:
  std::string name() const override { return "mariadb"; }
  std::string connection_yaml() const override {
    return "{type: mysql, host: 127.0.0.1, port: " + std::to_string(shared_mariadb().port()) +
           ", user: tidemark, password: {env: PAIR_PASSWORD}, database: test}";
  }
  std::string table(const std::string& table) const override { return "test." + table; }
  void run(const std::string& statements) override {
    const TempDir dir;
    std::ofstream(dir / "run.sql") << "SET time_zone='+00:00';\n" << statements;
    // `source` in -e would go on after an error.
    run_command({"sh", "-c",
                 "exec mariadb --no-defaults --socket=" + shared_mariadb().socket() +
                     " -uroot --default-character-set=utf8mb4 test < " + (dir / "run.sql")});
  }
  std::vector<ColumnCase> everyday_columns() const override {
    const auto quoted = [](std::string (*make)(std::size_t)) {
      return [make](std::size_t row) { return "'" + make(row) + "'"; };
    };
    const auto text = [](std::size_t row) { return "_utf8mb4 x" + quoted_hex(ugly_text(row)); };
    return {
        {"i1", Kind::integer, "tinyint", one_of<3>(1, {"-128", "0", "127"})},
        {"u1", Kind::integer, "tinyint unsigned", one_of<2>(2, {"0", "255"})},
        {"i2", Kind::integer, "smallint", one_of<2>(3, {"-32768", "32767"})},
        {"u2", Kind::integer, "smallint unsigned", one_of<2>(4, {"0", "65535"})},
        {"i3", Kind::integer, "mediumint", one_of<2>(5, {"-8388608", "8388607"})},
        {"i4", Kind::integer, "int", one_of<2>(6, {"-2147483648", "2147483647"})},
        {"u4", Kind::integer, "int unsigned", one_of<2>(7, {"0", "4294967295"})},
        {"i8", Kind::integer, "bigint",
         one_of<2>(8, {"-9223372036854775808", "9223372036854775807"})},
        {"u8", Kind::integer, "bigint unsigned", one_of<2>(9, {"0", "18446744073709551615"})},
        {"n", Kind::decimal, "decimal(14,2)", nullable(10, decimal_of)},
        {"n65", Kind::decimal, "decimal(65,30)",
         one_of<2>(11, {"12345678901234567890123456789012345.123456789012345678901234567890",
                        "-0.000000000000000000000000000001"})},
        {"f4", Kind::float32, "float", nullable(12, float_of)},
        {"f8", Kind::float64, "double", nullable(0, double_of)},
        {"c", Kind::text, "char(10)", one_of<3>(1, {"'abc'", "''", "'🐔'"})},
        {"v", Kind::text, "varchar(40)", nullable(2, text)},
        {"t", Kind::text, "longtext", nullable(3, text)},
        {"vb", Kind::bytes, "varbinary(20)",
         nullable(4, [](std::size_t row) { return "x" + quoted_hex(ugly_bytes(row)); })},
        {"bl", Kind::bytes, "blob",
         nullable(5, [](std::size_t row) { return "x" + quoted_hex(ugly_bytes(row)); })},
        {"d", Kind::date, "date", nullable(6, quoted(date_of))},
        {"ti", Kind::time, "time(6)", nullable(7, quoted(clock_of))},
        {"dt", Kind::timestamp, "datetime(6)",
         nullable(8,
                  [](std::size_t row) { return "'" + date_of(row) + " " + clock_of(row) + "'"; })},
        {"ts", Kind::instant, "timestamp(6) NULL",
         nullable(9, [](std::size_t row) { return "'2024-03-31 " + clock_of(row) + "'"; })},
        {"j", Kind::json, "json",
         nullable(10, [](std::size_t row) { return "_utf8mb4 x" + quoted_hex(json_of(row)); })},
        {"u", Kind::uuid, "uuid", nullable(11, quoted(uuid_of))},
    };
  }
  std::string cursor_ddl() const override {
    return "updated_at timestamp(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) "
           "ON UPDATE CURRENT_TIMESTAMP(6)";
  }
  std::string after_create(const std::string&) const override { return {}; }
  std::string bits(const std::string& column) const override {
    return "HEX(CAST(" + column + " AS CHAR))";
  }

 protected:
  std::string expression(const ColumnCase& column) const override {
    if (as_hex(column.kind)) return "hex(" + column.name + ")";
    // The text protocol prints six digits of a float.
    if (column.kind == Kind::float32) return column.name + " + 0e0";
    return column.name;
  }
  std::string query(const std::string& select) override {
    return shared_mariadb().sql("SET time_zone='+00:00'; " + select);
  }
  std::string from(const std::string& table) const override { return table; }
};

class Sqlite final : public Database {
 public:
  explicit Sqlite(std::string file) : name_(std::move(file)) {}
  std::string name() const override { return "sqlite"; }
  std::string connection_yaml() const override { return "{type: sqlite, path: " + file() + "}"; }
  std::string table(const std::string& table) const override { return table; }
  void run(const std::string& statements) override {
    const TempDir dir;
    std::ofstream(dir / "run.sql") << "BEGIN;\n" << statements << "COMMIT;\n";
    run_command({"sqlite3", "-bail", file(), ".read " + (dir / "run.sql")});
  }
  std::vector<ColumnCase> everyday_columns() const override {
    const auto quoted = [](std::string (*make)(std::size_t)) {
      return [make](std::size_t row) { return "'" + make(row) + "'"; };
    };
    const auto text = [](std::size_t row) {
      return "CAST(x" + quoted_hex(ugly_text(row)) + " AS TEXT)";
    };
    return {
        {"i8", Kind::integer, "integer",
         one_of<3>(1, {"-9223372036854775808", "0", "9223372036854775807"})},
        {"i2", Kind::integer, "smallint", one_of<2>(2, {"-32768", "32767"})},
        {"b", Kind::boolean, "boolean", one_of<2>(3, {"1", "0"})},
        {"f8", Kind::float64, "double", nullable(4, double_of)},
        {"t", Kind::text, "text", nullable(5, text)},
        {"v", Kind::text, "varchar(40)", nullable(6, text)},
        {"bl", Kind::bytes, "blob",
         nullable(7, [](std::size_t row) { return "x" + quoted_hex(ugly_bytes(row)); })},
        {"d", Kind::date, "date", nullable(8, quoted(date_of))},
        {"ts", Kind::timestamp, "timestamp",
         nullable(9,
                  [](std::size_t row) { return "'" + date_of(row) + " " + clock_of(row) + "'"; })},
    };
  }
  std::string cursor_ddl() const override {
    return "updated_at timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP";
  }
  std::string after_create(const std::string& table) const override {
    return "CREATE TRIGGER touch_" + table + " AFTER UPDATE ON " + table +
           " WHEN NEW.updated_at IS OLD.updated_at BEGIN UPDATE " + table +
           " SET updated_at = CURRENT_TIMESTAMP WHERE id = NEW.id; END;\n";
  }
  std::string bits(const std::string& column) const override {
    return "typeof(" + column + ") || ':' || CASE typeof(" + column +
           ") WHEN 'real' THEN hex(ieee754_to_blob(" + column + ")) ELSE hex(" + column + ") END";
  }

 protected:
  std::string expression(const ColumnCase& column) const override {
    if (as_hex(column.kind)) return "hex(" + column.name + ")";
    if (column.kind == Kind::float64 || column.kind == Kind::float32)
      return "'x' || hex(ieee754_to_blob(" + column.name + "))";
    return column.name;
  }
  std::string query(const std::string& select) override {
    return run_command({"sqlite3", "-tabs", "-nullvalue", "NULL", file(), select});
  }
  std::string from(const std::string& table) const override { return table; }

 private:
  std::string file() const {
    static const TempDir dir;
    return dir / name_;
  }

  std::string name_;
};

}  // namespace

std::vector<std::string> Database::dump(const std::string& table,
                                        const std::vector<ColumnCase>& columns) {
  std::string select = "SELECT id";
  for (const ColumnCase& column : columns)
    select +=
        ", CASE WHEN " + column.name + " IS NULL THEN 'NULL' ELSE " + expression(column) + " END";
  const std::string text = query(select + " FROM " + from(table) + " ORDER BY id");
  std::vector<std::string> lines;
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t end = text.find('\n', at);
    std::string_view line = std::string_view(text).substr(at, end - at);
    at = end == std::string::npos ? text.size() : end + 1;
    std::string out;
    for (std::size_t index = 0; index <= columns.size(); ++index) {
      const std::size_t tab = line.find('\t');
      const std::string cell(line.substr(0, tab));
      line = tab == std::string_view::npos ? std::string_view{} : line.substr(tab + 1);
      if (index > 0) out += '\t';
      out += index == 0 || cell == "NULL" ? cell : normal(columns[index - 1].kind, cell);
    }
    lines.push_back(std::move(out));
  }
  return lines;
}

std::vector<std::string> Database::lines(const std::string& table,
                                         const std::vector<std::string>& expressions) {
  std::string select = "SELECT id";
  for (const std::string& one : expressions)
    select += ", coalesce(" + one + ", 'NULL')";
  const std::string text = query(select + " FROM " + from(table) + " ORDER BY id");
  std::vector<std::string> lines;
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    lines.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return lines;
}

std::string fill_statements(const Database& database, const std::string& table, std::size_t rows) {
  const std::vector<ColumnCase> columns = database.everyday_columns();
  std::string ddl = "CREATE TABLE " + table + " (id bigint NOT NULL PRIMARY KEY";
  std::string names = "id";
  for (const ColumnCase& column : columns) {
    ddl += ", " + column.name + " " + column.ddl;
    names += ", " + column.name;
  }
  std::string statements =
      ddl + ", " + database.cursor_ddl() + ");\n" + database.after_create(table);
  for (std::size_t row = 0; row < rows; ++row) {
    statements += row % 500 == 0 ? "INSERT INTO " + table + " (" + names + ") VALUES " : ",";
    statements += "(" + std::to_string(row);
    for (const ColumnCase& column : columns)
      statements += "," + column.value(row);
    statements += ")";
    if (row % 500 == 499 || row + 1 == rows) statements += ";\n";
  }
  return statements;
}

std::unique_ptr<Database> sqlite_database(const std::string& file) {
  return std::make_unique<Sqlite>(file);
}
std::unique_ptr<Database> postgres_database() {
  return std::make_unique<Postgres>();
}
std::unique_ptr<Database> mariadb_database() {
  return std::make_unique<MariaDb>();
}

}  // namespace tidemark::test
