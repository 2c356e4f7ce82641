# tidemark_crash: the program's own objects, linked with connectors that can be killed at a named
# moment (tests/fault/program/moments.h). Nothing of it is in the program that ships.
tidemark_write_connectors(${CMAKE_BINARY_DIR}/wrapped_connectors.cpp wrapped.h "fault::wrapped<" ">")

file(GLOB program_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/fault/program/*.cpp)
add_executable(tidemark_crash ${program_sources} ${CMAKE_BINARY_DIR}/wrapped_connectors.cpp
               ${CMAKE_SOURCE_DIR}/daemon/main.cpp)
target_include_directories(tidemark_crash PRIVATE ${CMAKE_SOURCE_DIR}/tests/fault/program)
target_link_libraries(tidemark_crash PRIVATE tidemark_daemon)
foreach(call PQexec mysql_real_query sqlite3_step _ZN8tidemark11make_runnerENS_11RunnerPortsE)
  target_link_options(tidemark_crash PRIVATE -Wl,--wrap=${call})
endforeach()
add_dependencies(fault_tests tidemark_crash)
if(TIDEMARK_SANITIZE)
  set_target_properties(tidemark_crash PROPERTIES EXCLUDE_FROM_ALL ON)
endif()
