#pragma once
/// The log's lines of one kind of fault, however often it strikes: a client, a retry or a
/// background job may set the rate of a fault, but never that of the log.
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

namespace spdlog {
class logger;
}

namespace souk {

/// `text` as a part of one line: control characters (RocksDB's messages have line breaks) become
/// blanks, double quotes single ones.
std::string one_line(std::string_view text);

/// The first of a fault is logged at once, then at most one a `pause`, with the count of those that
/// were not; and once that it is over, by the first success.
/// Lifecycle: often static, beside the function that meets the fault.
/// Thread: any.
class FaultLog {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr std::chrono::seconds pause{10};
  enum class Severity : std::uint8_t { warn, error };

  /// `phrase`: constant, as of any log line. `logger`: none: the default one. `now`: for tests.
  explicit FaultLog(std::string phrase, Severity severity = Severity::warn,
                    std::shared_ptr<spdlog::logger> logger = nullptr,
                    std::function<Clock::time_point()> now = &Clock::now);

  /// `details`: `key=value` ..., on one line; for texts of others see one_line.
  void failed(std::string_view details);
  /// Cheap where nothing has failed.
  void passed() {
    if (failing_.load(std::memory_order_relaxed)) say_it_is_over();
  }
  bool failing() const { return failing_.load(std::memory_order_relaxed); }

 private:
  void say_it_is_over();
  spdlog::logger& logger() const;

  const std::string phrase_;
  const Severity severity_;
  const std::shared_ptr<spdlog::logger> logger_;
  const std::function<Clock::time_point()> now_;
  std::atomic<bool> failing_{false};
  std::mutex mutex_;  // what follows
  bool logged_ = false;
  Clock::time_point logged_at_{};
  std::uint64_t silent_ = 0;  // since logged_at_
  std::uint64_t faults_ = 0;  // since it last passed
};

}  // namespace souk
