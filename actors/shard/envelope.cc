#include "actors/shard/envelope.h"

namespace souk {

PeerEpochs::Admits PeerEpochs::admit(const Sender& from) {
  if (from.epoch == 0) return Admits::yes;  // not from a shard
  if (from.shard.value >= newest_.size()) newest_.resize(from.shard.value + std::size_t{1});
  std::uint64_t& newest = newest_[from.shard.value];
  if (from.epoch < newest) return Admits::no;
  newest = from.epoch;
  return Admits::yes;
}

bool is_peer_message(const ShardInput& input) {
  if (const auto* request = std::get_if<Request>(&input))
    return request->reply_to.who == ReplyTo::Who::process;
  if (const auto* answer = std::get_if<ProcessAnswer>(&input))
    return std::holds_alternative<StockAnswer>(answer->answer) ||
           std::holds_alternative<EmailAnswer>(answer->answer);
  return true;
}

}  // namespace souk
