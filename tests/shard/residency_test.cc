// What is in memory, and what the state store has.
#include "actors/shard/residency.h"

#include <doctest/doctest.h>

#include "tests/shard/fixture.h"

namespace souk::shard_test::residencies {
namespace {

struct ResidencyBench : Bench {
  Residency residency{ShardId{0}, states};
  static constexpr auto idle = [](const EntityKey&) { return false; };
  static constexpr auto may_go = [](const Entity&, const EntityKey&) { return false; };

  void change(std::uint8_t cart, Seq seq) {
    residency.changed(residency.make<CartState>(id<CartId>(cart)), seq);
  }
  ShardOutput::Flush step() {
    ShardOutput::Flush flush;
    residency.round_step(SIZE_MAX, idle, flush);
    return flush;
  }
  void write(const ShardOutput::Flush& flush) {
    std::vector<std::pair<EntityKey, Seq>> written;
    for (const auto& s : flush.states) written.emplace_back(s.entity, s.seq);
    std::optional<std::pair<ShardId, Checkpoint>> mark;
    if (flush.checkpoint) mark.emplace(ShardId{0}, *flush.checkpoint);
    REQUIRE(states.put(flush.states, mark, flush.generation).ok());
    residency.written(flush.round, written, flush.checkpoint);
  }
  /// Nobody uses anything: two looks and all that may goes.
  void evict_all() {
    residency.evict(0, may_go);
    residency.evict(0, may_go);
  }
};

}  // namespace

TEST_CASE("residency: what the store does not have as it is stays in memory") {
  ResidencyBench b;
  b.change(1, 1);
  b.evict_all();
  CHECK(b.residency.find<CartState>(id<CartId>(1)));
  b.residency.start_round({.seq = 1});
  b.write(b.step());
  CHECK(b.residency.dirty() == 0);
  b.evict_all();
  CHECK_FALSE(b.residency.find<CartState>(id<CartId>(1)));
  CHECK(b.residency.memory_bytes() == 0);
  CHECK(b.residency.look(EntityKey(id<CartId>(1))) == Presence::here);  // from the store
  CHECK(b.residency.find<CartState>(id<CartId>(1))->seq == 1);
}

TEST_CASE("residency: an entity that was used since the last look stays for one more") {
  ResidencyBench b;
  b.change(1, 1);
  b.residency.start_round({.seq = 1});
  b.write(b.step());
  b.residency.evict(0, ResidencyBench::may_go);
  b.residency.touch(*b.residency.entity_of(id<CartId>(1)));
  b.residency.evict(0, ResidencyBench::may_go);
  CHECK(b.residency.entities() == 1);
  b.residency.evict(0, ResidencyBench::may_go);
  CHECK(b.residency.entities() == 0);
}

TEST_CASE("residency: what changes while its state is being written stays dirty") {
  ResidencyBench b;
  b.change(1, 1);
  b.residency.start_round({.seq = 1});
  const auto flush = b.step();
  b.change(1, 2);
  b.write(flush);
  CHECK(b.residency.dirty() == 1);
  b.evict_all();
  CHECK(b.residency.entities() == 1);
}

TEST_CASE("residency: the mark follows when every state of the round is written") {
  ResidencyBench b;
  b.change(1, 1);
  b.change(2, 2);
  b.residency.start_round({.seq = 2});
  ShardOutput::Flush first;
  b.residency.round_step(1, ResidencyBench::idle, first);
  CHECK(first.states.size() == 1);
  CHECK_FALSE(first.checkpoint);
  const auto second = b.step();
  CHECK(second.states.size() == 1);
  CHECK_FALSE(second.checkpoint);  // the first may still fail
  CHECK_FALSE(b.residency.round_waits());
  b.write(first);
  b.write(second);
  const auto last = b.step();
  CHECK(last.checkpoint);
  CHECK(b.residency.checkpoint_seq() == 0);
  b.write(last);
  CHECK(b.residency.checkpoint_seq() == 2);
  CHECK_FALSE(b.residency.in_round());
}

TEST_CASE("residency: a round whose flush failed leaves no mark, and the next takes all again") {
  ResidencyBench b;
  b.change(1, 1);
  b.residency.start_round({.seq = 1});
  b.residency.flush_failed(b.step().round);
  CHECK_FALSE(b.residency.in_round());
  b.residency.start_round({.seq = 1});
  CHECK(b.step().states.size() == 1);
}

TEST_CASE("residency: the store is believed where it says in memory that there is nothing") {
  ResidencyBench b;
  const EntityKey cart(id<CartId>(1));
  CHECK(b.residency.look(cart) == Presence::absent);
  b.states.cold.insert(cart);
  CHECK(b.residency.look(cart) == Presence::elsewhere);
  b.residency.note_absent(cart);
  CHECK(b.residency.look(cart) == Presence::absent);
  b.change(1, 1);  // made after all: what was known of it is void
  CHECK_FALSE(b.residency.known_absent(cart));
}

TEST_CASE("residency: a stored state that cannot be read is not taken for an entity") {
  ResidencyBench b;
  const EntityKey cart(id<CartId>(1));
  CHECK(b.residency.adopt(cart, {3, "rubbish"}).error().kind == Fault::Kind::corrupt);
  CHECK_FALSE(b.residency.entity_of(cart));
}

}  // namespace souk::shard_test::residencies
