#include "contract/harness.h"

#include <unistd.h>

#include "connector/memory/connector.h"
#include "connector/memory/database.h"

namespace tidemark::test {
namespace {

/// The memory connector in the contract suite: a database of this process's own.
class MemoryHarness final : public Harness {
 public:
  MemoryHarness() {
    database_->define_query("slow", {.columns = {{"v", make_type(TypeKind::int64)}}, .rows = {}});
    database_->define_predicate("a = 3 OR a = 4",
                                [](const Schema& columns, const memory::Row& row) {
                                  const memory::Cell& a = row[find_column(columns, "a")];
                                  return a == "3" || a == "4";
                                });
  }
  ~MemoryHarness() override { memory::Database::forget(name); }

  ConnectorInfo connector() const override { return memory_connector(); }
  ConnectionSettings settings() const override {
    ConnectionSettings settings;
    settings.name = ConnectionName("memory");
    settings.type = "memory";
    settings.database = name;
    return settings;
  }
  ConnectionSettings incomplete() const override {
    ConnectionSettings settings = this->settings();
    settings.database.clear();
    return settings;
  }
  std::string slow_query() const override { return "slow"; }
  bool kill_sessions() override {
    database_->kill_sessions();
    return true;
  }
  std::optional<std::size_t> open_sessions() override { return database_->open_sessions(); }
  void add_unique(const TableName& table, const std::string& column) override {
    database_->add_unique(table, {column});
  }
  std::vector<Quirk> quirks() const override {
    return {{"password", "a database of this process has no logins"}};
  }

 private:
  static constexpr const char* name = "contract";
  std::shared_ptr<memory::Database> database_ = memory::Database::named(name);
};

}  // namespace

std::unique_ptr<Harness> make_harness() {
  return std::make_unique<MemoryHarness>();
}

}  // namespace tidemark::test
