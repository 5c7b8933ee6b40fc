#include "events/shared_log/broker_journal.h"

#include <fmt/format.h>

#include <algorithm>
#include <thread>

#include "events/shared_log/shared_logs.h"

namespace souk {
namespace {

using Steady = std::chrono::steady_clock;
constexpr std::chrono::milliseconds poll_patience{100};

/// Takes the records of one shard up to an end.
class Reading final : public LogBroker::Listener {
 public:
  using Check = std::function<Status(std::string_view first)>;
  Reading(ShardId shard, Offset from, Offset end, const Journal::Visit& visit, Check check)
      : shard_(shard), next_(from), end_(end), visit_(visit), check_(std::move(check)) {}

  bool over() const { return over_ || next_ >= end_; }
  Offset next() const { return next_; }
  const Status& status() const { return status_; }

  void reported(const LogBroker::Report&) override {}
  void arrived(ShardId shard, Offset offset, std::string_view bytes) override {
    if (over() || shard != shard_) return;
    if (offset != next_)
      return fail({Fault::Kind::corrupt,
                   fmt::format("the log of shard {}: record {} came in the place of {}",
                               shard.value, offset, next_)});
    if (offset == 1)
      if (const Status begins = check_(bytes); !begins.ok()) return fail(begins.error());
    ++next_;
    over_ = !visit_(offset, bytes);
  }
  void reading_failed(ShardId shard, const Fault& why) override {
    if (shard == shard_)
      fail({why.kind,
            fmt::format("the log of shard {}, record {}: {}", shard.value, next_, why.what)});
  }

 private:
  void fail(Fault why) {
    status_ = std::move(why);
    over_ = true;
  }

  const ShardId shard_;
  Offset next_;
  const Offset end_;
  const Journal::Visit& visit_;
  const Check check_;
  bool over_ = false;
  Status status_ = Done{};
};

}  // namespace

Result<std::unique_ptr<BrokerJournal>, Fault> BrokerJournal::open(LogBroker& broker,
                                                                  Patience patience) {
  const auto until = Steady::now() + patience.silence;
  auto ends = broker.ends();
  while (!ends.ok() && ends.error().kind == Fault::Kind::unavailable && Steady::now() < until) {
    std::this_thread::sleep_for(poll_patience);
    ends = broker.ends();
  }
  if (!ends.ok()) return ends.error();
  std::unique_ptr<BrokerJournal> journal(new BrokerJournal(broker, patience));
  journal->ends_ = std::move(*ends);
  return journal;
}

Status BrokerJournal::read(ShardId shard, Offset from, const Visit& visit) {
  const auto check = [&](std::string_view first) -> Status {
    const auto genesis = genesis::of_record(first);
    if (!genesis)
      return Fault{Fault::Kind::mismatch,
                   fmt::format("the log of shard {} does not begin as one of Souk does: the topic "
                               "was not made by souk cluster init, or something else writes to it",
                               shard.value)};
    if (genesis_.value_or(genesis->number) != genesis->number)
      return Fault{Fault::Kind::mismatch,
                   fmt::format("the log of shard {} does not begin with the number of the others: "
                               "it was not made together with them",
                               shard.value)};
    genesis_ = genesis->number;
    return Done{};
  };
  Reading reading(shard, std::max<Offset>(from, 1), ends_[shard.value], visit, check);
  if (reading.over()) return Done{};
  broker_.read(shard, reading.next());
  Offset came = reading.next();
  auto heard_at = Steady::now();
  while (!reading.over()) {
    broker_.poll(poll_patience, reading);
    if (std::exchange(came, reading.next()) != reading.next()) {
      heard_at = Steady::now();
    } else if (Steady::now() - heard_at > patience_.silence && !reading.over()) {
      broker_.stop_reading(shard);
      return Fault{Fault::Kind::unavailable,
                   fmt::format("the brokers do not answer: record {} of shard {} does not come",
                               reading.next(), shard.value)};
    }
  }
  broker_.stop_reading(shard);
  return reading.status();
}

Status BrokerJournal::scan(ShardId shard, Seq from, const Visit& visit) {
  SOUK_ASSERT(from == 1);
  return read(shard, 1, visit);
}

}  // namespace souk
