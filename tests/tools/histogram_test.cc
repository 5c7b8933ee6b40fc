#include "tools/souk/load/histogram.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <vector>

using souk::cli::Histogram;

TEST_CASE("histogram: quantiles of 1 to 1000 ms are right within 2 percent") {
  Histogram histogram;
  for (int ms = 1; ms <= 1'000; ++ms) histogram.record(ms * 1'000'000LL);
  CHECK(histogram.count() == 1'000);
  CHECK(histogram.quantile_ms(0.5) == doctest::Approx(500).epsilon(0.02));
  CHECK(histogram.quantile_ms(0.99) == doctest::Approx(990).epsilon(0.02));
  CHECK(histogram.quantile_ms(1) == 1'000);
  CHECK(histogram.mean_ms() == doctest::Approx(500.5));
}

TEST_CASE("histogram: nothing recorded is zero, the shortest and the longest have a place") {
  Histogram histogram;
  CHECK(histogram.quantile_ms(0.99) == 0);
  CHECK(histogram.mean_ms() == 0);
  histogram.record(-5);
  histogram.record(INT64_MAX);
  CHECK(histogram.count() == 2);
  CHECK(histogram.quantile_ms(0.5) == 0);
}

TEST_CASE("histogram: two merged are as one that saw all") {
  Histogram all, even, odd;
  for (int i = 0; i < 1'000; ++i) {
    all.record(i * 77'000LL);
    (i % 2 == 0 ? even : odd).record(i * 77'000LL);
  }
  even.merge(odd);
  for (const double share : {0.01, 0.5, 0.9, 0.999, 1.0})
    CHECK(even.quantile_ms(share) == all.quantile_ms(share));
}

TEST_CASE("histogram: any quantile is at most a sixteenth above the truth, and never below") {
  CHECK(rc::check([](std::vector<std::uint32_t> us, std::uint16_t share) {
    if (us.empty()) return;
    Histogram histogram;
    for (const std::uint32_t value : us) histogram.record(static_cast<std::int64_t>(value) * 1'000);
    std::ranges::sort(us);
    const double wanted = static_cast<double>(share) / 65'535.0;
    const auto rank = std::max<std::size_t>(
        1, static_cast<std::size_t>(std::ceil(wanted * static_cast<double>(us.size()))));
    const double truth = us[rank - 1] / 1e3, got = histogram.quantile_ms(wanted);
    RC_ASSERT(got >= truth);
    RC_ASSERT(got <= truth * (1 + 1.0 / 16) + 0.001);
  }));
}
