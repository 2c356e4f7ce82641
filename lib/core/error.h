#pragma once

#include <exception>
#include <optional>
#include <string>
#include <string_view>

namespace tidemark {

/// What went wrong, as a closed set: the `kind` label of every failure metric.
enum class FailureKind {
  connect,        ///< no connection, or it was lost
  auth,           ///< the server refused who we are
  tls,            ///< the encrypted channel could not be made as asked
  timeout,        ///< no progress within the time allowed
  permission,     ///< logged in, but not allowed to
  schema,         ///< a table, column or definition is not what the job needs
  constraint,     ///< a row the target refuses (NOT NULL, CHECK, UNIQUE, FOREIGN KEY)
  conversion,     ///< a value that does not fit the target column
  conflict,       ///< serialization failure: the transaction must be repeated
  deadlock,       ///< deadlock or lock wait that the server broke
  position_lost,  ///< the checkpoint does not belong to this source or definition any more
  resource,       ///< the server (or the machine) is out of something, or shutting down
  internal,       ///< everything else, our own faults included
};

/// What the engine does about it.
enum class ErrorClass {
  transient,  ///< back off and go on from the checkpoint
  data,       ///< a row is at fault: the job's `bad_rows` policy
  config,     ///< halt the job, probe the cause, resume by itself
  permanent,  ///< halt the job until a person acts
};

/// The one table from kind to class. Any thread.
ErrorClass class_of(FailureKind kind) noexcept;
/// True for kinds that mean "the database is away": retried without end, attempts not counted.
bool means_away(FailureKind kind) noexcept;
std::string_view to_string(FailureKind kind) noexcept;
std::string_view to_string(ErrorClass cls) noexcept;

/// The one exception of connectors, transforms and worker code.
///
/// `message`, `hint`, `table` and `column` are shown to people and must never hold row values or
/// secrets: build them from codes and names. What the driver said goes to `driver_text`, which only
/// the debug log sees.
class Error : public std::exception {
 public:
  struct Fields {
    FailureKind kind = FailureKind::internal;
    std::string message;                  ///< lower case, no full stop
    std::string code = {};                ///< native code or SQLSTATE, as text
    std::string operation = {};           ///< what we were doing: "read", "commit", …
    std::string table = {};               ///< as the user would write it
    std::string column = {};              ///< where one column is at fault
    std::string hint = {};                ///< a sentence: what to do next
    std::string driver_text = {};         ///< debug log only; may quote data
    std::optional<std::size_t> row = {};  ///< index within the batch that was being handled
    bool in_doubt = false;                ///< COMMIT was sent and its answer was lost
  };

  explicit Error(Fields fields);

  const char* what() const noexcept override { return text_.c_str(); }
  FailureKind kind() const noexcept { return fields_.kind; }
  ErrorClass error_class() const noexcept { return class_of(fields_.kind); }
  const Fields& fields() const noexcept { return fields_; }
  bool in_doubt() const noexcept { return fields_.in_doubt; }

  /// Fills in operation and table where they are still empty, on the way up.
  Error& with_context(std::string_view operation, std::string_view table);

 private:
  void rebuild();
  Fields fields_;
  std::string text_;
};

/// Thrown where work was abandoned because it was asked to stop. Not a failure.
class Cancelled : public std::exception {
 public:
  const char* what() const noexcept override { return "cancelled"; }
};

}  // namespace tidemark
