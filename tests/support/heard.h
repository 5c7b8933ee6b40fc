#pragma once
/// What the log says meanwhile.
#include <spdlog/sinks/base_sink.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace souk::test {

/// All that the default logger says while it lives, a string a line, as `warning what=...`.
/// Thread: any.
class Heard {
 public:
  Heard() : sink_(std::make_shared<Lines>()), before_(spdlog::default_logger()) {
    auto logger = std::make_shared<spdlog::logger>("heard", sink_);
    logger->set_pattern("%l %v");
    spdlog::set_default_logger(std::move(logger));
  }
  ~Heard() { spdlog::set_default_logger(before_); }
  Heard(const Heard&) = delete;
  Heard& operator=(const Heard&) = delete;

  std::vector<std::string> lines() const { return sink_->all(); }
  /// How many lines have `phrase` in them.
  std::size_t count(std::string_view phrase) const {
    const auto all = lines();
    return static_cast<std::size_t>(std::ranges::count_if(
        all, [&](const std::string& line) { return line.find(phrase) != std::string::npos; }));
  }

 private:
  class Lines final : public spdlog::sinks::base_sink<std::mutex> {
   public:
    std::vector<std::string> all() {
      const std::lock_guard lock(mutex_);
      return lines_;
    }

   private:
    void sink_it_(const spdlog::details::log_msg& message) override {
      spdlog::memory_buf_t text;
      formatter_->format(message, text);
      std::string line(text.data(), text.size());
      while (!line.empty() && line.back() == '\n') line.pop_back();
      lines_.push_back(std::move(line));
    }
    void flush_() override {}
    std::vector<std::string> lines_;
  };

  std::shared_ptr<Lines> sink_;
  std::shared_ptr<spdlog::logger> before_;
};

}  // namespace souk::test
