#include "events/journal/zero_ahead.h"

#include <fcntl.h>
#include <rocksdb/env.h>
#include <rocksdb/file_system.h>
#include <unistd.h>

#include <array>
#include <memory>

namespace souk {
namespace {

constexpr std::size_t ahead_bytes = 1024 * 1024;
constexpr std::size_t zeros_bytes = 128 * 1024;
constexpr std::array<char, zeros_bytes> zeros{};

class ZeroAheadLog final : public rocksdb::FSWritableFileOwnerWrapper {
 public:
  ZeroAheadLog(std::unique_ptr<rocksdb::FSWritableFile>&& file, int descriptor)
      : FSWritableFileOwnerWrapper(std::move(file)), descriptor_(descriptor) {}
  ~ZeroAheadLog() override { ::close(descriptor_); }

  rocksdb::IOStatus Append(const rocksdb::Slice& data, const rocksdb::IOOptions& options,
                           rocksdb::IODebugContext* debug) override {
    make_room(data.size());
    return FSWritableFileOwnerWrapper::Append(data, options, debug);
  }
  rocksdb::IOStatus Append(const rocksdb::Slice& data, const rocksdb::IOOptions& options,
                           const rocksdb::DataVerificationInfo& info,
                           rocksdb::IODebugContext* debug) override {
    make_room(data.size());
    return FSWritableFileOwnerWrapper::Append(data, options, info, debug);
  }
  rocksdb::IOStatus Close(const rocksdb::IOOptions& options,
                          rocksdb::IODebugContext* debug) override {
    const auto status = FSWritableFileOwnerWrapper::Close(options, debug);
    // Zeros that stay are harmless.
    if (written_ < zeroed_) static_cast<void>(::ftruncate(descriptor_, written_));
    return status;
  }

 private:
  /// Where there is no room for zeros the log grows as it always did.
  void make_room(std::size_t bytes) {
    written_ += static_cast<off_t>(bytes);
    if (written_ <= zeroed_) return;
    // Not where the log will be written now: that would be written twice.
    off_t to = written_;
    const off_t end = written_ + static_cast<off_t>(ahead_bytes);
    while (to < end) {
      const ssize_t put = ::pwrite(descriptor_, zeros.data(), zeros.size(), to);
      if (put <= 0) break;
      to += put;
    }
    zeroed_ = to;
  }

  int descriptor_;
  off_t written_ = 0;
  off_t zeroed_ = 0;  // all behind `written_` up to here is zero and on the file
};

class ZeroAheadFiles final : public rocksdb::FileSystemWrapper {
 public:
  ZeroAheadFiles() : FileSystemWrapper(rocksdb::FileSystem::Default()) {}
  const char* Name() const override { return "ZeroAheadFiles"; }

  rocksdb::IOStatus NewWritableFile(const std::string& path, const rocksdb::FileOptions& options,
                                    std::unique_ptr<rocksdb::FSWritableFile>* file,
                                    rocksdb::IODebugContext* debug) override {
    const auto status = FileSystemWrapper::NewWritableFile(path, options, file, debug);
    if (!status.ok() || !path.ends_with(".log")) return status;
    const int descriptor = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
    if (descriptor >= 0) *file = std::make_unique<ZeroAheadLog>(std::move(*file), descriptor);
    return status;
  }
};

}  // namespace

rocksdb::Env* zero_ahead_env() {
  static const std::unique_ptr<rocksdb::Env> env =
      rocksdb::NewCompositeEnv(std::make_shared<ZeroAheadFiles>());
  return env.get();
}

}  // namespace souk
