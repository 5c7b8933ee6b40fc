// How carts keep their lines.
#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <limits>

#include "projections/analytics/store.h"

using namespace souk::analytics;

namespace {
bool same(const std::vector<LineRow>& a, const std::vector<LineRow>& b) {
  return std::ranges::equal(a, b, [](const LineRow& x, const LineRow& y) {
    return x.product == y.product && x.quantity == y.quantity && x.price == y.price &&
           x.fixed == y.fixed;
  });
}
}  // namespace

TEST_CASE("analytics: the lines of a cart come back as they went in") {
  CHECK(rc::check([](const std::vector<std::array<std::int64_t, 4>>& numbers) {
    std::vector<LineRow> lines;
    for (const auto& n : numbers) lines.push_back({n[0], n[1], n[2], n[3]});
    RC_ASSERT(same(unpack_lines(pack_lines(lines)), lines));
  }));
  using Limits = std::numeric_limits<std::int64_t>;
  const std::vector<LineRow> extreme{{0, -1, 1, 0}, {Limits::max(), Limits::min(), -64, 64}};
  CHECK(same(unpack_lines(pack_lines(extreme)), extreme));
}

TEST_CASE("analytics: a usual line takes a quarter of what its numbers take in memory") {
  CHECK(pack_lines({{4'000, 2, 12'345'000, 0}}).size() <= sizeof(LineRow) / 4);
}

TEST_CASE("analytics: lines that end early are corrupt, not short") {
  const std::string whole = pack_lines({{4'000, 2, 12'345'000, 0}});
  for (std::size_t size = 1; size < whole.size(); ++size) {
    CAPTURE(size);
    CHECK_THROWS_AS(unpack_lines(std::string_view(whole).substr(0, size)), SqliteError);
  }
}
