// The cluster over HTTP: documents of a made-up cluster, and what operators may say.
#include <doctest/doctest.h>

#include "cluster/control/controller.h"
#include "gateway/api/cluster/operator_commands.h"
#include "tests/api/fixtures.h"

using namespace souk;
using namespace souk::test;
using namespace souk::cluster;

namespace {

constexpr UnixMs noon{1'700'000'000'000};
constexpr std::size_t shards = 4;

/// Nodes a, b and c, each alive; a owns shards 0 and 1, b 2, nobody 3; c stands by for 0.
struct FakeCluster final : OperatorPort {
  ControlState state{shards};
  std::vector<LogOwner> owners = std::vector<LogOwner>(shards);
  HeardTable heard{"alpha", 1};
  std::vector<std::pair<OperatorCommand, CommandDone>> commands;
  std::string controller = "alpha";

  FakeCluster() {
    std::uint32_t id = 0;
    for (const char* name : {"alpha", "beta", "gamma"}) {
      fold(NodeJoined{{++id}, name, "", 1});
      fold(NodeHeard{.node = {id},
                     .incarnation = id,
                     .zone = "",
                     .weight = 1,
                     .http = std::string(name) + ":8080",
                     .peer = "",
                     .build = "1",
                     .protocol_min = 1,
                     .protocol_max = 1});
    }
    owns(0, 1);
    owns(1, 1);
    owns(2, 2);
    fold(ReplicaWarm{ShardId{0}, NodeId{3}});
    PlacementWanted wanted;
    wanted.changed.push_back({ShardId{0}, Wanted{NodeId{1}, NodeId{3}}});
    wanted.changed.push_back({ShardId{1}, Wanted{NodeId{1}, nobody}});
    wanted.changed.push_back({ShardId{2}, Wanted{NodeId{2}, nobody}});
    fold(wanted);
  }
  void fold(EntryBody body, std::string who = {}) {
    const Entry entry{noon, std::move(who), std::move(body)};
    REQUIRE_MESSAGE(!state.check(entry), *state.check(entry));
    REQUIRE(state.fold(entry));
  }
  void owns(std::uint16_t shard, std::uint32_t node) {
    owners[shard] = {{node}, node, owners[shard].epoch + 1};
    fold(OwnerFound{{shard}, {node}, owners[shard].epoch});
  }

  std::shared_ptr<const ClusterView> view() const override {
    return std::make_shared<ClusterView>(
        ClusterView{.state = state,
                    .cluster = present_view(state, heard, noon.plus_ms(60'000)),
                    .owners = owners,
                    .heard = heard,
                    .name = "shop",
                    .self = "alpha",
                    .controller = controller,
                    .controls = true,
                    .judges = true,
                    .links = {},
                    .hand_over_ms = 120});
  }
  void command(OperatorCommand command, CommandDone done) override {
    commands.emplace_back(std::move(command), std::move(done));
  }
};

/// An edge in that cluster.
struct World {
  FakeCluster cluster;
  Edge edge{ApiOptions{.version = "test", .recovery = {}, .operators = &cluster}};

  /// The answer of what the workers write.
  HttpResponse ask(HttpMethod method, const std::string& target, const std::string& body = {}) {
    const auto exchange = edge.send(method, target, body, {.content_type = type_of(body)});
    if (!edge.answered(exchange)) edge.wake();
    REQUIRE(edge.answered(exchange));
    return edge.answer(exchange);
  }
  HttpResponse get(const std::string& target) { return ask(HttpMethod::get, target); }
  static std::optional<std::string> type_of(const std::string& body) {
    return body.empty() ? std::nullopt : std::optional<std::string>("application/json");
  }
};

std::string detail_of(const HttpResponse& response) { return Json(response.body).text("/detail"); }
std::string code_of(const HttpResponse& response) { return Json(response.body).text("/code"); }

}  // namespace

TEST_CASE("cluster: a node that is alone says so, and how one is made") {
  Edge edge;
  for (const char* target : {"/v1/cluster", "/v1/cluster/nodes", "/v1/cluster/shards?shard=1",
                             "/v1/cluster/moves", "/v1/cluster/erasures"}) {
    const auto exchange = edge.send(HttpMethod::get, target);
    CHECK(edge.answer(exchange).status == 404);
    CHECK(detail_of(edge.answer(exchange)).find("souk cluster init") != std::string::npos);
  }
}

TEST_CASE("cluster: its figures, and what is wrong with it in words") {
  World world;
  const auto answer = world.get("/v1/cluster");
  REQUIRE(answer.status == 200);
  CHECK(answer.cache_control == "private, no-store");
  const Json json(answer.body);
  CHECK(json.text("/cluster") == "shop");
  CHECK(json.text("/controller") == "alpha");
  CHECK(json.number("/nodes_alive") == 3);
  CHECK(json.number("/shards") == 4);
  CHECK(json.number("/shards_served") == 3);
  CHECK(json.number("/unserved/0") == 3);
  CHECK(answer.body.find("Shard 3 is not served: souk cluster explain 3") != std::string::npos);
  world.cluster.controller.clear();
  const auto without = world.get("/v1/cluster").body;
  CHECK(Json(without).at("/controller").is_null());
  CHECK(without.find("No controller is heard") != std::string::npos);
}

TEST_CASE("cluster: a node says what it has, and is safe to stop only when that is nothing") {
  World world;
  const Json json(world.get("/v1/cluster/nodes").body);
  CHECK(json.text("/nodes/0/name") == "alpha");
  CHECK(json.number("/nodes/0/owns") == 2);
  CHECK(json.number("/nodes/1/owns") == 1);
  CHECK(json.number("/nodes/2/stands_by") == 1);
  CHECK(json.text("/nodes/2/http") == "gamma:8080");
  CHECK(json.text("/nodes/2/state") == "serves");
  world.cluster.fold(NodeWished{{3}, Wish::drained}, "ann");
  const Json draining(world.get("/v1/cluster/nodes").body);
  CHECK(draining.text("/nodes/2/state") == "draining");
  CHECK_FALSE(draining.at("/nodes/2/safe_to_stop").get_bool().value());
  world.cluster.fold(ReplicaLost{{0}, {3}});
  const Json drained(world.get("/v1/cluster/nodes").body);
  CHECK(drained.text("/nodes/2/state") == "drained");
  CHECK(drained.at("/nodes/2/safe_to_stop").get_bool().value());
  CHECK_FALSE(drained.at("/nodes/0/safe_to_stop").get_bool().value());
}

TEST_CASE("cluster: a node says whether it has read models, and none with them is a trouble") {
  World world;
  const std::string trouble = "No node with read models lives";
  const auto hears = [&](const char* name, std::uint64_t incarnation, bool without) {
    Heartbeat heartbeat;
    heartbeat.name = name;
    heartbeat.incarnation = incarnation;
    heartbeat.no_read_models = without;
    world.cluster.heard.take(std::move(heartbeat), {});
  };
  hears("alpha", 1, true);
  hears("beta", 2, false);
  const Json json(world.get("/v1/cluster/nodes").body);
  CHECK_FALSE(json.at("/nodes/0/read_models").get_bool().value());
  CHECK(json.at("/nodes/1/read_models").get_bool().value());
  CHECK_FALSE(json.has("/nodes/2/read_models"));  // it was not heard yet
  CHECK(world.get("/v1/cluster").body.find(trouble) == std::string::npos);
  hears("beta", 22, true);
  hears("gamma", 3, true);
  CHECK(world.get("/v1/cluster").body.find(trouble) != std::string::npos);
}

TEST_CASE("cluster: shards by node, and one with the words why it is where it is") {
  World world;
  CHECK(Json(world.get("/v1/cluster/shards").body).at("/shards").get_array().size() == 4);
  const Json of_gamma(world.get("/v1/cluster/shards?node=gamma").body);
  CHECK(of_gamma.at("/shards").get_array().size() == 1);
  CHECK(of_gamma.number("/shards/0/shard") == 0);
  CHECK_FALSE(of_gamma.has("/shards/0/explain"));
  const Json one(world.get("/v1/cluster/shards?shard=0").body);
  CHECK(one.text("/shards/0/owner") == "alpha");
  CHECK(one.text("/shards/0/explain/0") == "alpha owns it.");
  const auto stuck = world.get("/v1/cluster/shards?shard=3").body;
  CHECK(stuck.find("Nobody serves it: its log names no owner yet.") != std::string::npos);
}

TEST_CASE("cluster: names and numbers that there are not are told with the nearest") {
  World world;
  const auto post = [&](const std::string& body) {
    return world.ask(HttpMethod::post, "/v1/cluster/moves", body);
  };
  CHECK(world.get("/v1/cluster/shards?node=alfa").status == 404);
  CHECK(detail_of(world.get("/v1/cluster/shards?node=alfa")) ==
        "there is no node 'alfa'; is it 'alpha'? The nodes are alpha, beta, gamma");
  CHECK(detail_of(world.get("/v1/cluster/shards?node=zzzzzzzz")) ==
        "there is no node 'zzzzzzzz'. The nodes are alpha, beta, gamma");
  CHECK(detail_of(world.get("/v1/cluster/shards?shard=4")) ==
        "there is no shard 4; the nearest is 3, they are 0 to 3");
  CHECK(post(R"({"command":"drain","node":"bet","who":"ann"})").status == 404);
  CHECK(detail_of(post(R"({"command":"cancel","number":5,"who":"ann"})")) ==
        "move 5 is not under way; none is");
  CHECK(post(R"({"command":"drian","node":"beta","who":"ann"})").status == 422);
  CHECK(world.cluster.commands.empty());
}

TEST_CASE("cluster: a command says all it needs, and nothing else") {
  World world;
  const auto path_of = [&](const std::string& body) {
    const auto answer = world.ask(HttpMethod::post, "/v1/cluster/moves", body);
    CHECK(answer.status == 422);
    return Json(answer.body).text("/path");
  };
  CHECK(path_of(R"({"command":"drain","who":"ann"})") == "node");
  CHECK(path_of(R"({"command":"drain","node":"beta","shard":1,"who":"ann"})") == "shard");
  CHECK(path_of(R"({"command":"drain","node":"beta"})") == "who");
  CHECK(path_of(R"({"command":"weight","node":"beta","who":"ann"})") == "weight");
  CHECK(path_of(R"({"command":"weight","node":"beta","weight":0,"who":"ann"})") == "weight");
  CHECK(path_of(R"({"command":"weight","node":"beta","weight":10001,"who":"ann"})") == "weight");
  CHECK(path_of(R"({"command":"rebalance","node":"beta","who":"ann"})") == "node");
  CHECK(world.cluster.commands.empty());
}

TEST_CASE("cluster: each command reaches the cluster as it was said") {
  const std::vector<std::pair<std::string, std::string>> all = {
      {R"("command":"move","shard":1,"node":"beta")", "move 1 --to beta"},
      {R"("command":"pin","shard":0,"node":"beta")", "pin 0 --to beta"},
      {R"("command":"unpin","shard":3)", "unpin 3"},
      {R"("command":"drain","node":"beta")", "drain beta"},
      {R"("command":"cordon","node":"beta")", "cordon beta"},
      {R"("command":"uncordon","node":"beta")", "uncordon beta"},
      {R"("command":"forget","node":"beta")", "forget beta"},
      {R"("command":"weight","node":"beta","weight":10000)", "weight beta 10000"},
      {R"("command":"zone","node":"beta","zone":"rack 2")", "zone beta rack 2"},
      {R"("command":"rebalance")", "rebalance"},
      {R"("command":"note","note":"new disks")", "note \"new disks\""}};
  for (const auto& [members, words] : all) {
    World world;
    const auto exchange = world.edge.send(HttpMethod::post, "/v1/cluster/moves",
                                          "{" + members + R"(,"who":"ann@desk"})",
                                          {.content_type = "application/json"});
    REQUIRE(world.cluster.commands.size() == 1);
    CHECK(words_of(world.cluster.commands[0].first) == words);
    CHECK(world.cluster.commands[0].first.who == "ann@desk");
    CHECK_FALSE(world.edge.answered(exchange));
    world.cluster.commands[0].second(Done{});
    world.edge.wake();
    CHECK(Json(world.edge.answer(exchange).body).text("/command") == words);
  }
}

TEST_CASE("cluster: a refusal, an absent controller and a doubt are different answers") {
  using Kind = cluster::Refused::Kind;
  for (const auto& [kind, status, code] :
       {std::tuple{Kind::no, 409, "illegal_state"}, std::tuple{Kind::not_done, 503, "not_done"},
        std::tuple{Kind::in_doubt, 503, "unavailable"}}) {
    World world;
    const auto exchange = world.edge.send(HttpMethod::post, "/v1/cluster/moves",
                                          R"({"command":"rebalance","who":"ann"})",
                                          {.content_type = "application/json"});
    world.cluster.commands.at(0).second(cluster::Refused("b is silent", kind));
    world.edge.wake();
    CHECK(world.edge.answer(exchange).status == status);
    CHECK(code_of(world.edge.answer(exchange)) == code);
    CHECK(detail_of(world.edge.answer(exchange)) == "b is silent");
  }
}

TEST_CASE("cluster: a plan says what would move, and changes nothing") {
  World world;
  const auto answer = world.ask(HttpMethod::post, "/v1/cluster/plans",
                                R"({"command":"move","shard":0,"node":"gamma","who":"ann"})");
  REQUIRE(answer.status == 200);
  CHECK(world.cluster.commands.empty());
  const Json json(answer.body);
  CHECK(json.text("/command") == "move 0 --to gamma");
  bool hands_over = false;
  for (const auto move : json.at("/moves").get_array()) {
    if (std::string_view(move["kind"].get_string().value()) != "hand over") continue;
    hands_over = true;
    CHECK(std::string_view(move["from"].get_string().value()) == "alpha");
    CHECK(std::string_view(move["to"].get_string().value()) == "gamma");
    CHECK(move["pause_ms"].get_int64().value() == 120);
  }
  CHECK(hands_over);
  const auto no = world.ask(HttpMethod::post, "/v1/cluster/plans",
                            R"({"command":"forget","node":"beta","who":"ann"})");
  CHECK(no.status == 409);
  CHECK(detail_of(no) == "beta is alive: stop it first");
}

TEST_CASE("cluster: moves under way are told and cancelled by their number, with who") {
  World world;
  world.cluster.fold(ShardAsked{{0}, {3}}, "ann@desk");
  world.cluster.fold(MoveBegan{7, {Move::Kind::hand_over, {0}, {1}, {3}, Reason::asked, 0}},
                     "ann@desk");
  const Json moves(world.get("/v1/cluster/moves?history=2").body);
  CHECK(moves.number("/moves/0/number") == 7);
  CHECK(moves.text("/moves/0/who") == "ann@desk");
  CHECK(moves.text("/moves/0/from") == "alpha");
  CHECK(moves.at("/history").get_array().size() == 2);
  CHECK(moves.text("/history/0/who") == "ann@desk");
  CHECK(moves.text("/history/0/what") == "shard 0 is to move to gamma");
  CHECK(world.ask(HttpMethod::del, "/v1/cluster/moves/7").status == 422);
  CHECK(world.ask(HttpMethod::del, "/v1/cluster/moves/8?who=ann").status == 404);
  CHECK(world.ask(HttpMethod::del, "/v1/cluster/moves/x?who=ann").status == 404);
  CHECK(world.cluster.commands.empty());
  const auto exchange = world.edge.send(HttpMethod::del, "/v1/cluster/moves/7?who=ann%40desk");
  REQUIRE(world.cluster.commands.size() == 1);
  CHECK(std::get<CancelMove>(world.cluster.commands[0].first.wish).number == 7);
  CHECK(world.cluster.commands[0].first.who == "ann@desk");
  world.cluster.commands[0].second(Done{});
  world.edge.wake();
  CHECK(world.edge.answer(exchange).status == 200);
}

TEST_CASE("cluster: erasures are what the node says; nothing where it says nothing") {
  World world;
  CHECK(world.get("/v1/cluster/erasures").body == R"({"erasures":[]})");
  FakeCluster cluster;
  Edge edge{ApiOptions{.version = "test", .recovery = {}, .operators = &cluster, .erasures = [] {
                         return std::vector<ErasureUnderWay>{{"u01", noon, {"beta", "gamma"}}};
                       }}};
  const auto exchange = edge.send(HttpMethod::get, "/v1/cluster/erasures");
  edge.wake();
  const Json json(edge.answer(exchange).body);
  CHECK(json.text("/erasures/0/person") == "u01");
  CHECK(json.text("/erasures/0/waits_for/1") == "gamma");
}
