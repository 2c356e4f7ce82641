#include "connector/memory/connector.h"

#include "connector/memory/database.h"
#include "connector/memory/source.h"
#include "connector/memory/target.h"

namespace tidemark {
namespace {

using memory::Database;

class MemoryConnector final : public Connector {
 public:
  MemoryConnector(std::string name, std::string user)
      : name_(std::move(name)), user_(std::move(user)) {}

  std::unique_ptr<Source> open_source() override {
    return std::make_unique<memory::MemorySource>(database(), user_);
  }
  std::unique_ptr<Target> open_target() override {
    return std::make_unique<memory::MemoryTarget>(database(), user_);
  }
  ConnectionFacts probe() override {
    const auto source = open_source();
    return {.server_version = "memory",
            .tls = "local",
            .identity = source->identity(),
            .clock = source->now()};
  }
  std::vector<std::string> grants(const GrantNeeds&) const override { return {}; }

 private:
  std::shared_ptr<Database> database() const {
    if (!name_.empty()) return Database::named(name_);
    throw Error({.kind = FailureKind::schema,
                 .message = "a memory connection needs `database`",
                 .operation = "connect",
                 .hint = "Give it a name: connections with the same name share one database."});
  }

  std::string name_;
  std::string user_;
};

std::unique_ptr<Connector> make_memory(const ConnectionSettings& settings,
                                       const ConnectorContext&) {
  return std::make_unique<MemoryConnector>(settings.database, settings.user);
}

}  // namespace

ConnectorInfo memory_connector() {
  return {.type = "memory", .default_port = 0, .make = make_memory};
}

}  // namespace tidemark
