#include <doctest/doctest.h>

#include <algorithm>
#include <fstream>
#include <random>

#include "tests/cluster_keys/world.h"

using namespace souk;
using namespace souk::cluster;
using namespace souk::cluster::test;

namespace {

std::vector<PersonId> crowd(std::uint64_t from, std::uint64_t to,
                            std::optional<std::uint8_t> bucket = {}) {
  std::vector<PersonId> all;
  for (auto n = from; n < to; ++n) all.push_back(person(Kind::user, n, bucket));
  return all;
}

std::string read_all(const fs::path& folder) {
  std::string all;
  for (const auto& entry : fs::directory_iterator(folder)) {
    std::ifstream in(entry.path(), std::ios::binary);
    all.append(std::istreambuf_iterator<char>(in), {});
  }
  return all;
}

}  // namespace

TEST_CASE("cluster keys: a new empty node gets all keys, and a cut costs no more than a frame") {
  World world({"a", "b"}, 0);
  const auto persons = crowd(0, 9'000, std::uint8_t{7});  // one bucket: some frames
  REQUIRE(world.ensure("a", persons).ok());
  const auto last = world.sealed("a", persons[8'999], "Grace");
  std::size_t bytes = 0, frames = 0;
  world.net.on_the_way = [&](const Net::Pair& pair, std::string frame) {
    const auto read = decode_key_frame(frame).value();
    if (pair.first != "a" || !std::holds_alternative<KeyHave>(read)) return frame;
    bytes += frame.size();
    ++frames;
    return frames % 2 == 0 ? std::string() : frame;
  };
  for (int i = 0; i < 50; ++i) {
    world.link_all();
    for (int n = 0; n < 10 && world.pump(); ++n) {
    }
    const bool lost = frames % 2 == 0 && frames > 0;
    if (lost) world.cut("a", "b");
    world.tick(1'000);
  }
  CHECK(world.read("b", persons[8'999], last) == "Grace");
  for (const auto& person : persons) REQUIRE(world["b"].vault->seal(person, "x").ok());
  constexpr std::size_t record = 19 + 72;
  CHECK(bytes > persons.size() * record);
  CHECK(bytes < 2 * persons.size() * record + (1 << 20));
}

TEST_CASE(
    "cluster keys: where nothing differs a link costs two summaries, and where little differs "
    "little") {
  World world({"a", "b"}, 0);
  world.link_all();
  REQUIRE(world.ensure("a", crowd(0, 3'000)).ok());
  world.quiet();
  std::size_t bytes = 0;
  world.net.on_the_way = [&](const Net::Pair&, std::string frame) {
    bytes += frame.size();
    return frame;
  };
  world.cut("a", "b");
  world.pump_all();
  world.link_all();
  world.pump_all();
  CHECK(bytes > 0);
  CHECK(bytes < 2 * (4'200 + 100));
  world.cut("a", "b");
  world.pump_all();
  REQUIRE(world.ensure("a", crowd(5'000, 5'001)).ok());
  bytes = 0;
  world.link_all();
  world.quiet();
  CHECK(world["b"].vault->seal(user(5'000), "x").ok());
  CHECK(bytes < 12 * 4'200);
}

TEST_CASE("cluster keys: a peer is pulled from no faster than the limit") {
  World world({"a", "b"}, 0);
  world.options.limits.pull_bytes_per_tick = 1;  // one question a tick
  for (const auto* name : {"a", "b"}) world.crash(name);
  REQUIRE(world.ensure("a", crowd(0, 9'000, std::uint8_t{7})).ok());
  std::size_t haves = 0;
  world.net.on_the_way = [&](const Net::Pair& pair, std::string frame) {
    haves += pair.first == "a" && std::holds_alternative<KeyHave>(decode_key_frame(frame).value());
    return frame;
  };
  world.link_all();
  world.pump_all();
  for (int ticks = 1; ticks <= 3; ++ticks) {
    world.tick(10);
    world.pump_all();
    CHECK(haves <= static_cast<std::size_t>(ticks));
  }
  CHECK(haves >= 2);
}

TEST_CASE("cluster keys: no byte of a key is in a frame") {
  World world({"a", "b"}, 0);
  const auto one = user(1);
  REQUIRE(world.ensure("a", {one}).ok());
  // As it stands in the log of the store: the record's key, 33, 1, the key.
  std::string record("k");
  record.append(one.id().substr(0, 2)).push_back(static_cast<char>(one.kind()));
  record.append(one.id()).append("\x21\x01");
  const auto log = read_all(world["a"].folder());
  const auto at = log.find(record);
  REQUIRE(at != std::string::npos);
  const auto key = log.substr(at + record.size(), 32);
  bool told = false, leaked = false;
  world.net.on_the_way = [&](const Net::Pair&, std::string frame) {
    told = told || frame.find(one.id()) != std::string::npos;
    for (std::size_t i = 0; i + 8 <= key.size(); ++i)
      leaked = leaked || frame.find(key.substr(i, 8)) != std::string::npos;
    return frame;
  };
  world.link_all();
  world.quiet();
  CHECK(told);
  CHECK_FALSE(leaked);
  CHECK(read_all(world["b"].folder()).find(key) != std::string::npos);
}

TEST_CASE("cluster keys: a node with another secret is told no key") {
  World world({"a"}, 0);
  const auto sealed = world.sealed("a", user(1), "Grace");
  world.members = {"a", "z"};
  world.add("z", std::string(48, 'z'));
  std::size_t told = 0;
  world.net.on_the_way = [&](const Net::Pair&, std::string frame) {
    told += frame.find(user(1).id()) != std::string::npos;
    return frame;
  };
  world.link_all();
  world.quiet();
  CHECK(told == 0);
  CHECK(world.read("z", user(1), sealed) == "unavailable");
}

TEST_CASE("cluster keys: what a full or slow link does not take is sent again") {
  World world({"a", "b", "c"});
  world.net.queue_max = 1;
  int count = 0;
  world.net.on_the_way = [&](const Net::Pair&, std::string frame) {
    return ++count % 3 == 0 ? std::string() : frame;
  };
  world.link_all();
  world.quiet();
  std::vector<Sealed> sealed;
  for (std::uint64_t n = 0; n < 20; ++n) {
    while (!world.ensure("a", {user(n)}).ok()) world.tick(100);
    sealed.push_back(world["a"].vault->seal(user(n), "Grace").value());
  }
  REQUIRE(world["b"].vault->destroy({user(0)}).ok());
  world.quiet();
  for (const auto* name : {"a", "b", "c"}) {
    CHECK(world.read(name, user(0), sealed[0]) == "gone");
    for (std::uint64_t n = 1; n < 20; ++n) CHECK(world.read(name, user(n), sealed[n]) == "Grace");
  }
}

TEST_CASE("cluster keys: frames come back as they were, and what is none is refused") {
  KeySummary summary{7, {}};
  summary.digests.sums[1][255] = 9;
  const KeyRange range{KeyClass::present, 3, std::string(19, 'a'), std::string(19, 'b')};
  const std::vector<KeyRecord> records{{user(1), std::string(72, 'w')}, {order(2), {}}};
  const std::vector<KeyFrame> all{summary,
                                  KeyReady{},
                                  KeyWant{range, {1, 2, 3}},
                                  KeyHave{range, records},
                                  KeyPut{5, records},
                                  KeyAck{5},
                                  KeyAsk{{user(1), order(2)}},
                                  KeyTold{{user(3)}, records}};
  std::mt19937 random(1);
  for (const auto& frame : all) {
    const auto bytes = encode(frame);
    const auto read = decode_key_frame(bytes);
    REQUIRE(read.ok());
    CHECK(read->index() == frame.index());
    CHECK(encode(*read) == bytes);
    CHECK(decode_key_frame(bytes + "x").error().kind == Fault::Kind::corrupt);
    for (std::size_t size = 0; size < bytes.size(); ++size)
      CHECK_FALSE(decode_key_frame(std::string_view(bytes).substr(0, size)).ok());
    for (int i = 0; i < 200; ++i) {
      auto wrong = bytes;
      wrong[random() % wrong.size()] = static_cast<char>(random());
      (void)decode_key_frame(wrong);
    }
  }
  CHECK(decode_key_frame("\x09").error().kind == Fault::Kind::unsupported);
  // A sku has no key.
  auto wrong = encode(KeyAsk{{user(1)}});
  wrong[5] = 2;
  CHECK(decode_key_frame(wrong).error().kind == Fault::Kind::corrupt);
}
