#pragma once
/// The journal of one node in one RocksDB directory. RocksDB stays in the .cc.
///
///   key    shard, 2 bytes big endian; first_seq, 8 bytes big endian
///   value  the batch record (events/batch.h)
///   outside every shard: 0xFFFF "barrier", which `settle` writes; 0xFFFF "directory" and
///   0xFFFF "marks", the anchors of anchor.h
#include <cstdint>
#include <filesystem>
#include <memory>

#include "events/journal/anchor.h"
#include "events/journal/journal.h"

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
class RocksDbJournal final : public Journal {
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

  void write(const std::vector<Batch>& batches, WriteDone done) override;
  Status settle() override;
  /// A scan that a `settle` interrupts ends with unavailable: begin again.
  Status scan(ShardId shard, Seq from, const Visit& visit) override;

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
