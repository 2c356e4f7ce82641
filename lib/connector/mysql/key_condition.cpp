#include "connector/mysql/key_condition.h"

namespace tidemark::mysql {

std::vector<std::string> names_of(const std::vector<WrittenColumn>& columns) {
  std::vector<std::string> names;
  for (const WrittenColumn& column : columns)
    names.push_back(column.name);
  return names;
}

std::string same(const MysqlDialect& dialect, const std::vector<std::string>& columns,
                 std::string_view left, std::string_view right) {
  std::string condition;
  for (const std::string& column : columns) {
    const std::string name = "." + dialect.quote(column);
    if (!condition.empty()) condition += " AND ";
    condition.append(left).append(name).append(" = ").append(right).append(name);
  }
  return condition;
}

std::string any_of(const MysqlDialect& dialect, const std::vector<WrittenColumn>& key,
                   const Batch& batch, std::span<const std::uint32_t> rows) {
  std::string condition;
  for (const std::uint32_t row : rows) {
    condition += condition.empty() ? "(" : " OR (";
    for (std::size_t at = 0; at < key.size(); ++at) {
      const ColumnData& data = batch.column(find_column(batch.schema(), key[at].name));
      condition += (at == 0 ? "s." : " AND s.") + dialect.quote(key[at].name) + " = " +
                   cell_literal(key[at], data, row, dialect);
    }
    condition += ")";
  }
  return condition;
}

std::uint32_t first_of(std::span<const std::uint32_t> rows,
                       const std::function<bool(std::span<const std::uint32_t>)>& any) {
  while (rows.size() > 1) {
    const auto half = rows.first(rows.size() / 2);
    rows = any(half) ? half : rows.subspan(half.size());
  }
  return rows.front();
}

}  // namespace tidemark::mysql
