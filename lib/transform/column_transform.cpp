#include "transform/column_transform.h"

#include "core/error.h"

namespace tidemark {

void ColumnTransform::refuse(const std::string& why, const std::string& hint) const {
  throw Error({.kind = FailureKind::schema,
               .message = std::string(name()) + ": " + why,
               .operation = "transform",
               .column = column_,
               .hint = hint});
}

Schema ColumnTransform::output(const Schema& input) const {
  Schema schema = input;
  const std::size_t at = find_column(schema, column_);
  if (at == npos)
    refuse("there is no column of this name", "Check the names under `columns` of the job.");
  schema[at] = change(schema[at]);
  return schema;
}

void ColumnTransform::apply(Batch& batch) const {
  const std::size_t at = find_column(batch.schema(), column_);
  if (at == npos)
    refuse("the batch has no column of this name", "Check the names under `columns` of the job.");
  const Column changed = change(batch.schema()[at]);
  std::optional<ColumnData> converted;
  try {
    converted = convert(batch.column(at), changed.type);
  } catch (const Error& error) {
    Error::Fields fields = error.fields();
    fields.column = column_;
    if (fields.operation.empty()) fields.operation = "transform";
    throw Error(std::move(fields));
  }
  if (!converted && changed.type == batch.schema()[at].type &&
      changed.nullable == batch.schema()[at].nullable)
    return;
  auto schema = std::make_shared<Schema>(batch.schema());
  (*schema)[at] = changed;
  std::vector<ColumnData> columns = std::move(batch).take_columns();
  if (converted) columns[at] = std::move(*converted);
  // NOLINTNEXTLINE(bugprone-use-after-move): it has its columns again from here on
  batch.replace(std::move(schema), std::move(columns));
}

}  // namespace tidemark
