#include "events/journal/rocksdb_log.h"

#include <rocksdb/env.h>
#include <spdlog/spdlog.h>

#include <array>
#include <cstdarg>
#include <cstdio>

namespace souk {
namespace {

class ForwardingLogger final : public rocksdb::Logger {
 public:
  ForwardingLogger(std::shared_ptr<spdlog::logger> log, std::string store)
      : rocksdb::Logger(rocksdb::InfoLogLevel::WARN_LEVEL),
        log_(std::move(log)),
        store_(std::move(store)) {}
  using rocksdb::Logger::Logv;
  void Logv(const char* format, va_list arguments) override {
    Logv(rocksdb::InfoLogLevel::INFO_LEVEL, format, arguments);
  }
  void Logv(const rocksdb::InfoLogLevel level, const char* format, va_list arguments) override {
    if (level < rocksdb::InfoLogLevel::WARN_LEVEL || level == rocksdb::InfoLogLevel::HEADER_LEVEL)
      return;
    std::array<char, 1024> text;
    if (std::vsnprintf(text.data(), text.size(), format, arguments) < 0) return;
    if (level == rocksdb::InfoLogLevel::WARN_LEVEL) {
      log_->warn("storage engine warns store={} text=\"{}\"", store_, text.data());
    } else {
      log_->error("storage engine fails store={} text=\"{}\"", store_, text.data());
    }
  }

 private:
  std::shared_ptr<spdlog::logger> log_;
  std::string store_;
};

}  // namespace

std::shared_ptr<rocksdb::Logger> rocksdb_log(std::shared_ptr<spdlog::logger> log,
                                             std::string store) {
  return std::make_shared<ForwardingLogger>(std::move(log), std::move(store));
}

}  // namespace souk
