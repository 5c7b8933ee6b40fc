#include <doctest/doctest.h>

#include <algorithm>

#include "tests/cluster_keys/world.h"

using namespace souk;
using namespace souk::cluster;
using namespace souk::cluster::test;

namespace {

Names waits_for(World& world, const std::string& name, const PersonId& person) {
  const auto all = world[name].vault->unconfirmed();
  for (const auto& erasure : all.value())
    if (erasure.person == person) return erasure.nodes;
  return {};
}

}  // namespace

TEST_CASE(
    "cluster keys: an erased person is readable on no node, and who has not confirmed is known") {
  World world({"a", "b", "c"});
  world.link_all();
  world.pump_all();
  const auto sealed = world.sealed("a", user(1), "Grace");
  world.pump_all();
  world.isolate("c");
  world.pump_all();
  const auto since_ms = world.now_ms;
  REQUIRE(world["b"].vault->destroy({user(1)}).ok());
  CHECK(world.read("b", user(1), sealed) == "gone");
  CHECK(waits_for(world, "b", user(1)) == Names{"a", "c"});
  CHECK(world["b"].vault->unconfirmed()->at(0).since_ms == since_ms);
  world.pump_all();
  CHECK(world.read("a", user(1), sealed) == "gone");
  CHECK(waits_for(world, "b", user(1)) == Names{"c"});
  world.quiet();
  CHECK(world.read("c", user(1), sealed) == "Grace");  // it cannot know
  // Also by the word of the other one, should b be lost.
  CHECK(waits_for(world, "a", user(1)) == Names{"c"});
  for (const auto* name : {"a", "b"}) world.crash(name);
  CHECK(waits_for(world, "b", user(1)) == Names{"c"});
  CHECK(world["b"].vault->unconfirmed()->at(0).since_ms == since_ms);
  world.link_all();
  world.quiet();
  for (const auto* name : {"a", "b", "c"}) {
    CHECK(world.read(name, user(1), sealed) == "gone");
    CHECK(world["a"].vault->unconfirmed()->empty());
    CHECK(world[name].local->wait_until_purged(std::chrono::seconds(60)));
    CHECK_FALSE(world[name].vault->seal(user(1), "x").ok());
  }
}

TEST_CASE("cluster keys: who was away gets all tombstones before any key") {
  World world({"a", "b"});
  world.link_all();
  world.pump_all();
  std::vector<PersonId> persons;
  for (std::uint64_t n = 0; n < 600; ++n) persons.push_back(user(n));
  REQUIRE(world.ensure("a", persons).ok());
  world.cut("a", "b");
  world.pump_all();
  REQUIRE(world["a"].vault->destroy({persons.begin(), persons.begin() + 300}).ok());
  world.options.copies_wanted = 0;
  world.crash("a");
  std::vector<PersonId> others;
  for (std::uint64_t n = 1'000; n < 1'300; ++n) others.push_back(user(n));
  REQUIRE(world.ensure("a", others).ok());

  std::size_t keys = 0, tombstones = 0, late = 0;
  world.net.on_the_way = [&](const Net::Pair& pair, std::string frame) {
    const auto read = decode_key_frame(frame).value();
    const std::vector<KeyRecord>* records = nullptr;
    if (const auto* have = std::get_if<KeyHave>(&read)) records = &have->records;
    if (const auto* put = std::get_if<KeyPut>(&read)) records = &put->records;
    if (records == nullptr || pair.first != "a") return frame;
    for (const auto& record : *records) {
      record.wrapped.empty() ? ++tombstones : ++keys;
      if (record.wrapped.empty() && keys > 0) ++late;
    }
    return frame;
  };
  world.link_all();
  world.quiet();
  CHECK(tombstones >= 300);
  CHECK(keys >= 300);
  CHECK(late == 0);
}

TEST_CASE(
    "cluster keys: who comes back with an old copy of its directory is told what was erased") {
  World world({"a", "b"});
  world.link_all();
  world.pump_all();
  const auto sealed = world.sealed("a", user(1), "Grace");
  const auto other = world.sealed("a", user(2), "Ada");
  world.pump_all();
  const auto old_copy = world.copy_of("b");
  REQUIRE(world["a"].vault->destroy({user(1)}).ok());
  const auto newer = world.sealed("b", user(3), "Hopper");
  world.quiet();
  CHECK(world.read("b", user(1), sealed) == "gone");
  world.restore("b", old_copy);
  CHECK(world.read("b", user(1), sealed) == "Grace");
  world.link_all();
  world.quiet();
  for (const auto* name : {"a", "b"}) {
    CHECK(world.read(name, user(1), sealed) == "gone");
    CHECK(world.read(name, user(2), other) == "Ada");
    CHECK(world.read(name, user(3), newer) == "Hopper");
  }
}

TEST_CASE("cluster keys: a key on its way to where its person is erased is destroyed everywhere") {
  for (const auto& whose : {user(1), order(1)}) {
    World world({"a", "b", "c"}, 0);
    const auto sealed = world.sealed("a", whose, "Grace");
    REQUIRE(world["b"].vault->destroy({whose}).ok());  // it has none
    world.link_all();
    world.quiet();
    for (const auto* name : {"a", "b", "c"}) {
      CHECK(world.read(name, whose, sealed) == "gone");
      CHECK(world.ensure(name, {whose}).ok());
      CHECK_FALSE(world[name].vault->seal(whose, "x").ok());
      CHECK(world[name].vault->unconfirmed()->empty());
    }
  }
}

TEST_CASE("cluster keys: that a key has arrived does not confirm that it is erased") {
  World world({"a", "b"}, 0);
  world.link_all();
  world.quiet();
  (void)world.sealed("a", user(1), "Grace");
  world.work();
  world.deliver({"a", "b"});
  world.work();
  REQUIRE(world["a"].vault->destroy({user(1)}).ok());
  world.deliver({"b", "a"});  // it has the key
  world.work();
  world.cut("a", "b");
  CHECK(world["a"].vault->unconfirmed()->size() == 1);
  world.link_all();
  world.quiet();
  CHECK(world["a"].vault->unconfirmed()->empty());
}

TEST_CASE("cluster keys: an erasure is on another node before it is answered, where there is one") {
  World world({"a", "b"}, 0);
  world.options.erased_timeout_ms = 2'000;
  world.crash("a");
  world.link_all();
  world.quiet();
  const auto sealed = world.sealed("a", user(1), "Grace");
  world.quiet();
  const auto asks = [&](std::uint64_t whose) {
    return std::async(std::launch::async,
                      [&world, whose] { return world["a"].vault->destroy({user(whose)}).ok(); });
  };
  const auto over = [](const std::future<bool>& answer) {
    return answer.wait_for(std::chrono::milliseconds(20)) == std::future_status::ready;
  };
  auto first = asks(1);
  while (world.net.waiting().empty()) world.work();
  CHECK_FALSE(over(first));
  world.pump_all();
  CHECK(first.get());
  world.restore("a", world.folder / "lost");  // its disk is gone
  CHECK(world.read("b", user(1), sealed) == "gone");

  world.link_all();
  world.quiet();
  world.net.on_the_way = [](const Net::Pair&, const std::string&) { return std::string(); };
  auto second = asks(2);
  CHECK_FALSE(over(second));
  world.tick(2'000);
  CHECK(second.get());  // nobody has said so in time
  auto third = asks(3);
  CHECK_FALSE(over(third));
  world.cut("a", "b");
  CHECK(third.get());  // nobody is there
  CHECK(asks(4).get());
}

TEST_CASE(
    "cluster keys: an erasure of many goes through although it is more than may be on its way") {
  World world({"a", "b"});
  world.options.limits.unacked_persons_max = 100;
  for (const auto* name : {"a", "b"}) world.crash(name);
  world.link_all();
  world.pump_all();
  std::vector<PersonId> persons;
  for (std::uint64_t n = 0; n < 1'000; ++n) persons.push_back(n % 2 == 0 ? order(n) : user(n));
  for (std::size_t n = 0; n < persons.size(); n += 100)
    REQUIRE(world
                .ensure("a", {persons.begin() + static_cast<std::ptrdiff_t>(n),
                              persons.begin() + static_cast<std::ptrdiff_t>(n) + 100})
                .ok());
  REQUIRE(world["a"].vault->destroy(persons).ok());
  CHECK(world["a"].vault->unconfirmed(10'000)->size() == 1'000);
  CHECK(world["a"].vault->unconfirmed(7)->size() == 7);
  world.quiet();
  CHECK(world["a"].vault->unconfirmed()->empty());
  for (const auto& person : persons) CHECK_FALSE(world["b"].vault->seal(person, "x").ok());
}

TEST_CASE("cluster keys: nobody waits for a node whose directory is gone by an operator's word") {
  World world({"a", "b", "c"});
  world.link_all();
  world.pump_all();
  world.isolate("c");
  world.members = {"a", "b"};
  REQUIRE(world["a"].vault->destroy({user(1)}).ok());
  world.quiet();
  CHECK(waits_for(world, "a", user(1)) == Names{"c"});  // it was up once: it may have the key
  REQUIRE(world["a"].vault->forget("c").ok());
  CHECK(waits_for(world, "a", user(1)).empty());
  REQUIRE(world["a"].vault->destroy({user(2)}).ok());
  CHECK(waits_for(world, "a", user(2)) == Names{"b"});
  world.crash("a");
  CHECK(waits_for(world, "a", user(2)) == Names{"b"});
}

TEST_CASE("cluster keys: a crash of either node at any step loses no key and no erasure") {
  for (const std::string crashes : {"a", "b"}) {
    for (int at = 0; at < 24; ++at) {
      World world({"a", "b"});
      int steps = 0;
      bool crash_soon = false;
      const auto crash_now = [&] {
        if (!crash_soon) return;
        crash_soon = false;
        world.crash(crashes);
        world.link_all();
      };
      // Each frame is a step, and so is what lies between the calls.
      const auto step = [&] {
        crash_soon = ++steps == at;
        crash_now();
      };
      world.net.on_the_way = [&](const Net::Pair&, std::string frame) {
        crash_soon = crash_soon || ++steps == at;
        return crash_soon ? std::string() : frame;
      };
      const auto pump = [&] {
        if (!world.pump()) world.tick(20);
        crash_now();
      };
      world.link_all();
      for (int i = 0; i < 12; ++i) {
        pump();
      }
      step();
      std::vector<std::pair<PersonId, Sealed>> kept;
      const auto make = [&](const PersonId& whose) {
        for (int tries = 0; tries < 20; ++tries) {
          // A call that is under way ends before its node does.
          const auto status = world.ensure("a", {whose}, [&] {
            if (!crash_soon && !world.pump()) world.tick(20);
            if (crash_soon) world.isolate(crashes);
          });
          crash_now();
          if (status.ok()) {
            kept.emplace_back(whose, world["a"].vault->seal(whose, "Grace").value());
            return;
          }
          world.quiet();
        }
        FAIL("no key was made");
      };
      make(user(1));
      step();
      make(user(2));
      step();
      REQUIRE(world["b"].vault->destroy({user(1)}).ok());
      step();
      for (int i = 0; i < 6; ++i) {
        pump();
      }
      world.net.on_the_way = {};
      world.link_all();
      world.quiet();
      for (const auto* name : {"a", "b"}) {
        CAPTURE(crashes);
        CAPTURE(at);
        CAPTURE(name);
        CHECK(world.read(name, user(1), kept[0].second) == "gone");
        CHECK(world.read(name, user(2), kept[1].second) == "Grace");
        CHECK(world[name].vault->unconfirmed()->empty());
        CHECK(world[name].vault->uncopied() == 0);
      }
    }
  }
}
