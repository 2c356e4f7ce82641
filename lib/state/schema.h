#pragma once

#include "state/database.h"

namespace tidemark::state {

/// Version of the schema that this program knows.
std::int64_t schema_version() noexcept;

/// Settings of a writing connection: write-ahead log, no fsync per commit. A power cut may cost the
/// newest history, never the file.
void configure_writer(Database& database);

/// Brings a file up to date, each step in its own transaction. Throws Error{schema} for a file of a
/// newer version.
void migrate(Database& database);

/// Throws Error with Damage::corrupt unless SQLite finds the file sound.
void check_sound(Database& database);

}  // namespace tidemark::state
