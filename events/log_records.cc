#include "events/log_records.h"

#include <cstring>

namespace souk {
namespace {

constexpr std::size_t claim_bytes = 8;
constexpr std::size_t transfer_bytes = 24;
constexpr std::size_t chunk_head_bytes = 8;

template <class Integer>
void put(std::string& out, Integer value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}
template <class Integer>
Integer get(std::string_view in, std::size_t at) {
  Integer value;
  std::memcpy(&value, in.data() + at, sizeof value);
  return value;
}

Fault corrupt(const char* what) { return {Fault::Kind::corrupt, std::string("record: ") + what}; }

}  // namespace

std::string encode(const Claim& claim, UnixMs at) {
  std::string payload;
  put(payload, claim.node);
  return encode_record(
      {.type = BatchType::claim, .epoch = claim.epoch, .incarnation = claim.incarnation, .at = at},
      payload);
}

std::string encode(const Transfer& transfer, UnixMs at) {
  std::string payload;
  put(payload, transfer.to_epoch);
  put(payload, transfer.to_incarnation);
  put(payload, transfer.to_node);
  return encode_record({.type = BatchType::transfer,
                        .epoch = transfer.epoch,
                        .incarnation = transfer.incarnation,
                        .at = at},
                       payload);
}

std::string encode(const Noop& noop, UnixMs at) {
  return encode_record({.type = BatchType::noop,
                        .epoch = noop.epoch,
                        .incarnation = noop.incarnation,
                        .first_seq = noop.next_seq,
                        .at = at,
                        .chain = noop.chain},
                       {});
}

std::vector<std::string> encode_chunks(std::string_view record, std::size_t part_bytes) {
  const auto whole = decode_batch_header(record);
  SOUK_ASSERT(whole.ok() && whole->type == BatchType::events && part_bytes > 0);
  const std::string_view payload = record_payload(record);
  const std::size_t parts = (payload.size() + part_bytes - 1) / part_bytes;
  SOUK_ASSERT(parts >= 2 && parts <= UINT32_MAX);
  BatchHeader header = *whole;
  header.type = BatchType::chunk;
  std::vector<std::string> all;
  all.reserve(parts);
  for (std::size_t i = 0; i < parts; ++i) {
    std::string part;
    put(part, static_cast<std::uint32_t>(i));
    put(part, static_cast<std::uint32_t>(parts));
    part += payload.substr(i * part_bytes, part_bytes);
    all.push_back(encode_record(header, part));
  }
  return all;
}

Result<Claim, Fault> decode_claim(const BatchHeader& header, std::string_view payload) {
  if (payload.size() < claim_bytes) return corrupt("a claim that is too short");
  return Claim{.epoch = header.epoch,
               .incarnation = header.incarnation,
               .node = get<std::uint64_t>(payload, 0)};
}

Result<Transfer, Fault> decode_transfer(const BatchHeader& header, std::string_view payload) {
  if (payload.size() < transfer_bytes) return corrupt("a transfer that is too short");
  return Transfer{.epoch = header.epoch,
                  .incarnation = header.incarnation,
                  .to_epoch = get<std::uint64_t>(payload, 0),
                  .to_incarnation = get<std::uint64_t>(payload, 8),
                  .to_node = get<std::uint64_t>(payload, 16)};
}

Result<Chunk, Fault> decode_chunk(std::string_view payload) {
  if (payload.size() < chunk_head_bytes) return corrupt("a part that is too short");
  const Chunk chunk{.index = get<std::uint32_t>(payload, 0),
                    .parts = get<std::uint32_t>(payload, 4),
                    .bytes = payload.substr(chunk_head_bytes)};
  if (chunk.parts < 2 || chunk.index >= chunk.parts) return corrupt("a part of no whole");
  return chunk;
}

}  // namespace souk
