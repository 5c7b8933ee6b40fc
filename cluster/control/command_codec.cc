#include "cluster/control/command_codec.h"

#include <schema/control.capnp.h>

#include "cluster/control/packed_message.h"

namespace souk::cluster {
namespace {

using Sent = schema::OperatorWish;

constexpr std::size_t words_max = 8'192;
constexpr std::size_t why_bytes_max = 4'096;

struct Writer {
  Sent::Builder to;

  void node(const std::string& name) { to.setNode(as_text(name)); }
  void shard(ShardId id) { to.setShard(id.value); }

  void operator()(const MoveShard& c) {
    shard(c.shard);
    node(c.to);
    to.setMove();
  }
  void operator()(const DrainNode& c) {
    node(c.node);
    to.setDrain();
  }
  void operator()(const CordonNode& c) {
    node(c.node);
    to.setCordon();
  }
  void operator()(const UncordonNode& c) {
    node(c.node);
    to.setUncordon();
  }
  void operator()(const WeighNode& c) {
    node(c.node);
    to.setWeigh(c.weight);
  }
  void operator()(const PutNodeInZone& c) {
    node(c.node);
    to.setZone(as_text(c.zone));
  }
  void operator()(const ForgetNode& c) {
    node(c.node);
    to.setForget();
  }
  void operator()(const PinShard& c) {
    shard(c.shard);
    node(c.to);
    to.setPin();
  }
  void operator()(const UnpinShard& c) {
    shard(c.shard);
    to.setUnpin();
  }
  void operator()(const Rebalance&) { to.setRebalance(); }
  void operator()(const CancelMove& c) { to.setCancel(c.number); }
  void operator()(const NoteDown& c) { to.setNote(as_text(c.text)); }
};

OperatorCommand command_of(Sent::Reader from) {
  OperatorCommand command{.who = text_of(from.getWho(), who_bytes_max), .wish = Rebalance{}};
  std::string node = text_of(from.getNode(), node_name_bytes_max);
  const ShardId shard{from.getShard()};
  auto& wish = command.wish;
  switch (from.which()) {
    case Sent::MOVE:
      wish = MoveShard{shard, std::move(node)};
      return command;
    case Sent::DRAIN:
      wish = DrainNode{std::move(node)};
      return command;
    case Sent::CORDON:
      wish = CordonNode{std::move(node)};
      return command;
    case Sent::UNCORDON:
      wish = UncordonNode{std::move(node)};
      return command;
    case Sent::WEIGH:
      wish = WeighNode{std::move(node), from.getWeigh()};
      return command;
    case Sent::ZONE:
      wish = PutNodeInZone{std::move(node), text_of(from.getZone(), zone_bytes_max)};
      return command;
    case Sent::FORGET:
      wish = ForgetNode{std::move(node)};
      return command;
    case Sent::PIN:
      wish = PinShard{shard, std::move(node)};
      return command;
    case Sent::UNPIN:
      wish = UnpinShard{shard};
      return command;
    case Sent::REBALANCE:
      return command;
    case Sent::CANCEL:
      wish = CancelMove{from.getCancel()};
      return command;
    case Sent::NOTE:
      wish = NoteDown{text_of(from.getNote(), note_bytes_max)};
      return command;
  }
  throw Unreadable{{Fault::Kind::unsupported, "a command that this version does not know"}};
}

}  // namespace

std::string encode(const OperatorCommand& command) {
  return pack<Sent>([&](Sent::Builder to) {
    to.setWho(as_text(command.who));
    std::visit(Writer{to}, command.wish);
  });
}

Result<OperatorCommand, Fault> decode_command(std::string_view bytes) {
  return unpack<Sent, OperatorCommand>(bytes, words_max, command_of);
}

std::string encode(const CommandOutcome& outcome) {
  return pack<schema::WishOutcome>([&](schema::WishOutcome::Builder to) {
    to.setRefused(!outcome.ok());
    if (outcome.ok()) return;
    to.setWhy(as_text(outcome.error().why.substr(0, why_bytes_max)));
    to.setKind(static_cast<std::uint8_t>(outcome.error().kind));
  });
}

Result<CommandOutcome, Fault> decode_outcome(std::string_view bytes) {
  return unpack<schema::WishOutcome, CommandOutcome>(
      bytes, words_max, [](schema::WishOutcome::Reader from) -> CommandOutcome {
        if (!from.getRefused()) return Done{};
        return Refused(text_of(from.getWhy(), why_bytes_max),
                       enum_of(from.getKind(), Refused::Kind::in_doubt));
      });
}

}  // namespace souk::cluster
