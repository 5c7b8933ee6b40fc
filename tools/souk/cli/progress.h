#pragma once
#include <atomic>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <string>

namespace souk::cli {

/// A bar with rate and time left on standard error, where that is a terminal; silent elsewhere.
/// Thread: any.
class Progress {
 public:
  /// `what` names the things counted: "lines".
  Progress(std::string what, std::uint64_t total);
  ~Progress() { finish(); }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void add(std::uint64_t done);
  /// So much of so much, where both may have changed.
  void at(std::uint64_t done, std::uint64_t total);
  /// What is going on: "orders".
  void phase(std::string name);
  /// Wipes the bar.
  void finish();

  /// The bar's text, for `width` columns.
  static std::string bar(const std::string& phase, const std::string& what, std::uint64_t done,
                         std::uint64_t total, double seconds);

 private:
  void draw();

  const std::string what_;
  std::atomic<std::uint64_t> total_;
  const bool shown_;
  const std::chrono::steady_clock::time_point begun_ = std::chrono::steady_clock::now();
  std::atomic<std::uint64_t> done_{0};
  std::atomic<std::int64_t> next_draw_ms_{0};
  std::mutex mutex_;
  std::string phase_;
  bool drawn_ = false;
};

}  // namespace souk::cli
