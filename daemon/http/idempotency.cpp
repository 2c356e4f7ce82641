#include "daemon/http/idempotency.h"

#include <algorithm>
#include <utility>

namespace tidemark::http {
namespace {

constexpr std::size_t most_calls = 256;
constexpr std::size_t longest_key = 128;

bool can_be_key(const std::string& text) {
  return text.size() <= longest_key && std::all_of(text.begin(), text.end(), [](char letter) {
           return letter > ' ' && letter < 127;
         });
}

}  // namespace

void Idempotency::handle(const Request& request, Respond respond, const Handler& handler) {
  const std::string& key = request.header("idempotency-key");
  if (key.empty()) return handler(request, std::move(respond));
  if (!can_be_key(key))
    return respond(problem(400, "bad Idempotency-Key", "up to 128 printable letters, no blanks"));
  const std::string meaning =
      request.path + ' ' + std::to_string(std::hash<std::string>{}(request.body));
  const auto known = std::find_if(calls_.begin(), calls_.end(),
                                  [&](const auto& call) { return call->key == key; });
  if (known != calls_.end()) {
    Call& call = **known;
    if (call.meaning != meaning)
      return respond(problem(422, "Idempotency-Key used before",
                             "it came with another call: a new call needs a new key"));
    if (call.answer) return respond(*call.answer);
    call.waiting.push_back(std::move(respond));
    return;
  }
  const auto call = std::make_shared<Call>(Call{.key = key, .meaning = meaning});
  call->waiting.push_back(std::move(respond));
  calls_.push_back(call);
  if (calls_.size() > most_calls) calls_.pop_front();
  handler(request, [this, call](Response response) { answered(call, std::move(response)); });
}

void Idempotency::answered(const std::shared_ptr<Call>& call, Response response) {
  if (response.status >= 500) std::erase(calls_, call);
  call->answer = response;
  for (const Respond& respond : std::exchange(call->waiting, {}))
    respond(response);
}

}  // namespace tidemark::http
