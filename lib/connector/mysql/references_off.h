#pragma once

#include <exception>

#include "connector/mysql/session.h"

namespace tidemark::mysql {

/// A session that does not follow foreign keys, for the life of this: for rows that refer to each
/// other in an order that suits no check row by row. Who uses it makes up for the checks before the
/// transaction ends.
class ReferencesOff {
 public:
  explicit ReferencesOff(Session& session) : session_(session) {
    session_.execute("SET SESSION foreign_key_checks = 0");
  }
  ~ReferencesOff() {
    try {
      session_.execute("SET SESSION foreign_key_checks = 1");
    } catch (const std::exception&) {
      session_.sever();
    }
  }
  ReferencesOff(const ReferencesOff&) = delete;
  ReferencesOff& operator=(const ReferencesOff&) = delete;

 private:
  Session& session_;
};

}  // namespace tidemark::mysql
