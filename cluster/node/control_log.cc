#include "cluster/node/control_log.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "events/fault_log.h"

namespace souk::cluster {
namespace {

constexpr ShardId control{0};

}  // namespace

ControlLog::ControlLog(const Options& options, LogBroker&)
    : options_(options), state_(options.shards) {}

ControlLog::~ControlLog() = default;

Result<std::unique_ptr<ControlLog>, Fault> ControlLog::open(LogBroker& broker,
                                                            const Options& options) {
  std::unique_ptr<ControlLog> log(new ControlLog(options, broker));
  SharedLogsOptions logs_options;
  logs_options.shards = 1;
  logs_options.genesis = options.genesis;
  logs_options.now = [steady = options.steady] {
    return SharedLogsOptions::Clock::time_point(std::chrono::milliseconds(steady().value));
  };
  auto logs = SharedLogs::open(broker, log->copy_, logs_options);
  if (!logs.ok()) return logs.error();
  log->logs_ = std::move(*logs);
  log->logs_->listen(*log);
  return log;
}

Status ControlLog::catch_up(const SharedLogs::Told& told) {
  if (auto s = logs_->catch_up(told); !s.ok()) return s;
  if (unreadable_) return *unreadable_;
  logs_->log(ShardId{0}).follow(true);
  return Done{};
}

void ControlLog::step(std::chrono::milliseconds patience) { logs_->step(patience); }

std::optional<Fault> ControlLog::halted() const {
  if (unreadable_) return unreadable_;
  return logs_->halted(control);
}

void ControlLog::claim() {
  claims_ = true;
  logs_->log(control).claim(options_.incarnation, [this](Result<ShardLog::Claimed, Fault> claimed) {
    claims_ = false;
    if (claimed.ok()) take_over(*claimed);
  });
}

/// All up to the claim is folded: whose it is now stands in the place.
void ControlLog::take_over(const ShardLog::Claimed& claimed) {
  const FoldState place = *copy_.place(control);
  if (place.epoch != claimed.epoch || place.incarnation != options_.incarnation) return;
  controls_ = true;
  epoch_ = place.epoch;
  seq_ = place.seq;
  chain_ = place.chain.value_or(0);
  pending_.clear();
  spdlog::info("this node is the controller epoch={}", epoch_);
}

void ControlLog::append(std::vector<Entry>&& entries) {
  const std::string payload = encode(entries);
  const Seq first = seq_ + 1;
  chain_ = chain_after(chain_, first, payload);
  seq_ += entries.size();
  const BatchHeader header{.type = BatchType::events,
                           .epoch = epoch_,
                           .incarnation = options_.incarnation,
                           .first_seq = first,
                           .at = entries.front().at,
                           .chain = chain_,
                           .count = static_cast<std::uint32_t>(entries.size())};
  pending_ = std::move(entries);
  logs_->log(control).append({.shard = control,
                              .first_seq = first,
                              .last_seq = seq_,
                              .epoch = epoch_,
                              .chain = chain_,
                              .bytes = encode_record(header, payload)});
}

void ControlLog::landed(ShardId, const std::vector<LogAck>&) {
  for (const Entry& entry : std::exchange(pending_, {})) state_.fold(entry);
}

/// What of it is in the log comes back as a record that was read.
void ControlLog::doubted(ShardId, const Fault& why) {
  spdlog::warn("this node is the controller no longer what=\"{}\"", one_line(why.what));
  controls_ = false;
  pending_.clear();
}

void ControlLog::found(std::vector<Batch>&& records) {
  for (const Batch& record : records) {
    const auto entries = decode_entries(record_payload(record.bytes));
    if (!entries.ok()) {
      if (!unreadable_)
        spdlog::error("the control log cannot be read any further what=\"{}\"",
                      one_line(entries.error().what));
      unreadable_ = entries.error();
    }
    if (unreadable_) return;
    for (const Entry& entry : *entries) state_.fold(entry);
  }
}

void ControlLog::followed(ShardId, const FoldState& place) { epoch_ = place.epoch; }

}  // namespace souk::cluster
