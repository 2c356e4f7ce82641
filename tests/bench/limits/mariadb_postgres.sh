#!/usr/bin/env bash
# MariaDB -> PostgreSQL: the rows as text through a pipe, key and index last.
# usage: mariadb_postgres.sh SOURCE_PORT/DATABASE TARGET COLUMNS
set -euo pipefail
mariadb --no-defaults -h127.0.0.1 -P"${1%/*}" -utidemark -ptidemark --quick -N -B \
  --default-character-set=utf8mb4 --init-command="SET time_zone='+00:00'" "${1#*/}" \
  -e "SELECT $3 FROM orders" |
  sed 's/\tNULL$/\t\\N/' |
  psql -X -q -v ON_ERROR_STOP=1 "$2" -c "SET timezone = 'UTC'" -c "\\copy orders ($3) from stdin"
psql -X -q -v ON_ERROR_STOP=1 "$2" -c "ALTER TABLE orders ADD PRIMARY KEY (id)" \
  -c "CREATE INDEX ON orders (updated_at)"
