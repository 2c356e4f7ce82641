#include "daemon/reload.h"

#include <fmt/format.h>
#include <malloc.h>

#include <memory>
#include <utility>

#include "daemon/config_file.h"

namespace tidemark {
namespace {

std::string summary(const ReloadFinished& result) {
  switch (result.result) {
    case ReloadFinished::Result::rejected:
      return fmt::format("reload refused: {} problem(s) in the configuration",
                         result.errors.size());
    case ReloadFinished::Result::unchanged:
      return "reloaded: nothing changed";
    case ReloadFinished::Result::applied:
      break;
  }
  return fmt::format("reloaded: {} added, {} removed, {} changed", result.added.size(),
                     result.removed.size(), result.changed.size());
}

}  // namespace

void Reloader::request(Done done) {
  waiting_.push_back(std::move(done));
  if (!running_) start();
}

void Reloader::start() {
  running_ = true;
  serving_ = std::exchange(waiting_, {});
  ports_.notifier.reloading();
  ports_.workers.submit([this] {
    auto loaded = std::make_shared<config::LoadResult>(load_config(ports_.path));
    auto history = std::make_shared<History>();
    try {
      *history = ports_.history();
    } catch (const Error&) {
      // The store counts and reports it; a job that comes back only starts without a past.
    }
    // Every job's items and origins: taken down off the loop, and given back to the system.
    ports_.timers.post([this, loaded = std::move(loaded), history]() mutable {
      finish(*loaded, *history);
      ports_.workers.submit([loaded = std::move(loaded)]() mutable {
        loaded.reset();
        malloc_trim(0);
      });
    });
  });
}

void Reloader::finish(const config::LoadResult& loaded, const History& history) {
  ReloadFinished result;
  if (loaded.ok()) {
    result = ports_.apply(loaded, history);
    generation_ = result.generation;
  } else {
    result.result = ReloadFinished::Result::rejected;
    result.generation = generation_;
    for (const config::Problem& problem : loaded.errors)
      result.errors.push_back(config::to_string(problem));
    ports_.observer.reload_finished(result);
  }
  last_ = Last{.at = ports_.clock.now(), .result = result};
  // READY in both outcomes: the daemon goes on either way, the status says which it was.
  ports_.notifier.ready(summary(result));
  for (const Done& done : std::exchange(serving_, {}))
    if (done) done(result);
  running_ = false;
  if (!waiting_.empty()) start();
}

}  // namespace tidemark
