#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "connector/mysql/catalogue.h"
#include "connector/mysql/dialect.h"
#include "connector/mysql/sampler.h"
#include "connector/mysql/session.h"
#include "connector/mysql/token_state.h"
#include "connector/sql/cursor_cache.h"
#include "core/source.h"

namespace tidemark::mysql {

/// A read session on MariaDB or MySQL: streaming binary reads, catalogue evidence, the drain.
/// Transactions are read-only; the session is left out of every sample of its connector. On a
/// replica with a `primary`, clock, marks and open transactions are the primary's, and a token
/// settles when the replica has applied what the primary had written by then (docs/horizon.md).
class MysqlSource final : public Source {
 public:
  /// What a poll needs to know of the column that it follows.
  struct FollowedCursor {
    Type type;
    std::optional<TableName> table;  ///< that it is taken from
    std::string column;              ///< its name there
    bool automatic = false;          ///< AUTO_INCREMENT
  };
  using Cursors = sql::CursorCache<FollowedCursor>;

  /// `sampler` and `cursors` are the connector's own, for all its sessions. The sampler looks at
  /// this server or at its primary; `replica` says which.
  MysqlSource(const ConnectionSettings& settings, std::shared_ptr<Sampler> sampler,
              std::shared_ptr<Cursors> cursors, bool replica);
  ~MysqlSource() override;

  SourceDescription describe(const Relation& relation) override;
  std::string_view read_path() const noexcept override { return "unbuffered binary result"; }
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
  void cancel() noexcept override {
    session_.cancel();
    sampler_->cancel(caller_);
  }
  bool usable() const noexcept override { return session_.usable(); }

 private:
  /// Where a cursor comes from, as far as the catalogue tells.
  struct CursorOrigin {
    Type type;
    std::optional<CatalogueTable> table;
    std::string column;
    bool not_null = false;
    bool automatic = false;  ///< AUTO_INCREMENT
    std::vector<TableName> other_tables = {};
  };
  /// Columns whose texts may not all be Unicode, with their character sets; as `describe` saw them.
  const std::map<std::string, std::string>& odd_texts(const TableName& name);
  void resolve_labels(const Relation& relation, std::vector<ResultColumn>& columns);
  CursorOrigin find_origin(const Relation& relation, const CursorRef& cursor);
  FollowedCursor followed(const Relation& relation, const CursorRef& cursor);
  FollowedCursor keep(const Relation& relation, const CursorRef& cursor,
                      const CursorOrigin& origin);
  sql::Result ask(const std::string& statement);
  void mark_number(HorizonToken& token, const Relation& relation, const CursorRef& cursor,
                   const FollowedCursor& followed);
  Value clock_mark(const Type& type, WallTime clock);
  std::optional<TokenState> sampled_late(const HorizonToken& token, const Sample& sample);
  Settlement reached_by_replica(const HorizonToken& token);
  void inspect_server(CursorEvidence& evidence);
  void inspect_replication(CursorEvidence& evidence);
  void inspect_cluster(CursorEvidence& evidence);
  void inspect_column(CursorEvidence& evidence, const CursorOrigin& origin);
  void inspect_triggers(CursorEvidence& evidence, const CursorOrigin& origin);

  Session session_;
  MysqlDialect dialect_;
  std::shared_ptr<Sampler> sampler_;
  std::shared_ptr<Cursors> cursors_;
  Sampler::Caller caller_;
  bool replica_;
  std::map<std::string, std::map<std::string, std::string>> odd_texts_;  ///< by table
};

/// The server's clock as WallTime, from "SELECT UTC_TIMESTAMP(6)".
WallTime clock_of(sql::Session& session);

}  // namespace tidemark::mysql
