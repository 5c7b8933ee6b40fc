// Peers that do not keep to the rules, played by hand.
#include <doctest/doctest.h>

#include <atomic>
#include <random>
#include <thread>

#include "tests/links/world.h"

using namespace souk;
using namespace souk::cluster;
using namespace souk::cluster::test;

namespace {

/// A node "b" whose peers are "a", which dials, and "c", which does not.
struct Accepter : TestNode {
  explicit Accepter(LinkOptions options = options_of("b")) : TestNode(std::move(options)) {
    REQUIRE(links->set_peers({{"a", "127.0.0.1", 9}, {"c", "127.0.0.1", 9}}).ok());
  }
  Hand hand() const { return Hand(links->port()); }
};

milliseconds since(Clock::time_point start) {
  return std::chrono::duration_cast<milliseconds>(Clock::now() - start);
}

}  // namespace

TEST_CASE("links: a hello that does not fit is refused in words") {
  Accepter b;
  Hello hello = hello_of("a");
  hello.versions = {7, 9};
  CHECK(b.hand().refusal(hello) ==
        "node b speaks versions 1 to 1, node a versions 7 to 9: none in common");
  hello = hello_of("a");
  hello.cluster = "fair";
  CHECK(b.hand().refusal(hello) == "node b is of the cluster bazaar, node a of the cluster fair");
  CHECK(b.hand().refusal(hello_of("b")) == "both are named b: each node needs a name of its own");
  CHECK(b.hand().refusal(hello_of("c")) == "node b dials node c, not the other way round");
  CHECK(b.hand().refusal(hello_of("aa")) == "node aa is no peer of node b");
  CHECK(b.heard.words().empty());
  b.hand().link(hello_of("a"));  // and all that was in vain
  CHECK(b.heard.hears("up a 1"));
}

TEST_CASE("links: a later connection of a node replaces the last one, an earlier incarnation not") {
  Accepter b;
  Hand first(b.links->port()), second(b.links->port()), third(b.links->port());
  first.link(hello_of("a", 5));
  REQUIRE(b.heard.hears("up a 5"));
  CHECK(second.refusal(hello_of("a", 4)) == "a later incarnation of node a is linked");
  REQUIRE(first.say(FrameKind::message, "one"));
  REQUIRE(b.heard.hears("a: one"));
  third.link(hello_of("a", 5));
  REQUIRE(b.heard.hears("up a 5", 2));
  CHECK(!first.hear());
  first.say(FrameKind::message, "of the one before");
  REQUIRE(third.say(FrameKind::message, "two"));
  REQUIRE(b.heard.hears("a: two"));
  CHECK(b.heard.words() ==
        std::vector<std::string>{"up a 5", "a: one", "down a", "up a 5", "a: two"});
}

TEST_CASE("links: a peer that takes nothing is down in time, and costs what was said") {
  LinkOptions options = options_of("b");
  options.limits.frame_bytes_max = 1u << 20;
  options.limits.unsent_bytes_max = 4u << 20;
  Accepter b(options);
  Hand a(b.links->port());
  a.link(hello_of("a"));
  REQUIRE(b.heard.hears("up a 1"));
  // It speaks, so it is not silent.
  std::atomic<bool> over{false};
  std::thread speaks([&] {
    while (!over && a.say(FrameKind::heartbeat)) std::this_thread::sleep_for(milliseconds(50));
  });
  std::uint64_t unsent_max = 0, taken = 0;
  bool full = false;
  Clock::time_point last = Clock::now();
  for (Sent sent = Sent::yes; sent != Sent::no_link;
       sent = b.links->send("a", std::string(9'000, 'x'))) {
    unsent_max = std::max(unsent_max, b.counters("a").unsent_bytes);
    if (sent == Sent::yes) {
      last = Clock::now();
      taken += 9'000;
    } else {
      full = true;
      std::this_thread::sleep_for(milliseconds(1));
    }
    if (since(last) > patience) break;
  }
  CHECK(b.heard.hears("down a"));
  CHECK(since(last) < milliseconds(2'500));
  CHECK(b.heard.why() == "takes nothing for 1500 ms");
  CHECK(full);
  CHECK(unsent_max <= options.limits.unsent_bytes_max);
  CHECK(unsent_max > options.limits.unsent_bytes_max - 10'000);
  CHECK(taken < 40u << 20);  // with what the kernel took
  CHECK(b.counters("a").unsent_bytes == 0);
  over = true;
  speaks.join();
}

TEST_CASE("links: a peer that says nothing is down after 1.5 s") {
  Accepter b;
  Hand a(b.links->port());
  a.link(hello_of("a"));
  REQUIRE(b.heard.hears("up a 1"));
  const auto start = Clock::now();
  REQUIRE(b.heard.hears("down a"));
  CHECK(since(start) > milliseconds(1'300));
  CHECK(since(start) < milliseconds(2'000));
  CHECK(b.heard.why() == "silent for 1500 ms");
}

TEST_CASE("links: a frame that is cut is not delivered") {
  Accepter b;
  Hand a(b.links->port());
  a.link(hello_of("a"));
  std::string bytes;
  append_frame(bytes, FrameKind::message, "whole");
  append_frame(bytes, FrameKind::message, "half of it");
  REQUIRE(a.say(std::string_view(bytes).substr(0, bytes.size() - 5)));
  REQUIRE(b.heard.hears("a: whole"));
  a.hang_up();
  REQUIRE(b.heard.hears("down a"));
  CHECK(b.heard.words() == std::vector<std::string>{"up a 1", "a: whole", "down a"});
}

TEST_CASE("links: a frame beyond the limit, of no kind or out of turn ends the connection") {
  LinkOptions options = options_of("b");
  options.limits.frame_bytes_max = 1'000;
  Accepter b(options);
  std::string too_long, no_kind("\0\0\0\0\x09", 5), hello;
  append_frame_header(too_long, FrameKind::message, 1'001);
  append_frame(hello, FrameKind::hello, encode_hello(hello_of("a")));
  std::size_t times = 0;
  for (const std::string& bytes : {too_long, no_kind, hello}) {
    Hand a(b.links->port());
    a.link(hello_of("a"));
    REQUIRE(a.say(FrameKind::message, std::string(1'000, 'x')));
    REQUIRE(a.say(bytes));
    CHECK(!a.hear());
    CHECK(b.heard.hears("down a", ++times));
    CHECK(b.heard.hears("a: " + std::string(1'000, 'x'), times));
  }
}

TEST_CASE("links: rubbish from strangers is nothing to a link") {
  Accepter b;
  Hand a(b.links->port());
  a.link(hello_of("a"));
  REQUIRE(b.heard.hears("up a 1"));
  const auto seed = std::random_device{}();
  INFO("seed " << seed);
  std::minstd_rand random(seed);
  for (int round = 0; round < 50; ++round) {
    std::string bytes(1 + random() % 6'000, '\0');
    for (char& byte : bytes) byte = static_cast<char>(random());
    if (round % 5 == 0) append_frame_header(bytes = {}, FrameKind::hello, hello_bytes_max + 1);
    if (round % 5 == 1) append_frame(bytes = {}, FrameKind::hello, std::string(4'096, 'h'));
    if (round % 5 == 2) append_frame(bytes = {}, FrameKind::message, "no hello");
    Hand stranger(b.links->port());
    stranger.say(bytes);
    if (round % 5 < 3) CHECK(!stranger.hear());
    REQUIRE(a.say(FrameKind::message, "still here"));
  }
  CHECK(b.heard.hears("a: still here", 50));
  CHECK(b.heard.words().size() == 51);
}

TEST_CASE("links: a hello that does not end is cut off, and those are bounded in number") {
  LinkOptions options = options_of("b");
  options.limits.hello_ms = 500;
  options.limits.strangers_max = 3;
  Accepter b(options);
  const auto start = Clock::now();
  Hand slow(b.links->port()), idle(b.links->port()), agreed(b.links->port());
  REQUIRE(agreed.say(FrameKind::hello, encode_hello(hello_of("a"))));  // and then no `ready`
  REQUIRE(agreed.hear());
  Hand one_more(b.links->port());
  CHECK(!one_more.hear());
  CHECK(since(start) < milliseconds(400));
  std::string bytes;
  append_frame(bytes, FrameKind::hello, encode_hello(hello_of("a")));
  for (std::size_t i = 0; i < bytes.size() - 1 && slow.say(bytes.substr(i, 1)); ++i)
    std::this_thread::sleep_for(milliseconds(20));
  CHECK(!slow.hear());
  CHECK(!idle.hear());
  CHECK(!agreed.hear());
  CHECK(since(start) >= milliseconds(480));
  CHECK(since(start) < milliseconds(2'500));
  CHECK(b.heard.words().empty());
  Hand(b.links->port()).link(hello_of("a"));  // there is room again
  CHECK(b.heard.hears("up a 1"));
}

TEST_CASE("links: a node that answers in the place of another is not linked") {
  TestNode a("a"), c("c");
  REQUIRE(c.links->set_peers({a.at("a")}).ok());
  REQUIRE(a.links->set_peers({c.at("b")}).ok());
  std::this_thread::sleep_for(milliseconds(300));
  CHECK(a.heard.words().empty());
  CHECK(c.heard.words().empty());
}
