#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/settings.h"
#include "core/transform.h"
#include "core/zones.h"

namespace tidemark {

/// How one output column came to be: for `check` and `plan`.
struct ColumnOrigin {
  std::string column;
  std::string source_column;
  std::vector<std::string> steps = {};  ///< "trim both", "map 3 values", "type varchar(32)"
};

/// A job's transforms in order: choose and rename columns, then trim, map, default, timezone, type.
/// Pure; worker thread, several at a time. A pipeline that changes nothing costs nothing.
class Pipeline {
 public:
  Pipeline(Schema input, Schema output, std::vector<std::unique_ptr<const Transform>> steps,
           std::vector<ColumnOrigin> origins);

  const std::shared_ptr<const Schema>& input() const noexcept { return input_; }
  const std::shared_ptr<const Schema>& output() const noexcept { return output_; }
  const std::vector<ColumnOrigin>& origins() const noexcept { return origins_; }
  bool identity() const noexcept { return steps_.empty(); }
  /// Throws Error{conversion} with column and row; the batch is of no use afterwards.
  void apply(Batch& batch) const;

 private:
  std::shared_ptr<const Schema> input_;
  std::shared_ptr<const Schema> output_;
  std::vector<std::unique_ptr<const Transform>> steps_;
  std::vector<ColumnOrigin> origins_;
};

struct PipelineContext {
  const Zones& zones;
  std::string source_type = {};  ///< connector's name, for the keys of `types`
  std::string source_timezone = "UTC";
  std::string target_timezone = "UTC";
  /// Columns of a target table that exists: local time is put into a zone, or taken out of it,
  /// where the two sides differ in that and no rule says otherwise.
  Schema target = {};
};

/// A job's pipeline. Declared here and made in lib/transform, so that the engine knows no
/// transform. `input` is what will be read. `wanted` names the input columns that the target shall
/// get, in order; the others (a cursor that was excluded) are dropped. Adds to `problems` whatever
/// can't work and leaves that step out.
std::unique_ptr<Pipeline> make_pipeline(const JobSettings& job, const Schema& input,
                                        const std::vector<std::string>& wanted,
                                        const PipelineContext& context,
                                        std::vector<std::string>& problems);

}  // namespace tidemark
