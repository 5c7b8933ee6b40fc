#include "events/journal/wal_tail.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>

#include "events/crc32c.h"

namespace souk {
namespace {

// A log is blocks of 32 KiB; a record is a header (masked crc32c of all that follows the length;
// length, 2 bytes; type, 1 byte) and its bytes, and does not cross a block. What does not fit is
// split into a first, middles and a last. All integers are little endian.
constexpr std::size_t block_bytes = 32 * 1024;
constexpr std::size_t header_bytes = 7;
constexpr std::size_t length_at = 4;
constexpr std::size_t type_at = 6;
constexpr std::uint8_t type_full = 1;
constexpr std::uint8_t type_first = 2;
constexpr std::uint8_t type_last = 4;

/// What a disk writes whole or not at all.
constexpr std::size_t sector_bytes = 512;
/// A packed batch ends in fewer zeros than this.
constexpr std::size_t zero_tail_bytes = 8;

std::uint32_t masked(std::uint32_t crc) { return (crc >> 15 | crc << 17) + 0xA282EAD8U; }

std::uint8_t type_of(std::string_view log, std::size_t at) {
  return static_cast<std::uint8_t>(log[at + type_at]);
}

/// Where the block of `at`, or the log, ends.
std::size_t room_end(std::string_view log, std::size_t at) {
  return std::min(log.size(), (at / block_bytes + 1) * block_bytes);
}

std::uint16_t length_of(std::string_view log, std::size_t at) {
  std::uint16_t length;
  std::memcpy(&length, log.data() + at + length_at, sizeof length);
  return length;
}

std::uint32_t stored_checksum(std::string_view log, std::size_t at) {
  std::uint32_t stored;
  std::memcpy(&stored, log.data() + at, sizeof stored);
  return stored;
}

/// Whether the record at `at`, if it ended at `end`, has the checksum that it claims.
bool checksum_holds(std::string_view log, std::size_t at, std::size_t end) {
  return stored_checksum(log, at) == masked(crc32c(log.substr(at + type_at, end - at - type_at)));
}

bool all_zero(std::string_view bytes) {
  return bytes.find_first_not_of('\0') == std::string_view::npos;
}

/// The end of the intact record at `at`, or 0.
std::size_t intact_end(std::string_view log, std::size_t at) {
  if (at + header_bytes > room_end(log, at)) return 0;
  const std::uint8_t type = type_of(log, at);
  if (type < type_full || type > type_last) return 0;
  const std::size_t end = at + header_bytes + length_of(log, at);
  if (end > room_end(log, at) || !checksum_holds(log, at, end)) return 0;
  return end;
}

/// Where a record that follows one that ended at `at` begins.
std::size_t next_record(std::size_t at) {
  const std::size_t block_left = block_bytes - at % block_bytes;
  return block_left < header_bytes ? at + block_left : at;
}

/// Whether the record at `at` is whole but for its length. `last`: the last byte of the log that is
/// not zero, which ends it or nearly so.
bool only_length_differs(std::string_view log, std::size_t at, std::size_t last) {
  const std::size_t end = std::min(room_end(log, at), last + 1 + zero_tail_bytes);
  for (std::size_t size = header_bytes; at + size <= end; ++size)
    if (checksum_holds(log, at, at + size)) return true;
  return false;
}

/// Whether bytes of the unreadable last record at `at` never came to the disk.
bool unfinished(std::string_view log, std::size_t at) {
  if (at + header_bytes > log.size()) return true;
  if (type_of(log, at) == 0 && length_of(log, at) == 0) return true;
  const std::size_t end = at + header_bytes + length_of(log, at);
  if (end > log.size()) return true;
  for (std::size_t from = at; from < end;) {
    const std::size_t to = std::min(end, (from / sector_bytes + 1) * sector_bytes);
    if (all_zero(log.substr(from, to - from))) return true;
    from = to;
  }
  return end - at >= zero_tail_bytes &&
         all_zero(log.substr(end - zero_tail_bytes, zero_tail_bytes));
}

}  // namespace

WalVerdict wal_end(std::string_view log) {
  std::size_t at = 0;
  bool inside = false;  // of a record that was split
  for (std::size_t end = 0; at < log.size() && (end = intact_end(log, at)) != 0;) {
    inside = type_of(log, at) != type_full && type_of(log, at) != type_last;
    at = next_record(end);
  }
  const WalEnd split = inside ? WalEnd::torn : WalEnd::clean;
  if (at >= log.size()) return {split, {}, log.size()};
  // Nothing can begin behind the last byte that is not zero.
  const std::size_t last = log.find_last_not_of('\0');
  if (last == std::string_view::npos || last < at) return {split, {}, at};
  if (only_length_differs(log, at, last)) return {WalEnd::damaged, {}, at};
  for (std::size_t later = at + 1; later <= last && later + header_bytes <= log.size(); ++later) {
    const std::uint8_t type = type_of(log, later);
    if (type != type_full && type != type_first) continue;
    if (intact_end(log, later) != 0) return {WalEnd::damaged, {}, at};
  }
  return {unfinished(log, at) ? WalEnd::torn : WalEnd::damaged, {}, at};
}

WalVerdict worst_wal_end(const std::filesystem::path& directory) {
  WalVerdict worst;
  std::error_code error;
  for (std::filesystem::directory_iterator file(directory, error), end; !error && file != end;
       file.increment(error)) {
    if (file->path().extension() != ".log") continue;
    std::error_code unknown;
    if (!file->is_regular_file(unknown)) return {WalEnd::damaged, file->path(), 0};
    std::ifstream in(file->path(), std::ios::binary);
    const std::string log{std::istreambuf_iterator<char>(in), {}};
    WalVerdict verdict = wal_end(log);
    if (verdict.end <= worst.end) continue;
    worst = std::move(verdict);
    worst.log = file->path();
  }
  return worst;
}

}  // namespace souk
