#include "core/error.h"

#include <array>

namespace tidemark {
namespace {

struct KindRow {
  FailureKind kind;
  std::string_view name;
  ErrorClass cls;
  bool away;
};

constexpr std::array kinds{
    KindRow{FailureKind::connect, "connect", ErrorClass::transient, true},
    KindRow{FailureKind::auth, "auth", ErrorClass::config, false},
    KindRow{FailureKind::tls, "tls", ErrorClass::config, false},
    KindRow{FailureKind::timeout, "timeout", ErrorClass::transient, true},
    KindRow{FailureKind::permission, "permission", ErrorClass::config, false},
    KindRow{FailureKind::schema, "schema", ErrorClass::config, false},
    KindRow{FailureKind::constraint, "constraint", ErrorClass::data, false},
    KindRow{FailureKind::conversion, "conversion", ErrorClass::data, false},
    KindRow{FailureKind::conflict, "conflict", ErrorClass::transient, false},
    KindRow{FailureKind::deadlock, "deadlock", ErrorClass::transient, false},
    KindRow{FailureKind::position_lost, "position_lost", ErrorClass::permanent, false},
    KindRow{FailureKind::resource, "resource", ErrorClass::transient, true},
    KindRow{FailureKind::internal, "internal", ErrorClass::permanent, false},
};

const KindRow& row_of(FailureKind kind) noexcept {
  return kinds[static_cast<std::size_t>(kind)];
}

constexpr bool in_enum_order() {
  for (std::size_t index = 0; index < kinds.size(); ++index)
    if (static_cast<std::size_t>(kinds[index].kind) != index) return false;
  return true;
}
static_assert(in_enum_order());

}  // namespace

ErrorClass class_of(FailureKind kind) noexcept {
  return row_of(kind).cls;
}
bool means_away(FailureKind kind) noexcept {
  return row_of(kind).away;
}
std::string_view to_string(FailureKind kind) noexcept {
  return row_of(kind).name;
}

std::string_view to_string(ErrorClass cls) noexcept {
  switch (cls) {
    case ErrorClass::transient:
      return "transient";
    case ErrorClass::data:
      return "data";
    case ErrorClass::config:
      return "config";
    case ErrorClass::permanent:
      return "permanent";
  }
  return "permanent";
}

Error::Error(Fields fields) : fields_(std::move(fields)) {
  rebuild();
}

Error& Error::with_context(std::string_view operation, std::string_view table) {
  if (fields_.operation.empty()) fields_.operation = operation;
  if (fields_.table.empty()) fields_.table = table;
  rebuild();
  return *this;
}

void Error::rebuild() {
  text_.clear();
  if (!fields_.operation.empty()) text_ += fields_.operation;
  if (!fields_.table.empty()) text_ += (text_.empty() ? "" : " ") + fields_.table;
  if (!fields_.column.empty()) text_ += (text_.empty() ? "column " : ", column ") + fields_.column;
  if (!text_.empty()) text_ += ": ";
  text_ += fields_.message;
  if (!fields_.code.empty()) text_ += " (" + fields_.code + ")";
  if (!fields_.hint.empty()) text_ += ". HINT: " + fields_.hint;
}

}  // namespace tidemark
