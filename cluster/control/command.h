#pragma once
/// What an operator may want of the cluster. Pure: a command becomes entries of the control log, or
/// a refusal in words; `preview` says what would follow, and changes nothing.
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "cluster/control/control_state.h"
#include "cluster/control/heartbeat.h"

namespace souk::cluster {

struct MoveShard {
  ShardId shard;
  std::string to;  // a node's name, as everywhere here
};
struct DrainNode {
  std::string node;
};
struct CordonNode {
  std::string node;
};
/// Undoes a drain, too.
struct UncordonNode {
  std::string node;
};
struct WeighNode {
  std::string node;
  std::uint32_t weight = 1;
};
struct PutNodeInZone {
  std::string node;
  std::string zone;
};
struct ForgetNode {
  std::string node;
};
struct PinShard {
  ShardId shard;
  std::string to;
};
struct UnpinShard {
  ShardId shard;
};
struct Rebalance {};
struct CancelMove {
  std::uint64_t number = 0;
};
struct NoteDown {
  std::string text;
};

struct OperatorCommand {
  std::string who;
  std::variant<MoveShard, DrainNode, CordonNode, UncordonNode, WeighNode, PutNodeInZone, ForgetNode,
               PinShard, UnpinShard, Rebalance, CancelMove, NoteDown>
      wish;
};

struct Refused {
  enum class Kind : std::uint8_t {
    no,        // the cluster is not such that it can be done
    not_done,  // nobody was there to do it; it may be asked again
    in_doubt,  // it may have been done
  };
  explicit Refused(std::string words, Kind which = Kind::no) : why(std::move(words)), kind(which) {}
  std::string why;  // in words, for the operator
  Kind kind;
};
/// To be called once. Nothing: it was so already, or the control log has it.
using CommandDone = std::function<void(Result<Done, Refused>)>;

/// What the controller appends. Nothing where it is so already.
Result<std::vector<Entry>, Refused> answer(const ControlState& state,
                                           const OperatorCommand& command, UnixMs now);

/// What moves cost here, by what was measured before.
struct MoveFigures {
  std::function<std::uint64_t(ShardId)> bytes_of;
  std::int64_t hand_over_pause_ms = 0;
};
struct PreviewedMove {
  Move move;
  std::string words;
  std::uint64_t bytes = 0;    // that are copied
  std::int64_t pause_ms = 0;  // in which the shard's commands wait
};
/// The moves that follow from the command and would not without it, in their order. Of those that
/// follow already, see plan().
Result<std::vector<PreviewedMove>, Refused> preview(const ControlState& state,
                                                    const OperatorCommand& command,
                                                    const HeardTable& heard,
                                                    const MoveFigures& figures, UnixMs now);

}  // namespace souk::cluster
