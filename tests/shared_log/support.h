#pragma once
/// A node at a shared log: its copy in memory, an owner that claims and appends, and all that it
/// heard.
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "events/log_records.h"
#include "events/shared_log/shared_logs.h"
#include "tests/shared_log/memory_broker.h"

namespace souk::shared_log_test {

struct MemoryCopy final : LogCopy {
  std::map<std::pair<std::uint16_t, Offset>, std::string> records;
  std::map<std::uint16_t, FoldState> places;
  bool fails = false;
  std::size_t lost = 0;  // so many of the newest records of each shard, by the next settle

  Status keep(std::span<const Record> kept, std::span<const Place> behind) override {
    if (fails) return Fault{Fault::Kind::full, "the disk is full"};
    for (const auto& one : kept) records[{one.shard.value, one.offset}] = std::string(one.bytes);
    for (const auto& [shard, place] : behind) places[shard.value] = place;
    return Done{};
  }
  Result<FoldState, Fault> place(ShardId shard) override {
    const auto found = places.find(shard.value);
    return found == places.end() ? shared_log_begin() : found->second;
  }
  Status settle() override {
    if (fails) return Fault{Fault::Kind::full, "the disk is full"};
    return Done{};
  }
  Status read(ShardId shard, Offset from, const Journal::Visit& visit) override {
    for (auto at = records.lower_bound({shard.value, from});
         at != records.end() && at->first.first == shard.value; ++at)
      if (!visit(at->first.second, at->second)) break;
    return Done{};
  }
  Offset end(ShardId shard) { return place(shard)->next_offset; }
};

inline constexpr ShardId shard{0};

/// What a node's owner of one shard knows: enough to write records that count.
class Node final : public LogListener {
 public:
  using Time = SharedLogsOptions::Clock::time_point;

  explicit Node(MemoryTopic& topic, std::uint64_t number = 1, std::uint32_t shards = 1)
      : broker(topic), incarnation(number * 1'000) {
    options.shards = shards;
    options.node = number;
    options.genesis = 77;
    options.now = [this] { return now; };
    open();
  }
  void open() {
    auto opened = SharedLogs::open(broker, copy, options);
    SOUK_ASSERT(opened.ok());
    logs = std::move(*opened);
    logs->listen(*this);
  }

  /// Claims, lets all land, and stands where the log says. Whoever does not know the log claims too
  /// low an epoch, and then once more.
  bool claim() {
    for (int tries = 0; tries < 2 && !owns; ++tries) {
      ask();
      broker.land_all();
      step(2);
    }
    return owns;
  }
  void ask() {
    ++incarnation;
    logs->log(shard).claim(incarnation, [this](Result<ShardLog::Claimed, Fault> claimed) {
      claims.push_back(std::move(claimed));
      if (claims.back().ok()) stand_at(*copy.place(shard), *claims.back());
    });
    step();
  }
  /// As Owner::decide: it folds what is there to the claim, and looks who owns.
  void stand_at(const FoldState& place, const LogOpened& granted) {
    owns = place.epoch == granted.epoch && place.incarnation == incarnation &&
           place.next_offset == granted.end;
    seq = place.seq;
    chain = place.chain.value_or(0);
    epoch = place.epoch;
    next = place.next_offset;
  }
  /// A record of one event; returns its last sequence number.
  Seq append(std::int64_t quantity = 1, std::size_t events = 1) {
    Transaction t;
    t.at = UnixMs{1'000};
    for (std::size_t i = 0; i < events; ++i)
      t.events.push_back(
          {EntityKey(*Sku::parse("TEA")), StockReceived{.quantity = quantity, .reference = {}}});
    BatchHeader header{.epoch = epoch,
                       .incarnation = incarnation,
                       .first_seq = seq + 1,
                       .at = UnixMs{1'000},
                       .chain = chain};
    std::string bytes = encode_batch(header, {t});
    chain = header.chain;
    seq = header.last_seq();
    logs->log(shard).append({.shard = shard,
                             .first_seq = header.first_seq,
                             .last_seq = seq,
                             .epoch = epoch,
                             .chain = chain,
                             .bytes = std::move(bytes),
                             .transactions = {t}});
    return seq;
  }
  void append_noop() {
    logs->log(shard).append(
        {.shard = shard,
         .first_seq = seq + 1,
         .last_seq = seq,
         .epoch = epoch,
         .chain = chain,
         .bytes = encode(Noop{epoch, incarnation, seq + 1, chain}, UnixMs{1'000})});
  }
  void step(int times = 1) {
    for (; times > 0; --times) {
      now += std::chrono::milliseconds(25);
      logs->step({});
    }
  }
  void pass(std::chrono::milliseconds time) { now += time; }

  // ---- LogListener ----
  void landed(ShardId, const std::vector<LogAck>& list) override {
    for (const auto& ack : list) acks.push_back(ack);
  }
  void doubted(ShardId, const Fault& why) override {
    owns = false;
    doubts.push_back(why.what);
  }
  void written(std::vector<Batch>&& records, std::chrono::nanoseconds) override {
    for (auto& one : records) fed.push_back(std::move(one));
  }
  void found(std::vector<Batch>&& records) override {
    for (auto& one : records) fed.push_back(std::move(one));
  }
  void followed(ShardId, const FoldState& place) override { places.push_back(place); }
  void given(ShardId, const LogOpened& opened) override {
    gifts.push_back(opened);
    stand_at(*copy.place(shard), opened);
  }

  /// Gives the shard to another, behind what it appended.
  void give_to(const Node& other) {
    logs->log(shard).append(
        {.shard = shard,
         .epoch = epoch,
         .bytes = encode(
             Transfer{epoch, incarnation, epoch + 1, other.options.incarnation, other.options.node},
             UnixMs{1'000})});
    owns = false;
  }
  /// In a cluster, from the beginning: it has all, and reads what comes.
  bool follow() {
    options.incarnation = incarnation;
    open();
    if (!logs->catch_up([](std::uint64_t, std::uint64_t) { return true; }).ok()) return false;
    for (std::uint32_t s = 0; s < options.shards; ++s)
      logs->log(ShardId{static_cast<std::uint16_t>(s)}).follow(true);
    step();
    return true;
  }
  /// As ask(), without another incarnation.
  void ask_again() {
    --incarnation;
    ask();
  }

  MemoryBroker broker;
  MemoryCopy copy;
  SharedLogsOptions options;
  std::unique_ptr<SharedLogs> logs;
  Time now{std::chrono::hours(1)};

  std::uint64_t incarnation;
  bool owns = false;
  Seq seq = 0;
  std::uint64_t chain = 0, epoch = 0;
  Offset next = 0;

  std::vector<Result<ShardLog::Claimed, Fault>> claims;
  std::vector<LogAck> acks;
  std::vector<std::string> doubts;
  std::vector<Batch> fed;
  std::vector<FoldState> places;  // that it was told while others wrote
  std::vector<LogOpened> gifts;
};

/// What counts in the log, by a clean fold from its beginning.
inline std::vector<Seq> counted(MemoryTopic& topic) {
  FoldState state = shared_log_begin();
  std::vector<Seq> seqs;
  Offset offset = 0;
  for (const auto& bytes : topic.of(shard)) {
    const auto folded = fold(state, ++offset, bytes);
    SOUK_ASSERT(folded.ok());
    if (folded->what != Folded::What::events) continue;
    for (Seq s = folded->header.first_seq; s <= folded->header.last_seq(); ++s) seqs.push_back(s);
  }
  return seqs;
}

}  // namespace souk::shared_log_test
