#pragma once
/// The journal of one node in one RocksDB directory. RocksDB stays in the .cc.
///
///   key    shard, 2 bytes big endian; offset, 8 bytes big endian. Up to format 2 of a directory a
///          record stood under its first_seq; offsets go on behind the last of those keys
///   value  the batch record (events/batch.h)
///   outside every shard: 0xFFFF "barrier", which `settle` writes; 0xFFFF "directory" and
///   0xFFFF "marks", the anchors of anchor.h; 0xFFFF "place" shard: of a copy of a log that is
///   shared, the FoldState behind its last record
#include <cstdint>
#include <filesystem>
#include <memory>

#include "events/journal/anchor.h"
#include "events/journal/log_store.h"
#include "events/shared_log/log_copy.h"

namespace souk {

struct RocksDbJournalOptions {
  /// Two of these are the most that an open has to replay: at most 64 MiB as it stands.
  std::size_t write_buffer_bytes = 32 * 1024 * 1024;
  int open_files_max = 256;
  /// Where each append counts itself and reads the counts of the other stores; outlives the
  /// journal. None: nothing is counted.
  StoreMarks* marks = nullptr;
};

/// Lifecycle: open, use, destroy. `settle` closes the directory and opens it again, so that what a
///            failed write left behind is decided by the recovery that a restart would run.
/// Invariant: after a failed write, and until `settle` is ok, nothing is written.
class RocksDbJournal final : public LogStore, public LogCopy {
 public:
  using Opened = Result<std::unique_ptr<RocksDbJournal>, Fault>;

  /// Makes the directory where there is none. What a power cut left unfinished at the very end of
  /// the newest log is dropped, with a warning: it was never acknowledged.
  /// Errors: locked       another process has it open.
  ///         corrupt      stored bytes fail their checksum; nothing was changed.
  ///         full, unavailable.
  static Opened open(const std::filesystem::path& directory,
                     const RocksDbJournalOptions& options = {});
  /// For a stopped directory: changes nothing, writes nothing, takes no lock.
  static Opened open_read_only(const std::filesystem::path& directory,
                               const RocksDbJournalOptions& options = {});
  ~RocksDbJournal() override;

  Status put(const std::vector<Batch>& records) override;
  Status settle() override;
  /// Reads that a `settle` interrupts end with unavailable: begin again.
  Status read(ShardId shard, Offset from, const Visit& visit) override;
  Status scan(ShardId shard, Seq from, const Visit& visit) override;
  Result<bool, Fault> last(ShardId shard, const Visit& visit) override;

  // As the copy of a log that is shared. Nothing is written ahead: what was kept since the last
  // table was written is lost in a crash.
  Status keep(std::span<const Record> records, std::span<const Place> places) override;
  Result<FoldState, Fault> place(ShardId shard) override;

  /// Reads on through the tables, from where the call before stopped, about `bytes` of them, and
  /// holds all against its checksums. True: it has come to the end, and begins anew.
  /// Errors: corrupt: a place cannot be read, which is said once and kept for `damage`; the pass
  /// ends
  ///         there. unavailable.
  /// Thread: one.
  Result<bool, Fault> scrub(std::size_t bytes);
  /// What a compaction or a scrub could not read; empty: nothing. Appends do not depend on it, and
  /// go on. Thread: any.
  std::string damage() const;

  /// Whose journal it is; nothing where that was never said (a directory of format 1, or new).
  /// Errors: corrupt, unavailable.
  Result<std::optional<JournalAnchor>, Fault> anchor() const;
  /// Says so, durably. Thread: as put.
  Status write_anchor(const JournalAnchor& anchor);
  /// As of the opening; zeros where it never counted.
  const JournalMarks& marks() const;
  /// Whether any shard has a record. Errors: corrupt, unavailable.
  Result<bool, Fault> has_records() const;

  /// What the directory takes. Thread: any.
  std::uint64_t bytes_on_disk() const;

 private:
  struct Impl;
  explicit RocksDbJournal(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace souk
