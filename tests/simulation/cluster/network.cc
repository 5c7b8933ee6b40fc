#include "tests/simulation/cluster/network.h"

#include <algorithm>
#include <utility>

namespace souk::simulation {
namespace {

constexpr std::int64_t tick_ms = 50;
constexpr std::int64_t silent_ms = 1'500;
constexpr std::int64_t slow_ms_max = 1'200;
constexpr std::int64_t try_again_ms = 30;

}  // namespace

/// Between two nodes; side 0 is that of the smaller name.
struct SimNetwork::Connection {
  struct Side {
    End* end = nullptr;  // null: its node is dead
    std::string node;
    std::uint64_t incarnation = 0;
    bool told_up = false;
    bool closed = false;         // for this side it is no more
    std::int64_t silent_ms = 0;  // of the other
    std::deque<std::string> coming = {};
    bool pumping = false;
  };
  std::array<Side, 2> sides;
};

class SimNetwork::End final : public cluster::Links {
 public:
  End(SimNetwork& net, const cluster::LinkOptions& options, std::uint16_t port)
      : net_(net), name(options.node), incarnation(options.incarnation), port_(port) {}
  ~End() override { End::stop(); }

  std::uint16_t port() const override { return port_; }
  void start(cluster::LinkListener& its) override {
    listener = &its;
    net_.ends_[name] = this;
  }
  Status set_peers(const std::vector<cluster::PeerAddress>& peers) override {
    names.clear();
    for (const auto& peer : peers) names.insert(peer.node);
    return Done{};
  }
  cluster::Sent send(const std::string& node, std::string frame) override {
    const auto connection = find(node);
    if (!connection) return cluster::Sent::no_link;
    const int other = connection->sides[0].node == node ? 0 : 1;
    const auto& mine = connection->sides[static_cast<std::size_t>(1 - other)];
    if (!mine.told_up || mine.closed) return cluster::Sent::no_link;
    auto& theirs = connection->sides[static_cast<std::size_t>(other)];
    theirs.coming.push_back(std::move(frame));
    ++net_.frames_;
    net_.pump(connection, other);
    return cluster::Sent::yes;
  }
  void stop() override {
    if (!listener) return;
    listener = nullptr;
    net_.ends_.erase(name);
    for (auto& [pair, connection] : net_.connections_)
      for (auto& side : connection->sides)
        if (side.end == this) {
          side.end = nullptr;
          side.closed = true;
        }
  }
  std::vector<cluster::LinkCounters> counters() const override { return {}; }

 private:
  ConnectionPtr find(const std::string& node) const {
    const auto pair = name < node ? std::pair(name, node) : std::pair(node, name);
    const auto found = net_.connections_.find(pair);
    return found == net_.connections_.end() ? nullptr : found->second;
  }
  SimNetwork& net_;

 public:
  const std::string name;
  const std::uint64_t incarnation;
  cluster::LinkListener* listener = nullptr;
  std::set<std::string> names;  // whom it may meet

 private:
  const std::uint16_t port_;
};

SimNetwork::SimNetwork(World& world) : world_(world) { tick(); }
SimNetwork::~SimNetwork() { *ended_ = true; }

Result<std::unique_ptr<cluster::Links>, Fault> SimNetwork::open(
    const cluster::LinkOptions& options) {
  return std::unique_ptr<cluster::Links>(std::make_unique<End>(*this, options, 4'000));
}

void SimNetwork::reset(const std::string& a, const std::string& b) {
  const auto found = connections_.find(a < b ? std::pair(a, b) : std::pair(b, a));
  if (found == connections_.end()) return;
  for (const int side : {0, 1}) close(found->second, side, "reset by peer");
}

/// Who meets whom, and who was silent for too long.
void SimNetwork::tick() {
  for (auto at = connections_.begin(); at != connections_.end();) {
    const ConnectionPtr connection = at->second;
    for (const int i : {0, 1}) {
      auto& side = connection->sides[static_cast<std::size_t>(i)];
      const auto& other = connection->sides[static_cast<std::size_t>(1 - i)];
      if (side.closed || !awake(side.node)) continue;
      const bool heard = !other.closed && awake(other.node) && open(other.node, side.node);
      side.silent_ms = heard ? 0 : side.silent_ms + tick_ms;
      // A process that ended says so itself, where that arrives.
      const bool told = other.closed && open(other.node, side.node) && awake(other.node);
      if (told)
        close(connection, i, "closed by peer");
      else if (side.silent_ms >= silent_ms)
        close(connection, i, "silent");
    }
    const bool over = connection->sides[0].closed && connection->sides[1].closed;
    at = over ? connections_.erase(at) : std::next(at);
  }
  std::vector<std::pair<std::string, std::string>> may_meet;
  for (const auto& [a, one] : ends_)
    for (const auto& [b, two] : ends_)
      if (a < b && one->names.contains(b) && two->names.contains(a) && awake(a) && awake(b) &&
          open(a, b) && open(b, a) && !connections_.contains({a, b}) && !world_.chance(30))
        may_meet.emplace_back(a, b);
  for (const auto& [a, b] : may_meet)
    if (ends_.contains(a) && ends_.contains(b)) meet(*ends_[a], *ends_[b]);
  world_.after(tick_ms, [this, ended = ended_] {
    if (!*ended) tick();
  });
}

void SimNetwork::meet(End& a, End& b) {
  const auto connection = std::make_shared<Connection>();
  connection->sides[0] = {.end = &a, .node = a.name, .incarnation = a.incarnation};
  connection->sides[1] = {.end = &b, .node = b.name, .incarnation = b.incarnation};
  connections_[{a.name, b.name}] = connection;
  for (const int i : {0, 1})
    world_.after(world_.between(0, 8), [this, connection, i, ended = ended_] {
      if (*ended) return;
      auto& side = connection->sides[static_cast<std::size_t>(i)];
      if (side.closed) return;
      side.told_up = true;
      const auto& other = connection->sides[static_cast<std::size_t>(1 - i)];
      side.end->listener->up({other.node, other.incarnation, 1, "simulated"});
      pump(connection, i);
    });
}

void SimNetwork::close(const ConnectionPtr& connection, int side, const std::string& why) {
  auto& mine = connection->sides[static_cast<std::size_t>(side)];
  if (std::exchange(mine.closed, true)) return;
  mine.coming.clear();
  if (mine.told_up && mine.end) {
    const auto& other = connection->sides[static_cast<std::size_t>(1 - side)];
    mine.end->listener->down(other.node, why);
  }
}

/// The next frame that comes to that side.
void SimNetwork::pump(const ConnectionPtr& connection, int to) {
  auto& side = connection->sides[static_cast<std::size_t>(to)];
  if (side.pumping || side.coming.empty() || side.closed) return;
  side.pumping = true;
  const std::int64_t delay_ms =
      world_.chance(slow) ? world_.between(5, slow_ms_max) : world_.between(0, 2);
  const auto arrive = [this, connection, to, ended = ended_](const auto& again) -> void {
    if (*ended) return;
    auto& mine = connection->sides[static_cast<std::size_t>(to)];
    const auto& other = connection->sides[static_cast<std::size_t>(1 - to)];
    if (mine.closed) return;
    if (!mine.told_up || !awake(mine.node) || !open(other.node, mine.node)) {
      world_.after(try_again_ms, [again] { again(again); });
      return;
    }
    mine.pumping = false;
    // What is there arrives together.
    for (std::size_t left = world_.below(4) + 1; left > 0 && !mine.coming.empty(); --left) {
      const std::string frame = std::move(mine.coming.front());
      mine.coming.pop_front();
      mine.end->listener->received(other.node, frame);
      if (mine.closed) return;
    }
    pump(connection, to);
  };
  world_.after(delay_ms, [arrive] { arrive(arrive); });
}

}  // namespace souk::simulation
