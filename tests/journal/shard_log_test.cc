// The log per shard over a real journal, with a store between them that fails when told to.
#include <array>
#include <atomic>
#include <map>
#include <optional>
#include <random>
#include <thread>
#include <utility>

#include "events/journal/group_commit.h"
#include "events/log_fold.h"
#include "events/log_records.h"
#include "tests/journal/journal_support.h"

using namespace souk;
using namespace souk::test;

namespace {

/// The journal, but for writes that fail: of some nothing came to the disk, of others all did.
class FailingStore final : public LogStore {
 public:
  explicit FailingStore(LogStore& store) : store_(store) {}
  enum class Fate { whole, lost, landed };

  Status put(const std::vector<Batch>& entries) override {
    ++puts;
    const Fate fate = std::exchange(next, Fate::whole);
    if (fate != Fate::lost) REQUIRE(store_.put(entries).ok());
    if (fate == Fate::whole) return Done{};
    unsettled_ = true;
    return Fault{Fault::Kind::unavailable, "the disk failed"};
  }
  Status settle() override {
    if (settles_that_fail > 0) {
      --settles_that_fail;
      return Fault{Fault::Kind::full, "the disk is full"};
    }
    unsettled_ = false;
    return Done{};
  }
  Status read(ShardId shard, Offset from, const Visit& visit) override {
    return store_.read(shard, from, visit);
  }
  Status scan(ShardId shard, Seq from, const Visit& visit) override {
    return store_.scan(shard, from, visit);
  }
  Result<bool, Fault> last(ShardId shard, const Visit& visit) override {
    return store_.last(shard, visit);
  }

  Fate next = Fate::whole;
  int settles_that_fail = 0;
  int puts = 0;

 private:
  LogStore& store_;
  bool unsettled_ = false;
};

/// What an owner hears.
struct Ears {
  std::vector<LogAck> acks;
  int doubts = 0;
};

/// Hears for all shards.
struct AllEars final : LogListener {
  void landed(ShardId shard, const std::vector<LogAck>& more) override {
    CHECK(inside);
    auto& acks = of[shard.value].acks;
    acks.insert(acks.end(), more.begin(), more.end());
  }
  void doubted(ShardId shard, const Fault&) override {
    CHECK(inside);
    ++of[shard.value].doubts;
  }
  void written(std::vector<Batch>&& records, std::chrono::nanoseconds) override {
    for (auto& record : records) fed.push_back(std::move(record));
  }
  void found(std::vector<Batch>&& records) override {
    for (auto& record : records) fed.push_back(std::move(record));
  }
  void begins() override { inside = true; }
  void ends() override { inside = false; }
  std::map<std::uint16_t, Ears> of;
  std::vector<Batch> fed;
  bool inside = false;
};

struct Place {
  Place() : journal(open_journal(home.path())), store(*journal) { open(); }
  void open() {
    auto opened = GroupCommit::open(store, 8);
    if (!opened.ok()) FAIL(opened.error().what);
    group = std::move(*opened);
    group->listen(ears);
  }
  std::optional<ShardLog::Claimed> claim(ShardId of, std::uint64_t incarnation = 7) {
    std::optional<ShardLog::Claimed> claimed;
    group->log(of).claim(incarnation, [&](auto result) {
      if (result.ok()) claimed = *result;
    });
    for (int i = 0; i < 10 && !claimed; ++i) group->step();
    return claimed;
  }
  FoldState fold_all(ShardId of) {
    FoldState state;
    const auto status = group->log(of).tail(0, [&](Offset offset, std::string_view bytes) {
      const auto folded = fold(state, offset, bytes);
      if (!folded.ok()) FAIL(folded.error().what);
      return true;
    });
    REQUIRE(status.ok());
    return state;
  }

  TemporaryDirectory home{Medium::memory};
  std::unique_ptr<RocksDbJournal> journal;
  FailingStore store;
  AllEars ears;
  std::unique_ptr<GroupCommit> group;
};

/// Writes as an owner does, from what the log's fold says.
struct Owner {
  FoldState at;
  Batch next() {
    BatchHeader header{.epoch = at.epoch,
                       .incarnation = at.incarnation,
                       .first_seq = at.seq + 1,
                       .at = {},
                       .chain = *at.chain};
    std::string bytes = encode_batch(header, {event_samples()[1].transaction});
    at.seq = header.last_seq();
    at.chain = header.chain;
    return {.shard = {},
            .offset = {},
            .first_seq = header.first_seq,
            .last_seq = header.last_seq(),
            .epoch = header.epoch,
            .chain = header.chain,
            .bytes = std::move(bytes)};
  }
};

constexpr ShardId other{6};
constexpr std::array<std::uint16_t, 3> some_shards{2, 5, 6};

}  // namespace

TEST_CASE("log: many appends are one write, acknowledged in order at dense offsets") {
  Place p;
  Ears& ears = p.ears.of[shard.value];
  const auto claimed = p.claim(shard);
  REQUIRE(claimed);
  CHECK(claimed->epoch == 1);
  CHECK(claimed->end == 2);
  Owner owner{p.fold_all(shard)};
  const int puts = p.store.puts;
  for (LogTicket ticket = 1; ticket <= 5; ++ticket)
    CHECK(p.group->log(shard).append(owner.next()) == ticket);
  CHECK(ears.acks.empty());
  CHECK(p.group->step());
  CHECK_FALSE(p.group->step());
  CHECK(p.store.puts == puts + 1);
  REQUIRE(ears.acks.size() == 5);
  for (std::size_t i = 0; i < 5; ++i) {
    CHECK(ears.acks[i].ticket == i + 1);
    CHECK(ears.acks[i].offset == claimed->end + i);
  }
  CHECK(p.fold_all(shard).seq == owner.at.seq);
}

TEST_CASE("log: records of a log of one writer are continued behind their last key") {
  Place p;
  Writer writer(shard);
  const Batch first = writer.next(4), second = writer.next(3);
  REQUIRE(write(*p.journal, {first, second}));  // keys 1 and 5, events to 7
  p.open();
  const auto claimed = p.claim(shard);
  REQUIRE(claimed);
  CHECK(claimed->epoch == 2);
  CHECK(claimed->end == 7);
  const FoldState state = p.fold_all(shard);
  CHECK(state.rules == LogRules::claims);
  CHECK(state.seq == 7);
  Owner owner{state};
  p.group->log(shard).append(owner.next());
  CHECK(p.group->step());
  CHECK(p.fold_all(shard).seq == owner.at.seq);
}

TEST_CASE("log: after a doubt the claim says what landed, and other shards are not concerned") {
  for (const auto fate : {FailingStore::Fate::lost, FailingStore::Fate::landed}) {
    Place p;
    Ears &ears = p.ears.of[shard.value], &others = p.ears.of[other.value];
    REQUIRE(p.claim(shard));
    REQUIRE(p.claim(other));
    Owner owner{p.fold_all(shard)}, neighbour{p.fold_all(other)};
    const Seq before = owner.at.seq;
    p.group->log(shard).append(owner.next());
    p.store.next = fate;
    p.store.settles_that_fail = 2;
    CHECK(p.group->step());
    CHECK(ears.doubts == 1);
    CHECK(others.doubts == 0);
    p.group->log(shard).append(owner.next());  // in doubt: never lands
    CHECK(p.group->step());
    CHECK(p.group->step());
    p.group->log(other).append(neighbour.next());  // it settles now
    CHECK(others.acks.empty());
    const auto claimed = p.claim(shard);
    REQUIRE(claimed);
    CHECK(claimed->epoch == 2);
    CHECK(ears.acks.empty());
    CHECK(others.acks.size() == 1);
    const bool landed = fate == FailingStore::Fate::landed;
    // Readers hear of what landed, once the store is sound, and of no claim.
    REQUIRE(p.ears.fed.size() == (landed ? 2 : 1));
    CHECK(p.ears.fed[0].shard == (landed ? shard : other));
    CHECK(p.ears.fed[0].offset == 2);
    const FoldState state = p.fold_all(shard);
    CHECK(state.seq == before + (landed ? 1 : 0));
    CHECK(state.epoch == 2);
    CHECK(claimed->end == state.next_offset);
    owner = {state};
    const LogTicket ticket = p.group->log(shard).append(owner.next());
    CHECK(p.group->step());
    REQUIRE(ears.acks.size() == 1);
    CHECK(ears.acks[0].ticket == ticket);
    CHECK(ears.acks[0].offset == claimed->end);
  }
}

TEST_CASE("log: while the disk goes on failing, who waits for it is in doubt at once") {
  Place p;
  REQUIRE(p.claim(shard));
  REQUIRE(p.claim(other));
  Owner owner{p.fold_all(shard)}, neighbour{p.fold_all(other)};
  p.group->log(shard).append(owner.next());
  p.store.next = FailingStore::Fate::lost;
  p.store.settles_that_fail = 1;
  CHECK(p.group->step());
  p.group->log(other).append(neighbour.next());
  CHECK(p.group->step());
  CHECK(p.ears.of[other.value].doubts == 1);
  REQUIRE(p.claim(other));
  CHECK(p.ears.of[other.value].acks.empty());
  CHECK(p.fold_all(other).seq == 0);
}

TEST_CASE("log: a claim that was in doubt itself is made again, in a higher epoch") {
  for (const auto fate : {FailingStore::Fate::lost, FailingStore::Fate::landed}) {
    Place p;
    p.store.next = fate;
    const auto claimed = p.claim(shard, 9);
    REQUIRE(claimed);
    CHECK(claimed->epoch == (fate == FailingStore::Fate::landed ? 2 : 1));
    const FoldState state = p.fold_all(shard);
    CHECK(state.epoch == claimed->epoch);
    CHECK(state.incarnation == 9);
    CHECK(state.next_offset == claimed->end);
  }
}

TEST_CASE("log: a closed one claims nothing") {
  Place p;
  std::optional<Fault> refused;
  const auto hear = [&](Result<ShardLog::Claimed, Fault> result) {
    if (!result.ok()) refused = result.error();
  };
  p.group->log(shard).claim(1, hear);
  p.group->stop();
  REQUIRE(refused);
  CHECK(refused->kind == Fault::Kind::unavailable);
  refused.reset();
  p.group->log(shard).claim(1, hear);
  CHECK(refused);
}

TEST_CASE("log: whatever fails, what is acknowledged is in the fold, in order and once") {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    CAPTURE(seed);
    std::mt19937_64 dice(seed);
    Place p;
    std::map<std::uint16_t, Owner> owners;
    auto& ears = p.ears.of;
    std::map<std::uint16_t, std::size_t> heard;  // doubts that were dealt with
    std::map<std::uint16_t, std::map<LogTicket, std::uint64_t>> sent;  // its chain
    for (const std::uint16_t s : some_shards) {
      REQUIRE(p.claim({s}, s));
      owners[s] = {p.fold_all({s})};
    }
    for (int i = 0; i < 120; ++i) {
      const std::uint16_t s = some_shards[dice() % 3];
      Owner& owner = owners[s];
      if (dice() % 10 == 0) {
        p.store.next = dice() % 2 ? FailingStore::Fate::lost : FailingStore::Fate::landed;
        p.store.settles_that_fail = static_cast<int>(dice() % 3);
      }
      if (dice() % 3 == 0) p.group->step();
      if (std::cmp_not_equal(ears[s].doubts, heard[s])) {
        REQUIRE(p.claim({s}, 100 + static_cast<std::uint64_t>(i)));
        heard[s] = static_cast<std::size_t>(ears[s].doubts);
        owner = {p.fold_all({s})};
      }
      Batch record = owner.next();
      sent[s][p.group->log({s}).append(std::move(record))] = *owner.at.chain;
    }
    while (p.group->step()) {
    }
    for (const auto& [s, ear] : ears) {
      CAPTURE(s);
      std::map<Offset, std::uint64_t> counted;
      FoldState state;
      const auto status = p.group->log({s}).tail(0, [&](Offset offset, std::string_view bytes) {
        const auto folded = fold(state, offset, bytes);
        if (!folded.ok()) FAIL(folded.error().what);
        if (folded->what == Folded::What::events) counted[offset] = folded->header.chain;
        return true;
      });
      REQUIRE(status.ok());
      Offset last = 0;
      for (const LogAck& ack : ear.acks) {
        REQUIRE(ack.offset > last);
        last = ack.offset;
        REQUIRE(counted.count(ack.offset) == 1);
        REQUIRE(counted[ack.offset] == sent[s][ack.ticket]);
      }
    }
  }
}

TEST_CASE("log: on its own thread an append is acknowledged without a step") {
  Place p;
  Ears& ears = p.ears.of[shard.value];
  REQUIRE(p.claim(shard));
  Owner owner{p.fold_all(shard)};
  p.group->start(p.ears);
  for (int i = 0; i < 200; ++i) p.group->log(shard).append(owner.next());
  p.group->flush();
  std::atomic<bool> claimed{false};
  p.group->log(shard).claim(8, [&](const auto& result) { claimed = result.ok(); });
  while (!claimed) std::this_thread::yield();
  p.group->stop();
  REQUIRE(ears.acks.size() == 200);
  for (std::size_t i = 0; i < 200; ++i) CHECK(ears.acks[i].ticket == i + 1);
  CHECK(p.fold_all(shard).seq == owner.at.seq);
}

TEST_CASE("log: a reader finds an event among claims, where offsets are no event numbers") {
  Place p;
  Writer writer(shard);  // as one writer had it: [1..4] under 1, [5..7] under 5
  REQUIRE(write(*p.journal, {writer.next(4), writer.next(3)}).ok());
  p.open();
  std::map<Seq, Offset> holds;  // event -> its record
  for (Seq s = 1; s <= 7; ++s) holds[s] = s <= 4 ? 1 : 5;
  std::mt19937_64 dice(3);
  for (int life = 0; life < 12; ++life) {
    for (auto claims = 1 + dice() % 4; claims > 0; --claims) REQUIRE(p.claim(shard));
    Owner owner{p.fold_all(shard)};
    for (auto records = dice() % 6; records > 0; --records) {
      Batch record = owner.next();
      const Seq first = record.first_seq, last = record.last_seq;
      p.group->log(shard).append(std::move(record));
      REQUIRE(p.group->step());
      for (Seq s = first; s <= last; ++s) holds[s] = p.ears.fed.back().offset;
    }
  }
  const Seq end = holds.rbegin()->first;
  const FoldState whole = p.fold_all(shard);
  for (Seq from = 0; from <= end + 1; ++from) {
    CAPTURE(from);
    // First come the claims before it, then the record that holds it.
    Offset found = 0;
    FoldState joined;
    joined.seq_known = false;
    joined.chain.reset();
    const auto status = p.journal->scan(shard, from, [&](Offset offset, std::string_view bytes) {
      const auto folded = fold(joined, offset, bytes);
      if (!folded.ok()) FAIL(folded.error().what);
      if (found == 0 && folded->what == Folded::What::events) found = offset;
      return true;
    });
    REQUIRE(status.ok());
    CHECK(found == (from > end ? 0 : holds[std::max<Seq>(from, 1)]));
    if (from > end) continue;
    CHECK(joined.seq == whole.seq);
    CHECK(joined.next_offset == whole.next_offset);
  }
}
