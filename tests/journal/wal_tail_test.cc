#include "events/journal/wal_tail.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>

#include "events/crc32c.h"

using namespace souk;

namespace {

enum class Type : std::uint8_t { full = 1, first = 2, middle = 3, last = 4 };
constexpr std::size_t block_bytes = 32 * 1024;

std::string record(Type type, std::size_t size) {
  std::string bytes(7 + size, 'r');
  const auto length = static_cast<std::uint16_t>(size);
  std::memcpy(bytes.data() + 4, &length, 2);
  bytes[6] = static_cast<char>(type);
  const std::uint32_t crc = crc32c(std::string_view(bytes).substr(6));
  const std::uint32_t masked = (crc >> 15 | crc << 17) + 0xA282EAD8U;
  std::memcpy(bytes.data(), &masked, 4);
  return bytes;
}

}  // namespace

TEST_CASE("wal: a log that ends after a record is clean") {
  CHECK(wal_end("").end == WalEnd::clean);
  CHECK(wal_end(record(Type::full, 100) + record(Type::full, 0)).end == WalEnd::clean);
}

TEST_CASE("wal: the filler at the end of a block is passed over") {
  std::string log = record(Type::full, block_bytes - 7 - 3);
  log += std::string(3, '\0');
  CHECK(wal_end(log).end == WalEnd::clean);
  CHECK(wal_end(log + record(Type::full, 10)).end == WalEnd::clean);
  CHECK(wal_end(log + record(Type::full, 10).substr(0, 12)).end == WalEnd::torn);
}

TEST_CASE("wal: a log that ends within a record is torn, wherever") {
  const std::string before = record(Type::full, 100);
  const std::string cut = record(Type::full, 50);
  for (std::size_t size = 1; size < cut.size(); ++size) {
    CAPTURE(size);
    CHECK(wal_end(before + cut.substr(0, size)).end == WalEnd::torn);
  }
}

TEST_CASE("wal: a split record without its end is torn") {
  const std::string first = record(Type::first, block_bytes - 7);
  CHECK(wal_end(first).end == WalEnd::torn);
  CHECK(wal_end(first + record(Type::last, 10)).end == WalEnd::clean);
  CHECK(wal_end(first + record(Type::middle, block_bytes - 7)).end == WalEnd::torn);
  // A power cut may keep the later part of one write and lose the sooner.
  CHECK(wal_end(std::string(block_bytes, '\0') + record(Type::last, 10)).end == WalEnd::torn);
}

TEST_CASE("wal: a record that cannot be read before one that can is damage") {
  for (const std::size_t at : {0, 4, 5, 6, 7, 50}) {
    CAPTURE(at);
    std::string bad = record(Type::full, 100);
    bad[at] = static_cast<char>(bad[at] ^ 0x20);
    CHECK(wal_end(bad + record(Type::full, 10)).end == WalEnd::damaged);
    CHECK(wal_end(bad + record(Type::first, 10)).end == WalEnd::damaged);
    CHECK(wal_end(bad + record(Type::full, 10).substr(0, 16)).end == WalEnd::damaged);
  }
}

TEST_CASE("wal: zeros behind the last record are room, not an end") {
  const std::string log = record(Type::full, 100);
  for (const std::size_t room : {std::size_t{1}, std::size_t{7}, block_bytes, 3 * block_bytes}) {
    CAPTURE(room);
    CHECK(wal_end(log + std::string(room, '\0')).end == WalEnd::clean);
  }
  const std::string split = record(Type::first, block_bytes - 7);
  CHECK(wal_end(split + std::string(block_bytes, '\0')).end == WalEnd::torn);
}

TEST_CASE("wal: a record that stops in zeros is torn") {
  const std::string before = record(Type::full, 100);
  const std::string cut = record(Type::full, 2000);
  const std::string room(2 * block_bytes, '\0');
  for (std::size_t size = 1; size + 8 <= cut.size(); ++size) {
    CAPTURE(size);
    const std::string log = before + cut.substr(0, size) + std::string(cut.size() - size, '\0');
    CHECK(wal_end(log + room).end == WalEnd::torn);
    CHECK(wal_end(log + room).at == before.size());
  }
}

TEST_CASE("wal: a record with a sector that never came is torn") {
  const std::string before = record(Type::full, 100);
  const std::string whole = before + record(Type::full, 2000);
  for (std::size_t sector = 0; sector * 512 < whole.size(); ++sector) {
    CAPTURE(sector);
    std::string log = whole;
    const std::size_t from = std::max(before.size(), sector * 512);
    const std::size_t to = std::min(whole.size(), (sector + 1) * 512);
    std::fill(log.begin() + static_cast<std::ptrdiff_t>(from),
              log.begin() + static_cast<std::ptrdiff_t>(to), '\0');
    CHECK(wal_end(log + std::string(block_bytes, '\0')).end == WalEnd::torn);
  }
}

TEST_CASE("wal: a flipped bit of the last record is damage, whatever follows") {
  const std::string before = record(Type::full, 100);
  const std::string whole = before + record(Type::full, 700);
  for (const std::size_t room : {std::size_t{0}, std::size_t{5}, 2 * block_bytes}) {
    for (std::size_t at = before.size(); at < whole.size(); ++at) {
      CAPTURE(room);
      CAPTURE(at);
      std::string log = whole + std::string(room, '\0');
      log[at] = static_cast<char>(log[at] ^ 0x10);
      CHECK(wal_end(log).end == WalEnd::damaged);
    }
  }
}

TEST_CASE("wal: zeros where an acknowledged record was are damage") {
  const std::string whole = record(Type::full, 1000) + record(Type::full, 10);
  std::string log = whole;
  std::fill(log.begin(), log.begin() + 512, '\0');
  CHECK(wal_end(log).end == WalEnd::damaged);
}

TEST_CASE("wal: a last record that is whole but for its length is damage") {
  std::string bad = record(Type::full, 100);
  bad[5] = 0x40;
  CHECK(wal_end(record(Type::full, 10) + bad).end == WalEnd::damaged);
}
