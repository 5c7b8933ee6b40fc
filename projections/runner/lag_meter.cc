#include "projections/runner/lag_meter.h"

#include <algorithm>
#include <functional>

namespace souk {
namespace {

constexpr std::chrono::milliseconds apart{5};
constexpr int precision = 32;

}  // namespace

void LagMeter::mark(Time now, const std::vector<Seq>& ends) {
  if (!marks_.empty()) {
    const auto gap = std::max<Time::duration>(apart, (now - marks_.front().at) / precision);
    if (now - marks_.back().at < gap) return;
  }
  marks_.push_back({now, ends});
}

void LagMeter::reached(const std::vector<Seq>& visible) {
  while (!marks_.empty() && std::ranges::equal(marks_.front().ends, visible, std::less_equal<>())) {
    as_of_ = marks_.front().at;
    marks_.pop_front();
  }
}

}  // namespace souk
