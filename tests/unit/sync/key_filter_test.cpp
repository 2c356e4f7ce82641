#include "sync/key_filter.h"

#include <catch2/catch.hpp>

using namespace tidemark;

namespace {

/// Rows of two numbers; nullopt is NULL.
Batch rows_of(const std::vector<std::pair<std::optional<int>, std::optional<int>>>& rows) {
  Batch batch(
      std::make_shared<const Schema>(Schema{{.name = "a", .type = make_type(TypeKind::int32)},
                                            {.name = "b", .type = make_type(TypeKind::int32)}}));
  for (const auto& [a, b] : rows) {
    a ? batch.column(0).push(std::int32_t{*a}) : batch.column(0).push_null();
    b ? batch.column(1).push(std::int32_t{*b}) : batch.column(1).push_null();
  }
  return batch;
}

constexpr DigestKey secret{.first = 1, .second = 2};

}  // namespace

TEST_CASE("the first row with a NULL in its key is found, whatever part of the key it is",
          "[sync][key]") {
  const KeyFilter filter({0, 1}, secret, KeyFilter::Reach::batch);
  CHECK_FALSE(filter.find_null(rows_of({{1, 1}, {2, 2}})));
  CHECK(filter.find_null(rows_of({{1, 1}, {2, {}}, {{}, 3}})) ==
        std::pair<std::size_t, std::size_t>{1, 1});
  CHECK(filter.find_null(rows_of({{1, 1}, {{}, 2}, {3, {}}})) ==
        std::pair<std::size_t, std::size_t>{1, 0});
  CHECK(filter.find_null(rows_of({{{}, {}}})) == std::pair<std::size_t, std::size_t>{0, 0});
}

TEST_CASE("keys that come twice are found within their reach", "[sync][key]") {
  KeyFilter whole({0}, secret, KeyFilter::Reach::whole_read);
  CHECK_FALSE(whole.find_repeated(rows_of({{1, 1}, {2, 1}})));
  CHECK(whole.find_repeated(rows_of({{3, 1}, {2, 5}})) == std::size_t{1});
  KeyFilter batch({0}, secret, KeyFilter::Reach::batch);
  CHECK_FALSE(batch.find_repeated(rows_of({{1, 1}})));
  CHECK_FALSE(batch.find_repeated(rows_of({{1, 1}})));
  CHECK(batch.find_repeated(rows_of({{2, 1}, {1, 1}, {2, 1}})) == std::size_t{2});
}
