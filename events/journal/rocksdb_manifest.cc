#include "events/journal/rocksdb_manifest.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <rocksdb/listener.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cinttypes>
#include <cstring>
#include <fstream>
#include <iterator>
#include <mutex>
#include <optional>
#include <string>

#include "events/crc32c.h"
#include "events/fault_log.h"

namespace souk {
namespace {

namespace fs = std::filesystem;
constexpr std::string_view draft_name = "souk-manifest.new";

FaultLog notes_fail("the length of a manifest cannot be noted");

struct Reach {
  std::uint64_t manifest = 0;  // its number
  std::uint64_t bytes = 0;
};

std::string read_text(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return {};
  try {
    return {std::istreambuf_iterator<char>(in), {}};
  } catch (const std::ios_base::failure&) {
    return {};  // a folder
  }
}

std::string name_of(std::uint64_t manifest) { return fmt::format("MANIFEST-{:06}", manifest); }

std::optional<std::uint64_t> current_manifest(const fs::path& store) {
  std::uint64_t number = 0;
  if (std::sscanf(read_text(store / "CURRENT").c_str(), "MANIFEST-%" SCNu64, &number) != 1)
    return std::nullopt;
  return number;
}

std::string encode(const Reach& reach) {
  const auto text = fmt::format("{} {} ", name_of(reach.manifest), reach.bytes);
  return fmt::format("{}{:08x}\n", text, crc32c(text));
}

std::optional<Reach> noted(const fs::path& store) {
  const auto text = read_text(store / manifest_note_name);
  Reach reach;
  if (std::sscanf(text.c_str(), "MANIFEST-%" SCNu64 " %" SCNu64, &reach.manifest, &reach.bytes) !=
      2)
    return std::nullopt;
  return encode(reach) == text ? std::optional(reach) : std::nullopt;
}

/// A file that is closed when it leaves.
class OpenFile {
 public:
  OpenFile(const fs::path& path, int flags) : number_(::open(path.c_str(), flags, 0600)) {}
  OpenFile(const OpenFile&) = delete;
  ~OpenFile() {
    if (number_ >= 0) ::close(number_);
  }
  int number() const { return number_; }

 private:
  const int number_;
};

bool synced_bytes(const fs::path& path, std::uint64_t& bytes) {
  const OpenFile file(path, O_RDONLY | O_CLOEXEC);
  struct stat status {};
  if (file.number() < 0 || ::fstat(file.number(), &status) != 0) return false;
  bytes = static_cast<std::uint64_t>(status.st_size);
  return ::fdatasync(file.number()) == 0;
}

bool write_synced(const fs::path& path, std::string_view text) {
  const OpenFile file(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC);
  if (file.number() < 0) return false;
  errno = ENOSPC;  // what a short write means
  return ::write(file.number(), text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
         ::fsync(file.number()) == 0;
}

bool sync_folder(const fs::path& path) {
  const OpenFile folder(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  return folder.number() >= 0 && ::fsync(folder.number()) == 0;
}

class Noter final : public rocksdb::EventListener {
 public:
  explicit Noter(fs::path store) : store_(std::move(store)) {}
  void OnFlushCompleted(rocksdb::DB*, const rocksdb::FlushJobInfo&) override { note(); }
  void OnCompactionCompleted(rocksdb::DB*, const rocksdb::CompactionJobInfo&) override { note(); }

 private:
  void note() {
    const std::lock_guard lock(mutex_);
    note_manifest(store_);
  }
  const fs::path store_;
  std::mutex mutex_;
};

}  // namespace

Status check_manifest(const fs::path& store) {
  const auto then = noted(store);
  const auto now = current_manifest(store);
  if (!then || !now || *now > then->manifest) return Done{};
  if (*now < then->manifest) {
    return Fault{Fault::Kind::corrupt, fmt::format("CURRENT names {}, a later one was in use: {}",
                                                   name_of(*now), name_of(then->manifest))};
  }
  std::error_code error;
  const auto bytes = fs::file_size(store / name_of(*now), error);
  if (error || bytes >= then->bytes) return Done{};  // RocksDB says what is wrong with it
  return Fault{Fault::Kind::corrupt,
               fmt::format("{} was cut: it ends at byte {}, and reached byte {}", name_of(*now),
                           bytes, then->bytes)};
}

void note_manifest(const fs::path& store) {
  const auto manifest = current_manifest(store);
  if (!manifest) return;
  Reach reach{.manifest = *manifest, .bytes = 0};
  const auto draft = store / draft_name;
  errno = 0;
  if (synced_bytes(store / name_of(*manifest), reach.bytes) && write_synced(draft, encode(reach)) &&
      ::rename(draft.c_str(), (store / manifest_note_name).c_str()) == 0 && sync_folder(store)) {
    return notes_fail.passed();
  }
  notes_fail.failed(fmt::format("store={} why=\"{}\"", store.string(), std::strerror(errno)));
}

std::shared_ptr<rocksdb::EventListener> manifest_noter(const fs::path& store) {
  return std::make_shared<Noter>(store);
}

}  // namespace souk
