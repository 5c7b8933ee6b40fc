#include "events/shared_log/shared_logs.h"

#include <fmt/format.h>
#include <pthread.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <deque>
#include <utility>

#include "events/journal/folded_log.h"
#include "events/log_records.h"
#include "events/thread_slice.h"

namespace souk {
namespace {

constexpr std::chrono::milliseconds look_every{20};
constexpr std::chrono::milliseconds settle_every{200};
constexpr std::chrono::milliseconds step_patience{100};

// A tag says what a report is about: which reign, and which record of it. A claim is the record 0 of
// its reign.
constexpr int tag_record_bits = 40;
constexpr std::uint64_t tag_of(std::uint64_t reign, std::uint64_t record) {
  return reign << tag_record_bits | record;
}

Fault closed() { return {Fault::Kind::unavailable, "the log is being closed"}; }

}  // namespace

/// `mutex_` guards what appends use; the rest is the stepping thread's.
class SharedLogs::Log final : public ShardLog {
 public:
  Log(SharedLogs& logs, ShardId shard) : logs_(logs), shard_(shard) {}

  LogTicket append(Batch record) override {
    const std::lock_guard lock(mutex_);
    const LogTicket ticket = ++tickets_;
    if (!open_) return ticket;
    const std::size_t part_bytes = this->part_bytes();
    std::vector<std::string> parts;
    if (part_bytes > 0 && record_payload(record.bytes).size() > part_bytes)
      parts = encode_chunks(record.bytes, part_bytes);
    sent_.push_back({ticket, std::move(record), std::move(parts), 0, logs_.options_.now()});
    const Sent& sent = sent_.back();
    if (sent.parts.empty()) produce(sent.record.bytes);
    for (const auto& part : sent.parts) produce(part);
    return ticket;
  }
  void claim(std::uint64_t incarnation, ClaimDone done) override {
    std::optional<ClaimDone> refused;
    {
      const std::lock_guard lock(logs_.mutex_);
      if (logs_.stopping_)
        refused = std::move(done);
      else if (asked_)
        refused = std::exchange(asked_->done, std::move(done));
      else
        asked_ = Asked{incarnation, std::move(done)};
      if (std::ranges::find(logs_.asking_, this) == logs_.asking_.end())
        logs_.asking_.push_back(this);
    }
    if (refused) (*refused)(closed());
    logs_.broker_.wake();
  }
  Status tail(Offset from, const Visit& visit) override {
    return logs_.copy_.read(shard_, from, visit);
  }
  bool alone() const override { return false; }
  std::size_t part_bytes() const override { return logs_.broker_.part_bytes(); }

  // ---- the stepping thread's ----

  ShardId shard() const { return shard_; }
  const FoldState& place() const { return place_; }
  void set_place(FoldState&& place) { place_ = std::move(place); }

  struct Asked {
    std::uint64_t incarnation = 0;
    ClaimDone done;
  };
  /// What was asked for by claim(). REQUIRES: the logs' lock.
  std::optional<Asked> take_asked() { return std::exchange(asked_, std::nullopt); }
  /// Begins, or begins anew, to claim. What was sent before counts no more.
  void begin_claim(Asked&& asked) {
    drop_claim();
    claim_ = Claiming{std::move(asked), 0, 0, std::nullopt};
    send_claim();
  }
  void send_claim() {
    stop_reading();
    highest_ = std::max(highest_, place_.epoch) + 1;
    claim_->epoch = highest_;
    claim_->offset = 0;
    claim_->again_at.reset();
    const std::lock_guard lock(mutex_);
    close();
    claim_->bytes = encode(Claim{highest_, claim_->asked.incarnation, logs_.options_.node}, {});
    logs_.broker_.produce(shard_, tag_of(reign_, 0), claim_->bytes);
  }
  void drop_claim() {
    if (auto dropped = std::exchange(claim_, std::nullopt)) dropped->asked.done(closed());
  }
  bool claims() const { return claim_.has_value(); }
  void claim_again_at(Time at) {
    if (claim_) claim_->again_at = at;
  }
  bool claim_is_due(Time now) const {
    return claim_ && claim_->again_at && now >= *claim_->again_at;
  }

  /// Takes a report in. `acknowledged`: what it completes, if anything.
  enum class Heard : std::uint8_t { nothing, acknowledged, out_of_place, claim, claim_failed };
  Heard hear(const LogBroker::Report& report, News& acknowledged, Time& since) {
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
    since = sent.since;
    acks_.push_back({sent.ticket, report.offset});
    acknowledged.record = std::move(sent.record);
    acknowledged.parts = std::move(sent.parts);
    sent_.pop_front();
    return Heard::acknowledged;
  }
  /// Moves the place behind a record of its own: contiguous offsets say that the fold counts it.
  void pass(const Batch& record) {
    place_.next_offset = record.offset + 1;
    place_.seq = record.last_seq;
    place_.chain = record.chain;
  }
  std::vector<LogAck> take_acks() { return std::exchange(acks_, {}); }

  /// Nothing is acknowledged any more until the next claim is granted. Returns whether it was open.
  bool doubt() {
    known_ = false;
    const std::lock_guard lock(mutex_);
    return close();
  }
  /// What was sent first and is not reported is older than that. Thread: the stepping one's.
  bool overdue(Time before) {
    const std::lock_guard lock(mutex_);
    return open_ && !sent_.empty() && sent_.front().since < before;
  }

  /// All up to there is to come: it is read, after the first record was looked at.
  void await(Offset to) {
    to_ = to;
    looks_ = !known_;
    if (looks_) logs_.broker_.read(shard_, 1);
    reads_ = looks_;
  }
  bool looks() const { return looks_; }
  void looked() {
    known_ = true;
    looks_ = false;
  }
  void read_on() {
    reads_ = true;
    logs_.broker_.read(shard_, place_.next_offset);
  }
  /// 0: the claim is not reported yet. REQUIRES: claims().
  Offset claimed_at() const { return claim_->offset; }
  const std::string& claim_bytes() const { return claim_->bytes; }
  bool awaits() const { return to_ != 0; }
  Offset awaits_to() const { return to_; }
  void stop_reading() {
    to_ = 0;
    looks_ = false;
    if (std::exchange(reads_, false)) logs_.broker_.stop_reading(shard_);
  }
  /// Moves the place behind a record that was read. After a fault it is where it was.
  Result<Folded, Fault> fold_next(Offset offset, std::string_view bytes) {
    return fold(place_, offset, bytes);
  }
  /// The claim is in the copy, with all before it.
  void grant() {
    {
      const std::lock_guard lock(mutex_);
      open_ = true;
      heard_ = sent_parts_ = 0;
      expected_ = claim_->offset + 1;
      sent_.clear();
    }
    const Claiming granted = std::move(*claim_);
    claim_.reset();
    granted.asked.done(Claimed{granted.epoch, granted.offset + 1});
  }

  bool moved = false;           // stands in moved_
  std::optional<Fault> halted;  // under the logs' lock; the stepping thread's to write

 private:
  struct Sent {
    LogTicket ticket = 0;
    Batch record;
    std::vector<std::string> parts;
    std::size_t parts_heard = 0;
    Time since;
  };
  struct Claiming {
    Asked asked;
    std::uint64_t epoch = 0;
    Offset offset = 0;  // 0: not reported yet
    std::optional<Time> again_at;
    std::string bytes = {};
  };

  /// REQUIRES: the lock.
  void produce(std::string_view bytes) {
    logs_.broker_.produce(shard_, tag_of(reign_, ++sent_parts_), bytes);
  }
  bool close() {
    ++reign_;
    sent_.clear();
    return std::exchange(open_, false);
  }

  SharedLogs& logs_;
  const ShardId shard_;

  FoldState place_ = shared_log_begin();
  std::uint64_t highest_ = genesis::epoch;  // of the epochs that were tried
  std::optional<Claiming> claim_;
  Offset to_ = 0;       // records up to there are awaited; 0: none is
  bool reads_ = false;  // at the broker
  bool known_ = false;  // its first record was looked at, and nothing has been in doubt since
  bool looks_ = false;  // it is being looked at
  std::vector<LogAck> acks_;

  std::optional<Asked> asked_;  // under the logs' lock

  std::mutex mutex_;
  bool open_ = false;
  LogTicket tickets_ = 0;
  std::uint64_t reign_ = 0;
  std::uint64_t sent_parts_ = 0;  // of this reign
  std::uint64_t heard_ = 0;
  Offset expected_ = 0;  // where the next must stand
  std::deque<Sent> sent_;
};

// ---- life ----

SharedLogs::SharedLogs(LogBroker& broker, LogCopy& copy, const SharedLogsOptions& options)
    : broker_(broker), copy_(copy), options_(options) {
  for (std::uint32_t s = 0; s < options.shards; ++s)
    logs_.push_back(std::make_unique<Log>(*this, ShardId{static_cast<std::uint16_t>(s)}));
}

Result<std::unique_ptr<SharedLogs>, Fault> SharedLogs::open(LogBroker& broker, LogCopy& copy,
                                                            const SharedLogsOptions& options) {
  std::unique_ptr<SharedLogs> logs(new SharedLogs(broker, copy, options));
  if (auto s = logs->find_places(); !s.ok()) return s.error();
  return logs;
}

SharedLogs::~SharedLogs() { stop(); }

Status SharedLogs::find_places() {
  for (auto& log : logs_) {
    auto place = copy_.place(log->shard());
    if (!place.ok()) return place.error();
    log->set_place(std::move(*place));
  }
  return Done{};
}

ShardLog& SharedLogs::log(ShardId shard) { return *logs_[shard.value]; }

void SharedLogs::start(LogListener& listener) {
  listen(listener);
  thread_ = std::thread([this] {
    ::pthread_setname_np(::pthread_self(), "log");
    short_time_slice();
    while (!stopping_) step(step_patience);
  });
}

void SharedLogs::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  broker_.wake();
  if (thread_.joinable()) thread_.join();
  for (auto& log : logs_) {
    log->doubt();
    log->drop_claim();
    std::optional<Log::Asked> asked;
    {
      const std::lock_guard lock(mutex_);
      asked = log->take_asked();
    }
    if (asked) asked->done(closed());
  }
  listener_ = nullptr;
}

// ---- the copy catches up ----

namespace {

Fault shorter(ShardId shard, Offset there, Offset here) {
  return {
      Fault::Kind::mismatch,
      fmt::format("the log of shard {} ends at record {}, and this node has it to record {}: the "
                  "topic was deleted and made again, or its brokers lost the end of it. Nothing "
                  "was changed. If the topic is right and what this node has of it may go, "
                  "start with an empty data directory",
                  shard.value, there, here)};
}

Fault another_log(ShardId shard) {
  return {
      Fault::Kind::mismatch,
      fmt::format("the log of shard {} is not the one that this node knows: the topic was deleted "
                  "and made again. Nothing was changed. If the new topic is the right one and what "
                  "this node has of the old one may go, start with an empty data directory",
                  shard.value)};
}

}  // namespace

Status SharedLogs::catch_up(const Told& told) {
  std::uint64_t of = 0;
  const auto all_copied = [&] {
    std::uint64_t left = 0;
    for (const auto& log : logs_)
      if (log->awaits()) left += log->awaits_to() + 1 - log->place().next_offset;
    return of - left;
  };
  auto ends = broker_.ends();
  for (; !ends.ok(); ends = broker_.ends())
    if (ends.error().kind != Fault::Kind::unavailable || !told(0, 0)) return ends.error();
  for (std::size_t s = 0; s < logs_.size(); ++s) {
    Log& log = *logs_[s];
    const Offset here = log.place().next_offset, end = (*ends)[s];
    if (end < here) return shorter(log.shard(), end - 1, here - 1);
    if (end == 1) return another_log(log.shard());  // it has not even the first record
    of += end - here;
    log.await(end - 1);
    if (!log.looks()) proceed(log);
  }
  while (std::ranges::any_of(logs_, [](const auto& log) { return log->awaits(); })) {
    step(step_patience);
    if (!sound_) return Fault{Fault::Kind::unavailable, "the copy of the log cannot be written"};
    if (const auto bad = any_halted()) return bad->second;
    if (!told(all_copied(), of)) return Fault{Fault::Kind::unavailable, "given up"};
  }
  if (const auto bad = any_halted()) return bad->second;
  return Done{};
}

// ---- a step ----

void SharedLogs::step(std::chrono::milliseconds patience) {
  broker_.poll(patience, *this);
  take_claims();
  watch_clock();
  conclude();
}

void SharedLogs::take_claims() {
  std::vector<std::pair<Log*, Log::Asked>> asked;
  {
    const std::lock_guard lock(mutex_);
    if (!sound_ || asking_.empty()) return;
    for (Log* log : std::exchange(asking_, {}))
      if (auto one = log->take_asked()) asked.emplace_back(log, std::move(*one));
  }
  for (auto& [log, one] : asked) {
    if (log->halted)
      one.done(*log->halted);
    else
      log->begin_claim(std::move(one));
  }
}

void SharedLogs::watch_clock() {
  const Time now = options_.now();
  if (now < looked_at_ + look_every) return;
  if (!sound_ && now < looked_at_ + settle_every) return;
  looked_at_ = now;
  if (!sound_) return settle();
  for (auto& log : logs_) {
    if (log->overdue(now - options_.overdue))
      doubt(*log, {Fault::Kind::unavailable, "the brokers do not answer"});
    if (log->claim_is_due(now)) log->send_claim();
  }
}

/// The copy may have lost its end: claims are begun anew from where it stands now.
void SharedLogs::settle() {
  const auto status = [&] {
    const Status settled = copy_.settle();
    return settled.ok() ? find_places() : settled;
  }();
  if (!status.ok())
    return copy_fails_.failed(fmt::format("what=\"{}\"", one_line(status.error().what)));
  sound_ = true;
  for (auto& log : logs_)
    if (log->claims()) log->send_claim();
}

void SharedLogs::reported(const LogBroker::Report& report) {
  Log& log = *logs_[report.shard.value];
  News news{.record = {}, .parts = {}, .whole = {}, .from = News::From::own};
  Time since;
  switch (log.hear(report, news, since)) {
    case Log::Heard::nothing:
      return;
    case Log::Heard::out_of_place:
      return doubt(log, {Fault::Kind::unavailable,
                         report.offset == 0 ? std::string(report.why)
                                            : std::string("somebody else writes to the log")});
    case Log::Heard::claim_failed:
      return log.claim_again_at(options_.now() + options_.claim_retry);
    case Log::Heard::claim:
      log.await(log.claimed_at());
      if (!log.looks()) proceed(log);
      return;
    case Log::Heard::acknowledged:
      break;
  }
  took_ = std::max<std::chrono::nanoseconds>(took_, options_.now() - since);
  news.record.shard = log.shard();
  news.record.offset = log.place().next_offset + std::max<std::size_t>(news.parts.size(), 1) - 1;
  log.pass(news.record);
  if (news.record.last_seq < news.record.first_seq) news.from = News::From::nobody;
  news_.push_back(std::move(news));
  if (landed_.empty() || landed_.back() != &log) landed_.push_back(&log);
  if (!std::exchange(log.moved, true)) moved_.push_back(&log);
}

void SharedLogs::proceed(Log& log) {
  const Offset next = log.place().next_offset;
  if (log.awaits_to() + 1 < next || (log.claims() && log.awaits_to() < next))
    return halt(log, shorter(log.shard(), log.awaits_to(), next - 1));
  if (log.awaits_to() < next) return log.stop_reading();
  // Where nothing stands before its own claim that is not here, there is nothing to read.
  if (log.claims() && log.awaits_to() == next)
    return arrived(log.shard(), log.claimed_at(), log.claim_bytes());
  log.read_on();
}

void SharedLogs::arrived(ShardId shard, Offset offset, std::string_view bytes) {
  Log& log = *logs_[shard.value];
  if (log.looks()) {
    if (offset != 1) return;
    if (genesis::number_of(bytes) != options_.genesis) return halt(log, another_log(shard));
    log.looked();
    return proceed(log);
  }
  if (!log.awaits() || offset < log.place().next_offset || offset > log.awaits_to()) return;
  auto folded = log.fold_next(offset, bytes);
  if (!folded.ok()) return halt(log, at_record(folded.error(), shard, offset));
  const BatchHeader& header = folded->header;
  News news;
  news.record = {.shard = shard,
                 .offset = offset,
                 .first_seq = header.first_seq,
                 .last_seq = header.last_seq(),
                 .epoch = header.epoch,
                 .chain = header.chain,
                 .bytes = std::string(bytes)};
  if (folded->what == Folded::What::events) {
    news.from = News::From::read;
    if (!folded->whole.empty()) {
      BatchHeader whole = header;
      whole.type = BatchType::events;
      news.whole = news.record;
      news.whole->bytes = encode_record(whole, folded->whole);
    }
  }
  if (folded->what == Folded::What::skipped) passed_over_.fetch_add(1, std::memory_order_relaxed);
  news_.push_back(std::move(news));
  if (!std::exchange(log.moved, true)) moved_.push_back(&log);
  if (offset < log.awaits_to()) return;
  log.stop_reading();
  if (log.claims()) granted_.push_back(&log);
}

void SharedLogs::reading_failed(ShardId shard, const Fault& why) {
  Log& log = *logs_[shard.value];
  if (log.awaits()) halt(log, why);
}

// ---- what follows ----

void SharedLogs::doubt(Log& log, const Fault& why) {
  if (log.doubt()) doubted_.emplace_back(&log, why);
}

void SharedLogs::doubt_all(const Fault& why) {
  for (auto& log : logs_) {
    log->stop_reading();
    doubt(*log, why);
  }
}

void SharedLogs::halt(Log& log, Fault why) {
  log.stop_reading();
  doubt(log, why);
  log.drop_claim();
  spdlog::error("a shard is halted, nothing of it is taken or answered as done shard={} why=\"{}\"",
                log.shard().value, one_line(why.what));
  const std::lock_guard lock(mutex_);
  log.halted = std::move(why);
}

void SharedLogs::conclude() {
  if (!news_.empty()) {
    if (const Status kept = keep(); kept.ok()) {
      copy_fails_.passed();
    } else {
      // What is acknowledged is in the log, and will be read from there.
      copy_fails_.failed(fmt::format("what=\"{}\"", one_line(kept.error().what)));
      sound_ = false;
      for (Log* log : landed_) log->take_acks();
      landed_.clear();
      news_.clear();
      granted_.clear();
      doubt_all(kept.error());
    }
    for (Log* log : moved_) log->moved = false;
    moved_.clear();
  }
  tell();
  news_.clear();
}

Status SharedLogs::keep() {
  std::vector<LogCopy::Record> records;
  std::vector<LogCopy::Place> places;
  for (const News& news : news_) {
    const Batch& record = news.record;
    if (news.parts.empty()) records.push_back({record.shard, record.offset, record.bytes});
    Offset offset = record.offset + 1 - news.parts.size();
    for (const auto& part : news.parts) records.push_back({record.shard, offset++, part});
  }
  for (const Log* log : moved_) places.emplace_back(log->shard(), log->place());
  return copy_.keep(records, places);
}

void SharedLogs::tell() {
  if (landed_.empty() && granted_.empty() && doubted_.empty() && news_.empty()) return;
  if (!listener_) {
    for (Log* log : landed_) log->take_acks();
    landed_.clear();
    doubted_.clear();
    grant_all();
    return;
  }
  std::vector<Batch> own, read;
  for (News& news : news_) {
    if (news.from == News::From::own) own.push_back(std::move(news.record));
    if (news.from == News::From::read)
      read.push_back(news.whole ? std::move(*news.whole) : std::move(news.record));
  }
  listener_->begins();
  if (!read.empty()) listener_->found(std::move(read));
  for (Log* log : std::exchange(landed_, {}))
    if (const auto acks = log->take_acks(); !acks.empty()) listener_->landed(log->shard(), acks);
  if (!own.empty()) listener_->written(std::move(own), took_);
  took_ = {};
  for (const auto& [log, why] : std::exchange(doubted_, {})) listener_->doubted(log->shard(), why);
  grant_all();
  listener_->ends();
}

/// Unless another claim was begun since: that one is not in the log yet.
void SharedLogs::grant_all() {
  for (Log* log : std::exchange(granted_, {}))
    if (log->claims() && log->claimed_at() != 0) log->grant();
}

std::optional<Fault> SharedLogs::halted(ShardId shard) const {
  const std::lock_guard lock(mutex_);
  return logs_[shard.value]->halted;
}

std::optional<std::pair<ShardId, Fault>> SharedLogs::any_halted() const {
  const std::lock_guard lock(mutex_);
  for (const auto& log : logs_)
    if (log->halted) return std::pair(log->shard(), *log->halted);
  return std::nullopt;
}

}  // namespace souk
