#include "cluster/control/heartbeat.h"

#include <schema/control.capnp.h>

#include <algorithm>

#include "cluster/control/entries.h"
#include "cluster/control/packed_message.h"
#include "cluster/rendezvous.h"

namespace souk::cluster {
namespace {

using Stored = schema::NodeHeartbeat;

/// 65,536 rows are 1.3 MB as they are in memory.
constexpr std::size_t words_max = 256 * 1024;

[[noreturn]] void refuse(const char* what) {
  throw Unreadable{{Fault::Kind::corrupt, std::string("heartbeat: ") + what}};
}

std::vector<Holding> holdings_of(Stored::Reader from) {
  const auto shards = from.getShards();
  const auto holds = from.getHolds();
  const auto next = from.getNextOffsets();
  const auto epochs = from.getEpochs();
  if (shards.size() > shards_max || holds.size() != shards.size() || next.size() != shards.size() ||
      (epochs.size() != 0 && epochs.size() != shards.size()))
    refuse("its lists differ in length");
  std::vector<Holding> holdings;
  holdings.reserve(shards.size());
  for (unsigned i = 0; i < shards.size(); ++i) {
    const ShardId shard{shards[i]};
    if (i > 0 && holdings.back().shard >= shard) refuse("its shards are out of order");
    holdings.push_back(
        {shard, enum_of(holds[i], Holds::owner), next[i], epochs.size() == 0 ? 0 : epochs[i]});
  }
  return holdings;
}

Heartbeat heartbeat_of(Stored::Reader from) {
  Heartbeat heartbeat{.name = text_of(from.getName(), node_name_bytes_max),
                      .incarnation = from.getIncarnation(),
                      .sequence = from.getSequence(),
                      .zone = text_of(from.getZone(), zone_bytes_max),
                      .weight = from.getWeight(),
                      .http = text_of(from.getHttp(), address_bytes_max),
                      .peer = text_of(from.getPeer(), address_bytes_max),
                      .build = text_of(from.getBuild(), build_bytes_max),
                      .protocol_min = from.getProtocolMin(),
                      .protocol_max = from.getProtocolMax(),
                      .controller_epoch = from.getControllerEpoch(),
                      .ending = from.getEnding(),
                      .no_read_models = from.getNoReadModels(),
                      .holdings = holdings_of(from)};
  if (heartbeat.name.empty()) refuse("it has no name");
  if (heartbeat.weight == 0 || heartbeat.weight > weight_max) refuse("its weight is out of range");
  return heartbeat;
}

bool same_holdings(const std::vector<Holding>& a, const std::vector<Holding>& b) {
  return std::ranges::equal(a, b, [](const Holding& x, const Holding& y) {
    return x.shard == y.shard && x.holds == y.holds;
  });
}

}  // namespace

const Holding* find_holding(const Heartbeat& heartbeat, ShardId shard) {
  const auto at = std::ranges::lower_bound(heartbeat.holdings, shard, {}, &Holding::shard);
  return at != heartbeat.holdings.end() && at->shard == shard ? &*at : nullptr;
}

std::string encode(const Heartbeat& heartbeat) {
  SOUK_ASSERT(!heartbeat.name.empty() && heartbeat.holdings.size() <= shards_max);
  return pack<Stored>([&](Stored::Builder to) {
    to.setName(as_text(heartbeat.name));
    to.setIncarnation(heartbeat.incarnation);
    to.setSequence(heartbeat.sequence);
    to.setZone(as_text(heartbeat.zone));
    to.setWeight(heartbeat.weight);
    to.setHttp(as_text(heartbeat.http));
    to.setPeer(as_text(heartbeat.peer));
    to.setBuild(as_text(heartbeat.build));
    to.setProtocolMin(heartbeat.protocol_min);
    to.setProtocolMax(heartbeat.protocol_max);
    to.setControllerEpoch(heartbeat.controller_epoch);
    to.setEnding(heartbeat.ending);
    to.setNoReadModels(heartbeat.no_read_models);
    const auto rows = static_cast<unsigned>(heartbeat.holdings.size());
    auto shards = to.initShards(rows);
    auto holds = to.initHolds(rows);
    auto next = to.initNextOffsets(rows);
    auto epochs = to.initEpochs(rows);
    for (unsigned i = 0; i < rows; ++i) {
      const Holding& holding = heartbeat.holdings[i];
      shards.set(i, holding.shard.value);
      holds.set(i, static_cast<std::uint8_t>(holding.holds));
      next.set(i, holding.next);
      epochs.set(i, holding.epoch);
    }
  });
}

Result<Heartbeat, Fault> decode_heartbeat(std::string_view bytes) {
  if (bytes.size() > heartbeat_bytes_max)
    return Fault{Fault::Kind::corrupt, "heartbeat: it is too long"};
  return unpack<Stored, Heartbeat>(bytes, words_max, heartbeat_of);
}

HeardTable::HeardTable(std::string self, std::uint64_t incarnation)
    : self_(std::move(self)), incarnation_(incarnation) {}

void HeardTable::take(Heartbeat heartbeat, SteadyMs now) {
  auto at = rows_.find(heartbeat.name);
  if (at == rows_.end()) {
    if (rows_.size() >= 2 * nodes_max)
      rows_.erase(
          std::ranges::min_element(rows_, {}, [](const auto& row) { return row.second.at; }));
    at = rows_.emplace(heartbeat.name, Row{}).first;
    ++holdings_version_;
  } else {
    Row& row = at->second;
    if (heartbeat.incarnation < row.newest.incarnation && now < row.at.plus_ms(silent_after_ms))
      return;
    if (row.newest.incarnation != heartbeat.incarnation) {
      ++holdings_version_;
    } else if (heartbeat.sequence <= row.newest.sequence) {
      return;
    } else if (!same_holdings(heartbeat.holdings, row.newest.holdings)) {
      ++holdings_version_;
    }
  }
  if (heartbeat.controller_epoch > 0 && heartbeat.controller_epoch >= controller_epoch_) {
    controller_epoch_ = heartbeat.controller_epoch;
    controller_at_ = now;
  }
  if (heartbeat.name == self_ && heartbeat.incarnation == incarnation_) hear_myself(now);
  at->second.newest = std::move(heartbeat);
  at->second.at = now;
}

void HeardTable::hear_myself(SteadyMs now) {
  if (!heard_myself_ || now > myself_at_.plus_ms(own_gap_ms_max)) hearing_since_ = now;
  heard_myself_ = true;
  myself_at_ = now;
}

void HeardTable::saw_claim(std::uint64_t epoch, SteadyMs now) {
  if (epoch <= controller_epoch_) return;
  controller_epoch_ = epoch;
  controller_at_ = now;
}

bool HeardTable::judges(SteadyMs now) const {
  return heard_myself_ && now <= myself_at_.plus_ms(own_gap_ms_max) &&
         now >= hearing_since_.plus_ms(silent_after_ms);
}

std::int64_t HeardTable::silence_ms(std::string_view name, SteadyMs now) const {
  const auto at = rows_.find(name);
  const SteadyMs since =
      at == rows_.end() ? hearing_since_ : std::max(hearing_since_, at->second.at);
  const std::int64_t silence = now.value - since.value;
  const bool ending = at != rows_.end() && at->second.newest.ending;
  return ending ? std::max(silence, silent_after_ms) : silence;
}

std::int64_t HeardTable::controller_silence_ms(SteadyMs now) const {
  const SteadyMs since =
      controller_epoch_ == 0 ? hearing_since_ : std::max(hearing_since_, controller_at_);
  return now.value - since.value;
}

const Heartbeat* HeardTable::newest(std::string_view name) const {
  const auto at = rows_.find(name);
  return at == rows_.end() ? nullptr : &at->second.newest;
}

bool should_claim(const HeardTable& heard, SteadyMs now) {
  if (!heard.judges(now)) return false;
  std::int64_t before = 0;
  for (const auto& [name, row] : heard.rows()) {
    if (name >= heard.self()) break;
    if (heard.silence_ms(name, now) < silent_after_ms) ++before;
  }
  return heard.controller_silence_ms(now) >= silent_after_ms + before * claim_apart_ms;
}

}  // namespace souk::cluster
