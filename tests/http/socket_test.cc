#include "gateway/http/socket.h"

#include <doctest/doctest.h>

using namespace souk;

TEST_CASE("socket: connections leave the stores the descriptors that they need") {
  // As shipped, on a machine with many: all that was asked for.
  CHECK(connections_within(12'000, 90, 524'288, 64) == 12'000);
  CHECK(connections_within(12'000, 90, SIZE_MAX, 64) == 12'000);
  // 1,024: a quarter is kept, and what is open already.
  CHECK(connections_within(12'000, 90, 1'024, 64) == 1'024 - 256 - 90 - 64);
  CHECK(connections_within(100, 90, 1'024, 64) == 100);
  // At the bounds of what is kept.
  CHECK(connections_within(12'000, 90, 256, 64) == 256 - 64 - 90 - 64);
  CHECK(connections_within(12'000, 90, 4'096, 64) == 4'096 - 512 - 90 - 64);
  CHECK(connections_within(12'000, 90, 12'000 + 512 + 90 + 64, 64) == 12'000);
  CHECK(connections_within(12'000, 90, 12'000 + 512 + 90 + 63, 64) == 11'999);
  // Too few for anything: a handful all the same.
  CHECK(connections_within(12'000, 90, 64, 64) == 8);
  CHECK(connections_within(3, 90, 64, 64) == 3);
}

TEST_CASE("socket: what is open is counted") {
  const DescriptorUse before = descriptor_use();
  CHECK(before.open > 2);
  const auto listener = Listener::open("127.0.0.1:0", AddressUse::alone);
  REQUIRE(listener.ok());
  CHECK(descriptor_use().open == before.open + 2);  // with the one in reserve
  CHECK(descriptor_use().limit == before.limit);
}
