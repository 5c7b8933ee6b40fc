#include "events/journal/group_commit.h"

#include <pthread.h>

#include <algorithm>
#include <utility>

#include "events/journal/folded_log.h"
#include "events/log_records.h"
#include "events/thread_slice.h"

namespace souk {

class GroupCommit::Log final : public ShardLog {
 public:
  Log(GroupCommit& group, ShardId shard) : group_(group), shard_(shard) {}

  LogTicket append(Batch record) override {
    const std::lock_guard lock(group_.mutex_);
    const LogTicket ticket = ++tickets_;
    // In doubt nothing lands before the claim, which is asked for after it.
    if (!doubted_) waiting_.push_back({ticket, std::move(record)});
    return ticket;
  }
  void claim(std::uint64_t incarnation, ClaimDone done) override {
    {
      const std::lock_guard lock(group_.mutex_);
      if (!group_.stopping_) {
        claims_.push_back({incarnation, std::move(done)});
        group_.work_ = true;
        group_.appended_.notify_one();
        return;
      }
    }
    done(Fault{Fault::Kind::unavailable, "the log is being closed"});
  }
  Status tail(Offset from, const Visit& visit) override {
    return group_.store_.read(shard_, from, visit);
  }
  bool alone() const override { return true; }

  /// Where the log ends, by the store. Errors: unavailable, corrupt.
  Status find_end() {
    Status status = Done{};
    end_ = 1;
    epoch_ = 0;
    const auto found = group_.store_.last(shard_, [&](Offset offset, std::string_view bytes) {
      status = see(offset, bytes);
      if (!status.ok()) status = at_record(status.error(), shard_, offset);
      return false;
    });
    return found.ok() ? status : Status(found.error());
  }

  /// What waits, with its offsets. REQUIRES: the lock.
  void take(std::vector<Batch>& records) {
    for (auto& [ticket, record] : waiting_) {
      under_way_.push_back({ticket, end_});
      record.shard = shard_;
      record.offset = end_++;
      records.push_back(std::move(record));
    }
    waiting_.clear();
    for (auto& claim : claims_) {
      const Claimed claimed{.epoch = ++epoch_, .end = end_ + 1};
      records.push_back({.shard = shard_,
                         .offset = end_++,
                         .epoch = epoch_,
                         .bytes = encode(Claim{epoch_, claim.incarnation, 0}, {})});
      granted_.push_back({claimed, claim.incarnation, std::move(claim.done)});
      doubted_ = false;
    }
    claims_.clear();
  }
  bool waits() const { return !waiting_.empty() || !claims_.empty(); }

  void landed() {
    if (group_.listener_ && !under_way_.empty()) group_.listener_->landed(shard_, under_way_);
    under_way_.clear();
    for (auto& grant : std::exchange(granted_, {})) grant.done(grant.claimed);
  }
  void failed(const Fault& why) {
    {
      const std::lock_guard lock(group_.mutex_);
      doubted_ = true;
      waiting_.clear();
      // A claim that failed is written again once the store is sound, in a higher epoch.
      for (auto& grant : granted_) claims_.push_back({grant.incarnation, std::move(grant.done)});
    }
    granted_.clear();
    if (under_way_.empty()) return;
    if (in_doubt_from_ == 0) in_doubt_from_ = under_way_.front().offset;
    under_way_.clear();
    if (group_.listener_) group_.listener_->doubted(shard_, why);
  }
  /// The disk goes on failing: what waits is not written, and its owner hears so now and not when it
  /// is overdue.
  void give_up_waiting() {
    {
      const std::lock_guard lock(group_.mutex_);
      if (waiting_.empty()) return;
      doubted_ = true;
      waiting_.clear();
    }
    if (group_.listener_)
      group_.listener_->doubted(shard_, {Fault::Kind::unavailable, "the disk fails still"});
  }
  /// What of the failed writes is there after all. REQUIRES: the store is settled.
  Status find_what_was_in_doubt(std::vector<Batch>& found) {
    if (in_doubt_from_ == 0) return Done{};
    Status status = Done{};
    const auto read =
        group_.store_.read(shard_, in_doubt_from_, [&](Offset offset, std::string_view bytes) {
          const auto header = decode_batch_header(bytes);
          if (!header.ok()) status = header.error();
          if (!header.ok() || header->count == 0) return header.ok();
          found.push_back({.shard = shard_,
                           .offset = offset,
                           .first_seq = header->first_seq,
                           .last_seq = header->last_seq(),
                           .epoch = header->epoch,
                           .chain = header->chain,
                           .bytes = std::string(bytes)});
          return true;
        });
    if (!read.ok()) status = read;
    if (status.ok()) in_doubt_from_ = 0;
    return status;
  }
  void close() {
    std::vector<Asked> asked;
    {
      const std::lock_guard lock(group_.mutex_);
      asked = std::exchange(claims_, {});
    }
    for (auto& claim : asked)
      claim.done(Fault{Fault::Kind::unavailable, "the log is being closed"});
  }

 private:
  struct Record {
    LogTicket ticket;
    Batch batch;
  };
  struct Asked {
    std::uint64_t incarnation;
    ClaimDone done;
  };
  struct Granted {
    Claimed claimed;
    std::uint64_t incarnation;
    ClaimDone done;
  };

  Status see(Offset offset, std::string_view bytes) {
    const auto header = decode_batch_header(bytes);
    if (!header.ok()) return header.error();
    end_ = offset + 1;
    epoch_ = header->epoch;
    if (header->type != BatchType::transfer) return Done{};
    const auto transfer = decode_transfer(*header, record_payload(bytes));
    if (!transfer.ok()) return transfer.error();
    epoch_ = std::max(epoch_, transfer->to_epoch);
    return Done{};
  }

  GroupCommit& group_;
  const ShardId shard_;
  // The stepping thread's.
  Offset end_ = 1;
  std::uint64_t epoch_ = 0;   // the highest of the log
  Offset in_doubt_from_ = 0;  // of writes that failed since the last settle; 0: none
  std::vector<LogAck> under_way_;
  std::vector<Granted> granted_;
  // Under the group's lock.
  LogTicket tickets_ = 0;
  bool doubted_ = false;
  std::vector<Record> waiting_;
  std::vector<Asked> claims_;
};

Result<std::unique_ptr<GroupCommit>, Fault> GroupCommit::open(LogStore& store,
                                                              std::uint32_t shards) {
  std::unique_ptr<GroupCommit> group(new GroupCommit(store));
  for (std::uint32_t s = 0; s < shards; ++s) {
    group->logs_.push_back(std::make_unique<Log>(*group, ShardId{static_cast<std::uint16_t>(s)}));
    if (auto status = group->logs_.back()->find_end(); !status.ok()) return status.error();
  }
  return group;
}

GroupCommit::GroupCommit(LogStore& store) : store_(store) {}

GroupCommit::~GroupCommit() { stop(); }

ShardLog& GroupCommit::log(ShardId shard) { return *logs_[shard.value]; }

namespace {

/// Tells a listener, where there is one, that something begins, and ends.
class Telling {
 public:
  explicit Telling(LogListener* listener) : listener_(listener) {
    if (listener_) listener_->begins();
  }
  ~Telling() {
    if (listener_) listener_->ends();
  }

 private:
  LogListener* listener_;
};

}  // namespace

bool GroupCommit::step() {
  if (!sound_) {
    const Telling telling(listener_);
    if (!settle()) {
      for (auto& log : logs_) log->give_up_waiting();
      return true;
    }
  }
  std::vector<Log*> logs;
  std::vector<Batch> records;
  {
    const std::lock_guard lock(mutex_);
    work_ = false;
    for (auto& log : logs_) {
      if (!log->waits()) continue;
      log->take(records);
      logs.push_back(log.get());
    }
  }
  if (records.empty()) return false;
  const Telling telling(listener_);
  write(logs, records);
  return true;
}

void GroupCommit::write(std::vector<Log*>& logs, std::vector<Batch>& records) {
  const auto began = std::chrono::steady_clock::now();
  const Status status = store_.put(records);
  const auto took = std::chrono::steady_clock::now() - began;
  sound_ = status.ok();
  for (Log* log : logs) {
    if (sound_)
      log->landed();
    else
      log->failed(status.error());
  }
  if (!sound_ || !listener_) return;
  std::erase_if(records, [](const Batch& record) { return record.first_seq == 0; });
  if (!records.empty()) listener_->written(std::move(records), took);
}

/// Every log is asked anew: which of the failed write's records are there only the store knows.
bool GroupCommit::settle() {
  if (!store_.settle().ok() || !feed_what_was_in_doubt()) return false;
  for (auto& log : logs_)
    if (!log->find_end().ok()) return false;
  sound_ = true;
  return true;
}

bool GroupCommit::feed_what_was_in_doubt() {
  std::vector<Batch> found;
  bool all = true;
  for (auto& log : logs_) all = log->find_what_was_in_doubt(found).ok() && all;
  if (listener_ && !found.empty()) listener_->found(std::move(found));
  return all;
}

void GroupCommit::start(LogListener& listener, std::chrono::milliseconds retry) {
  listen(listener);
  thread_ = std::thread([this, retry] {
    ::pthread_setname_np(::pthread_self(), "journal");
    short_time_slice();
    run(retry);
  });
}

void GroupCommit::flush() {
  {
    const std::lock_guard lock(mutex_);
    work_ = true;
  }
  appended_.notify_one();
}

void GroupCommit::run(std::chrono::milliseconds retry) {
  while (true) {
    {
      std::unique_lock lock(mutex_);
      if (sound_)
        appended_.wait(lock, [&] { return work_ || stopping_; });
      else
        appended_.wait_for(lock, retry, [&] { return stopping_; });
      if (stopping_) return;
    }
    step();
  }
}

void GroupCommit::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  appended_.notify_all();
  if (thread_.joinable()) thread_.join();
  for (auto& log : logs_) log->close();
  listener_ = nullptr;
}

}  // namespace souk
