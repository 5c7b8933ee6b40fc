#include "events/journal/anchor.h"

#include <algorithm>

#include "events/crc32c.h"

namespace souk {
namespace {

constexpr std::size_t check_bytes = 4;
constexpr std::size_t id_bytes = sizeof(Id128::bytes);
constexpr std::size_t journal_anchor_bytes = id_bytes + 4 + check_bytes;
constexpr std::size_t journal_marks_bytes = 3 * 8 + check_bytes + 1;
constexpr std::size_t store_anchor_bytes = id_bytes + 4 + 2 * 8 + check_bytes + 1;
/// No single changed bit makes it a zero, which would look like a write that was not finished.
constexpr char last_byte = static_cast<char>(0xB5);

void put(std::string& out, std::uint64_t value, std::size_t bytes) {
  for (std::size_t i = 0; i < bytes; ++i) out.push_back(static_cast<char>(value >> (8 * i) & 0xff));
}
std::uint64_t take(std::string_view& bytes, std::size_t count) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < count; ++i) {
    value |= static_cast<std::uint64_t>(static_cast<unsigned char>(bytes[i])) << (8 * i);
  }
  bytes.remove_prefix(count);
  return value;
}
Id128 take_id(std::string_view& bytes) {
  Id128 id;
  std::copy_n(bytes.begin(), id_bytes, id.bytes.begin());
  bytes.remove_prefix(id_bytes);
  return id;
}
bool check_holds(std::string_view bytes) {
  const auto body = bytes.substr(0, bytes.size() - check_bytes);
  bytes.remove_prefix(body.size());
  return take(bytes, check_bytes) == crc32c(body);
}

}  // namespace

std::string encode(const JournalAnchor& anchor) {
  std::string out(anchor.directory.view());
  put(out, anchor.shards, 4);
  put(out, crc32c(out), check_bytes);
  return out;
}

std::optional<JournalAnchor> decode_journal_anchor(std::string_view bytes) {
  if (bytes.size() != journal_anchor_bytes || !check_holds(bytes)) return std::nullopt;
  JournalAnchor anchor;
  anchor.directory = take_id(bytes);
  anchor.shards = static_cast<std::uint32_t>(take(bytes, 4));
  return anchor;
}

std::string encode(const JournalMarks& marks) {
  std::string out;
  for (const auto value : {marks.writes, marks.keys, marks.provider}) put(out, value, 8);
  put(out, crc32c(out), check_bytes);
  out.push_back(last_byte);
  return out;
}

std::optional<JournalMarks> decode_journal_marks(std::string_view bytes) {
  if (bytes.size() != journal_marks_bytes || bytes.back() != last_byte) return std::nullopt;
  bytes.remove_suffix(1);
  if (!check_holds(bytes)) return std::nullopt;
  JournalMarks marks;
  marks.writes = take(bytes, 8);
  marks.keys = take(bytes, 8);
  marks.provider = take(bytes, 8);
  return marks;
}

std::string encode(const StoreAnchor& anchor) {
  std::string out(anchor.directory.view());
  put(out, anchor.shards, 4);
  put(out, anchor.writes, 8);
  put(out, anchor.journal, 8);
  put(out, crc32c(out), check_bytes);
  out.push_back(last_byte);
  return out;
}

std::optional<StoreAnchor> decode_store_anchor(std::string_view bytes) {
  if (bytes.size() != store_anchor_bytes || bytes.back() != last_byte) return std::nullopt;
  bytes.remove_suffix(1);
  if (!check_holds(bytes)) return std::nullopt;
  StoreAnchor anchor;
  anchor.directory = take_id(bytes);
  anchor.shards = static_cast<std::uint32_t>(take(bytes, 4));
  anchor.writes = take(bytes, 8);
  anchor.journal = take(bytes, 8);
  return anchor;
}

}  // namespace souk
