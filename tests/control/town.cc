#include "tests/control/town.h"

#include <algorithm>

namespace souk::cluster::test {

// ---- the control log ----

std::uint64_t ControlLog::claim() {
  records.emplace_back();
  epochs.push_back(++epoch);
  return epoch;
}

void ControlLog::append(std::uint64_t epoch_of_writer, const std::vector<Entry>& entries) {
  if (epoch_of_writer != epoch || entries.empty()) return;
  records.push_back(encode(entries));
  epochs.push_back(epoch);
  for (const Entry& entry : entries) {
    const auto no = truth.check(entry);
    REQUIRE_MESSAGE(!no, *no);
    watch(entry);
    REQUIRE(truth.fold(entry));
  }
}

void ControlLog::watch(const Entry& entry) {
  if (const auto* began = std::get_if<MoveBegan>(&entry.body)) {
    const Move& move = began->move;
    if (move.kind != Move::Kind::promote && move.kind != Move::Kind::start)
      CHECK_MESSAGE(!cancelled.contains(move.shard), "a cancelled move began again");
    if (move.kind == Move::Kind::copy) ++copies[move.shard];
  } else if (const auto* ended = std::get_if<MoveEnded>(&entry.body)) {
    const Move move = truth.moves().at(ended->number).move;
    if (ended->outcome == MoveOutcome::cancelled) cancelled.insert(move.shard);
    if (ended->epoch > 0) {
      ++owner_moves[move.shard];
      cancelled.erase(move.shard);
    }
  } else if (const auto* found = std::get_if<OwnerFound>(&entry.body)) {
    cancelled.erase(found->shard);
  } else if (const auto* asked = std::get_if<ShardAsked>(&entry.body)) {
    cancelled.erase(asked->shard);
  } else if (const auto* pinned = std::get_if<ShardPinned>(&entry.body)) {
    cancelled.erase(pinned->shard);
  } else if (const auto* unpinned = std::get_if<ShardUnpinned>(&entry.body)) {
    cancelled.erase(unpinned->shard);
  } else if (std::holds_alternative<ShardsRebalanced>(entry.body)) {
    cancelled.clear();
  } else if (const auto* wished = std::get_if<NodeWished>(&entry.body)) {
    if (wished->wish != Wish::drained) return;
    std::erase_if(cancelled, [&](ShardId shard) {
      return find_replica(truth.cluster().present[shard.value], wished->node) != nullptr;
    });
  }
}

// ---- the town ----

Town::Town(std::uint64_t seed, std::size_t nodes, std::size_t shards)
    : random(seed), log(shards), owners(shards), ends(shards, 1) {
  const std::uint64_t zone_count = 1 + below(3);
  for (std::size_t i = 0; i < nodes; ++i) {
    names.emplace_back(1, static_cast<char>('a' + i));
    zones[names.back()] = std::string(1, static_cast<char>('x' + below(zone_count)));
  }
}

void Town::start(const std::string& name) {
  if (living.contains(name)) return;
  auto node = std::make_unique<TownNode>(name, ++last_incarnation_, owners.size());
  node->holdings = disks[name];
  living[name] = std::move(node);
}

void Town::kill(const std::string& name) {
  const auto at = living.find(name);
  if (at == living.end()) return;
  auto& disk = disks[name] = std::move(at->second->holdings);
  std::erase_if(disk, [](const auto& h) { return h.second.holds == Holds::copying; });
  for (auto& [shard, holding] : disk) holding.holds = Holds::standby;
  if (below(8) == 0) disk.clear();
  living.erase(at);
}

void Town::step(std::int64_t ms) {
  now = now.plus_ms(ms);
  for (std::size_t i = 0; i < ends.size(); ++i)
    if (owned({static_cast<std::uint16_t>(i)})) ends[i] += below(40);
  for (const auto& [name, node] : living)
    if (!cut_off.contains(name) && now.value % heartbeat_every_ms < ms) beat(*node);
  for (const auto& [name, node] : living) {
    listen(*node);
    if (cut_off.contains(name)) continue;
    fold(*node);
    rule(*node);
    if (node->folded == log.records.size()) work(*node);
  }
}

void Town::pass_ms(std::int64_t ms, std::int64_t step_by) {
  for (; ms > 0; ms -= step_by) step(step_by);
}

void Town::beat(TownNode& node) {
  Heartbeat heartbeat{.name = node.name,
                      .incarnation = node.incarnation,
                      .sequence = ++node.sequence,
                      .zone = zones[node.name],
                      .weight = 1,
                      .http = {},
                      .peer = {},
                      .build = {},
                      .controller_epoch = node.reign,
                      .holdings = {}};
  for (const auto& [shard, holding] : node.holdings) heartbeat.holdings.push_back(holding);
  const auto sent = decode_heartbeat(encode(heartbeat));
  REQUIRE(sent.ok());
  REQUIRE(*sent == heartbeat);
  for (const auto& [name, other] : living)
    if (!cut_off.contains(name))
      other->air.emplace_back(now.plus_ms(static_cast<std::int64_t>(below(2)) * step_ms), *sent);
}

void Town::listen(TownNode& node) {
  while (!node.air.empty() && node.air.front().first <= now) {
    node.heard.take(std::move(node.air.front().second), now);
    node.air.pop_front();
  }
}

void Town::fold(TownNode& node) {
  if (sluggish && below(5) == 0) return;
  for (; node.folded < log.records.size(); ++node.folded) {
    const std::string& record = log.records[node.folded];
    if (record.empty()) {
      node.heard.saw_claim(log.epochs[node.folded], now);
      continue;
    }
    const auto entries = decode_entries(record);
    REQUIRE(entries.ok());
    for (const Entry& entry : *entries) REQUIRE(node.state.fold(entry));
  }
}

void Town::rule(TownNode& node) {
  if (node.folded < log.records.size()) return;
  if (node.reign != log.epoch) {
    node.reign = 0;
    node.controller.reset();
  }
  if (node.reign == 0 && should_claim(node.heard, now)) {
    node.reign = log.claim();
    node.controller = std::make_unique<Controller>();
  }
  if (node.reign == 0) return;
  log.append(node.reign, node.controller->decide(node.state, {node.heard, owners, now, time()}));
}

void Town::work(TownNode& node) {
  if (id(node) == nobody) return;
  for (const auto& [number, under_way] : node.state.moves()) obey(node, number, under_way.move);
  std::erase_if(node.begins, [&](const auto& b) { return !node.state.moves().contains(b.first); });
  reconcile(node);
}

void Town::obey(TownNode& node, std::uint64_t number, const Move& move) {
  const NodeId who = move.kind == Move::Kind::copy ? move.to : move.from;
  if (who != id(node) || move.kind == Move::Kind::promote || move.kind == Move::Kind::start) return;
  if (!node.begins.contains(number)) {
    const bool stuck = sluggish && below(12) == 0;
    node.begins[number] = now.plus_ms(static_cast<std::int64_t>(stuck ? 8'000 : below(2'000)));
    if (move.kind == Move::Kind::copy && !node.holdings.contains(move.shard))
      node.holdings[move.shard] = {move.shard, Holds::copying, 0};
  }
  if (now < node.begins[number]) return;
  switch (move.kind) {
    case Move::Kind::copy:
      if (node.holdings.contains(move.shard) && node.holdings[move.shard].holds == Holds::copying)
        node.holdings[move.shard].holds = Holds::standby;
      break;
    case Move::Kind::hand_over: {
      if (!owns(node, move.shard)) break;
      const NodeDetails* to = node.state.details(move.to);
      if (!to) break;
      // Whether it lives is not known here: the log has another owner now in any case.
      owners[move.shard.value] = {move.to, to->incarnation, owners[move.shard.value].epoch + 1};
      break;
    }
    case Move::Kind::drop:
      node.holdings.erase(move.shard);
      break;
    default:
      break;
  }
}

/// What the node has becomes what the logs say.
void Town::reconcile(TownNode& node) {
  for (std::size_t i = 0; i < owners.size(); ++i) {
    const ShardId shard{static_cast<std::uint16_t>(i)};
    if (owns(node, shard)) {
      node.holdings[shard] = {shard, Holds::owner, ends[i]};
      node.claims.erase(shard);
    } else if (node.state.shall_claim(shard, id(node), node.incarnation, owners[i])) {
      const auto wait = static_cast<std::int64_t>(below(500));
      if (node.claims.emplace(shard, now.plus_ms(wait)).first->second > now) continue;
      owners[i] = {id(node), node.incarnation, owners[i].epoch + 1};
    } else {
      node.claims.erase(shard);
      const auto held = node.holdings.find(shard);
      if (held == node.holdings.end()) continue;
      if (!find_replica(node.state.cluster().present[i], id(node))) {
        node.holdings.erase(held);
        continue;
      }
      if (held->second.holds == Holds::owner) held->second.holds = Holds::standby;
      if (held->second.holds == Holds::standby) held->second.next = ends[i];
    }
  }
}

bool Town::order(OperatorCommand command) {
  for (const auto& [name, node] : living) {
    if (node->reign == 0 || node->reign != log.epoch || cut_off.contains(name)) continue;
    if (node->folded < log.records.size()) continue;
    const auto entries = answer(node->state, command, time());
    if (!entries) return false;
    log.append(node->reign, *entries);
    return true;
  }
  return false;
}

OperatorCommand Town::any_command() {
  const auto node = [&] { return names[below(names.size())]; };
  const ShardId shard{static_cast<std::uint16_t>(below(owners.size()))};
  OperatorCommand command{.who = "ann", .wish = Rebalance{}};
  switch (below(14)) {
    case 0:
      command.wish = DrainNode{node()};
      break;
    case 1:
      command.wish = CordonNode{node()};
      break;
    case 2:
    case 3:
      command.wish = UncordonNode{node()};
      break;
    case 4:
      command.wish = WeighNode{node(), 1 + static_cast<std::uint32_t>(below(3))};
      break;
    case 5:
      command.wish = PutNodeInZone{node(), std::string(1, static_cast<char>('x' + below(3)))};
      break;
    case 6:
      command.wish = ForgetNode{node()};
      break;
    case 7:
      command.wish = PinShard{shard, node()};
      break;
    case 8:
      command.wish = UnpinShard{shard};
      break;
    case 9:
      break;
    case 10:
    case 11:
      if (!log.truth.moves().empty()) {
        auto at = log.truth.moves().begin();
        std::advance(at, below(log.truth.moves().size()));
        command.wish = CancelMove{at->first};
      }
      break;
    default:
      command.wish = MoveShard{shard, node()};
  }
  return command;
}

void Town::any_fault() {
  const std::string name = names[below(names.size())];
  switch (below(7)) {
    case 0:
    case 1:
      kill(name);
      break;
    case 2:  // within the 1.5 s after which it would be silent
      kill(name);
      pass_ms(static_cast<std::int64_t>(below(20)) * step_ms);
      start(name);
      break;
    case 3:
      cut_off.insert(name);
      break;
    case 4:
      cut_off.erase(name);
      break;
    default:
      start(name);
  }
}

bool Town::owned(ShardId shard) const {
  const LogOwner& owner = owners[shard.value];
  return std::ranges::any_of(
      living, [&](const auto& node) { return node.second->incarnation == owner.incarnation; });
}

std::string Town::orphans() const {
  std::string text;
  for (std::size_t i = 0; i < owners.size(); ++i)
    if (!owned({static_cast<std::uint16_t>(i)})) text += std::to_string(i) + " ";
  return text;
}

}  // namespace souk::cluster::test
