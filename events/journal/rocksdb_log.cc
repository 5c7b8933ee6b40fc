#include "events/journal/rocksdb_log.h"

#include <rocksdb/env.h>
#include <spdlog/spdlog.h>

#include <array>
#include <cstdarg>
#include <cstdio>
#include <map>
#include <mutex>
#include <string_view>

#include "events/fault_log.h"

namespace souk {
namespace {

/// What RocksDB 9 says as a warning and nobody can act on: how it reads a table's end, and that a
/// store was last written by RocksDB 7.
bool says_nothing(std::string_view format) {
  return format.find("Tail prefetch size") != format.npos ||
         format.find("epoch numbers are inferred") != format.npos;
}

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
    if (level == rocksdb::InfoLogLevel::WARN_LEVEL && says_nothing(format)) return;
    std::array<char, 1024> text;
    if (std::vsnprintf(text.data(), text.size(), format, arguments) < 0) return;
    fault_of(level, format)
        .failed(fmt::format("store={} text=\"{}\"", store_, one_line(text.data())));
  }

 private:
  /// Each message of the engine has a format of its own: a fault that is met again and again is
  /// said once a pause, and hides no other.
  FaultLog& fault_of(rocksdb::InfoLogLevel level, const char* format) {
    const std::lock_guard lock(mutex_);
    if (faults_.size() >= formats_max && !faults_.contains(format)) format = nullptr;
    auto& fault = faults_[format];
    if (!fault) {
      const bool warns = level == rocksdb::InfoLogLevel::WARN_LEVEL;
      fault = std::make_unique<FaultLog>(
          warns ? "storage engine warns" : "storage engine fails",
          warns ? FaultLog::Severity::warn : FaultLog::Severity::error, log_);
    }
    return *fault;
  }

  static constexpr std::size_t formats_max = 64;
  std::mutex mutex_;  // faults_
  std::map<const char*, std::unique_ptr<FaultLog>> faults_;
  std::shared_ptr<spdlog::logger> log_;
  std::string store_;
};

}  // namespace

std::shared_ptr<rocksdb::Logger> rocksdb_log(std::shared_ptr<spdlog::logger> log,
                                             std::string store) {
  return std::make_shared<ForwardingLogger>(std::move(log), std::move(store));
}

}  // namespace souk
