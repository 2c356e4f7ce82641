#pragma once

#include <cstdint>
#include <string>

namespace tidemark::bench {

/// The vendors' words for the same things.
enum class Vendor { postgres, mariadb, sqlite };
const char* name_of(Vendor vendor) noexcept;

/// The table that every route moves: about 155 bytes a row as tab-separated text. A quarter of the
/// notes is Chinese or emoji, a tenth NULL, 1.3 % hold a tab, a backslash, a newline or quotes.
/// The same row number is the same row on every machine and in every run.
///
/// Appends row `id` in the text form of PostgreSQL's COPY, which MariaDB's LOAD DATA reads too:
/// fields by tab, backslash escapes, \N for NULL.
void append_row(std::string& out, std::uint64_t id);

/// A change of round `round`, in order of `sequence` from 0: an even one is another version of one
/// of the first `rows` rows, spread over the table; an odd one is a new row behind the first `rows
/// + already_added`. updated_at is left to the source's clock: what stands there is not used.
struct DeltaOf {
  std::uint64_t rows;           ///< rows of the table at the very beginning
  std::uint64_t already_added;  ///< by earlier rounds
  std::uint64_t round;
};
void append_change(std::string& out, const DeltaOf& delta, std::uint64_t sequence);

/// Rows 1 to `rows` in a file; returns its size.
std::uint64_t write_rows(const std::string& path, std::uint64_t rows);
/// Changes 0 to `changes` - 1, each with its sequence in front as one more field.
void write_changes(const std::string& path, const DeltaOf& delta, std::uint64_t changes);

/// Column names of the table, by comma, in the order of the text form.
const char* columns() noexcept;
/// CREATE TABLE for `table` with the types that Tidemark gives its targets. PostgreSQL: without
/// keys; MariaDB and SQLite: with the primary key, which is the table itself there.
std::string create_table(Vendor vendor, const std::string& table);
/// CREATE TABLE for a source: with the key, and with what moves updated_at at each write.
std::string create_source(Vendor vendor);
/// Statements after the rows of a source are there: index, trigger, statistics.
std::string finish_source(Vendor vendor);
/// What tells two copies apart: a SELECT of one row.
std::string sums_query(Vendor vendor, const std::string& table);

}  // namespace tidemark::bench
