#include "cluster/control/heartbeat.h"

#include <doctest/doctest.h>

#include "tests/control/support.h"

using namespace souk;
using namespace souk::cluster;
using namespace souk::cluster::test;

namespace {

/// `a` listens; who beats does so every 250 ms.
struct Air {
  HeardTable heard{"a", 1};
  SteadyMs now{0};
  std::map<std::string, Heartbeat> nodes;

  explicit Air(const std::string& names, std::string self = "a") : heard(std::move(self), 1) {
    for (const char name : names) nodes[std::string(1, name)] = heartbeat_of({name});
  }
  void pass_ms(std::int64_t ms) {
    for (const SteadyMs end = now.plus_ms(ms); now < end;) {
      now = now.plus_ms(heartbeat_every_ms);
      for (auto& [name, heartbeat] : nodes) {
        ++heartbeat.sequence;
        heard.take(heartbeat, now);
      }
    }
  }
};

}  // namespace

TEST_CASE("heartbeat: it comes back as it was written, also with 65,536 shards in less than 1 MB") {
  Heartbeat heartbeat{.name = "node-1",
                      .incarnation = 0x123456789ABCDEF0,
                      .sequence = 77,
                      .zone = "x",
                      .weight = 3,
                      .http = "h:80",
                      .peer = "h:81",
                      .build = "1.0",
                      .protocol_min = 1,
                      .protocol_max = 2,
                      .controller_epoch = 5,
                      .no_read_models = true,
                      .holdings = {}};
  CHECK(*decode_heartbeat(encode(heartbeat)) == heartbeat);
  for (std::size_t i = 0; i < shards_max; ++i)
    heartbeat.holdings.push_back({shard(i), static_cast<Holds>(i % 3),
                                  0x0000'0123'4567'89AB + i * 0x1'0001, i % 3 == 2 ? i : 0});
  const std::string bytes = encode(heartbeat);
  CHECK(bytes.size() <= heartbeat_bytes_max);
  const auto decoded = decode_heartbeat(bytes);
  REQUIRE(decoded.ok());
  CHECK(*decoded == heartbeat);
  CHECK(find_holding(*decoded, shard(40'000))->next == heartbeat.holdings[40'000].next);
}

TEST_CASE("heartbeat: rubbish is a fault") {
  Heartbeat heartbeat = heartbeat_of("a");
  heartbeat.holdings = {{shard(1), Holds::owner, 5}, {shard(2), Holds::standby, 6}};
  CHECK(decode_heartbeat(encode(heartbeat)).ok());
  const std::string bytes = encode(heartbeat);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    CHECK(!decode_heartbeat(std::string_view(bytes).substr(0, i)).ok());
    std::string other = bytes;
    other[i] = static_cast<char>(other[i] ^ 0xFF);
    (void)decode_heartbeat(other);
  }
  CHECK(!decode_heartbeat(std::string(heartbeat_bytes_max + 1, '\0')).ok());
  Heartbeat wrong = heartbeat;
  std::swap(wrong.holdings[0], wrong.holdings[1]);
  CHECK(!decode_heartbeat(encode(wrong)).ok());
  wrong = heartbeat;
  wrong.weight = 0;
  CHECK(!decode_heartbeat(encode(wrong)).ok());
  wrong = heartbeat;
  wrong.name = std::string(node_name_bytes_max + 1, 'n');
  CHECK(!decode_heartbeat(encode(wrong)).ok());
}

TEST_CASE("heard: a later incarnation replaces the one before, which comes back if it is silent") {
  HeardTable heard("a", 1);
  Heartbeat old = heartbeat_of("b", 3), fresh = heartbeat_of("b", 7);
  old.sequence = 10;
  fresh.sequence = 1;
  heard.take(old, {1});
  heard.take(fresh, {2});
  CHECK(heard.newest("b")->incarnation == 7);
  old.sequence = 11;
  heard.take(old, {3});
  CHECK(heard.newest("b")->incarnation == 7);
  CHECK(heard.rows().at("b").at == SteadyMs{2});
  fresh.sequence = 1;  // repeated
  heard.take(fresh, {4});
  CHECK(heard.rows().at("b").at == SteadyMs{2});
  // It heard a former one first, whose heartbeat came late: the later one counts all the same.
  old.sequence = 12;
  heard.take(old, SteadyMs{2}.plus_ms(silent_after_ms));
  CHECK(heard.newest("b")->incarnation == 3);
  fresh.sequence = 2;
  heard.take(fresh, SteadyMs{3}.plus_ms(silent_after_ms));
  CHECK(heard.newest("b")->incarnation == 7);
}

TEST_CASE("heard: the version of holdings grows with who holds what, not with offsets") {
  HeardTable heard("a", 1);
  Heartbeat b = heartbeat_of("b");
  b.holdings = {{shard(1), Holds::standby, 5}};
  const auto next = [&] {
    ++b.sequence;
    heard.take(b, {0});
    return heard.holdings_version();
  };
  const auto first = next();
  b.holdings[0].next = 6;
  CHECK(next() == first);
  b.holdings[0].holds = Holds::owner;
  CHECK(next() == first + 1);
  b.incarnation = 2;
  CHECK(next() == first + 2);
}

TEST_CASE("heard: who does not hear itself judges nobody") {
  Air air("ab");
  CHECK(!air.heard.judges(air.now));
  air.pass_ms(250);
  CHECK(!air.heard.judges(air.now));
  air.pass_ms(silent_after_ms);
  CHECK(air.heard.judges(air.now));
  CHECK(air.heard.judges(air.now.plus_ms(own_gap_ms_max)));
  CHECK(!air.heard.judges(air.now.plus_ms(own_gap_ms_max + 1)));

  SUBCASE("a heartbeat of a former incarnation is not its own") {
    Air other("b");
    other.nodes["a"] = heartbeat_of("a", 2);
    other.pass_ms(5'000);
    CHECK(!other.heard.judges(other.now));
  }
  SUBCASE("what it slept through is nobody's silence") {
    air.now = air.now.plus_ms(10'000);
    air.pass_ms(250);
    CHECK(!air.heard.judges(air.now));
    air.nodes.erase("b");
    const SteadyMs woke = air.now;
    CHECK(air.heard.silence_ms("b", woke) == 0);
    air.pass_ms(1'000);
    CHECK(air.heard.silence_ms("b", air.now) == 1'000);
    air.pass_ms(500);
    CHECK(air.heard.judges(air.now));
  }
}

TEST_CASE("heard: at the limit a new name takes the place of the one heard longest ago") {
  HeardTable heard("a", 1);
  for (std::size_t i = 0; i <= 2 * nodes_max; ++i) {
    CHECK(heard.rows().size() == std::min(i, 2 * nodes_max));
    heard.take(heartbeat_of("n" + std::to_string(i)), {static_cast<std::int64_t>(i)});
  }
  CHECK(heard.rows().size() == 2 * nodes_max);
  CHECK(!heard.newest("n0"));
  CHECK(heard.newest("n1"));
}

TEST_CASE("election: the living claim in the order of their names, 300 ms apart") {
  const auto claims_after = [](const std::string& living, const std::string& self) {
    Air air(living, self);
    for (std::int64_t ms = 0; ms < 6'000; ++ms) {
      if (ms % heartbeat_every_ms == 0) air.pass_ms(heartbeat_every_ms);
      if (should_claim(air.heard, air.now.plus_ms(ms % heartbeat_every_ms)))
        return ms % heartbeat_every_ms + air.now.value - heartbeat_every_ms;
    }
    return std::int64_t{-1};
  };
  CHECK(claims_after("abc", "a") == silent_after_ms);
  CHECK(claims_after("abc", "b") == silent_after_ms + claim_apart_ms);
  CHECK(claims_after("abc", "c") == silent_after_ms + 2 * claim_apart_ms);
  CHECK(claims_after("bc", "c") == silent_after_ms + claim_apart_ms);
  CHECK(claims_after("ab", "c") == -1);  // it does not hear itself
}

TEST_CASE("election: nobody claims while the newest controller is heard, or has just claimed") {
  Air air("ab");
  air.nodes["b"].controller_epoch = 4;
  air.pass_ms(5'000);
  CHECK(!should_claim(air.heard, air.now));
  CHECK(air.heard.controller_silence_ms(air.now) == 0);
  air.nodes["b"].controller_epoch = 0;
  air.pass_ms(silent_after_ms - 250);
  CHECK(!should_claim(air.heard, air.now));
  air.pass_ms(250);
  CHECK(should_claim(air.heard, air.now));

  air.heard.saw_claim(5, air.now);
  CHECK(!should_claim(air.heard, air.now));
  air.nodes["b"].controller_epoch = 4;  // a controller that does not know yet that it is none
  air.pass_ms(silent_after_ms);
  CHECK(should_claim(air.heard, air.now));
}
