#pragma once

#include <exception>
#include <string>
#include <vector>

#include "core/batch.h"
#include "core/error.h"

namespace tidemark {

/// An Error about one row that was found: with what names it, and quotes nothing of it.
class RowError : public std::exception {
 public:
  RowError(Error error, std::string key_hash)
      : error_(std::move(error)), key_hash_(std::move(key_hash)) {}
  const char* what() const noexcept override { return error_.what(); }
  const Error& error() const noexcept { return error_; }
  const std::string& key_hash() const noexcept { return key_hash_; }

 private:
  Error error_;
  std::string key_hash_;
};

/// HMAC of a row's key, so that a person who has the key can find the row and nobody else can; ""
/// where the row has no key.
std::string key_hash_of(const Batch& batch, std::size_t row, const std::vector<std::size_t>& key,
                        const std::string& secret);

}  // namespace tidemark
