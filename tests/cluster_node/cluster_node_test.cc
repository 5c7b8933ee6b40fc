// Nodes that hear each other by logs in memory: they find a controller, and each shard an owner.
#include "cluster/node/cluster_node.h"

#include <doctest/doctest.h>

#include <future>
#include <thread>

#include "tests/cluster_node/fake_engine.h"
#include "tests/cluster_node/live_broker.h"

namespace souk::cluster_node_test {
namespace {

using namespace cluster;

constexpr std::uint32_t shards = 8;

/// A node whose engine does at once what it is told, in logs that all nodes share: an epoch a claim.
struct Town;
struct Member {
  Town& town;
  LiveBroker control, liveness;
  FakeEngine engine{shards};
  std::unique_ptr<ClusterNode> node;
  std::uint64_t incarnation;
  std::map<ShardId, Assignment::What> told;  // the last of each shard
  Member(Town& of, const std::string& name, std::uint64_t number, bool no_read_models = false);
  ~Member() { node->stop(); }
  void obey();
};

struct Town {
  LiveTopic control{1}, liveness{1};
  std::vector<std::pair<std::uint64_t, std::uint64_t>> owners{shards};  // epoch, incarnation
  std::vector<std::unique_ptr<Member>> members;

  Member& join(const std::string& name, std::uint64_t number, bool no_read_models = false) {
    members.push_back(std::make_unique<Member>(*this, name, number, no_read_models));
    return *members.back();
  }
  /// What the shards' logs say comes to all.
  void own(ShardId shard, std::uint64_t incarnation) {
    auto& [epoch, owner] = owners[shard.value];
    ++epoch;
    owner = incarnation;
    for (const auto& member : members) tell(*member, shard);
  }
  void tell(Member& member, ShardId shard) {
    FoldState place;
    std::tie(place.epoch, place.incarnation) = owners[shard.value];
    place.next_offset = place.epoch + 1;
    if (place.incarnation == member.incarnation)
      member.node->router().owned(shard, place.epoch);
    else
      member.node->router().followed(shard, place);
  }
  bool obeyed_until(const std::function<bool()>& holds) {
    return eventually([&] {
      for (const auto& member : members) member->obey();
      return holds();
    });
  }
  std::size_t owned_by(std::uint64_t incarnation) const {
    return static_cast<std::size_t>(
        std::ranges::count_if(owners, [&](const auto& one) { return one.second == incarnation; }));
  }
  Member* controller() {
    for (const auto& member : members)
      if (member->node->view()->controls) return member.get();
    return nullptr;
  }
  bool settled() {
    const Member* one = controller();
    return one && one->node->view()->state.moves().empty();
  }
};

Member::Member(Town& of, const std::string& name, std::uint64_t number, bool no_read_models)
    : town(of), control(of.control), liveness(of.liveness), incarnation(number) {
  ClusterNodeOptions options;
  options.shards = shards;
  options.genesis = genesis_number;
  options.incarnation = number;
  options.no_read_models = no_read_models;
  options.http = "127.0.0.1:1";
  options.link.cluster = "shop";
  options.link.node = name;
  options.no_read_models = no_read_models;
  auto opened = ClusterNode::open(options, {control, liveness}, [] { return false; });
  REQUIRE(opened.ok());
  node = std::move(*opened);
  node->wire(engine);
  if (!no_read_models)
    node->questions().answer_by(
        [name](std::string_view question, AnswerDone done) { done(name + std::string(question)); });
  for (std::uint32_t s = 0; s < shards; ++s)
    if (of.owners[s].first > 0) of.tell(*this, ShardId{static_cast<std::uint16_t>(s)});
  node->run();
}

void Member::obey() {
  for (const Assignment& one : engine.take_assigned()) {
    told[one.shard] = one.what;
    const bool mine = town.owners[one.shard.value].second == incarnation;
    if (one.what == Assignment::What::own && !mine) town.own(one.shard, incarnation);
    if (one.what == Assignment::What::hand_over && mine) town.own(one.shard, one.to_incarnation);
  }
}

}  // namespace

TEST_CASE("cluster node: nodes that start find a controller, and share the shards") {
  Town town;
  Member& a = town.join("a", 11);
  Member& b = town.join("b", 12);
  REQUIRE(town.obeyed_until([&] {
    return town.owned_by(11) == shards / 2 && town.owned_by(12) == shards / 2 && town.settled();
  }));
  CHECK(town.controller() == &a);  // the first by name
  REQUIRE(town.obeyed_until([&] { return b.node->view()->controller == "a"; }));
  // The same view from both.
  REQUIRE(town.obeyed_until([&] { return a.node->view()->state == b.node->view()->state; }));
  for (const auto& owner : b.node->view()->owners) CHECK(owner.node != nobody);
}

TEST_CASE("cluster node: one without read models follows what it holds, another all") {
  Town town;
  Member& a = town.join("a", 11);
  Member& b = town.join("b", 12, true);
  Member& c = town.join("c", 13, true);
  REQUIRE(town.obeyed_until([&] {
    return town.owned_by(11) > 0 && town.owned_by(12) > 0 && town.owned_by(13) > 0 &&
           town.settled();
  }));
  const auto as_it_holds = [&](Member& member, const std::string& name) {
    const auto view = member.node->view();
    const NodeId id = view->state.id_of(name);
    std::size_t left = 0;
    for (std::uint16_t s = 0; s < shards; ++s) {
      const ShardState& present = view->state.cluster().present[s];
      const bool has = present.owner == id || find_replica(present, id) != nullptr;
      const auto found = member.told.find(ShardId{s});
      const bool away = found == member.told.end() || found->second == Assignment::What::away;
      if (away == has) return false;
      left += away ? 1 : 0;
    }
    return left > 0;
  };
  CHECK(town.obeyed_until([&] { return as_it_holds(b, "b") && as_it_holds(c, "c"); }));
  CHECK(a.told.size() == shards);
  for (const auto& [shard, what] : a.told) CHECK(what != Assignment::What::away);
  for (const auto& [name, row] : a.node->view()->heard.rows()) {
    CHECK(row.newest.no_read_models == (name != "a"));
    for (const Holding& holding : row.newest.holdings)
      CHECK((holding.epoch > 0) == (holding.holds == cluster::Holds::owner));
  }
}

TEST_CASE("cluster node: questions go to the nodes with read models, last to one that is ending") {
  Town town;
  Member& a = town.join("a", 11, true);
  town.join("b", 12, true);
  Member& c = town.join("c", 13);
  const auto ask = [&] {
    std::promise<std::string> answer;
    a.node->questions().ask("?", [&](Result<std::string, NoAnswer> outcome) {
      answer.set_value(outcome.ok() ? *outcome : "none");
    });
    return answer.get_future().get();
  };
  REQUIRE(town.obeyed_until([&] { return ask() == "c?"; }));
  for (int i = 0; i < 10; ++i) CHECK(ask() == "c?");
  Member& d = town.join("d", 14);
  REQUIRE(town.obeyed_until([&] { return ask() == "d?"; }));
  c.node->begin_to_leave();
  REQUIRE(town.obeyed_until([&] {
    const Heartbeat* newest = a.node->view()->heard.newest("c");
    return newest && newest->ending;
  }));
  for (int i = 0; i < 10; ++i) CHECK(ask() == "d?");
  d.node->stop();
  REQUIRE(town.obeyed_until([&] { return ask() == "c?"; }));
}

TEST_CASE("cluster node: who falls silent is replaced, as owner and as controller") {
  Town town;
  Member& a = town.join("a", 11);
  town.join("b", 12);
  town.join("c", 13);
  REQUIRE(town.obeyed_until([&] {
    return town.owned_by(11) > 0 && town.owned_by(12) > 0 && town.owned_by(13) > 0 &&
           town.settled();
  }));
  a.control.cut(true);
  a.liveness.cut(true);
  REQUIRE(town.obeyed_until([&] { return town.owned_by(11) == 0; }));
  Member* next = town.controller() == &a ? nullptr : town.controller();
  REQUIRE(town.obeyed_until([&] {
    for (const auto& member : town.members)
      if (member.get() != &a && member->node->view()->controls) next = member.get();
    return next != nullptr;
  }));
  // It comes back, and does not believe that it rules.
  a.control.cut(false);
  a.liveness.cut(false);
  REQUIRE(town.obeyed_until([&] { return !a.node->view()->controls; }));
  REQUIRE(town.obeyed_until([&] { return a.node->view()->state == next->node->view()->state; }));
}

TEST_CASE("cluster node: a move ends, and leaves nothing behind that is not wanted") {
  Town town;
  Member& a = town.join("a", 11);
  town.join("b", 12);
  town.join("c", 13);
  REQUIRE(town.obeyed_until([&] {
    return town.owned_by(11) > 0 && town.owned_by(12) > 0 && town.owned_by(13) > 0 &&
           town.settled();
  }));
  const std::string to = town.owners[0].second == 13 ? "b" : "c";
  std::atomic<bool> answered{false};
  a.node->command({"me", MoveShard{ShardId{0}, to}},
                  [&](Result<Done, cluster::Refused>) { answered = true; });
  REQUIRE(town.obeyed_until(
      [&] { return answered && town.owners[0].second == (to == "c" ? 13U : 12U); }));
  REQUIRE(town.obeyed_until([&] {
    const auto view = a.node->view();
    return view->state.moves().empty() && view->state.cluster().present[0].replicas.size() == 2;
  }));
}

TEST_CASE("cluster node: who ends gives away what it owns") {
  Town town;
  Member& a = town.join("a", 11);
  town.join("b", 12);
  REQUIRE(town.obeyed_until(
      [&] { return town.owned_by(11) > 0 && town.owned_by(12) > 0 && town.settled(); }));
  std::thread leaving([&] { a.node->leave(std::chrono::seconds(9)); });
  CHECK(town.obeyed_until([&] { return town.owned_by(12) == shards; }));
  leaving.join();
}

TEST_CASE("cluster node: who ends gives nothing to another one that ends") {
  Town town;
  Member& a = town.join("a", 11);
  Member& b = town.join("b", 12);
  REQUIRE(town.obeyed_until(
      [&] { return town.owned_by(11) > 0 && town.owned_by(12) > 0 && town.settled(); }));
  // The controller cannot say that they end: each hears it of the other.
  for (Member* member : {&a, &b}) member->control.cut(true);
  const auto claims = [&] {
    std::uint64_t all = 0;
    for (const auto& [epoch, incarnation] : town.owners) all += epoch;
    return all;
  };
  const std::uint64_t before = claims();
  const std::size_t of_one = std::max(town.owned_by(11), town.owned_by(12));
  std::vector<std::thread> leave;
  for (Member* member : {&a, &b})
    leave.emplace_back([member] { member->node->leave(std::chrono::seconds(1)); });
  const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(1'100);
  (void)town.obeyed_until([&] { return std::chrono::steady_clock::now() > until; });
  CHECK(claims() - before <= of_one);  // the first may be heard before the second
  for (std::thread& one : leave) one.join();
}

TEST_CASE("cluster node: commands of operators are in the log of all, or refused in words") {
  Town town;
  Member& a = town.join("a", 11);
  Member& b = town.join("b", 12);
  REQUIRE(town.obeyed_until(
      [&] { return town.owned_by(11) > 0 && town.owned_by(12) > 0 && town.settled(); }));
  std::mutex mutex;
  std::vector<std::string> answers;
  const auto ask = [&](Member& member, OperatorCommand command) {
    member.node->command(std::move(command), [&](Result<Done, cluster::Refused> done) {
      const std::lock_guard lock(mutex);
      answers.push_back(done.ok() ? "done" : done.error().why);
    });
    REQUIRE(eventually([&] {
      const std::lock_guard lock(mutex);
      return !answers.empty();
    }));
    const std::lock_guard lock(mutex);
    return std::exchange(answers, {})[0];
  };
  CHECK(ask(a, {"me", DrainNode{"z"}}) != "done");
  CHECK(ask(b, {"me", DrainNode{"z"}}) != "done");
  CHECK(ask(b, {"me", DrainNode{"b"}}) == "done");  // the controller does it
  REQUIRE(town.obeyed_until([&] { return town.owned_by(12) == 0 && town.settled(); }));
  REQUIRE(town.obeyed_until([&] {
    const auto view = b.node->view();
    const Node* node = view->state.node(view->state.id_of("b"));
    return node && node->wish == Wish::drained;
  }));
}

}  // namespace souk::cluster_node_test
