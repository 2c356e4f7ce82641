// What `check` finds out before a job runs.
#include <catch2/catch.hpp>

#include "bench.h"
#include "sync/check.h"

using namespace tidemark;
using namespace tidemark::test;
using std::chrono::minutes;

namespace {

CheckReport check(Bench& bench) {
  return check_job(std::make_shared<const JobSettings>(bench.job),
                   {.connections = *bench.connections, .zones = bench.zones, .instance = "test"});
}

bool mentions(const std::vector<std::string>& texts, const std::string& part) {
  for (const std::string& text : texts)
    if (text.find(part) != std::string::npos) return true;
  return false;
}

CursorEvidence evidence(bool server_assigned, bool single_timezone) {
  CursorEvidence shown;
  shown.proof = ProofKind::transactions;
  shown.method = "P3";
  shown.server_assigned = server_assigned;
  shown.moves_on_write = true;
  shown.not_null = true;
  shown.single_timezone = single_timezone;
  return shown;
}

}  // namespace

TEST_CASE("a sound job is described from source to target", "[sync][check]") {
  Bench bench;
  bench.job.columns = {{.column = "v", .type = text_type(32), .trim = Trim::both},
                       {.column = "number", .from = "id"}};
  const CheckReport report = check(bench);
  CHECK(report.problems.empty());
  CHECK(report.connected);
  CHECK(report.proof == ProofKind::transactions);
  CHECK(report.proof_text == "exact (memory)");
  CHECK(report.checkpoint == "none");
  REQUIRE(report.columns.size() == 3);
  CHECK(report.columns[0].source_column == "id");
  CHECK(report.columns[0].column == "number");
  CHECK(report.columns[1].steps == std::vector<std::string>{"trim both", "type varchar(32)"});
  CHECK(report.columns[1].target_type == "varchar(32)");
  CHECK(report.statements.size() == 1);
  CHECK_FALSE(bench.target->shape(bench.job.target_table));
  CHECK(bench.connections->use()[0].in_use == 0);
}

TEST_CASE("a plan tells of a first load in key ranges only where there will be one",
          "[sync][check]") {
  Bench bench;
  bench.job.parallel = 2;
  const auto first_load = [&] { return check(bench).write_path.first_load; };
  CHECK(first_load() == "memory, the key last");
  bench.job.cursor->nulls = CursorNulls::scan;
  CHECK(first_load() == "memory");
  SECTION("one reader") {
    bench.job.parallel = 1;
  }
  SECTION("nothing is loaded") {
    bench.job.initial = Initial::skip;
  }
  SECTION("a job that reads everything each time") {
    bench.job.mode = Mode::full;
    bench.job.cursor.reset();
  }
  SECTION("a job that can't be") {
    bench.job.key = {{"nowhere", "nowhere"}};
  }
  CHECK(first_load().empty());
}

TEST_CASE("every problem of a job is told at once", "[sync][check]") {
  Bench bench;
  bench.source->add_unsupported(Bench::source_table, "shape", "geometry");
  bench.job.key = {{"nowhere", "nowhere"}};
  bench.job.write = WriteMode::replace;
  bench.job.columns = {{.column = "ghost", .trim = Trim::both},
                       {.column = "c", .type = make_type(TypeKind::uuid)}};
  bench.job.cursor->start = "yesterday";
  bench.job.exclude = {"no_such*"};
  const CheckReport report = check(bench);
  CHECK(mentions(report.problems, "shape has the type geometry"));
  CHECK(mentions(report.problems, "no column nowhere"));
  CHECK(mentions(report.problems, "replace needs `mode: full`"));
  CHECK(mentions(report.problems, "columns.ghost"));
  CHECK(mentions(report.problems, "can't become uuid"));
  CHECK(mentions(report.problems, "cursor.start is not a valid"));
  CHECK(mentions(report.warnings, "no source column matches no_such*"));
  CHECK(bench.run().failure->message.find("more)") != std::string::npos);
}

TEST_CASE("exact needs what the catalogue shows or the user vouches for", "[sync][check]") {
  Bench bench;
  SECTION("nothing shows that the server assigns the cursor") {
    bench.source->set_evidence(Bench::source_table, evidence(false, true));
    CHECK(mentions(check(bench).problems, "add server_assigned to cursor.assume"));
    bench.job.cursor->assume = {"server_assigned"};
    const CheckReport report = check(bench);
    CHECK(report.problems.empty());
    CHECK(report.proof_text == "exact (assumed: server_assigned)");
  }
  SECTION("local times of several zones") {
    bench.source->set_evidence(Bench::source_table, evidence(false, false));
    bench.job.cursor->assume = {"server_assigned"};
    CHECK(mentions(check(bench).problems, "single_timezone"));
    bench.job.cursor->assume = {"server_assigned", "single_timezone"};
    CHECK(check(bench).proof_text == "exact (assumed: server_assigned, single_timezone)");
  }
  SECTION("a missing privilege fails closed, with its remedy") {
    CursorEvidence shown = evidence(true, true);
    shown.proof = ProofKind::lookback;
    shown.obstacles = {"the login lacks pg_read_all_stats"};
    bench.source->set_evidence(Bench::source_table, shown);
    const CheckReport report = check(bench);
    CHECK(mentions(report.problems, "pg_read_all_stats"));
    CHECK(report.proof_text.empty());
    bench.job.cursor->safety = Safety::lookback;
    CHECK(check(bench).problems.empty());
    CHECK(check(bench).proof_text == "lookback 15m");
  }
  SECTION("a cursor that a write may leave alone is warned of") {
    CursorEvidence shown = evidence(true, true);
    shown.moves_on_write = false;
    bench.source->set_evidence(Bench::source_table, shown);
    CHECK(mentions(check(bench).warnings, "(C2)"));
    bench.job.cursor->assume = {"every_write_moves_it"};
    CHECK(check(bench).proof_text == "exact (assumed: every_write_moves_it)");
  }
}

TEST_CASE("a lookback is measured as its cursor is", "[sync][check]") {
  Bench bench;
  bench.job.cursor->safety = Safety::lookback;
  bench.job.cursor->lookback_count = 100;
  CHECK(mentions(check(bench).problems, "give a duration"));
  bench.job.cursor = CursorSettings{.column = "id", .source = "id", .safety = Safety::lookback};
  CHECK(mentions(check(bench).problems, "needs to know how far"));
  bench.job.cursor->lookback = minutes(1);
  CHECK(mentions(check(bench).problems, "give a number"));
  bench.job.cursor = CursorSettings{
      .column = "c", .source = "c", .safety = Safety::lookback, .lookback = Duration(0)};
  CHECK(mentions(check(bench).problems, "no safety at all"));
  bench.job.cursor = CursorSettings{.column = "v", .source = "v"};
  CHECK(mentions(check(bench).problems, "whose order differs between databases"));
}

TEST_CASE("a check tells what stands in the way of running", "[sync][check]") {
  Bench bench;
  bench.put(1, "a");
  bench.tick();
  bench.run();
  CheckReport report = check(bench);
  CHECK(report.checkpoint == "settled at " + bench.now_text());
  CHECK(mentions(report.notes, "held by here pid 1"));
  CHECK_FALSE(report.definition_changed);
  bench.job.cursor->start = "2020-01-01";
  report = check(bench);
  CHECK(report.definition_changed);
  CHECK(mentions(report.problems, "tidemark accept job"));

  bench.source->inject(lost_connection(memory::Operation::describe));
  report = check(bench);
  CHECK_FALSE(report.connected);
  CHECK(mentions(report.problems, "the connection was lost"));
}

TEST_CASE("zone-less times are put into the source's zone where the target has instants",
          "[sync][check]") {
  Bench bench;
  ConnectionSettings settings = *bench.connections->settings(bench.job.source_connection);
  settings.timezone = "+8";
  const ConnectionSettings to = *bench.connections->settings(bench.job.target_connection);
  bench.connections->replace({{settings.name, settings}, {to.name, to}});
  bench.source->create(Bench::source_table,
                       {.columns = {{"id", make_type(TypeKind::int64), false},
                                    {"v", time_type(TypeKind::timestamp)},
                                    {"c", time_type(TypeKind::instant), false}},
                        .primary_key = {"id"}});
  bench.target->create(bench.job.target_table,
                       {.columns = {{"id", make_type(TypeKind::int64), false},
                                    {"v", time_type(TypeKind::instant)},
                                    {"c", time_type(TypeKind::instant), false}},
                        .primary_key = {"id"}});
  bench.put(1, "2024-01-01 08:00:00");
  bench.tick();
  CHECK(check(bench).columns[1].steps == std::vector<std::string>{"local time of +8 to instant"});
  CHECK(bench.run().result == RunResult::success);
  CHECK(bench.target->rows(bench.job.target_table).front()[1] == "2024-01-01 00:00:00+00");
}

TEST_CASE("a number that no sequence gives is no cursor, with a lookback neither",
          "[sync][check][C8]") {
  Bench bench;
  bench.job.cursor = CursorSettings{
      .column = "id", .source = "id", .safety = Safety::lookback, .lookback_count = 100};
  CHECK(check(bench).problems.empty());
  CursorEvidence versions;
  versions.proof = ProofKind::lookback;
  bench.source->set_evidence(Bench::source_table, versions);
  REQUIRE_FALSE(check(bench).problems.empty());
  CHECK(check(bench).problems.front().find("(C8)") != std::string::npos);
  bench.job.cursor->assume = {"server_assigned"};
  CHECK(check(bench).problems.empty());
}
