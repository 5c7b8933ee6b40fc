#pragma once
/// The frames in which nodes exchange keys of persons. On the wire: little endian, changed with a new
/// kind only.
///
///   kind, 1 byte, then
///   1 summary  secret_check u64, then the sums: destroyed 256 * u64, present 256 * u64
///   2 ready    nothing
///   3 want     class u8, bucket u8, after, to, count u32, that many prints u64
///   4 have     class u8, bucket u8, after, to, records
///   5 put      number u64, records
///   6 ack      number u64
///   7 ask      persons
///   8 told     persons that are not known, records
///
///   after, to  length u8, bytes: a place in the vault's store
///   persons    count u32; each: kind u8, id 16 bytes
///   records    count u32; each: kind u8, id 16 bytes, length u16, that many bytes: the wrapped keys;
///              none: destroyed
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "actors/adapters/sodium_shared_keys.h"

namespace souk::cluster {

inline constexpr std::size_t key_frame_bytes_max = 256 << 10;
/// So that a frame has room for them, whatever their kinds.
inline constexpr std::size_t prints_per_frame_max = 16'384;
inline constexpr std::size_t asks_per_frame_max = 64;
/// Of records, as SharedKeys::page counts them: the last one may go beyond by some KB.
inline constexpr std::size_t record_bytes_per_frame = 240 << 10;

/// "This is what I know": sent when a link comes up, and now and then.
struct KeySummary {
  std::uint64_t secret_check = 0;
  KeyDigests digests;
};
/// "I have all tombstones of your first summary": from now on it may be told of keys.
struct KeyReady {};
/// "Send me what I lack of this range": `without` are the prints of what the asker has, ascending.
struct KeyWant {
  KeyRange range;
  std::vector<std::uint64_t> without;
};
/// The answer: `range.to` is how far it went; empty: to the end of what was wanted.
struct KeyHave {
  KeyRange range;
  std::vector<KeyRecord> records;
};
/// News, to be acknowledged once it is durable.
struct KeyPut {
  std::uint64_t number = 0;
  std::vector<KeyRecord> records;
};
struct KeyAck {
  std::uint64_t number = 0;
};
struct KeyAsk {
  std::vector<PersonId> persons;
};
struct KeyTold {
  std::vector<PersonId> absent;
  std::vector<KeyRecord> records;
};
using KeyFrame =
    std::variant<KeySummary, KeyReady, KeyWant, KeyHave, KeyPut, KeyAck, KeyAsk, KeyTold>;

/// REQUIRES: what it holds is within the limits above.
std::string encode(const KeyFrame& frame);
/// Errors: corrupt; unsupported: a kind that a later build may send.
Result<KeyFrame, Fault> decode_key_frame(std::string_view bytes);

}  // namespace souk::cluster
