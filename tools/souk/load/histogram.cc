#include "tools/souk/load/histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace souk::cli {

std::size_t Histogram::bucket_of(std::uint64_t us) {
  if (us < (1U << fine_bits)) return static_cast<std::size_t>(us);
  const std::size_t octave = static_cast<std::size_t>(std::bit_width(us)) - fine_bits;
  if (octave > octaves) return ((octaves + 1) << fine_bits) - 1;
  // The leading bit is implied by the octave, so an octave has half of its 2^fine_bits in use.
  return (octave << fine_bits) + static_cast<std::size_t>(us >> octave);
}

std::uint64_t Histogram::top_of(std::size_t bucket) {
  const std::size_t octave = bucket >> fine_bits;
  const std::uint64_t low = bucket & ((1U << fine_bits) - 1);
  return ((low + 1) << octave) - 1;
}

void Histogram::record(std::int64_t ns) {
  ns = std::max<std::int64_t>(0, ns);
  ++buckets_[bucket_of(static_cast<std::uint64_t>(ns) / 1'000)];
  ++count_;
  sum_ns_ += static_cast<double>(ns);
  max_ns_ = std::max(max_ns_, ns);
}

void Histogram::merge(const Histogram& other) {
  for (std::size_t i = 0; i < buckets_.size(); ++i) buckets_[i] += other.buckets_[i];
  count_ += other.count_;
  sum_ns_ += other.sum_ns_;
  max_ns_ = std::max(max_ns_, other.max_ns_);
}

double Histogram::quantile_ms(double share) const {
  if (count_ == 0) return 0;
  const auto rank = std::max<std::uint64_t>(
      1, static_cast<std::uint64_t>(std::ceil(share * static_cast<double>(count_))));
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < buckets_.size(); ++i) {
    seen += buckets_[i];
    if (seen >= rank) return std::min(static_cast<double>(top_of(i)) / 1e3, max_ms());
  }
  return max_ms();
}

double Histogram::mean_ms() const {
  return count_ == 0 ? 0 : sum_ns_ / static_cast<double>(count_) / 1e6;
}

}  // namespace souk::cli
