// What the daemon does when disk, descriptors or memory run out, and whether it gives back what it
// takes.
#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

#include "report.h"
#include "scene.h"
#include "tiny_disk.h"

using namespace tidemark::test;
using std::chrono::seconds;

namespace {

/// From the environment, so that scripts/soak can ask for more.
long size_from(const char* variable, long fallback) {
  const char* text = std::getenv(variable);
  return text == nullptr ? fallback : std::stol(text);
}

/// A first batch arrives, then the target's disk is full for a while.
void fill_and_relieve(const Place& source, const Place& target, const std::string& table,
                      const TinyDisk& disk) {
  Scene scene(source, target, table, {.append = true, .more = "  exclude: [changed]\n"});
  scene.daemon().start();
  scene.arrive();
  disk.fill();
  source.add(table, 3000, std::string(900, 'x'));
  INFO(scene.daemon().log());
  wait_until(
      "the job to back off", [&] { return scene.is("backoff"); }, seconds(60));
  CHECK(scene.job().find("\"kind\": \"resource\"") != std::string::npos);
  wait_until(
      "the job to be stale", [&] { return scene.metric("tidemark_job_stale") == 1; }, seconds(60));
  disk.relieve();
  scene.arrive();
  CHECK(scene.daemon().stop() == 0);
  CHECK(scene.equal());
  report("resources",
         {"the disk of a " + target.type() + " target is full", "backs off, stale; then goes on"});
}

}  // namespace

TEST_CASE("a full disk under a SQLite target is waited for", "[fault][resources][disk]") {
  const auto disk = TinyDisk::make("24m");
  if (!disk) return;
  TempDir folder;
  const auto source = sqlite_place(folder / "source.db");
  const auto target = sqlite_place(*disk / "target.db");
  source->make("full_sqlite", 100);
  fill_and_relieve(*source, *target, "full_sqlite", *disk);
}

TEST_CASE("a full disk under a PostgreSQL target is waited for", "[fault][resources][disk]") {
  const auto disk = TinyDisk::make("24m", "postgres");
  if (!disk) return;
  TempDir folder;
  const auto source = sqlite_place(folder / "source.db");
  const auto target = postgres_place(shared_postgres());
  // Outside of a transaction block, so each on its own.
  target->sql("CREATE TABLESPACE tiny LOCATION '" + disk->path() + "'");
  target->make_bare("full_postgres", " TABLESPACE tiny");
  source->make("full_postgres", 100);
  fill_and_relieve(*source, *target, "full_postgres", *disk);
  target->drop("full_postgres");
  target->sql("DROP TABLESPACE tiny");
}

TEST_CASE("a full disk under a MariaDB target is waited for", "[fault][resources][disk]") {
  const auto disk = TinyDisk::make("24m", "mysql");
  if (!disk) return;
  TempDir folder;
  const auto source = sqlite_place(folder / "source.db");
  const auto target = mariadb_place(shared_mariadb());
  target->make_bare("full_mariadb", " DATA DIRECTORY = '" + disk->path() + "'");
  source->make("full_mariadb", 100);
  fill_and_relieve(*source, *target, "full_mariadb", *disk);
  target->drop("full_mariadb");
}

TEST_CASE("with its state directory full the daemon goes on, and says so",
          "[fault][resources][disk]") {
  const auto disk = TinyDisk::make("2m");
  if (!disk) return;
  TempDir folder;
  const auto source = sqlite_place(folder / "source.db");
  const auto target = sqlite_place(folder / "target.db");
  source->make("events", 100);
  Scene scene(*source, *target, "events", {.append = true, .state_dir = disk->path()});
  scene.daemon().start();
  scene.arrive();
  INFO(scene.daemon().log());
  disk->fill();
  wait_until("history to be lost", [&] {
    // Each run writes a line of it.
    source->add("events", 1, "more");
    const std::string errors = scene.daemon().metric("tidemark_state_store_errors_total");
    return !errors.empty() && std::stod(errors) > 0;
  });
  scene.arrive();
  CHECK(scene.daemon().log().find("state store") != std::string::npos);
  CHECK(scene.daemon().running());

  // Killed and started again while the disk is still full: the job goes on.
  scene.daemon().kill();
  source->add("events", 10, "after the kill");
  scene.daemon().start();
  scene.arrive();
  disk->relieve();
  source->add("events", 10, "with room");
  scene.arrive();
  CHECK(scene.daemon().stop() == 0);
  CHECK(scene.equal());
  report("resources", {"the state directory is full", "goes on, also after a kill; says so"});
}

TEST_CASE("without a free file descriptor the daemon survives and recovers",
          "[fault][resources][descriptors]") {
  TempDir folder;
  const auto source = sqlite_place(folder / "source.db");
  const auto target = sqlite_place(folder / "target.db");
  source->make("events", 100);
  Scene scene(*source, *target, "events", {.append = true});
  scene.daemon().start({.program = program_after(folder, "ulimit -n 48")});
  scene.arrive();
  INFO(scene.daemon().log());
  {
    // Callers that say nothing take every descriptor that is left.
    struct Caller {
      int fd = ::socket(AF_UNIX, SOCK_STREAM, 0);
      Caller() = default;
      ~Caller() { ::close(fd); }
      Caller(const Caller&) = delete;
      Caller& operator=(const Caller&) = delete;
    };
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    scene.daemon().socket().copy(address.sun_path, sizeof address.sun_path - 1);
    std::vector<std::unique_ptr<Caller>> callers;
    for (int count = 0; count < 60; ++count) {
      callers.push_back(std::make_unique<Caller>());
      REQUIRE(::connect(callers.back()->fd, reinterpret_cast<sockaddr*>(&address),
                        sizeof address) == 0);
    }
    wait_until("the descriptors to run out",
               [&] { return descriptors_of(scene.daemon().pid()) >= 48; });
    // Meanwhile it works, and does not spin for a descriptor.
    const auto began = std::chrono::steady_clock::now();
    const auto used = processor_time_of(scene.daemon().pid());
    while (std::chrono::steady_clock::now() - began < seconds(3)) {
      source->add("events", 1, "in need");
      scene.arrive();
    }
    const auto spent = std::chrono::steady_clock::now() - began;
    CHECK(processor_time_of(scene.daemon().pid()) - used < spent / 3.0);
  }
  source->add("events", 10, "after it");
  scene.arrive();
  scene.daemon().wait_ready();
  wait_until("the job to be in time", [&] { return scene.metric("tidemark_job_stale") == 0; });
  CHECK(scene.daemon().stop() == 0);
  report("resources", {"no file descriptor is left", "jobs go on; answers again when one is free"});
}

namespace {

/// A memory cgroup of its own, of either version; its folder is "" where there can be none.
class MemoryGroup {
 public:
  explicit MemoryGroup(std::size_t limit) {
    const std::string name = fmt::format("tidemark-test-{}", ::getpid());
    for (const auto& [root, file] : {std::pair("/sys/fs/cgroup/memory/", "memory.limit_in_bytes"),
                                     std::pair("/sys/fs/cgroup/", "memory.max")}) {
      std::error_code error;
      std::filesystem::create_directory(root + name, error);
      if (error) continue;
      folder_ = root + name;
      std::ofstream out(folder_ + "/" + file);
      out << limit << std::flush;
      if (out) return;
      ::rmdir(folder_.c_str());
      folder_.clear();
    }
    WARN("no memory cgroup can be made here: the peak is only measured");
  }
  ~MemoryGroup() {
    if (!folder_.empty()) ::rmdir(folder_.c_str());
  }
  MemoryGroup(const MemoryGroup&) = delete;
  MemoryGroup& operator=(const MemoryGroup&) = delete;
  std::string join() const {
    return folder_.empty() ? ":" : "echo $$ > " + folder_ + "/cgroup.procs";
  }

 private:
  std::string folder_;
};

}  // namespace

TEST_CASE("a table larger than the memory allowed is synced within it",
          "[fault][resources][memory]") {
  constexpr std::size_t limit = std::size_t{128} << 20;
  const long rows = size_from("TIDEMARK_MEMORY_ROWS", 150'000);  // of 1 KiB
  const auto source = postgres_place(shared_postgres());
  const auto target = mariadb_place(shared_mariadb());
  source->make("large", 0);
  source->sql(
      fmt::format("INSERT INTO large (word, amount) SELECT repeat(md5(i::text), 32), i "
                  "FROM generate_series(1, {}) AS i; ANALYZE large",
                  rows));
  const std::string sum = "SELECT COUNT(*), SUM(amount), SUM(LENGTH(word)) FROM large";
  MemoryGroup group(limit);
  TempDir folder;
  Scene scene(*source, *target, "large", {.append = true});
  scene.daemon().start({.program = program_after(folder, group.join())});
  INFO(scene.daemon().log());
  wait_until(
      "all rows to arrive",
      [&] {
        if (!scene.daemon().running()) throw std::runtime_error("the daemon ended");
        return scene.metric("tidemark_job_runs_total", ",result=\"success\"") >= 1;
      },
      seconds(60 + rows / 1000));
  wait_until("both sides to be equal", [&] { return source->sql(sum) == target->sql(sum); });
  const std::size_t peak = memory_of(scene.daemon().pid(), "VmHWM");
  CHECK(peak < limit);
  CHECK(scene.daemon().stop() == 0);
  source->drop("large");
  target->drop("large");
  report("resources", {fmt::format("{} rows of 1 KiB within 128 MiB", rows),
                       fmt::format("arrive; peak {} MiB", (peak >> 20) + 1)});
}

TEST_CASE("runs take no thread, descriptor or memory with them", "[fault][resources][growth]") {
  constexpr int jobs = 10;
  const long runs = size_from("TIDEMARK_GROWTH_RUNS", 1000);
  TempDir folder;
  const auto source = sqlite_place(folder / "source.db");
  const auto target = sqlite_place(folder / "target.db");
  std::string sections = fmt::format(
      "connections:\n  source: {}\n  target: {}\ndefaults:\n  schedule: {{every: 100ms}}\njobs:\n",
      source->connection(), target->connection());
  for (int job = 0; job < jobs; ++job) {
    source->make(fmt::format("grow_{}", job), 50);
    sections += fmt::format(
        "  grow_{0}:\n    source: {{connection: source, table: grow_{0}}}\n"
        "    target: {{connection: target, table: grow_{0}, write: append}}\n"
        "    mode: incremental\n    cursor: {{column: id}}\n",
        job);
  }
  Daemon daemon(sections);
  daemon.start();
  INFO(daemon.log());
  struct Use {
    std::size_t threads, descriptors, memory;
  };
  const auto after_runs = [&](long count) {
    long done = 0;
    wait_until(
        fmt::format("{} runs", count),
        [&] {
          if (!daemon.running()) throw std::runtime_error("the daemon ended");
          done = 0;
          for (int job = 0; job < jobs; ++job) {
            const std::string text = daemon.metric(
                fmt::format("tidemark_job_runs_total{{name=\"grow_{}\",result=\"success\"}}", job));
            done += text.empty() ? 0 : static_cast<long>(std::stod(text));
          }
          return done >= count;
        },
        seconds(60 + count / 10));
    return Use{status_of(daemon.pid(), "Threads"), descriptors_of(daemon.pid()),
               memory_of(daemon.pid(), "VmRSS")};
  };
  // Pools, the allocator and the cache of the state store's file (2 MiB, filled by the history)
  // have found their size by then.
  const long settled = std::max(300L, runs / 2);
  const Use before = after_runs(settled);
  const Use after = after_runs(settled + runs);
  CHECK(after.threads <= before.threads);
  // The call that asks for metrics may be one of them.
  CHECK(after.descriptors <= before.descriptors + 2);
  const std::size_t grown = after.memory > before.memory ? after.memory - before.memory : 0;
  CHECK(grown < (std::size_t{1} << 20));
  CHECK(daemon.stop() == 0);
  report("resources", {fmt::format("{} runs", runs),
                       fmt::format("{} threads and {} descriptors as before, {} KiB more",
                                   after.threads, after.descriptors, grown >> 10)});
}
