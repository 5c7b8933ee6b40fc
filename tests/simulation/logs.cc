#include "tests/simulation/logs.h"

#include <utility>

#include "events/log_records.h"

namespace souk::simulation {
namespace {

constexpr std::int64_t slow_ms_max = 3'000;
constexpr std::int64_t stalled_ms_max = 9'000;  // longer than an owner waits
constexpr std::int64_t claim_retry_ms = 200;

bool is_noop(const Batch& record) { return record.last_seq < record.first_seq; }
Fault unavailable(const char* what) { return {Fault::Kind::unavailable, what}; }

}  // namespace

bool Counting::counts(std::string_view record) {
  const auto decoded = decode_batch_header(record);
  if (!decoded.ok()) return false;
  const BatchHeader& header = *decoded;
  if (header.type == BatchType::claim && header.epoch > epoch) {
    epoch = header.epoch;
    incarnation = header.incarnation;
  }
  if (header.type == BatchType::transfer && header.epoch == epoch &&
      header.incarnation == incarnation) {
    const auto transfer = decode_transfer(header, record_payload(record));
    if (!transfer.ok() || transfer->to_epoch <= epoch) return false;
    epoch = transfer->to_epoch;
    incarnation = transfer->to_incarnation;
  }
  if (header.type != BatchType::events || header.epoch != epoch ||
      header.incarnation != incarnation || header.first_seq != seq + 1)
    return false;
  seq = header.last_seq();
  return true;
}

/// At any time one of three is under way: nothing, a write of all that was appended, a claim.
class SimJournal::Log final : public ShardLog {
 public:
  Log(SimJournal& journal, ShardId shard)
      : journal_(journal), world_(journal.world_), shard_(shard) {}

  LogTicket append(Batch record) override {
    const LogTicket ticket = ++tickets_;
    if (!journal_.powered_) return ticket;
    if (!doubted_)
      waiting_.emplace_back(ticket, std::move(record));
    else if (world_.chance(30))
      late_.push_back(std::move(record));
    return ticket;
  }
  void claim(std::uint64_t incarnation, ClaimDone done) override {
    if (!journal_.powered_) return;
    claims_.push_back({incarnation, std::move(done)});
  }
  Status tail(Offset from, const Visit& visit) override {
    return journal_.read(shard_, from, visit);
  }
  bool alone() const override { return journal_.alone_; }

  /// Begins what is to be done next.
  void go_on() {
    if (busy_ || !journal_.powered_) return;
    if (!waiting_.empty()) {
      busy_ = true;
      writing_ = std::exchange(waiting_, {});
      if (journal_.honesty_ == Honesty::acknowledges_early) return acknowledge_early();
      after(write_ms(), [this] { written(); });
    } else if (!claims_.empty()) {
      busy_ = true;
      after(world_.between(0, 4), [this] { try_claim(); });
    }
  }
  void crash() {
    while (!writing_.empty() && world_.chance(50)) land_first();
    if (doubted_) land_late();
    writing_.clear();
    waiting_.clear();
    late_.clear();
    found_.clear();
    claims_.clear();
    doubted_ = busy_ = false;
  }
  /// The log ends where its records do.
  void find_end() {
    const auto behind = journal_.records_.lower_bound({shard_.value + 1, 0});
    end_ = behind == journal_.records_.begin() || std::prev(behind)->first.first != shard_.value
               ? 1
               : std::prev(behind)->first.second + 1;
  }
  bool idle() const { return !busy_ && !doubted_ && waiting_.empty() && claims_.empty(); }

 private:
  struct Asked {
    std::uint64_t incarnation = 0;
    ClaimDone done;
  };

  std::int64_t write_ms() {
    if (!world_.chance(world_.faults.write_slow)) return world_.between(0, 4);
    return world_.chance(5) ? world_.between(slow_ms_max, stalled_ms_max)
                            : world_.between(20, slow_ms_max);
  }
  template <class What>
  void after(std::int64_t delay_ms, What what) {
    world_.after(delay_ms, [this, what, life = journal_.lives_]() mutable {
      if (life == journal_.lives_ && journal_.powered_) what();
    });
  }
  Offset put(std::string bytes) {
    journal_.records_[{shard_.value, end_}] = std::move(bytes);
    return end_++;
  }
  void put(Batch& record) {
    record.shard = shard_;
    record.offset = put(record.bytes);
  }
  void land_first() {
    put(writing_.front().second);
    writing_.pop_front();
  }
  /// Of what was in doubt. REQUIRES: nothing is written meanwhile.
  void land_late() {
    for (auto& record : late_) {
      if (!world_.chance(70)) continue;
      put(record);
      found_.push_back(std::move(record));
    }
    late_.clear();
  }
  template <class Say>
  void tell(const Say& say) {
    if (!journal_.listener_) return;
    journal_.listener_->begins();
    say(*journal_.listener_);
    journal_.listener_->ends();
  }
  std::vector<LogAck> land_all(std::vector<Batch>& records) {
    std::vector<LogAck> acks;
    for (auto& [ticket, record] : std::exchange(writing_, {})) {
      put(record);
      acks.push_back({ticket, record.offset});
      records.push_back(std::move(record));
    }
    return acks;
  }

  void written() {
    busy_ = false;
    if (world_.chance(world_.faults.write_fails)) return in_doubt();
    std::vector<Batch> records;
    const auto acks = land_all(records);
    std::erase_if(records, is_noop);
    tell([&](LogListener& listener) {
      listener.landed(shard_, acks);
      listener.written(std::move(records), {});
    });
    go_on();
  }
  void in_doubt() {
    doubted_ = true;
    for (auto lands = world_.below(writing_.size() + 1); lands > 0; --lands) {
      found_.push_back(writing_.front().second);
      land_first();
      found_.back().offset = end_ - 1;
      found_.back().shard = shard_;
    }
    for (auto* left : {&writing_, &waiting_})
      for (auto& [ticket, record] : *left)
        if (world_.chance(50)) late_.push_back(std::move(record));
    writing_.clear();
    waiting_.clear();
    settles_at_ms_ = world_.time_ms() + (world_.chance(50) ? 0 : world_.between(100, 4'000));
    if (world_.chance(30)) journal_.unreadable_until_ms_ = world_.time_ms() + 500;
    tell([&](LogListener& listener) { listener.doubted(shard_, unavailable("the disk failed")); });
    go_on();
  }
  void acknowledge_early() {
    busy_ = false;
    std::vector<Batch> records;
    const auto acks = land_all(records);
    const std::uint64_t number = ++journal_.writes_;
    for (const auto& ack : acks) journal_.unsynced_[number].push_back({shard_.value, ack.offset});
    std::erase_if(records, is_noop);
    world_.after(world_.between(1, 20), [this, number] { journal_.unsynced_.erase(number); });
    tell([&](LogListener& listener) {
      listener.landed(shard_, acks);
      listener.written(std::move(records), {});
    });
    go_on();
  }

  void try_claim() {
    busy_ = false;
    if (!waiting_.empty()) return go_on();  // they stand before it
    if (world_.time_ms() < settles_at_ms_ || world_.chance(world_.faults.settle_fails)) {
      busy_ = true;
      return after(claim_retry_ms, [this] { try_claim(); });
    }
    if (journal_.honesty_ == Honesty::decides_by_reading && doubted_) return grant_by_reading();
    land_late();
    const Claim claim{.epoch = epoch() + 1, .incarnation = claims_.front().incarnation, .node = 0};
    if (world_.chance(world_.faults.write_fails)) {  // the claim itself is in doubt
      if (world_.chance(50)) put(encode(claim, {}));
      return go_on();
    }
    put(encode(claim, {}));
    grant({claim.epoch, end_});
  }
  void grant(const Claimed& claimed) {
    doubted_ = false;
    const Asked asked = std::move(claims_.front());
    claims_.pop_front();
    if (!journal_.listener_) asked.done(claimed);
    tell([&](LogListener& listener) {
      std::erase_if(found_, is_noop);
      if (!found_.empty()) listener.found(std::exchange(found_, {}));
      asked.done(claimed);
    });
    go_on();
  }
  void grant_by_reading() {
    for (auto& record : std::exchange(late_, {}))
      after(world_.between(1, 300), [this, record]() mutable { put(record); });
    grant({epoch(), end_});
  }
  std::uint64_t epoch() const {
    std::uint64_t highest = 0;
    const auto& records = journal_.records_;
    for (auto at = records.lower_bound({shard_.value, 0});
         at != records.end() && at->first.first == shard_.value; ++at)
      highest = std::max(highest, decode_batch_header(at->second)->epoch);
    return highest;
  }

  SimJournal& journal_;
  World& world_;
  const ShardId shard_;
  Offset end_ = 1;
  LogTicket tickets_ = 0;
  std::deque<std::pair<LogTicket, Batch>> waiting_, writing_;
  std::vector<Batch> late_, found_;  // in doubt: may land yet; is there
  std::deque<Asked> claims_;
  bool doubted_ = false;
  bool busy_ = false;
  std::int64_t settles_at_ms_ = 0;
};

SimJournal::SimJournal(World& world, Honesty honesty)
    : world_(world), honesty_(honesty), alone_(world.chance(60)) {}
SimJournal::~SimJournal() = default;

ShardLog& SimJournal::log(ShardId shard) {
  auto& log = logs_[shard.value];
  if (!log) log = std::make_unique<Log>(*this, shard);
  return *log;
}

void SimJournal::flush() {
  for (auto& [shard, log] : logs_) log->go_on();
}

bool SimJournal::idle() const {
  return std::ranges::all_of(logs_, [](const auto& log) { return log.second->idle(); });
}

Status SimJournal::read(ShardId shard, Offset from, const Visit& visit) {
  if (powered_ && world_.time_ms() < unreadable_until_ms_)
    return unavailable("closed until it is settled");
  const bool fails = world_.chance(world_.faults.scan_fails);
  std::size_t left = fails ? world_.below(4) : SIZE_MAX;
  for (auto at = records_.lower_bound({shard.value, from});
       at != records_.end() && at->first.first == shard.value; ++at) {
    if (left-- == 0) break;
    if (!visit(at->first.second, at->second)) return Done{};
  }
  if (fails) return unavailable("the disk cannot be read");
  return Done{};
}

Status SimJournal::scan(ShardId shard, Seq from, const Visit& visit) {
  Offset begin = 0;
  Counting counting;
  for (auto at = records_.lower_bound({shard.value, 0});
       at != records_.end() && at->first.first == shard.value; ++at) {
    if (!counting.counts(at->second)) continue;
    if (counting.seq >= from) break;
    begin = at->first.second + 1;
  }
  return read(shard, begin, visit);
}

void SimJournal::forget_unsynced() {
  for (const auto& [number, keys] : unsynced_)
    for (const auto& key : keys) records_.erase(key);
  unsynced_.clear();
}

void SimJournal::crash() {
  for (auto& [shard, log] : logs_) log->crash();
  forget_unsynced();
  for (auto& [shard, log] : logs_) log->find_end();
  powered_ = false;
  ++lives_;
  unreadable_until_ms_ = 0;
}

}  // namespace souk::simulation
