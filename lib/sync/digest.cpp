#include "sync/digest.h"

#include <bit>
#include <cstring>
#include <string>

namespace tidemark {
namespace {

struct SipState {
  std::uint64_t v0;
  std::uint64_t v1;
  std::uint64_t v2;
  std::uint64_t v3;

  void rounds(int count) noexcept {
    for (int round = 0; round < count; ++round) {
      v0 += v1;
      v2 += v3;
      v1 = std::rotl(v1, 13) ^ v0;
      v3 = std::rotl(v3, 16) ^ v2;
      v0 = std::rotl(v0, 32);
      v2 += v1;
      v0 += v3;
      v1 = std::rotl(v1, 17) ^ v2;
      v3 = std::rotl(v3, 21) ^ v0;
      v2 = std::rotl(v2, 32);
    }
  }
  void absorb(std::uint64_t word) noexcept {
    v3 ^= word;
    rounds(2);
    v0 ^= word;
  }
};

template <class T>
void put(std::string& bytes, T value) {
  char raw[sizeof(T)];
  std::memcpy(raw, &value, sizeof(T));
  bytes.append(raw, sizeof(T));
}

void put_cell(std::string& bytes, const ColumnData& column, std::size_t row) {
  if (column.is_null(row)) {
    bytes += 'N';
    return;
  }
  if (storage_of(column.type().kind) == Storage::variable) {
    const std::string_view value = column.bytes_at(row);
    bytes += 'V';
    put(bytes, static_cast<std::uint32_t>(value.size()));
    bytes += value;
    return;
  }
  bytes += 'F';
  switch (width_of(column.type().kind)) {
    case 1:
      return put(bytes, column.at<std::uint8_t>(row));
    case 2:
      return put(bytes, column.at<std::uint16_t>(row));
    case 4:
      return put(bytes, column.at<std::uint32_t>(row));
    case 8:
      return put(bytes, column.at<std::uint64_t>(row));
    default:
      return put(bytes, column.at<Uuid>(row));
  }
}

}  // namespace

Digest siphash(std::string_view bytes, const DigestKey& key) noexcept {
  SipState state{0x736f6d6570736575ULL ^ key.first, 0x646f72616e646f6dULL ^ key.second ^ 0xee,
                 0x6c7967656e657261ULL ^ key.first, 0x7465646279746573ULL ^ key.second};
  const std::size_t whole = bytes.size() / 8 * 8;
  for (std::size_t at = 0; at < whole; at += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data() + at, 8);
    state.absorb(word);
  }
  std::uint64_t last = static_cast<std::uint64_t>(bytes.size()) << 56;
  for (std::size_t at = whole; at < bytes.size(); ++at)
    last |= static_cast<std::uint64_t>(static_cast<unsigned char>(bytes[at])) << (8 * (at - whole));
  state.absorb(last);
  state.v2 ^= 0xee;
  state.rounds(4);
  Digest digest;
  digest.low = state.v0 ^ state.v1 ^ state.v2 ^ state.v3;
  state.v1 ^= 0xdd;
  state.rounds(4);
  digest.high = state.v0 ^ state.v1 ^ state.v2 ^ state.v3;
  return digest;
}

Digest digest_row(const Batch& batch, std::size_t row, const std::vector<std::size_t>& columns,
                  const DigestKey& key, std::string& scratch) {
  scratch.clear();
  for (const std::size_t at : columns)
    put_cell(scratch, batch.column(at), row);
  return siphash(scratch, key);
}

}  // namespace tidemark
