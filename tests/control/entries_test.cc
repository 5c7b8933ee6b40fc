#include "cluster/control/entries.h"

#include <capnp/message.h>
#include <capnp/serialize-packed.h>
#include <doctest/doctest.h>
#include <kj/io.h>
#include <schema/control.capnp.h>

#include "tests/control/support.h"

using namespace souk;
using namespace souk::cluster;
using namespace souk::cluster::test;

namespace {

std::vector<Entry> one_of_each() {
  const Move move{.kind = Move::Kind::hand_over,
                  .shard = shard(7),
                  .from = {1},
                  .to = {2},
                  .reason = Reason::asked,
                  .wave = 0};
  std::vector<EntryBody> bodies = {
      NodeJoined{{3}, "c", "x", 4},
      NodeHeard{{3}, 99, "y", 2, "c:80", "c:81", "1.2", 1, 3},
      NodeSilent{{3}},
      NodeWished{{3}, Wish::drained},
      NodeWeighted{{3}, 10'000},
      NodeZoned{{3}, "z"},
      NodeForgotten{{3}},
      ShardPinned{shard(65'535), {2}},
      ShardUnpinned{shard(4)},
      ShardAsked{shard(4), {2}},
      ShardsRebalanced{},
      PlacementWanted{{{shard(1), {{1}, {2}, Reason::first_placed, Reason::zone}},
                       {shard(9), {{2}, nobody, Reason::balance, Reason::stayed}}}},
      MoveBegan{5, move},
      MoveEnded{5, MoveOutcome::cancelled, 17},
      OwnerFound{shard(7), {2}, 18},
      ReplicaWarm{shard(7), {2}},
      ReplicaLost{shard(7), {2}},
      OperatorNote{"a disk was changed"},
  };
  CHECK(bodies.size() == std::variant_size_v<EntryBody>);
  std::vector<Entry> entries;
  for (EntryBody& body : bodies)
    entries.push_back({noon.plus_ms(static_cast<std::int64_t>(entries.size())),
                       entries.size() % 2 ? "ops" : "", std::move(body)});
  return entries;
}

/// What a build that knows more writes.
std::string of_a_newer_build(bool optional) {
  capnp::MallocMessageBuilder builder;
  auto list = builder.initRoot<schema::ControlRecord>().initEntries(2);
  list[0].setNone();
  list[0].setOptional(optional);
  list[1].setNode(3);
  list[1].setSilent();
  kj::VectorOutputStream out;
  capnp::writePackedMessage(out, builder);
  return {reinterpret_cast<const char*>(out.getArray().begin()), out.getArray().size()};
}

}  // namespace

TEST_CASE("entries: each kind comes back as it was written") {
  const auto entries = one_of_each();
  const auto decoded = decode_entries(encode(entries));
  REQUIRE(decoded.ok());
  REQUIRE(decoded->size() == entries.size());
  for (std::size_t i = 0; i < entries.size(); ++i) {
    CAPTURE(i);
    CHECK((*decoded)[i] == entries[i]);
  }
}

TEST_CASE("entries: what a newer build adds is left out where it is optional, else unsupported") {
  const auto decoded = decode_entries(of_a_newer_build(true));
  REQUIRE(decoded.ok());
  CHECK(*decoded == std::vector{Entry{{}, {}, NodeSilent{{3}}}});
  const auto refused = decode_entries(of_a_newer_build(false));
  REQUIRE(!refused.ok());
  CHECK(refused.error().kind == Fault::Kind::unsupported);
}

TEST_CASE("entries: 65,536 seats fit into a record") {
  PlacementWanted all;
  for (std::size_t i = 0; i < shards_max; ++i)
    all.changed.push_back({shard(i), {{1'000}, {999}, Reason::first_placed, Reason::first_placed}});
  const std::string bytes = encode({{noon, "", all}});
  CHECK(bytes.size() < limits::record_bytes_max / 4);
  const auto decoded = decode_entries(bytes);
  REQUIRE(decoded.ok());
  CHECK(std::get<PlacementWanted>(decoded->front().body) == all);
}

TEST_CASE("entries: bytes that were cut or changed are a fault or other entries, never a crash") {
  const std::string bytes = encode(one_of_each());
  int faults = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    faults += !decode_entries(std::string_view(bytes).substr(0, i)).ok();
    for (const int bit : {1, 16, 128}) {
      std::string other = bytes;
      other[i] = static_cast<char>(other[i] ^ bit);
      faults += !decode_entries(other).ok();
    }
  }
  CHECK(faults > static_cast<int>(bytes.size()));
  CHECK(!decode_entries("").ok());
}

TEST_CASE("entries: values that cannot be are a fault") {
  const auto refused = [](EntryBody body) {
    return !decode_entries(encode({{noon, "", std::move(body)}})).ok();
  };
  CHECK(!refused(NodeWeighted{{1}, 1}));
  CHECK(refused(NodeWeighted{{1}, 0}));
  CHECK(refused(NodeWeighted{{1}, 10'001}));
  CHECK(!refused(NodeZoned{{1}, std::string(zone_bytes_max, 'z')}));
  CHECK(refused(NodeZoned{{1}, std::string(zone_bytes_max + 1, 'z')}));
  CHECK(refused(PlacementWanted{{{shard(2), {}}, {shard(2), {}}}}));
}
