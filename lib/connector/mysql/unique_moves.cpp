#include "connector/mysql/unique_moves.h"

#include <algorithm>

#include "connector/mysql/key_condition.h"
#include "connector/mysql/references_off.h"
#include "core/value.h"

namespace tidemark::mysql {
namespace {

constexpr const char* parked_name = "tidemark_parked";

}  // namespace

UniqueMoves::UniqueMoves(Session& session, const MysqlDialect& dialect, const CatalogueTable& table,
                         const std::vector<WrittenColumn>& columns,
                         const std::vector<WrittenColumn>& key)
    : session_(session),
      dialect_(dialect),
      table_(dialect.table(table.name)),
      parked_(dialect.table({table.name.schema, parked_name})),
      own_(names_of(columns)),
      key_(names_of(key)),
      key_columns_(key) {
  for (const CatalogueColumn& column : table.columns)
    if (!column.generated) all_.push_back(column.name);
  if (key_.empty()) return;
  for (const UniqueIndex& index : table.unique_indexes) {
    const bool is_key =
        std::is_permutation(index.columns.begin(), index.columns.end(), key_.begin(), key_.end());
    if (index.plain && !is_key &&
        std::all_of(index.columns.begin(), index.columns.end(),
                    [this](const std::string& column) { return written(column); }))
      indexes_.push_back(index.columns);
  }
}

bool UniqueMoves::written(const std::string& column) const {
  return std::find(own_.begin(), own_.end(), column) != own_.end();
}

std::string UniqueMoves::list(const std::vector<std::string>& columns,
                              const std::string& qualifier) const {
  std::string text;
  for (const std::string& column : columns)
    text += (text.empty() ? "" : ", ") + qualifier + dialect_.quote(column);
  return text;
}

void UniqueMoves::make_temporary() {
  if (made_ || !possible()) return;
  session_.execute("DROP TEMPORARY TABLE IF EXISTS " + parked_);
  session_.execute("CREATE TEMPORARY TABLE " + parked_ + " (PRIMARY KEY (" + list(key_, "") +
                   ")) ENGINE=InnoDB AS SELECT " + list(all_, "") + " FROM " + table_ + " LIMIT 0");
  made_ = true;
}

std::uint64_t UniqueMoves::take_out(const std::string& staged) {
  if (!possible()) return 0;
  session_.execute("DELETE FROM " + parked_);
  const std::string first = dialect_.quote(key_.front());
  std::uint64_t met = 0;
  for (const auto& index : indexes_)
    met += session_
               .change("INSERT INTO " + parked_ + " (" + list(all_, "") + ") SELECT " +
                       list(all_, "t.") + " FROM " + table_ + " AS t JOIN " + staged + " AS s ON " +
                       same(dialect_, index, "t", "s") + " WHERE NOT (" +
                       same(dialect_, key_, "t", "s") + ") ON DUPLICATE KEY UPDATE " + parked_ +
                       "." + first + " = VALUES(" + first + ")")
               .affected;
  if (met == 0) return 0;
  session_.execute("DELETE p FROM " + parked_ + " AS p LEFT JOIN " + staged + " AS s ON " +
                   same(dialect_, key_, "p", "s") + " WHERE s." + first + " IS NULL");
  // What others refer to comes back before the transaction ends.
  const ReferencesOff off(session_);
  return session_
      .change("DELETE t FROM " + table_ + " AS t JOIN " + parked_ + " AS p ON " +
              same(dialect_, key_, "t", "p"))
      .affected;
}

void UniqueMoves::put_back(const std::string& staged) {
  std::string values;
  for (const std::string& column : all_)
    values += (values.empty() ? "" : ", ") + std::string(written(column) ? "s." : "p.") +
              dialect_.quote(column);
  session_.execute("INSERT INTO " + table_ + " (" + list(all_, "") + ") SELECT " + values +
                   " FROM " + parked_ + " AS p JOIN " + staged + " AS s ON " +
                   same(dialect_, key_, "p", "s"));
}

bool UniqueMoves::any_collides(const std::string& staged, const Batch& batch,
                               std::span<const std::uint32_t> rows) {
  const std::string condition = any_of(dialect_, key_columns_, batch, rows);
  return std::any_of(indexes_.begin(), indexes_.end(), [&](const auto& index) {
    return !session_
                .execute("SELECT 1 FROM " + staged + " AS s JOIN " + table_ + " AS t ON " +
                         same(dialect_, index, "t", "s") + " WHERE NOT (" +
                         same(dialect_, key_, "t", "s") + ") AND (" + condition + ") LIMIT 1")
                .rows.empty();
  });
}

std::optional<std::uint32_t> UniqueMoves::first_collision(const std::string& staged,
                                                          const Batch& batch,
                                                          std::span<const std::uint32_t> rows) {
  if (!possible() || rows.empty()) return std::nullopt;
  // What the batch writes itself is out of the way, so whoever is met now is met for good.
  take_out(staged);
  const auto any = [&](std::span<const std::uint32_t> some) {
    return any_collides(staged, batch, some);
  };
  if (!any(rows)) return std::nullopt;
  return first_of(rows, any);
}

}  // namespace tidemark::mysql
