#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace tidemark::postgres {

/// Integers and floats in network byte order, as PostgreSQL's binary formats have them.
template <class T>
T read_big_endian(const char* from) noexcept {
  T value;
  std::memcpy(&value, from, sizeof value);
  if constexpr (sizeof(T) == 2) {
    return std::bit_cast<T>(__builtin_bswap16(std::bit_cast<std::uint16_t>(value)));
  } else if constexpr (sizeof(T) == 4) {
    return std::bit_cast<T>(__builtin_bswap32(std::bit_cast<std::uint32_t>(value)));
  } else if constexpr (sizeof(T) == 8) {
    return std::bit_cast<T>(__builtin_bswap64(std::bit_cast<std::uint64_t>(value)));
  } else {
    static_assert(sizeof(T) == 1);
    return value;
  }
}

template <class T>
void put_big_endian(char* to, T value) noexcept {
  const T swapped = read_big_endian<T>(reinterpret_cast<const char*>(&value));
  std::memcpy(to, &swapped, sizeof swapped);
}

template <class T>
void append_big_endian(std::string& out, T value) {
  const T swapped = read_big_endian<T>(reinterpret_cast<const char*>(&value));
  out.append(reinterpret_cast<const char*>(&swapped), sizeof swapped);
}

static_assert(std::endian::native == std::endian::little);

}  // namespace tidemark::postgres
