#include <fcntl.h>
#include <sqlite3.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <charconv>
#include <cstdio>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string_view>
#include <variant>

#include "bench/data.h"
#include "bench/limits/limits.h"

namespace tidemark::bench {
namespace {

struct Close {
  void operator()(sqlite3* database) const { sqlite3_close(database); }
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};
using Database = std::unique_ptr<sqlite3, Close>;
using Statement = std::unique_ptr<sqlite3_stmt, Close>;

void run(sqlite3* database, const std::string& statements) {
  if (sqlite3_exec(database, statements.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK)
    throw std::runtime_error(sqlite3_errmsg(database));
}

Database open(const std::string& path) {
  sqlite3* handle = nullptr;
  const int status = sqlite3_open(path.c_str(), &handle);
  Database database(handle);
  if (status != SQLITE_OK) throw std::runtime_error("can't open " + path);
  run(handle,
      "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA cache_size = -16000;"
      "PRAGMA wal_autocheckpoint = 50000");
  return database;
}

Statement prepare(sqlite3* database, const std::string& text) {
  sqlite3_stmt* handle = nullptr;
  if (sqlite3_prepare_v2(database, text.c_str(), -1, &handle, nullptr) != SQLITE_OK)
    throw std::runtime_error(sqlite3_errmsg(database));
  return Statement(handle);
}

void execute(sqlite3* database, sqlite3_stmt* statement) {
  if (sqlite3_step(statement) != SQLITE_DONE) throw std::runtime_error(sqlite3_errmsg(database));
  sqlite3_reset(statement);
}

std::string insert_into(const std::string& table, const std::string& list) {
  std::string text = "INSERT INTO " + table + " (" + list + ") VALUES (?";
  for (const char c : list)
    if (c == ',') text += ", ?";
  return text + ")";
}

/// A file as one piece of memory.
class Mapped {
 public:
  explicit Mapped(const std::string& path) : file_(::open(path.c_str(), O_RDONLY)) {
    struct stat about {};
    if (file_ < 0 || fstat(file_, &about) != 0) throw std::runtime_error("can't read " + path);
    size_ = static_cast<std::size_t>(about.st_size);
    if (size_ == 0) return;
    data_ = mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, file_, 0);
    if (data_ == MAP_FAILED) throw std::runtime_error("can't map " + path);
  }
  ~Mapped() {
    if (size_ > 0) munmap(data_, size_);
    close(file_);
  }
  Mapped(const Mapped&) = delete;
  Mapped& operator=(const Mapped&) = delete;
  std::string_view text() const { return {static_cast<const char*>(data_), size_}; }

 private:
  int file_;
  void* data_ = nullptr;
  std::size_t size_ = 0;
};

/// Takes the backslashes out of a field; a view of the field where there are none.
std::string_view plain(std::string_view field, std::string& room) {
  if (field.find('\\') == std::string_view::npos) return field;
  room.clear();
  for (std::size_t at = 0; at < field.size(); ++at) {
    char c = field[at];
    if (c == '\\' && ++at < field.size())
      c = field[at] == 't' ? '\t' : field[at] == 'n' ? '\n' : field[at];
    room += c;
  }
  return room;
}

/// Whole numbers as such: what a column of such a type would make of the text anyway.
void bind(sqlite3_stmt* statement, int at, std::string_view field, std::string& room) {
  if (field == "\\N") {
    sqlite3_bind_null(statement, at);
    return;
  }
  sqlite3_int64 number = 0;
  const auto parsed = std::from_chars(field.data(), field.data() + field.size(), number);
  if (parsed.ec == std::errc() && parsed.ptr == field.data() + field.size()) {
    sqlite3_bind_int64(statement, at, number);
    return;
  }
  const std::string_view text = plain(field, room);
  sqlite3_bind_text(statement, at, text.data(), static_cast<int>(text.size()),
                    text.data() == field.data() ? SQLITE_STATIC : SQLITE_TRANSIENT);
}

using Cell = std::variant<std::monostate, sqlite3_int64, std::string>;

void bind(sqlite3_stmt* statement, int at, const Cell& cell) {
  if (const auto* number = std::get_if<sqlite3_int64>(&cell))
    sqlite3_bind_int64(statement, at, *number);
  else if (const auto* text = std::get_if<std::string>(&cell))
    sqlite3_bind_text(statement, at, text->data(), static_cast<int>(text->size()), SQLITE_STATIC);
  else
    sqlite3_bind_null(statement, at);
}

Cell cell_of(sqlite3_stmt* statement, int at) {
  switch (sqlite3_column_type(statement, at)) {
    case SQLITE_NULL:
      return {};
    case SQLITE_INTEGER:
      return sqlite3_column_int64(statement, at);
    default:
      break;
  }
  const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement, at));
  return std::string(text, static_cast<std::size_t>(sqlite3_column_bytes(statement, at)));
}

}  // namespace

void fill_sqlite(const Words& arguments) {
  const Mapped file(arguments.at(0));
  const Database database = open(arguments.at(1));
  const Statement insert = prepare(database.get(), insert_into(arguments.at(2), arguments.at(3)));
  run(database.get(), "BEGIN IMMEDIATE");
  std::string room;
  std::string_view rest = file.text();
  while (!rest.empty()) {
    const std::size_t end = rest.find('\n');
    std::string_view line = rest.substr(0, end);
    rest.remove_prefix(end + 1);
    for (int at = 1;; ++at) {
      const std::size_t tab = line.find('\t');
      bind(insert.get(), at, line.substr(0, tab), room);
      if (tab == std::string_view::npos) break;
      line.remove_prefix(tab + 1);
    }
    execute(database.get(), insert.get());
  }
  if (arguments.size() > 4) run(database.get(), arguments[4]);
  run(database.get(), "COMMIT");
}

void upsert_sqlite(const Words& arguments) {
  constexpr std::size_t batch = 50'000;
  const Database source = open(arguments.at(0));
  const Database target = open(arguments.at(1));
  const std::string list = columns();
  const Statement newest = prepare(target.get(), "SELECT max(updated_at) FROM orders");
  sqlite3_step(newest.get());
  const Statement select = prepare(source.get(), "SELECT " + list +
                                                     " FROM orders WHERE updated_at > ? ORDER BY "
                                                     "updated_at, id");
  sqlite3_bind_value(select.get(), 1, sqlite3_column_value(newest.get(), 0));
  std::vector<std::vector<Cell>> rows;
  while (sqlite3_step(select.get()) == SQLITE_ROW) {
    auto& row = rows.emplace_back();
    for (int at = 0; at < sqlite3_column_count(select.get()); ++at)
      row.push_back(cell_of(select.get(), at));
  }
  sqlite3_reset(newest.get());

  const double start = now_seconds();
  const Statement upsert =
      prepare(target.get(), insert_into("orders", list) + " ON CONFLICT (id) DO UPDATE SET " +
                                assignments("excluded."));
  for (std::size_t at = 0; at < rows.size();) {
    run(target.get(), "BEGIN IMMEDIATE");
    for (const std::size_t end = std::min(at + batch, rows.size()); at < end; ++at) {
      for (std::size_t column = 0; column < rows[at].size(); ++column)
        bind(upsert.get(), static_cast<int>(column) + 1, rows[at][column]);
      execute(target.get(), upsert.get());
    }
    run(target.get(), "COMMIT");
  }
  std::printf("seconds=%.3f\n", now_seconds() - start);
}

}  // namespace tidemark::bench
