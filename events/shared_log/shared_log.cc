#include "events/shared_log/shared_log.h"

#include <algorithm>
#include <utility>

#include "events/log_records.h"

namespace souk {
namespace {

// A tag says what a report is about: which reign, and which record of it. A claim is the record 0 of
// its reign.
constexpr int tag_record_bits = 40;
constexpr std::uint64_t tag_of(std::uint64_t reign, std::uint64_t record) {
  return reign << tag_record_bits | record;
}

bool is_transfer(const Batch& record) {
  constexpr std::size_t type_at = 1;  // events/batch.h
  return record.bytes.size() > type_at &&
         record.bytes[type_at] == static_cast<char>(BatchType::transfer);
}

}  // namespace

Fault log_closed() { return {Fault::Kind::unavailable, "the log is being closed"}; }

// ---- claims ----

void SharedLog::claim(std::uint64_t incarnation, ClaimDone done) {
  std::optional<ClaimDone> refused;
  {
    const std::lock_guard lock(common_.mutex);
    if (common_.stopping)
      refused = std::move(done);
    else if (asked_)
      refused = std::exchange(asked_->done, std::move(done));
    else
      asked_ = Asked{incarnation, std::move(done)};
    ask();
  }
  if (refused) (*refused)(log_closed());
  common_.broker.wake();
}

/// REQUIRES: the common lock.
void SharedLog::ask() {
  if (std::ranges::find(common_.asking, this) == common_.asking.end())
    common_.asking.push_back(this);
}

void SharedLog::begin_claim(Asked&& asked) {
  drop_claim();
  claim_ = Claiming{.asked = std::move(asked)};
  send_claim();
}

void SharedLog::send_claim() {
  if (!follows_) stop_reading();
  highest_ = std::max(highest_, place_.epoch) + 1;
  claim_->epoch = highest_;
  claim_->offset = claim_->seen_at = 0;
  claim_->again_at.reset();
  {
    const std::lock_guard lock(mutex_);
    close();
    claim_->bytes = encode(Claim{highest_, claim_->asked.incarnation, common_.options.node}, {});
    common_.broker.produce(shard_, tag_of(reign_, 0), claim_->bytes);
  }
  follow_on();
}

void SharedLog::drop_claim() {
  if (auto dropped = std::exchange(claim_, std::nullopt)) dropped->asked.done(log_closed());
}

void SharedLog::decide_claim() {
  const Claiming decided = std::move(*claim_);
  claim_.reset();
  if (!owns_anew(decided.asked.incarnation)) {
    if (!follows_) stop_reading();
    // Who asked looks at the log, and sees another owner there.
    decided.asked.done(Claimed{decided.epoch, place_.next_offset});
    return;
  }
  open();
  decided.asked.done(Claimed{place_.epoch, place_.next_offset});
}

std::optional<ShardLog::Claimed> SharedLog::take_over() {
  if (!given_ || claim_ || is_open() || !owns_anew(common_.options.incarnation))
    return std::nullopt;
  open();
  return Claimed{place_.epoch, place_.next_offset};
}

void SharedLog::open() {
  stop_reading();
  const std::lock_guard lock(mutex_);
  owned_epoch_ = place_.epoch;
  ++reign_;
  open_ = true;
  misplaced_ = false;
  heard_ = sent_parts_ = 0;
  expected_ = place_.next_offset;
  sent_.clear();
}

/// REQUIRES: the lock.
bool SharedLog::close() {
  ++reign_;
  sent_.clear();
  return std::exchange(open_, false);
}

// ---- appends ----

LogTicket SharedLog::append(Batch record) {
  const std::lock_guard lock(mutex_);
  const LogTicket ticket = ++tickets_;
  // Whoever appends has not heard yet in which epoch it owns: such a record would land and not count.
  misplaced_ = misplaced_ || record.epoch != owned_epoch_;
  if (!open_ || misplaced_) return ticket;
  const std::size_t part_bytes = this->part_bytes();
  std::vector<std::string> parts;
  if (part_bytes > 0 && record_payload(record.bytes).size() > part_bytes)
    parts = encode_chunks(record.bytes, part_bytes);
  sent_.push_back({ticket, std::move(record), std::move(parts), 0, common_.options.now()});
  const Sent& sent = sent_.back();
  if (sent.parts.empty()) produce(sent.record.bytes);
  for (const auto& part : sent.parts) produce(part);
  return ticket;
}

/// REQUIRES: the lock.
void SharedLog::produce(std::string_view bytes) {
  common_.broker.produce(shard_, tag_of(reign_, ++sent_parts_), bytes);
}

SharedLog::Heard SharedLog::hear(const LogBroker::Report& report, Landed& landed) {
  const std::lock_guard lock(mutex_);
  if (report.tag >> tag_record_bits != reign_) return Heard::nothing;
  const std::uint64_t record = report.tag & ((std::uint64_t{1} << tag_record_bits) - 1);
  if (record == 0) {
    if (!claim_ || claim_->offset != 0) return Heard::nothing;
    claim_->offset = report.offset;
    return report.offset == 0 ? Heard::claim_failed : Heard::claim;
  }
  if (!open_ || sent_.empty()) return Heard::nothing;
  if (record != heard_ + 1 || report.offset != expected_) return Heard::out_of_place;
  ++heard_;
  ++expected_;
  Sent& sent = sent_.front();
  if (++sent.parts_heard < sent.parts.size()) return Heard::nothing;
  acks_.push_back({sent.ticket, report.offset});
  landed = {std::move(sent.record), std::move(sent.parts), sent.since};
  sent_.pop_front();
  return Heard::acknowledged;
}

Status SharedLog::pass(const Batch& record) {
  if (!is_transfer(record)) {
    place_.next_offset = record.offset + 1;
    place_.seq = record.last_seq;
    place_.chain = record.chain;
    return Done{};
  }
  // The log is another's from here on.
  if (auto folded = fold_next(record.offset, record.bytes); !folded.ok()) return folded.error();
  {
    const std::lock_guard lock(mutex_);
    close();
  }
  follow_on();
  return Done{};
}

bool SharedLog::doubt() {
  bool was_open = false;
  {
    const std::lock_guard lock(mutex_);
    was_open = close();
  }
  if (was_open || !follows_) known_ = false;
  if (was_open) follow_on();
  return was_open;
}

bool SharedLog::is_open() {
  const std::lock_guard lock(mutex_);
  return open_;
}

bool SharedLog::overdue(Time before) {
  const std::lock_guard lock(mutex_);
  return open_ && (misplaced_ || (!sent_.empty() && sent_.front().since < before));
}

// ---- reading ----

Result<Folded, Fault> SharedLog::fold_next(Offset offset, std::string_view bytes) {
  auto folded = fold(place_, offset, bytes);
  if (!folded.ok()) return folded;
  const BatchHeader& header = folded->header;
  const bool names_owner = header.type == BatchType::claim || header.type == BatchType::transfer;
  if (names_owner && folded->what == Folded::What::nothing)
    given_ = header.type == BatchType::transfer;
  // Whether it counts or not, it is there.
  if (claim_ && header.type == BatchType::claim && header.epoch == claim_->epoch &&
      header.incarnation == claim_->asked.incarnation)
    claim_->seen_at = offset;
  return folded;
}

void SharedLog::follow(bool whether) {
  {
    const std::lock_guard lock(common_.mutex);
    asked_to_follow_ = whether;
    ask();
  }
  common_.broker.wake();
}

void SharedLog::begin_to_follow() {
  follows_ = true;
  if (!is_open()) follow_on();
}

void SharedLog::end_to_follow() {
  follows_ = false;
  if (!claim_ && !is_open()) stop_reading();
}

void SharedLog::look_again() {
  if (!follows_ || !reads_ || looks_) return;
  stop_reading();
  known_ = false;
  follow_on();
}

void SharedLog::follow_on() {
  if (!follows_ || reads_) return;
  await(all_that_comes);
  if (!looks_) read_on();
}

void SharedLog::await(Offset to) {
  if (follows_) to = all_that_comes;
  to_ = to;
  if (reads_) return;
  looks_ = !known_;
  if (looks_) common_.broker.read(shard_, 1);
  reads_ = looks_;
}

void SharedLog::read_on() {
  reads_ = reads_place_ = true;
  common_.broker.read(shard_, place_.next_offset);
}

void SharedLog::stop_reading() {
  to_ = 0;
  looks_ = reads_place_ = false;
  if (std::exchange(reads_, false)) common_.broker.stop_reading(shard_);
}

}  // namespace souk
