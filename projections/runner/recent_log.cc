#include "projections/runner/recent_log.h"

#include <algorithm>

namespace souk {

const Result<DecodedBatch, Fault>& RecentBatch::decoded() const {
  const std::lock_guard lock(mutex_);
  if (decoded_) return *decoded_;
  auto transactions = std::exchange(batch_.transactions, {});
  const auto header = decode_batch_header(batch_.bytes);
  if (header.ok() && !transactions.empty())
    decoded_ = std::make_unique<Result<DecodedBatch, Fault>>(
        DecodedBatch{*header, std::move(transactions)});
  else
    decoded_ = std::make_unique<Result<DecodedBatch, Fault>>(decode_batch(batch_.bytes));
  return *decoded_;
}

RecentLog::RecentLog(std::uint32_t shards, std::size_t bytes_max)
    : bytes_max_(bytes_max), last_seqs_(shards) {}

RecentLog::~RecentLog() { take_in(); }

void RecentLog::begin_at(const std::vector<Seq>& last_seqs) {
  SOUK_ASSERT(last_seqs.size() == last_seqs_.size());
  for (std::size_t i = 0; i < last_seqs.size(); ++i) last_seqs_[i].store(last_seqs[i]);
}

void RecentLog::committed(std::vector<Batch>&& batches) {
  std::size_t bytes = 0;
  for (const Batch& batch : batches) {
    last_seqs_[batch.shard.value].store(batch.last_seq, std::memory_order_seq_cst);
    bytes += batch.bytes.size();
  }
  // One who joins now sees the numbers just stored, and reads up to them from the journal.
  if (joined_.load(std::memory_order_seq_cst) == 0) return;
  const std::size_t held = bytes_.fetch_add(bytes) + bytes;
  if (held > bytes_max_ / 2)
    for (Batch& batch : batches) batch.transactions = {};
  auto* arrival = new Arrival{std::move(batches), arrivals_.load(std::memory_order_relaxed)};
  while (!arrivals_.compare_exchange_weak(arrival->next, arrival, std::memory_order_seq_cst)) {
  }
  if (held > bytes_max_) {
    std::vector<Kept> forgotten;  // freed behind the lock
    const std::lock_guard lock(mutex_);
    take_in();
    forgotten = trim();
  }
  if (waiting_.load(std::memory_order_seq_cst) > 0) {
    { const std::lock_guard lock(mutex_); }  // between its look and its sleep nobody is woken
    arrived_.notify_all();
  }
}

void RecentLog::take_in() {
  Arrival* newest = arrivals_.exchange(nullptr, std::memory_order_seq_cst);
  Arrival* oldest = nullptr;
  while (newest) {
    Arrival* next = newest->next;
    newest->next = oldest;
    oldest = newest;
    newest = next;
  }
  while (oldest) {
    const std::unique_ptr<Arrival> arrival(std::exchange(oldest, oldest->next));
    for (Batch& batch : arrival->batches)
      batches_.push_back(std::make_shared<const RecentBatch>(std::move(batch)));
  }
}

std::vector<RecentLog::Kept> RecentLog::trim() {
  std::vector<Kept> forgotten;
  std::uint64_t needed = first_ + batches_.size();
  for (const Reader* reader : readers_) needed = std::min(needed, reader->at_);
  // Where readers are too slow an eighth goes at once: the writer shall not come here each time.
  const std::size_t keep = bytes_.load() > bytes_max_ ? bytes_max_ - bytes_max_ / 8 : bytes_max_;
  while (!batches_.empty() && (first_ < needed || bytes_.load() > keep)) {
    bytes_ -= batches_.front()->batch().bytes.size();
    forgotten.push_back(std::move(batches_.front()));
    batches_.pop_front();
    ++first_;
  }
  for (Reader* reader : readers_) {
    if (reader->at_ >= first_) continue;
    reader->at_ = first_;
    reader->lost_ = true;
  }
  return forgotten;
}

void RecentLog::wake() {
  {
    const std::lock_guard lock(mutex_);
    ++wakes_;
  }
  arrived_.notify_all();
}

RecentLog::Reader::Reader(RecentLog& log) : log_(log) {
  const std::lock_guard lock(log_.mutex_);
  log_.joined_.fetch_add(1, std::memory_order_seq_cst);
  log_.take_in();
  at_ = log_.first_ + log_.batches_.size();
  log_.readers_.push_back(this);
}

RecentLog::Reader::~Reader() {
  std::vector<Kept> forgotten;
  const std::lock_guard lock(log_.mutex_);
  std::erase(log_.readers_, this);
  log_.joined_.fetch_sub(1, std::memory_order_seq_cst);
  log_.take_in();
  forgotten = log_.trim();
}

RecentLog::Reader::Run RecentLog::Reader::read(std::size_t batches_max) {
  std::vector<Kept> forgotten;
  const std::lock_guard lock(log_.mutex_);
  log_.take_in();
  Run run;
  run.lost = std::exchange(lost_, false);
  const auto from = static_cast<std::ptrdiff_t>(at_ - log_.first_);
  const auto there = static_cast<std::ptrdiff_t>(log_.batches_.size());
  const auto to = std::min(there, from + static_cast<std::ptrdiff_t>(batches_max));
  run.batches.assign(log_.batches_.begin() + from, log_.batches_.begin() + to);
  at_ += static_cast<std::uint64_t>(to - from);
  forgotten = log_.trim();
  return run;
}

void RecentLog::Reader::wait(std::chrono::milliseconds patience) {
  std::unique_lock lock(log_.mutex_);
  const std::uint64_t wakes = log_.wakes_;
  log_.waiting_.fetch_add(1, std::memory_order_seq_cst);
  log_.arrived_.wait_for(lock, patience, [&] {
    return lost_ || log_.arrivals_.load(std::memory_order_seq_cst) != nullptr ||
           at_ < log_.first_ + log_.batches_.size() || log_.wakes_ != wakes;
  });
  log_.waiting_.fetch_sub(1, std::memory_order_seq_cst);
}

}  // namespace souk
