#include "actors/shard/undecided.h"

#include <algorithm>
#include <iterator>

namespace souk {
namespace {

AddressedReply answer_instead(const AddressedReply& instead_of, ReplyCode code) {
  const Reply& was = instead_of.second;
  return {instead_of.first,
          Reply{.ticket = was.ticket, .code = code, .op = was.op, .shard = was.shard}};
}

}  // namespace

void Undecided::asked(Request&& request, Seq own) {
  if (request.reply_to.who != ReplyTo::Who::client) return;
  if (const auto seq = gate_.newest_answer(request.reply_to))
    asked_.push_back({*seq, own, std::move(request)});
}

void Undecided::committed(Seq seq) {
  while (!asked_.empty() && asked_.front().answer <= seq) asked_.pop_front();
}

void Undecided::begin(UnixMs now) {
  for (auto& held : gate_.take_all()) held_.push_back(std::move(held));
  for (auto& reply : gate_.take_barred()) barred_.push_back(std::move(reply));
  until_ = now.plus_ms(doubt_wait_ms);
  gave_up_ = false;
}

Undecided::Held Undecided::hold(Request&& request, UnixMs now) {
  if (gave_up_ || now >= until_ || waiting_.size() >= doubt_requests_max) return Held::no;
  waiting_.push_back(std::move(request));
  return Held::yes;
}

void Undecided::drop_answers(const std::vector<Request>& requests) {
  std::erase_if(held_, [&](const CommitGate::Held& held) {
    const auto* reply = std::get_if<AddressedReply>(&held.effect);
    return reply && std::ranges::any_of(requests, [&](const Request& r) {
             return r.reply_to.sink == reply->first && r.reply_to.ticket == reply->second.ticket;
           });
  });
}

std::vector<Request> Undecided::take_reads() {
  std::vector<Request> reads;
  asked_.erase_if([&](Asked& asked) {
    if (!is_read(asked.request.op)) return false;
    reads.push_back(std::move(asked.request));
    return true;
  });
  drop_answers(reads);
  return reads;
}

Undecided::Late Undecided::take_late() {
  gave_up_ = true;
  Late late;
  late.held = std::exchange(waiting_, {});
  for (std::size_t i = 0; i < asked_.size(); ++i)
    late.in_doubt.push_back(std::move(asked_[i].request));
  asked_.clear();
  drop_answers(late.in_doubt);
  for (const auto& reply : std::exchange(barred_, {}))
    late.answers.push_back(answer_instead(reply, ReplyCode::unavailable));
  // Of what has no request any more the answer itself says to whom it goes.
  std::erase_if(held_, [&](const CommitGate::Held& held) {
    const auto* reply = std::get_if<AddressedReply>(&held.effect);
    if (reply) late.answers.push_back(answer_instead(*reply, ReplyCode::unavailable));
    return reply != nullptr;
  });
  return late;
}

Undecided::Asked* Undecided::find(const AddressedReply& reply) {
  for (std::size_t i = 0; i < asked_.size(); ++i) {
    const ReplyTo& to = asked_[i].request.reply_to;
    if (to.sink == reply.first && to.ticket == reply.second.ticket) return &asked_[i];
  }
  return nullptr;
}

/// It rests on an event that is not in the log.
void Undecided::not_landed(CommitGate::Held&& held, Seq landed, Decided& to) {
  if (auto* reply = std::get_if<AddressedReply>(&held.effect)) {
    Asked* asked = find(*reply);
    // What landed without its answer is found by its key; without a key it must not be run again.
    const bool may_run = asked && (asked->own > landed || asked->own == 0 ||
                                   asked->request.key_hash != 0 || is_read(asked->request.op));
    if (may_run)
      to.again.push_back(std::move(asked->request));
    else
      to.answers.push_back(answer_instead(*reply, ReplyCode::unavailable));
  } else if (auto* input = std::get_if<ShardInput>(&held.effect)) {
    if (auto* ready = std::get_if<QuoteReady>(input))
      to.quotes.push_back({ready->sku, ready->target});
  }
}

Undecided::Decided Undecided::decide(Seq landed, Seq end) {
  Decided decided;
  for (auto& reply : std::exchange(barred_, {})) {
    if (landed == end)
      decided.leaves.push_back(std::move(reply));
    else
      decided.answers.push_back(answer_instead(reply, ReplyCode::unavailable));
  }
  for (auto& held : std::exchange(held_, {})) {
    // A checkpoint's round was forgotten with what was in memory.
    if (std::holds_alternative<ShardOutput::Flush>(held.effect)) continue;
    if (held.seq <= landed)
      decided.leaves.push_back(std::move(held.effect));
    else
      not_landed(std::move(held), landed, decided);
  }
  asked_.clear();
  std::ranges::move(std::exchange(waiting_, {}), std::back_inserter(decided.again));
  return decided;
}

}  // namespace souk
