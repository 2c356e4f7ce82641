#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "contract/harness.h"
#include "core/error.h"

namespace tidemark::test {

/// One connector and what the contract's clauses do with it again and again.
class Fixture {
 public:
  Fixture();

  Harness& harness() { return *harness_; }
  Connector& connector() { return *connector_; }
  /// A name that no other test uses.
  TableName fresh_table(const std::string& name);
  /// True, and says why, where the connector has declared that it can't keep the clause.
  bool excused(const std::string& clause) const;

  Holder holder(const std::string& process = "test") const;
  JobKey job(const TableName& table) const { return {"contract", JobName(table.name)}; }

  /// Acquires, writes the batches in one load, saves the checkpoint, commits.
  WriteCounts write(Target& target, const WriteSpec& spec, const std::vector<const Batch*>& batches,
                    CheckpointRecord checkpoint = {.definition = "d"});
  std::unique_ptr<Load> begin(Target& target, const WriteSpec& spec,
                              LoadStage stage = LoadStage::usual);
  /// The same as `write`, as a first load: a table that it makes may get its key at the end.
  WriteCounts fill(Target& target, WriteSpec spec, const std::vector<const Batch*>& batches);
  /// Reads all rows: one string a row, cells as canonical text, "∅" for NULL, joined by "|".
  std::vector<std::string> rows(const TableName& table, const std::vector<std::string>& columns,
                                const std::vector<std::string>& order);

 private:
  std::unique_ptr<Harness> harness_;
  std::unique_ptr<Connector> connector_;
};

/// A write of all columns of `schema`.
WriteSpec spec_of(const TableName& table, const Schema& schema, std::vector<std::string> key,
                  WriteMode write = WriteMode::upsert);
/// Rows given as canonical text; nullptr is NULL.
Batch batch_of(const Schema& schema, const std::vector<std::vector<const char*>>& rows);
/// Canonical text of each row of a batch, as Fixture::rows gives it.
std::vector<std::string> lines_of(const Batch& batch);
/// Plan that reads `columns` of `table` by (cursor, key) or key.
ReadPlan plan_of(Source& source, const TableName& table, const std::vector<std::string>& key,
                 const std::string& cursor = {});
/// All rows of a plan.
std::vector<std::string> read_all(Source& source, const ReadPlan& plan);
/// Runs `action`, which must throw an Error, and returns that.
Error error_of(const std::function<void()>& action);

}  // namespace tidemark::test
