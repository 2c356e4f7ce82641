#include "contract/fixture.h"

#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>

namespace tidemark::test {

Fixture::Fixture() : harness_(make_harness()) {
  connector_ = harness_->connector().make(harness_->settings(), harness_->context());
}

TableName Fixture::fresh_table(const std::string& name) {
  static int count = 0;
  return harness_->table(name + "_" + std::to_string(++count));
}

bool Fixture::excused(const std::string& clause) const {
  for (const Quirk& quirk : harness_->quirks()) {
    if (quirk.clause != clause) continue;
    WARN(harness_->connector().type << " does not keep [" << clause << "]: " << quirk.reason);
    return true;
  }
  return false;
}

Holder Fixture::holder(const std::string& process) const {
  return {.host = "localhost", .pid = getpid(), .process = process};
}

std::unique_ptr<Load> Fixture::begin(Target& target, const WriteSpec& spec, LoadStage stage) {
  target.prepare(spec);
  const Acquired acquired =
      target.acquire(job(spec.table), holder(), spec.table, std::chrono::seconds(60));
  REQUIRE(acquired.granted);
  return target.begin({.job = job(spec.table),
                       .fence = acquired.fence,
                       .lease = std::chrono::seconds(60),
                       .write = spec,
                       .stage = stage});
}

WriteCounts Fixture::fill(Target& target, WriteSpec spec,
                          const std::vector<const Batch*>& batches) {
  spec.key_last = true;
  WriteCounts counts;
  std::int64_t revision = 0;
  for (const Batch* batch : batches) {
    const auto load = begin(target, spec, LoadStage::filling);
    load->upsert(*batch);
    load->save({.definition = "d", .revision = ++revision});
    counts += load->commit();
  }
  const auto last = begin(target, spec, LoadStage::finishing);
  last->save({.definition = "d", .revision = ++revision});
  last->commit();
  return counts;
}

WriteCounts Fixture::write(Target& target, const WriteSpec& spec,
                           const std::vector<const Batch*>& batches, CheckpointRecord checkpoint) {
  const auto load = begin(target, spec);
  const auto before = target.peek(job(spec.table), spec.table);
  checkpoint.revision = before && before->checkpoint ? before->checkpoint->revision + 1 : 1;
  for (const Batch* batch : batches) {
    if (spec.write == WriteMode::upsert)
      load->upsert(*batch);
    else
      load->append(*batch);
  }
  load->save(checkpoint);
  return load->commit();
}

std::vector<std::string> Fixture::rows(const TableName& table,
                                       const std::vector<std::string>& columns,
                                       const std::vector<std::string>& order) {
  const auto source = connector_->open_source();
  ReadPlan plan = plan_of(*source, table, order);
  Schema wanted;
  for (const std::string& name : columns) {
    const std::size_t at = find_column(plan.columns, name);
    REQUIRE(at != npos);
    wanted.push_back(plan.columns[at]);
  }
  plan.columns = wanted;
  return read_all(*source, plan);
}

WriteSpec spec_of(const TableName& table, const Schema& schema, std::vector<std::string> key,
                  WriteMode write) {
  WriteSpec spec{.table = table, .columns = {}, .key = std::move(key), .write = write};
  for (const Column& column : schema)
    spec.columns.push_back({.column = column});
  return spec;
}

Batch batch_of(const Schema& schema, const std::vector<std::vector<const char*>>& rows) {
  Batch batch(std::make_shared<const Schema>(schema));
  for (const auto& row : rows) {
    REQUIRE(row.size() == schema.size());
    for (std::size_t index = 0; index < row.size(); ++index) {
      if (row[index] == nullptr)
        batch.column(index).push_null();
      else
        push_text(batch.column(index), row[index]);
    }
  }
  return batch;
}

std::vector<std::string> lines_of(const Batch& batch) {
  std::vector<std::string> lines;
  for (std::size_t row = 0; row < batch.rows(); ++row) {
    std::string line;
    for (std::size_t index = 0; index < batch.column_count(); ++index) {
      if (index > 0) line += "|";
      line += batch.column(index).is_null(row) ? "∅" : text_of(batch.column(index), row);
    }
    lines.push_back(std::move(line));
  }
  return lines;
}

ReadPlan plan_of(Source& source, const TableName& table, const std::vector<std::string>& key,
                 const std::string& cursor) {
  ReadPlan plan;
  plan.relation.table = table;
  plan.columns = source.describe(plan.relation).columns;
  for (const std::string& column : key)
    plan.key.push_back({column, column});
  plan.order = key.empty() ? ReadOrder::none : ReadOrder::key;
  if (!cursor.empty()) {
    plan.cursor = CursorRef{cursor, cursor};
    plan.order = ReadOrder::cursor;
  }
  return plan;
}

std::vector<std::string> read_all(Source& source, const ReadPlan& plan) {
  std::vector<std::string> all;
  const auto reader = source.read(plan);
  Batch batch(std::make_shared<const Schema>(plan.columns));
  while (reader->next(batch)) {
    REQUIRE(batch.rows() > 0);
    REQUIRE(batch.rows() <= plan.batch_rows);
    for (std::string& line : lines_of(batch))
      all.push_back(std::move(line));
  }
  return all;
}

Error error_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error;
  }
  FAIL("no Error was thrown");
  throw std::logic_error("unreachable");
}

}  // namespace tidemark::test
