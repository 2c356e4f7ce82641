#include <chrono>
#include <cstdio>
#include <exception>
#include <functional>
#include <map>
#include <string_view>

#include "bench/data.h"
#include "bench/limits/limits.h"

namespace tidemark::bench {

double now_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

std::string assignments(const std::string& prefix, const std::string& suffix) {
  std::string text;
  std::string_view rest = columns();
  while (!rest.empty()) {
    const std::size_t comma = rest.find(", ");
    const std::string name(rest.substr(0, comma));
    rest = comma == std::string_view::npos ? std::string_view() : rest.substr(comma + 2);
    if (name == "id") continue;
    if (!text.empty()) text += ", ";
    text += name + " = " + prefix + name + suffix;
  }
  return text;
}

}  // namespace tidemark::bench

int main(int count, char** arguments) {
  using tidemark::bench::Words;
  const std::map<std::string, std::function<void(const Words&)>> limits{
      {"postgres-postgres", tidemark::bench::postgres_to_postgres},
      {"poll-postgres", tidemark::bench::poll_postgres},
      {"sqlite-fill", tidemark::bench::fill_sqlite},
      {"upsert-postgres", tidemark::bench::upsert_postgres},
      {"upsert-mariadb", tidemark::bench::upsert_mariadb},
      {"upsert-sqlite", tidemark::bench::upsert_sqlite}};
  const auto found = count < 2 ? limits.end() : limits.find(arguments[1]);
  if (found == limits.end()) {
    std::fputs("usage: tidemark_limits NAME ARGUMENT…; scripts/bench calls it\n", stderr);
    return 64;
  }
  try {
    found->second(Words(arguments + 2, arguments + count));
  } catch (const std::exception& problem) {
    std::fprintf(stderr, "%s: %s\n", arguments[1], problem.what());
    return 1;
  }
  return 0;
}
