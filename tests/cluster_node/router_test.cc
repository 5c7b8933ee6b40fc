// Requests that come to a node which does not own their shard, over real links.
#include "cluster/node/router.h"

#include <doctest/doctest.h>

#include <thread>

#include "tests/cluster_node/fake_engine.h"

namespace souk::cluster_node_test {
namespace {

using namespace cluster;

constexpr std::uint32_t shards = 4;
const Sku tea = *Sku::parse("tea");

std::int64_t now_ms() {
  using namespace std::chrono;
  return duration_cast<milliseconds>(steady_clock::now().time_since_epoch()).count();
}

struct Site {
  std::string name;
  std::uint64_t incarnation;
  FakeEngine engine{shards};
  FakeEdge edge;
  std::uint16_t sink = engine.add_sink(edge);
  Router router{shards, incarnation};
  std::unique_ptr<Links> links;

  Site(const std::string& called, std::uint64_t number) : name(called), incarnation(number) {
    open();
    router.wire(engine, *links);
    links->start(router);
  }
  ~Site() { links->stop(); }
  void open() {
    LinkOptions options;
    options.cluster = "shop";
    options.node = name;
    options.incarnation = incarnation;
    auto opened = Links::open(std::move(options));
    REQUIRE(opened.ok());
    links = std::move(*opened);
  }
  PeerAddress address() const { return {name, "127.0.0.1", links->port()}; }
  /// Its log of the shard says that.
  void owner_is(std::uint64_t owner, std::uint64_t epoch) {
    FoldState place;
    place.incarnation = owner;
    place.epoch = epoch;
    router.followed(shard(), place);
  }
  static ShardId shard() { return shard_of(EntityKey(tea), shards); }
  std::uint64_t tickets = 0;
  Request request(std::uint64_t key = 0) {
    Request r{.op = ReceiveStock{tea, 5, ""}};
    r.reply_to = {.who = ReplyTo::Who::client, .sink = sink, .ticket = ++tickets, .entity = {}};
    r.cause.bytes[0] = static_cast<std::uint8_t>(tickets);
    r.key_hash = r.request_hash = key;
    return r;
  }
  void stray(Request&& request) {
    std::vector<Envelope> strays;
    strays.push_back({{}, ShardInput(std::move(request))});
    router.strayed(std::move(strays));
  }
};

struct Two {
  Site a{"a", 1}, b{"b", 2};
  Two() {
    a.owner_is(b.incarnation, 1);
    b.router.owned(Site::shard(), 1);
    meet();
  }
  void meet() {
    const std::vector<PeerAddress> all{a.address(), b.address()};
    REQUIRE(a.links->set_peers(all).ok());
    REQUIRE(b.links->set_peers(all).ok());
    REQUIRE(eventually([&] { return linked(a) && linked(b); }));
  }
  static bool linked(const Site& site) {
    for (const auto& one : site.links->counters())
      if (one.up) return true;
    return false;
  }
  std::vector<Request> at(Site& site) {
    std::vector<Request> found;
    eventually([&] {
      site.router.tick(now_ms());
      a.router.tick(now_ms());
      found = site.engine.take_requests();
      return !found.empty();
    });
    return found;
  }
  std::vector<Reply> answers(Site& site) {
    std::vector<Reply> found;
    eventually([&] {
      site.router.tick(now_ms());
      found = site.edge.take();
      return !found.empty();
    });
    return found;
  }
};

}  // namespace

TEST_CASE("router: a request goes to the owner of its shard, and its answer comes back") {
  Two t;
  t.a.stray(t.a.request(9));
  auto there = t.at(t.b);
  REQUIRE(there.size() == 1);
  CHECK(there[0].key_hash == 9);
  CHECK(std::get<ReceiveStock>(there[0].op).quantity == 5);
  t.b.engine.answer(there[0], ReplyCode::ok);
  const auto answers = t.answers(t.a);
  REQUIRE(answers.size() == 1);
  CHECK(answers[0].ticket == 1);
  CHECK(answers[0].code == ReplyCode::ok);
  CHECK(answers[0].version == 3);
  CHECK(t.a.router.counters().answered == 1);
}

TEST_CASE("router: who does not own says who does, also to one that does not read the log") {
  Two t;
  Site c{"c", 3};
  const std::vector<PeerAddress> all{t.a.address(), t.b.address(), c.address()};
  for (Site* site : {&t.a, &t.b, &c}) REQUIRE(site->links->set_peers(all).ok());
  REQUIRE(eventually([&] {
    return std::ranges::count_if(t.a.links->counters(), [](const auto& one) { return one.up; }) ==
           2;
  }));
  t.a.stray(t.a.request());
  auto there = t.at(t.b);
  REQUIRE(there.size() == 1);
  c.router.owned(Site::shard(), 2);
  t.b.owner_is(c.incarnation, 2);
  t.b.stray(std::move(there[0]));
  auto next = t.at(c);
  REQUIRE(next.size() == 1);
  CHECK(t.a.router.owner(Site::shard()) == c.incarnation);
  c.engine.answer(next[0], ReplyCode::ok);
  const auto answers = t.answers(t.a);
  REQUIRE(answers.size() == 1);
  CHECK(answers[0].code == ReplyCode::ok);
}

TEST_CASE("router: what was heard of an owner counts as long as it is the newest") {
  Site a{"a", 1};
  const std::uint64_t before = a.router.reigns();
  a.router.owned(Site::shard(), 3);
  CHECK(a.router.owned_epoch(Site::shard()) == 3);
  a.router.heard(Site::shard(), 7, 2);
  CHECK(a.router.owner(Site::shard()) == 1);
  a.router.heard(Site::shard(), 7, 4);
  CHECK(a.router.owner_and_epoch(Site::shard()) == std::pair<std::uint64_t, std::uint64_t>(7, 4));
  CHECK(a.router.reigns() == before + 2);  // taken, and lost
}

TEST_CASE("router: of what was begun before it strayed nobody says that it was not done") {
  Site a{"a", 1};
  Request begun = a.request(9);
  begun.begun = true;
  a.stray(std::move(begun));
  a.stray(a.request(10));
  a.router.tick(now_ms() + route_wait_ms + 1);
  const auto answers = a.edge.take();
  REQUIRE(answers.size() == 2);
  for (const auto& one : answers)
    CHECK(one.code == (one.ticket == 1 ? ReplyCode::unavailable : ReplyCode::not_done));
}

TEST_CASE("router: what its owner does not take is sent to the next one, and no error is seen") {
  Two t;
  t.a.stray(t.a.request());
  auto there = t.at(t.b);
  REQUIRE(there.size() == 1);
  // It was given to this node meanwhile.
  std::vector<Envelope> back;
  back.push_back({{}, ShardInput(std::move(there[0]))});
  t.b.router.strayed(std::move(back));
  t.a.router.owned(Site::shard(), 2);
  auto here = t.at(t.a);
  REQUIRE(here.size() == 1);
  CHECK(here[0].reply_to.ticket == 1);
  CHECK(here[0].reply_to.sink == t.a.sink);
  CHECK(t.a.edge.take().empty());
}

TEST_CASE("router: while nobody owns the shard a request waits, and goes when somebody does") {
  Two t;
  t.a.owner_is(99, 2);  // of whom nobody has heard
  t.a.stray(t.a.request());
  t.a.router.tick(now_ms());
  CHECK(t.b.engine.take_requests().empty());
  t.a.owner_is(t.b.incarnation, 3);
  CHECK(t.at(t.b).size() == 1);
}

TEST_CASE("router: what is told late of an earlier owner changes nothing") {
  Two t;
  t.a.router.owned(Site::shard(), 5);
  t.a.owner_is(t.b.incarnation, 4);
  CHECK(t.a.router.owner(Site::shard()) == t.a.incarnation);
}

TEST_CASE("router: who waits too long hears what is known") {
  Two t;
  t.a.owner_is(99, 2);
  t.a.stray(t.a.request());
  t.a.router.tick(now_ms() + route_wait_ms + 1);
  auto answers = t.a.edge.take();
  REQUIRE(answers.size() == 1);
  CHECK(answers[0].code == ReplyCode::not_done);  // nobody had it
  t.a.owner_is(t.b.incarnation, 3);
  t.a.stray(t.a.request());
  REQUIRE(t.at(t.b).size() == 1);
  t.a.router.tick(now_ms() + route_wait_ms + 1);
  answers = t.a.edge.take();
  REQUIRE(answers.size() == 1);
  CHECK(answers[0].code == ReplyCode::unavailable);  // it may have been done
}

TEST_CASE("router: what this node owns and does not take is tried again, and not for ever") {
  Two t;
  t.a.router.owned(Site::shard(), 5);
  t.a.stray(t.a.request());
  const std::int64_t began = now_ms();
  for (int i = 0; i < 5; ++i) {
    auto here = t.at(t.a);
    REQUIRE(here.size() == 1);
    t.a.stray(std::move(here[0]));
  }
  CHECK(t.a.edge.take().empty());
  // Each try has no time of its own.
  t.a.router.tick(began + route_wait_ms + 1'000);
  const auto answers = t.a.edge.take();
  REQUIRE(answers.size() == 1);
  CHECK(answers[0].code == ReplyCode::not_done);
}

TEST_CASE("router: where the link is lost a request with a key is sent again, another is not") {
  Two t;
  t.a.stray(t.a.request());
  t.a.stray(t.a.request(9));
  std::size_t there = 0;
  REQUIRE(eventually([&] { return (there += t.b.engine.take_requests().size()) == 2; }));
  REQUIRE(t.a.links->set_peers({}).ok());
  const auto answers = t.answers(t.a);
  REQUIRE(answers.size() == 1);
  CHECK(answers[0].ticket == 1);
  CHECK(answers[0].code == ReplyCode::unavailable);
  t.meet();
  const auto again = t.at(t.b);
  REQUIRE(again.size() == 1);
  CHECK(again[0].key_hash == 9);
  t.b.engine.answer(again[0], ReplyCode::ok);
  const auto last = t.answers(t.a);
  REQUIRE(last.size() == 1);
  CHECK(last[0].ticket == 2);
  CHECK(t.a.router.counters().sent_again == 1);
}

TEST_CASE("router: an answer of before the link was lost goes to nobody") {
  Two t;
  t.a.stray(t.a.request(9));
  const auto first = t.at(t.b);
  REQUIRE(first.size() == 1);
  REQUIRE(t.b.links->set_peers({}).ok());
  REQUIRE(eventually([&] { return !Two::linked(t.b); }));
  t.meet();
  const auto again = t.at(t.b);
  REQUIRE(again.size() == 1);
  t.b.engine.answer(first[0], ReplyCode::ok);
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  CHECK(t.a.edge.take().empty());
  t.b.engine.answer(again[0], ReplyCode::ok);
  CHECK(t.answers(t.a).size() == 1);
  CHECK(t.a.edge.take().empty());
}

TEST_CASE("router: messages of shards go to the owner with who sent them, or are lost") {
  Two t;
  const auto send = [&] {
    std::vector<Envelope> messages;
    messages.push_back(
        {{.shard = ShardId{3}, .epoch = 7, .seq = 8}, QuoteWanted{tea, EntityKey(CartId{})}});
    t.a.router.strayed(std::move(messages));
  };
  send();
  std::vector<Envelope> there;
  REQUIRE(eventually([&] { return !(there = t.b.engine.take_messages()).empty(); }));
  CHECK(there[0].from.epoch == 7);
  CHECK(std::get<QuoteWanted>(there[0].content).sku == tea);
  t.a.owner_is(99, 2);
  send();
  CHECK(t.a.router.counters().messages_lost == 1);
}

TEST_CASE("router: rubbish of a peer costs nothing") {
  Two t;
  for (const std::string& frame :
       {std::string(), std::string("\x01"), std::string(9, '\x01'), std::string(40, '\x02'),
        std::string(40, '\x04'), std::string(40, '\x09')})
    t.b.router.received("a", frame);
  CHECK(t.b.engine.take_requests().empty());
  t.a.stray(t.a.request());
  CHECK(t.at(t.b).size() == 1);
}

TEST_CASE("router: one that is stopped answers all who wait") {
  Two t;
  t.a.owner_is(99, 2);
  t.a.stray(t.a.request());
  t.a.router.stop();
  CHECK(t.a.edge.take().size() == 1);
  t.a.stray(t.a.request());
  CHECK(t.a.edge.take().size() == 1);
}

}  // namespace souk::cluster_node_test
