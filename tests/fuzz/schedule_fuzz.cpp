// Cron expressions and zones: what validates can be scheduled, and time only moves forward.
#include "fuzz.h"
#include "schedule/cron.h"

using namespace tidemark;
using fuzz::require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input(data, size);
  const std::string_view expression = input.line();
  const std::string_view zone = input.line();
  constexpr std::int64_t century = 100LL * 366 * 86'400;
  WallTime at{std::chrono::seconds(
      static_cast<std::int64_t>(input.number<std::uint64_t>() % std::uint64_t{century}))};
  const auto wrong = schedule::validate(expression, zone);
  try {
    const schedule::Cron cron(expression, zone);
    require(!wrong, "an expression that does not validate was taken");
    for (int tick = 0; tick < 4; ++tick) {
      const auto next = cron.next(at);
      if (!next) break;
      require(*next > at, "the next time is later");
      require(cron.next(*next - Duration(1)) == next, "the next time is the first");
      at = *next;
    }
  } catch (const Error& error) {
    require(error.kind() == FailureKind::schema,
            "a bad expression is a fault of the configuration");
    require(wrong == error.what(), "validate and the constructor say the same");
  }
  return 0;
}
