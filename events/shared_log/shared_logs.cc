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

}  // namespace

// ---- life ----

SharedLogs::SharedLogs(LogBroker& broker, LogCopy& copy, const SharedLogsOptions& options)
    : common_{.broker = broker, .copy = copy, .options = options},
      broker_(broker),
      copy_(copy),
      options_(common_.options) {
  for (std::uint32_t s = 0; s < options.shards; ++s)
    logs_.push_back(std::make_unique<Log>(common_, ShardId{static_cast<std::uint16_t>(s)}));
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
  stopping_ = true;
  {
    const std::lock_guard lock(common_.mutex);
    common_.stopping = true;
  }
  broker_.wake();
  if (thread_.joinable()) thread_.join();
  for (auto& log : logs_) {
    log->stop_following();
    log->doubt();
    log->drop_claim();
    std::optional<Log::Asked> asked;
    {
      const std::lock_guard lock(common_.mutex);
      asked = log->take_asked();
    }
    if (asked) asked->done(log_closed());
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

Fault gone_from(ShardId shard, const Fault& why) {
  return {
      why.kind,
      fmt::format("the next record of the log of shard {} is not there: the topic was deleted and "
                  "made again, or its brokers lost records ({}). Nothing was changed. If the "
                  "topic is right and what this node has of it may go, start with an empty data "
                  "directory",
                  shard.value, why.what)};
}

}  // namespace

Status SharedLogs::catch_up(const Told& told, Of which) {
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
    if (which == Of::none) continue;
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
  take_asked();
  watch_clock();
  conclude();
}

void SharedLogs::take_asked() {
  std::vector<std::pair<Log*, bool>> to_follow;
  std::vector<std::pair<Log*, Log::Asked>> claims;
  {
    const std::lock_guard lock(common_.mutex);
    if (!sound_ || common_.asking.empty()) return;
    for (Log* log : std::exchange(common_.asking, {})) {
      if (const auto whether = log->take_asked_to_follow()) to_follow.emplace_back(log, *whether);
      if (auto claim = log->take_asked()) claims.emplace_back(log, std::move(*claim));
    }
  }
  for (const auto& [log, whether] : to_follow) {
    if (!whether) {
      log->end_to_follow();
    } else if (!log->halted) {
      log->begin_to_follow();
      if (!log->is_open()) read_.push_back(log);  // where it stands is news
    }
  }
  for (auto& [log, claim] : claims) take_claim(*log, std::move(claim));
}

void SharedLogs::take_claim(Log& log, Log::Asked&& asked) {
  if (log.halted) return asked.done(*log.halted);
  // Whoever asked has not heard yet that it was given the log: no log is closed without a word.
  doubt(log, {Fault::Kind::unavailable, "it is claimed although it is owned"});
  log.begin_claim(std::move(asked));
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
  // One after the other, so that each has its turn in that time.
  if (now < look_again_at_) return;
  look_again_at_ = now + options_.look_again / std::max<std::size_t>(logs_.size(), 1);
  logs_[look_again_++ % logs_.size()]->look_again();
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
  for (auto& log : logs_) {
    if (log->claims()) log->send_claim();
    log->follow_on();
  }
}

void SharedLogs::reported(const LogBroker::Report& report) {
  Log& log = *logs_[report.shard.value];
  Log::Landed landed;
  switch (log.hear(report, landed)) {
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
  took_ = std::max<std::chrono::nanoseconds>(took_, options_.now() - landed.since);
  News news{.record = std::move(landed.record),
            .parts = std::move(landed.parts),
            .whole = {},
            .from = News::From::own};
  news.record.shard = log.shard();
  news.record.offset = log.place().next_offset + std::max<std::size_t>(news.parts.size(), 1) - 1;
  if (auto s = log.pass(news.record); !s.ok()) return halt(log, s.error());
  if (news.record.last_seq < news.record.first_seq || news.record.first_seq == 0)
    news.from = News::From::nobody;
  news_.push_back(std::move(news));
  if (landed_.empty() || landed_.back() != &log) landed_.push_back(&log);
  if (!std::exchange(log.moved, true)) moved_.push_back(&log);
  if (log.follows() && !log.is_open()) read_.push_back(&log);  // it gave the shard away
}

void SharedLogs::proceed(Log& log) {
  const Offset next = log.place().next_offset;
  const bool claimed = log.claims() && log.claimed_at() != 0;
  // A claim that stands where something else was read before.
  const bool shorter_now = log.claim_is_decided() && log.claim_is_missing();
  if (log.awaits_to() < next - 1 || shorter_now)
    return halt(log, shorter(log.shard(), claimed ? log.claimed_at() : log.awaits_to(), next - 1));
  // Where nothing stands before its own claim that is not here, there is nothing to read.
  if (claimed && log.claimed_at() == next)
    return arrived_in(log, log.claimed_at(), log.claim_bytes());
  if (log.claim_is_decided()) {
    if (!std::exchange(log.moved, true)) moved_.push_back(&log);
    return;
  }
  if (log.awaits_to() < next) return log.stop_reading();
  if (!log.reads_on()) log.read_on();
}

void SharedLogs::arrived(ShardId shard, Offset offset, std::string_view bytes) {
  Log& log = *logs_[shard.value];
  if (!log.looks()) return arrived_in(log, offset, bytes);
  if (offset != 1) return;
  const auto genesis = genesis::of_record(bytes);
  if (!genesis || genesis->number != options_.genesis) return halt(log, another_log(shard));
  log.looked();
  proceed(log);
}

void SharedLogs::arrived_in(Log& log, Offset offset, std::string_view bytes) {
  const ShardId shard = log.shard();
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
  if (folded->what == Folded::What::skipped) {
    passed_over_.fetch_add(1, std::memory_order_relaxed);
    // Whoever joins the copy in its middle could not tell it from one that counts.
    news.record.bytes = encode(Claim{}, {});
  }
  news_.push_back(std::move(news));
  if (!std::exchange(log.moved, true)) moved_.push_back(&log);
  if (log.follows() && (read_.empty() || read_.back() != &log)) read_.push_back(&log);
  if (offset == log.awaits_to()) log.stop_reading();
}

void SharedLogs::reading_failed(ShardId shard, const Fault& why) {
  Log& log = *logs_[shard.value];
  if (log.awaits()) halt(log, gone_from(shard, why));
}

// ---- what follows ----

void SharedLogs::doubt(Log& log, const Fault& why) {
  if (log.doubt()) doubted_.emplace_back(&log, why);
}

void SharedLogs::doubt_all(const Fault& why) {
  for (auto& log : logs_) {
    doubt(*log, why);
    log->stop_reading();  // until the copy can be written
  }
}

void SharedLogs::halt(Log& log, Fault why) {
  log.stop_following();
  doubt(log, why);
  log.drop_claim();
  spdlog::error("a shard is halted, nothing of it is taken or answered as done shard={} why=\"{}\"",
                log.shard().value, one_line(why.what));
  const std::lock_guard lock(common_.mutex);
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
      read_.clear();
      news_.clear();
      for (Log* log : std::exchange(moved_, {})) log->moved = false;
      doubt_all(kept.error());
    }
  }
  tell();
  news_.clear();
  for (Log* log : std::exchange(moved_, {})) log->moved = false;
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
  if (landed_.empty() && moved_.empty() && doubted_.empty() && news_.empty() && read_.empty())
    return;
  if (!listener_) {
    for (Log* log : landed_) log->take_acks();
    landed_.clear();
    doubted_.clear();
    read_.clear();
    decide_claims();
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
  for (Log* log : std::exchange(read_, {})) listener_->followed(log->shard(), log->place());
  decide_claims();
  listener_->ends();
}

/// Of those that went on: whose claim is decided, and who was given to this node.
void SharedLogs::decide_claims() {
  for (Log* log : moved_) {
    if (log->claim_is_decided())
      log->decide_claim();
    else if (const auto given = log->take_over())
      if (listener_) listener_->given(log->shard(), *given);
  }
}

std::optional<Fault> SharedLogs::halted(ShardId shard) const {
  const std::lock_guard lock(common_.mutex);
  return logs_[shard.value]->halted;
}

std::optional<std::pair<ShardId, Fault>> SharedLogs::any_halted() const {
  const std::lock_guard lock(common_.mutex);
  for (const auto& log : logs_)
    if (log->halted) return std::pair(log->shard(), *log->halted);
  return std::nullopt;
}

}  // namespace souk
