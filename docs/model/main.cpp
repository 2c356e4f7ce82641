// Explores every model, and every mutant of it: the models must hold and the mutants must not.
//   model_explorer [--traces]   prints how each mutant goes wrong
#include <cstdio>
#include <string_view>

#include "explorer.h"

using namespace tidemark::model;

namespace {

void print_trace(const Result& result) {
  int number = 0;
  for (const std::string& line : result.trace)
    std::printf("      %2d  %s\n", number++, line.c_str());
  std::printf("          => %s\n", result.broken.c_str());
}

/// How many verdicts are not as they must be.
int check(const Checked& checked, bool traces) {
  int wrong = 0;
  const Result result = checked.run();
  std::printf("%-16s %9zu states  %-8s %s\n", checked.name, result.states,
              result.holds() ? "holds" : "BROKEN", checked.code);
  if (!result.holds()) {
    ++wrong;
    print_trace(result);
  }
  for (const Mutant& mutant : checked.mutants) {
    const Result refuted = mutant.run();
    if (refuted.holds()) ++wrong;
    std::printf("  %-42s %9zu states  %s", mutant.name, refuted.states,
                refuted.holds() ? "NOT REFUTED\n" : "refuted in ");
    if (refuted.holds()) continue;
    std::printf("%zu steps\n", refuted.trace.size() - 1);
    if (traces) print_trace(refuted);
  }
  return wrong;
}

}  // namespace

int main(int count, char** words) {
  const bool traces = count > 1 && std::string_view(words[1]) == "--traces";
  int wrong = 0;
  for (const Checked& checked :
       {drain_model(), times_model(), numbers_model(), xids_model(), handover_model(),
        append_handover_model(), fence_model(), range_fence_model()})
    wrong += check(checked, traces);
  std::printf(wrong == 0 ? "every model holds, every mutant is refuted\n"
                         : "%d verdicts are not as they must be\n",
              wrong);
  return wrong == 0 ? 0 : 1;
}
