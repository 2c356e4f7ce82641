// The storm has teeth: with the proof of the settled mark switched off rows are lost, and the audit
// finds and repairs them.
#include <catch2/catch.hpp>

#include "engine.h"
#include "storm.h"

using namespace tidemark;
using namespace tidemark::test;
using std::chrono::milliseconds;

namespace {

/// A source that believes every mark to be settled at once.
class CredulousSource final : public Source {
 public:
  explicit CredulousSource(std::unique_ptr<Source> real) : real_(std::move(real)) {}
  std::string_view read_path() const noexcept override { return real_->read_path(); }
  SourceDescription describe(const Relation& relation) override {
    return real_->describe(relation);
  }
  bool can_read_as(const Column& column, const Type& type) const override {
    return real_->can_read_as(column, type);
  }
  CursorEvidence inspect(const Relation& relation, const CursorRef& cursor) override {
    return real_->inspect(relation, cursor);
  }
  HorizonToken horizon(const Relation& relation, const CursorRef& cursor,
                       ProofKind proof) override {
    return real_->horizon(relation, cursor, proof);
  }
  Settlement settled(const HorizonToken&) override { return {.settled = true}; }
  std::vector<KeyRange> split(const Relation& relation, const std::vector<KeyPart>& key,
                              std::size_t parts) override {
    return real_->split(relation, key, parts);
  }
  std::unique_ptr<BatchReader> read(const ReadPlan& plan) override { return real_->read(plan); }
  WallTime now() override { return real_->now(); }
  std::string identity() override { return real_->identity(); }
  void cancel() noexcept override { real_->cancel(); }
  bool usable() const noexcept override { return real_->usable(); }

 private:
  std::unique_ptr<Source> real_;
};

class CredulousConnector final : public Connector {
 public:
  explicit CredulousConnector(std::unique_ptr<Connector> real) : real_(std::move(real)) {}
  std::unique_ptr<Source> open_source() override {
    return std::make_unique<CredulousSource>(real_->open_source());
  }
  std::unique_ptr<Target> open_target() override { return real_->open_target(); }
  ConnectionFacts probe() override { return real_->probe(); }
  std::vector<std::string> grants(const GrantNeeds& needs) const override {
    return real_->grants(needs);
  }

 private:
  std::unique_ptr<Connector> real_;
};

std::unique_ptr<Connector> credulous(const ConnectionSettings& settings,
                                     const ConnectorContext& context) {
  return std::make_unique<CredulousConnector>(real_connector(settings, context));
}

/// Runs the job through half a storm, and then until a run finds nothing more to do.
void follow(SyncRunner& runner, const JobSettings& job, Writers& writers) {
  const auto end = std::chrono::steady_clock::now() + milliseconds(storm_length()) / 2;
  while (std::chrono::steady_clock::now() < end) {
    must(runner, job);
    std::this_thread::sleep_for(milliseconds(50));
  }
  writers.calm();
  wait_until("the job to come to rest", [&] {
    const WriteCounts written = must(runner, job).counts.written;
    return written.inserted + written.updated == 0;
  });
}

}  // namespace

TEST_CASE("without its proof a job from MariaDB loses rows, and the audit finds them",
          "[integration][storm][audit]") {
  MariaDbServer source;
  source.start();
  PostgresServer target({"fsync=off"});
  target.start();
  source.sql(maria_tables);
  Engine engine(source.settings(), target.settings(), credulous);
  JobSettings job = job_of("orders", {"test", "orders"}, {"public", "orders"});
  job.cursor = CursorSettings{
      .column = "updated_at", .source = "updated_at", .audit = std::chrono::hours(1)};
  Writers writers([&] { return maria_client(source); });
  const auto blind = engine.runner(std::chrono::hours(1));
  follow(*blind, job, writers);
  const auto rows = orders_of(source);
  CHECK_FALSE(difference(rows, orders_of(target), writers.gone()).empty());

  const auto auditor = engine.runner(Duration::zero());
  const Outcome audited = must(*auditor, job);
  CHECK(audited.counts.late_rows > 0);
  CHECK(engine.late.rows() == audited.counts.late_rows);
  CHECK_FALSE(audited.progress.broken.empty());
  CHECK(difference(rows, orders_of(target), writers.gone()).empty());
}

TEST_CASE("without its proof an append from PostgreSQL loses rows, and the audit adds them",
          "[integration][storm][audit]") {
  PostgresServer source({"fsync=off"});
  source.start();
  MariaDbServer target;
  target.start();
  source.sql(postgres_tables);
  target.sql("CREATE TABLE events (id bigint PRIMARY KEY, what longtext)");
  Engine engine(source.settings(), target.settings(), credulous);
  JobSettings job = job_of("events", {"public", "events"}, {"test", "events"});
  job.write = WriteMode::append;
  job.cursor = CursorSettings{.column = "id", .source = "id", .audit = std::chrono::hours(1)};
  Writers writers([&] { return postgres_client(source); });
  const auto blind = engine.runner(std::chrono::hours(1));
  follow(*blind, job, writers);
  const std::string rows = events_of(source);
  CHECK(events_of(target) != rows);

  const auto auditor = engine.runner(Duration::zero());
  const Outcome audited = must(*auditor, job);
  CHECK(audited.counts.late_rows > 0);
  CHECK_FALSE(audited.progress.broken.empty());
  CHECK(events_of(target) == rows);
  CHECK(must(*auditor, job).counts.late_rows == 0);
}
