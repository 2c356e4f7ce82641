#include "connector/sqlite/errors.h"

#include <sqlite3.h>

#include <array>

namespace tidemark::sqlite {
namespace {

struct CodeRow {
  int code;
  std::string_view name;
  FailureKind kind;
  std::string_view message;
  std::string_view hint = {};
};

constexpr std::string_view who_locks =
    "It is tried again by itself; if it lasts, look for a long transaction on this file.";
constexpr std::string_view disk = "Look at the file system and its free space.";
constexpr std::string_view rights =
    "Give this process the right to read and write the file and its directory.";

// One row a code; extended codes stand beside their primary code and win over it.
constexpr std::array codes{
    CodeRow{SQLITE_ERROR, "SQLITE_ERROR", FailureKind::internal,
            "SQLite could not run a statement"},
    CodeRow{SQLITE_INTERNAL, "SQLITE_INTERNAL", FailureKind::internal, "SQLite has a fault"},
    CodeRow{SQLITE_PERM, "SQLITE_PERM", FailureKind::permission, "access was refused", rights},
    CodeRow{SQLITE_ABORT, "SQLITE_ABORT", FailureKind::conflict, "the statement was rolled back"},
    CodeRow{SQLITE_BUSY, "SQLITE_BUSY", FailureKind::deadlock,
            "another connection holds the lock of the database file", who_locks},
    CodeRow{SQLITE_BUSY_RECOVERY, "SQLITE_BUSY_RECOVERY", FailureKind::deadlock,
            "another connection is recovering the database file", who_locks},
    CodeRow{SQLITE_BUSY_SNAPSHOT, "SQLITE_BUSY_SNAPSHOT", FailureKind::conflict,
            "another connection wrote in between"},
    CodeRow{SQLITE_LOCKED, "SQLITE_LOCKED", FailureKind::deadlock, "a table is in use", who_locks},
    CodeRow{SQLITE_NOMEM, "SQLITE_NOMEM", FailureKind::resource, "out of memory"},
    CodeRow{SQLITE_READONLY, "SQLITE_READONLY", FailureKind::permission,
            "the database can't be written to", rights},
    CodeRow{SQLITE_IOERR, "SQLITE_IOERR", FailureKind::resource, "the disk reported an error",
            disk},
    CodeRow{SQLITE_CORRUPT, "SQLITE_CORRUPT", FailureKind::internal, "the database file is damaged",
            "Run PRAGMA integrity_check, and restore a backup."},
    CodeRow{SQLITE_FULL, "SQLITE_FULL", FailureKind::resource, "the disk is full", disk},
    CodeRow{SQLITE_CANTOPEN, "SQLITE_CANTOPEN", FailureKind::permission,
            "the database file or one beside it can't be opened", rights},
    CodeRow{SQLITE_PROTOCOL, "SQLITE_PROTOCOL", FailureKind::deadlock,
            "the file's locks could not be had", who_locks},
    CodeRow{SQLITE_SCHEMA, "SQLITE_SCHEMA", FailureKind::conflict,
            "the schema changed while the statement was prepared"},
    CodeRow{SQLITE_TOOBIG, "SQLITE_TOOBIG", FailureKind::conversion,
            "a value is larger than SQLite allows"},
    CodeRow{SQLITE_CONSTRAINT, "SQLITE_CONSTRAINT", FailureKind::constraint,
            "a constraint refuses the row"},
    CodeRow{SQLITE_CONSTRAINT_CHECK, "SQLITE_CONSTRAINT_CHECK", FailureKind::constraint,
            "a CHECK constraint refuses the row"},
    CodeRow{SQLITE_CONSTRAINT_FOREIGNKEY, "SQLITE_CONSTRAINT_FOREIGNKEY", FailureKind::constraint,
            "a foreign key refuses the row: what it points to is not there"},
    CodeRow{SQLITE_CONSTRAINT_NOTNULL, "SQLITE_CONSTRAINT_NOTNULL", FailureKind::constraint,
            "NULL where the column is NOT NULL"},
    CodeRow{SQLITE_CONSTRAINT_PRIMARYKEY, "SQLITE_CONSTRAINT_PRIMARYKEY", FailureKind::constraint,
            "another row has this primary key"},
    CodeRow{SQLITE_CONSTRAINT_ROWID, "SQLITE_CONSTRAINT_ROWID", FailureKind::constraint,
            "another row has this rowid"},
    CodeRow{SQLITE_CONSTRAINT_TRIGGER, "SQLITE_CONSTRAINT_TRIGGER", FailureKind::constraint,
            "a trigger refuses the row"},
    CodeRow{SQLITE_CONSTRAINT_UNIQUE, "SQLITE_CONSTRAINT_UNIQUE", FailureKind::constraint,
            "another row has this value of a unique key"},
    CodeRow{SQLITE_CONSTRAINT_DATATYPE, "SQLITE_CONSTRAINT_DATATYPE", FailureKind::conversion,
            "the value is not of the type that the STRICT table wants"},
    CodeRow{SQLITE_MISMATCH, "SQLITE_MISMATCH", FailureKind::conversion,
            "an INTEGER PRIMARY KEY takes whole numbers only"},
    CodeRow{SQLITE_MISUSE, "SQLITE_MISUSE", FailureKind::internal, "SQLite was used wrongly"},
    CodeRow{SQLITE_NOLFS, "SQLITE_NOLFS", FailureKind::resource, "the file is too large here"},
    CodeRow{SQLITE_AUTH, "SQLITE_AUTH", FailureKind::permission, "access was refused", rights},
    CodeRow{SQLITE_RANGE, "SQLITE_RANGE", FailureKind::internal, "SQLite was used wrongly"},
    CodeRow{SQLITE_NOTADB, "SQLITE_NOTADB", FailureKind::schema,
            "the file is no SQLite database, or an encrypted one", "Check the connection's path."},
};

const CodeRow* find(int code) noexcept {
  for (const CodeRow& row : codes)
    if (row.code == code) return &row;
  return nullptr;
}

const CodeRow* row_of(int extended_code) noexcept {
  const CodeRow* exact = find(extended_code);
  return exact != nullptr ? exact : find(extended_code & 0xff);
}

/// "UNIQUE constraint failed: t.a, t.b" -> "a, b". The text holds names only, never values.
std::string columns_in(std::string_view text) {
  constexpr std::string_view mark = "constraint failed: ";
  const std::size_t at = text.find(mark);
  if (at == std::string_view::npos) return {};
  std::string columns;
  std::string_view rest = text.substr(at + mark.size());
  while (!rest.empty()) {
    const std::size_t comma = rest.find(", ");
    const std::string_view one = rest.substr(0, comma);
    const std::size_t point = one.rfind('.');
    if (point == std::string_view::npos) return {};
    columns += (columns.empty() ? "" : ", ") + std::string(one.substr(point + 1));
    rest = comma == std::string_view::npos ? std::string_view{} : rest.substr(comma + 2);
  }
  return columns;
}

}  // namespace

FailureKind kind_of(int extended_code, bool preparing) noexcept {
  if (preparing && extended_code == SQLITE_ERROR) return FailureKind::schema;
  const CodeRow* row = row_of(extended_code);
  return row == nullptr ? FailureKind::internal : row->kind;
}

std::string code_name(int extended_code) {
  const CodeRow* row = find(extended_code);
  return row == nullptr ? "SQLITE_" + std::to_string(extended_code) : std::string(row->name);
}

Error error_of(int extended_code, bool preparing, std::string_view driver_text) {
  const CodeRow* row = row_of(extended_code);
  Error::Fields fields{.kind = kind_of(extended_code, preparing),
                       .message = row == nullptr ? "SQLite failed" : std::string(row->message)};
  fields.code = code_name(extended_code);
  fields.driver_text = driver_text;
  if (row != nullptr) fields.hint = row->hint;
  if (preparing && extended_code == SQLITE_ERROR) {
    fields.message = "SQLite does not accept the statement: a table, a column or the SQL is wrong";
    fields.hint =
        "Check the names and the query in the configuration; the debug log has SQLite's "
        "own words.";
  }
  if (extended_code == SQLITE_CONSTRAINT_UNIQUE || extended_code == SQLITE_CONSTRAINT_NOTNULL ||
      extended_code == SQLITE_CONSTRAINT_PRIMARYKEY)
    fields.column = columns_in(driver_text);
  return Error(std::move(fields));
}

}  // namespace tidemark::sqlite
