set(connector_libraries SQLite::SQLite3)
