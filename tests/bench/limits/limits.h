#pragma once

#include <string>
#include <vector>

// The least that a client can do on each route: what Tidemark is measured against. They read no
// catalogue, keep no checkpoint, check nothing and can't go on after a crash.
namespace tidemark::bench {

using Words = std::vector<std::string>;

/// SOURCE TARGET: binary COPY from one server into a table without keys on the other, then key and
/// index.
void postgres_to_postgres(const Words& arguments);
/// SOURCE TABLES POLLS RATE: so many polls that find nothing, RATE of them a second, over the
/// tables t0, t1, …: one round trip each.
void poll_postgres(const Words& arguments);
/// FILE TARGET TABLE COLUMNS [STATEMENT]: rows in the text form through one prepared INSERT in one
/// transaction, then the statement.
void fill_sqlite(const Words& arguments);

// SOURCE TARGET: what changed in `orders` since the target's newest row, in the order of the
// change. It is in memory before the clock starts; prints "seconds=N".

/// Binary COPY into a temporary table and one sorted INSERT … ON CONFLICT, 20,000 rows each.
void upsert_postgres(const Words& arguments);
/// Bulk binds of 10,000 rows of INSERT … ON DUPLICATE KEY UPDATE.
void upsert_mariadb(const Words& arguments);
/// A prepared upsert, 50,000 rows to a transaction.
void upsert_sqlite(const Words& arguments);

/// Seconds since the steady clock began.
double now_seconds();
/// "a = NEW.a, b = NEW.b, …" of every column but the key, with `around` between name and name:
/// "excluded." in most places.
std::string assignments(const std::string& prefix, const std::string& suffix = "");

}  // namespace tidemark::bench
