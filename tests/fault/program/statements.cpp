// The linker puts these in place of the calls that send statements (--wrap), so that the program
// can be killed before one, or with COMMIT on its way. What is not within Load::commit passes.
#include <libpq-fe.h>
#include <mysql.h>
#include <poll.h>
#include <sqlite3.h>
#include <unistd.h>

#include <cstdlib>
#include <string>
#include <string_view>

#include "moments.h"
#include "sync/run.h"

extern "C" {
PGresult* __real_PQexec(PGconn* connection, const char* statement);
PGresult* __wrap_PQexec(PGconn* connection, const char* statement);
int __real_mysql_real_query(MYSQL* mysql, const char* statement, unsigned long length);
int __wrap_mysql_real_query(MYSQL* mysql, const char* statement, unsigned long length);
int __real_sqlite3_step(sqlite3_stmt* statement);
int __wrap_sqlite3_step(sqlite3_stmt* statement);
}

namespace {

using tidemark::fault::Committing;
using tidemark::fault::die;
using tidemark::fault::due;
using tidemark::fault::moment;

constexpr std::string_view on_its_way = "commit sent";
constexpr std::string_view unread = "commit unread";

/// Passes the moment before a statement; whether it is the COMMIT of a load.
bool announce(std::string_view statement) {
  const std::string_view word = statement.substr(0, statement.find_first_of(" ;\n"));
  moment("commit " + std::string(word));
  return word == "COMMIT";
}

void wait_for_answer(int socket) {
  pollfd answer{socket, POLLIN, 0};
  while (::poll(&answer, 1, -1) != 1) {
  }
}

/// SQLite sends nothing: its COMMIT is on its way between two writes to the file.
thread_local bool writing_commit = false;
using Write = ssize_t (*)(int, const void*, std::size_t, off_t);
Write write_of_sqlite = nullptr;

ssize_t half_written(int file, const void* bytes, std::size_t size, off_t offset) {
  const ssize_t written = write_of_sqlite(file, bytes, size, offset);
  if (writing_commit) die(on_its_way);
  return written;
}

void watch_writes() {
  sqlite3_vfs* files = sqlite3_vfs_find(nullptr);
  const char* name = files->xGetSystemCall(files, "pwrite64") != nullptr ? "pwrite64" : "pwrite";
  write_of_sqlite = reinterpret_cast<Write>(files->xGetSystemCall(files, name));
  files->xSetSystemCall(files, name, reinterpret_cast<sqlite3_syscall_ptr>(half_written));
}

}  // namespace

PGresult* __wrap_PQexec(PGconn* connection, const char* statement) {
  if (!Committing::now() || !announce(statement)) return __real_PQexec(connection, statement);
  const bool sent = due(on_its_way);
  if (sent || due(unread)) {
    PQsendQuery(connection, statement);
    while (PQflush(connection) == 1) {
    }
    if (sent) die(on_its_way);
    wait_for_answer(PQsocket(connection));
    die(unread);
  }
  return __real_PQexec(connection, statement);
}

int __wrap_mysql_real_query(MYSQL* mysql, const char* statement, unsigned long length) {
  if (!Committing::now() || !announce({statement, length}))
    return __real_mysql_real_query(mysql, statement, length);
  const bool sent = due(on_its_way);
  if (sent || due(unread)) {
    mysql_send_query(mysql, statement, length);
    if (sent) die(on_its_way);
    wait_for_answer(static_cast<int>(mysql_get_socket(mysql)));
    die(unread);
  }
  return __real_mysql_real_query(mysql, statement, length);
}

int __wrap_sqlite3_step(sqlite3_stmt* statement) {
  if (!Committing::now()) return __real_sqlite3_step(statement);
  const char* text = sqlite3_sql(statement);
  if (text == nullptr || !announce(text)) return __real_sqlite3_step(statement);
  if (due(on_its_way)) {
    watch_writes();
    writing_commit = true;
  }
  const int result = __real_sqlite3_step(statement);
  moment(unread);
  return result;
}

/// A lease as short as a test wants it: nothing in a configuration sets it.
namespace tidemark {
std::unique_ptr<SyncRunner> real_make_runner(RunnerPorts ports) __asm__(
    "__real__ZN8tidemark11make_runnerENS_11RunnerPortsE");
std::unique_ptr<SyncRunner> wrapped_make_runner(RunnerPorts ports) __asm__(
    "__wrap__ZN8tidemark11make_runnerENS_11RunnerPortsE");

std::unique_ptr<SyncRunner> wrapped_make_runner(RunnerPorts ports) {
  if (const char* seconds = std::getenv("TIDEMARK_TEST_LEASE"))
    ports.limits.lease = std::chrono::seconds(std::strtol(seconds, nullptr, 10));
  return real_make_runner(std::move(ports));
}
}  // namespace tidemark
