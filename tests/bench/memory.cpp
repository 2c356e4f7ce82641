#include <fmt/format.h>

#include <algorithm>

#include "bench/figures.h"

namespace tidemark::bench {
namespace {

struct Shape {
  const char* name;
  std::uint64_t rows;
};

/// Made by the server itself: what counts is how many there are, and how large.
std::string make_table(Vendor vendor, const Shape& shape, bool wide) {
  const std::string table = shape.name;
  if (vendor == Vendor::postgres)
    return fmt::format(
        "CREATE TABLE {0} (id bigint PRIMARY KEY, payload {1} NOT NULL, updated_at timestamptz NOT "
        "NULL DEFAULT clock_timestamp());\n"
        "INSERT INTO {0} (id, payload) SELECT i, {2} FROM generate_series(1, {3}) AS i;\n"
        "CREATE INDEX ON {0} (updated_at);\n"
        "CREATE FUNCTION touch_{0}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.updated_at "
        ":= clock_timestamp(); RETURN NEW; END $$;\n"
        "CREATE TRIGGER touch BEFORE INSERT OR UPDATE ON {0} FOR EACH ROW EXECUTE FUNCTION "
        "touch_{0}();\nVACUUM (ANALYZE) {0};\n",
        table, wide ? "text" : "integer",
        wide ? "repeat(md5(i::text), 32768)" : "(i % 1000000)::integer", shape.rows);
  return fmt::format(
      "CREATE TABLE {0} (id BIGINT PRIMARY KEY, payload {1} NOT NULL, updated_at TIMESTAMP(6) NOT "
      "NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6), KEY (updated_at));\n"
      "INSERT INTO {0} (id, payload) SELECT seq, {2} FROM seq_1_to_{3};\nANALYZE TABLE {0};\n",
      table, wide ? "LONGTEXT" : "INT", wide ? "REPEAT(MD5(seq), 32768)" : "seq % 1000000",
      shape.rows);
}

}  // namespace

std::vector<Figure> memory(const FigureOptions& options) {
  Stage& stage = options.stage;
  const bool smoke = options.smoke;
  const std::vector<Shape> shapes{{"narrow", stage.rows() * (smoke ? 1 : 10)},
                                  {"wide", std::max<std::uint64_t>(stage.rows() / 200, 1)}};
  struct Budget {
    const char* text;
    const char* daemon;
    double bound;  ///< MiB
  };
  const std::vector<Budget> budgets{{"64 MiB", "", 96}, {"16 MiB", ", memory: 16MiB", 48}};

  std::vector<Figure> figures;
  for (const Vendor vendor : {Vendor::postgres, Vendor::mariadb}) {
    const auto source = stage.place(vendor, Stage::Side::source, "memory");
    const auto target = stage.place(vendor, Stage::Side::target, "memory");
    for (const Shape& shape : shapes) {
      const bool wide = shape.name == std::string("wide");
      source->recreate();
      source->sql(make_table(vendor, shape, wide));
      for (const Budget& budget : budgets) {
        target->recreate();
        target->settle();
        const Job job(stage, fmt::format("memory-{}-{}", name_of(vendor), shape.name), *source,
                      *target, {.table = shape.name, .daemon = budget.daemon});
        const Cost cost = job.run();
        const double rss = static_cast<double>(cost.peak_rss) / (1024 * 1024);
        options.say(fmt::format("memory {} {} {}: {:.1f} MiB, {:.1f} s, client CPU {:.1f} s",
                                name_of(vendor), shape.name, budget.text, rss, cost.seconds,
                                cost.client_cpu));
        const std::string count = fmt::format("SELECT count(*) FROM {};", shape.name);
        if (target->sql(count) != source->sql(count))
          throw std::runtime_error(std::string("memory: rows are missing in ") + shape.name);
        figures.push_back(
            {.route = "memory",
             .what = fmt::format("{}, {} {} rows, budget {}: peak RSS", name_of(vendor), shape.rows,
                                 shape.name, budget.text),
             .value = rss,
             .bound = budget.bound,
             .unit = "MiB"});
      }
    }
    source->recreate();
    target->recreate();
  }
  return figures;
}

}  // namespace tidemark::bench
