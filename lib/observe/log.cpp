#include "observe/log.h"

#include <fmt/format.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/base_sink.h>

#include <cstdlib>
#include <mutex>

#include "observe/log_record.h"
#include "observe/log_sink.h"
#include "observe/repeat_limit.h"

namespace tidemark::observe {
namespace {

class SystemTime final : public Clock {
 public:
  WallTime now() const override {
    return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
  }
  SteadyTime steady() const override {
    return std::chrono::time_point_cast<Duration>(std::chrono::steady_clock::now());
  }
};

const Clock& system_time() {
  static const SystemTime clock;
  return clock;
}

spdlog::level::level_enum level_of(LogLevel level) noexcept {
  switch (level) {
    case LogLevel::trace:
      return spdlog::level::trace;
    case LogLevel::debug:
      return spdlog::level::debug;
    case LogLevel::info:
      return spdlog::level::info;
    case LogLevel::warn:
      return spdlog::level::warn;
    case LogLevel::error:
      return spdlog::level::err;
  }
  return spdlog::level::err;
}

LogLevel level_of(spdlog::level::level_enum level) noexcept {
  switch (level) {
    case spdlog::level::trace:
      return LogLevel::trace;
    case spdlog::level::debug:
      return LogLevel::debug;
    case spdlog::level::info:
      return LogLevel::info;
    case spdlog::level::warn:
      return LogLevel::warn;
    default:
      return LogLevel::error;
  }
}

/// What spdlog's message has no place for. The logger is synchronous: its sink runs on the thread
/// that writes, inside the call, and finds it here.
struct Attachment {
  const std::vector<LogField>* fields = nullptr;
  LogEvent event = LogEvent::none;
  std::source_location where = {};
};
thread_local const Attachment* attached = nullptr;

class Attach {
 public:
  explicit Attach(const Attachment& attachment) { attached = &attachment; }
  ~Attach() { attached = nullptr; }
  Attach(const Attach&) = delete;
  Attach& operator=(const Attach&) = delete;
};

/// Redacts, limits, renders. base_sink's mutex lets one thread in at a time.
class Sink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  explicit Sink(LogOptions options)
      : options_(std::move(options)),
        clock_(options_.clock != nullptr ? *options_.clock : system_time()),
        repeats_(options_.burst, options_.window) {
    open(options_.format);
  }

  void reopen(LogFormat format) {
    const std::lock_guard guard(mutex_);
    if (format != options_.format) open(format);
  }
  void on_message(std::function<void(LogLevel)> callback) {
    const std::lock_guard guard(mutex_);
    on_message_ = std::move(callback);
  }

  Redactor redactor;

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    LogRecord record;
    record.time = clock_.now();
    record.level = level_of(message.level);
    record.text = redactor.redact({message.payload.data(), message.payload.size()});
    if (attached != nullptr) {
      record.event = attached->event;
      record.where = attached->where;
      for (const LogField& field : *attached->fields)
        record.fields.push_back(redacted(field));
    }
    const SteadyTime now = clock_.steady();
    for (const RepeatLimit::Dropped& dropped : repeats_.ended(now))
      put_dropped(dropped);
    if (repeats_.allows(record, now)) put(record);
  }

  void flush_() override {
    for (const RepeatLimit::Dropped& dropped : repeats_.all())
      put_dropped(dropped);
  }

 private:
  void open(LogFormat format) {
    options_.format = format;
    LogStyle style =
        choose_style(format, options_.fd, [](const char* name) { return std::getenv(name); });
    target_.reset();
    if (style == LogStyle::journal) {
      target_ = make_journal_sink(options_.journal_socket, options_.identifier);
      if (target_) return;
      style = LogStyle::prefixed;  // stderr still leads to the journal
    }
    target_ = make_stream_sink(options_.fd, style);
  }

  LogField redacted(const LogField& field) const {
    if (const auto* text = std::get_if<std::string>(&field.value))
      return {field.key, redactor.redact(*text)};
    return field;
  }

  void put(const LogRecord& record) {
    if (!target_->write(record)) {
      ++lost_;
      return;
    }
    if (on_message_) on_message_(record.level);
    if (lost_ == 0) return;
    LogRecord notice = record;
    notice.level = LogLevel::warn;
    notice.event = LogEvent::none;
    notice.fields.clear();
    notice.text = fmt::format("{} line(s) of log were lost: their reader had no room for them",
                              std::exchange(lost_, 0));
    put(notice);
  }

  void put_dropped(const RepeatLimit::Dropped& dropped) {
    LogRecord record = dropped.first;
    record.time = clock_.now();
    record.text =
        fmt::format("{} ({} more of these were not written)", dropped.first.text, dropped.count);
    put(record);
  }

  LogOptions options_;
  const Clock& clock_;
  RepeatLimit repeats_;
  std::unique_ptr<LogSink> target_;
  std::function<void(LogLevel)> on_message_;
  std::uint64_t lost_ = 0;
};

}  // namespace

struct Log::Impl {
  explicit Impl(LogOptions options)
      : sink(std::make_shared<Sink>(options)), logger(options.identifier, sink) {
    logger.set_level(level_of(options.level));
  }
  std::shared_ptr<Sink> sink;
  spdlog::logger logger;
};

Log::Log(LogOptions options) : impl_(std::make_unique<Impl>(std::move(options))) {}
Log::~Log() {
  flush();
}

void Log::configure(const DaemonSettings& settings) {
  impl_->logger.set_level(level_of(settings.log_level));
  impl_->sink->reopen(settings.log_format);
}

Redactor& Log::redactor() noexcept {
  return impl_->sink->redactor;
}

void Log::on_message(std::function<void(LogLevel)> callback) {
  impl_->sink->on_message(std::move(callback));
}

bool Log::enabled(LogLevel level) const noexcept {
  return impl_->logger.should_log(level_of(level));
}

void Log::write(LogLevel level, std::string_view text, std::vector<LogField> fields, LogEvent event,
                std::source_location where) noexcept {
  if (!enabled(level)) return;
  // The logger catches what a sink throws and reports it on stderr, at most once a second.
  const Attachment attachment{.fields = &fields, .event = event, .where = where};
  const Attach attach(attachment);
  impl_->logger.log(level_of(level), spdlog::string_view_t(text.data(), text.size()));
}

void Log::flush() noexcept {
  impl_->logger.flush();
}

}  // namespace tidemark::observe
