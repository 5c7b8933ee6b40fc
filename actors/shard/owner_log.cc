#include <limits>

#include "actors/shard/owner.h"
#include "events/shared_log/log_copy.h"

// The owner and its log: recovery, claims, what landed, and what is in doubt.

namespace souk {
namespace {

/// Who owns a shard that it shall not own asks the log so often whether it does, by a no-op: another
/// may have claimed it, and who writes nothing does not see that. Who is told to own it asks once.
constexpr std::int64_t still_owns_ms = 1'000;

}  // namespace

LogTail Owner::tail() {
  return [this](Offset from, const Journal::Visit& visit) { return log_.tail(from, visit); };
}

void Owner::cut(std::vector<Batch>& out) {
  if (!giving_ && under_way_.size() >= log_.under_way_max()) return;
  const std::size_t from = out.size();
  recorder_.cut(out);
  const std::uint64_t barred = gate_.barred();
  const bool waits = barred > (under_way_.empty() ? 0 : under_way_.back().barred);
  if (giving_ && transfer_ == 0) {
    out.push_back(recorder_.transfer(giving_->to_incarnation, giving_->to_node));
    transfer_ = out.back().offset;
  } else if (waits && out.size() == from && acts()) {
    out.push_back(recorder_.noop());
  } else if (owns() && under_way_.empty() &&
             (asks_ || (!assigned_ && clock_.now() >= claim_again_at_))) {
    asks_ = false;
    claim_again_at_ = clock_.now().plus_ms(still_owns_ms);
    if (out.size() == from) out.push_back(recorder_.noop());
  }
  for (std::size_t i = from; i < out.size(); ++i)
    under_way_.push_back({.offset = out[i].offset,
                          .last_seq = out[i].last_seq,
                          .chain = out[i].chain,
                          .barred = barred,
                          .noop = out[i].first_seq == 0 || out[i].last_seq < out[i].first_seq,
                          .since = clock_.newest()});
}

std::size_t Owner::under_way_since(UnixMs then) const {
  return under_way_.empty() || under_way_.front().since < then ? 0 : under_way_.size();
}

/// Offsets without a gap leave no room for a record of another owner.
void Owner::landed(Offset first, Offset last) {
  if (!owns() || under_way_.empty() || last < under_way_.front().offset) return;
  if (first != under_way_.front().offset || last > under_way_.back().offset) return doubted();
  Seq seq = 0;
  std::uint64_t barred = 0;
  for (; !under_way_.empty() && under_way_.front().offset <= last; under_way_.pop_front()) {
    seq = std::max(seq, under_way_.front().last_seq);
    barred = under_way_.front().barred;
  }
  committed_end_ = last + 1;
  if (seq > gate_.committed()) committed(seq);
  gate_.pass_barrier(barred);
  if (giving_ && transfer_ != 0 && last >= transfer_) stand_down(transfer_);
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
  if (standing_ == Standing::follows && !in_doubt_) {
    undecided_.begin(clock_.now());
    landed_ = gate_.committed();
  }
  standing_ = Standing::claims;
  claimed_.reset();
  claim_again_at_ = {};
  output_.claims.push_back(id_);
}

void Owner::doubted() {
  // It was opened for a claim that could not be read yet, and is closed again.
  if (standing_ == Standing::claims && claimed_) return claim();
  if (!owns()) return;
  put_in_doubt();
  if (assigned_) claim();
  set_aside();
}

void Owner::put_in_doubt() {
  standing_ = Standing::follows;
  copies_age();
  in_doubt_ = true;
  landed_ = gate_.committed();
  undecided_.begin(clock_.now());
  recorder_.drop();
  // Whom it was being given to claims it, should it not have been.
  if (giving_) assigned_ = false;
  giving_.reset();
  claim_again_at_ = {};
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
  if (owns() && claimed.epoch != recorder_.epoch()) {
    // It was given the log while its claim was on the way: what it wrote since may not count.
    put_in_doubt();
    standing_ = Standing::claims;
    set_aside();
  }
  if (standing_ != Standing::claims) return Done{};
  claimed_ = claimed;
  return decide();
}

Status Owner::retry() {
  if (claimed_) return decide();
  if (readable_) return Done{};
  if (context_.options.clustered && standing_ == Standing::follows) {
    if (left_) return Done{};
    // All of it counts, and what came meanwhile is not told again. In one go: a state that is damaged
    // is folded anew by a recovery alone.
    const Status status = fold_on(std::numeric_limits<Offset>::max());
    followed();
    return status;
  }
  RecoveryReport report;
  const Status status = replica_.recover(tail(), committed_end_, report);
  readable_ = status.ok();
  return status;
}

/// Folds the log on. What of its own landed is known by the chain: another owner's record may have
/// the same numbers.
Status Owner::fold_on(Offset end) {
  const auto saw = [&](const BatchHeader& header) {
    while (!under_way_.empty() && under_way_.front().noop) under_way_.pop_front();
    if (under_way_.empty()) return;
    const UnderWay& mine = under_way_.front();
    if (header.last_seq() != mine.last_seq || header.chain != mine.chain) return;
    landed_ = mine.last_seq;
    under_way_.pop_front();
  };
  RecoveryReport report;
  const Status status = readable_ ? replica_.catch_up(tail(), end, report, saw)
                                  : replica_.recover(tail(), end, report, saw);
  readable_ = status.ok();
  return status;
}

Status Owner::decide() {
  if (auto s = fold_on(claimed_->end); !s.ok()) return s;
  const FoldState& place = replica_.place();
  if (place.next_offset != claimed_->end) {
    readable_ = false;  // it is not shown yet
    return Fault{Fault::Kind::unavailable, "the log cannot be read to its claim"};
  }
  if (place.epoch == claimed_->epoch && place.incarnation == context_.incarnation)
    own();
  else if (context_.options.clustered)
    lose();
  else
    claim();  // somebody claimed a higher epoch before
  return Done{};
}

void Owner::own() {
  standing_ = Standing::owns;
  in_doubt_ = asks_ = false;
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
  if (context_.options.clustered) {
    output_.owned.push_back({id_, recorder_.epoch()});
    if (context_.freshness) context_.freshness->entered(id_, recorder_.cut_seq());
  }
  run_decided(landed_);
  if (const auto to = std::exchange(gives_next_, std::nullopt)) hand_over_to(*to);
}

void Owner::run_decided(Seq landed) {
  Undecided::Decided decided = undecided_.decide(landed, recorder_.last_seq());
  for (auto& effect : decided.leaves) gate_.put_out(std::move(effect));  // a claim is a barrier
  for (auto& answer : decided.answers) output_.replies.push_back(std::move(answer));
  std::vector<Request> waiting = orders_.take_not_landed(landed);
  for (auto& request : users_.take_not_landed(landed)) waiting.push_back(std::move(request));
  orders_.resume();
  users_.resume();
  stock_.resume();
  orders_.serve_all();
  users_.serve_all();
  for (auto& request : decided.again) handle(ShardInput(std::move(request)));
  for (auto& request : waiting) handle(ShardInput(std::move(request)));
  for (auto& quote : decided.quotes) handle(ShardInput(std::move(quote)));
  for (auto& read : waiting_.take_reached(gate_.committed())) handle(std::move(read));
}

// ---- in a cluster ----

void Owner::assign(const Assignment& assignment) {
  using enum Assignment::What;
  away_ = assignment.what == away;
  gives_next_.reset();
  if (!away_ && std::exchange(left_, false)) output_.follows.emplace_back(id_, true);
  switch (assignment.what) {
    case away:
    case follow:
      assigned_ = false;
      claim_again_at_ = {};
      if (!owns()) copies_age();
      leave_if_settled();
      return;
    case expect:
      assigned_ = asks_ = true;
      if (standing_ == Standing::follows && !in_doubt_) undecided_.begin(clock_.now());
      return;
    case own:
      assigned_ = asks_ = true;
      if (standing_ == Standing::follows) claim();
      return;
    case hand_over:
      if (owns()) return hand_over_to(assignment);
      assigned_ = false;
      if (standing_ == Standing::claims) gives_next_ = assignment;
      return;
  }
}

/// Its log is read as long as something of its own is in doubt.
void Owner::leave_if_settled() {
  if (!away_ || left_ || in_doubt_ || standing_ != Standing::follows) return;
  left_ = true;
  output_.follows.emplace_back(id_, false);
  for (auto& input : waiting_.take_parked())
    if (auto* request = std::get_if<Request>(&input)) stray(std::move(*request));
  for (auto& read : waiting_.take_reached(std::numeric_limits<Seq>::max())) stray(std::move(read));
}

/// Another may write from now on: no document that somebody keeps is current.
void Owner::copies_age() {
  if (context_.options.clustered && context_.freshness) context_.freshness->left(id_);
}

/// From here on nothing is recorded but the transfer.
void Owner::hand_over_to(const Assignment& to) {
  if (giving_) return;
  giving_ = to;
  transfer_ = 0;
  copies_age();
  quotes_.clear();
  refolds_.clear();
  for (auto& input : waiting_.take_parked())
    if (auto* request = std::get_if<Request>(&input)) stray(std::move(*request));
}

/// All that it recorded is in the log, and then the transfer: it follows, as warm as it was.
void Owner::stand_down(Offset transfer) {
  standing_ = Standing::follows;
  assigned_ = false;
  FoldState place = shared_log_begin();
  place.epoch = recorder_.epoch() + 1;
  place.incarnation = giving_->to_incarnation;
  place.seq = recorder_.cut_seq();
  place.chain = recorder_.chain();
  place.next_offset = transfer + 1;
  replica_.stands_at(place, recorder_.last_offset());
  giving_.reset();
  under_way_.clear();
  stray_waiters();
  orders_.forget();
  users_.forget();
  timers_.clear();
  recorder_.begin();
  gate_.begin_at(recorder_.cut_seq());
  leave_if_settled();
}

/// What they asked for is done; what they wait for comes at the next owner, who knows it by its key.
void Owner::stray_waiters() {
  std::vector<Request> waiters = orders_.take_waiting();
  for (auto& request : users_.take_waiting()) waiters.push_back(std::move(request));
  for (auto& request : waiters) {
    if (request.key_hash != 0)
      stray_begun(std::move(request));
    else
      responder_.unavailable(request);
  }
}

void Owner::followed() {
  if (standing_ != Standing::follows || !readable_) return;
  if (!fold_on(std::numeric_limits<Offset>::max()).ok()) return;  // by retry(), later
  committed_end_ = replica_.place().next_offset;
  if (in_doubt_) {
    if (replica_.place().epoch > recorder_.epoch()) lose();
    return;
  }
  recorder_.begin();
  gate_.begin_at(recorder_.cut_seq());
  for (auto& read : waiting_.take_reached(gate_.committed())) handle(std::move(read));
}

Status Owner::given(const ShardLog::Claimed& given) {
  if (owns()) return Done{};
  if (standing_ == Standing::follows && !in_doubt_) landed_ = gate_.committed();
  standing_ = Standing::claims;
  claimed_ = given;
  return decide();
}

/// Another owns. What was in doubt is decided: what landed is answered, the rest is the next owner's.
void Owner::lose() {
  standing_ = Standing::follows;
  in_doubt_ = false;
  claimed_.reset();
  gives_next_.reset();
  under_way_.clear();
  recorder_.begin();
  committed_end_ = replica_.place().next_offset;
  auto reads = gate_.take_all();
  gate_.begin_at(recorder_.cut_seq());
  for (auto& read : reads) gate_.leave(read.seq, std::move(read.effect));
  // What rests on no record may be old by now: nobody knows what the next owner has written since.
  Undecided::Decided decided = undecided_.decide(landed_, std::numeric_limits<Seq>::max());
  for (auto& effect : decided.leaves)
    if (std::holds_alternative<AddressedReply>(effect)) gate_.put_out(std::move(effect));
  for (auto& answer : decided.answers) output_.replies.push_back(std::move(answer));
  std::vector<Request> waiting = orders_.take_not_landed(landed_);
  for (auto& request : users_.take_not_landed(landed_)) waiting.push_back(std::move(request));
  for (auto& request : decided.again) stray(std::move(request));
  for (auto& request : waiting) stray_begun(std::move(request));
  stray_waiters();
  orders_.forget();
  users_.forget();
  timers_.clear();
  claim_again_at_ = assigned_ ? clock_.now().plus_ms(claim_again_ms) : UnixMs{};
  leave_if_settled();
}

/// Those who wait for the claim do not wait for ever.
void Owner::give_up_the_late(UnixMs now) {
  if (owns() || !undecided_.late(now)) return;
  Undecided::Late late = undecided_.take_late();
  for (auto& request : orders_.take_waiting()) late.in_doubt.push_back(std::move(request));
  for (auto& request : users_.take_waiting()) late.in_doubt.push_back(std::move(request));
  for (auto& answer : late.answers) output_.replies.push_back(std::move(answer));
  for (const auto& request : late.in_doubt) responder_.unavailable(request);
  for (auto& request : late.held) {
    if (context_.options.clustered)
      stray(std::move(request));
    else
      responder_.answer(request, ReplyCode::not_done, 0);
  }
}

}  // namespace souk
