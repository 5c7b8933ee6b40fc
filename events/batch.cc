#include "events/batch.h"

#define XXH_STATIC_LINKING_ONLY  // for a hash state on the stack
#include <xxhash.h>

#include <bit>
#include <cstring>

#include "events/crc32c.h"
#include "events/event_codec.h"

namespace souk {
namespace {

static_assert(std::endian::native == std::endian::little, "records are little endian");

constexpr std::size_t version_at = 0;
constexpr std::size_t type_at = 1;
constexpr std::size_t flags_at = 2;
constexpr std::size_t crc_at = 4;
constexpr std::size_t epoch_at = 8;
constexpr std::size_t incarnation_at = 16;
constexpr std::size_t first_seq_at = 24;
constexpr std::size_t time_at = 32;
constexpr std::size_t chain_at = 40;
constexpr std::size_t count_at = 48;
constexpr std::size_t payload_size_at = 52;
/// No byte of it is zero, nor becomes zero when one bit changes.
constexpr std::uint32_t end_mark = 0xD7B45AE9;

template <class Integer>
void store(std::string& bytes, std::size_t at, Integer value) {
  std::memcpy(bytes.data() + at, &value, sizeof value);
}
template <class Integer>
Integer load(std::string_view bytes, std::size_t at) {
  Integer value;
  std::memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}

std::uint32_t crc_of(std::string_view bytes) {
  return crc32c(bytes.substr(0, crc_at), bytes.substr(epoch_at));
}

Fault corrupt(const char* what) {
  return {Fault::Kind::corrupt, std::string("batch record: ") + what};
}
Fault unsupported(const char* what) {
  return {Fault::Kind::unsupported,
          std::string("batch record: ") + what + " that this version does not know"};
}

}  // namespace

namespace {

/// Fills in header and trailer around the payload that `bytes` already holds.
void frame(std::string& bytes, const BatchHeader& header) {
  const std::size_t payload = bytes.size() - batch_header_bytes;
  SOUK_ASSERT(payload + batch_header_bytes + batch_trailer_bytes <= limits::record_bytes_max);
  store(bytes, version_at, batch_format);
  store(bytes, type_at, static_cast<std::uint8_t>(header.type));
  store(bytes, flags_at, std::uint16_t{0});
  store(bytes, epoch_at, header.epoch);
  store(bytes, incarnation_at, header.incarnation);
  store(bytes, first_seq_at, header.first_seq);
  store(bytes, time_at, header.at.value);
  store(bytes, chain_at, header.chain);
  store(bytes, count_at, header.count);
  store(bytes, payload_size_at, static_cast<std::uint32_t>(payload));
  const std::size_t trailer_at = bytes.size();
  bytes.resize(trailer_at + batch_trailer_bytes);
  store(bytes, trailer_at, static_cast<std::uint32_t>(bytes.size()));
  store(bytes, trailer_at + 4, end_mark);
  store(bytes, crc_at, crc_of(bytes));
}

}  // namespace

std::string encode_batch(BatchHeader& header, const std::vector<Transaction>& transactions) {
  std::size_t count = 0;
  for (const Transaction& transaction : transactions) {
    SOUK_ASSERT(!transaction.events.empty());
    count += transaction.events.size();
  }
  SOUK_ASSERT(count > 0 && count <= limits::batch_events_max);
  std::string bytes(batch_header_bytes, '\0');
  append_payload(bytes, transactions);
  const auto payload = std::string_view(bytes).substr(batch_header_bytes);
  header.count = static_cast<std::uint32_t>(count);
  header.chain = chain_after(header.chain, header.first_seq, payload);
  frame(bytes, header);
  return bytes;
}

std::string encode_record(const BatchHeader& header, std::string_view payload) {
  std::string bytes;
  bytes.reserve(batch_header_bytes + payload.size() + batch_trailer_bytes);
  bytes.resize(batch_header_bytes);
  bytes += payload;
  frame(bytes, header);
  return bytes;
}

Seq first_seq_of(std::string_view bytes) {
  return bytes.size() < batch_header_bytes ? 0 : load<Seq>(bytes, first_seq_at);
}

std::string_view record_payload(std::string_view bytes) {
  return bytes.substr(batch_header_bytes, load<std::uint32_t>(bytes, payload_size_at));
}

Result<BatchHeader, Fault> decode_batch_header(std::string_view bytes) {
  if (bytes.size() < batch_header_bytes) return corrupt("shorter than its header");
  if (load<std::uint32_t>(bytes, crc_at) != crc_of(bytes)) return corrupt("the checksum differs");
  const auto version = load<std::uint8_t>(bytes, version_at);
  if (version > batch_format) return unsupported("a format version");
  if (version == 0) return corrupt("no format version");
  if (load<std::uint16_t>(bytes, flags_at) != 0) return unsupported("a flag");
  const auto type = load<std::uint8_t>(bytes, type_at);
  if (type > static_cast<std::uint8_t>(BatchType::chunk)) return unsupported("a type");
  if (type < static_cast<std::uint8_t>(BatchType::events)) return corrupt("no type");
  const std::size_t trailer = version < batch_format_with_trailer ? 0 : batch_trailer_bytes;
  if (std::uint64_t{load<std::uint32_t>(bytes, payload_size_at)} + batch_header_bytes + trailer !=
      bytes.size())
    return corrupt("the size of the payload differs");
  if (trailer != 0 && (load<std::uint32_t>(bytes, bytes.size() - 8) != bytes.size() ||
                       load<std::uint32_t>(bytes, bytes.size() - 4) != end_mark))
    return corrupt("it does not end as a record does");
  BatchHeader header;
  header.type = static_cast<BatchType>(type);
  header.epoch = load<std::uint64_t>(bytes, epoch_at);
  header.incarnation = load<std::uint64_t>(bytes, incarnation_at);
  header.first_seq = load<std::uint64_t>(bytes, first_seq_at);
  header.at = {load<std::int64_t>(bytes, time_at)};
  header.chain = load<std::uint64_t>(bytes, chain_at);
  header.count = load<std::uint32_t>(bytes, count_at);
  if (header.type == BatchType::events) {
    if (header.first_seq == 0 || header.count == 0) return corrupt("no sequence number");
    if (header.last_seq() < header.first_seq) return corrupt("a sequence number beyond the last");
  }
  return header;
}

Result<DecodedBatch, Fault> decode_batch(std::string_view bytes) {
  const auto header = decode_batch_header(bytes);
  if (!header) return header.error();
  DecodedBatch batch{*header, {}};
  if (header->type != BatchType::events) return batch;
  auto transactions = decode_transactions(*header, record_payload(bytes));
  if (!transactions) return transactions.error();
  batch.transactions = std::move(*transactions);
  return batch;
}

Result<std::vector<Transaction>, Fault> decode_transactions(const BatchHeader& header,
                                                            std::string_view payload) {
  auto transactions = decode_payload(payload);
  if (!transactions) return transactions;
  std::size_t count = 0;
  for (const Transaction& transaction : *transactions) count += transaction.events.size();
  if (count != header.count) return corrupt("the count of events differs");
  return transactions;
}

std::uint64_t chain_after(std::uint64_t before, Seq first_seq, std::string_view payload) {
  XXH3_state_t state;
  XXH3_INITSTATE(&state);
  XXH3_64bits_reset(&state);
  XXH3_64bits_update(&state, &before, sizeof before);
  XXH3_64bits_update(&state, &first_seq, sizeof first_seq);
  XXH3_64bits_update(&state, payload.data(), payload.size());
  return XXH3_64bits_digest(&state);
}

}  // namespace souk
