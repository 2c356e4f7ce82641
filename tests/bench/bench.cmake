# The benchmarks: scripts/bench builds them in the release tree, where the numbers mean something.
file(GLOB bench_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/bench/*.cpp)
tidemark_paths(${bench_sources})
set_property(SOURCE ${CMAKE_SOURCE_DIR}/tests/bench/main.cpp APPEND PROPERTY
  COMPILE_DEFINITIONS TIDEMARK_BENCH_REVISION="${revision}")
add_executable(tidemark_bench ${bench_sources})
target_link_libraries(tidemark_bench PRIVATE tidemark_test_support CLI11::CLI11
                      nlohmann_json::nlohmann_json)

file(GLOB limit_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/bench/limits/*.cpp)
add_executable(tidemark_limits ${limit_sources} ${CMAKE_SOURCE_DIR}/tests/bench/data.cpp)
target_include_directories(tidemark_limits PRIVATE ${CMAKE_SOURCE_DIR}/tests)
target_link_libraries(tidemark_limits PRIVATE fmt::fmt PkgConfig::PQ PkgConfig::MARIADB
                      SQLite::SQLite3)

# What one batch costs in each step, without a server: build/release/tidemark_micro --help
find_package(benchmark REQUIRED)
file(GLOB micro_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/bench/micro/*.cpp)
add_executable(tidemark_micro ${micro_sources} ${CMAKE_SOURCE_DIR}/tests/bench/data.cpp)
target_include_directories(tidemark_micro PRIVATE ${CMAKE_SOURCE_DIR}/tests)
target_link_libraries(tidemark_micro PRIVATE tidemark_connectors tidemark_sync tidemark_transform
                      benchmark::benchmark_main)

tidemark_test(bench_smoke bench-smoke ${CMAKE_SOURCE_DIR}/tests/bench/smoke/smoke_test.cpp)
target_link_libraries(bench_smoke PRIVATE nlohmann_json::nlohmann_json)

if(TIDEMARK_SANITIZE)
  set_target_properties(tidemark_bench tidemark_limits tidemark_micro bench_smoke PROPERTIES
    EXCLUDE_FROM_ALL ON)
endif()
