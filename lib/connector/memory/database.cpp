#include "connector/memory/database.h"

#include "connector/memory/access.h"

namespace tidemark::memory {
namespace {

struct Registry {
  std::mutex mutex;
  std::map<std::string, std::shared_ptr<Database>> databases;
};

Registry& registry() {
  static Registry all;
  return all;
}

using Lock = std::lock_guard<std::mutex>;

}  // namespace

Writer::Writer(Writer&& other) noexcept
    : database_(std::exchange(other.database_, nullptr)), id_(other.id_) {}

Writer::~Writer() {
  if (database_ != nullptr) roll_back();
}

void Writer::put(const TableName& table, Row row) {
  Database::State& state = *database_->state_;
  const Lock lock(state.mutex);
  state.change(state.open.at(id_).changes, table, std::move(row));
}

void Writer::erase(const TableName& table, Row key) {
  Database::State& state = *database_->state_;
  const Lock lock(state.mutex);
  state.take_away(state.open.at(id_).changes, table, std::move(key));
}

void Writer::savepoint() {
  Database::State& state = *database_->state_;
  const Lock lock(state.mutex);
  const auto at = state.open.find(id_);
  if (at != state.open.end()) at->second.savepoints.push_back(at->second.changes);
}

void Writer::roll_back_to_savepoint() {
  Database::State& state = *database_->state_;
  const Lock lock(state.mutex);
  const auto at = state.open.find(id_);
  if (at == state.open.end()) return;
  auto& savepoints = at->second.savepoints;
  if (savepoints.empty()) {
    at->second.changes.clear();
  } else {
    at->second.changes = std::move(savepoints.back());
    savepoints.pop_back();
  }
}

void Writer::prepare() {
  Database::State& state = *database_->state_;
  const Lock lock(state.mutex);
  const auto at = state.open.find(id_);
  if (at != state.open.end()) at->second.prepared = true;
}

void Writer::commit() {
  Database::State& state = *database_->state_;
  const Lock lock(state.mutex);
  const auto at = state.open.find(id_);
  if (at != state.open.end()) {
    for (const auto& [name, changes] : at->second.changes)
      state.table(name).apply(changes);
    state.open.erase(at);
  }
  database_ = nullptr;
}

void Writer::roll_back() noexcept {
  Database::State& state = *database_->state_;
  const Lock lock(state.mutex);
  state.open.erase(id_);
  database_ = nullptr;
}

std::shared_ptr<Database> Database::named(const std::string& name) {
  Registry& all = registry();
  const Lock lock(all.mutex);
  std::shared_ptr<Database>& database = all.databases[name];
  if (!database) database = std::make_shared<Database>();
  return database;
}

void Database::forget(const std::string& name) {
  Registry& all = registry();
  const Lock lock(all.mutex);
  all.databases.erase(name);
}

Database::Database() : state_(std::make_unique<State>()) {}
Database::~Database() = default;

WallTime Database::State::now() const {
  return clock ? *clock : std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
}

Table& Database::State::table(const TableName& name) {
  const auto at = tables.find(name);
  if (at == tables.end())
    throw Error({.kind = FailureKind::schema,
                 .message = "there is no table " + name.display(),
                 .table = name.display(),
                 .hint = "Check the table's name in the configuration."});
  return at->second;
}

void Database::State::change(std::map<TableName, Changes>& changes, const TableName& name,
                             Row row) {
  Table& table = this->table(name);
  if (row.size() != table.shape().columns.size())
    throw Error({.kind = FailureKind::internal,
                 .message = "a row has another number of cells than its table has columns",
                 .table = name.display()});
  Changes& own = changes.try_emplace(name, Changes(table.less())).first->second;
  const RowKey key = table.key_of(row);
  own.insert_or_assign(key, std::make_shared<const Row>(std::move(row)));
}

void Database::State::take_away(std::map<TableName, Changes>& changes, const TableName& name,
                                Row key) {
  Table& table = this->table(name);
  Changes& own = changes.try_emplace(name, Changes(table.less())).first->second;
  own.insert_or_assign(table.key_from(std::move(key)), nullptr);
}

void Database::State::land(const std::function<bool(const JobKey&)>& chosen) {
  std::list<UnderWay> under_way = std::exchange(landing, {});
  for (UnderWay& one : under_way) {
    if (chosen(one.job))
      one.arrive(*this);
    else
      landing.push_back(std::move(one));
  }
}

WallTime Database::now() const {
  const Lock lock(state_->mutex);
  return state_->now();
}

void Database::set_now(WallTime now) {
  const Lock lock(state_->mutex);
  state_->clock = now;
}

void Database::advance(Duration by) {
  const Lock lock(state_->mutex);
  state_->clock = state_->now() + by;
}

void Database::create(const TableName& table, TableShape shape) {
  const Lock lock(state_->mutex);
  state_->tables.insert_or_assign(table, Table(std::move(shape)));
}

void Database::drop(const TableName& table) {
  const Lock lock(state_->mutex);
  state_->tables.erase(table);
}

std::optional<TableShape> Database::shape(const TableName& table) const {
  const Lock lock(state_->mutex);
  const auto at = state_->tables.find(table);
  if (at == state_->tables.end()) return std::nullopt;
  return at->second.shape();
}

void Database::add_unique(const TableName& table, std::vector<std::string> columns) {
  const Lock lock(state_->mutex);
  state_->table(table).add_unique(std::move(columns));
}

void Database::add_unsupported(const TableName& table, const std::string& column,
                               const std::string& native_type) {
  const Lock lock(state_->mutex);
  state_->table(table).unsupported.emplace_back(column, native_type);
}

std::vector<Row> Database::rows(const TableName& table) const {
  const Lock lock(state_->mutex);
  std::vector<Row> all;
  const auto at = state_->tables.find(table);
  if (at == state_->tables.end()) return all;
  for (const auto& [key, row] : at->second.rows())
    all.push_back(*row);
  return all;
}

void Database::put(const TableName& table, Row row) {
  const Lock lock(state_->mutex);
  std::map<TableName, Changes> changes;
  state_->change(changes, table, std::move(row));
  state_->table(table).apply(changes.at(table));
}

void Database::erase(const TableName& table, Row key) {
  const Lock lock(state_->mutex);
  std::map<TableName, Changes> changes;
  state_->take_away(changes, table, std::move(key));
  state_->table(table).apply(changes.at(table));
}

Writer Database::begin() {
  const Lock lock(state_->mutex);
  const std::uint64_t id = state_->next_transaction++;
  state_->open[id].began = state_->now();
  return {*this, id};
}

std::vector<std::uint64_t> Database::open_transactions() const {
  const Lock lock(state_->mutex);
  std::vector<std::uint64_t> ids;
  for (const auto& [id, transaction] : state_->open)
    ids.push_back(id);
  return ids;
}

void Database::set_evidence(const TableName& table, CursorEvidence evidence) {
  const Lock lock(state_->mutex);
  state_->table(table).evidence = std::move(evidence);
}

void Database::set_identity(const std::string& identity) {
  const Lock lock(state_->mutex);
  state_->identity = identity;
}

void Database::restart() {
  kill_sessions();
  const Lock lock(state_->mutex);
  ++state_->boot;
  state_->landing.clear();
  std::erase_if(state_->open, [](const auto& one) { return !one.second.prepared; });
}

std::shared_ptr<const Database::Backup> Database::backup() const {
  const Lock lock(state_->mutex);
  return std::make_shared<const Backup>(Backup{state_->tables, state_->jobs});
}

void Database::restore(const Backup& backup) {
  restart();
  const Lock lock(state_->mutex);
  state_->open.clear();
  state_->tables = backup.tables;
  state_->jobs = backup.jobs;
}

void Database::land() {
  const Lock lock(state_->mutex);
  state_->land([](const JobKey&) { return true; });
}

void Database::set_stale(bool stale) {
  const Lock lock(state_->mutex);
  state_->stale = stale;
}

void Database::define_predicate(const std::string& text, Predicate predicate) {
  const Lock lock(state_->mutex);
  state_->predicates.insert_or_assign(text, std::move(predicate));
}

void Database::define_query(const std::string& text, View view) {
  const Lock lock(state_->mutex);
  state_->queries.insert_or_assign(text, std::move(view));
}

void Database::inject(Fault fault) {
  const Lock lock(state_->mutex);
  state_->faults.push_back(std::move(fault));
}

void Database::clear_faults() {
  const Lock lock(state_->mutex);
  state_->faults.clear();
}

void Database::on_operation(std::function<void(Operation)> listener) {
  const Lock lock(state_->mutex);
  state_->listener = std::move(listener);
}

void Database::hold(Operation operation) {
  const Lock lock(state_->mutex);
  state_->held.insert(operation);
}

void Database::let_go(Operation operation) {
  {
    const Lock lock(state_->mutex);
    state_->held.erase(operation);
  }
  state_->changed.notify_all();
}

void Database::await_held(Operation operation) {
  std::unique_lock<std::mutex> lock(state_->mutex);
  state_->changed.wait(lock, [&] { return state_->waiting.contains(operation); });
}

void Database::kill_sessions() {
  {
    const Lock lock(state_->mutex);
    for (SessionMark* session : state_->sessions)
      session->dead = true;
  }
  state_->changed.notify_all();
}

void Database::sever(const std::string& user) {
  const Lock lock(state_->mutex);
  state_->severed.insert(user);
}

std::size_t Database::open_sessions() const {
  const Lock lock(state_->mutex);
  return state_->sessions.size();
}

Counts Database::counts() const {
  const Lock lock(state_->mutex);
  return state_->counts;
}

std::vector<std::string> Database::hooks_run() const {
  const Lock lock(state_->mutex);
  return state_->hooks;
}

std::optional<CheckpointRecord> Database::checkpoint(const JobKey& job) const {
  const Lock lock(state_->mutex);
  const auto at = state_->jobs.find(job);
  return at == state_->jobs.end() ? std::nullopt : at->second.checkpoint;
}

void Database::set_checkpoint(const JobKey& job, const CheckpointRecord& record) {
  const Lock lock(state_->mutex);
  state_->jobs[job].checkpoint = record;
}

std::vector<RangeRecord> Database::ranges(const JobKey& job) const {
  const Lock lock(state_->mutex);
  const auto at = state_->jobs.find(job);
  return at == state_->jobs.end() ? std::vector<RangeRecord>{} : at->second.ranges;
}

void Database::drop_ranges(const JobKey& job) {
  const Lock lock(state_->mutex);
  state_->jobs[job].ranges.clear();
}

void Database::seize(const JobKey& job, const Holder& holder, Duration lease) {
  const Lock lock(state_->mutex);
  JobRow& row = state_->jobs[job];
  ++row.fence;
  row.holder = holder;
  row.lease_until = state_->now() + lease;
}

}  // namespace tidemark::memory
