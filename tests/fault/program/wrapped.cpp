#include "wrapped.h"

#include <string>

#include "moments.h"

namespace tidemark::fault {
namespace {

/// Calls `work` between its two moments.
template <class Work>
auto between(const std::string& name, Work&& work) {
  moment(name);
  if constexpr (std::is_void_v<decltype(work())>) {
    work();
    moment(name + " done");
  } else {
    auto result = work();
    moment(name + " done");
    return result;
  }
}

class WrappedReader final : public BatchReader {
 public:
  explicit WrappedReader(std::unique_ptr<BatchReader> inner) : inner_(std::move(inner)) {}
  bool next(Batch& batch) override {
    moment("read");
    const bool more = inner_->next(batch);
    moment(more ? "read done" : "read end");
    return more;
  }

 private:
  std::unique_ptr<BatchReader> inner_;
};

class WrappedSource final : public Source {
 public:
  explicit WrappedSource(std::unique_ptr<Source> inner) : inner_(std::move(inner)) {}
  std::string_view read_path() const noexcept override { return inner_->read_path(); }
  SourceDescription describe(const Relation& relation) override {
    return between("source.describe", [&] { return inner_->describe(relation); });
  }
  bool can_read_as(const Column& column, const Type& type) const override {
    return inner_->can_read_as(column, type);
  }
  CursorEvidence inspect(const Relation& relation, const CursorRef& cursor) override {
    return inner_->inspect(relation, cursor);
  }
  HorizonToken horizon(const Relation& relation, const CursorRef& cursor,
                       ProofKind proof) override {
    return between("source.horizon", [&] { return inner_->horizon(relation, cursor, proof); });
  }
  Settlement settled(const HorizonToken& token) override {
    return between("source.settled", [&] { return inner_->settled(token); });
  }
  std::optional<std::uint64_t> estimated_rows(const Relation& relation) override {
    return inner_->estimated_rows(relation);
  }
  std::vector<KeyRange> split(const Relation& relation, const std::vector<KeyPart>& key,
                              std::size_t parts) override {
    return between("source.split", [&] { return inner_->split(relation, key, parts); });
  }
  std::unique_ptr<BatchReader> read(const ReadPlan& plan) override {
    return std::make_unique<WrappedReader>(
        between("source.read", [&] { return inner_->read(plan); }));
  }
  WallTime now() override { return inner_->now(); }
  std::string identity() override { return inner_->identity(); }
  void cancel() noexcept override { inner_->cancel(); }
  bool usable() const noexcept override { return inner_->usable(); }

 private:
  std::unique_ptr<Source> inner_;
};

class WrappedLoad final : public Load {
 public:
  explicit WrappedLoad(std::unique_ptr<Load> inner) : inner_(std::move(inner)) {}
  void upsert(const Batch& batch) override {
    between("load.put", [&] { inner_->upsert(batch); });
  }
  void append(const Batch& batch) override {
    between("load.put", [&] { inner_->append(batch); });
  }
  void insert_missing(const Batch& batch) override {
    between("load.put", [&] { inner_->insert_missing(batch); });
  }
  void erase(const Batch& keys) override { inner_->erase(keys); }
  void save(const CheckpointRecord& checkpoint) override {
    between("load.save", [&] { inner_->save(checkpoint); });
  }
  void save_ranges(const std::vector<RangeRecord>& ranges) override {
    between(ranges.empty() ? "load.drop_ranges" : "load.save_ranges",
            [&] { inner_->save_ranges(ranges); });
  }
  void save_range(const RangeRecord& range) override {
    between(range.finished ? "load.end_range" : "load.save_range",
            [&] { inner_->save_range(range); });
    of_range_ = true;
    range_ends_ = range.finished;
  }
  WriteCounts written() const noexcept override { return inner_->written(); }
  WriteCounts commit() override {
    const Committing committing;
    return between(range_ends_ ? "load.commit_end"
                   : of_range_ ? "load.commit_range"
                               : "load.commit",
                   [&] { return inner_->commit(); });
  }

 private:
  std::unique_ptr<Load> inner_;
  bool of_range_ = false;
  bool range_ends_ = false;
};

class WrappedTarget final : public Target {
 public:
  explicit WrappedTarget(std::unique_ptr<Target> inner) : inner_(std::move(inner)) {}
  std::optional<TableDescription> describe(const TableName& table) override {
    return inner_->describe(table);
  }
  TargetPlan plan(const WriteSpec& spec) override { return inner_->plan(spec); }
  TargetPlan prepare(const WriteSpec& spec) override {
    return between("target.prepare", [&] { return inner_->prepare(spec); });
  }
  Acquired acquire(const JobKey& job, const Holder& holder, const TableName& table,
                   Duration lease) override {
    return between("target.acquire", [&] { return inner_->acquire(job, holder, table, lease); });
  }
  Acquired recover(const JobKey& job, const Holder& holder, const TableName& table,
                   Duration lease) override {
    return between("target.recover", [&] { return inner_->recover(job, holder, table, lease); });
  }
  bool keep(const JobKey& job, const Holder& holder, const LeftBehind& left, const TableName& table,
            Duration lease) override {
    return between("target.keep", [&] { return inner_->keep(job, holder, left, table, lease); });
  }
  void renew(const JobKey& job, std::int64_t fence, const TableName& table,
             Duration lease) override {
    between("target.renew", [&] { inner_->renew(job, fence, table, lease); });
  }
  void release(const JobKey& job, std::int64_t fence, const TableName& table) override {
    between("target.release", [&] { inner_->release(job, fence, table); });
  }
  std::optional<Acquired> peek(const JobKey& job, const TableName& table) override {
    return inner_->peek(job, table);
  }
  std::vector<RangeRecord> ranges(const JobKey& job, const TableName& table) override {
    return between("target.ranges", [&] { return inner_->ranges(job, table); });
  }
  bool writes_in_parallel() const noexcept override { return inner_->writes_in_parallel(); }
  std::unique_ptr<Load> begin(const LoadSpec& spec) override {
    return std::make_unique<WrappedLoad>(
        between("target.begin", [&] { return inner_->begin(spec); }));
  }
  void run_hook(const std::string& statement, Duration timeout) override {
    between("target.hook", [&] { inner_->run_hook(statement, timeout); });
  }
  WallTime now() override { return inner_->now(); }
  void cancel() noexcept override { inner_->cancel(); }
  bool usable() const noexcept override { return inner_->usable(); }

 private:
  std::unique_ptr<Target> inner_;
};

class WrappedConnector final : public Connector {
 public:
  explicit WrappedConnector(std::unique_ptr<Connector> inner) : inner_(std::move(inner)) {}
  std::unique_ptr<Source> open_source() override {
    return std::make_unique<WrappedSource>(inner_->open_source());
  }
  std::unique_ptr<Target> open_target() override {
    return std::make_unique<WrappedTarget>(inner_->open_target());
  }
  ConnectionFacts probe() override { return inner_->probe(); }
  std::vector<std::string> grants(const GrantNeeds& needs) const override {
    return inner_->grants(needs);
  }
  std::vector<std::string> cursor_column(const TableName& table,
                                         const std::string& column) override {
    return inner_->cursor_column(table, column);
  }

 private:
  std::unique_ptr<Connector> inner_;
};

}  // namespace

std::unique_ptr<Connector> wrap(std::unique_ptr<Connector> connector) {
  return std::make_unique<WrappedConnector>(std::move(connector));
}

}  // namespace tidemark::fault
