#include "tests/simulation/cluster/peer.h"

#include "tests/simulation/trace.h"

namespace souk::simulation {
namespace {

constexpr int start_polls_max = 2'000;
constexpr std::int64_t step_ms_max = 25;

/// The logs without their thread.
class SteppedLogs final : public ShardLogs {
 public:
  explicit SteppedLogs(SharedLogs& logs) : logs_(logs) {}
  ShardLog& log(ShardId shard) override { return logs_.log(shard); }
  void start(LogListener& listener) override { logs_.listen(listener); }
  void flush() override {}
  void stop() override { logs_.stop(); }

 private:
  SharedLogs& logs_;
};

/// Sees who says to own.
class Watch final : public ClusterWatch {
 public:
  Watch(const Town& town, std::uint64_t incarnation, ClusterWatch& behind)
      : town_(town), incarnation_(incarnation), behind_(behind) {}
  void followed(ShardId shard, const FoldState& place) override { behind_.followed(shard, place); }
  void wrote(ShardId shard, Offset next) override { behind_.wrote(shard, next); }
  void owned(ShardId shard, std::uint64_t epoch) override {
    const auto [reign, first] = town_.reigns.try_emplace({shard.value, epoch}, incarnation_);
    if (!first && reign->second != incarnation_)
      town_.world.violated("P4", "two nodes own shard " + std::to_string(shard.value) +
                                     " in epoch " + std::to_string(epoch));
    trace(town_.world, "incarnation " + std::to_string(incarnation_) + " owns shard " +
                           std::to_string(shard.value) + " in epoch " + std::to_string(epoch));
    behind_.owned(shard, epoch);
  }
  void strayed(std::vector<Envelope>&& strays) override { behind_.strayed(std::move(strays)); }

 private:
  const Town& town_;
  const std::uint64_t incarnation_;
  ClusterWatch& behind_;
};

/// What a dead process says reaches nobody.
class Gate final : public ReplySink {
 public:
  explicit Gate(ReplySink& behind) : behind_(behind) {}
  void shut() { shut_ = true; }
  void deliver(std::vector<Reply>&& replies) override {
    if (!shut_) behind_.deliver(std::move(replies));
  }

 private:
  ReplySink& behind_;
  bool shut_ = false;
};

}  // namespace

/// What ends with the process; the engine ends first.
struct SimPeer::Life {
  std::uint64_t incarnation = 0;
  std::unique_ptr<SimTopic::Client> events, control, liveness;
  std::unique_ptr<SharedLogs> shared;
  std::unique_ptr<SteppedLogs> logs;
  std::unique_ptr<cluster::ClusterNode> cluster;
  std::unique_ptr<Watch> watch;
  std::unique_ptr<PaymentHub::Way> payments;
  std::unique_ptr<Gate> gate;
  std::unique_ptr<Copies> copies;
  std::unique_ptr<Node> node;
  SteppedEngine* engine = nullptr;  // the node's
  std::int64_t logs_due_ms = 0, cluster_due_ms = 0;
  std::int64_t slept_ms = 0;  // of the engine
  bool runs = false;

  ~Life() {
    if (gate) gate->shut();
    if (cluster && runs) cluster->stop();
  }
};

SimPeer::SimPeer(const Town& town, Options options)
    : town_(town),
      options_(std::move(options)),
      copy_(town.world),
      states_(town.world, SimStateStore::Memory::sound),
      clock_(town.world),
      randomness_(town.world),
      exchange_(town.world, town.referee, [this](Request&& request) {
        if (!life_) return false;
        std::vector<Request> requests;
        requests.push_back(std::move(request));
        life_->node->engine().submit(std::move(requests));
        return true;
      }) {
  states_.name = name();
}

SimPeer::~SimPeer() { kill(); }

Status SimPeer::start() {
  SOUK_ASSERT(!life_);
  auto life = std::make_unique<Life>();
  life->incarnation = ++town_.incarnations;
  copy_.power_on();
  states_.start(SimStateStore::Phase::recovering);
  wake();
  if (Status opened = open(*life); !opened.ok()) {
    life.reset();
    copy_.crash();
    states_.crash();
    return opened;
  }
  states_.start(SimStateStore::Phase::serving);
  life_ = std::move(life);
  life_->node->run();
  life_->cluster->begin();
  life_->runs = true;
  return Done{};
}

Status SimPeer::open(Life& life) {
  World& world = town_.world;
  int polls = 0;
  const auto give_up = [&] { return ++polls > start_polls_max; };
  for (auto [topic, client] :
       {std::pair(&town_.events, &life.events), std::pair(&town_.control, &life.control),
        std::pair(&town_.liveness, &life.liveness)}) {
    *client = topic->connect(road_);
    (*client)->start(true);
  }
  if (town_.naive) life.events->lie();
  const std::int64_t ahead_ms = world.between(1'000, 1'000'000);
  const std::int64_t skew_ms = world.chance(30) ? world.between(-60'000, 60'000) : 0;
  const auto steady = [&world, ahead_ms] { return cluster::SteadyMs{world.time_ms() + ahead_ms}; };
  cluster::ClusterNodeOptions options;
  options.shards = town_.options.shards;
  options.genesis = town_.genesis;
  options.incarnation = life.incarnation;
  options.zone = options_.zone;
  options.no_read_models = options_.no_read_models;
  options.http = "127.0.0.1:1";
  options.link.cluster = "shop";
  options.link.node = name();
  cluster::ClusterNodePorts ports{
      .control = *life.control,
      .liveness = *life.liveness,
      .open_links = [this](cluster::LinkOptions link) { return town_.network.open(link); },
      .clocks = {.steady = steady,
                 .wall = [&world, skew_ms] { return world.time_of_day().plus_ms(skew_ms); }}};
  auto node_of_cluster = cluster::ClusterNode::open(options, std::move(ports), give_up);
  if (!node_of_cluster.ok()) return node_of_cluster.error();
  life.cluster = std::move(*node_of_cluster);

  SharedLogsOptions logs_options;
  logs_options.shards = town_.options.shards;
  logs_options.genesis = town_.genesis;
  logs_options.incarnation = life.incarnation;
  logs_options.under_way_of_shard_max = static_cast<std::size_t>(world.between(1, 3));
  logs_options.under_way_max = static_cast<std::size_t>(world.between(1, 8));
  logs_options.now = [steady] {
    return SharedLogsOptions::Clock::time_point(std::chrono::milliseconds(steady().value));
  };
  auto shared = SharedLogs::open(*life.events, copy_, logs_options);
  if (!shared.ok()) return shared.error();
  life.shared = std::move(*shared);
  const auto copied = follows_all() ? SharedLogs::Of::all : SharedLogs::Of::none;
  if (auto s = life.shared->catch_up([&](auto, auto) { return !give_up(); }, copied); !s.ok())
    return s;
  life.logs = std::make_unique<SteppedLogs>(*life.shared);
  life.watch = std::make_unique<Watch>(town_, life.incarnation, life.cluster->router());
  life.payments = std::make_unique<PaymentHub::Way>(town_.payments);

  NodeOptions node_options;
  node_options.engine = town_.options;
  node_options.engine.clustered = true;
  node_options.engine.incarnation = life.incarnation;
  node_options.engine.recovers_late = options_.no_read_models;
  node_options.recent_bytes_max = 20'000;
  node_options.make_engine = [&life](const EngineOptions& of, EnginePorts engine_ports,
                                     RecoveryReport& report) {
    auto engine = SteppedEngine::recover(of, std::move(engine_ports), report);
    if (engine.ok()) life.engine = static_cast<SteppedEngine*>(engine->get());
    return engine;
  };
  auto node = Node::recover(std::move(node_options), {.logs = *life.logs,
                                                      .journal = copy_,
                                                      .states = states_,
                                                      .vault = town_.vault,
                                                      .payments = *life.payments,
                                                      .clock = clock_,
                                                      .randomness = randomness_,
                                                      .presenter = town_.presenter,
                                                      .directory = {},
                                                      .cluster = life.watch.get()});
  if (!node.ok()) return node.error();
  life.node = std::move(*node);
  life.gate = std::make_unique<Gate>(exchange_);
  life.copies = std::make_unique<Copies>(world, life.node->freshness(), *life.gate);
  life.node->engine().add_sink(*life.copies);
  life.cluster->wire(life.node->engine());
  for (auto* client : {life.events.get(), life.control.get(), life.liveness.get()})
    client->start(false);
  return Done{};
}

void SimPeer::kill() {
  if (!life_) return;
  copy_.crash();
  states_.crash();
  exchange_.node_died();
  life_->gate->shut();
  life_.reset();
}

void SimPeer::lose_disk() {
  copy_.lose();
  states_.lose();
}

// ---- what goes on in it ----

bool SimPeer::ready(Part part) const {
  if (!life_ || asleep(part)) return false;
  const std::int64_t now_ms = town_.world.time_ms();
  switch (part) {
    case Part::engine:
      return life_->engine->ready() > 0;
    case Part::logs:
      return life_->events->has_news() || now_ms >= life_->logs_due_ms;
    case Part::cluster:
      return life_->control->has_news() || life_->liveness->has_news() ||
             now_ms >= life_->cluster_due_ms;
  }
  return false;
}

void SimPeer::step(Part part) {
  World& world = town_.world;
  switch (part) {
    case Part::engine:
      if (const auto slept_ms = std::exchange(life_->slept_ms, 0)) life_->engine->pass(slept_ms);
      return life_->engine->step(world.below(life_->engine->ready()));
    case Part::logs:
      life_->logs_due_ms = world.time_ms() + world.between(5, step_ms_max);
      return life_->shared->step({});
    case Part::cluster:
      life_->cluster_due_ms = world.time_ms() + world.between(5, step_ms_max);
      return life_->cluster->step({});
  }
}

std::int64_t SimPeer::due_ms() const { return std::min(life_->logs_due_ms, life_->cluster_due_ms); }

void SimPeer::pass(std::int64_t ms) {
  if (!life_) return;
  if (asleep(Part::engine))
    life_->slept_ms += ms;
  else
    life_->engine->pass(ms + std::exchange(life_->slept_ms, 0));
}

std::uint64_t SimPeer::incarnation() const { return life_ ? life_->incarnation : 0; }
cluster::ClusterNode& SimPeer::cluster() { return *life_->cluster; }
const std::vector<std::unique_ptr<HostCore>>& SimPeer::hosts() const {
  return life_->engine->hosts();
}

Offset SimPeer::copy_place(ShardId shard) const {
  const auto place = copy_.place(shard);
  return place.ok() ? place->next_offset : 0;
}

std::string SimPeer::restless() const {
  for (const auto& core : hosts())
    for (const auto& shard : core->shards()) {
      const std::string name =
          "node " + options_.name + ", shard " + std::to_string(shard->id().value) + ": ";
      if (shard->works() > 0) return name + "orders are owed something";
      if (shard->suspended()) return name + "it should own, and does not";
      if (!shard->present()) {
        if (follows_all()) return name + "it does not follow it";
        continue;
      }
      const Offset next = shard->replica().place().next_offset;
      const Offset end = town_.events.log(shard->id()).size() + 1;
      if (!shard->owns() && next != end)
        return name + "its fold is at " + std::to_string(next) + " of " + std::to_string(end) +
               ", its copy at " + std::to_string(copy_place(shard->id()));
    }
  return {};
}

std::optional<std::uint64_t> SimPeer::owns(ShardId id) const {
  for (const auto& core : hosts())
    for (const auto& shard : core->shards())
      if (shard->id() == id && shard->owns()) return shard->epoch();
  return std::nullopt;
}

bool SimPeer::follows(ShardId id) const {
  for (const auto& core : hosts())
    for (const auto& shard : core->shards())
      if (shard->id() == id) return shard->present();
  return false;
}

std::string SimPeer::halted() const {
  const auto bad = life_->shared->any_halted();
  return bad ? bad->second.what : std::string();
}

}  // namespace souk::simulation
