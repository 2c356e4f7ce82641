#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "connector/memory/database.h"
#include "simulation/chance.h"
#include "simulation/scenario.h"
#include "simulation/trace.h"

namespace tidemark::sim {

/// The application that owns the source: transactions that stay open, are prepared, rolled back in
/// part or whole, rows that share a cursor value, keys that change. Rows are (id, v, c).
///
/// A row that an open transaction has changed is locked: nobody else changes it, as in a real
/// database. One thread.
class Application {
 public:
  Application(memory::Database& source, const Scenario& scenario, Chance& chance, Trace& trace);

  static inline const TableName table{"", "t"};

  // Each does one thing, or nothing where there is nothing to do it to.
  void write();
  void begin();
  void write_in_transaction();
  void set_savepoint();
  void roll_back_to_savepoint();
  void prepare();
  void end_transaction();
  void erase();
  void rename();
  /// A row dated far ahead, as a wrong clock of a client makes it.
  void write_ahead();

  /// The source was restarted: what was not prepared is gone.
  void forget_unprepared();
  /// The source is as a backup had it: no transaction is open.
  void forget_all();
  void end_all();
  bool has_prepared() const;

  /// Whether a row of that key was ever there: the target may hold it although the source does not
  /// any more.
  bool ever_had(const std::string& id) const { return ever_.contains(id); }

 private:
  struct Transaction {
    memory::Writer writer;
    WallTime began;
    bool prepared = false;
    std::set<int> locked = {};
  };
  std::string stamp(WallTime at) const;
  memory::Row row(int id, WallTime at);
  bool is_locked(int id) const;
  /// A key nobody else is changing; -1: none.
  int free_key();
  int existing_key();
  Transaction* open_one();
  void end(std::size_t at, bool commit);

  memory::Database& source_;
  const Scenario& scenario_;
  Chance& chance_;
  Trace& trace_;
  std::vector<Transaction> open_;
  std::set<std::string> ever_;
  int next_id_ = 1;
  int next_value_ = 1;
};

}  // namespace tidemark::sim
