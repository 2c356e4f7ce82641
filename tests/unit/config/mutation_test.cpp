#include <algorithm>
#include <catch2/catch.hpp>
#include <iterator>
#include <random>

#include "unit/config/loading.h"

namespace tidemark::config::test {

TEST_CASE("a damaged file is read or refused, always with places inside it", "[unit][config]") {
  const Loader loader;
  std::mt19937 random(20261121);  // a fixed seed: the same damage each time
  const std::string pieces[] = {"\t", "\n", "  ", ": ", "- ", "{", "}",    "[",    "]", "\"", "'",
                                "#",  "&a", "*a", "<<", "!",  "|", "\xC3", "\xFF", "~", "0",  ","};
  const std::string start = file_with_job(
      {.extra = "columns: {name: {trim: both, default: \"\"}}\nretry: {max: 1m}\nkey: [id]\n"
                "labels: {team: \"wms\"}\nfreshness: {warn: 5m, error: 30m}\n",
       .top = "daemon: {listen: none, api_token: {env: TOKEN, default: abcdefghijklmnop}}\n"});
  for (int round = 0; round < 400; ++round) {
    std::string text = start;
    const auto damages = 1 + random() % 3;
    for (unsigned damage = 0; damage < damages; ++damage) {
      const std::size_t at = random() % text.size();
      if (random() % 2 == 0)
        text.insert(at, pieces[random() % std::size(pieces)]);
      else
        text.erase(at, 1 + random() % 12);
    }
    CAPTURE(round, text);
    const LoadResult result = loader.load(text);
    const auto lines = static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')) + 2;
    for (const Problem& problem : result.errors) {
      if (problem.line > lines || problem.message.empty()) FAIL(to_string(problem));
    }
    if (result.ok() && explain(result.effective).empty()) FAIL("nothing in force");
  }
}

}  // namespace tidemark::config::test
