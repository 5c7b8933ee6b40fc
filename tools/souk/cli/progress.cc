#include "tools/souk/cli/progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "tools/souk/cli/table.h"

namespace souk::cli {
namespace {
constexpr std::int64_t redraw_ms = 100;
constexpr std::size_t bar_columns = 24;
}  // namespace

Progress::Progress(std::string what, std::uint64_t total)
    : what_(std::move(what)), total_(total), shown_(::isatty(STDERR_FILENO) == 1) {}

std::string Progress::bar(const std::string& phase, const std::string& what, std::uint64_t done,
                          std::uint64_t total, double seconds) {
  const double share =
      total == 0 ? 1.0 : std::min(1.0, static_cast<double>(done) / static_cast<double>(total));
  const auto full = static_cast<std::size_t>(share * static_cast<double>(bar_columns));
  const double rate = seconds > 0 ? static_cast<double>(done) / seconds : 0.0;
  std::string text = fmt::format("{:<9} [{}{}] {:3.0f}%  {} of {} {}", phase,
                                 std::string(full, '#'), std::string(bar_columns - full, '.'),
                                 share * 100.0, with_thousands(done), with_thousands(total), what);
  if (rate >= 1) {
    const auto left =
        static_cast<std::uint64_t>(static_cast<double>(total - std::min(done, total)) / rate + 0.5);
    text += fmt::format("  {}/s  {}:{:02} left", with_thousands(static_cast<std::uint64_t>(rate)),
                        left / 60, left % 60);
  }
  return text;
}

void Progress::add(std::uint64_t done) {
  done_ += done;
  if (!shown_) return;
  const std::int64_t now_ms = std::chrono::duration_cast<std::chrono::milliseconds>(
                                  std::chrono::steady_clock::now() - begun_)
                                  .count();
  std::int64_t due = next_draw_ms_.load();
  if (now_ms >= due && next_draw_ms_.compare_exchange_strong(due, now_ms + redraw_ms)) draw();
}

void Progress::at(std::uint64_t done, std::uint64_t total) {
  total_ = total;
  done_ = done;
  add(0);
}

void Progress::phase(std::string name) {
  {
    const std::lock_guard lock(mutex_);
    phase_ = std::move(name);
  }
  if (shown_) draw();
}

void Progress::draw() {
  const std::lock_guard lock(mutex_);
  const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - begun_;
  std::fprintf(stderr, "\r\x1b[K%s",
               bar(phase_, what_, done_.load(), total_.load(), passed.count()).c_str());
  std::fflush(stderr);
  drawn_ = true;
}

void Progress::finish() {
  const std::lock_guard lock(mutex_);
  if (!drawn_) return;
  std::fputs("\r\x1b[K", stderr);
  std::fflush(stderr);
  drawn_ = false;
}

}  // namespace souk::cli
