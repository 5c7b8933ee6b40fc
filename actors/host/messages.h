#pragma once
/// What the actors of one node send each other. In-process only: each holds its content by pointer,
/// so that a message is small and nothing is copied.
#include <caf/actor_companion.hpp>
#include <caf/all.hpp>
#include <future>
#include <memory>
#include <mutex>
#include <vector>

#include "actors/host/host_core.h"

namespace souk {

/// To a host: all that one poll or one turn of another host brought.
struct InputsMsg {
  std::shared_ptr<std::vector<Envelope>> inputs;
};
/// The provider's answers for one host, in the order in which they came. A message for each would
/// be a turn and a commit for each. Thread: any.
class PaymentInbox {
 public:
  enum class First : std::uint8_t { no, yes };
  /// First::yes: nothing else waits here, and the host must be told.
  First put(const PaymentAnswer& answer) {
    const std::lock_guard lock(mutex_);
    answers_.push_back(answer);
    return answers_.size() == 1 ? First::yes : First::no;
  }
  std::vector<PaymentAnswer> take() {
    const std::lock_guard lock(mutex_);
    return std::exchange(answers_, {});
  }

 private:
  std::mutex mutex_;
  std::vector<PaymentAnswer> answers_;
};
/// To a host: something is in its inbox.
struct PaymentsMsg {
  std::shared_ptr<PaymentInbox> inbox;
};
struct RequestsMsg {
  std::shared_ptr<std::vector<Request>> requests;
};
/// To a host, of the logs: what they acknowledged, what is in doubt, what is claimed.
struct LandedMsg {
  std::shared_ptr<std::vector<LandedRange>> ranges;
};
struct DoubtedMsg {
  std::shared_ptr<std::vector<ShardId>> shards;
};
struct ClaimedMsg {
  std::shared_ptr<std::vector<std::pair<ShardId, ShardLog::Claimed>>> claims;
};
struct GivenMsg {
  std::shared_ptr<std::vector<std::pair<ShardId, ShardLog::Claimed>>> given;
};
struct FollowedMsg {
  std::shared_ptr<std::vector<ShardId>> shards;
};
/// To a host, of the cluster.
struct AssignMsg {
  std::shared_ptr<std::vector<Assignment>> assignments;
};
/// To the store, and back.
struct LoadMsg {
  std::vector<std::pair<ShardId, EntityKey>> wanted;
};
struct LoadedMsg {
  ShardId shard;
  EntityKey entity;
  std::shared_ptr<Result<std::optional<StoredState>, Fault>> state;
  std::uint64_t generation = 0;  // of the store
};
struct FlushMsg {
  std::shared_ptr<std::vector<ShardOutput::Flush>> flushes;
};
struct FlushedMsg {
  ShardId shard;
  std::uint64_t round = 0;
  std::shared_ptr<std::vector<std::pair<EntityKey, Seq>>> written;
  std::optional<Checkpoint> checkpoint;
  Status status = Done{};
  std::uint64_t generation = 0;  // of the store
};
/// To the one who folds states anew, and back.
struct RefoldMsg {
  std::shared_ptr<std::vector<ShardOutput::Refold>> refolds;
};
struct RefoldStepMsg {};
struct RefoldedMsg {
  ShardId shard;
  EntityKey entity;
  std::uint64_t number = 0;  // ShardOutput::Refold
  std::shared_ptr<Result<std::optional<StoredState>, Fault>> state;
};
struct DestroyKeysMsg {
  std::shared_ptr<std::vector<std::pair<EntityKey, std::vector<PersonId>>>> keys;
};
struct StartMsg {};
struct TickMsg {};
struct CheckpointStepMsg {};
struct EndMsg {};
struct StopMsg {
  std::shared_ptr<std::promise<void>> stopped;
};

}  // namespace souk

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(souk::InputsMsg)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(souk::RequestsMsg)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(souk::PaymentsMsg)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(souk::LandedMsg)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(souk::DoubtedMsg)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(souk::ClaimedMsg)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(souk::GivenMsg)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(souk::FollowedMsg)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(souk::AssignMsg)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(souk::LoadMsg)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(souk::LoadedMsg)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(souk::FlushMsg)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(souk::FlushedMsg)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(souk::RefoldMsg)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(souk::RefoldStepMsg)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(souk::RefoldedMsg)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(souk::DestroyKeysMsg)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(souk::StartMsg)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(souk::TickMsg)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(souk::CheckpointStepMsg)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(souk::StopMsg)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(souk::EndMsg)
