#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "daemon/http/router.h"

namespace tidemark::http {

/// Makes a call that changes something safe to repeat: one that carries an Idempotency-Key which
/// was seen before is not carried out again, its first answer is given once more. The newest 256
/// answers are remembered for as long as the process lives; server errors (5xx) are not, so that
/// asking again can help. Loop thread.
class Idempotency {
 public:
  /// Calls `handler` for a call without key or with a new one. A key that came with another call is
  /// a 422, one that can't be a key a 400.
  void handle(const Request& request, Respond respond, const Handler& handler);

 private:
  struct Call {
    std::string key;
    std::string meaning;  ///< path and body, to tell another call with the same key
    std::optional<Response> answer = {};
    std::vector<Respond> waiting = {};
  };
  void answered(const std::shared_ptr<Call>& call, Response response);

  // Shared with handlers that answer after the call was forgotten.
  std::deque<std::shared_ptr<Call>> calls_;
};

}  // namespace tidemark::http
