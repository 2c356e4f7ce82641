#include "state/state_store.h"

#include <fmt/format.h>
#include <sys/random.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <filesystem>
#include <mutex>
#include <thread>

#include "state/database.h"
#include "state/directory.h"
#include "state/records.h"
#include "state/schema.h"

namespace tidemark::state {
namespace {

namespace fs = std::filesystem;

/// Writes waiting while the disk is slow; beyond it the oldest is given up and counted.
constexpr std::size_t queue_limit = 10'000;

/// Runs that end within this time are written together: a transaction for each of 500 polls a
/// second takes as much CPU as the polls themselves.
constexpr auto linger = std::chrono::milliseconds(500);

Secret random_key() {
  std::string key(32, '\0');
  std::size_t filled = 0;
  while (filled < key.size()) {
    const ssize_t got = getrandom(key.data() + filled, key.size() - filled, 0);
    if (got > 0) filled += static_cast<std::size_t>(got);
  }
  return Secret(std::move(key));
}

using Write = std::function<void(Database&)>;

}  // namespace

struct StateStore::Impl {
  explicit Impl(Options chosen)
      : options(std::move(chosen)), path(options.directory + "/state.db") {}
  ~Impl();

  void open_for_reading();
  void open_for_writing();
  void open_file();
  std::string replace_damaged();
  void salvage();

  enum class When { now, soon };
  void enqueue(Write write, When when = When::now);
  bool prune_now(const JobName& job);
  void write_loop();
  void write_all(std::deque<Write>& writes);
  void write_together(const std::deque<Write>& writes);
  bool write_alone(const Write& write);
  void write_pauses();
  void succeeded();
  void failed(const Error& error, std::size_t writes);
  void report(std::string_view text) const;

  void flush();
  template <class Query>
  auto read(Query query);

  const Options options;
  const std::string path;
  std::unique_ptr<DirectoryLock> lock;
  Secret key;

  // The writer's own: opened before its thread starts, used by nobody else afterwards.
  std::unique_ptr<Database> database;
  std::uint64_t lost = 0;                   ///< since the last success
  std::map<JobName, std::size_t> recorded;  ///< runs of each job, by this process

  std::atomic<std::uint64_t> errors{0};
  std::atomic<bool> healthy{true};
  std::atomic<bool> pauses_changed{false};  ///< memory holds what the file does not

  std::mutex mutex;  // guards what follows
  std::condition_variable wake;
  std::condition_variable written;
  std::deque<Write> queue;
  std::uint64_t queued = 0;
  std::uint64_t done = 0;
  bool stopping = false;
  bool hurried = false;  ///< somebody waits for the queue, or it holds more than runs
  std::map<JobName, Pause> pauses;

  std::thread writer;
};

StateStore::Impl::~Impl() {
  if (!writer.joinable()) return;
  {
    const std::lock_guard guard(mutex);
    stopping = true;
  }
  wake.notify_all();
  writer.join();
}

void StateStore::Impl::report(std::string_view text) const {
  if (options.on_problem) options.on_problem(text);
}

template <class Query>
auto StateStore::Impl::read(Query query) {
  flush();
  try {
    Database reader(path, Database::Open::read);
    return query(reader);
  } catch (const Error& error) {
    // A reader that may not make the side files of a file which nobody has open: without a
    // write-ahead log it is complete as it lies there.
    if (options.read_only && error.kind() == FailureKind::permission &&
        !fs::exists(path + "-wal")) {
      Database reader(path, Database::Open::immutable);
      return query(reader);
    }
    ++errors;
    throw;
  }
}

void StateStore::Impl::open_for_reading() {
  if (!fs::exists(path)) {
    Error::Fields fields{.kind = FailureKind::resource,
                         .message = fmt::format("there is no {}", path),
                         .code = "absent"};
    fields.operation = "open state store";
    fields.hint = "No daemon has run with this daemon.state_dir yet.";
    throw Error(std::move(fields));
  }
  read([this](Database& reader) {
    pauses = select_pauses(reader);
    key = select_key(reader);
  });
}

void StateStore::Impl::open_for_writing() {
  make_directory(options.directory);
  lock = std::make_unique<DirectoryLock>(options.directory);
  try {
    open_file();
  } catch (const Error& error) {
    if (damage_of(error) != Damage::corrupt) throw;
    salvage();
    const std::string aside = replace_damaged();
    report(
        fmt::format("the state file was damaged: it lies at {} now and a new one was begun. Run "
                    "history is empty; {} pause(s) could be kept. Look with `tidemark status` "
                    "whether a job runs that should be paused",
                    aside, pauses.size()));
  }
  writer = std::thread([this] { write_loop(); });
}

void StateStore::Impl::open_file() {
  make_private_file(path);
  database = std::make_unique<Database>(path, Database::Open::create);
  configure_writer(*database);
  check_sound(*database);
  migrate(*database);
  pauses = select_pauses(*database);
  key = select_key(*database);
  if (!key.empty()) return;
  key = random_key();
  insert_key(*database, key);
}

/// Pauses and key out of a damaged file, each if it can still be read: a job that a person stopped
/// must not start again because of a broken page of history.
void StateStore::Impl::salvage() {
  if (!database) return;
  try {
    key = select_key(*database);
  } catch (const Error&) {
  }
  try {
    pauses = select_pauses(*database);
  } catch (const Error&) {
  }
}

/// Keeps what memory holds of pauses and key.
std::string StateStore::Impl::replace_damaged() {
  database.reset();
  std::string aside = move_aside(path);
  make_private_file(path);
  database = std::make_unique<Database>(path, Database::Open::create);
  configure_writer(*database);
  migrate(*database);
  if (key.empty()) key = random_key();
  insert_key(*database, key);
  write_pauses();
  return aside;
}

void StateStore::Impl::enqueue(Write write, When when) {
  bool wanted = false;
  {
    const std::lock_guard guard(mutex);
    if (options.read_only) return;
    if (queue.size() >= queue_limit) {
      queue.pop_front();
      ++done;
      ++errors;
    }
    queue.push_back(std::move(write));
    ++queued;
    wanted = queue.size() == 1 || (when == When::now && !hurried);
    hurried = hurried || when == When::now;
  }
  if (wanted) wake.notify_one();
}

/// Once in a tenth of what is kept, and at the first: a bound that is passed a little costs less
/// than to look for its last run at each.
bool StateStore::Impl::prune_now(const JobName& job) {
  return recorded[job]++ % std::max<std::size_t>(options.runs_per_job / 10, 1) == 0;
}

void StateStore::Impl::write_loop() {
  std::unique_lock guard(mutex);
  for (;;) {
    wake.wait(guard, [this] { return stopping || !queue.empty(); });
    if (queue.empty()) return;
    wake.wait_for(guard, linger, [this] { return stopping || hurried; });
    hurried = false;
    std::deque<Write> writes;
    writes.swap(queue);
    guard.unlock();
    write_all(writes);
    guard.lock();
    done += writes.size();
    written.notify_all();
  }
}

/// One transaction for all that has come up. If it fails, each write for itself, so that one bad
/// record does not take the others with it.
void StateStore::Impl::write_all(std::deque<Write>& writes) {
  try {
    write_together(writes);
    succeeded();
    return;
  } catch (const Error& error) {
    if (damage_of(error) == Damage::disk) {
      failed(error, writes.size());
      return;
    }
    if (damage_of(error) == Damage::corrupt) {
      ++errors;
      try {
        const std::string aside = replace_damaged();
        report(
            fmt::format("the state file is damaged: it lies at {} now and a new one was begun. "
                        "Run history is empty; pauses were kept",
                        aside));
      } catch (const Error& second) {
        failed(second, writes.size());
        return;
      }
    }
  }
  bool all = true;
  for (const Write& write : writes)
    all = write_alone(write) && all;
  if (all) succeeded();
}

void StateStore::Impl::write_together(const std::deque<Write>& writes) {
  Transaction transaction(*database);
  const bool with_pauses = pauses_changed.exchange(false);
  try {
    if (with_pauses) write_pauses();
    for (const Write& write : writes)
      write(*database);
    transaction.commit();
  } catch (const Error&) {
    if (with_pauses) pauses_changed = true;
    throw;
  }
}

bool StateStore::Impl::write_alone(const Write& write) {
  try {
    write_together({write});
    return true;
  } catch (const Error& error) {
    failed(error, 1);
    return false;
  }
}

void StateStore::Impl::write_pauses() {
  std::map<JobName, Pause> wanted;
  {
    const std::lock_guard guard(mutex);
    wanted = pauses;
  }
  database->execute("DELETE FROM pause");
  for (const auto& [job, pause] : wanted)
    upsert_pause(*database, pause);
}

void StateStore::Impl::succeeded() {
  if (healthy.exchange(true)) return;
  report(fmt::format("the state file takes writes again; {} record(s) of history were lost", lost));
  lost = 0;
}

void StateStore::Impl::failed(const Error& error, std::size_t writes) {
  errors += writes;
  lost += writes;
  if (!healthy.exchange(false)) return;
  report(
      fmt::format("{} can't be written: {}. Jobs go on; run history is lost until it can, and "
                  "pauses are kept in memory only",
                  path, error.what()));
}

void StateStore::Impl::flush() {
  std::unique_lock guard(mutex);
  const std::uint64_t goal = queued;
  if (done < goal) hurried = true;
  wake.notify_one();
  written.wait(guard, [&] { return done >= goal; });
}

std::unique_ptr<StateStore> StateStore::open(Options options) {
  auto impl = std::make_unique<Impl>(std::move(options));
  if (impl->options.read_only)
    impl->open_for_reading();
  else
    impl->open_for_writing();
  return std::unique_ptr<StateStore>(new StateStore(std::move(impl)));
}

StateStore::StateStore(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
StateStore::~StateStore() = default;

void StateStore::record_run(RunRecord record) {
  const std::size_t keep = impl_->options.runs_per_job;
  impl_->enqueue(
      [this, record = std::move(record), keep](Database& database) {
        insert_run(database, record);
        if (impl_->prune_now(record.job)) prune_runs(database, record.job, keep);
      },
      Impl::When::soon);
}

std::vector<RunRecord> StateStore::history(const JobName& job, std::size_t limit,
                                           std::optional<std::int64_t> before) const {
  return impl_->read([&](Database& reader) { return select_history(reader, job, limit, before); });
}

std::map<JobName, JobHistory> StateStore::job_history() const {
  return impl_->read([](Database& reader) { return select_job_history(reader); });
}

std::map<JobName, Progress> StateStore::last_progress() const {
  return impl_->read([](Database& reader) { return select_progress(reader); });
}

void StateStore::purge(const JobName& job) {
  {
    const std::lock_guard guard(impl_->mutex);
    impl_->pauses.erase(job);
  }
  impl_->enqueue([job](Database& database) { delete_job(database, job); });
}

std::vector<Pause> StateStore::load() {
  const std::lock_guard guard(impl_->mutex);
  std::vector<Pause> all;
  for (const auto& [job, pause] : impl_->pauses)
    all.push_back(pause);
  return all;
}

void StateStore::save(const Pause& pause) noexcept {
  {
    const std::lock_guard guard(impl_->mutex);
    impl_->pauses.insert_or_assign(pause.job, pause);
  }
  impl_->pauses_changed = true;
  impl_->enqueue([](Database&) {});
}

void StateStore::remove(const JobName& job) noexcept {
  {
    const std::lock_guard guard(impl_->mutex);
    impl_->pauses.erase(job);
  }
  impl_->pauses_changed = true;
  impl_->enqueue([](Database&) {});
}

void StateStore::record_audit(AuditRecord record) {
  const std::size_t keep = impl_->options.audit_records;
  impl_->enqueue([record = std::move(record), keep](Database& database) {
    insert_audit(database, record, keep);
  });
}

std::vector<AuditRecord> StateStore::audit(std::size_t limit,
                                           std::optional<std::int64_t> before) const {
  return impl_->read([&](Database& reader) { return select_audit(reader, limit, before); });
}

std::string StateStore::lock_identity() const {
  return impl_->lock ? impl_->lock->identity() : std::string();
}

const Secret& StateStore::key_secret() const noexcept {
  return impl_->key;
}

void StateStore::flush() const {
  impl_->flush();
}

std::uint64_t StateStore::bytes() const noexcept {
  std::uint64_t total = 0;
  for (const char* side : {"", "-wal"}) {
    std::error_code error;
    const std::uintmax_t size = fs::file_size(impl_->path + side, error);
    if (!error) total += size;
  }
  return total;
}

std::uint64_t StateStore::errors() const noexcept {
  return impl_->errors;
}
bool StateStore::healthy() const noexcept {
  return impl_->healthy;
}

}  // namespace tidemark::state
