#pragma once

#include "connector/memory/access.h"
#include "core/source.h"

namespace tidemark::memory {

/// Reads a memory database. Worker thread; see Source.
class MemorySource final : public Source {
 public:
  MemorySource(std::shared_ptr<Database> database, const std::string& user)
      : access_(std::move(database), user) {}

  SourceDescription describe(const Relation& relation) override;
  std::string_view read_path() const noexcept override { return "memory"; }
  CursorEvidence inspect(const Relation& relation, const CursorRef& cursor) override;
  HorizonToken horizon(const Relation& relation, const CursorRef& cursor, ProofKind proof) override;
  Settlement settled(const HorizonToken& token) override;
  std::optional<std::uint64_t> estimated_rows(const Relation& relation) override;
  std::vector<KeyRange> split(const Relation& relation, const std::vector<KeyPart>& key,
                              std::size_t parts) override;
  std::unique_ptr<BatchReader> read(const ReadPlan& plan) override;
  WallTime now() override;
  std::string identity() override;
  void cancel() noexcept override { access_.cancel(); }
  bool usable() const noexcept override { return access_.usable(); }

 private:
  Access access_;
};

}  // namespace tidemark::memory
