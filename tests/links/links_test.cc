// Nodes that keep to the rules.
#include "cluster/links/links.h"

#include <doctest/doctest.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <thread>

#include "tests/links/world.h"
#include "tests/support/heard.h"
#include "tests/support/skips.h"

using namespace souk;
using namespace souk::cluster;
using namespace souk::cluster::test;

namespace {

/// For each sender of "SENDER NUMBER" whether the numbers came as 0, 1, 2, ...
class Order final : public LinkListener {
 public:
  void up(const PeerHello&) override {}
  void down(const std::string&, const std::string&) override {}
  void received(const std::string&, std::string_view frame) override {
    const auto sender = static_cast<std::size_t>(frame[0] - '0');
    const auto number = static_cast<std::uint32_t>(std::stoul(std::string(frame.substr(2))));
    if (number != next_[sender]++) broken_ = true;
    ++count_;
  }
  bool broken() const { return broken_; }
  std::uint32_t count() const { return count_; }

 private:
  std::uint32_t next_[4] = {};
  std::atomic<bool> broken_{false};
  std::atomic<std::uint32_t> count_{0};
};

/// One that no client's connection is given.
std::uint16_t unused_port() {
  int below = 0;
  std::ifstream("/proc/sys/net/ipv4/ip_local_port_range") >> below;
  for (int port = below - 1 - ::getpid() % 10'000; port > 1'024; --port) {
    LinkOptions options = options_of("b");
    options.listen_port = static_cast<std::uint16_t>(port);
    if (Links::open(std::move(options)).ok()) return static_cast<std::uint16_t>(port);
  }
  FAIL("no port is free");
  return 0;
}

/// Gives this thread, and those it starts, a loopback of their own, on which clients have the
/// ports from `first` to `last`. False where that cannot be: the test is left out then.
bool own_network(int first, int last) {
  if (::unshare(CLONE_NEWNET) != 0) {
    souk::test::skipped("own-network", std::strerror(errno));
    return false;
  }
  ifreq loopback{};
  std::strcpy(loopback.ifr_name, "lo");
  loopback.ifr_flags = IFF_UP;
  const int socket = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  REQUIRE(::ioctl(socket, SIOCSIFFLAGS, &loopback) == 0);
  ::close(socket);
  std::ofstream ports("/proc/sys/net/ipv4/ip_local_port_range");
  ports << first << ' ' << last << std::endl;
  if (!ports) souk::test::skipped("own-network", "the range of ports cannot be set");
  return !ports.fail();
}

bool soon(const std::function<bool()>& true_at_last) {
  for (const auto end = Clock::now() + patience; Clock::now() < end;) {
    if (true_at_last()) return true;
    std::this_thread::sleep_for(milliseconds(2));
  }
  return false;
}

}  // namespace

TEST_CASE("links: two nodes are linked once, and frames go both ways in order") {
  TestNode a("a"), b("b");
  CHECK(a.links->send("b", "early") == Sent::no_link);
  link(a, b);
  for (int i = 0; i < 3; ++i) {
    CHECK(a.links->send("b", "to b " + std::to_string(i)) == Sent::yes);
    CHECK(b.links->send("a", "to a " + std::to_string(i)) == Sent::yes);
  }
  CHECK(a.links->send("c", "?") == Sent::no_link);
  REQUIRE(b.heard.has(4));
  REQUIRE(a.heard.has(4));
  CHECK(b.heard.words() ==
        std::vector<std::string>{"up a 1", "a: to b 0", "a: to b 1", "a: to b 2"});
  CHECK(a.heard.words() ==
        std::vector<std::string>{"up b 1", "b: to a 0", "b: to a 1", "b: to a 2"});
  REQUIRE(soon([&] { return a.counters("b").frames_sent == 3; }));
  const LinkCounters counters = a.counters("b");
  CHECK(counters.up);
  CHECK(counters.bytes_sent == 18);
  CHECK(counters.frames_received == 3);
  CHECK(counters.bytes_received == 18);
  CHECK(counters.unsent_bytes == 0);
  CHECK(counters.connections == 1);
}

TEST_CASE("links: a link that nobody uses stays") {
  LinkOptions fast_a = options_of("a"), fast_b = options_of("b");
  for (LinkOptions* options : {&fast_a, &fast_b}) {
    options->limits.heartbeat_ms = 40;
    options->limits.silent_ms = 400;
  }
  TestNode a(fast_a), b(fast_b);
  link(a, b);
  std::this_thread::sleep_for(milliseconds(1'500));
  CHECK(a.heard.words().size() == 1);
  CHECK(b.heard.words().size() == 1);
}

TEST_CASE("links: a node that starts later is found, by its host's name too") {
  const std::uint16_t port = unused_port();
  TestNode a("a");
  REQUIRE(a.links->set_peers({{"b", "localhost", port}, {"a", "localhost", 1}}).ok());
  std::this_thread::sleep_for(milliseconds(100));
  LinkOptions options = options_of("b", 2);
  options.listen_port = port;
  TestNode b(options);
  REQUIRE(b.links->set_peers({a.at("a")}).ok());
  CHECK(a.heard.hears("up b 2"));
  CHECK(b.heard.hears("up a 1"));
}

TEST_CASE("links: a node does not take itself for a peer that is not there yet") {
  // Where a client's port is one of two, every second dial or so would reach the socket itself.
  std::thread([] {
    constexpr std::uint16_t port = 40'000;
    if (!own_network(port, port + 1)) return;
    LinkOptions elsewhere = options_of("a");
    elsewhere.listen_port = 30'000;
    const souk::test::Heard log;
    TestNode a(elsewhere);
    REQUIRE(a.links->set_peers({{"b", "127.0.0.1", port}}).ok());
    std::this_thread::sleep_for(milliseconds(100));
    a.links->stop();
    CHECK(a.heard.words().empty());
    CHECK(log.count("why=\"nobody listens there\"") == 1);
  }).join();
}

TEST_CASE("links: what four threads send comes in the order of each, and each once") {
  Order order;
  TestNode a("a");
  auto b = std::move(*Links::open(options_of("b")));
  b->start(order);
  REQUIRE(a.links->set_peers({{"b", "127.0.0.1", b->port()}}).ok());
  REQUIRE(b->set_peers({a.at("a")}).ok());
  REQUIRE(a.heard.hears("up b 1"));
  constexpr std::uint32_t each = 25'000;
  std::vector<std::thread> threads;
  std::atomic<std::uint32_t> other{0};
  for (char sender = '0'; sender < '4'; ++sender)
    threads.emplace_back([&, sender] {
      for (std::uint32_t i = 0; i < each;) {
        std::string frame = std::string(1, sender) + " " + std::to_string(i);
        if (i % 1'000 == 0) frame += std::string(100'000, ' ');  // some that are not copied
        const Sent sent = a.links->send("b", std::move(frame));
        if (sent == Sent::yes)
          ++i;
        else if (sent == Sent::full)
          std::this_thread::yield();
        else if (++other > 0)
          break;
      }
    });
  for (std::thread& thread : threads) thread.join();
  CHECK(other == 0);
  CHECK(soon([&] { return order.count() == 4 * each; }));
  CHECK(!order.broken());
  CHECK(soon([&] { return a.counters("b").unsent_bytes == 0; }));
  b->stop();
}

TEST_CASE("links: the largest frame arrives, one byte more is refused") {
  LinkOptions options = options_of("a");
  TestNode a(options), b("b");
  link(a, b);
  const std::size_t max = options.limits.frame_bytes_max;
  CHECK(a.links->send("b", std::string(max + 1, 'x')) == Sent::too_large);
  std::string frame(max, 'x');
  frame.back() = 'y';
  CHECK(a.links->send("b", frame) == Sent::yes);
  CHECK(a.links->send("b", "small") == Sent::yes);
  REQUIRE(b.heard.hears("a: small"));
  const auto words = b.heard.words();
  CHECK(words[1].size() == max + 3);
  CHECK(words[1].ends_with("xy"));
}

TEST_CASE("links: a node that was started anew replaces itself, down first") {
  TestNode b("b");
  auto a = std::make_unique<TestNode>("a", 1);
  link(*a, b);
  a = std::make_unique<TestNode>("a", 2);
  REQUIRE(a->links->set_peers({b.at("b")}).ok());
  REQUIRE(b.heard.hears("up a 2"));
  CHECK(b.heard.words() == std::vector<std::string>{"up a 1", "down a", "up a 2"});
  REQUIRE(a->heard.hears("up b 1"));
  CHECK(a->links->send("b", "again") == Sent::yes);
  CHECK(b.heard.hears("a: again"));
  CHECK(b.counters("a").connections == 2);
}

TEST_CASE("links: who is no peer any more is down, and is let in again when it is one") {
  TestNode a("a"), b("b"), c("c");
  REQUIRE(a.links->set_peers({b.at("b"), c.at("c")}).ok());
  REQUIRE(b.links->set_peers({a.at("a")}).ok());
  REQUIRE(c.links->set_peers({a.at("a")}).ok());
  REQUIRE(a.heard.hears("up b 1"));
  REQUIRE(a.heard.hears("up c 1"));
  REQUIRE(b.heard.hears("up a 1"));  // the dialer is up first

  REQUIRE(b.links->set_peers({}).ok());
  REQUIRE(b.heard.hears("down a"));
  CHECK(b.heard.why() == "no peer any more");
  REQUIRE(a.heard.hears("down b"));
  CHECK(b.links->send("a", "?") == Sent::no_link);
  CHECK(b.links->counters().empty());
  std::this_thread::sleep_for(milliseconds(200));  // a dials on, and is refused
  CHECK(!a.counters("b").up);

  REQUIRE(b.links->set_peers({a.at("a")}).ok());
  CHECK(a.heard.hears("up b 1", 2));
  CHECK(a.links->send("b", "back") == Sent::yes);
  CHECK(b.heard.hears("a: back"));
  CHECK(a.counters("c").connections == 1);  // all of this was nothing to c
}

TEST_CASE("links: a peer that has moved is down, and is dialed where it is now") {
  TestNode a("a"), old_b("b", 1), new_b("b", 2);
  link(a, old_b);
  REQUIRE(new_b.links->set_peers({a.at("a")}).ok());
  REQUIRE(a.links->set_peers({new_b.at("b")}).ok());
  REQUIRE(a.heard.hears("up b 2"));
  CHECK(a.heard.words() == std::vector<std::string>{"up b 1", "down b", "up b 2"});
  CHECK(old_b.heard.hears("down a"));
  // Nor does the same once more change anything.
  REQUIRE(a.links->set_peers({new_b.at("b")}).ok());
  CHECK(a.links->send("b", "moved") == Sent::yes);
  CHECK(new_b.heard.hears("a: moved"));
  CHECK(a.counters("b").connections == 1);
}

TEST_CASE("links: the end is told, and nothing is told after it") {
  TestNode a("a"), b("b");
  link(a, b);
  a.links->stop();
  CHECK(a.heard.words() == std::vector<std::string>{"up b 1", "down b"});
  CHECK(a.heard.why() == "this node stops");
  CHECK(a.links->send("b", "late") == Sent::no_link);
  CHECK(b.heard.hears("down a"));
  a.links->stop();
  CHECK(a.heard.words().size() == 2);
}

TEST_CASE("links: nodes that share no version tell why, others agree on the newest") {
  LinkOptions old_node = options_of("a"), new_node = options_of("b");
  old_node.versions = {1, 3};
  new_node.versions = {2, 5};
  TestNode a(old_node), b(new_node);
  link(a, b);
  CHECK(a.heard.version() == 3);
  CHECK(b.heard.version() == 3);
}

TEST_CASE("links: without certificates all is on loopback") {
  LinkOptions options = options_of("a");
  options.listen_host = "0.0.0.0";
  CHECK(Links::open(options).error().kind == Fault::Kind::mismatch);
  options.listen_host = "somewhere";
  CHECK(Links::open(options).error().what == "somewhere: not an address to listen on");
  TestNode a("a");
  CHECK(a.links->set_peers({{"b", "10.0.0.1", 7}}).error().what ==
        "node b at 10.0.0.1: without certificates nodes are reached at loopback addresses only");
  CHECK(a.links->set_peers({{"b", "::1", 7}}).ok());
}

TEST_CASE("links: a port that is taken is a fault") {
  TestNode a("a");
  LinkOptions options = options_of("b");
  options.listen_port = a.links->port();
  CHECK(Links::open(options).error().kind == Fault::Kind::unavailable);
}
