# libmariadb carries the rows (binary streams, bulk binds), mysql-connector-c++ the control sessions.
pkg_check_modules(MARIADB REQUIRED IMPORTED_TARGET libmariadb)
find_path(MYSQLCPPCONN_INCLUDE cppconn/driver.h REQUIRED)
find_library(MYSQLCPPCONN_LIBRARY mysqlcppconn REQUIRED)
set(connector_libraries PkgConfig::MARIADB ${MYSQLCPPCONN_LIBRARY})
