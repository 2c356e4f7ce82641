#include "bench/data.h"

#include <fmt/format.h>

#include <array>
#include <chrono>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string_view>

namespace tidemark::bench {
namespace {

/// One hash of a row and of what is asked of it: no state, so that any row can be made alone.
std::uint64_t draw(std::uint64_t row, std::uint64_t what) {
  std::uint64_t x = row * 0x9E3779B97F4A7C15ULL + what * 0xD1B54A32D192ED03ULL + 0x2545F491;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9ULL;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBULL;
  return x ^ (x >> 31);
}

constexpr std::array<std::string_view, 16> plain_words{
    "deliver", "before", "noon",  "call",  "the",     "gate",  "fragile", "keep",
    "dry",     "second", "floor", "leave", "invoice", "box 7", "return",  "pallet"};
constexpr std::array<std::string_view, 12> wide_words{"订单", "发货", "仓库", "加急", "🚚", "客户",
                                                      "📦",    "退货", "上海", "付款", "🎉", "备注"};
/// As the text form writes them.
constexpr std::array<std::string_view, 5> ugly_words{R"(\t)", R"(\\)", R"(\n)", "\"", "'"};

void append_note(std::string& out, std::uint64_t seed) {
  const std::uint64_t kind = draw(seed, 1) % 1000;
  if (kind < 100) {
    out += R"(\N)";
    return;
  }
  const bool wide = kind < 350;
  const bool ugly = draw(seed, 2) % 1000 < 13;
  const std::uint64_t words = 5 + draw(seed, 3) % 8;
  for (std::uint64_t at = 0; at < words; ++at) {
    const std::uint64_t drawn = draw(seed, 16 + at);
    if (at > 0) out += ' ';
    if (wide && drawn % 4 != 0)
      out += wide_words[drawn / 4 % wide_words.size()];
    else
      out += plain_words[drawn / 4 % plain_words.size()];
    if (ugly && at == words / 2) out += ugly_words[drawn / 64 % ugly_words.size()];
  }
}

/// Microseconds since 1970 as "2024-01-01 00:00:00.000000".
void append_moment(std::string& out, std::uint64_t micros) {
  const std::chrono::sys_time<std::chrono::microseconds> moment{
      std::chrono::microseconds(static_cast<std::int64_t>(micros))};
  const auto day = std::chrono::floor<std::chrono::days>(moment);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(moment - day);
  fmt::format_to(std::back_inserter(out), "{:04}-{:02}-{:02} {:02}:{:02}:{:02}.{:06}",
                 static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                 static_cast<unsigned>(date.day()), clock.hours().count(), clock.minutes().count(),
                 clock.seconds().count(), clock.subseconds().count());
}

/// Row `id` with the values that `seed` gives.
void append_version(std::string& out, std::uint64_t id, std::uint64_t seed) {
  constexpr std::array<std::string_view, 5> states{"open", "paid", "packed", "shipped", "returned"};
  constexpr std::uint64_t start = 1'704'067'200'000'000;  // 2024-01-01
  constexpr std::uint64_t day = 86'400'000'000;
  // Six digits that do not end in 0, which databases would print differently.
  const std::uint64_t created =
      start + (id % 2'000'000 * 15'000'000 + draw(seed, 4) % 15'000'000) / 10 * 10 + 1;
  const std::uint64_t updated = created + draw(seed, 5) % (90 * day) / 10 * 10;
  const std::uint64_t cents = draw(seed, 6) % 999'999 + 1;
  fmt::format_to(std::back_inserter(out), "{}\t{}\tSKU-{:06}\t{}\t{}\t{}.{:02}\t", id,
                 draw(seed, 7) % 200'000 + 1, draw(seed, 8) % 50'000,
                 states[draw(seed, 9) % states.size()], draw(seed, 10) % 48 + 1, cents / 100,
                 cents % 100);
  append_moment(out, created);
  out += '\t';
  append_moment(out, updated);
  out += '\t';
  append_note(out, seed);
  out += '\n';
}

template <typename Append>
std::uint64_t write_file(const std::string& path, std::uint64_t count, const Append& append) {
  std::ofstream file(path, std::ios::binary);
  std::uint64_t size = 0;
  std::string chunk;
  for (std::uint64_t at = 0; at < count; ++at) {
    append(chunk, at);
    if (chunk.size() < 1 << 20 && at + 1 < count) continue;
    file.write(chunk.data(), static_cast<std::streamsize>(chunk.size()));
    size += chunk.size();
    chunk.clear();
  }
  if (!file.flush()) throw std::runtime_error("can't write " + path);
  return size;
}

}  // namespace

const char* name_of(Vendor vendor) noexcept {
  switch (vendor) {
    case Vendor::postgres:
      return "postgres";
    case Vendor::mariadb:
      return "mariadb";
    case Vendor::sqlite:
      break;
  }
  return "sqlite";
}

void append_row(std::string& out, std::uint64_t id) {
  append_version(out, id, id);
}

void append_change(std::string& out, const DeltaOf& delta, std::uint64_t sequence) {
  const std::uint64_t seed = draw(sequence, 100 + delta.round);
  // A step without a common divisor with the number of rows would need a search; a draw hits a row
  // twice now and then, as real changes do.
  const std::uint64_t id = sequence % 2 == 0 ? seed % delta.rows + 1
                                             : delta.rows + delta.already_added + sequence / 2 + 1;
  append_version(out, id, seed);
}

std::uint64_t write_rows(const std::string& path, std::uint64_t rows) {
  return write_file(path, rows,
                    [](std::string& out, std::uint64_t at) { append_row(out, at + 1); });
}

void write_changes(const std::string& path, const DeltaOf& delta, std::uint64_t changes) {
  write_file(path, changes, [&](std::string& out, std::uint64_t at) {
    fmt::format_to(std::back_inserter(out), "{}\t", at);
    append_change(out, delta, at);
  });
}

const char* columns() noexcept {
  return "id, customer_id, sku, state, quantity, amount, created_at, updated_at, note";
}

std::string create_table(Vendor vendor, const std::string& table) {
  switch (vendor) {
    case Vendor::postgres:
      return "CREATE TABLE " + table +
             " (id bigint NOT NULL, customer_id integer NOT NULL, sku varchar(20) NOT NULL, state "
             "varchar(16) NOT NULL, quantity integer NOT NULL, amount numeric(12,2) NOT NULL, "
             "created_at timestamp NOT NULL, updated_at timestamptz NOT NULL, note varchar(400));";
    case Vendor::mariadb:
      return "CREATE TABLE " + table +
             " (id BIGINT NOT NULL PRIMARY KEY, customer_id INT NOT NULL, sku VARCHAR(20) NOT "
             "NULL, state VARCHAR(16) NOT NULL, quantity INT NOT NULL, amount DECIMAL(12,2) NOT "
             "NULL, created_at DATETIME(6) NOT NULL, updated_at DATETIME(6) NOT NULL, note "
             "VARCHAR(400));";
    case Vendor::sqlite:
      break;
  }
  return "CREATE TABLE " + table +
         " (id INTEGER NOT NULL PRIMARY KEY, customer_id INTEGER NOT NULL, sku VARCHAR(20) NOT "
         "NULL, state VARCHAR(16) NOT NULL, quantity INTEGER NOT NULL, amount DECIMAL_TEXT(12,2) "
         "NOT NULL, created_at DATETIME NOT NULL, updated_at TIMESTAMPTZ NOT NULL, note "
         "VARCHAR(400));";
}

std::string create_source(Vendor vendor) {
  switch (vendor) {
    case Vendor::postgres:
      return create_table(vendor, "orders") +
             "ALTER TABLE orders ALTER updated_at SET DEFAULT clock_timestamp();";
    case Vendor::mariadb:
      return create_table(vendor, "orders") +
             "ALTER TABLE orders MODIFY updated_at TIMESTAMP(6) NOT NULL DEFAULT "
             "CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6);";
    case Vendor::sqlite:
      break;
  }
  return create_table(vendor, "orders");
}

std::string finish_source(Vendor vendor) {
  const std::string index = "CREATE INDEX orders_updated_at ON orders (updated_at);";
  switch (vendor) {
    case Vendor::postgres:
      return "ALTER TABLE orders ADD PRIMARY KEY (id);" + index +
             "CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.updated_at "
             ":= clock_timestamp(); RETURN NEW; END $$; CREATE TRIGGER touch BEFORE INSERT OR "
             "UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION touch(); VACUUM (ANALYZE) orders;";
    case Vendor::mariadb:
      return index + "ANALYZE TABLE orders;";
    case Vendor::sqlite:
      break;
  }
  return index +
         "CREATE TRIGGER touch AFTER UPDATE ON orders WHEN NEW.updated_at IS OLD.updated_at BEGIN "
         "UPDATE orders SET updated_at = strftime('%Y-%m-%d %H:%M:%f000', 'now') WHERE id = "
         "NEW.id; "
         "END; ANALYZE;";
}

std::string sums_query(Vendor vendor, const std::string& table) {
  switch (vendor) {
    case Vendor::postgres:
      return "SELECT count(*), (sum(amount) * 100)::bigint, sum(quantity), count(note), "
             "sum(length(note)), to_char(max(updated_at) AT TIME ZONE 'UTC', "
             "'YYYY-MM-DD HH24:MI:SS.US') FROM " +
             table;
    case Vendor::mariadb:
      return "SELECT count(*), CAST(sum(amount) * 100 AS INTEGER), sum(quantity), count(note), "
             "sum(char_length(note)), date_format(max(updated_at), '%Y-%m-%d %H:%i:%s.%f') FROM " +
             table;
    case Vendor::sqlite:
      break;
  }
  return "SELECT count(*), CAST(round(sum(amount) * 100) AS INTEGER), sum(quantity), count(note), "
         "sum(length(note)), substr(replace(replace(max(updated_at), 'T', ' '), '+00', '') || "
         "'000000', 1, 26) FROM " +
         table;
}

}  // namespace tidemark::bench
