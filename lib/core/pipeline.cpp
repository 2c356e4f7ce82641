#include "core/pipeline.h"

namespace tidemark {

Pipeline::Pipeline(Schema input, Schema output, std::vector<std::unique_ptr<const Transform>> steps,
                   std::vector<ColumnOrigin> origins)
    : input_(std::make_shared<const Schema>(std::move(input))),
      output_(steps.empty() ? input_ : std::make_shared<const Schema>(std::move(output))),
      steps_(std::move(steps)),
      origins_(std::move(origins)) {}

void Pipeline::apply(Batch& batch) const {
  for (const auto& step : steps_)
    step->apply(batch);
}

}  // namespace tidemark
