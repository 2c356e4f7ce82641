// Connections: what is pinned, TLS, lost and stalled sessions, cancel.
#include <atomic>
#include <catch2/catch.hpp>
#include <chrono>
#include <thread>

#include "connector/mysql/control_session.h"
#include "connector/mysql/reader.h"
#include "connector/mysql/session.h"
#include "on_server.h"
#include "support/tcp_gate.h"

using namespace tidemark;
using namespace tidemark::test;
using mysql::ControlSession;
using mysql::Role;
using mysql::Session;

namespace {

std::string value(Session& session, const std::string& expression) {
  return session.execute("SELECT " + expression).scalar().value_or("NULL");
}

/// A server with a certificate for 127.0.0.1, signed by a CA of its own.
class TlsServer {
 public:
  TlsServer() {
    const auto openssl = [&](std::vector<std::string> arguments) {
      arguments.insert(arguments.begin(), "openssl");
      run_command(arguments, {}, dir_.path().string());
    };
    const auto make_ca = [&](const std::string& name) {
      openssl({"req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
               "/CN=" + name, "-keyout", name + ".key", "-out", name + ".pem"});
    };
    make_ca("ca");
    make_ca("stranger");
    openssl({"req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=127.0.0.1", "-keyout",
             "server.key", "-out", "server.csr"});
    openssl({"x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key",
             "-CAcreateserial", "-days", "2", "-out", "server.pem"});
    for (const auto& entry : std::filesystem::directory_iterator(dir_.path()))
      std::filesystem::permissions(entry.path(), std::filesystem::perms::owner_read |
                                                     std::filesystem::perms::group_read |
                                                     std::filesystem::perms::others_read);
    server_ = std::make_unique<MariaDbServer>(
        std::vector<std::string>{"--ssl-ca=" + ca(), "--ssl-cert=" + (dir_ / "server.pem"),
                                 "--ssl-key=" + (dir_ / "server.key")});
    server_->start();
  }
  std::string ca() const { return dir_ / "ca.pem"; }
  std::string stranger() const { return dir_ / "stranger.pem"; }
  ConnectionSettings settings(TlsMode mode, const std::string& ca = {}) const {
    ConnectionSettings settings = server_->settings();
    settings.tls.mode = mode;
    settings.tls.ca = ca;
    return settings;
  }
  MariaDbServer& server() { return *server_; }

 private:
  TempDir dir_;
  std::unique_ptr<MariaDbServer> server_;
};

}  // namespace

TEST_CASE("sessions are pinned whatever the server's defaults are", "[mysql][server][session]") {
  ConnectionSettings settings = shared_mariadb().settings();
  settings.init_sql = {"SET SESSION group_concat_max_len = 4321"};
  Session source(settings, Role::source);
  CHECK(value(source, "@@time_zone") == "+00:00");
  CHECK(value(source, "@@character_set_client") == "utf8mb4");
  CHECK(value(source, "@@character_set_results") == "utf8mb4");
  CHECK(value(source, "@@sql_mode").find("STRICT_ALL_TABLES") != std::string::npos);
  CHECK(value(source, "@@sql_mode").find("NO_AUTO_VALUE_ON_ZERO") != std::string::npos);
  CHECK(std::stoi(value(source, "@@net_write_timeout")) >= 600);
  CHECK(std::stoi(value(source, "@@net_read_timeout")) >= 600);
  CHECK(value(source, "@@tx_read_only") == "1");
  CHECK(value(source, "@@group_concat_max_len") == "4321");
  CHECK(thrown_by([&] { source.execute("CREATE TABLE never (id INT)"); }).kind() ==
        FailureKind::permission);
  Session target(settings, Role::target);
  CHECK(value(target, "@@tx_isolation") == "READ-COMMITTED");
  CHECK(value(target, "@@tx_read_only") == "0");
  target.limit_idle_transactions(std::chrono::seconds(60));
  CHECK(value(target, "@@idle_write_transaction_timeout") == "60");
}

TEST_CASE("a server can't ask for our files", "[mysql][server][session]") {
  remake("loaded", "CREATE TABLE loaded (line TEXT)");
  Session session(shared_mariadb().settings(), Role::target);
  CHECK_THROWS_AS(session.execute("LOAD DATA LOCAL INFILE '/etc/hostname' INTO TABLE loaded"),
                  Error);
  CHECK(shared_mariadb().sql("SELECT COUNT(*) FROM loaded") == "0\n");
}

TEST_CASE("each TLS mode refuses what it must", "[mysql][server][session]") {
  TlsServer tls;
  const auto opens = [](const ConnectionSettings& settings) {
    Session session(settings, Role::source);
    ControlSession control(settings, {});
    CHECK_FALSE(control.execute("SHOW STATUS LIKE 'Ssl_cipher'").rows[0][1].value_or("").empty());
    return session.tls();
  };
  CHECK(opens(tls.settings(TlsMode::require)).starts_with("TLSv1."));
  CHECK(opens(tls.settings(TlsMode::verify_ca, tls.ca())).starts_with("TLSv1."));
  CHECK(opens(tls.settings(TlsMode::verify_full, tls.ca())).starts_with("TLSv1."));
  CHECK(Session(tls.settings(TlsMode::disable), Role::source).tls() == "off");
  const auto refused = [](const ConnectionSettings& settings) {
    CHECK(thrown_by([&] { Session session(settings, Role::source); }).kind() == FailureKind::tls);
    CHECK(thrown_by([&] { ControlSession session(settings, {}); }).kind() == FailureKind::tls);
  };
  refused(tls.settings(TlsMode::verify_ca, tls.stranger()));
  refused(tls.settings(TlsMode::verify_full, tls.stranger()));
  refused(tls.settings(TlsMode::verify_full));
  // The certificate is for another name.
  ConnectionSettings other = tls.settings(TlsMode::verify_full, tls.ca());
  other.host = "localhost";
  refused(other);
  // A server without TLS.
  ConnectionSettings plain = shared_mariadb().settings();
  plain.tls.mode = TlsMode::require;
  refused(plain);
}

TEST_CASE("a server that is away is away, and comes back", "[mysql][server][session]") {
  MariaDbServer server;
  server.start();
  Session session(server.settings(), Role::target);
  server.stop();
  const Error lost = thrown_by([&] { session.execute("SELECT 1"); });
  CHECK(means_away(lost.kind()));
  CHECK_FALSE(session.usable());
  const Error refused = thrown_by([&] { Session again(server.settings(), Role::target); });
  CHECK(refused.kind() == FailureKind::connect);
  server.start();
  CHECK(value(*std::make_unique<Session>(server.settings(), Role::target), "1") == "1");
}

TEST_CASE("a session killed while it commits is in doubt", "[mysql][server][session]") {
  Session session(shared_mariadb().settings(), Role::target);
  session.execute("START TRANSACTION");
  shared_mariadb().sql("KILL " + std::to_string(session.thread_id()));
  const Error error = thrown_by([&] { session.commit(); });
  CHECK(error.in_doubt());
  CHECK(error.kind() == FailureKind::connect);
}

TEST_CASE("a server that makes no progress is given up and its statement ended",
          "[mysql][server][session]") {
  ConnectionSettings settings = shared_mariadb().settings();
  settings.stall_timeout = std::chrono::seconds(1);
  Session session(settings, Role::source);
  const auto began = std::chrono::steady_clock::now();
  const Error error = thrown_by([&] { session.execute("SELECT SLEEP(30)"); });
  CHECK(error.kind() == FailureKind::timeout);
  CHECK(std::chrono::steady_clock::now() - began < std::chrono::seconds(5));
  wait_until("the server to end the statement", [&] {
    return shared_mariadb().sql(
               "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE INFO "
               "LIKE '%SLEEP(30)%' AND ID <> CONNECTION_ID()") == "0\n";
  });
}

TEST_CASE("a cancelled session goes on with its next statement", "[mysql][server][session]") {
  Session session(shared_mariadb().settings(), Role::target);
  session.cancel();
  CHECK(value(session, "1") == "1");
  for (int round = 0; round < 3; ++round) {
    std::atomic<bool> done = false;
    std::thread other([&] {
      while (!done) {
        session.cancel();
        std::this_thread::yield();
      }
    });
    CHECK_THROWS_AS(session.execute("SELECT SLEEP(20)"), Cancelled);
    done = true;
    other.join();
    CHECK(value(session, "1") == "1");
  }
}

TEST_CASE("a read given up half-way leaves the session usable", "[mysql][server][session]") {
  Session session(shared_mariadb().settings(), Role::source);
  const Schema columns{{"seq", make_type(TypeKind::int64)}};
  {
    mysql::StreamReader reader(session, "SELECT seq FROM seq_1_to_100000000", columns,
                               {.batch_rows = 10});
    Batch batch(std::make_shared<const Schema>(columns));
    REQUIRE(reader.next(batch));
    CHECK(batch.rows() == 10);
  }
  CHECK(session.usable());
  CHECK(value(session, "1") == "1");
}

TEST_CASE("a read cancelled between two batches throws at the next", "[mysql][server][session]") {
  Session session(shared_mariadb().settings(), Role::source);
  const Schema columns{{"seq", make_type(TypeKind::int64)}};
  mysql::StreamReader reader(session, "SELECT seq FROM seq_1_to_100000000", columns,
                             {.batch_rows = 10});
  Batch batch(std::make_shared<const Schema>(columns));
  REQUIRE(reader.next(batch));
  session.cancel();
  CHECK_THROWS_AS(reader.next(batch), Cancelled);
}

TEST_CASE("a connection over the unix socket needs no TLS", "[mysql][server][session]") {
  ConnectionSettings settings = shared_mariadb().settings();
  settings.unix_socket = shared_mariadb().socket();
  settings.user = "root";
  settings.password = Secret("");
  settings.tls.mode = TlsMode::verify_full;
  Session session(settings, Role::source);
  CHECK(session.tls() == "local");
  ControlSession control(settings, {});
  CHECK(control.execute("SELECT 1").scalar() == "1");
}

TEST_CASE("a connection whose other end has gone silent is noticed within stall_timeout",
          "[mysql][server]") {
  TcpGate gate(shared_mariadb().port());
  ConnectionSettings settings = shared_mariadb().settings();
  settings.port = gate.port();
  settings.stall_timeout = std::chrono::seconds(1);
  const auto connector = connect_to(settings);
  const auto source = connector->open_source();
  const auto target = connector->open_target();
  source->now();
  target->now();
  gate.stall();
  for (const auto& ask : {std::function<void()>([&] { source->now(); }),
                          std::function<void()>([&] { target->now(); })}) {
    const Error error = thrown_by(ask);
    CHECK(error.kind() == FailureKind::timeout);
    CHECK(error.error_class() == ErrorClass::transient);
  }
  CHECK_FALSE(source->usable());
  CHECK_FALSE(target->usable());
}
