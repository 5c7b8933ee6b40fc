#include "events/ids.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include "tests/support/samples.h"

using namespace souk;

namespace {
Id128 any_id() {
  Id128 id;
  for (auto& byte : id.bytes) byte = *rc::gen::arbitrary<std::uint8_t>();
  return id;
}
const std::string sample_text = UserId{test::id_filled(0xAB)}.text();
}  // namespace

TEST_CASE("ids: every id is read back from its text") {
  CHECK(rc::check([] {
    const OrderId id{any_id()};
    RC_ASSERT(id.text().size() == 27U);
    RC_ASSERT(id.text()[0] == 'o');
    RC_ASSERT(OrderId::parse(id.text()) == id);
  }));
}

TEST_CASE("ids: the text is lower-case base 32 of the bytes, the first bits first") {
  Id128 id;
  CHECK(id_text('c', id) == "c00000000000000000000000000");
  id.bytes.fill(0xFF);
  CHECK(id_text('c', id) == "czzzzzzzzzzzzzzzzzzzzzzzzzw");
  id.bytes.fill(0);
  id.bytes[0] = 0x08;
  id.bytes[15] = 0x01;
  CHECK(id_text('k', id) == "k10000000000000000000000004");
}

TEST_CASE("ids: the order of texts is the order of ids") {
  CHECK(rc::check([] {
    const Id128 a = any_id();
    const Id128 b = any_id();
    RC_ASSERT((a < b) == (id_text('u', a) < id_text('u', b)));
  }));
}

TEST_CASE("ids: an id has one text and nothing else is one") {
  REQUIRE(UserId::parse(sample_text));
  CHECK_FALSE(UserId::parse(""));
  CHECK_FALSE(UserId::parse("u"));
  CHECK_FALSE(UserId::parse(sample_text + "0"));
  CHECK_FALSE(UserId::parse(sample_text.substr(0, 26)));
  CHECK_FALSE(CartId::parse(sample_text));
  for (const char wrong : {'i', 'l', 'o', 'u', 'A', 'Z', '-', ' ', '\0', '\x80'}) {
    std::string text = sample_text;
    text[5] = wrong;
    CAPTURE(wrong);
    CHECK_FALSE(UserId::parse(text));
  }
  // The last digit carries three bits: the two spare ones must be zero.
  const std::string zero = UserId{}.text();
  for (const char spare : {'1', '2', '3', '5'}) {
    std::string text = zero;
    text.back() = spare;
    CAPTURE(spare);
    CHECK_FALSE(UserId::parse(text));
  }
}

TEST_CASE("ids: raw bytes are 16 or none") {
  CHECK(Id128::from_bytes(std::string(16, 'x')));
  CHECK_FALSE(Id128::from_bytes(std::string(15, 'x')));
  CHECK_FALSE(Id128::from_bytes(std::string(17, 'x')));
  CHECK_FALSE(Id128::from_bytes(""));
}

TEST_CASE("ids: an id carries its shard in front") {
  Id128 id;
  id.bytes[0] = 0x01;
  id.bytes[1] = 0x02;
  CHECK(UserId{id}.shard().value == 0x0102);
}

TEST_CASE("skus: 1 to 64 bytes of UTF-8 without control characters or a slash") {
  CHECK(Sku::parse("85123A"));
  CHECK(Sku::parse("BANK CHARGES"));
  CHECK(Sku::parse(std::string(64, 'x')));
  CHECK(Sku::parse("caf\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x80"));
  CHECK(Sku::parse("\xC2\xA0"));  // the first after C1
  CHECK_FALSE(Sku::parse(""));
  CHECK_FALSE(Sku::parse(std::string(65, 'x')));
  CHECK_FALSE(Sku::parse("a/b"));
  CHECK_FALSE(Sku::parse("a\nb"));
  CHECK_FALSE(Sku::parse(std::string_view("a\0b", 3)));
  CHECK_FALSE(Sku::parse("a\x7F"));
  CHECK_FALSE(Sku::parse("a\xC2\x85"));
  CHECK_FALSE(Sku::parse("a\xFF"));
  CHECK(*Sku::parse("85123A") != *Sku::parse("85123a"));
}

TEST_CASE("entity keys: a person can read one") {
  const Id128 id = test::id_filled(1);
  CHECK(EntityKey(CartId{id}).text() == "cart " + CartId{id}.text());
  CHECK(EntityKey(UserId{id}).text() == "user " + UserId{id}.text());
  CHECK(EntityKey(*Sku::parse("85123A")).text() == "sku 85123A");
  CHECK(EntityKey().text() == "none ");
}

TEST_CASE("entity keys: the same bytes of another kind are another entity") {
  const Id128 id = test::id_filled(1);
  CHECK(EntityKey(CartId{id}) != EntityKey(OrderId{id}));
  CHECK(EntityKey(CartId{id}) == EntityKey(CartId{id}));
}

TEST_CASE("shards: the hash of a routing key never changes") {
  // Stored data depends on these: XXH3, 64 bits.
  CHECK(stable_hash("") == 0x2D06800538D394C2ULL);
  CHECK(stable_hash("85123A") == 28040551145065329ULL);
  CHECK(shard_of("85123A", 64).value == 28040551145065329ULL % 64);
}

TEST_CASE("shards: every routing key has one below the count") {
  CHECK(rc::check([](const std::string& key) {
    const auto shards = *rc::gen::inRange<std::uint32_t>(1, 4097);
    RC_ASSERT(shard_of(key, shards).value < shards);
  }));
  CHECK(shard_of("anything", 1).value == 0);
}
