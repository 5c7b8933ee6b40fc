#include "cluster/control/entries.h"

#include <schema/control.capnp.h>

#include "cluster/control/packed_message.h"
#include "cluster/rendezvous.h"

namespace souk::cluster {
namespace {

using Stored = schema::ControlEntry;

/// 65,536 seats are 3 MiB; a record has at most 16 MiB as encoded.
constexpr std::size_t words_max = 8 * 1024 * 1024;

[[noreturn]] void refuse(const char* what) {
  throw Unreadable{{Fault::Kind::corrupt, std::string("control entry: ") + what}};
}
std::uint32_t weight_of(std::uint32_t raw) {
  if (raw == 0 || raw > weight_max) refuse("a weight is out of range");
  return raw;
}

// ---- to bytes ----

struct Writer {
  Stored::Builder to;

  void node(NodeId id) { to.setNode(id.value); }
  void shard(ShardId id) { to.setShard(id.value); }

  void operator()(const NodeJoined& e) {
    node(e.node);
    auto joined = to.initJoined();
    joined.setName(as_text(e.name));
    joined.setZone(as_text(e.zone));
    joined.setWeight(e.weight);
  }
  void operator()(const NodeHeard& e) {
    node(e.node);
    auto heard = to.initHeard();
    heard.setIncarnation(e.incarnation);
    heard.setZone(as_text(e.zone));
    heard.setWeight(e.weight);
    heard.setHttp(as_text(e.http));
    heard.setPeer(as_text(e.peer));
    heard.setBuild(as_text(e.build));
    heard.setProtocolMin(e.protocol_min);
    heard.setProtocolMax(e.protocol_max);
  }
  void operator()(const NodeSilent& e) {
    node(e.node);
    to.setSilent();
  }
  void operator()(const NodeWished& e) {
    node(e.node);
    to.setWished(static_cast<std::uint8_t>(e.wish));
  }
  void operator()(const NodeWeighted& e) {
    node(e.node);
    to.setWeighted(e.weight);
  }
  void operator()(const NodeZoned& e) {
    node(e.node);
    to.setZoned(as_text(e.zone));
  }
  void operator()(const NodeForgotten& e) {
    node(e.node);
    to.setForgotten();
  }
  void operator()(const ShardPinned& e) {
    shard(e.shard);
    node(e.node);
    to.setPinned();
  }
  void operator()(const ShardUnpinned& e) {
    shard(e.shard);
    to.setUnpinned();
  }
  void operator()(const ShardAsked& e) {
    shard(e.shard);
    node(e.node);
    to.setAsked();
  }
  void operator()(const ShardsRebalanced&) { to.setRebalanced(); }
  void operator()(const PlacementWanted& e) {
    auto list = to.initPlacement(static_cast<unsigned>(e.changed.size()));
    for (unsigned i = 0; i < list.size(); ++i) {
      const Seats& seats = e.changed[i];
      auto row = list[i];
      row.setShard(seats.shard.value);
      row.setOwner(seats.wanted.owner.value);
      row.setStandby(seats.wanted.standby.value);
      row.setOwnerWhy(static_cast<std::uint8_t>(seats.wanted.owner_why));
      row.setStandbyWhy(static_cast<std::uint8_t>(seats.wanted.standby_why));
    }
  }
  void operator()(const MoveBegan& e) {
    shard(e.move.shard);
    auto move = to.initMoveBegan();
    move.setNumber(e.number);
    move.setKind(static_cast<std::uint8_t>(e.move.kind));
    move.setReason(static_cast<std::uint8_t>(e.move.reason));
    move.setFrom(e.move.from.value);
    move.setTo(e.move.to.value);
  }
  void operator()(const MoveEnded& e) {
    auto end = to.initMoveEnded();
    end.setNumber(e.number);
    end.setOutcome(static_cast<std::uint8_t>(e.outcome));
    end.setEpoch(e.epoch);
  }
  void operator()(const OwnerFound& e) {
    shard(e.shard);
    node(e.node);
    to.setOwnerFound(e.epoch);
  }
  void operator()(const ReplicaWarm& e) {
    shard(e.shard);
    node(e.node);
    to.setReplicaWarm();
  }
  void operator()(const ReplicaLost& e) {
    shard(e.shard);
    node(e.node);
    to.setReplicaLost();
  }
  void operator()(const OperatorNote& e) {
    to.setOptional(true);
    to.setNote(as_text(e.text));
  }
};

// ---- from bytes ----

NodeHeard heard_of(NodeId node, schema::ControlHeard::Reader from) {
  return {.node = node,
          .incarnation = from.getIncarnation(),
          .zone = text_of(from.getZone(), zone_bytes_max),
          .weight = weight_of(from.getWeight()),
          .http = text_of(from.getHttp(), address_bytes_max),
          .peer = text_of(from.getPeer(), address_bytes_max),
          .build = text_of(from.getBuild(), build_bytes_max),
          .protocol_min = from.getProtocolMin(),
          .protocol_max = from.getProtocolMax()};
}

PlacementWanted placement_of(capnp::List<schema::ControlSeats>::Reader from) {
  PlacementWanted placement;
  for (const auto row : from) {
    const ShardId shard{row.getShard()};
    if (!placement.changed.empty() && placement.changed.back().shard >= shard)
      refuse("the seats are out of order");
    placement.changed.push_back({shard,
                                 {.owner = {row.getOwner()},
                                  .standby = {row.getStandby()},
                                  .owner_why = enum_of(row.getOwnerWhy(), reason_last),
                                  .standby_why = enum_of(row.getStandbyWhy(), reason_last)}});
  }
  return placement;
}

MoveBegan began_of(ShardId shard, schema::ControlMove::Reader from) {
  return {from.getNumber(),
          {.kind = enum_of(from.getKind(), Move::Kind::drop),
           .shard = shard,
           .from = {from.getFrom()},
           .to = {from.getTo()},
           .reason = enum_of(from.getReason(), reason_last),
           .wave = 0}};
}

/// Nothing: a kind that may be left out.
std::optional<EntryBody> body_of(Stored::Reader from) {
  const NodeId node{from.getNode()};
  const ShardId shard{from.getShard()};
  switch (from.which()) {
    case Stored::JOINED:
      return NodeJoined{node, text_of(from.getJoined().getName(), node_name_bytes_max),
                        text_of(from.getJoined().getZone(), zone_bytes_max),
                        weight_of(from.getJoined().getWeight())};
    case Stored::HEARD:
      return heard_of(node, from.getHeard());
    case Stored::SILENT:
      return NodeSilent{node};
    case Stored::WISHED:
      return NodeWished{node, enum_of(from.getWished(), Wish::drained)};
    case Stored::WEIGHTED:
      return NodeWeighted{node, weight_of(from.getWeighted())};
    case Stored::ZONED:
      return NodeZoned{node, text_of(from.getZoned(), zone_bytes_max)};
    case Stored::FORGOTTEN:
      return NodeForgotten{node};
    case Stored::PINNED:
      return ShardPinned{shard, node};
    case Stored::UNPINNED:
      return ShardUnpinned{shard};
    case Stored::ASKED:
      return ShardAsked{shard, node};
    case Stored::REBALANCED:
      return ShardsRebalanced{};
    case Stored::PLACEMENT:
      return placement_of(from.getPlacement());
    case Stored::MOVE_BEGAN:
      return began_of(shard, from.getMoveBegan());
    case Stored::MOVE_ENDED:
      return MoveEnded{from.getMoveEnded().getNumber(),
                       enum_of(from.getMoveEnded().getOutcome(), MoveOutcome::cancelled),
                       from.getMoveEnded().getEpoch()};
    case Stored::OWNER_FOUND:
      return OwnerFound{shard, node, from.getOwnerFound()};
    case Stored::REPLICA_WARM:
      return ReplicaWarm{shard, node};
    case Stored::REPLICA_LOST:
      return ReplicaLost{shard, node};
    case Stored::NOTE:
      return OperatorNote{text_of(from.getNote(), note_bytes_max)};
    case Stored::NONE:
      break;
  }
  if (from.getOptional()) return std::nullopt;
  throw Unreadable{
      {Fault::Kind::unsupported, "control entry: a kind that this version does not know"}};
}

}  // namespace

std::string encode(const std::vector<Entry>& entries) {
  SOUK_ASSERT(!entries.empty() && entries.size() <= entries_per_record_max);
  return pack<schema::ControlRecord>([&](schema::ControlRecord::Builder record) {
    auto list = record.initEntries(static_cast<unsigned>(entries.size()));
    for (unsigned i = 0; i < list.size(); ++i) {
      auto to = list[i];
      to.setAt(entries[i].at.value);
      if (!entries[i].who.empty()) to.setWho(as_text(entries[i].who));
      std::visit(Writer{to}, entries[i].body);
    }
  });
}

Result<std::vector<Entry>, Fault> decode_entries(std::string_view payload) {
  return unpack<schema::ControlRecord, std::vector<Entry>>(
      payload, words_max, [](schema::ControlRecord::Reader record) {
        const auto list = record.getEntries();
        if (list.size() == 0 || list.size() > entries_per_record_max) refuse("too many, or none");
        std::vector<Entry> entries;
        for (const auto from : list) {
          auto body = body_of(from);
          if (body)
            entries.push_back(
                {{from.getAt()}, text_of(from.getWho(), who_bytes_max), *std::move(body)});
        }
        return entries;
      });
}

}  // namespace souk::cluster
