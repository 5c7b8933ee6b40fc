#include "cluster/keys/replicated_vault.h"

#include <doctest/doctest.h>

#include "tests/cluster_keys/world.h"

using namespace souk;
using namespace souk::cluster;
using namespace souk::cluster::test;

TEST_CASE("cluster keys: what is sealed on one node opens on every node") {
  World world({"a", "b", "c"});
  world.link_all();
  world.pump_all();
  const auto sealed = world.sealed("a", user(1), "Grace");
  CHECK(world["a"].vault->uncopied() == 0);
  world.pump_all();
  for (const auto* name : {"a", "b", "c"}) CHECK(world.read(name, user(1), sealed) == "Grace");
  // And each of them seals with it without asking anyone.
  world.isolate("c");
  const auto other = world.sealed("c", user(1), "Hopper");
  CHECK(world.read("a", user(1), other) == "Hopper");
}

TEST_CASE("cluster keys: a key is on another node before ensure returns") {
  World world({"a", "b"});
  world.link_all();
  world.pump_all();
  const auto sealed = world.sealed("a", user(1), "Grace");
  world.restore("a", world.folder / "lost");  // its disk is gone
  CHECK(world.read("b", user(1), sealed) == "Grace");
  world.link_all();
  world.quiet();
  CHECK(world.read("a", user(1), sealed) == "Grace");
}

TEST_CASE(
    "cluster keys: without another node that is up no key is made, and those there are serve") {
  World world({"a", "b"});
  CHECK(world.ensure("a", {user(1)}).error().kind == Fault::Kind::unavailable);
  CHECK(world["a"].vault->uncopied() == 0);
  world.link_all();
  world.pump_all();
  const auto sealed = world.sealed("a", user(1), "Grace");
  world.cut("a", "b");
  world.pump_all();
  CHECK(world.ensure("a", {user(1)}).ok());
  CHECK_FALSE(world.ensure("a", {user(1), user(2)}).ok());
  CHECK(world["a"].vault->seal(user(1), "x").ok());
  CHECK_FALSE(world["a"].vault->seal(user(2), "x").ok());
}

TEST_CASE("cluster keys: a key whose copy is in doubt is refused until there is one") {
  World world({"a", "b"});
  world.link_all();
  world.pump_all();
  bool lost = false;
  world.net.on_the_way = [&](const Net::Pair& pair, std::string frame) {
    lost = lost || pair.first == "b";
    return pair.first == "b" ? std::string() : frame;
  };
  CHECK_FALSE(world.ensure("a", {user(1)}).ok());
  CHECK(lost);
  CHECK(world["a"].vault->uncopied() == 1);
  // It is remembered by a crash too: the key is here, and that is not enough.
  world.crash("a");
  CHECK(world["a"].vault->uncopied() == 1);
  CHECK_FALSE(world.ensure("a", {user(1)}).ok());
  world.net.on_the_way = {};
  world.link_all();
  world.pump_all();
  CHECK(world["a"].vault->uncopied() == 0);
  CHECK(world.ensure("a", {user(1)}).ok());
}

TEST_CASE("cluster keys: two copies are waited for where two are wanted") {
  World world({"a", "b", "c"}, 2);
  world.link("a", "b");
  world.link("b", "c");
  world.pump_all();
  CHECK_FALSE(world.ensure("a", {user(1)}).ok());
  world.link_all();
  world.pump_all();
  CHECK(world.ensure("a", {user(1)}).ok());
}

TEST_CASE("cluster keys: who is cut off while a key is made hears of it at once") {
  World world({"a", "b"});
  world.link_all();
  world.pump_all();
  const auto before_ms = world.now_ms;
  const auto status = world.ensure("a", {user(1)}, [&] { world.cut("a", "b"); });
  CHECK(status.error().kind == Fault::Kind::unavailable);
  CHECK(world.now_ms == before_ms);
}

TEST_CASE(
    "cluster keys: a cluster of one waits for nobody, and its keys are copied when one joins") {
  World world({"a"});
  const auto sealed = world.sealed("a", user(1), "Grace");
  world.members = {"a", "b"};
  world.add("b");
  CHECK_FALSE(world.ensure("a", {user(1)}).ok());  // it is nowhere else yet
  world.link_all();
  world.quiet();
  CHECK(world.read("b", user(1), sealed) == "Grace");
  world.cut("a", "b");
  world.pump_all();
  CHECK(world.ensure("a", {user(1)}).ok());
}

TEST_CASE("cluster keys: a key from before there were others is copied before it is used again") {
  World world({"a"});
  const auto sealed = world.sealed("a", user(1), "Grace");
  world.members = {"a", "b"};
  world.add("b");
  world.net.on_the_way = [](const Net::Pair&, std::string frame) {
    const auto read = decode_key_frame(frame).value();
    return std::holds_alternative<KeyHave>(read) ? std::string() : frame;  // nothing is pulled
  };
  world.link_all();
  world.pump_all();
  CHECK(world.read("b", user(1), sealed) == "unavailable");
  REQUIRE(world.ensure("a", {user(1)}).ok());
  CHECK(world.read("b", user(1), sealed) == "Grace");
}

TEST_CASE("cluster keys: a directory of one node opens, and what it has goes to the others") {
  World world({"a", "b"});
  auto& a = world["a"];
  a.vault.reset();
  REQUIRE(a.local->ensure({user(1), user(2), user(3)}).ok());
  const auto sealed = a.local->seal(user(1), "Grace").value();
  const auto erased = a.local->seal(user(2), "Ada").value();
  REQUIRE(a.local->destroy({user(2)}).ok());
  a.local.reset();
  a.open();
  CHECK(a.vault->unsettled().empty());
  CHECK(world.read("a", user(1), sealed) == "Grace");
  world.link_all();
  world.quiet();
  CHECK(world.read("b", user(1), sealed) == "Grace");
  CHECK(world.read("b", user(2), erased) == "gone");
}

TEST_CASE("cluster keys: of a person for whom two nodes made a key both open everywhere") {
  World world({"a", "b", "c"}, 0);
  const auto one = world.sealed("a", user(1), "Grace");
  const auto two = world.sealed("b", user(1), "Hopper");
  CHECK(world.read("a", user(1), two) == "unavailable");
  world.link_all();
  world.quiet();
  for (const auto* name : {"a", "b", "c"}) {
    CHECK(world.read(name, user(1), one) == "Grace");
    CHECK(world.read(name, user(1), two) == "Hopper");
    world.crash(name);
    CHECK(world.read(name, user(1), one) == "Grace");
    CHECK(world.read(name, user(1), two) == "Hopper");
  }
  REQUIRE(world["c"].vault->destroy({user(1)}).ok());
  world.link_all();
  world.quiet();
  for (const auto* name : {"a", "b", "c"}) {
    CHECK(world.read(name, user(1), one) == "gone");
    CHECK(world.read(name, user(1), two) == "gone");
  }
}

TEST_CASE("cluster keys: a key that is elsewhere is unavailable, one that is nowhere is lost") {
  World world({"a", "b", "c"}, 0);
  const auto sealed = world.sealed("b", user(1), "Grace");
  const Sealed nobodys{std::string(60, 'x')};
  CHECK(world.read("a", user(1), sealed) == "unavailable");
  world.link("a", "c");
  world.pump_all();
  CHECK(world.read("a", user(1), sealed) == "unavailable");
  CHECK(world.read("a", user(9), nobodys) == "unavailable");
  world.pump_all();
  CHECK(world.read("a", user(9), nobodys) == "unavailable");  // b has not been asked
  world.link_all();
  world.pump_all();
  CHECK(world.read("a", user(1), sealed) == "Grace");
  (void)world.read("a", user(9), nobodys);
  world.pump_all();
  CHECK(world.read("a", user(9), nobodys) == "corrupt");
}

TEST_CASE("cluster keys: it runs by a thread of its own") {
  World world({"a", "b"});
  world.options.drive = ReplicatedVault::Drive::own_thread;
  for (const auto* name : {"a", "b"}) world.crash(name);
  world.link_all();
  Sealed sealed;
  auto done = std::async(std::launch::async, [&] {
    while (!world["a"].vault->ensure({user(1)}).ok()) std::this_thread::yield();
    sealed = world["a"].vault->seal(user(1), "Grace").value();
  });
  while (done.wait_for(std::chrono::milliseconds(1)) != std::future_status::ready)
    for (const auto& pair : world.net.waiting()) world.deliver(pair);
  done.get();
  CHECK(world.read("b", user(1), sealed) == "Grace");
  // Who waits when it ends hears so.
  auto waits = std::async(std::launch::async, [&] { return world["a"].vault->ensure({user(2)}); });
  while (world["a"].vault->uncopied() == 0) std::this_thread::yield();
  world["a"].vault->close();
  CHECK(waits.get().error().kind == Fault::Kind::unavailable);
}
