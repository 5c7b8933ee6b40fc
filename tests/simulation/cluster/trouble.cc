#include "tests/simulation/cluster/trouble.h"

#include "tests/simulation/trace.h"

namespace souk::simulation {
namespace {

TopicFaults some_topic_faults(World& world) {
  TopicFaults f;
  if (world.chance(20)) return f;
  const auto often = [&](int of, int percent) {
    return world.chance(of) ? static_cast<int>(world.between(1, percent)) : 0;
  };
  f.slow = often(40, 20);
  f.report_slow = often(40, 20);
  f.lost = often(30, 6);
  f.unknown = often(40, 6);
  f.late = often(40, 6);
  f.silent = often(20, 3);
  f.twice = often(40, 10);
  f.swapped = often(20, 10);
  f.seen_late = often(50, 25);
  return f;
}

}  // namespace

Trouble::Trouble(const Town& town, SimPeers& members)
    : town_(town), world_(town.world), members_(members) {
  const auto may = [&](int percent, void (Trouble::*kind)()) {
    if (world_.chance(percent)) kinds_.push_back(kind);
  };
  may(60, &Trouble::kill);
  may(60, &Trouble::put_to_sleep);
  may(50, &Trouble::cut_link);
  may(50, &Trouble::cut_off);
  may(40, &Trouble::pause_leader);
  may(70, &Trouble::ask_operator);
  may(30, &Trouble::farewell);
  left_ = kinds_.empty() ? 0 : world_.between(2, 25);
  pause_ms_ = world_.between(500, 4'000);
}

void Trouble::say(const std::string& what) { trace(world_, what); }

SimPeer* Trouble::somebody() {
  std::vector<SimPeer*> living;
  for (const auto& member : members_)
    if (member->lives()) living.push_back(member.get());
  return living.empty() ? nullptr : world_.pick(living);
}

void Trouble::start(SimPeer& member) {
  if (member.lives()) return;
  const Status started = member.start();
  say("node " + member.name() +
      (started.ok() ? " starts as " + std::to_string(member.incarnation())
                    : " cannot start: " + started.error().what));
  if (started.ok()) return;
  ++counts.failed_starts;
  if (started.error().kind != Fault::Kind::unavailable)
    return world_.violated(
        "P1", "node " + member.name() + " never starts again: " + started.error().what);
  world_.after(world_.between(100, 1'000), [this, &member] { start(member); });
}

void Trouble::begin() {
  town_.events.faults = some_topic_faults(world_);
  town_.control.faults = some_topic_faults(world_);
  town_.liveness.faults = some_topic_faults(world_);
  town_.liveness.faults.twice = 0;
  town_.network.slow = world_.chance(50) ? static_cast<int>(world_.between(1, 20)) : 0;
  for (const auto& member : members_) {
    if (!world_.chance(40)) continue;
    member->copy().faults = {.keep_fails = static_cast<int>(world_.between(0, 2)),
                             .settle_fails = static_cast<int>(world_.between(0, 60)),
                             .read_fails = static_cast<int>(world_.between(0, 5))};
  }
  next();
}

void Trouble::next() {
  if (calm_ || left_-- <= 0) return;
  world_.after(world_.between(1, pause_ms_), [this] {
    if (calm_) return;
    strike();
    next();
  });
}

void Trouble::strike() { (this->*world_.pick(kinds_))(); }

void Trouble::kill() {
  SimPeer* member = somebody();
  if (!member) return;
  ++counts.crashes;
  say("node " + member->name() + " dies");
  member->kill();
  if (world_.chance(15)) {
    ++counts.disks_lost;
    say("node " + member->name() + " loses its disk");
    member->lose_disk();
  }
  world_.after(world_.chance(30) ? 0 : world_.between(1, 7'000),
               [this, member] { start(*member); });
}

/// All of it, as by SIGSTOP, or one thread, as by a disk.
void Trouble::put_to_sleep() {
  SimPeer* member = somebody();
  if (!member) return;
  ++counts.sleeps;
  const std::int64_t until_ms = world_.time_ms() + (world_.chance(50) ? world_.between(50, 1'500)
                                                                      : world_.between(50, 9'000));
  using enum SimPeer::Part;
  const std::vector<SimPeer::Part> parts = {engine, logs, cluster};
  if (world_.chance(40)) {
    const auto part = world_.pick(parts);
    say("node " + member->name() + ": part " + std::to_string(static_cast<int>(part)) +
        " sleeps until " + std::to_string(until_ms));
    return member->sleep(part, until_ms);
  }
  say("node " + member->name() + " sleeps until " + std::to_string(until_ms));
  for (const auto part : parts) member->sleep(part, until_ms);
  town_.network.sleep(member->name());
  world_.after(until_ms - world_.time_ms(), [this, member] { town_.network.wake(member->name()); });
}

void Trouble::cut_link() {
  const std::string a = world_.pick(members_)->name(), b = world_.pick(members_)->name();
  if (a == b) return;
  ++counts.cuts;
  if (world_.chance(20)) return town_.network.reset(a, b);
  const bool both = world_.chance(50);
  say("from " + a + " nothing comes to " + b + (both ? ", nor the other way" : ""));
  town_.network.cut(a, b);
  if (both) town_.network.cut(b, a);
  world_.after(world_.between(100, 8'000), [this, a, b] {
    town_.network.mend(a, b);
    town_.network.mend(b, a);
  });
}

/// From the brokers.
void Trouble::cut_off() {
  SimPeer& member = *world_.pick(members_);
  ++counts.cuts;
  const auto way = world_.below(3);
  say("node " + member.name() + " is cut off from the brokers, way " + std::to_string(way));
  member.road().there = way == 1;
  member.road().back = way == 2;
  world_.after(world_.between(100, 9'000), [&member] { member.road() = {}; });
}

void Trouble::pause_leader() {
  const std::int64_t ms = world_.between(50, 6'000);
  say("brokers pause for " + std::to_string(ms));
  if (world_.chance(20)) town_.control.pause({0}, ms);
  if (world_.chance(20)) town_.liveness.pause({0}, ms);
  for (std::uint16_t s = 0; s < town_.events.shards(); ++s)
    if (world_.chance(40)) town_.events.pause({s}, ms);
}

void Trouble::ask_operator() {
  using namespace cluster;
  SimPeer* member = somebody();
  if (!member) return;
  ++counts.operators;
  const std::string node = world_.pick(members_)->name();
  const ShardId shard{static_cast<std::uint16_t>(world_.below(town_.events.shards()))};
  OperatorCommand command{.who = "operator", .wish = Rebalance{}};
  switch (world_.below(8)) {
    case 0:
    case 1:
      command.wish = MoveShard{shard, node};
      break;
    case 2:
      command.wish = DrainNode{node};
      break;
    case 3:
      command.wish = CordonNode{node};
      break;
    case 4:
      command.wish = UncordonNode{node};
      break;
    case 5:
      command.wish = PinShard{shard, node};
      break;
    case 6:
      command.wish = UnpinShard{shard};
      break;
    default:
      break;
  }
  say("an operator asks for " + std::to_string(command.wish.index()) + " of " + node + " at " +
      member->name());
  member->cluster().command(std::move(command), [](Result<Done, cluster::Refused>) {});
}

/// It is asked to end, gives away what it owns, and is started again.
void Trouble::farewell() {
  SimPeer* member = somebody();
  if (!member) return;
  ++counts.crashes;
  say("node " + member->name() + " is asked to end");
  member->cluster().begin_to_leave();
  end_farewell(*member, member->incarnation(), world_.time_ms() + 10'000);
}

void Trouble::end_farewell(SimPeer& member, std::uint64_t incarnation, std::int64_t until_ms) {
  if (member.incarnation() != incarnation) return;  // it died meanwhile
  if (member.cluster().owned() > 0 && world_.time_ms() < until_ms) {
    world_.after(20, [this, &member, incarnation, until_ms] {
      end_farewell(member, incarnation, until_ms);
    });
    return;
  }
  say("node " + member.name() + " ends");
  member.kill();
  world_.after(calm_ ? 0 : world_.between(1, 5'000), [this, &member] { start(member); });
}

void Trouble::calm_down() {
  calm_ = true;
  say("nothing goes wrong any more");
  for (auto* topic : {&town_.events, &town_.control, &town_.liveness}) topic->calm_down();
  town_.network.calm_down();
  for (const auto& member : members_) {
    member->road() = {};
    member->copy().faults = {};
    member->wake();
    town_.network.wake(member->name());
    start(*member);
  }
}

}  // namespace souk::simulation
