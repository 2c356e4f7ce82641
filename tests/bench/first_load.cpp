#include <filesystem>
#include <fstream>
#include <memory>
#include <stdexcept>

#include "bench/route.h"

namespace tidemark::bench {
namespace {

struct Plan {
  Vendor from;
  Vendor to;
  const char* title;
  const char* limit;
  double must;
  double aim;
};

Plan plan_of(const std::string& name) {
  using enum Vendor;
  if (name == "postgres-postgres")
    return {postgres, postgres, "PostgreSQL -> PostgreSQL", "binary COPY pipe, indexes last",
            1.25,     1.05};
  if (name == "mariadb-postgres")
    return {mariadb, postgres, "MariaDB -> PostgreSQL", "shell pipe, text COPY, indexes last",
            1.00,    0.80};
  if (name == "mariadb-mariadb")
    return {mariadb, mariadb, "MariaDB -> MariaDB", "FIFO LOAD DATA, one stream", 1.00, 0.75};
  if (name == "postgres-mariadb")
    return {postgres, mariadb, "PostgreSQL -> MariaDB", "COPY text into FIFO LOAD DATA",
            1.00,     0.75};
  if (name == "sqlite-postgres")
    return {sqlite, postgres, "SQLite -> PostgreSQL", "COPY of a text file, indexes last",
            1.25,   1.05};
  if (name == "postgres-sqlite")
    return {postgres,
            sqlite,
            "PostgreSQL -> SQLite",
            "prepared insert from a text file, one transaction",
            1.15,
            1.05};
  throw std::logic_error("no route " + name);
}

const char* index_statement = "CREATE INDEX orders_updated_at ON orders (updated_at);";

Cost run_limit(Stage& stage, const Place& source, const Place& target) {
  const std::string list = columns();
  const std::string to = target.address();
  switch (target.vendor()) {
    case Vendor::sqlite:
      return measure({.words = {limits_program(), "sqlite-fill", stage.rows_file(), to, "orders",
                                list, index_statement}});
    case Vendor::mariadb:
      return measure({.words = {limits_script("to_mariadb.sh"), name_of(source.vendor()),
                                source.address(), to, list, stage.path("fifo")}});
    case Vendor::postgres:
      break;
  }
  switch (source.vendor()) {
    case Vendor::postgres:
      return measure({.words = {limits_program(), "postgres-postgres", source.address(), to}});
    case Vendor::mariadb:
      return measure({.words = {limits_script("mariadb_postgres.sh"), source.address(), to, list}});
    case Vendor::sqlite:
      break;
  }
  return measure({.words = {limits_script("file_postgres.sh"), stage.rows_file(), to, list}});
}

/// pgloader's own language: its command line can't say what a type that it does not know is, nor
/// leave out a default that it can't translate.
Cost run_pgloader(Stage& stage, const Place& source, const Place& target) {
  const std::string file = stage.path("orders.load");
  std::string command = "LOAD DATABASE FROM " + source.url() + " INTO " + target.url();
  if (source.vendor() == Vendor::sqlite)
    command += " CAST type decimal_text to \"numeric\", type timestamptz to timestamptz";
  if (source.vendor() == Vendor::mariadb)
    command +=
        " CAST type timestamp to timestamptz drop default ALTER SCHEMA 'shop' RENAME TO "
        "'public'";
  std::ofstream(file) << command << ";\n";
  Cost cost = measure({.words = {"pgloader", "--root-dir", stage.path("pgloader"), file}});
  // It says so, and exits 0.
  if (cost.output.find(" ERROR ") != std::string::npos) throw std::runtime_error(cost.output);
  return cost;
}

Cost run_pgcopydb(Stage& stage, const Place& source, const Place& target) {
  const std::string folder = stage.path("pgcopydb");
  std::filesystem::remove_all(folder);
  return measure(
      {.words = {"pgcopydb", "clone", "--dir", folder, "--table-jobs", "2", "--index-jobs", "2",
                 "--no-owner", "--no-acl", "--source", source.url(), "--target", target.url()}});
}

Cost run_mydumper(Stage& stage, const Place& source, const Place& target) {
  const std::string folder = stage.path("mydumper");
  std::filesystem::remove_all(folder);
  const auto server = [](const Place& place) {
    const std::string address = place.address();
    const std::size_t slash = address.find('/');
    return "-h 127.0.0.1 -P " + address.substr(0, slash) + " -u tidemark -p tidemark -B " +
           address.substr(slash + 1);
  };
  return measure({.words = {"sh", "-c",
                            "mydumper " + server(source) + " -t 2 -o " + folder + " && myloader " +
                                server(target) + " -t 2 -o -d " + folder}});
}

void add_peer(Route& route, Stage& stage, const Place& source,
              const std::shared_ptr<Place>& target) {
  const auto add = [&](const std::string& program, const std::string& name, auto run) {
    if (!installed(program)) {
      route.notes.push_back(name + " is not installed (apt-get install " + program + ")");
      return;
    }
    route.cases.push_back(
        {.name = name,
         .reset = [target] { target->recreate(); },
         .run = [&stage, &source, target, run] { return run(stage, source, *target); },
         .sums = [target] { return target->sums(); }});
  };
  if (source.vendor() == target->vendor() && source.vendor() == Vendor::postgres)
    add("pgcopydb", "pgcopydb", run_pgcopydb);
  else if (target->vendor() == Vendor::postgres)
    add("pgloader", "pgloader", run_pgloader);
  else if (source.vendor() == target->vendor() && source.vendor() == Vendor::mariadb)
    add("mydumper", "mydumper", run_mydumper);
}

}  // namespace

Route first_load(Stage& stage, const std::string& name) {
  const Plan plan = plan_of(name);
  const Place& source = stage.source(plan.from);
  const auto place = [&](const char* database) {
    return std::shared_ptr<Place>(stage.place(plan.to, Stage::Side::target, database));
  };
  Route route{.name = name,
              .title = plan.title,
              .limit = plan.limit,
              .rows = stage.rows(),
              .must = plan.must,
              .aim = plan.aim,
              .expected = [&source] { return source.sums(); }};

  const auto ours = place("ours");
  const auto job = std::make_shared<Job>(stage, name, source, *ours);
  route.cases.push_back({.name = "tidemark",
                         .reset =
                             [ours] {
                               ours->recreate();
                               ours->settle();
                             },
                         .run = [job] { return job->run(); },
                         .sums = [ours] { return ours->sums(); }});

  const auto bare = place("bare");
  route.cases.push_back({.name = "limit",
                         .reset =
                             [bare] {
                               bare->recreate();
                               bare->sql(create_table(bare->vendor(), "orders"));
                               if (bare->vendor() == Vendor::mariadb) bare->sql(index_statement);
                               bare->settle();
                             },
                         .run = [&stage, &source, bare] { return run_limit(stage, source, *bare); },
                         .sums = [bare] { return bare->sums(); }});
  add_peer(route, stage, source, place("peer"));
  return route;
}

}  // namespace tidemark::bench
