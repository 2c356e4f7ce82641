#include "observe/series.h"

namespace tidemark::observe {

std::string_view to_string(ReloadFinished::Result result) noexcept {
  switch (result) {
    case ReloadFinished::Result::applied:
      return "applied";
    case ReloadFinished::Result::unchanged:
      return "unchanged";
    case ReloadFinished::Result::rejected:
      return "rejected";
  }
  return "rejected";
}

std::string_view to_string(Rejection reason) noexcept {
  return reason == Rejection::constraint ? "constraint" : "conversion";
}

std::string_view to_string(Conflict resolution) noexcept {
  return resolution == Conflict::repeated ? "repeated" : "yielded";
}

}  // namespace tidemark::observe
