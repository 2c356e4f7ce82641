#include <algorithm>
#include <utility>

#include "config/build.h"
#include "config/config.h"
#include "config/merge.h"
#include "config/reader.h"
#include "config/sources.h"

namespace tidemark::config {
namespace {

/// Every job as if it had said itself what `defaults` says.
void merge_defaults(Node& root) {
  const Entry* defaults = root.find("defaults");
  Entry* jobs = root.find("jobs");
  if (defaults == nullptr || jobs == nullptr || defaults->value.kind != Node::Kind::map) return;
  const OptionNode& job = option_tree().child("jobs")->children.front();
  for (Entry& entry : jobs->value.entries) {
    if (entry.value.kind == Node::Kind::null)
      entry.value = {.kind = Node::Kind::map, .place = entry.place};
    entry.value = merge(job, defaults->value, entry.value);
  }
}

/// A batch stands in a client library's buffers besides: with little memory it is smaller
/// (docs/performance.md).
void fill_batch_bytes(Item& bytes, Bytes memory) {
  if (bytes.state != Item::State::absent) return;
  bytes.fill(format_size(std::min<Bytes>(default_batch_bytes, memory / 16)));
}

Settings build(Item& root, const Building& building) {
  Settings settings;
  settings.daemon = build_daemon(root["daemon"], building);
  // One that is no map at all has been reported; what it lacks need not be said as well.
  Report muted;
  const Building silent{.options = building.options, .report = muted};
  const auto building_for = [&](const Item& item) { return item.usable() ? building : silent; };
  for (Item& item : root["connections"].children)
    settings.connections.emplace(ConnectionName(item.name),
                                 build_connection(item, building_for(item)));
  for (Item& item : root["jobs"].children) {
    fill_batch_bytes(item["batch"]["bytes"], settings.daemon.memory);
    settings.jobs.emplace(JobName(item.name), build_job(item, building_for(item)));
  }
  check_together(settings, root, building);
  return settings;
}

}  // namespace

bool Building::check_zone(const Item& item) const {
  if (!item.usable()) return !item.given();
  if (!item.given() || !options.check_zone) return true;
  const auto wrong = options.check_zone(item.text);
  if (wrong) error(item, *wrong);
  return !wrong;
}

bool is_name(std::string_view text) noexcept {
  const auto first = [](char letter) {
    return (letter >= 'a' && letter <= 'z') || (letter >= '0' && letter <= '9');
  };
  return !text.empty() && text.size() <= 64 && first(text.front()) &&
         std::all_of(text.begin(), text.end(), [&](char letter) {
           return first(letter) || letter == '_' || letter == '.' || letter == '-';
         });
}

bool matches_glob(std::string_view pattern, std::string_view text) noexcept {
  std::size_t at = 0;
  std::size_t letter = 0;
  std::size_t star = std::string_view::npos;
  std::size_t retry = 0;
  while (letter < text.size()) {
    if (at < pattern.size() && pattern[at] == '*') {
      star = at++;
      retry = letter;
    } else if (at < pattern.size() && (pattern[at] == '?' || pattern[at] == text[letter])) {
      ++at;
      ++letter;
    } else if (star != std::string_view::npos) {
      at = star + 1;
      letter = ++retry;
    } else {
      return false;
    }
  }
  while (at < pattern.size() && pattern[at] == '*')
    ++at;
  return at == pattern.size();
}

bool keeps_column(const JobSettings& job, std::string_view column) {
  const auto named = [&](const std::vector<std::string>& patterns) {
    return std::any_of(patterns.begin(), patterns.end(),
                       [&](const std::string& pattern) { return matches_glob(pattern, column); });
  };
  return (job.include.empty() || named(job.include)) && !named(job.exclude);
}

LoadResult load(const std::string& path, const LoadOptions& options) {
  LoadResult result;
  Report report;
  Reader reader(options, report);
  Sources sources = read_sources(path, reader, report);
  result.fingerprint = sources.fingerprint;
  if (sources.root) {
    merge_defaults(*sources.root);
    Item root = reader.root(*sources.root);
    result.settings = build(root, Building{.options = options, .report = report});
    // What they say has become part of the jobs, or is a list of files.
    std::erase_if(root.children, [](const Item& item) {
      return item.name == "defaults" || item.name == "include";
    });
    result.effective = effective_of(root, report);
  }
  result.files = report.files();
  result.errors = report.take_errors();
  result.warnings = report.take_warnings();
  return result;
}

}  // namespace tidemark::config
