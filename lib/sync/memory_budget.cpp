#include "sync/memory_budget.h"

#include <algorithm>
#include <utility>

#include "core/error.h"

namespace tidemark {

MemoryBudget::Room::Room(Room&& other) noexcept
    : budget_(std::exchange(other.budget_, nullptr)),
      bytes_(std::exchange(other.bytes_, 0)),
      rows_(std::exchange(other.rows_, 0)) {}

MemoryBudget::Room& MemoryBudget::Room::operator=(Room&& other) noexcept {
  if (this == &other) return *this;
  release();
  budget_ = std::exchange(other.budget_, nullptr);
  bytes_ = std::exchange(other.bytes_, 0);
  rows_ = std::exchange(other.rows_, 0);
  return *this;
}

void MemoryBudget::Room::resize(Bytes bytes) {
  if (budget_ == nullptr) return;
  budget_->change(bytes_, bytes);
  bytes_ = bytes;
}

void MemoryBudget::Room::set_rows(std::uint64_t rows) noexcept {
  if (budget_ == nullptr) return;
  const std::lock_guard lock(budget_->mutex_);
  budget_->rows_ = budget_->rows_ - rows_ + rows;
  rows_ = rows;
}

void MemoryBudget::Room::release() noexcept {
  if (budget_ == nullptr) return;
  set_rows(0);
  budget_->change(bytes_, 0);
  budget_ = nullptr;
  bytes_ = 0;
}

void MemoryBudget::change(Bytes from, Bytes to) noexcept {
  {
    const std::lock_guard lock(mutex_);
    used_ = used_ - from + to;
  }
  if (to < from) freed_.notify_all();
}

MemoryBudget::Room MemoryBudget::take(Bytes bytes, const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  if (!freed_.wait(lock, stop, [&] { return used_ + std::min(bytes, limit_) <= limit_; }))
    throw Cancelled();
  bytes = std::min(bytes, limit_);
  used_ += bytes;
  return {*this, bytes};
}

bool MemoryBudget::try_take(Bytes bytes, Room& room) {
  const std::lock_guard lock(mutex_);
  if (used_ + bytes > limit_) return false;
  used_ += bytes;
  room = Room(*this, bytes);
  return true;
}

void MemoryBudget::set_limit(Bytes limit) {
  {
    const std::lock_guard lock(mutex_);
    limit_ = limit;
  }
  freed_.notify_all();
}

Bytes MemoryBudget::limit() const {
  const std::lock_guard lock(mutex_);
  return limit_;
}

std::uint64_t MemoryBudget::rows() const {
  const std::lock_guard lock(mutex_);
  return rows_;
}

Bytes MemoryBudget::used() const {
  const std::lock_guard lock(mutex_);
  return used_;
}

}  // namespace tidemark
