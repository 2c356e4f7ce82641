#!/usr/bin/env bash
# A text file -> PostgreSQL, key and index last: what SQLite -> PostgreSQL could be if reading
# SQLite took no time.
# usage: file_postgres.sh FILE TARGET COLUMNS
set -euo pipefail
psql -X -q -v ON_ERROR_STOP=1 "$2" -c "SET timezone = 'UTC'" \
  -c "\\copy orders ($3) from '$1'" -c "ALTER TABLE orders ADD PRIMARY KEY (id)" \
  -c "CREATE INDEX ON orders (updated_at)"
