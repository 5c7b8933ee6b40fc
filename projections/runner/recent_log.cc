#include "projections/runner/recent_log.h"

#include <algorithm>

namespace souk {

const Result<DecodedBatch, Fault>& RecentBatch::decoded() const {
  std::call_once(once_, [this] {
    decoded_ = std::make_unique<Result<DecodedBatch, Fault>>(decode_batch(batch_.bytes));
  });
  return *decoded_;
}

RecentLog::RecentLog(std::uint32_t shards, std::size_t bytes_max)
    : bytes_max_(bytes_max), last_seqs_(shards) {}

void RecentLog::begin_at(const std::vector<Seq>& last_seqs) {
  SOUK_ASSERT(last_seqs.size() == last_seqs_.size());
  for (std::size_t i = 0; i < last_seqs.size(); ++i) last_seqs_[i].store(last_seqs[i]);
}

void RecentLog::committed(std::vector<Batch>&& batches) {
  for (const Batch& batch : batches)
    last_seqs_[batch.shard.value].store(batch.last_seq, std::memory_order_release);
  bool wanted = false;
  {
    const std::lock_guard lock(mutex_);
    if (readers_.empty()) {
      first_ += batches.size();
      return;
    }
    for (Batch& batch : batches) {
      bytes_ += batch.bytes.size();
      batches_.push_back(std::make_shared<const RecentBatch>(std::move(batch)));
    }
    if (bytes_ > bytes_max_) trim();
    wanted = waiting_ > 0;
  }
  if (wanted) arrived_.notify_all();
}

void RecentLog::trim() {
  std::uint64_t needed = first_ + batches_.size();
  for (const Reader* reader : readers_) needed = std::min(needed, reader->at_);
  while (!batches_.empty() && (first_ < needed || bytes_ > bytes_max_)) {
    bytes_ -= batches_.front()->batch().bytes.size();
    batches_.pop_front();
    ++first_;
  }
  for (Reader* reader : readers_) {
    if (reader->at_ >= first_) continue;
    reader->at_ = first_;
    reader->lost_ = true;
  }
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
  at_ = log_.first_ + log_.batches_.size();
  log_.readers_.push_back(this);
}

RecentLog::Reader::~Reader() {
  const std::lock_guard lock(log_.mutex_);
  std::erase(log_.readers_, this);
  log_.trim();
}

RecentLog::Reader::Run RecentLog::Reader::read(std::size_t batches_max) {
  const std::lock_guard lock(log_.mutex_);
  Run run;
  run.lost = std::exchange(lost_, false);
  const auto from = static_cast<std::ptrdiff_t>(at_ - log_.first_);
  const auto there = static_cast<std::ptrdiff_t>(log_.batches_.size());
  const auto to = std::min(there, from + static_cast<std::ptrdiff_t>(batches_max));
  run.batches.assign(log_.batches_.begin() + from, log_.batches_.begin() + to);
  at_ += static_cast<std::uint64_t>(to - from);
  log_.trim();
  return run;
}

void RecentLog::Reader::wait(std::chrono::milliseconds patience) {
  std::unique_lock lock(log_.mutex_);
  const std::uint64_t wakes = log_.wakes_;
  ++log_.waiting_;
  log_.arrived_.wait_for(lock, patience, [&] {
    return lost_ || at_ < log_.first_ + log_.batches_.size() || log_.wakes_ != wakes;
  });
  --log_.waiting_;
}

}  // namespace souk
