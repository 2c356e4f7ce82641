#!/usr/bin/env bash
# MariaDB or PostgreSQL -> MariaDB: the rows as text through a FIFO into one LOAD DATA.
# usage: to_mariadb.sh mariadb|postgres SOURCE TARGET_PORT/DATABASE COLUMNS FIFO
set -euo pipefail
mkfifo "$5"
trap 'rm -f "$5"' EXIT
case $1 in
  mariadb)
    { mariadb --no-defaults -h127.0.0.1 -P"${2%/*}" -utidemark -ptidemark --quick -N -B \
        --default-character-set=utf8mb4 --init-command="SET time_zone='+00:00'" "${2#*/}" \
        -e "SELECT $4 FROM orders" | sed 's/\tNULL$/\t\\N/' >"$5"; } &
    ;;
  postgres)
    # MariaDB's times have no zone: without this they would end in "+00".
    utc="updated_at AT TIME ZONE 'UTC'"
    psql -X -q -v ON_ERROR_STOP=1 "$2" -c "SET timezone = 'UTC'" \
      -c "\\copy (SELECT ${4/updated_at/$utc} FROM orders) to stdout" >"$5" &
    ;;
esac
reader=$!
mariadb --no-defaults -h127.0.0.1 -P"${3%/*}" -utidemark -ptidemark --local-infile=1 "${3#*/}" \
  -e "SET time_zone='+00:00'; LOAD DATA LOCAL INFILE '$5' INTO TABLE orders CHARACTER SET utf8mb4 ($4)"
wait "$reader"
