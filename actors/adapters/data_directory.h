#pragma once
/// The data directory of one daemon.
///
///   souk-data   the manifest: what the directory is (text, below)
///   lock        held (flock) by the process that has it open; text: its pid and start
///   journal/ states/ keys/ provider/    one RocksDB each
///
/// The manifest, one `name = value` a line; other names are of later versions:
///   format = 4
///   shards = 64
///   created_at = 2025-11-22T13:00:00.000Z
///   id = d0123...
///   check = 0011aaff    crc32c of all before this line; the last one
///
/// Formats. An older version refuses a newer one with words.
///   1  no `check`; nothing says which stores belong together.
///   2  the stores are bound to each other (events/journal/anchor.h), and the journal may hold
///      records that a version of format 1 cannot read.
///   3  records stand under their offsets and owners claim (events/journal/shard_log.h); a
///      checkpoint knows the offset of its record. A version of format 2 would write over them.
///   4  orders say what they cost beside their lines, a cart that was emptied has no currency, and a
///      guest's order can be erased. A version of format 3 would charge and show other amounts.
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string_view>

#include "events/ids.h"
#include "events/result.h"
#include "events/time.h"

namespace souk {

/// Lifecycle: open takes the lock, the destructor gives it back; so does the end of the process.
class DataDirectory {
 public:
  struct Manifest {
    std::uint32_t format = 0;
    std::uint32_t shards = 0;
    UnixMs created_at;
    Id128 id;  // random; another in each directory
    bool operator==(const Manifest&) const = default;
  };
  static constexpr std::uint32_t format_newest = 4;
  static constexpr std::uint32_t shards_default = 64;

  /// Opens the directory for this process alone; makes it where it is missing or empty.
  /// `shards`: what the caller insists on; nothing: what the directory has (or shards_default).
  /// Errors: locked     another process has it open; the words name its pid.
  ///         mismatch   another count of shards, or a folder with other things in it.
  ///         unsupported   a newer format.
  ///         corrupt    the manifest is damaged.
  ///         full, unavailable   the disk.
  static Result<std::unique_ptr<DataDirectory>, Fault> open(
      const std::filesystem::path& path, std::optional<std::uint32_t> shards = std::nullopt);
  /// For looking only (`souk verify`): nothing is made, several may look at once, none while a
  /// daemon runs, and no daemon starts while one looks.
  static Result<std::unique_ptr<DataDirectory>, Fault> open_read_only(
      const std::filesystem::path& path);
  ~DataDirectory();
  DataDirectory(const DataDirectory&) = delete;
  DataDirectory& operator=(const DataDirectory&) = delete;

  const Manifest& manifest() const { return manifest_; }
  /// The directory is of the newest format from now on, durably and all at once. REQUIRES: it was
  /// opened for this process alone, and what the format demands of the stores is there.
  Status raise_format();
  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path journal() const { return path_ / "journal"; }
  std::filesystem::path states() const { return path_ / "states"; }
  std::filesystem::path keys() const { return path_ / "keys"; }
  std::filesystem::path provider() const { return path_ / "provider"; }
  std::filesystem::path projections() const { return path_ / "projections"; }

 private:
  enum class Access { alone, looking };
  DataDirectory(std::filesystem::path path, int lock, Access access)
      : path_(std::move(path)), lock_(lock), access_(access) {}
  Status load_manifest();
  Status create_manifest(std::uint32_t shards);
  Status write_manifest(const Manifest& manifest);

  std::filesystem::path path_;
  int lock_;  // -1 where the directory can only be read
  Access access_;
  Manifest manifest_;
};

}  // namespace souk
