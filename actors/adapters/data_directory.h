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
///   cluster = shop              of a node of a cluster: its name,
///   kafka = MkU3OEVBNTcwNTJE    the id of the Kafka cluster that has its log
///   genesis = 81985529216486895   and the number that the log begins with
///   provider = elsewhere   the payments are in the ledger of a provider outside (souk provider)
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
///   5  a node of a cluster: journal/ is a copy of a log that stands in Kafka. A version of format 4
///      would take it for a log of its own, and write to it. Others stay at format 4.
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "events/ids.h"
#include "events/result.h"
#include "events/time.h"

namespace souk {

/// Which log that is shared.
struct SharedLogName {
  std::string cluster;        // of Souk
  std::string kafka;          // the id that Kafka gave its own cluster
  std::uint64_t genesis = 0;  // events/shared_log/shared_logs.h
  bool operator==(const SharedLogName&) const = default;
};

/// Where the payment provider's ledger stands: in provider/, or with a provider outside.
enum class LedgerPlace : std::uint8_t { here, elsewhere };

/// Lifecycle: open takes the lock, the destructor gives it back; so does the end of the process.
class DataDirectory {
 public:
  struct Manifest {
    std::uint32_t format = 0;
    std::uint32_t shards = 0;
    UnixMs created_at;
    Id128 id;  // random; another in each directory
    std::optional<SharedLogName> shared = std::nullopt;
    LedgerPlace ledger = LedgerPlace::here;
    bool operator==(const Manifest&) const = default;
  };
  static constexpr std::uint32_t format_newest = 5;
  static constexpr std::uint32_t format_of_own_log = 4;  // the newest of one without a cluster
  static constexpr std::uint32_t shards_default = 64;

  /// Opens the directory for this process alone; makes it where it is missing or empty.
  /// `shards`: what the caller insists on; nothing: what the directory has (or shards_default).
  /// `shared`: the log of which journal/ is to be a copy; nothing: it is the log.
  /// Errors: locked     another process has it open; the words name its pid.
  ///         mismatch   another count of shards, another log, or a folder with other things in it.
  ///         unsupported   a newer format.
  ///         corrupt    the manifest is damaged.
  ///         full, unavailable   the disk.
  static Result<std::unique_ptr<DataDirectory>, Fault> open(
      const std::filesystem::path& path, std::optional<std::uint32_t> shards = std::nullopt,
      const std::optional<SharedLogName>& shared = std::nullopt);
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
  /// The ledger stands elsewhere from now on, durably. REQUIRES: as raise_format.
  Status move_ledger_out();
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
  Status create_manifest(std::uint32_t shards, const std::optional<SharedLogName>& shared);
  Status check_log(const std::optional<SharedLogName>& shared) const;
  Status write_manifest(const Manifest& manifest);

  std::filesystem::path path_;
  int lock_;  // -1 where the directory can only be read
  Access access_;
  Manifest manifest_;
};

}  // namespace souk
