#include "events/fault_log.h"

#include <spdlog/spdlog.h>

namespace souk {

std::string one_line(std::string_view text) {
  std::string line(text);
  while (!line.empty() && static_cast<unsigned char>(line.back()) < ' ') line.pop_back();
  for (char& c : line) {
    if (static_cast<unsigned char>(c) < ' ' || c == '\x7f') c = ' ';
    if (c == '"') c = '\'';
  }
  return line;
}

FaultLog::FaultLog(std::string phrase, Severity severity, std::shared_ptr<spdlog::logger> logger,
                   std::function<Clock::time_point()> now)
    : phrase_(std::move(phrase)),
      severity_(severity),
      logger_(std::move(logger)),
      now_(std::move(now)) {}

spdlog::logger& FaultLog::logger() const {
  return logger_ ? *logger_ : *spdlog::default_logger_raw();
}

void FaultLog::failed(std::string_view details) {
  const auto now = now_();
  const std::lock_guard lock(mutex_);
  failing_.store(true, std::memory_order_relaxed);
  ++faults_;
  if (logged_ && now - logged_at_ < pause) {
    ++silent_;
    return;
  }
  const auto level = severity_ == Severity::warn ? spdlog::level::warn : spdlog::level::err;
  if (silent_ > 0)
    logger().log(level, "{} {} not_logged={}", phrase_, details, silent_);
  else
    logger().log(level, "{} {}", phrase_, details);
  logged_ = true;
  logged_at_ = now;
  silent_ = 0;
}

void FaultLog::say_it_is_over() {
  const std::lock_guard lock(mutex_);
  if (!failing_.exchange(false, std::memory_order_relaxed)) return;
  // Where faults and successes alternate, their pause counts for both.
  const auto faults = std::exchange(faults_, 0);
  if (faults > silent_) logger().info("it works again, after: {} faults={}", phrase_, faults);
}

}  // namespace souk
