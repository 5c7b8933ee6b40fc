#include "actors/shard/commit_gate.h"

#include <algorithm>

namespace souk {

namespace {

/// It says nothing of the shard's states.
bool needs_no_barrier(ReplyCode code) {
  return code == ReplyCode::unavailable || code == ReplyCode::not_done ||
         code == ReplyCode::overloaded || code == ReplyCode::position_not_reached;
}

}  // namespace

void CommitGate::leave(Seq seq, Effect&& effect) {
  if (seq > committed_) return leave_in_order(seq, std::move(effect));
  if (barriers_ == Barriers::awaited)
    if (auto* reply = std::get_if<AddressedReply>(&effect);
        reply && !needs_no_barrier(reply->second.code)) {
      ++barred_count_;
      return barred_.push_back(std::move(*reply));
    }
  put_out(std::move(effect));
}

void CommitGate::pass_barrier(std::uint64_t count) {
  for (auto left = barred_count_ - barred_.size(); left < count && !barred_.empty(); ++left) {
    output_.replies.push_back(std::move(barred_.front()));
    barred_.pop_front();
  }
}

std::vector<AddressedReply> CommitGate::take_barred() {
  std::vector<AddressedReply> taken;
  for (std::size_t i = 0; i < barred_.size(); ++i) taken.push_back(std::move(barred_[i]));
  barred_.clear();
  return taken;
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
