#include "events/journal/wal_tail.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <string>
#include <system_error>

#include "events/batch.h"
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
constexpr std::uint8_t type_middle = 3;
constexpr std::uint8_t type_last = 4;

/// What a disk writes whole or not at all.
constexpr std::size_t sector_bytes = 512;
/// A batch record of version 1 ends in fewer zeros than this, as a rule.
constexpr std::size_t zero_tail_bytes = 8;
/// Before the first value of a write: sequence number, count, tag, and a key behind its size.
constexpr std::size_t write_head_bytes = 8 + 4 + 1;

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

/// What a byte does to a CRC-32C register; the top bytes of the entries are all different.
struct CrcTable {
  std::array<std::uint32_t, 256> of{};
  std::array<std::uint8_t, 256> by_top{};
  constexpr CrcTable() {
    for (std::uint32_t byte = 0; byte < 256; ++byte) {
      std::uint32_t crc = byte;
      for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ (crc & 1 ? 0x82F63B78U : 0U);
      of[byte] = crc;
      by_top[crc >> 24] = static_cast<std::uint8_t>(byte);
    }
  }
};
constexpr CrcTable crc_table;

/// Whether the record at `at` is whole but for its length.
bool only_length_differs(std::string_view log, std::size_t at) {
  const std::size_t end = room_end(log, at);
  if (at + header_bytes > end) return false;  // not even its header is there
  const std::uint32_t stored = stored_checksum(log, at);
  std::uint32_t crc = 0xFFFFFFFFU;  // of all from the type on
  for (std::size_t byte = at + type_at; byte < end; ++byte) {
    crc = crc >> 8 ^ crc_table.of[(crc ^ static_cast<std::uint8_t>(log[byte])) & 0xFF];
    if (stored == masked(~crc)) return true;
  }
  return false;
}

/// Whether the record from `at` to `end` has its checksum but for one byte that changed, in the
/// checksum or in what it covers. The difference of two checksums depends on the changed byte and
/// its distance from the end alone: it is run back byte by byte until it is that of one byte.
bool one_byte_differs(std::string_view log, std::size_t at, std::size_t end) {
  const std::uint32_t computed = crc32c(log.substr(at + type_at, end - at - type_at));
  const std::uint32_t stored = stored_checksum(log, at);
  for (int shift = 0; shift < 32; shift += 8)
    if (((stored ^ masked(computed)) & ~(0xFFU << shift)) == 0) return true;
  const std::uint32_t rotated = stored - 0xA282EAD8U;
  std::uint32_t difference = (rotated >> 17 | rotated << 15) ^ computed;
  for (std::size_t byte = at + type_at; byte < end; ++byte) {
    const std::uint8_t changed = crc_table.by_top[difference >> 24];
    difference ^= crc_table.of[changed];
    if (difference == 0) return true;
    difference = difference << 8 | changed;
  }
  return false;
}

/// Where a record stands: at the start of a write, or in one that began before.
enum class Place { first, inside };

bool type_fits(std::uint8_t type, Place place) {
  return place == Place::first ? type == type_full || type == type_first
                               : type == type_middle || type == type_last;
}

/// Where the write ends of which a record stands at `at`; 0: its end never came to the disk.
/// REQUIRES: its type fits.
std::size_t write_end(std::string_view log, std::size_t at, Place place) {
  while (at + header_bytes <= log.size()) {
    const std::uint8_t type = type_of(log, at);
    const std::size_t end = at + header_bytes + length_of(log, at);
    if (!type_fits(type, place) || end > room_end(log, at)) return 0;
    if (type == type_full || type == type_last) return end;
    place = Place::inside;
    at = next_record(end);
  }
  return 0;
}

/// The first bytes of the write at `at`, put together from its records as far as those are there.
std::string write_begin(std::string_view log, std::size_t at, std::size_t bytes) {
  std::string begin;
  while (begin.size() < bytes && at + header_bytes <= log.size()) {
    const std::size_t end = std::min(at + header_bytes + length_of(log, at), room_end(log, at));
    begin += log.substr(at + header_bytes, end - at - header_bytes);
    if (end == at + header_bytes) break;
    at = next_record(end);
  }
  begin.resize(std::min(begin.size(), bytes));
  return begin;
}

/// Whether the write at `at` holds a batch record with a trailer, as far as its bytes can be
/// believed: one changed bit makes no old version a new one.
bool has_trailer(std::string_view log, std::size_t at) {
  const std::string begin = write_begin(log, at, write_head_bytes + 64);
  if (begin.size() <= write_head_bytes) return false;
  std::size_t value = write_head_bytes + 1 + static_cast<std::uint8_t>(begin[write_head_bytes]);
  while (value < begin.size() && (begin[value] & 0x80) != 0) ++value;  // its size, a varint
  // Version, type and no flags: bytes that are read at the wrong place do not look like that.
  return value + 4 < begin.size() &&
         static_cast<std::uint8_t>(begin[value + 1]) == batch_format_with_trailer &&
         begin[value + 3] == 0 && begin[value + 4] == 0;
}

bool misses_sector(std::string_view log, std::size_t at, std::size_t end) {
  for (std::size_t from = at; from < end;) {
    const std::size_t to = std::min(end, (from / sector_bytes + 1) * sector_bytes);
    if (all_zero(log.substr(from, to - from))) return true;
    from = to;
  }
  return false;
}

/// Whether bytes of the last write never came to the disk. It began at `write`, its record at `at`
/// cannot be read, and `last` is the last byte of the log that is not zero.
bool unfinished(std::string_view log, std::size_t write, std::size_t at, std::size_t last) {
  if (at + header_bytes > log.size() || last < at + header_bytes) return true;
  if (type_of(log, at) == 0 && length_of(log, at) == 0) return true;
  const std::size_t end = at + header_bytes + length_of(log, at);
  if (end > log.size()) return true;
  const Place place = at == write ? Place::first : Place::inside;
  const bool fits = type_fits(type_of(log, at), place);
  const bool trailer = has_trailer(log, write);
  if (fits && end <= room_end(log, at)) {
    const std::size_t write_to = write_end(log, at, place);
    if (write_to == 0 || (trailer && log[write_to - 1] == '\0')) return true;
  }
  if (one_byte_differs(log, at, std::min(end, room_end(log, at)))) return false;
  if (misses_sector(log, at, end)) return true;
  if (trailer && fits) return false;
  return end - at >= zero_tail_bytes &&
         all_zero(log.substr(end - zero_tail_bytes, zero_tail_bytes));
}

/// 0, or an errno. What was read in part must not be judged: it looks torn.
int read_whole(const std::filesystem::path& path, std::string& into) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return errno;
  constexpr std::size_t piece_bytes = 1 << 20;
  int why = 0;
  for (;;) {
    const std::size_t held = into.size();
    into.resize(held + piece_bytes);
    const ssize_t got = ::read(file, into.data() + held, piece_bytes);
    if (got < 0) why = errno;
    into.resize(held + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    if (got == 0 || (why != 0 && why != EINTR)) break;
    why = 0;
  }
  ::close(file);
  return why;
}

}  // namespace

WalVerdict wal_end(std::string_view log) {
  std::size_t at = 0;
  std::size_t write = 0;  // where the write of the record at `at` began
  bool inside = false;    // of a record that was split
  for (std::size_t end = 0; at < log.size() && (end = intact_end(log, at)) != 0;) {
    inside = type_of(log, at) != type_full && type_of(log, at) != type_last;
    at = next_record(end);
    if (!inside) write = at;
  }
  const WalEnd split = inside ? WalEnd::torn : WalEnd::clean;
  if (at >= log.size()) return {split, {}, log.size()};
  // Nothing can begin behind the last byte that is not zero.
  const std::size_t last = log.find_last_not_of('\0');
  if (last == std::string_view::npos || last < at) return {split, {}, at};
  if (only_length_differs(log, at)) return {WalEnd::damaged, {}, at};
  for (std::size_t later = at + 1; later <= last && later + header_bytes <= log.size(); ++later) {
    const std::uint8_t type = type_of(log, later);
    if (type != type_full && type != type_first) continue;
    if (intact_end(log, later) != 0) return {WalEnd::damaged, {}, at};
  }
  return {unfinished(log, write, at, last) ? WalEnd::torn : WalEnd::damaged, {}, at};
}

Result<WalVerdict, Fault> worst_wal_end(const std::filesystem::path& directory) {
  WalVerdict worst;
  std::error_code error;
  for (std::filesystem::directory_iterator file(directory, error), end; !error && file != end;
       file.increment(error)) {
    if (file->path().extension() != ".log") continue;
    std::error_code unknown;
    if (!file->is_regular_file(unknown)) return WalVerdict{WalEnd::damaged, file->path(), 0};
    std::string log;
    if (const int why = read_whole(file->path(), log); why != 0) {
      return Fault{Fault::Kind::unavailable,
                   fmt::format("{}: cannot be read: {}", file->path().string(),
                               std::generic_category().message(why))};
    }
    WalVerdict verdict = wal_end(log);
    if (verdict.end <= worst.end) continue;
    worst = std::move(verdict);
    worst.log = file->path();
  }
  return worst;
}

}  // namespace souk
