#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <stop_token>

#include "core/settings.h"

namespace tidemark {

/// One budget of bytes for all batches in flight of all runs. Any thread.
///
/// A reader takes room for a batch before it reads it and sets it right afterwards; the room comes
/// back when the batch was written. Whoever waits holds no room, so nobody waits in a circle.
class MemoryBudget {
 public:
  explicit MemoryBudget(Bytes limit) : limit_(limit) {}
  MemoryBudget(const MemoryBudget&) = delete;
  MemoryBudget& operator=(const MemoryBudget&) = delete;

  /// Room held; given back on destruction. Movable, one thread at a time.
  class Room {
   public:
    Room() = default;
    Room(Room&& other) noexcept;
    Room& operator=(Room&& other) noexcept;
    ~Room() { release(); }
    Bytes bytes() const noexcept { return bytes_; }
    /// Sets what is really held. Growing never waits: the bytes are there already, and it is the
    /// next `take` that waits until they are gone.
    void resize(Bytes bytes);
    /// How many rows those bytes are; for `rows` alone.
    void set_rows(std::uint64_t rows) noexcept;
    void release() noexcept;

   private:
    friend class MemoryBudget;
    Room(MemoryBudget& budget, Bytes bytes) : budget_(&budget), bytes_(bytes) {}
    MemoryBudget* budget_ = nullptr;
    Bytes bytes_ = 0;
    std::uint64_t rows_ = 0;
  };

  /// Waits until there is room; throws Cancelled when asked to stop. More than the whole budget
  /// counts as the whole budget.
  Room take(Bytes bytes, const std::stop_token& stop);
  /// Takes it at once or not at all; `room` must hold nothing.
  bool try_take(Bytes bytes, Room& room);

  /// A reload. Room that is held already is not taken away: with a smaller limit nobody gets more
  /// until enough has come back.
  void set_limit(Bytes limit);
  Bytes limit() const;
  Bytes used() const;
  /// Rows of all batches in flight.
  std::uint64_t rows() const;

 private:
  void change(Bytes from, Bytes to) noexcept;

  mutable std::mutex mutex_;
  std::condition_variable_any freed_;
  Bytes limit_;
  Bytes used_ = 0;
  std::uint64_t rows_ = 0;
};

}  // namespace tidemark
