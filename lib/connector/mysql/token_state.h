#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "connector/mysql/open_work.h"
#include "connector/mysql/server_view.h"

namespace tidemark::mysql {

/// What HorizonToken::state says. It goes into the checkpoint, so a daemon that was started since
/// judges the token by samples of its own: nothing in it belongs to a process. Plain value.
struct TokenState {
  enum class Kind {
    sampled,    ///< `pending` was open when the token was taken
    unsampled,  ///< the view was frozen then: who was open has still to be seen
    drained,    ///< nothing was open, and a replica has still to catch up
  };
  Kind kind = Kind::sampled;
  /// The server's number of a statement after the sample (Look::last): what begins behind it may
  /// judge the token. 0: the server gives no numbers.
  std::uint64_t after = 0;
  std::vector<Pending> pending = {};
};

/// "after:thread.query.transaction.started,…", "after:unsampled" or "drained"; "" for a token with
/// nothing to wait for, unless `must_say`.
std::string to_text(const TokenState& state, bool must_say);
/// Throws Error{position_lost} for a text that this version did not write.
TokenState token_state_from(const std::string& text);

/// Those of `state` that `look` does not show to have ended: all of them, where it does not show to
/// have begun later. With `after` 0 the caller knows that it did.
std::vector<Pending> still_open(const TokenState& state, const Look& look);

}  // namespace tidemark::mysql
