#pragma once
/// The batch record: what a shard commits at once. One RocksDB value under (shard, first_seq), and
/// the same bytes are one Kafka message.
///
///   offset  size
///        0     1  format version (2; 1 is read for ever)
///        1     1  type: 1 events, 2 no-op, 3 claim, 4 transfer, 5 chunk (events/log_records.h)
///        2     2  flags, 0
///        4     4  crc32c of bytes 0..3 and 8.. to the end
///        8     8  epoch of the owner that wrote it
///       16     8  incarnation: random, one per start of the owner
///       24     8  first_seq: sequence number of the first event
///       32     8  time: UnixMs at which it was cut
///       40     8  chain: XXH3-64 of (chain of the record before, seq, payload)
///       48     4  count of events
///       52     4  size of the payload in bytes
///       56     .  payload; of events: one Cap'n Proto message, souk::schema::Batch, as a flat
///       array
///        .     4  from version 2 on: size of the whole record
///        .     4  from version 2 on: a mark without a zero byte, so that a record which was not
///                 written to its end can be told from one that was damaged later
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

/// Where a record stands in the log of its shard, from 1.
using Offset = std::uint64_t;

namespace limits {
/// No record is larger as encoded; what would encode one aborts. A shard begins another record at
/// half of that (batch_bytes_max), and one command, which is never split, stays below it.
inline constexpr std::size_t record_bytes_max = 16 * 1024 * 1024;
}  // namespace limits

inline constexpr std::size_t batch_header_bytes = 56;
inline constexpr std::size_t batch_trailer_bytes = 8;
/// What is written. From 2 on a record has a trailer.
inline constexpr std::uint8_t batch_format = 2;
inline constexpr std::uint8_t batch_format_with_trailer = 2;

enum class BatchType : std::uint8_t { events = 1, noop = 2, claim = 3, transfer = 4, chunk = 5 };

struct BatchHeader {
  BatchType type = BatchType::events;
  std::uint64_t epoch = 0;
  std::uint64_t incarnation = 0;
  Seq first_seq = 0;
  UnixMs at;
  std::uint64_t chain = 0;
  std::uint32_t count = 0;
  /// Without events: the sequence number before `first_seq`, or 0.
  Seq last_seq() const { return count == 0 && first_seq == 0 ? 0 : first_seq + count - 1; }
};

/// A record on its way to the journal. Of a claim first_seq, last_seq and chain are 0.
struct Batch {
  ShardId shard;
  Offset offset = 0;  // 0: it has none yet
  Seq first_seq = 0;
  Seq last_seq = 0;
  std::uint64_t epoch = 0;
  std::uint64_t chain = 0;  // after it
  std::string bytes;        // header and payload
  /// What the payload says, where whoever encoded it still has it: spares readers the decoding.
  std::vector<Transaction> transactions = {};
};

/// Encodes transactions of one shard. `header.count`, `chain` (taken as that of the record before,
/// replaced by this one's) are filled in.
/// REQUIRES: 1 to limits::batch_events_max events in all; at most limits::record_bytes_max encoded.
std::string encode_batch(BatchHeader& header, const std::vector<Transaction>& transactions);

/// A record of any type with `payload`; the header is taken as it is.
std::string encode_record(const BatchHeader& header, std::string_view payload);

struct DecodedBatch {
  BatchHeader header;
  std::vector<Transaction> transactions;
};
/// Checks version, sizes and crc32c. Errors: corrupt; unsupported (a newer version).
Result<BatchHeader, Fault> decode_batch_header(std::string_view bytes);
Result<DecodedBatch, Fault> decode_batch(std::string_view bytes);
/// The first event of a record, as its header says: nothing is checked. 0 of a claim.
Seq first_seq_of(std::string_view bytes);
/// What stands between header and trailer. REQUIRES: `decode_batch_header` takes `bytes`.
std::string_view record_payload(std::string_view bytes);
/// The transactions of a payload that `header` announces. Errors: corrupt, unsupported.
Result<std::vector<Transaction>, Fault> decode_transactions(const BatchHeader& header,
                                                            std::string_view payload);
/// The chain digest that a record with these bytes must carry after `before`.
std::uint64_t chain_after(std::uint64_t before, Seq first_seq, std::string_view payload);

}  // namespace souk
