#pragma once
/// The records that carry no events of their own: how a shard's log says who may write to it, and
/// how a record that is too large for one message is sent in parts. All have the header and trailer
/// of events/batch.h; payloads are little endian. Embedded on disk: do not change, only add.
///
///   no-op     first_seq  the next sequence number; count 0; chain: that of the record before
///             payload    none
///   claim     epoch and incarnation are those that are claimed; first_seq, count and chain 0
///             payload     0  8  node
///   transfer  epoch and incarnation are those of the owner that gives the shard away
///             payload     0  8  to_epoch   8  8  to_incarnation   16  8  to_node
///   chunk     epoch to count are those of the whole record
///             payload     0  4  index, from 0   4  4  count of parts   8  .  the part's bytes of
///                                               the whole record's payload
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "events/batch.h"

namespace souk {

struct Claim {
  std::uint64_t epoch = 0;
  std::uint64_t incarnation = 0;
  std::uint64_t node = 0;
};
struct Transfer {
  std::uint64_t epoch = 0;
  std::uint64_t incarnation = 0;
  std::uint64_t to_epoch = 0;
  std::uint64_t to_incarnation = 0;
  std::uint64_t to_node = 0;
};
struct Noop {
  std::uint64_t epoch = 0;
  std::uint64_t incarnation = 0;
  Seq next_seq = 0;
  std::uint64_t chain = 0;  // of the record before
};
struct Chunk {
  std::uint32_t index = 0;
  std::uint32_t parts = 0;
  std::string_view bytes;
};

std::string encode(const Claim& claim, UnixMs at);
std::string encode(const Transfer& transfer, UnixMs at);
std::string encode(const Noop& noop, UnixMs at);
/// The parts of `record`, a record of events, each with at most `part_bytes` of its payload.
/// REQUIRES: part_bytes > 0, and there are at least two parts.
std::vector<std::string> encode_chunks(std::string_view record, std::size_t part_bytes);

/// Errors of all: corrupt, where the payload has not the size or the values that it must.
Result<Claim, Fault> decode_claim(const BatchHeader& header, std::string_view payload);
Result<Transfer, Fault> decode_transfer(const BatchHeader& header, std::string_view payload);
/// `bytes` points into `payload`.
Result<Chunk, Fault> decode_chunk(std::string_view payload);

}  // namespace souk
