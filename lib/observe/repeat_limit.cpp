#include "observe/repeat_limit.h"

#include <algorithm>

namespace tidemark::observe {
namespace {

/// Different lines kept apart at a time; beyond it lines pass uncounted, which loses nothing.
constexpr std::size_t most_windows = 512;

}  // namespace

std::string RepeatLimit::key_of(const LogRecord& record) {
  std::string key = std::to_string(static_cast<int>(record.level)) + record.text;
  for (const LogField& field : record.fields) {
    if (field.key == "run_id") continue;
    key += '\0';
    key += field.key;
    key += '=';
    if (const auto* text = std::get_if<std::string>(&field.value))
      key += *text;
    else if (const auto* number = std::get_if<std::int64_t>(&field.value))
      key += std::to_string(*number);
    else
      key += std::to_string(std::get<double>(field.value));
  }
  return key;
}

bool RepeatLimit::allows(const LogRecord& record, SteadyTime now) {
  if (burst_ == 0) return true;
  std::string key = key_of(record);
  const auto found = windows_.find(key);
  if (found != windows_.end()) return ++found->second.seen <= burst_;
  if (windows_.size() < most_windows) {
    windows_.emplace(std::move(key), Window{.began = now, .first = record, .seen = 1});
    next_end_ = std::min(next_end_, now + window_);
  }
  return true;
}

RepeatLimit::Windows::iterator RepeatLimit::close(Windows::iterator at,
                                                  std::vector<Dropped>& dropped) {
  Window& window = at->second;
  if (window.seen > burst_)
    dropped.push_back({.first = std::move(window.first), .count = window.seen - burst_});
  return windows_.erase(at);
}

std::vector<RepeatLimit::Dropped> RepeatLimit::ended(SteadyTime now) {
  std::vector<Dropped> dropped;
  if (now < next_end_) return dropped;
  next_end_ = SteadyTime::max();
  for (auto at = windows_.begin(); at != windows_.end();) {
    if (at->second.began + window_ <= now) {
      at = close(at, dropped);
    } else {
      next_end_ = std::min(next_end_, at->second.began + window_);
      ++at;
    }
  }
  return dropped;
}

std::vector<RepeatLimit::Dropped> RepeatLimit::all() {
  std::vector<Dropped> dropped;
  for (auto at = windows_.begin(); at != windows_.end();)
    at = close(at, dropped);
  next_end_ = SteadyTime::max();
  return dropped;
}

}  // namespace tidemark::observe
