#pragma once

#include <libpq-fe.h>

#include <optional>
#include <string>
#include <string_view>

#include "core/error.h"

namespace tidemark::postgres {

/// SQLSTATE of a row whose unique key another row has.
inline constexpr std::string_view unique_violation = "23505";

/// SQLSTATE to kind: the code itself, then its class, else `internal`. Any thread.
FailureKind kind_of(std::string_view sqlstate) noexcept;
/// What a kind of a code means, in our words: messages never come from the server, whose text may
/// quote data.
std::string describe_state(std::string_view sqlstate);

/// What is known about a failed statement beside the server's answer.
struct FailureContext {
  bool connection_lost = false;
  /// The relation that a COPY wrote to, as it stands in the server's CONTEXT line; "" for none.
  std::string copied_relation = {};
  /// Shown in place of the relation the server names: staging tables are ours, not the user's.
  std::string table = {};
};

/// The Error for a failed result. Column, constraint and table names come from the diagnostics
/// fields, the row from the line number of a COPY.
Error error_from(const PGresult* result, const FailureContext& context);
/// The Error for a connection that could not be made. `text` is libpq's, with verbose errors on, so
/// that it holds the SQLSTATE.
Error connect_error(std::string_view text, bool needs_password);
Error lost_connection(std::string driver_text);

/// The row (from 0) of a COPY's CONTEXT, whatever language it is in: the first number behind the
/// relation's name. nullopt when there is none.
std::optional<std::size_t> row_of_context(std::string_view context, std::string_view relation);

}  // namespace tidemark::postgres
