#pragma once
#include <array>
#include <cstdint>

namespace souk::cli {

/// Counts durations in buckets that are at most 1/64 of their value wide, from 1 us to 19 hours.
class Histogram {
 public:
  void record(std::int64_t ns);
  void merge(const Histogram& other);
  std::uint64_t count() const { return count_; }
  /// The duration that `share` (0 to 1) of all do not exceed; 0 where there are none.
  double quantile_ms(double share) const;
  double max_ms() const { return static_cast<double>(max_ns_) / 1e6; }
  double mean_ms() const;

 private:
  static constexpr std::size_t fine_bits = 6, octaves = 30;
  static std::size_t bucket_of(std::uint64_t us);
  static std::uint64_t top_of(std::size_t bucket);

  std::array<std::uint64_t, (octaves + 1) << fine_bits> buckets_{};
  std::uint64_t count_ = 0;
  std::int64_t max_ns_ = 0;
  double sum_ns_ = 0;
};

}  // namespace souk::cli
