#pragma once

#include <atomic>
#include <catch2/catch.hpp>
#include <memory>
#include <stdexcept>
#include <string>

#include "core/connector.h"
#include "runtime/system.h"
#include "schedule/zones.h"
#include "sync/run.h"

namespace tidemark::test {

inline std::unique_ptr<Connector> real_connector(const ConnectionSettings& settings,
                                                 const ConnectorContext& context) {
  for (const ConnectorInfo& info : connectors())
    if (info.type == settings.type) return info.make(settings, context);
  throw std::runtime_error("no connector for " + settings.type);
}

class CountsLate final : public Observer {
 public:
  void rows_came_late(const JobName&, Duration, std::uint64_t rows) override { rows_ += rows; }
  std::uint64_t rows() const { return rows_; }

 private:
  std::atomic<std::uint64_t> rows_ = 0;
};

/// The engine in this process, between two servers.
class Engine {
 public:
  Engine(ConnectionSettings from, ConnectionSettings to,
         const Connections::MakeConnector& make = real_connector)
      : connections_({{ConnectionName("from"), named("from", std::move(from))},
                      {ConnectionName("to"), named("to", std::move(to))}},
                     make, clock_) {}

  std::unique_ptr<SyncRunner> runner(Duration audit_every) {
    RunLimits limits;
    limits.audit_every = audit_every;
    return make_runner({.connections = connections_,
                        .memory = memory_,
                        .clock = clock_,
                        .random = random_,
                        .observer = late,
                        .zones = zones_,
                        .instance = "storm",
                        .holder = {.host = "here", .pid = 1, .process = "storm"},
                        .limits = limits});
  }

  CountsLate late;

 private:
  static ConnectionSettings named(const std::string& name, ConnectionSettings settings) {
    settings.name = ConnectionName(name);
    return settings;
  }

  runtime::SystemClock clock_;
  runtime::SystemRandom random_;
  schedule::SystemZones zones_;
  MemoryBudget memory_{64 << 20};
  Connections connections_;
};

inline JobSettings job_of(const std::string& name, const TableName& source,
                          const TableName& target) {
  JobSettings job;
  job.name = JobName(name);
  job.source_connection = ConnectionName("from");
  job.source_table = source;
  job.target_connection = ConnectionName("to");
  job.target_table = target;
  return job;
}

inline Outcome must(SyncRunner& runner, const JobSettings& job) {
  Outcome outcome =
      runner.run({.job = std::make_shared<const JobSettings>(job), .run_id = "storm"});
  INFO((outcome.failure ? outcome.failure->message : ""));
  REQUIRE(outcome.result == RunResult::success);
  return outcome;
}

}  // namespace tidemark::test
