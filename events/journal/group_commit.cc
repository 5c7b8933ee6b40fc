#include "events/journal/group_commit.h"

#include <pthread.h>

#include <algorithm>
#include <utility>

#include "events/log_records.h"
#include "events/thread_slice.h"

namespace souk {

class GroupCommit::Log final : public ShardLog {
 public:
  Log(GroupCommit& group, ShardId shard) : group_(group), shard_(shard) {}

  Ticket append(std::string record) override {
    const std::lock_guard lock(group_.mutex_);
    const Ticket ticket = ++tickets_;
    // In doubt nothing lands before the claim, which is asked for after it.
    if (!doubted_) waiting_.push_back({ticket, std::move(record)});
    group_.work_ = true;
    group_.appended_.notify_one();
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
  void barrier(std::function<void(Status)> done) override { done(Done{}); }

  /// Where the log ends, by the store. Errors: unavailable, corrupt.
  Status find_end() {
    Status status = Done{};
    end_ = 1;
    epoch_ = 0;
    const auto found = group_.store_.last(shard_, [&](Offset offset, std::string_view bytes) {
      status = see(offset, bytes);
      return false;
    });
    return found.ok() ? status : Status(found.error());
  }

  /// What waits, with its offsets. REQUIRES: the lock.
  void take(std::vector<LogEntry>& entries) {
    for (auto& record : waiting_) {
      under_way_.push_back({record.ticket, end_});
      entries.push_back({shard_, end_++, std::move(record.bytes)});
    }
    waiting_.clear();
    for (auto& claim : claims_) {
      const Claimed claimed{.epoch = ++epoch_, .end = end_ + 1};
      entries.push_back({shard_, end_++, encode(Claim{claimed.epoch, claim.incarnation, 0}, {})});
      granted_.push_back({claimed, claim.incarnation, std::move(claim.done)});
      doubted_ = false;
    }
    claims_.clear();
  }
  bool waits() const { return !waiting_.empty() || !claims_.empty(); }

  void landed() {
    if (listener && !under_way_.empty()) listener->landed(shard_, under_way_);
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
    const bool told = !under_way_.empty();
    under_way_.clear();
    if (listener && told) listener->doubted(shard_, why);
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

  LogListener* listener = nullptr;

 private:
  struct Record {
    Ticket ticket;
    std::string bytes;
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
  std::uint64_t epoch_ = 0;  // the highest of the log
  std::vector<LogAck> under_way_;
  std::vector<Granted> granted_;
  // Under the group's lock.
  Ticket tickets_ = 0;
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

void GroupCommit::listen(ShardId shard, LogListener& listener) {
  logs_[shard.value]->listener = &listener;
}

ShardLog& GroupCommit::log(ShardId shard) { return *logs_[shard.value]; }

bool GroupCommit::step() {
  if (!sound_ && !settle()) return true;
  std::vector<Log*> logs;
  std::vector<LogEntry> entries;
  {
    const std::lock_guard lock(mutex_);
    work_ = false;
    for (auto& log : logs_) {
      if (!log->waits()) continue;
      log->take(entries);
      logs.push_back(log.get());
    }
  }
  if (entries.empty()) return false;
  write(logs, entries);
  return true;
}

void GroupCommit::write(std::vector<Log*>& logs, std::vector<LogEntry>& entries) {
  const Status status = store_.put(entries);
  sound_ = status.ok();
  for (Log* log : logs) {
    if (sound_)
      log->landed();
    else
      log->failed(status.error());
  }
}

/// Every log is asked anew: which of the failed write's records are there only the store knows.
bool GroupCommit::settle() {
  if (!store_.settle().ok()) return false;
  for (auto& log : logs_)
    if (!log->find_end().ok()) return false;
  sound_ = true;
  return true;
}

void GroupCommit::start(std::chrono::milliseconds retry) {
  thread_ = std::thread([this, retry] {
    ::pthread_setname_np(::pthread_self(), "journal");
    short_time_slice();
    run(retry);
  });
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
}

}  // namespace souk
