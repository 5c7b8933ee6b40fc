#include <fmt/format.h>

#include <algorithm>

#include "events/log_records.h"
#include "events/shared_log/shared_logs.h"

namespace souk::genesis {
namespace {

constexpr std::chrono::milliseconds patience{200};
constexpr int polls_max = 50;  // ten seconds of them

struct Heard final : LogBroker::Listener {
  std::optional<std::string> first;
  std::size_t reports = 0;
  std::string failed;
  void reported(const LogBroker::Report& report) override {
    ++reports;
    if (report.offset == 0) failed = report.why;
  }
  void arrived(ShardId, Offset offset, std::string_view bytes) override {
    if (offset == 1) first = std::string(bytes);
  }
  void reading_failed(ShardId, const Fault& why) override { failed = why.what; }
};

Result<Genesis, Fault> first_of(LogBroker& broker, ShardId shard) {
  Heard heard;
  broker.read(shard, 1);
  for (int i = 0; i < polls_max && !heard.first && heard.failed.empty(); ++i)
    broker.poll(patience, heard);
  broker.stop_reading(shard);
  if (!heard.first)
    return Fault{Fault::Kind::unavailable,
                 heard.failed.empty() ? "the first record does not come" : heard.failed};
  const auto begins = of_record(*heard.first);
  if (!begins)
    return Fault{
        Fault::Kind::mismatch,
        fmt::format("the log of shard {} does not begin as one of Souk does: the topic was "
                    "not made by souk cluster init, or something else writes to it",
                    shard.value)};
  return *begins;
}

}  // namespace

std::string record(const Genesis& genesis) {
  return encode(Claim{epoch, genesis.number, genesis.secret_check}, {});
}

std::optional<Genesis> of_record(std::string_view record) {
  const auto header = decode_batch_header(record);
  if (!header.ok() || header->type != BatchType::claim || header->epoch != epoch)
    return std::nullopt;
  const auto claim = decode_claim(*header, record_payload(record));
  if (!claim.ok()) return std::nullopt;
  return Genesis{claim->incarnation, claim->node};
}

Result<std::optional<Genesis>, Fault> read(LogBroker& broker) {
  const auto ends = broker.ends();
  if (!ends.ok()) return ends.error();
  if (std::ranges::find(*ends, Offset{1}) != ends->end()) return std::optional<Genesis>();
  const auto first = first_of(broker, ShardId{0});
  if (!first.ok()) return first.error();
  return std::optional(*first);
}

Result<Genesis, Fault> make(LogBroker& broker, const Genesis& wanted) {
  Genesis genesis = wanted;
  const auto ends = broker.ends();
  if (!ends.ok()) return ends.error();
  // A first try that was cut off has begun some of them.
  for (std::size_t s = 0; s < ends->size(); ++s) {
    if ((*ends)[s] == 1) continue;
    const auto begun = first_of(broker, ShardId{static_cast<std::uint16_t>(s)});
    if (!begun.ok()) return begun.error();
    genesis = *begun;
    break;
  }
  Heard heard;
  std::size_t sent = 0;
  for (std::size_t s = 0; s < ends->size(); ++s) {
    if ((*ends)[s] != 1) continue;
    broker.produce(ShardId{static_cast<std::uint16_t>(s)}, ++sent, record(genesis));
  }
  for (int i = 0; i < polls_max && heard.reports < sent; ++i) broker.poll(patience, heard);
  if (heard.reports < sent || !heard.failed.empty())
    return Fault{Fault::Kind::unavailable,
                 fmt::format("the logs cannot be begun, try again: {}",
                             heard.failed.empty() ? "no answer" : heard.failed)};
  return genesis;
}

}  // namespace souk::genesis
