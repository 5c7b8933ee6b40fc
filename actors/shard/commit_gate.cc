#include "actors/shard/commit_gate.h"

#include <algorithm>

namespace souk {

void CommitGate::leave(Seq seq, Effect&& effect) {
  if (seq <= committed_)
    put_out(std::move(effect));
  else
    leave_in_order(seq, std::move(effect));
}

void CommitGate::leave_in_order(Seq seq, Effect&& effect) {
  if (!held_.empty()) seq = std::max(seq, held_.back().seq);
  held_.push_back({seq, std::move(effect)});
  release();
}

void CommitGate::commit(Seq seq) {
  SOUK_ASSERT(seq >= committed_);
  committed_ = seq;
  release();
}

void CommitGate::release() {
  std::size_t released = 0;
  for (; released < held_.size() && held_[released].seq <= committed_; ++released)
    put_out(std::move(held_[released].effect));
  held_.pop_front(released);
}

void CommitGate::put_out(Effect&& effect) {
  std::visit(Overloaded{
                 [&](AddressedReply& r) { output_.replies.push_back(std::move(r)); },
                 [&](ShardInput& i) { outbox_.send(std::move(i)); },
                 [&](PaymentCall& c) { output_.payments.push_back(std::move(c)); },
                 [&](KeysToDestroy& k) { output_.keys_to_destroy.push_back(std::move(k)); },
                 [&](ShardOutput::Flush& f) { output_.flushes.push_back(std::move(f)); },
             },
             effect);
}

std::vector<CommitGate::Held> CommitGate::take_all() {
  std::vector<Held> taken;
  for (std::size_t i = 0; i < held_.size(); ++i) taken.push_back(std::move(held_[i]));
  held_.clear();
  return taken;
}

std::optional<Seq> CommitGate::newest_answer(const ReplyTo& to) const {
  if (held_.empty()) return std::nullopt;
  const auto* reply = std::get_if<AddressedReply>(&held_.back().effect);
  if (!reply || reply->first != to.sink || reply->second.ticket != to.ticket) return std::nullopt;
  return held_.back().seq;
}

void CommitGate::begin_at(Seq committed) {
  SOUK_ASSERT(held_.empty());
  committed_ = committed;
}

}  // namespace souk
