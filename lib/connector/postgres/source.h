#pragma once

#include <memory>
#include <mutex>
#include <optional>

#include "connector/postgres/connection.h"
#include "connector/postgres/cursor_evidence.h"
#include "connector/postgres/horizon.h"
#include "connector/postgres/shared.h"
#include "connector/postgres/snapshot_proof.h"
#include "core/connector.h"
#include "core/source.h"

namespace tidemark::postgres {

/// A read session on PostgreSQL. Reads stream binary COPY on the session itself; while one runs,
/// other questions go through a second session that is opened when it is first needed. For a
/// standby with `primary`, open transactions are asked for on a session there.
class PostgresSource final : public Source {
 public:
  PostgresSource(const ConnectionSettings& settings,
                 const std::optional<ConnectionSettings>& primary, std::shared_ptr<Shared> shared);
  ~PostgresSource() override;

  SourceDescription describe(const Relation& relation) override;
  std::string_view read_path() const noexcept override { return "binary COPY"; }
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
  void cancel() noexcept override;
  bool usable() const noexcept override;

 private:
  Connection& idle();
  Connection& open(std::shared_ptr<Connection>& session, const ConnectionSettings& settings);
  /// The session where open transactions are asked for: the primary's, for a standby.
  Connection& watched(bool& replica);

  FollowedCursor followed(const Relation& relation, const CursorRef& cursor);
  FollowedCursor keep(const Relation& relation, const CursorRef& cursor,
                      const CursorOrigin& origin);

  ConnectionSettings settings_;
  std::optional<ConnectionSettings> primary_;
  std::shared_ptr<Shared> shared_;
  std::optional<SeenXid> seen_xid_;  ///< of the newest sample
  bool streaming_ = false;
  mutable std::mutex mutex_;  ///< the pointers below, for cancel
  std::shared_ptr<Connection> main_;
  std::shared_ptr<Connection> side_;
  std::shared_ptr<Connection> at_primary_;
};

}  // namespace tidemark::postgres
