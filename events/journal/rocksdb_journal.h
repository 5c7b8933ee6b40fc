#pragma once
/// The journal of one node in one RocksDB directory. RocksDB stays in the .cc.
///
///   key    shard, 2 bytes big endian; first_seq, 8 bytes big endian. Of what comes as a LogStore:
///          the offset instead, which goes on behind the last key
///   value  the batch record (events/batch.h)
///   outside every shard: 0xFFFF "barrier", which `settle` writes; 0xFFFF "directory" and
///   0xFFFF "marks", the anchors of anchor.h
#include <cstdint>
#include <filesystem>
#include <memory>

#include "events/journal/anchor.h"
#include "events/journal/journal.h"
#include "events/journal/log_store.h"

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
class RocksDbJournal final : public Journal, public LogStore {
 public:
  using Opened = Result<std::unique_ptr<RocksDbJournal>, Fault>;
  using Visit = Journal::Visit;

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

  void write(const std::vector<Batch>& batches, WriteDone done) override;
  Status settle() override;
  /// A scan that a `settle` interrupts ends with unavailable: begin again.
  Status scan(ShardId shard, Seq from, const Journal::Visit& visit) override;

  Status put(const std::vector<LogEntry>& entries) override;
  Status read(ShardId shard, Offset from, const LogStore::Visit& visit) override;
  Result<bool, Fault> last(ShardId shard, const LogStore::Visit& visit) override;

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
  /// Says so, durably. Thread: as write.
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
