#include "observe/redactor.h"

#include <catch2/catch.hpp>

using namespace tidemark;
using namespace tidemark::observe;

namespace {

std::string plain(const std::string& text) {
  return Redactor().redact(text);
}

}  // namespace

TEST_CASE("a registered secret is masked as it is, percent-encoded and JSON-escaped") {
  Redactor redactor;
  redactor.add(Secret("p@ss\"w/rd"));
  CHECK(redactor.redact("login with p@ss\"w/rd failed") == "login with *** failed");
  CHECK(redactor.redact("GET /x?y=p%40ss%22w%2Frd") == "GET /x?y=***");
  CHECK(redactor.redact(R"({"x":"p@ss\"w/rd"})") == R"({"x":"***"})");
  CHECK(redactor.redact("twice: p@ss\"w/rdp@ss\"w/rd") == "twice: ******");
}

TEST_CASE("a secret that is part of a longer one does not leave the rest behind") {
  Redactor redactor;
  redactor.add(Secret("hunter"));
  redactor.add(Secret("hunter2000"));
  CHECK(redactor.redact("it was hunter2000") == "it was ***");
  CHECK(redactor.redact("it was hunter") == "it was ***");
}

TEST_CASE("passwords and token of all settings ever learnt are masked") {
  Settings settings;
  ConnectionSettings connection{.name = ConnectionName("erp"), .type = "mysql"};
  connection.password = Secret("first-password");
  settings.connections.emplace(connection.name, connection);
  settings.daemon.api_token = Secret("api-token-value");
  Redactor redactor;
  redactor.learn(settings);
  settings.connections.at(connection.name).password = Secret("second-password");
  redactor.learn(settings);
  CHECK(redactor.redact("first-password second-password api-token-value") == "*** *** ***");
}

TEST_CASE("values too short to search for are masked behind their name") {
  Redactor redactor;
  redactor.add(Secret("abc"));
  CHECK(redactor.redact("the abc of sync") == "the abc of sync");
  CHECK(redactor.redact("password=abc host=db") == "password=*** host=db");
}

TEST_CASE("the password in a URL is masked, whatever it holds") {
  CHECK(plain("postgresql://sync:s3cret@db:5432/wms") == "postgresql://sync:***@db:5432/wms");
  CHECK(plain("mysql://u:a/b@c@db/erp is away") == "mysql://u:***@db/erp is away");
  CHECK(plain("postgresql://sync@db:5432/wms") == "postgresql://sync@db:5432/wms");
  CHECK(plain("http://127.0.0.1:9465/metrics") == "http://127.0.0.1:9465/metrics");
  CHECK(plain("a://u:p@h b://v:q@i") == "a://u:***@h b://v:***@i");
}

TEST_CASE("assignments to names of secrets are masked in every spelling") {
  CHECK(plain("host=db password='a b' user=x") == "host=db password=*** user=x");
  CHECK(plain("PASSWORD = topsecret;") == "PASSWORD = ***;");
  CHECK(plain("pwd=x&next=1") == "pwd=***&next=1");
  CHECK(plain(R"({"password": "a\"b", "user": "x"})") == R"({"password": ***, "user": "x"})");
  CHECK(plain("https://oapi.dingtalk.com/robot/send?access_token=abc&sign=def") ==
        "https://oapi.dingtalk.com/robot/send?access_token=***&sign=***");
  CHECK(plain("https://qyapi.weixin.qq.com/send?key=123-456") ==
        "https://qyapi.weixin.qq.com/send?key=***");
}

TEST_CASE("credentials of an HTTP header are masked") {
  CHECK(plain("Authorization: Bearer 0123456789abcdef") == "Authorization: Bearer ***");
  CHECK(plain("Basic dXNlcjpwYXNz, more") == "Basic ***, more");
}

TEST_CASE("text without secrets stays as it is") {
  for (const char* text :
       {"", "the password is wrong", "key=4711 of table orders", "the job's key: id",
        "secret: file /etc/tidemark/credentials/erp is missing", "basic types only", "token bucket",
        "a = b", "password", "://", "x://y:z", "HINT: set api_token"}) {
    INFO(text);
    CHECK(plain(text) == text);
  }
}
