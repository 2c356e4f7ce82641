// The drain's rules, on samples made by hand (decisions: 11).
#include <catch2/catch.hpp>

#include "connector/mysql/sampler.h"
#include "connector/mysql/token_state.h"
#include "core/error.h"

using namespace tidemark;
using namespace tidemark::mysql;

namespace {

BusyThread busy(std::uint64_t id, std::uint64_t query) {
  return {.id = id, .busy = true, .query_id = query, .user = "u"};
}
BusyThread idle(std::uint64_t id) {
  return {.id = id, .user = "u"};
}
OpenTransaction open(std::uint64_t thread, std::uint64_t id, std::int64_t started = 100) {
  return {.thread = thread, .id = id, .started = started};
}
OpenWork work(std::vector<BusyThread> threads, std::vector<OpenTransaction> transactions) {
  return {
      .threads = std::move(threads), .transactions = std::move(transactions), .prepared_gids = {}};
}
Look look_at(std::uint64_t first, OpenWork work) {
  return {.fresh = true, .first = first, .last = first + 2, .work = std::move(work)};
}
TokenState taken(const Look& look) {
  return {.after = look.last, .pending = blockers_of(look.work)};
}
bool drained(const OpenWork& then, const OpenWork& now) {
  // Through the text, as a token travels.
  const std::string text = to_text(taken(look_at(10, then)), true);
  return still_open(token_state_from(text), look_at(20, now)).empty();
}

}  // namespace

TEST_CASE("idle sessions without a transaction block nothing", "[unit][mysql][drain]") {
  CHECK(blockers_of(work({idle(1), idle(2)}, {})).empty());
  CHECK(to_text(TokenState{}, false).empty());
  CHECK(token_state_from(to_text(TokenState{}, true)).kind == TokenState::Kind::drained);
}

TEST_CASE("a transaction blocks until it is listed no more and its session is done",
          "[unit][mysql][drain]") {
  const OpenWork then = work({idle(7)}, {open(7, 500)});
  CHECK_FALSE(drained(then, work({idle(7)}, {open(7, 500)})));
  CHECK(drained(then, work({idle(7)}, {})));
  CHECK(drained(then, work({}, {})));
  CHECK(drained(then, work({busy(7, 9)}, {open(7, 600)})));
}

TEST_CASE("a transaction that had no number may have got one since", "[unit][mysql][drain]") {
  const OpenWork then = work({idle(7)}, {open(7, 0)});
  CHECK_FALSE(drained(then, work({idle(7)}, {open(7, 600)})));
  CHECK_FALSE(drained(then, work({idle(7)}, {open(7, 0)})));
  // One that began at another time is another one.
  CHECK(drained(then, work({idle(7)}, {open(7, 600, 101)})));
  CHECK(drained(then, work({idle(7)}, {})));
}

TEST_CASE("a running statement blocks until the session sleeps, is gone or runs another",
          "[unit][mysql][drain]") {
  const OpenWork then = work({busy(7, 41)}, {});
  CHECK_FALSE(drained(then, work({busy(7, 41)}, {})));
  CHECK(drained(then, work({busy(7, 42)}, {})));
  CHECK(drained(then, work({idle(7)}, {})));
  CHECK(drained(then, work({}, {})));
  // It has opened a transaction since: which may be the statement's own.
  CHECK_FALSE(drained(then, work({busy(7, 42)}, {open(7, 600)})));
}

TEST_CASE("a query number that is not sure proves nothing", "[unit][mysql][drain]") {
  CHECK_FALSE(drained(work({busy(7, 0)}, {}), work({busy(7, 42)}, {})));
  CHECK_FALSE(drained(work({busy(7, 41)}, {}), work({busy(7, 0)}, {})));
  CHECK(drained(work({busy(7, 0)}, {}), work({idle(7)}, {})));
}

TEST_CASE("a prepared transaction blocks under its number", "[unit][mysql][drain]") {
  const OpenWork then = work({}, {open(0, 500)});
  CHECK_FALSE(drained(then, work({}, {open(0, 500)})));
  CHECK(drained(then, work({}, {})));
  CHECK(drained(then, work({}, {open(0, 900)})));
}

TEST_CASE("a session that ends may leave its transaction prepared", "[unit][mysql][drain]") {
  // With a number it is known by that.
  const OpenWork numbered = work({idle(7)}, {open(7, 500)});
  CHECK_FALSE(drained(numbered, work({}, {open(0, 500)})));
  CHECK(drained(numbered, work({}, {open(0, 900)})));
  // Without one, any prepared transaction that was not known before may be it.
  const OpenWork unnumbered = work({idle(7)}, {open(7, 0)});
  CHECK_FALSE(drained(unnumbered, work({}, {open(0, 900)})));
  CHECK_FALSE(drained(work({busy(7, 41)}, {}), work({}, {open(0, 900)})));
  // One that was there already is waited for on its own account.
  CHECK(
      still_open(blockers_of(work({idle(7)}, {open(7, 0), open(0, 900)})), work({}, {open(0, 900)}))
          .size() == 1);
  CHECK(drained(unnumbered, work({}, {})));
}

TEST_CASE("a token is judged by what began after its sample, and by nothing else",
          "[unit][mysql][drain]") {
  const TokenState token = taken(look_at(100, work({idle(7)}, {open(7, 500)})));
  const OpenWork nothing = work({idle(7)}, {});
  CHECK(still_open(token, look_at(103, nothing)).empty());
  // Its own sample, one that overlaps it, and one of before: of another daemon, say, that took the
  // token and whose job was taken over since.
  CHECK(still_open(token, look_at(100, nothing)).size() == 1);
  CHECK(still_open(token, look_at(102, nothing)).size() == 1);
  CHECK(still_open(token, look_at(50, nothing)).size() == 1);
}

TEST_CASE("a dead daemon's canary holds a token no longer than its session lives",
          "[unit][mysql][drain]") {
  // Its process was killed in the middle of a sample: the server has not noticed yet.
  const OpenWork then = work({busy(30, 7)}, {open(30, 0)});
  CHECK_FALSE(drained(then, work({busy(30, 8)}, {open(30, 0)})));
  CHECK(drained(then, work({}, {})));
}

TEST_CASE("a token sampled while the view was frozen says so", "[unit][mysql][drain]") {
  const TokenState late = token_state_from(
      to_text(TokenState{.kind = TokenState::Kind::unsampled, .after = 17}, false));
  CHECK(late.kind == TokenState::Kind::unsampled);
  CHECK(late.after == 17);
}

TEST_CASE("a token of another version is refused, not guessed at", "[unit][mysql][drain]") {
  for (const char* text : {"1.2.3.4", "7:1.2.3", "7:", "x", "7:1.2.3.4;", "7:1.2.3.4 ", "7:late"}) {
    CAPTURE(text);
    CHECK_THROWS_AS(token_state_from(text), Error);
  }
  CHECK(token_state_from("7:1.2.3.4,5.6.7.8").pending.size() == 2);
}

TEST_CASE("one server is known again across reconnects, but not across a restart",
          "[unit][mysql][drain]") {
  CHECK(same_server("mariadb:h:3306/1@1000", "mariadb:h:3306/1@1002"));
  CHECK_FALSE(same_server("mariadb:h:3306/1@1000", "mariadb:h:3306/1@1100"));
  CHECK_FALSE(same_server("mariadb:h:3306/1@1000", "mariadb:h:3307/1@1000"));
}
