#include "events/wal_tail.h"

#include <doctest/doctest.h>

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
  CHECK(wal_end("") == WalEnd::clean);
  CHECK(wal_end(record(Type::full, 100) + record(Type::full, 0)) == WalEnd::clean);
}

TEST_CASE("wal: the filler at the end of a block is passed over") {
  std::string log = record(Type::full, block_bytes - 7 - 3);
  log += std::string(3, '\0');
  CHECK(wal_end(log) == WalEnd::clean);
  CHECK(wal_end(log + record(Type::full, 10)) == WalEnd::clean);
  CHECK(wal_end(log + record(Type::full, 10).substr(0, 12)) == WalEnd::torn);
}

TEST_CASE("wal: a log that ends within a record is torn, wherever") {
  const std::string before = record(Type::full, 100);
  const std::string cut = record(Type::full, 50);
  for (std::size_t size = 1; size < cut.size(); ++size) {
    CAPTURE(size);
    CHECK(wal_end(before + cut.substr(0, size)) == WalEnd::torn);
  }
}

TEST_CASE("wal: a split record without its end is torn") {
  const std::string first = record(Type::first, block_bytes - 7);
  CHECK(wal_end(first) == WalEnd::torn);
  CHECK(wal_end(first + record(Type::last, 10)) == WalEnd::clean);
  CHECK(wal_end(first + record(Type::middle, block_bytes - 7)) == WalEnd::torn);
  // A power cut may keep the later part of one write and lose the sooner.
  CHECK(wal_end(std::string(block_bytes, '\0') + record(Type::last, 10)) == WalEnd::torn);
}

TEST_CASE("wal: a record that cannot be read before one that can is damage") {
  for (const std::size_t at : {0, 4, 5, 6, 7, 50}) {
    CAPTURE(at);
    std::string bad = record(Type::full, 100);
    bad[at] = static_cast<char>(bad[at] ^ 0x20);
    CHECK(wal_end(bad + record(Type::full, 10)) == WalEnd::damaged);
    CHECK(wal_end(bad + record(Type::first, 10)) == WalEnd::damaged);
    CHECK(wal_end(bad + record(Type::full, 10).substr(0, 16)) == WalEnd::torn);
  }
}

TEST_CASE("wal: a last record that is whole but for its length is damage") {
  std::string bad = record(Type::full, 100);
  bad[5] = 0x40;
  CHECK(wal_end(record(Type::full, 10) + bad) == WalEnd::damaged);
}
