#include "cluster/node/cluster_node.h"

#include <fmt/format.h>
#include <pthread.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <charconv>

#include "events/fault_log.h"

namespace souk::cluster {
namespace {

constexpr std::chrono::milliseconds step_patience{5};
constexpr ShardId liveness{0};

/// Nothing: it is no HOST:PORT.
std::optional<PeerAddress> address_of(const std::string& name, const std::string& text) {
  const auto colon = text.rfind(':');
  if (colon == std::string::npos) return std::nullopt;
  PeerAddress address{.node = name, .host = text.substr(0, colon)};
  const char* end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data() + colon + 1, end, address.port);
  if (error != std::errc{} || at != end || address.port == 0) return std::nullopt;
  return address;
}

bool same(const Assignment& a, const Assignment& b) {
  return a.what == b.what && a.to_incarnation == b.to_incarnation && a.to_node == b.to_node;
}

bool same(const std::vector<PeerAddress>& a, const std::vector<PeerAddress>& b) {
  return std::ranges::equal(a, b, [](const PeerAddress& x, const PeerAddress& y) {
    return x.node == y.node && x.host == y.host && x.port == y.port;
  });
}

}  // namespace

/// Heartbeats are read from the end of their log on; those that were before are of nobody's use.
struct ClusterNode::Ear final : LogBroker::Listener {
  LogBroker& broker;
  HeardTable& heard;
  Router& router;
  const Clocks& clocks;
  FaultLog rubbish{"a heartbeat cannot be read"};
  bool lost = false;

  Ear(LogBroker& from, HeardTable& table, Router& way, const Clocks& its)
      : broker(from), heard(table), router(way), clocks(its) {}

  Status begin() {
    const auto ends = broker.ends();
    if (!ends.ok()) return ends.error();
    broker.read(liveness, (*ends)[0]);
    return Done{};
  }
  void reported(const LogBroker::Report&) override {}
  void arrived(ShardId, Offset, std::string_view bytes) override {
    auto heartbeat = decode_heartbeat(bytes);
    if (!heartbeat.ok())
      return rubbish.failed(fmt::format("what=\"{}\"", one_line(heartbeat.error().what)));
    const std::string name = heartbeat->name;
    heard.take(std::move(*heartbeat), clocks.steady());
    if (const Heartbeat* newest = heard.newest(name); newest && name != heard.self())
      learn_owners(*newest);
  }
  /// Of shards whose logs are not read here; what the others' logs say is older or the same.
  void learn_owners(const Heartbeat& heartbeat) {
    for (const Holding& holding : heartbeat.holdings)
      if (holding.holds == Holds::owner && holding.epoch != 0 &&
          holding.shard.value < router.shards())
        router.heard(holding.shard, heartbeat.incarnation, holding.epoch);
  }
  /// It is kept for minutes only, and this node slept for longer.
  void reading_failed(ShardId, const Fault&) override { lost = true; }
};

ClusterNode::ClusterNode(ClusterNodeOptions options, ClusterNodePorts ports)
    : options_(std::move(options)),
      ports_(std::move(ports)),
      heard_(options_.link.node, options_.incarnation),
      assigned_(options_.shards),
      told_in_(options_.shards),
      expecting_since_(options_.shards) {
  for (std::uint32_t s = 0; s < options_.shards; ++s)
    assigned_[s].shard = ShardId{static_cast<std::uint16_t>(s)};
  view_ = std::make_shared<ClusterView>(ClusterView{.state = ControlState(options_.shards),
                                                    .cluster = {},
                                                    .owners = {},
                                                    .heard = heard_,
                                                    .name = options_.link.cluster,
                                                    .self = options_.link.node,
                                                    .controller = {},
                                                    .links = {}});
}

Result<std::unique_ptr<ClusterNode>, Fault> ClusterNode::open(
    ClusterNodeOptions options, ClusterNodePorts ports, const std::function<bool()>& give_up) {
  std::unique_ptr<ClusterNode> node(new ClusterNode(std::move(options), ports));
  const ClusterNodeOptions& given = node->options_;
  LinkOptions link = given.link;
  link.incarnation = given.incarnation;
  auto links = ports.open_links(std::move(link));
  if (!links.ok()) return links.error();
  node->links_ = std::move(*links);
  node->router_ = std::make_unique<Router>(given.shards, given.incarnation, ports.clocks.steady);
  auto control = ControlLog::open(ports.control, {.shards = given.shards,
                                                  .incarnation = given.incarnation,
                                                  .genesis = given.genesis,
                                                  .steady = ports.clocks.steady});
  if (!control.ok()) return control.error();
  node->control_ = std::move(*control);
  if (auto s = node->control_->catch_up([&](std::uint64_t, std::uint64_t) { return !give_up(); });
      !s.ok())
    return s.error();
  node->ear_ =
      std::make_unique<Ear>(ports.liveness, node->heard_, *node->router_, node->ports_.clocks);
  FaultLog waits("waiting for the brokers of Kafka");
  for (Status begun = node->ear_->begin(); !begun.ok(); begun = node->ear_->begin()) {
    if (begun.error().kind != Fault::Kind::unavailable || give_up()) return begun.error();
    waits.failed(fmt::format("what=\"{}\"", one_line(begun.error().what)));
  }
  node->show();
  if (const auto peer = address_of(given.link.node, given.peer); !peer)
    node->options_.peer = fmt::format("{}:{}", given.link.listen_host, node->links_->port());
  return node;
}

ClusterNode::~ClusterNode() { stop(); }

void ClusterNode::wire(Engine& engine) {
  engine_ = &engine;
  router_->wire(engine, *links_);
  const auto take = [this](Command::From from) {
    return [this, from](OperatorCommand command, CommandDone done) {
      const std::lock_guard lock(mutex_);
      commands_.push_back({std::move(command), std::move(done), from});
    };
  };
  relay_ = std::make_unique<CommandRelay>(
      options_.link.node,
      CommandRelay::Ports{
          .send_command = [this](const auto& node, auto id,
                                 auto bytes) { return router_->send_command(node, id, bytes); },
          .send_outcome = [this](const auto& node, auto id,
                                 auto bytes) { return router_->send_outcome(node, id, bytes); },
          .do_for_peer = take(Command::From::peer),
          .do_here = take(Command::From::here)});
  router_->relay_to(*relay_);
  questions_ = std::make_unique<QuestionRelay>(
      QuestionRelay::Ports{
          .question = [this](const auto& node, auto id,
                             auto bytes) { return router_->send_question(node, id, bytes); },
          .answer = [this](const auto& node, auto id,
                           auto bytes) { return router_->send_answer(node, id, bytes); },
          .taken = [this](const auto& node, auto id,
                          auto bytes) { return router_->send_taken(node, id, bytes); }},
      ports_.clocks.steady);
  router_->relay_to(*questions_);
}

void ClusterNode::begin() { links_->start(*router_); }

void ClusterNode::run() {
  begin();
  thread_ = std::thread([this] {
    ::pthread_setname_np(::pthread_self(), "cluster");
    while (!ending_) step(step_patience);
  });
}

void ClusterNode::leave(std::chrono::milliseconds patience) {
  begin_to_leave();
  const SteadyMs until = steady_now().plus_ms(patience.count());
  const std::uint32_t before = owned();
  while (owned() > 0 && steady_now() < until) std::this_thread::sleep_for(step_patience);
  spdlog::info("what this node owned was handed over shards={} left={}", before, owned());
}

std::uint32_t ClusterNode::owned() const {
  std::uint32_t owned = 0;
  for (std::uint32_t s = 0; s < options_.shards; ++s)
    owned += router_->owner(ShardId{static_cast<std::uint16_t>(s)}) == options_.incarnation;
  return owned;
}

void ClusterNode::stop() {
  ending_ = true;
  if (thread_.joinable()) thread_.join();
  router_->stop();
  if (relay_) relay_->stop();
  if (questions_) questions_->stop();
  links_->stop();
  std::vector<Command> left;
  {
    const std::lock_guard lock(mutex_);
    left = std::exchange(commands_, {});
  }
  for (auto& one : in_log_) left.push_back(std::move(one));
  in_log_.clear();
  for (auto& one : left)
    one.done(Refused("the node is ending: look whether it was done", Refused::Kind::in_doubt));
}

void ClusterNode::step(std::chrono::milliseconds patience) {
  control_->step(patience);
  ports_.liveness.poll({}, *ear_);
  if (ear_->lost) ear_->lost = !ear_->begin().ok();
  look_around();
  beat();
  rule();
  assign();
  meet_peers();
  router_->tick(steady_now().value);
  relay_->tick(control_->controls() ? options_.link.node : heard_controller(), steady_now().value);
  questions_->tick(nodes_with_read_models());
  see_hand_overs();
  show();
}

// ---- to hear and be heard ----

Heartbeat ClusterNode::heartbeat() const {
  Heartbeat heartbeat{.name = options_.link.node,
                      .incarnation = options_.incarnation,
                      .sequence = beats_,
                      .zone = options_.zone,
                      .weight = options_.weight,
                      .http = options_.http,
                      .peer = options_.peer,
                      .build = options_.link.build,
                      .protocol_min = options_.link.versions.oldest,
                      .protocol_max = options_.link.versions.newest,
                      .controller_epoch = control_->controls() ? control_->epoch() : 0,
                      .ending = leaving_,
                      .no_read_models = options_.no_read_models,
                      .holdings = {}};
  const NodeId me = control_->state().id_of(heartbeat.name);
  if (me == nobody) return heartbeat;
  for (std::uint32_t s = 0; s < options_.shards; ++s) {
    const ShardId shard{static_cast<std::uint16_t>(s)};
    const auto [owner, epoch] = router_->owner_and_epoch(shard);
    if (owner == options_.incarnation) {
      heartbeat.holdings.push_back({shard, Holds::owner, router_->place(shard), epoch});
      continue;
    }
    const Replica* replica = held(shard, me);
    if (!replica) continue;
    const bool copies = replica->holds == Holds::copying && !caught_up(shard);
    heartbeat.holdings.push_back(
        {shard, copies ? Holds::copying : Holds::standby, router_->place(shard), 0});
  }
  return heartbeat;
}

/// What the node has of the shard by the control log, unless it is to drop it.
const Replica* ClusterNode::held(ShardId shard, NodeId me) const {
  const ControlState& state = control_->state();
  const Move drop{.kind = Move::Kind::drop, .shard = shard, .from = me, .to = {}};
  if (me == nobody || state.under_way(drop)) return nullptr;
  return find_replica(state.cluster().present[shard.value], me);
}

/// What it copies of a shard is as far as its owner was when it was last heard, but for a little.
bool ClusterNode::caught_up(ShardId shard) const {
  if (!options_.no_read_models) return true;  // it follows them all
  for (const auto& [name, row] : heard_.rows()) {
    if (row.newest.incarnation != router_->owner(shard)) continue;
    const Holding* owner = find_holding(row.newest, shard);
    return owner && router_->place(shard) + warm_lag_max > owner->next;
  }
  return false;
}

void ClusterNode::beat() {
  const SteadyMs now = steady_now();
  const bool says_farewell = leaving_ && !farewell_said_;
  // Who does not read a shard's log hears so who owns it.
  const std::uint64_t reigns = router_->reigns();
  const bool has_news = reigns != reigns_said_ && now >= beat_at_.plus_ms(news_apart_ms);
  if (now < beat_at_.plus_ms(heartbeat_every_ms) && !says_farewell && !has_news) return;
  farewell_said_ = leaving_;
  reigns_said_ = reigns;
  beat_at_ = now;
  ++beats_;
  ports_.liveness.produce(liveness, beats_, encode(heartbeat()));
}

void ClusterNode::look_around() {
  if (control_->epoch() == known_epoch_) return;
  known_epoch_ = control_->epoch();
  heard_.saw_claim(known_epoch_, steady_now());
}

// ---- the controller ----

std::vector<LogOwner> ClusterNode::owners() const {
  std::vector<std::pair<std::uint64_t, NodeId>> nodes;  // by incarnation
  for (const auto& [name, row] : heard_.rows())
    nodes.emplace_back(row.newest.incarnation, control_->state().id_of(name));
  std::ranges::sort(nodes);
  std::vector<LogOwner> owners(options_.shards);
  for (std::uint32_t s = 0; s < options_.shards; ++s) {
    LogOwner& owner = owners[s];
    std::tie(owner.incarnation, owner.epoch) =
        router_->owner_and_epoch(ShardId{static_cast<std::uint16_t>(s)});
    const auto found = std::ranges::lower_bound(nodes, owner.incarnation, {},
                                                [](const auto& one) { return one.first; });
    if (found != nodes.end() && found->first == owner.incarnation) owner.node = found->second;
  }
  return owners;
}

void ClusterNode::rule() {
  const SteadyMs now = steady_now();
  if (!control_->controls()) {
    controller_.reset();
    for (auto& one : std::exchange(in_log_, {}))
      one.done(Refused("the controller changed meanwhile: look whether it was done",
                       Refused::Kind::in_doubt));
    relay_commands();
    if (!control_->claims() && should_claim(heard_, now)) control_->claim();
    return;
  }
  if (control_->appending()) return;
  if (!in_log_.empty()) {
    shown_at_ = {};  // whoever hears that it is done sees it
    show();
    for (auto& one : std::exchange(in_log_, {})) one.done(Done{});
  }
  if (!controller_) controller_.emplace();
  answer_commands();
  if (control_->appending()) return;
  const std::vector<LogOwner> log_owners = owners();
  auto entries = controller_->decide(
      control_->state(), {.heard = heard_, .owners = log_owners, .steady = now, .now = wall_now()});
  if (!entries.empty()) control_->append(std::move(entries));
}

// ---- what follows from the control log ----

/// What it does with a shard that it shall not own.
Assignment::What ClusterNode::idle(ShardId shard, NodeId me) const {
  const bool follows = !options_.no_read_models || held(shard, me);
  return follows ? Assignment::What::follow : Assignment::What::away;
}

/// While it is leaving: to a standby that lives.
Assignment ClusterNode::farewell_of(ShardId shard) const {
  const ControlState& state = control_->state();
  Assignment assignment{.shard = shard, .what = idle(shard, state.id_of(options_.link.node))};
  if (router_->owner(shard) != options_.incarnation) return assignment;
  for (const Replica& replica : state.cluster().present[shard.value].replicas) {
    const Node* node = state.node(replica.node);
    const NodeDetails* details = state.details(replica.node);
    if (!node || !details || node->name == options_.link.node || !alive(node->presence)) continue;
    // Not to who has just been born again, or ends as well: nobody would be there to open it.
    const Heartbeat* newest = heard_.newest(node->name);
    if (!newest || newest->incarnation != details->incarnation || newest->ending) continue;
    assignment.what = Assignment::What::hand_over;
    assignment.to_incarnation = details->incarnation;
    assignment.to_node = replica.node.value;
    if (replica.holds == Holds::standby) break;
  }
  return assignment;
}

Assignment ClusterNode::assignment_of(ShardId shard, NodeId me) {
  using enum Assignment::What;
  // Once it is heard to end; else what it gives away would be given back, for balance.
  const Heartbeat* myself = heard_.newest(options_.link.node);
  if (leaving_ && myself && myself->ending) return farewell_of(shard);
  const ControlState& state = control_->state();
  Assignment assignment{.shard = shard, .what = idle(shard, me)};
  if (me == nobody) return assignment;
  const MoveUnderWay* under_way = state.owner_move(shard);
  const bool handed = under_way && under_way->move.kind == Move::Kind::hand_over;
  SteadyMs& expecting = expecting_since_[shard.value];
  if (handed && under_way->move.to == me) {
    const SteadyMs now = steady_now();
    if (expecting == SteadyMs{}) expecting = now;
    assignment.what = now < expecting.plus_ms(expect_ms) ? expect : own;
    return assignment;
  }
  expecting = {};
  if (handed && under_way->move.from == me) {
    const NodeDetails* to = state.details(under_way->move.to);
    if (!to) return assignment;
    assignment.what = hand_over;
    assignment.to_incarnation = to->incarnation;
    assignment.to_node = under_way->move.to.value;
    return assignment;
  }
  if (state.appointed(shard) != me) return assignment;
  // It was reborn, and the controller has not heard of it: others may be on the way to take over.
  const NodeDetails* details = state.details(me);
  if (details && details->incarnation == options_.incarnation) assignment.what = own;
  return assignment;
}

std::uint64_t ClusterNode::newest_epoch(ShardId shard) const {
  return std::max(router_->owner_and_epoch(shard).second, control_->state().owner_epoch(shard));
}

/// Whoever owns and is not asked for anything does not see that another took the shard meanwhile, be
/// it to give it back.
bool ClusterNode::reigns_ended(ShardId shard) const {
  const std::uint64_t newest = newest_epoch(shard);
  return assigned_[shard.value].what == Assignment::What::own && newest > told_in_[shard.value] &&
         newest != router_->owned_epoch(shard);
}

void ClusterNode::assign() {
  const NodeId me = control_->state().id_of(options_.link.node);
  std::vector<Assignment> changed;
  for (std::uint32_t s = 0; s < options_.shards; ++s) {
    const ShardId shard{static_cast<std::uint16_t>(s)};
    const Assignment now = assignment_of(shard, me);
    if (same(now, assigned_[s]) && !reigns_ended(shard)) continue;
    assigned_[s] = now;
    told_in_[s] = newest_epoch(shard);
    changed.push_back(now);
    spdlog::debug("a shard is assigned shard={} what={} to={}", s, static_cast<int>(now.what),
                  now.to_incarnation);
  }
  if (!changed.empty()) engine_->assign(std::move(changed));
}

void ClusterNode::meet_peers() {
  std::vector<PeerAddress> peers;
  for (const auto& [name, row] : heard_.rows())
    if (auto peer = address_of(name, row.newest.peer)) peers.push_back(std::move(*peer));
  for (const Node& node : control_->state().cluster().nodes) {
    if (std::ranges::any_of(peers, [&](const auto& one) { return one.node == node.name; }))
      continue;
    const NodeDetails* details = control_->state().details(node.id);
    if (auto peer = details ? address_of(node.name, details->peer) : std::nullopt)
      peers.push_back(std::move(*peer));
  }
  std::ranges::sort(peers, {}, &PeerAddress::node);
  if (same(peers, peers_)) return;
  peers_ = peers;
  if (auto s = links_->set_peers(peers); !s.ok())
    spdlog::error("peers are not as they must be what=\"{}\"", one_line(s.error().what));
}

}  // namespace souk::cluster
