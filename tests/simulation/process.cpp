#include "simulation/process.h"

#include "connector/memory/connector.h"

namespace tidemark::sim {
namespace {

ConnectionSettings connection(const std::string& name, const std::string& database,
                              const std::string& user) {
  ConnectionSettings settings;
  settings.name = ConnectionName(name);
  settings.type = "memory";
  settings.database = database;
  settings.user = user;
  return settings;
}

}  // namespace

/// Only UTC.
class Process::NoZones final : public Zones {
 public:
  bool known(std::string_view zone) const noexcept override { return zone == "UTC"; }
  std::int64_t local_to_utc(std::string_view, std::int64_t micros) const override { return micros; }
  std::int64_t utc_to_local(std::string_view, std::int64_t micros) const override { return micros; }
};

Process::Process(const Setting& setting)
    : setting_(setting), random_(setting.seed), zones_(std::make_unique<NoZones>()) {
  const ConnectionSettings from = connection("from", setting.world + "/source", setting.user);
  const ConnectionSettings to = connection("to", setting.world + "/target", setting.user);
  connections_ = std::make_unique<Connections>(
      Connections::SettingsMap{{from.name, from}, {to.name, to}},
      [](const ConnectionSettings& settings, const ConnectorContext& context) {
        return memory_connector().make(settings, context);
      },
      setting_.clock);
  RunLimits limits;
  limits.settle_wait = Duration::zero();
  limits.first_settle_wait = Duration::zero();
  limits.threads = false;
  if (setting.audits_each_run) limits.audit_every = Duration::zero();
  runner_ = make_runner(
      {.connections = *connections_,
       .memory = memory_,
       .clock = setting_.clock,
       .random = random_,
       .observer = observer_,
       .zones = *zones_,
       .instance = "sim",
       .holder = {.host = "here", .pid = 1, .process = setting.user, .line = setting.holder},
       .key_secret = Secret("key secret"),
       .limits = limits});
}

Process::~Process() = default;

Outcome Process::run(RunOptions options) {
  running_ = true;
  Outcome outcome = runner_->run({.job = std::make_shared<const JobSettings>(setting_.job),
                                  .run_id = "run",
                                  .trigger = Trigger::manual,
                                  .options = std::move(options)});
  running_ = false;
  return outcome;
}

void Process::kill() {
  killed_ = true;
  setting_.source.sever(setting_.user);
  setting_.target.sever(setting_.user);
}

void Process::stop() {
  runner_->release_all();
  kill();
}

}  // namespace tidemark::sim
