#include <limits>

#include "actors/shard/owner.h"

// The owner and its log: recovery, claims, what landed, and what is in doubt.

namespace souk {

LogTail Owner::tail() {
  return [this](Offset from, const Journal::Visit& visit) { return log_.tail(from, visit); };
}

void Owner::cut(std::vector<Batch>& out) {
  const std::size_t from = out.size();
  recorder_.cut(out);
  const std::uint64_t barred = gate_.barred();
  const bool waits = barred > (under_way_.empty() ? 0 : under_way_.back().barred);
  if (waits && out.size() == from && owns()) out.push_back(recorder_.noop());
  for (std::size_t i = from; i < out.size(); ++i)
    under_way_.push_back({.offset = out[i].offset,
                          .last_seq = out[i].last_seq,
                          .chain = out[i].chain,
                          .barred = barred,
                          .noop = out[i].last_seq < out[i].first_seq,
                          .since = clock_.newest()});
}

/// Offsets without a gap leave no room for a record of another owner.
void Owner::landed(Offset first, Offset last) {
  if (!owns() || under_way_.empty() || last < under_way_.front().offset) return;
  if (first != under_way_.front().offset || last > under_way_.back().offset) return doubted();
  Seq seq = 0;
  std::uint64_t barred = 0;
  for (; !under_way_.empty() && under_way_.front().offset <= last; under_way_.pop_front()) {
    seq = under_way_.front().last_seq;
    barred = under_way_.front().barred;
  }
  committed_end_ = last + 1;
  committed(seq);
  gate_.pass_barrier(barred);
}

void Owner::committed(Seq seq) {
  gate_.commit(seq);
  undecided_.committed(seq);
  for (auto& read : waiting_.take_reached(seq)) handle(std::move(read));
}

Status Owner::recover(RecoveryReport& report) {
  forget();
  standing_ = Standing::follows;
  under_way_.clear();
  const Status status = replica_.recover(tail(), std::numeric_limits<Offset>::max(), report);
  readable_ = status.ok();
  recorder_.begin();
  gate_.begin_at(recorder_.cut_seq());
  committed_end_ = replica_.place().next_offset;
  checkpoint_at_ = clock_.now();
  return status;
}

void Owner::claim() {
  if (standing_ == Standing::follows) undecided_.begin(clock_.now());
  standing_ = Standing::claims;
  claimed_.reset();
  output_.claims.push_back(id_);
}

void Owner::doubted() {
  if (!owns()) return;
  standing_ = Standing::follows;
  recorder_.drop();
  claim();
  set_aside();
}

/// All in memory, but for who waits.
void Owner::forget() {
  refolds_.clear();
  quotes_.clear();
  orders_.forget();
  users_.forget();
  timers_.clear();
  entities_.forget();
}

/// What is tentative is dropped. Who waits for something waits for the claim, but for reads.
void Owner::set_aside() {
  std::vector<ShardInput> now;
  for (auto& read : undecided_.take_reads()) now.emplace_back(std::move(read));
  for (auto& input : waiting_.take_parked()) {
    auto* request = std::get_if<Request>(&input);
    if (request && !is_read(request->op))
      hold(std::move(*request));
    else
      now.push_back(std::move(input));
  }
  forget();
  RecoveryReport report;
  readable_ = replica_.recover(tail(), committed_end_, report).ok();
  for (auto& input : now) handle(std::move(input));
}

Status Owner::claimed(const ShardLog::Claimed& claimed) {
  if (standing_ != Standing::claims) return Done{};
  claimed_ = claimed;
  return decide();
}

Status Owner::retry() {
  if (claimed_) return decide();
  if (readable_) return Done{};
  RecoveryReport report;
  const Status status = replica_.recover(tail(), committed_end_, report);
  readable_ = status.ok();
  return status;
}

/// What of its own landed is known by the chain: another owner's record may have the same numbers.
Status Owner::decide() {
  Seq landed = gate_.committed();
  auto mine = under_way_.begin();
  const auto saw = [&](const BatchHeader& header) {
    while (mine != under_way_.end() && mine->noop) ++mine;
    if (mine == under_way_.end() || header.last_seq() != mine->last_seq ||
        header.chain != mine->chain)
      return;
    landed = mine->last_seq;
    ++mine;
  };
  RecoveryReport report;
  const Status status = readable_ ? replica_.catch_up(tail(), claimed_->end, report, saw)
                                  : replica_.recover(tail(), claimed_->end, report, saw);
  readable_ = status.ok();
  if (!status.ok()) return status;
  const FoldState& place = replica_.place();
  if (place.next_offset != claimed_->end) {
    readable_ = false;  // it is not shown yet
    return Fault{Fault::Kind::unavailable, "the log cannot be read to its claim"};
  }
  const bool won = place.epoch == claimed_->epoch && place.incarnation == context_.incarnation;
  if (!won) {  // somebody claimed a higher epoch before
    claim();
    return Done{};
  }
  own(landed);
  return Done{};
}

void Owner::own(Seq landed) {
  standing_ = Standing::owns;
  claimed_.reset();
  under_way_.clear();
  recorder_.begin();
  committed_end_ = replica_.place().next_offset;
  outbox_.begin(recorder_.epoch());
  // A read may have seen a state that was folded anew meanwhile, from what is decided only now.
  auto reads = gate_.take_all();
  gate_.begin_at(recorder_.cut_seq());
  for (auto& read : reads) gate_.leave(read.seq, std::move(read.effect));
  checkpoint_at_ = clock_.now();
  run_decided(landed);
}

void Owner::run_decided(Seq landed) {
  Undecided::Decided decided = undecided_.decide(landed, recorder_.last_seq());
  for (auto& effect : decided.leaves) gate_.put_out(std::move(effect));  // a claim is a barrier
  for (auto& answer : decided.answers) output_.replies.push_back(std::move(answer));
  std::vector<Request> waiting = orders_.decided(landed);
  for (auto& request : users_.decided(landed)) waiting.push_back(std::move(request));
  orders_.resume();
  users_.resume();
  stock_.resume();
  for (auto& request : decided.again) handle(ShardInput(std::move(request)));
  for (auto& request : waiting) handle(ShardInput(std::move(request)));
  for (auto& quote : decided.quotes) handle(ShardInput(std::move(quote)));
  for (auto& read : waiting_.take_reached(gate_.committed())) handle(std::move(read));
}

/// Those who wait for the claim do not wait for ever.
void Owner::give_up_the_late(UnixMs now) {
  if (owns() || !undecided_.late(now)) return;
  Undecided::Late late = undecided_.take_late();
  for (auto& request : orders_.take_waiting()) late.in_doubt.push_back(std::move(request));
  for (auto& request : users_.take_waiting()) late.in_doubt.push_back(std::move(request));
  for (auto& answer : late.answers) output_.replies.push_back(std::move(answer));
  for (const auto& request : late.in_doubt) responder_.unavailable(request);
  for (const auto& request : late.held) responder_.answer(request, ReplyCode::not_done, 0);
}

}  // namespace souk
