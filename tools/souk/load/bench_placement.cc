// `souk bench placement`: how long a controller takes to decide who owns what, and how much it
// moves. The pure functions of cluster/ alone, in this process.
#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>

#include "cluster/placement.h"
#include "cluster/plan.h"
#include "tools/souk/cli/table.h"
#include "tools/souk/verbs/verbs.h"

namespace souk::cli {
namespace {

using namespace souk::cluster;
using SteadyClock = std::chrono::steady_clock;
constexpr UnixMs start{1'700'000'000'000};
constexpr std::uint32_t zones = 4;

double milliseconds_since(SteadyClock::time_point began) {
  return std::chrono::duration<double, std::milli>(SteadyClock::now() - began).count();
}

/// The most that this process had in memory so far.
double peak_mib() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1'024;
}

Node new_node(std::uint32_t id) {
  return {.id = {id},
          .name = fmt::format("n{}", id),
          .zone = fmt::format("z{}", id % zones),
          .presence = {.heard = Heard::alive, .since = start.plus_ms(-3'600'000)}};
}

Cluster new_cluster(std::uint32_t nodes, std::size_t shards) {
  Cluster cluster{.now = start};
  for (std::uint32_t id = 1; id <= nodes; ++id) cluster.nodes.push_back(new_node(id));
  cluster.present.resize(shards);
  return cluster;
}

void settle(Cluster& cluster, const Placement& wanted) {
  for (std::size_t shard = 0; shard < wanted.size(); ++shard) {
    const Wanted& seats = wanted[shard];
    ShardState& state = cluster.present[shard];
    state = {seats.owner, {{seats.owner, Holds::owner}, {seats.standby, Holds::standby}}};
    if (seats.standby < seats.owner) std::swap(state.replicas[0], state.replicas[1]);
  }
}

void leaves(Cluster& cluster, Node& node, std::int64_t ago_ms) {
  const UnixMs at = cluster.now.plus_ms(-ago_ms);
  node.presence = {.heard = Heard::silent, .since = at, .departures = {at}};
}

class PlacementBench {
 public:
  PlacementBench(std::uint32_t nodes, std::size_t shards) : nodes_(nodes), shards_(shards) {}

  std::string run() {
    const auto all = static_cast<double>(shards_);
    const double share = all / nodes_, before = peak_mib();
    Cluster cluster = new_cluster(nodes_, shards_);
    const Placement first = row("placed for the first time", cluster, {}, 2 * all);
    settle(cluster, first);
    row("nothing happened", cluster, first, 0);

    Cluster more = cluster;
    more.nodes.push_back(new_node(nodes_ + 1));
    row("a node joined", more, first, 2 * all / (nodes_ + 1));

    Cluster fewer = cluster;
    leaves(fewer, fewer.nodes[nodes_ / 2], 1'000);
    row("a node left 1 s ago", fewer, first, 2 * share);
    leaves(fewer, fewer.nodes[nodes_ / 2], standby_grace_ms);
    row("a node left 30 s ago", fewer, first, 3 * share);

    Cluster without = cluster;
    for (Node& node : without.nodes)
      if (node.zone == "z0") leaves(without, node, 1'000);
    row("a zone left 1 s ago", without, first, 2 * all / zones);
    for (Node& node : without.nodes)
      if (node.zone == "z0") leaves(without, node, standby_grace_ms);
    row("a zone left 30 s ago", without, first, 3 * all / zones);

    const double memory = peak_mib() - before;
    more.present.assign(shards_, {});
    const Placement other = place(more);
    return table_.text() +
           fmt::format(
               "\nFour copies of the cluster, placements and plans: {:.0f} MiB at the most.\n"
               "A choice without memory would move {} of {} owners when a node joins.\n",
               memory, with_thousands(owners_moved(first, other)), with_thousands(shards_));
  }

 private:
  static std::uint64_t owners_moved(const Placement& from, const Placement& to) {
    std::uint64_t moved = 0;
    for (std::size_t i = 0; i < to.size(); ++i) moved += from[i].owner != to[i].owner;
    return moved;
  }

  /// `ideal`: seats (owners and standbys) that must change hands. Of a node that left: its owners
  /// go to their standbys, which leave a seat each; after 30 s its own standbys go, too.
  Placement row(const char* what, const Cluster& cluster, const Placement& before, double ideal) {
    auto began = SteadyClock::now();
    Placement wanted = place(cluster, before);
    const double placing = milliseconds_since(began);
    began = SteadyClock::now();
    const std::vector<Move> moves = plan(cluster, wanted);
    const double planning = milliseconds_since(began);

    std::uint64_t seats = 0, kinds[5] = {};
    std::uint32_t waves = 0;
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      const Wanted was = before.empty() ? Wanted{} : before[i];
      seats += (was.owner != wanted[i].owner) + (was.standby != wanted[i].standby);
    }
    for (const Move& move : moves) {
      ++kinds[static_cast<std::size_t>(move.kind)];
      waves = std::max(waves, move.wave + 1);
    }
    const auto of = [&](Move::Kind kind) {
      return with_thousands(kinds[static_cast<std::size_t>(kind)]);
    };
    table_.add({what, fmt::format("{:.1f}", placing), fmt::format("{:.1f}", planning),
                with_thousands(seats), fmt::format("{:.0f}", ideal),
                with_thousands(kinds[static_cast<std::size_t>(Move::Kind::promote)] +
                               kinds[static_cast<std::size_t>(Move::Kind::start)]),
                of(Move::Kind::copy), of(Move::Kind::hand_over), with_thousands(waves)});
    return wanted;
  }

  const std::uint32_t nodes_;
  const std::size_t shards_;
  Table table_{{{"WHAT"},
                {"PLACE MS", Align::right},
                {"PLAN MS", Align::right},
                {"SEATS MOVED", Align::right},
                {"IDEAL", Align::right},
                {"PROMOTED", Align::right},
                {"COPIES", Align::right},
                {"HAND-OFFS", Align::right},
                {"WAVES", Align::right}}};
};

Outcome<ExitCode> bench_placement(const Invocation&) {
  fmt::print("{}", PlacementBench(1'000, shards_max).run());
  return ExitCode::ok;
}

}  // namespace

Verbs placement_bench_verbs() {
  return {{.path = "bench placement",
           .summary = "Who owns what in a cluster of 1,000 nodes: time, memory and moves",
           .examples = {"souk bench placement"},
           .arguments = {},
           .run = bench_placement,
           .details = "65,536 shards on 1,000 nodes in four zones, in this process: nothing is "
                      "sent or stored. A seat is\nan owner or a standby; the ideal is how many "
                      "must change hands: of a node that left, its\nowners go to their standbys, "
                      "which leave a seat each; then its own standbys."}};
}

}  // namespace souk::cli
