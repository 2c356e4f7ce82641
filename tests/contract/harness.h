#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/connector.h"

namespace tidemark::test {

/// Something a database can't do as the contract says: printed with its reason, never #ifdef-ed
/// away. `clause` is the name of a contract test case's tag, without brackets.
struct Quirk {
  std::string clause;
  std::string reason;
};

/// What the contract suite needs to know about one connector. Each connector implements it in
/// lib/connector/NAME/contract_harness.cpp, which is linked with the suite into contract_NAME.
class Harness {
 public:
  virtual ~Harness() = default;

  /// The connector under test (ConnectorInfo of its folder).
  virtual ConnectorInfo connector() const = 0;
  /// A working connection to a database that may be written to. The same for the harness's life.
  virtual ConnectionSettings settings() const = 0;
  virtual ConnectorContext context() const { return {}; }
  /// A name for a table that does not exist yet, in the place where tables of a test belong.
  virtual TableName table(const std::string& name) const { return {"", name}; }

  /// The same server with a password that is wrong; nullopt where there are no passwords.
  virtual std::optional<ConnectionSettings> wrong_password() const { return std::nullopt; }
  /// Settings with an option missing that the connector can't work without.
  virtual ConnectionSettings incomplete() const = 0;
  /// A query that runs for at least 20 seconds unless it is cancelled.
  virtual std::string slow_query() const = 0;
  /// Ends all sessions of `settings().user` from the server's side. False: there are no sessions.
  virtual bool kill_sessions() { return false; }
  /// Sessions of `settings().user` that the server has now; nullopt: there is no server.
  virtual std::optional<std::size_t> open_sessions() { return std::nullopt; }
  /// Makes `column` of `table` unique by an index of its own.
  virtual void add_unique(const TableName& table, const std::string& column) = 0;

  virtual std::vector<Quirk> quirks() const { return {}; }
};

/// The link seam: defined once in each contract_harness.cpp.
std::unique_ptr<Harness> make_harness();

}  // namespace tidemark::test
