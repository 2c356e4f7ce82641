#include "transform/select.h"

#include "core/error.h"

namespace tidemark {

Schema Select::output(const Schema& input) const {
  Schema schema;
  for (const Pick& pick : picks_) {
    const std::size_t at = find_column(input, pick.from);
    if (at == npos)
      throw Error({.kind = FailureKind::schema,
                   .message = "the source gives no column of this name",
                   .operation = "select",
                   .column = pick.from,
                   .hint = "Check `from`, `include` and the column names of the job."});
    schema.push_back(input[at]);
    schema.back().name = pick.name;
  }
  return schema;
}

void Select::apply(Batch& batch) const {
  const Schema& input = batch.schema();
  std::vector<std::size_t> last_use(input.size(), npos);
  std::vector<std::size_t> from(picks_.size());
  auto schema = std::make_shared<Schema>(output(input));
  for (std::size_t index = 0; index < picks_.size(); ++index) {
    from[index] = find_column(input, picks_[index].from);
    last_use[from[index]] = index;
  }
  std::vector<ColumnData> columns = std::move(batch).take_columns();
  std::vector<ColumnData> picked;
  picked.reserve(picks_.size());
  for (std::size_t index = 0; index < picks_.size(); ++index) {
    if (last_use[from[index]] == index)
      picked.push_back(std::move(columns[from[index]]));
    else
      picked.push_back(columns[from[index]]);
  }
  // NOLINTNEXTLINE(bugprone-use-after-move): it has its columns again from here on
  batch.replace(std::move(schema), std::move(picked));
}

}  // namespace tidemark
