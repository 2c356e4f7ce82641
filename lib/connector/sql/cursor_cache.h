#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "core/source.h"

namespace tidemark::sql {

/// What polls need to know of the columns that they follow, asked of the catalogue once for all
/// sessions of a connection: which of them serves a job changes from poll to poll. Who plans anew
/// calls `forget` first, and what has changed without that fails in the statement that reads it.
/// Bounded, and forgets all at once: then it is asked again. Any thread.
template <class Known>
class CursorCache {
 public:
  std::optional<Known> recall(const Relation& relation, const CursorRef& cursor) const {
    const std::scoped_lock lock(mutex_);
    const auto columns = relations_.find(text_of(relation));
    if (columns == relations_.end()) return std::nullopt;
    const auto known = columns->second.find(text_of(cursor));
    return known == columns->second.end() ? std::nullopt : std::optional(known->second);
  }
  void keep(const Relation& relation, const CursorRef& cursor, Known known) {
    const std::scoped_lock lock(mutex_);
    if (relations_.size() >= most_relations) relations_.clear();
    relations_[text_of(relation)].insert_or_assign(text_of(cursor), std::move(known));
  }
  void forget(const Relation& relation) {
    const std::scoped_lock lock(mutex_);
    relations_.erase(text_of(relation));
  }

 private:
  static std::string text_of(const Relation& relation) {
    return relation.table ? relation.table->display() : relation.query;
  }
  static std::string text_of(const CursorRef& cursor) {
    return cursor.column + "\n" + cursor.expression;
  }

  /// More than any daemon has jobs.
  static constexpr std::size_t most_relations = 16384;
  mutable std::mutex mutex_;
  std::map<std::string, std::map<std::string, Known>> relations_;
};

}  // namespace tidemark::sql
