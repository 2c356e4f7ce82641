// The drain on a real server, and what the catalogue shows of a cursor.
#include <atomic>
#include <catch2/catch.hpp>
#include <chrono>
#include <thread>

#include "connector/mysql/sampler.h"
#include "core/error.h"
#include "core/temporal.h"
#include "on_server.h"

using namespace tidemark;
using namespace tidemark::test;

namespace {

const Relation moves{.table = TableName{"test", "moves"}};
const CursorRef by_time{"at", "at"};
const CursorRef by_id{"id", "id"};

void make_moves() {
  remake("moves",
         "CREATE TABLE moves (id INT AUTO_INCREMENT PRIMARY KEY, v INT, at TIMESTAMP(3) NOT NULL "
         "DEFAULT CURRENT_TIMESTAMP(3) ON UPDATE CURRENT_TIMESTAMP(3)); INSERT INTO moves (v) "
         "VALUES (1), (2)");
}

HorizonToken token_of(Source& source, const CursorRef& cursor = by_time) {
  return source.horizon(moves, cursor, ProofKind::transactions);
}

/// Other tests' sessions may still be on their way out; what has ended does not block for long.
bool settles(Source& source, const HorizonToken& token) {
  try {
    wait_until(
        "the token to settle", [&] { return source.settled(token).settled; },
        std::chrono::seconds(5));
    return true;
  } catch (const std::runtime_error&) {
    return false;
  }
}

ConnectionSettings as_user(const std::string& user, const std::string& grants) {
  shared_mariadb().sql("DROP USER IF EXISTS " + user + "@'127.0.0.1'; CREATE USER " + user +
                       "@'127.0.0.1' IDENTIFIED BY 'p'; " + grants);
  ConnectionSettings settings = shared_mariadb().settings();
  settings.user = user;
  settings.password = Secret("p");
  return settings;
}

}  // namespace

TEST_CASE("on an idle server a token has nothing to wait for", "[mysql][server][drain]") {
  make_moves();
  const auto source = connect_to_shared()->open_source();
  REQUIRE(settles(*source, token_of(*source)));
  const auto began = std::chrono::steady_clock::now();
  const HorizonToken token = token_of(*source);
  CHECK(source->settled(token).settled);
  CHECK(std::chrono::steady_clock::now() - began < std::chrono::milliseconds(250));
  CHECK(token.state.empty());
  CHECK(token.mark.type == time_type(TypeKind::instant, 3));
  CHECK(parse_instant(token.mark.text) % 1000 == 0);
}

TEST_CASE("an open transaction holds a token until it ends", "[mysql][server][drain]") {
  make_moves();
  const auto source = connect_to_shared()->open_source();
  OpenSession writer;
  writer.run("START TRANSACTION");
  writer.run("INSERT INTO moves (v) VALUES (3)");
  const HorizonToken token = token_of(*source);
  const Settlement waiting = source->settled(token);
  CHECK_FALSE(waiting.settled);
  CHECK_FALSE(waiting.stale);
  REQUIRE(waiting.blockers.size() == 1);
  CHECK(waiting.blockers[0].id == writer.id());
  CHECK(waiting.blockers[0].user == "tidemark");
  // What begins later does not matter to this token.
  OpenSession later;
  later.run("START TRANSACTION");
  later.run("INSERT INTO moves (v) VALUES (4)");
  writer.run("COMMIT");
  CHECK(settles(*source, token));
  const HorizonToken next = token_of(*source);
  CHECK_FALSE(source->settled(next).settled);
  later.run("ROLLBACK");
  CHECK(settles(*source, next));
}

TEST_CASE("a session that goes on to its next transaction has ended the old one",
          "[mysql][server][drain]") {
  make_moves();
  const auto source = connect_to_shared()->open_source();
  OpenSession writer;
  writer.run("START TRANSACTION");
  writer.run("INSERT INTO moves (v) VALUES (3)");
  const HorizonToken token = token_of(*source);
  writer.run("COMMIT");
  writer.run("START TRANSACTION");
  writer.run("INSERT INTO moves (v) VALUES (4)");
  CHECK(settles(*source, token));
  writer.run("ROLLBACK");
}

TEST_CASE("a statement that waits for a metadata lock holds a token", "[mysql][server][drain]") {
  make_moves();
  const auto source = connect_to_shared()->open_source();
  OpenSession locker;
  locker.run("LOCK TABLES moves WRITE");
  OpenSession writer;
  writer.start("INSERT INTO moves (v) VALUES (5)");
  wait_until("the insert to wait for its lock", [&] {
    return shared_mariadb().sql("SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE ID = " +
                                writer.id() + " AND STATE LIKE 'Waiting%'") == "1\n";
  });
  // Its NOW() is before the mark, and InnoDB knows nothing of it yet. The mark needs no row.
  const HorizonToken token = token_of(*source);
  CHECK_FALSE(source->settled(token).settled);
  locker.run("UNLOCK TABLES");
  writer.finish();
  CHECK(settles(*source, token));
  CHECK(shared_mariadb().sql("SELECT COUNT(*) FROM moves WHERE v = 5 AND at < '" +
                             format_timestamp(parse_instant(token.mark.text)) +
                             "' + INTERVAL 1 SECOND") == "1\n");
}

TEST_CASE("a prepared transaction holds a token, even when its session is gone",
          "[mysql][server][drain]") {
  make_moves();
  const auto source = connect_to_shared()->open_source();
  HorizonToken before;
  std::string writer_id;
  {
    OpenSession writer;
    writer_id = writer.id();
    writer.run("XA START 'gid-7'");
    writer.run("INSERT INTO moves (v) VALUES (6)");
    before = token_of(*source);
    writer.run("XA END 'gid-7'");
    writer.run("XA PREPARE 'gid-7'");
  }
  // Asked of PROCESSLIST: who asks INNODB_TRX that often freezes it.
  wait_until("the session to leave its transaction behind", [&] {
    return shared_mariadb().sql("SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE ID = " +
                                writer_id) == "0\n";
  });
  const HorizonToken after = token_of(*source);
  for (const HorizonToken* token : {static_cast<const HorizonToken*>(&before), &after}) {
    const Settlement waiting = source->settled(*token);
    CHECK_FALSE(waiting.settled);
    REQUIRE_FALSE(waiting.blockers.empty());
    CHECK(waiting.blockers[0].kind == "prepared");
    CHECK(waiting.blockers[0].gid == "gid-7");
  }
  OpenSession other;
  other.run("XA COMMIT 'gid-7'");
  CHECK(settles(*source, before));
  CHECK(settles(*source, after));
}

TEST_CASE("reads of our own block nothing, nor do idle sessions", "[mysql][server][drain]") {
  make_moves();
  const auto connector = connect_to_shared();
  const auto source = connector->open_source();
  const auto reader_source = connector->open_source();
  REQUIRE(settles(*source, token_of(*source)));
  ReadPlan slow;
  slow.relation.query = "SELECT SLEEP(20) AS v";
  slow.columns = {{"v", make_type(TypeKind::int64)}};
  std::thread reading([&] {
    Batch batch(std::make_shared<const Schema>(slow.columns));
    try {
      reader_source->read(slow)->next(batch);
    } catch (const Cancelled&) {
    }
  });
  wait_until("the slow read to run", [&] {
    return shared_mariadb().sql(
               "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE INFO "
               "LIKE '%SLEEP(20)%' AND ID <> CONNECTION_ID()") == "1\n";
  });
  CHECK(token_of(*source).state.empty());
  reader_source->cancel();
  reading.join();
}

TEST_CASE("a frozen view is told from an empty one", "[mysql][server][drain]") {
  make_moves();
  const auto source = connect_to_shared()->open_source();
  OpenSession writer;
  writer.run("START TRANSACTION");
  writer.run("INSERT INTO moves (v) VALUES (7)");
  HorizonToken unsampled;
  {
    // A monitor that polls the view keeps InnoDB from ever renewing it.
    std::atomic<bool> stop = false;
    std::atomic<int> polls = 0;
    OpenSession monitor;
    std::thread poller([&] {
      while (!stop) {
        monitor.run("SELECT COUNT(*) FROM information_schema.INNODB_TRX");
        ++polls;
      }
    });
    wait_until("the monitor to poll", [&] { return polls > 20; });
    unsampled = token_of(*source);
    const Settlement settlement = source->settled(unsampled);
    CHECK_FALSE(settlement.settled);
    CHECK(settlement.stale);
    stop = true;
    poller.join();
  }
  // To another process it is of no use: who was open then is written nowhere.
  const auto elsewhere = connect_to_shared()->open_source();
  wait_until("the view to be renewed there", [&] { return elsewhere->settled(unsampled).lost; });
  // The same token is sampled late, and still waits for who was open all the time.
  Settlement waiting;
  wait_until("the view to be renewed", [&] {
    waiting = source->settled(unsampled);
    return !waiting.stale;
  });
  CHECK_FALSE(waiting.settled);
  CHECK_FALSE(waiting.blockers.empty());
  writer.run("COMMIT");
  CHECK(settles(*source, unsampled));
}

TEST_CASE("callers that ask at once share a sample", "[mysql][server][drain]") {
  make_moves();
  mysql::Sampler sampler([] { return mysql::open_server_view(shared_mariadb().settings()); });
  mysql::Sampler::Caller first;
  REQUIRE(sampler.sample(first));
  const auto began = std::chrono::steady_clock::now();
  std::vector<std::thread> threads;
  std::atomic<int> good = 0;
  for (int count = 0; count < 16; ++count)
    threads.emplace_back([&] {
      mysql::Sampler::Caller caller;
      good += sampler.sample(caller) != nullptr ? 1 : 0;
    });
  for (std::thread& thread : threads)
    thread.join();
  CHECK(good == 16);
  // One after the other they would need 16 times 100 ms.
  CHECK(std::chrono::steady_clock::now() - began < std::chrono::milliseconds(1200));
}

TEST_CASE("a wait for the view ends when its caller is cancelled, and no other's does",
          "[mysql][server][drain]") {
  make_moves();
  const auto connector = connect_to_shared();
  const auto source = connector->open_source();
  const auto other = connector->open_source();
  std::atomic<bool> stop = false;
  std::atomic<int> polls = 0;
  OpenSession monitor;
  std::thread poller([&] {
    while (!stop) {
      monitor.run("SELECT COUNT(*) FROM information_schema.INNODB_TRX");
      ++polls;
    }
  });
  wait_until("the monitor to poll", [&] { return polls > 20; });
  std::atomic<bool> cancelled = false;
  std::atomic<bool> ended = false;
  std::thread waiting([&] {
    try {
      for (;;)
        token_of(*source);
    } catch (const Cancelled&) {
      cancelled = true;
    } catch (const std::exception&) {
    }
    ended = true;
  });
  // It never ends by itself, so one of the calls comes while it waits.
  wait_until("the wait to end", [&] {
    source->cancel();
    return ended.load();
  });
  waiting.join();
  CHECK(cancelled);
  CHECK(token_of(*other).state.ends_with(":unsampled"));
  stop = true;
  poller.join();
}

TEST_CASE("two connections to one server do not keep each other from a sample",
          "[mysql][server][drain]") {
  make_moves();
  const auto one = connect_to_shared()->open_source();
  const auto two = connect_to_shared()->open_source();
  for (int round = 0; round < 3; ++round) {
    const HorizonToken first = token_of(*one);
    const HorizonToken second = token_of(*two);
    CHECK(settles(*one, first));
    CHECK(settles(*two, second));
  }
}

TEST_CASE("the mark of an id is behind the largest visible one", "[mysql][server][drain]") {
  make_moves();
  const auto source = connect_to_shared()->open_source();
  CHECK(token_of(*source, by_id).mark.text == "3");
  shared_mariadb().sql("DELETE FROM moves");
  CHECK(token_of(*source, by_id).mark.text == "1");
}

TEST_CASE("a token of another server, or of before a restart, is lost", "[mysql][server][drain]") {
  make_moves();
  const auto source = connect_to_shared()->open_source();
  HorizonToken token = token_of(*source);
  const std::size_t at = token.server.rfind('@');
  token.server = token.server.substr(0, at) + "@1000000000";
  CHECK(source->settled(token).lost);
}

TEST_CASE("a local time cursor gets its mark in the connection's zone", "[mysql][server][drain]") {
  remake("local", "CREATE TABLE local (id INT PRIMARY KEY, at DATETIME(6) NOT NULL)");
  ConnectionSettings settings = shared_mariadb().settings();
  settings.timezone = "+08:00";
  const Relation relation{.table = TableName{"test", "local"}};
  const auto east = connect_to(settings)->open_source();
  const auto utc = connect_to_shared()->open_source();
  const auto mark = [&](Source& source) {
    return parse_timestamp(source.horizon(relation, {"at", "at"}, ProofKind::lookback).mark.text);
  };
  const std::int64_t hours = (mark(*east) - mark(*utc)) / micros_per_second / 60;
  CHECK(hours >= 8 * 60 - 2);
  CHECK(hours <= 8 * 60);
}

// --- Evidence

TEST_CASE("a TIMESTAMP that the server sets on every write can be proven", "[mysql][server]") {
  make_moves();
  const auto source = connect_to_shared()->open_source();
  const CursorEvidence evidence = source->inspect(moves, by_time);
  CHECK(evidence.proof == ProofKind::transactions);
  CHECK(evidence.server_assigned);
  CHECK(evidence.moves_on_write);
  CHECK(evidence.not_null);
  CHECK(evidence.single_timezone);
  CHECK_FALSE(evidence.inserts_only);
  CHECK(evidence.obstacles.empty());
}

TEST_CASE("an AUTO_INCREMENT id is proven for inserts", "[mysql][server]") {
  make_moves();
  const auto source = connect_to_shared()->open_source();
  const CursorEvidence evidence = source->inspect(moves, by_id);
  CHECK(evidence.proof == ProofKind::transactions);
  CHECK(evidence.server_assigned);
  CHECK(evidence.inserts_only);
  CHECK(evidence.not_null);
}

TEST_CASE("what the catalogue does not show is not assumed", "[mysql][server]") {
  remake("loose",
         "CREATE TABLE loose (id INT PRIMARY KEY, a DATETIME NULL, b TIMESTAMP NOT NULL DEFAULT "
         "CURRENT_TIMESTAMP, c DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE "
         "CURRENT_TIMESTAMP, t DATETIME NOT NULL);"
         "CREATE TRIGGER loose_insert BEFORE INSERT ON loose FOR EACH ROW SET NEW.t = NOW();"
         "CREATE TRIGGER loose_update BEFORE UPDATE ON loose FOR EACH ROW SET NEW.t = NOW()");
  const auto source = connect_to_shared()->open_source();
  const Relation relation{.table = TableName{"test", "loose"}};
  const CursorEvidence a = source->inspect(relation, {"a", "a"});
  CHECK_FALSE(a.server_assigned);
  CHECK_FALSE(a.moves_on_write);
  CHECK_FALSE(a.not_null);
  CHECK_FALSE(a.single_timezone);
  const CursorEvidence b = source->inspect(relation, {"b", "b"});
  CHECK(b.server_assigned);
  CHECK_FALSE(b.moves_on_write);
  CHECK(b.single_timezone);
  const CursorEvidence c = source->inspect(relation, {"c", "c"});
  CHECK(c.server_assigned);
  CHECK(c.moves_on_write);
  CHECK_FALSE(c.single_timezone);
  const CursorEvidence t = source->inspect(relation, {"t", "t"});
  CHECK(t.server_assigned);
  CHECK(t.moves_on_write);
  const CursorEvidence id = source->inspect(relation, {"id", "id"});
  CHECK_FALSE(id.server_assigned);
  CHECK_FALSE(id.moves_on_write);
}

TEST_CASE("a query's cursor is looked up where it comes from", "[mysql][server]") {
  make_moves();
  remake("names", "CREATE TABLE names (v INT PRIMARY KEY, name VARCHAR(20))");
  const auto source = connect_to_shared()->open_source();
  Relation query;
  query.query =
      "SELECT m.id, m.at AS changed, n.name FROM moves m LEFT JOIN names n ON n.v = m.v WHERE "
      "{{cursor}}";
  const CursorEvidence evidence = source->inspect(query, {"changed", "m.at"});
  CHECK(evidence.proof == ProofKind::transactions);
  CHECK(evidence.server_assigned);
  CHECK(evidence.moves_on_write);
  CHECK(evidence.not_null);
  REQUIRE_FALSE(evidence.notes.empty());
  CHECK(evidence.notes.back().find("names") != std::string::npos);
  query.query = "SELECT n.v, m.at FROM names n LEFT JOIN moves m ON n.v = m.v WHERE {{cursor}}";
  CHECK_FALSE(source->inspect(query, {"at", "m.at"}).not_null);
  query.query = "SELECT id, COALESCE(at, NOW()) AS at FROM moves WHERE {{cursor}}";
  CHECK_FALSE(source->inspect(query, {"at", "at"}).server_assigned);
}

TEST_CASE("without PROCESS there is no proof, and the remedy is named", "[mysql][server]") {
  make_moves();
  const auto source =
      connect_to(as_user("blind", "GRANT SELECT ON test.* TO blind@'127.0.0.1'"))->open_source();
  const CursorEvidence evidence = source->inspect(moves, by_time);
  CHECK(evidence.proof == ProofKind::lookback);
  REQUIRE(evidence.obstacles.size() == 1);
  CHECK(evidence.obstacles[0].find("GRANT PROCESS") != std::string::npos);
  CHECK(thrown_by([&] { token_of(*source); }).kind() == FailureKind::permission);
  CHECK(source->settled(source->horizon(moves, by_time, ProofKind::lookback)).settled);
}

TEST_CASE("an engine without transactions is an obstacle", "[mysql][server]") {
  remake("aria", "CREATE TABLE aria (id INT AUTO_INCREMENT PRIMARY KEY) ENGINE=Aria");
  const auto source = connect_to_shared()->open_source();
  const CursorEvidence evidence =
      source->inspect({.table = TableName{"test", "aria"}}, {"id", "id"});
  CHECK(evidence.proof == ProofKind::lookback);
  CHECK(evidence.obstacles.at(0).find("Aria") != std::string::npos);
}

TEST_CASE("ids in steps come from several servers", "[mysql][server]") {
  make_moves();
  const auto source = connect_to_shared()->open_source();
  shared_mariadb().sql("SET GLOBAL auto_increment_increment = 2");
  const CursorEvidence evidence = source->inspect(moves, by_id);
  shared_mariadb().sql("SET GLOBAL auto_increment_increment = 1");
  CHECK(evidence.proof == ProofKind::lookback);
}
