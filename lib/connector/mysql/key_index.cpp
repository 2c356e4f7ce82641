#include "connector/mysql/key_index.h"

#include <numeric>
#include <unordered_map>

#include "core/error.h"

namespace tidemark::mysql {
namespace {

void append_cell(std::string& key, const ColumnData& data, std::size_t row, bool padded) {
  const auto fixed = [&](const auto value) {
    key.append(reinterpret_cast<const char*>(&value), sizeof(value));
  };
  if (storage_of(data.type().kind) == Storage::variable) {
    std::string_view bytes = data.bytes_at(row);
    if (padded)
      while (bytes.ends_with(' '))
        bytes.remove_suffix(1);
    fixed(bytes.size());
    key += bytes;
    return;
  }
  switch (width_of(data.type().kind)) {
    case 1:
      return fixed(data.at<std::uint8_t>(row));
    case 2:
      return fixed(data.at<std::uint16_t>(row));
    case 4:
      return fixed(data.at<std::uint32_t>(row));
    case 8:
      return fixed(data.at<std::uint64_t>(row));
    default:
      return fixed(data.at<Uuid>(row));
  }
}

}  // namespace

bool pads_blanks(const WrittenColumn& column) {
  if (column.existing.kind == TypeKind::native) return false;
  const std::string& collation = column.collation;
  if (collation.empty() || collation == "binary") return false;
  return collation.find("nopad") == std::string::npos &&
         collation.find("0900") == std::string::npos;
}

bool compares_bytes(const Type& type, const std::string& collation) {
  if (type.kind == TypeKind::bytes) return !type.fixed;
  return collation.empty() || collation.ends_with("_bin") || type.kind == TypeKind::uuid ||
         type.kind == TypeKind::native;
}

std::vector<std::uint32_t> every_row(const Batch& batch) {
  std::vector<std::uint32_t> rows(batch.rows());
  std::iota(rows.begin(), rows.end(), 0U);
  return rows;
}

std::vector<std::uint32_t> last_of_each_key(const Batch& batch,
                                            const std::vector<WrittenColumn>& key) {
  std::vector<std::size_t> columns;
  for (const WrittenColumn& column : key)
    columns.push_back(find_column(batch.schema(), column.name));
  std::unordered_map<std::string, std::uint32_t> newest;
  newest.reserve(batch.rows());
  std::string bytes;
  std::string earlier;
  const auto exact = [&](std::string& into, std::size_t row) {
    into.clear();
    for (const std::size_t column : columns)
      append_cell(into, batch.column(column), row, false);
  };
  for (std::uint32_t row = 0; row < batch.rows(); ++row) {
    bytes.clear();
    for (std::size_t at = 0; at < columns.size(); ++at) {
      const ColumnData& data = batch.column(columns[at]);
      if (data.is_null(row))
        throw Error({.kind = FailureKind::constraint,
                     .message = "a key column is NULL",
                     .operation = "write",
                     .column = key[at].name,
                     .row = row});
      append_cell(bytes, data, row, pads_blanks(key[at]));
    }
    const auto [found, added] = newest.try_emplace(bytes, row);
    if (added) continue;
    exact(bytes, row);
    exact(earlier, found->second);
    if (bytes != earlier)
      throw Error({.kind = FailureKind::constraint,
                   .message = "two keys differ in trailing blanks only, which the target's "
                              "collation ignores",
                   .operation = "write",
                   .column = key.front().name,
                   .hint = "Give the target's key columns a NO PAD collation.",
                   .row = row});
    found->second = row;
  }
  if (newest.size() == batch.rows()) return every_row(batch);
  std::vector<bool> kept(batch.rows(), false);
  for (const auto& [unused, row] : newest)
    kept[row] = true;
  std::vector<std::uint32_t> rows;
  for (std::uint32_t row = 0; row < batch.rows(); ++row)
    if (kept[row]) rows.push_back(row);
  return rows;
}

}  // namespace tidemark::mysql
