#include "simulation/application.h"

#include <algorithm>

#include "core/temporal.h"

namespace tidemark::sim {
namespace {

constexpr int keys = 12;
constexpr std::size_t most_open = 4;

}  // namespace

Application::Application(memory::Database& source, const Scenario& scenario, Chance& chance,
                         Trace& trace)
    : source_(source), scenario_(scenario), chance_(chance), trace_(trace) {
  source_.create(table, {.columns = {{"id", make_type(TypeKind::int64), false},
                                     {"v", text_type()},
                                     {"c", time_type(TypeKind::instant, scenario.digits), false}},
                         .primary_key = {"id"}});
}

std::string Application::stamp(WallTime at) const {
  const std::int64_t micros =
      at.time_since_epoch().count() - unix_to_2000_seconds * micros_per_second;
  return format_instant(floor_to_precision(micros, scenario_.digits));
}

memory::Row Application::row(int id, WallTime at) {
  ever_.insert(std::to_string(id));
  return {std::to_string(id), "v" + std::to_string(next_value_++), stamp(at)};
}

bool Application::is_locked(int id) const {
  for (const Transaction& one : open_)
    if (one.locked.contains(id)) return true;
  return false;
}

int Application::free_key() {
  if (scenario_.appends()) return next_id_++;
  const int id = static_cast<int>(chance_.below(keys));
  return is_locked(id) ? -1 : id;
}

int Application::existing_key() {
  const auto rows = source_.rows(table);
  if (rows.empty()) return -1;
  const int id = std::stoi(*rows[chance_.below(rows.size())][0]);
  return is_locked(id) ? -1 : id;
}

void Application::write() {
  const int id = free_key();
  if (id < 0) return;
  trace_.add([&] { return "app: row " + std::to_string(id) + " at " + stamp(source_.now()); });
  source_.put(table, row(id, source_.now()));
}

void Application::write_ahead() {
  const int id = free_key();
  if (id < 0 || !scenario_.writes_by_key()) return;
  trace_.add([&] { return "app: row " + std::to_string(id) + " dated a day ahead"; });
  source_.put(table, row(id, source_.now() + std::chrono::hours(24)));
}

void Application::begin() {
  if (open_.size() >= most_open) return;
  open_.push_back({.writer = source_.begin(), .began = source_.now()});
  trace_.add([&] { return "app: begin " + std::to_string(open_.back().writer.id()); });
}

Application::Transaction* Application::open_one() {
  std::vector<Transaction*> all;
  for (Transaction& one : open_)
    if (!one.prepared) all.push_back(&one);
  return all.empty() ? nullptr : all[chance_.below(all.size())];
}

void Application::write_in_transaction() {
  Transaction* const in = open_one();
  if (in == nullptr) return;
  const int id = free_key();
  if (id < 0) return;
  const WallTime at = scenario_.stamps_start ? in->began : source_.now();
  trace_.add([&] {
    return "app: row " + std::to_string(id) + " at " + stamp(at) + " in " +
           std::to_string(in->writer.id());
  });
  in->writer.put(table, row(id, at));
  in->locked.insert(id);
  if (!scenario_.fragile_source || !chance_.once_in(2)) return;
  in->writer.prepare();
  in->prepared = true;
}

void Application::set_savepoint() {
  if (Transaction* const in = open_one()) in->writer.savepoint();
}

void Application::roll_back_to_savepoint() {
  Transaction* const in = open_one();
  if (in == nullptr) return;
  trace_.add([&] { return "app: part of " + std::to_string(in->writer.id()) + " rolled back"; });
  in->writer.roll_back_to_savepoint();
}

void Application::prepare() {
  Transaction* const in = open_one();
  if (in == nullptr) return;
  trace_.add([&] { return "app: prepare " + std::to_string(in->writer.id()); });
  in->writer.prepare();
  in->prepared = true;
}

void Application::end(std::size_t at, bool commit) {
  trace_.add([&] {
    return std::string(commit ? "app: commit " : "app: roll back ") +
           std::to_string(open_[at].writer.id());
  });
  if (commit)
    open_[at].writer.commit();
  else
    open_[at].writer.roll_back();
  std::vector<Transaction> kept;
  for (std::size_t index = 0; index < open_.size(); ++index)
    if (index != at) kept.push_back(std::move(open_[index]));
  open_.swap(kept);
}

void Application::end_transaction() {
  if (open_.empty() || (scenario_.long_transactions && !chance_.once_in(3))) return;
  const std::size_t at = chance_.below(open_.size());
  // What is prepared waits for somebody from elsewhere.
  if (open_[at].prepared && !chance_.once_in(4)) return;
  end(at, !chance_.once_in(4));
}

void Application::erase() {
  if (scenario_.appends()) return;
  const int id = existing_key();
  if (id < 0) return;
  trace_.add([&] { return "app: row " + std::to_string(id) + " deleted"; });
  source_.erase(table, {std::to_string(id)});
}

void Application::rename() {
  if (scenario_.appends()) return;
  const int from = existing_key();
  const int to = free_key();
  if (from < 0 || to < 0 || from == to) return;
  trace_.add([&] { return "app: row " + std::to_string(from) + " becomes " + std::to_string(to); });
  memory::Writer writer = source_.begin();
  writer.erase(table, {std::to_string(from)});
  writer.put(table, row(to, source_.now()));
  writer.commit();
}

bool Application::has_prepared() const {
  return std::any_of(open_.begin(), open_.end(), [](const auto& one) { return one.prepared; });
}

void Application::forget_unprepared() {
  std::vector<Transaction> kept;
  for (Transaction& one : open_)
    if (one.prepared) kept.push_back(std::move(one));
  open_.swap(kept);
}

void Application::forget_all() {
  open_.clear();
}

void Application::end_all() {
  while (!open_.empty())
    end(0, true);
}

}  // namespace tidemark::sim
