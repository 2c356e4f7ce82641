#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <sstream>
#include <stdexcept>

#include "bench/route.h"

namespace tidemark::bench {
namespace {

/// The changes of a round, made in the source as its applications would make them: a thousand rows
/// to a transaction, each with the time at which it was written.
class Changes {
 public:
  Changes(Stage& stage, Place& source) : stage_(stage), source_(source) {}

  std::uint64_t rows() const { return stage_.rows() / 4; }

  void make() {
    const std::string file = stage_.path("changes.tsv");
    write_changes(file,
                  {.rows = stage_.rows(), .already_added = round_ * (rows() / 2), .round = round_},
                  rows());
    source_.sql("DROP TABLE IF EXISTS changes;" + create_changes());
    source_.load(file, "changes", std::string("sequence, ") + columns());
    std::string statements;
    for (std::uint64_t at = 0; at < rows(); at += chunk)
      statements += apply(at);
    source_.sql(statements + "DROP TABLE changes;");
    ++round_;
  }

 private:
  static constexpr std::uint64_t chunk = 1000;

  std::string create_changes() const {
    std::string text = create_table(source_.vendor(), "changes");
    // The same id may come twice.
    const std::size_t key = text.find(" PRIMARY KEY");
    if (key != std::string::npos) text.erase(key, sizeof(" PRIMARY KEY") - 1);
    return text.replace(text.find('('), 1, "(sequence BIGINT NOT NULL PRIMARY KEY, ");
  }

  std::string apply(std::uint64_t from) const {
    const bool sqlite = source_.vendor() == Vendor::sqlite;
    const std::string written = "id, customer_id, sku, state, quantity, amount, created_at, note";
    const std::string select = fmt::format(
        "SELECT {}{} FROM changes WHERE sequence >= {} AND sequence < {} ORDER BY sequence",
        written, sqlite ? ", strftime('%Y-%m-%d %H:%M:%f000', 'now')" : "", from, from + chunk);
    std::string statement =
        "INSERT INTO orders (" + written + (sqlite ? ", updated_at" : "") + ") ";
    const char* old = "excluded.";
    const char* end = "";
    switch (source_.vendor()) {
      case Vendor::postgres:
        // One statement can't touch a row twice: of two versions the last counts.
        statement += "SELECT DISTINCT ON (id) " + written + " FROM (" + select +
                     ") AS drawn ORDER BY id, amount ON CONFLICT (id) DO UPDATE SET ";
        break;
      case Vendor::mariadb:
        statement += select + " ON DUPLICATE KEY UPDATE ";
        old = "VALUES(";
        end = ")";
        break;
      case Vendor::sqlite:
        statement += "SELECT * FROM (" + select +
                     ") WHERE true ON CONFLICT (id) DO UPDATE SET "
                     "updated_at = excluded.updated_at, ";
        break;
    }
    for (const char* column : {"customer_id", "sku", "state", "quantity", "amount", "created_at"})
      statement += fmt::format("{0} = {1}{0}{2}, ", column, old, end);
    return statement + fmt::format("note = {}note{};\n", old, end);
  }

  Stage& stage_;
  Place& source_;
  std::uint64_t round_ = 0;
};

Cost run_limit(const std::string& name, const Place& source, const Place& target) {
  Cost cost = measure({.words = {limits_program(), name, source.address(), target.address()}});
  // Its own clock: reading the changes into memory is not part of the limit.
  const std::size_t at = cost.output.find("seconds=");
  if (at == std::string::npos) throw std::runtime_error(name + " says nothing: " + cost.output);
  cost.seconds = std::strtod(cost.output.c_str() + at + sizeof("seconds=") - 1, nullptr);
  return cost;
}

Vendor vendor_of(const std::string& name) {
  if (name == "upsert-postgres") return Vendor::postgres;
  return name == "upsert-mariadb" ? Vendor::mariadb : Vendor::sqlite;
}

Route route_of(const std::string& name, Vendor vendor) {
  Route route{.name = name, .title = "", .limit = "", .rows = 0, .must = 1.15, .aim = 1.05};
  switch (vendor) {
    case Vendor::postgres:
      route.title = "PostgreSQL upsert";
      route.limit = "binary COPY and INSERT … ORDER BY … ON CONFLICT, 20,000 rows, one connection";
      route.aim = 0.80;
      break;
    case Vendor::mariadb:
      route.title = "MariaDB upsert";
      route.limit = "bulk binds, 10,000 rows, one connection";
      route.aim = 0.90;
      break;
    case Vendor::sqlite:
      route.title = "SQLite upsert";
      route.limit = "prepared upsert, 50,000 rows to a transaction";
      break;
  }
  return route;
}

}  // namespace

Route upsert(Stage& stage, const std::string& name) {
  const Vendor vendor = vendor_of(name);
  // A copy of its own: other routes go on with the table as it was.
  const auto source = std::shared_ptr<Place>(stage.place(vendor, Stage::Side::source, "changing"));
  const auto ours = std::shared_ptr<Place>(stage.place(vendor, Stage::Side::target, "kept_ours"));
  const auto bare = std::shared_ptr<Place>(stage.place(vendor, Stage::Side::target, "kept_bare"));
  source->copy_from(stage.source(vendor));
  ours->recreate();
  const auto job = std::make_shared<Job>(stage, name, *source, *ours);
  job->catch_up();
  bare->copy_from(*ours);
  const auto changes = std::make_shared<Changes>(stage, *source);

  Route route = route_of(name, vendor);
  route.rows = changes->rows();
  route.before_round = [job, changes] {
    job->catch_up();
    changes->make();
  };
  route.expected = [source] { return source->sums(); };
  route.cases.push_back({.name = "tidemark",
                         .reset = [ours] { ours->settle(); },
                         .run = [job] { return job->run(); },
                         .sums = [ours] { return ours->sums(); }});
  route.cases.push_back({.name = "limit",
                         .reset = [bare] { bare->settle(); },
                         .run = [name, source, bare] { return run_limit(name, *source, *bare); },
                         .sums = [bare] { return bare->sums(); }});
  return route;
}

}  // namespace tidemark::bench
