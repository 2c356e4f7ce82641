#pragma once

#include <memory>
#include <string>

#include "connector/sqlite/connection.h"
#include "core/source.h"

namespace tidemark::sqlite {

/// Reads an SQLite file. Proof A5: one writer at a time, so what is visible below the highest
/// cursor is complete, given that SQLite itself assigns it. Worker thread.
class SqliteSource final : public Source {
 public:
  /// `may_lock`: the login may write, so the horizon may take the write lock for a moment and see
  /// that nobody else holds it.
  SqliteSource(std::unique_ptr<Connection> connection, bool may_lock);

  SourceDescription describe(const Relation& relation) override;
  std::string_view read_path() const noexcept override { return "stepped statement"; }
  bool can_read_as(const Column& column, const Type& type) const override;
  CursorEvidence inspect(const Relation& relation, const CursorRef& cursor) override;
  HorizonToken horizon(const Relation& relation, const CursorRef& cursor, ProofKind proof) override;
  Settlement settled(const HorizonToken& token) override;
  std::optional<std::uint64_t> estimated_rows(const Relation& relation) override;
  std::vector<KeyRange> split(const Relation& relation, const std::vector<KeyPart>& key,
                              std::size_t parts) override;
  std::unique_ptr<BatchReader> read(const ReadPlan& plan) override;
  WallTime now() override;
  std::string identity() override;
  void cancel() noexcept override { connection_->cancel(); }
  bool usable() const noexcept override { return true; }

 private:
  Value highest(const Relation& relation, const CursorRef& cursor, const Type& type,
                const std::optional<Value>& limit);
  Value time_mark(const Relation& relation, const CursorRef& cursor, const Type& type,
                  ProofKind proof);
  std::optional<std::int64_t> complete_until();

  std::unique_ptr<Connection> connection_;
  bool may_lock_;
  std::optional<std::int64_t> complete_until_ = {};  ///< found at …
  std::string complete_version_;                     ///< … this state of the file
};

/// Which file this is: its path, device and inode. Another file put in its place has another one.
std::string file_identity(const std::string& path);

}  // namespace tidemark::sqlite
