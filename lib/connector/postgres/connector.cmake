pkg_check_modules(PQXX REQUIRED IMPORTED_TARGET libpqxx)
pkg_check_modules(PQ REQUIRED IMPORTED_TARGET libpq)
set(connector_libraries PkgConfig::PQXX PkgConfig::PQ)
