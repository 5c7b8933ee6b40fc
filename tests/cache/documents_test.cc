#include "gateway/cache/documents.h"

#include <doctest/doctest.h>

#include <string>

using namespace souk;

namespace {

constexpr std::size_t body_bytes = 1'000;

/// A document of a kilobyte that is always current.
Document document(const Freshness& freshness, const std::string& name) {
  Document made;
  made.body = name + std::string(body_bytes - name.size(), '.');
  made.body.shrink_to_fit();
  made.mark = &freshness.mark_of(ShardId{0}, *Sku::parse("never changed"));
  return made;
}

std::string key(int number) { return "/v1/products/p" + std::to_string(number); }

}  // namespace

TEST_CASE("documents: what was put is found, what was not is not, a newer one takes its place") {
  const Freshness freshness(1);
  DocumentCache cache(1 << 20);
  CHECK_FALSE(cache.find("a"));
  cache.put("a", document(freshness, "first"));
  const auto held = cache.find("a");
  REQUIRE(held);
  cache.put("a", document(freshness, "second"));
  CHECK(cache.find("a")->body.starts_with("second"));
  CHECK(held->body.starts_with("first"));  // whoever sends it still has it
}

TEST_CASE("documents: the bytes stay within the bound, with their keys and the table") {
  const Freshness freshness(1);
  constexpr std::size_t bytes_max = 1 << 20;
  DocumentCache cache(bytes_max);
  for (int i = 0; i < 5'000; ++i) {
    cache.put(key(i), document(freshness, key(i)));
    REQUIRE(cache.bytes() <= bytes_max);
  }
  CHECK(cache.bytes() > bytes_max / 2);
  auto large = document(freshness, "large");
  large.body.resize(bytes_max + 1);
  CHECK(cache.put("large", std::move(large))->body.size() == bytes_max + 1);  // sent, not kept
  CHECK_FALSE(cache.find("large"));
}

TEST_CASE("documents: a walk over everything does not push out what is read again and again") {
  const Freshness freshness(1);
  DocumentCache cache(1 << 20);  // about 700 documents
  constexpr int hot = 400, all = 20'000;
  for (int i = 0; i < hot; ++i) cache.put(key(i), document(freshness, key(i)));
  for (int i = 0; i < hot; ++i) REQUIRE(cache.find(key(i)));  // asked for a second time
  for (int i = hot; i < all; ++i) cache.put(key(i), document(freshness, key(i)));
  int there = 0;
  for (int i = 0; i < hot; ++i) there += cache.find(key(i)) ? 1 : 0;
  CHECK(there == hot);
}

TEST_CASE("documents: what was hot makes room for what is hot now") {
  const Freshness freshness(1);
  DocumentCache cache(1 << 20);
  const auto read = [&](int number) {
    if (cache.find(key(number))) return true;
    cache.put(key(number), document(freshness, key(number)));
    return false;
  };
  for (int round = 0; round < 3; ++round)
    for (int i = 0; i < 400; ++i) read(i);
  int hits = 0;
  for (int round = 0; round < 10; ++round)
    for (int i = 1'000; i < 1'100; ++i) hits += read(i) ? 1 : 0;
  CHECK(hits == 900);
}

TEST_CASE("freshness: a copy is current until its entity changes, and again when it is made anew") {
  Freshness freshness(64);
  const ShardId shard{7};
  const EntityKey tea(*Sku::parse("tea"));
  Document copy;
  copy.mark = &freshness.mark_of(shard, tea);
  copy.seq = 10;
  CHECK(copy.current());
  freshness.changed(shard, tea, 10);
  CHECK(copy.current());  // that change is in it
  freshness.changed(shard, tea, 11);
  CHECK_FALSE(copy.current());
  copy.seq = 11;
  CHECK(copy.current());
}

TEST_CASE("freshness: a change that never became durable makes nothing look newer than it is") {
  Freshness freshness(1);
  const EntityKey tea(*Sku::parse("tea"));
  Document copy;
  copy.mark = &freshness.mark_of(ShardId{0}, tea);
  freshness.changed(ShardId{0}, tea, 105);  // failed; the shard goes on at 103
  copy.seq = 102;
  CHECK_FALSE(copy.current());
  freshness.changed(ShardId{0}, tea, 103);
  CHECK_FALSE(copy.current());
  copy.seq = 103;
  CHECK_FALSE(copy.current());  // although it is: too careful until the shard has passed 105
  copy.seq = 106;
  CHECK(copy.current());
}

TEST_CASE("freshness: shards and kinds do not get into each other's way") {
  Freshness freshness(4'096);
  Document copy;
  const EntityKey tea(*Sku::parse("tea"));
  copy.mark = &freshness.mark_of(ShardId{3}, tea);
  copy.seq = 1;
  for (std::uint16_t shard = 0; shard < 4'096; ++shard)
    if (shard != 3) freshness.changed(ShardId{shard}, tea, 9);
  for (std::uint8_t n = 1; n < 255; ++n) {
    Id128 id;
    id.bytes[1] = 3;
    id.bytes[15] = n;
    freshness.changed(ShardId{3}, CartId{id}, 9);
    freshness.changed(ShardId{3}, OrderId{id}, 9);
    freshness.changed(ShardId{3}, UserId{id}, 9);
  }
  CHECK(copy.current());
}
