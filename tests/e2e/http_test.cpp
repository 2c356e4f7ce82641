#include <catch2/catch.hpp>
#include <filesystem>

#include "site.h"

using namespace tidemark;
using namespace tidemark::e2e;
using test::wait_until;

namespace {

const std::map<std::string, std::string> write_headers{{"X-Tidemark", "1"},
                                                       {"Content-Type", "application/json"}};

std::map<std::string, std::string> with(std::map<std::string, std::string> headers,
                                        const std::string& name, const std::string& value) {
  headers[name] = value;
  return headers;
}

}  // namespace

TEST_CASE("metrics are there, complete and well formed", "[e2e][http]") {
  Site site;
  site.add_items(40);
  test::Daemon daemon = site.start_ready();
  site.wait_equal("items");
  wait_until("a success", [&] { return site.job("items")["last"]["success"].is_string(); });
  const HttpAnswer answer = site.http("GET", "/metrics");
  REQUIRE(answer.status == 200);
  CHECK(answer.headers.at("content-type").find("text/plain; version=0.0.4") == 0);
  for (const char* series :
       {"tidemark_build_info{", "tidemark_job_state{name=\"items\",state=\"waiting\"}",
        "tidemark_job_lag_seconds{name=\"items\"}", "tidemark_job_rows_read_total{name=\"items\"}",
        "tidemark_job_last_success_timestamp_seconds{name=\"items\"}",
        "tidemark_job_failures_total{kind=\"auth\",name=\"items\"} 0",
        "tidemark_connection_up{connection=\"source\"} 1", "tidemark_config_generation 1",
        "tidemark_state_store_bytes", "process_resident_memory_bytes",
        "tidemark_http_requests_total{"}) {
    INFO(series);
    CHECK(answer.body.find(series) != std::string::npos);
  }
  if (std::filesystem::exists("/usr/bin/promtool")) {
    site.write_file("metrics.txt", answer.body);
    const CommandResult lint =
        run({"/bin/sh", "-c", "promtool check metrics <" + site.path("metrics.txt")});
    INFO(lint.out << lint.err);
    CHECK(lint.status == 0);
  }
}

TEST_CASE("health, readiness, status and page answer", "[e2e][http]") {
  Site site;
  site.add_items(3);
  test::Daemon daemon = site.start_ready();
  CHECK(site.http("GET", "/healthz").body == "ok\n");
  CHECK(site.http("GET", "/readyz").status == 200);
  const HttpAnswer status = site.http("GET", "/api/v1/status");
  CHECK(status.status == 200);
  CHECK(Json::parse(status.body)["api"] == 1);
  CHECK(Json::parse(status.body)["jobs"].size() == 2);
  CHECK(Json::parse(site.http("GET", "/api/v1/jobs/items").body)["name"] == "items");
  const HttpAnswer page = site.http("GET", "/");
  CHECK(page.status == 200);
  CHECK(page.body.find("<th scope=\"row\">items</th>") != std::string::npos);
  CHECK(page.headers.at("content-security-policy").find("default-src 'none'") == 0);
  CHECK(page.headers.at("x-content-type-options") == "nosniff");
  CHECK(site.http("HEAD", "/healthz").body.empty());

  const HttpAnswer missing = site.http("GET", "/api/v1/nothing");
  CHECK(missing.status == 404);
  CHECK(missing.headers.at("content-type") == "application/problem+json");
  CHECK(Json::parse(missing.body)["status"] == 404);
  CHECK(site.http("GET", "/api/v1/jobs/none").status == 404);
  CHECK(site.http("GET", "/api/v1/history?job=items&limit=x").status == 400);
  CHECK(site.http("GET", "/api/v1/reload").status == 405);
}

TEST_CASE("only hosts that mean this machine are answered", "[e2e][http]") {
  Site site;
  test::Daemon daemon = site.start_ready();
  const auto status = [&](const std::string& host) {
    return site.http("GET", "/metrics", {{"Host", host}}).status;
  };
  CHECK(status("localhost:9465") == 200);
  CHECK(status("127.0.0.1") == 200);
  CHECK(status("[::1]:9465") == 200);
  CHECK(status("evil.example:9465") == 421);
  CHECK(status("localhost.evil.example") == 421);
  CHECK(status("") == 421);
  CHECK(site.raw("GET /metrics HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n"
                 "Connection: close\r\n\r\n")
            .find("HTTP/1.1 400") == 0);
}

TEST_CASE("over TCP a change needs token, header and JSON", "[e2e][http]") {
  Site site("  api_token: {file: " + std::string("TOKENFILE") + "}");
  site.write_file("token", "correct horse battery staple\n");
  std::filesystem::permissions(site.path("token"), std::filesystem::perms(0600));
  std::string text = site.config_text();
  text.replace(text.find("TOKENFILE"), 9, site.path("token"));
  site.write_config(text);
  test::Daemon daemon = site.start_ready();
  const auto good = with(write_headers, "Authorization", "Bearer correct horse battery staple");
  const std::string body = R"({"jobs": ["items"], "reason": "test"})";
  const auto post = [&](const std::map<std::string, std::string>& headers) {
    return site.http("POST", "/api/v1/pause", headers, body).status;
  };
  CHECK(post(write_headers) == 401);
  CHECK(post(with(good, "Authorization", "Bearer correct horse battery stapl")) == 401);
  CHECK(post(with(good, "Authorization", "Bearer correct horse battery staplee")) == 401);
  CHECK(post(with(good, "X-Tidemark", "0")) == 403);
  CHECK(post(with(good, "Content-Type", "text/plain")) == 415);
  CHECK(post(with(good, "Sec-Fetch-Site", "cross-site")) == 403);
  CHECK(post(with(good, "Host", "evil.example")) == 421);
  CHECK(site.http("PUT", "/api/v1/pause", good).status == 405);
  CHECK(site.job("items")["state"] != "paused");
  CHECK(post(good) == 200);
  // A run under way ends its batch first.
  wait_until("the pause", [&] { return site.job("items")["state"] == "paused"; });
  CHECK(site.job("items")["pause"]["by"] == "tcp 127.0.0.1");
  const std::string metrics = site.http("GET", "/metrics").body;
  CHECK(metrics.find("tidemark_http_auth_failures_total{reason=\"missing_token\"} 1") !=
        std::string::npos);
  CHECK(metrics.find("tidemark_http_auth_failures_total{reason=\"wrong_token\"} 2") !=
        std::string::npos);
  // A new token is in force with the next reload.
  site.write_file("token", "another one entirely\n");
  REQUIRE(site.command({"reload"}).status == 0);
  CHECK(post(good) == 401);
  CHECK(site.log().find("battery") == std::string::npos);
}

TEST_CASE("without a configured token TCP may only read; the socket may do all", "[e2e][http]") {
  Site site;
  test::Daemon daemon = site.start_ready();
  const std::string body = R"({"jobs": ["items"]})";
  CHECK(site.http("POST", "/api/v1/pause", write_headers, body).status == 403);
  CHECK(site.client().post("/api/v1/pause", Json::parse(body)).status == 200);
  const Json job = site.job("items");
  CHECK(job["pause"]["by"].get<std::string>().find("uid ") == 0);
  CHECK(site.client().post("/api/v1/resume", Json::parse(body)).status == 200);
  CHECK(site.client().post("/api/v1/resume", {{"jobs", {"none"}}}).status == 404);
  CHECK(site.client().post("/api/v1/pause", {{"jobs", {"items"}}, {"minutes", 3}}).status == 400);
  CHECK(site.client().post("/api/v1/pause", Json::object()).status == 400);
  CHECK(site.client().post("/api/v1/pause", {{"jobs", "items"}}).status == 400);
}

TEST_CASE("a call with the key of an earlier one gets its answer and changes nothing",
          "[e2e][http]") {
  Site site;
  test::Daemon daemon = site.start_ready();
  const auto post = [&](const std::string& path, const std::string& key, const std::string& body) {
    return test::http({.socket = site.socket()}, "POST", path,
                      with(write_headers, "Idempotency-Key", key), body);
  };
  const std::string run = R"({"jobs": ["items"]})";
  const HttpAnswer first = post("/api/v1/run", "key-1", run);
  CHECK(first.status == 202);
  CHECK(post("/api/v1/run", "key-1", run).body == first.body);
  CHECK(post("/api/v1/run", "key-2", run).body != first.body);
  CHECK(post("/api/v1/run", "key-1", R"({"jobs": ["log"]})").status == 422);
  CHECK(post("/api/v1/pause", "key-1", run).status == 422);
  CHECK(post("/api/v1/run", "with blank", run).status == 400);
  CHECK(post("/api/v1/run", std::string(129, 'k'), run).status == 400);
  const HttpAnswer reload = post("/api/v1/reload", "key-3", "{}");
  CHECK(reload.status == 200);
  CHECK(post("/api/v1/reload", "key-3", "{}").body == reload.body);
  CHECK(daemon.metric(R"(tidemark_config_reloads_total{result="unchanged"})") == "1");
}

TEST_CASE("who asks for the end of a run is answered when it has ended", "[e2e][http]") {
  Site site("", R"(  slow:
    source: {table: items}
    target: {table: slow}
    mode: full
    schedule: {manual: true}
    hooks: {before: "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000000) SELECT count(*) FROM n", when: always}
)");
  test::Daemon daemon = site.start_ready();
  const ControlClient client = site.client();
  const auto asked = client.post("/api/v1/run", {{"jobs", {"slow"}}});
  REQUIRE(asked.status == 202);
  CHECK(asked.body["done"] == false);
  const std::string path = "/api/v1/requests/" + asked.body["request"].get<std::string>();
  const auto answer = client.get(path + "?wait=30", std::chrono::seconds(40));
  CHECK(answer.body["done"] == true);
  CHECK(answer.body["jobs"][0]["outcome"]["result"] == "success");
  CHECK(client.get(path + "?wait=31").status == 400);
  CHECK(client.get(path + "?wait=x").status == 400);
  CHECK(client.get("/api/v1/requests/none?wait=5").status == 404);
}

TEST_CASE("requests that are too large, broken or too slow are turned away", "[e2e][http]") {
  Site site;
  test::Daemon daemon = site.start_ready();
  const std::string long_header(9 << 10, 'x');
  CHECK(site.http("GET", "/healthz", {{"X-Long", long_header}}).status == 431);
  const std::string long_body(65 << 10, 'x');
  CHECK(site.http("POST", "/api/v1/pause", write_headers, long_body).status == 413);
  CHECK(site.raw("nonsense\r\n\r\n").find("HTTP/1.1 400") == 0);
  CHECK(site.http("GET", "/%zz").status == 400);
  const auto started = std::chrono::steady_clock::now();
  CHECK(site.raw("GET /healthz HTTP/1.1\r\n").empty());  // never finished: cut off at the deadline
  CHECK(std::chrono::steady_clock::now() - started < std::chrono::seconds(15));
  CHECK(site.client().get("/healthz").status == 200);
}
