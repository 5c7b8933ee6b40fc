#pragma once
/// The batch record: what a shard commits at once. One RocksDB value under (shard, first_seq), and
/// the same bytes are one Kafka message.
///
///   offset  size
///        0     1  format version (1)
///        1     1  type: 1 events, 2 no-op, 3 claim, 4 transfer
///        2     2  flags, 0
///        4     4  crc32c of bytes 0..3 and 8.. to the end
///        8     8  epoch of the owner that wrote it
///       16     8  incarnation: random, one per start of the owner
///       24     8  first_seq: sequence number of the first event
///       32     8  time: UnixMs at which it was cut
///       40     8  chain: XXH3-64 of (chain of the record before, seq, payload)
///       48     4  count of events
///       52     4  size of the payload in bytes
///       56     .  payload: one Cap'n Proto message, souk::schema::Batch, as a flat array: a
///       segment
///                 table, then the segments (one as a rule)
///
/// All integers are little endian. Embedded on disk: do not change, only add versions.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "events/event.h"
#include "events/ids.h"
#include "events/result.h"

namespace souk {

inline constexpr std::size_t batch_header_bytes = 56;

enum class BatchType : std::uint8_t { events = 1, noop = 2, claim = 3, transfer = 4 };

struct BatchHeader {
  BatchType type = BatchType::events;
  std::uint64_t epoch = 0;
  std::uint64_t incarnation = 0;
  Seq first_seq = 0;
  UnixMs at;
  std::uint64_t chain = 0;
  std::uint32_t count = 0;
  Seq last_seq() const { return first_seq + count - 1; }
};

/// A record on its way to the journal.
struct Batch {
  ShardId shard;
  Seq first_seq = 0;
  Seq last_seq = 0;
  std::uint64_t epoch = 0;
  std::uint64_t chain = 0;  // after it
  std::string bytes;        // header and payload
};

/// Encodes transactions of one shard. `header.count`, `chain` (taken as that of the record before,
/// replaced by this one's) are filled in.
/// REQUIRES: 1 to limits::batch_events_max events in all.
std::string encode_batch(BatchHeader& header, const std::vector<Transaction>& transactions);

struct DecodedBatch {
  BatchHeader header;
  std::vector<Transaction> transactions;
};
/// Checks version, sizes and crc32c. Errors: corrupt; unsupported (a newer version).
Result<BatchHeader, Fault> decode_batch_header(std::string_view bytes);
Result<DecodedBatch, Fault> decode_batch(std::string_view bytes);
/// The chain digest that a record with these bytes must carry after `before`.
std::uint64_t chain_after(std::uint64_t before, Seq first_seq, std::string_view payload);

}  // namespace souk
