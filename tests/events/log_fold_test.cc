// The fold against hand-made logs, and against a model of its own on random ones: the seeds are
// printed with a failure.
#include "events/log_fold.h"

#include <doctest/doctest.h>

#include <cstdlib>
#include <random>
#include <set>

#include "events/log_records.h"
#include "tests/support/samples.h"

using namespace souk;

namespace {

constexpr UnixMs noon{1'700'000'000'000};

Transaction received(std::size_t events, std::int64_t quantity) {
  Transaction t = test::event_samples()[1].transaction;
  t.events.assign(events, {*Sku::parse("A"), StockReceived{quantity, "reference"}});
  return t;
}

/// One who writes records of a shard, as it believes that the log stands.
struct Owner {
  std::uint64_t epoch = 1;
  std::uint64_t incarnation = 1;
  Seq seq = 0;
  std::uint64_t chain = 0;

  std::string claim() const { return encode(Claim{epoch, incarnation, 1}, noon); }
  std::string noop() const { return encode(Noop{epoch, incarnation, seq + 1, chain}, noon); }
  std::string events(std::size_t count, std::int64_t quantity = 1) {
    BatchHeader header{.epoch = epoch,
                       .incarnation = incarnation,
                       .first_seq = seq + 1,
                       .at = noon,
                       .chain = chain};
    std::string bytes = encode_batch(header, {received(count, quantity)});
    seq = header.last_seq();
    chain = header.chain;
    return bytes;
  }
};

/// Folds records at offsets 0, 1, 2, ...
struct Reader {
  FoldState state{.rules = LogRules::claims};
  Offset offset = 0;

  Folded next(const std::string& bytes) {
    auto folded = fold(state, offset++, bytes);
    if (!folded.ok()) FAIL(folded.error().what);
    return std::move(*folded);
  }
};

}  // namespace

TEST_CASE("fold: the first claim with a higher epoch names the owner, an equal one does not") {
  Reader reader;
  Owner a{.epoch = 2, .incarnation = 11}, b{.epoch = 2, .incarnation = 22};
  CHECK(reader.next(a.claim()).what == Folded::What::nothing);
  CHECK(reader.next(b.claim()).why == Skip::lower_epoch);
  CHECK(reader.next(b.events(1)).why == Skip::foreign);
  CHECK(reader.next(a.events(2)).what == Folded::What::events);
  CHECK(reader.state.seq == 2);
  b = {.epoch = 3, .incarnation = 22, .seq = 2, .chain = a.chain};
  CHECK(reader.next(b.claim()).what == Folded::What::nothing);
  CHECK(reader.next(a.events(1)).why == Skip::lower_epoch);
  CHECK(reader.next(b.events(1)).what == Folded::What::events);
  CHECK(reader.state.seq == 3);
}

TEST_CASE("fold: a transfer counts only of the owner and only upwards") {
  Reader reader;
  Owner a{.epoch = 2, .incarnation = 11};
  reader.next(a.claim());
  CHECK(reader.next(encode(Transfer{2, 99, 5, 22, 1}, noon)).why == Skip::foreign);
  CHECK(reader.next(encode(Transfer{1, 11, 5, 22, 1}, noon)).why == Skip::lower_epoch);
  CHECK(reader.next(encode(Transfer{2, 11, 2, 22, 1}, noon)).why == Skip::lower_epoch);
  CHECK(reader.next(encode(Transfer{2, 11, 5, 22, 1}, noon)).what == Folded::What::nothing);
  CHECK(reader.next(a.events(1)).why == Skip::lower_epoch);
  Owner b{.epoch = 5, .incarnation = 22};
  CHECK(reader.next(b.events(1)).what == Folded::What::events);
}

TEST_CASE("fold: a repeat, and what follows a lost record, is skipped") {
  Reader reader;
  Owner a{.epoch = 2, .incarnation = 11};
  reader.next(a.claim());
  const std::string first = a.events(3);
  const std::string lost = a.events(1);
  CHECK(reader.next(first).what == Folded::What::events);
  CHECK(reader.next(first).why == Skip::out_of_sequence);
  CHECK(reader.next(a.events(1)).why == Skip::out_of_sequence);
  CHECK(reader.next(lost).what == Folded::What::events);
  CHECK(reader.state.seq == 4);
}

TEST_CASE(
    "fold: offsets that were folded are skipped, and a hole is a fault that changes nothing") {
  Reader reader;
  Owner a{.epoch = 2, .incarnation = 11};
  reader.next(a.claim());
  const std::string record = a.events(1);
  const FoldState before = reader.state;
  CHECK(fold(reader.state, 0, record)->why == Skip::folded_before);
  const auto hole = fold(reader.state, 2, record);
  CHECK(hole.error().kind == Fault::Kind::corrupt);
  CHECK(hole.error().what == "records 1 to 1 are missing");
  CHECK(reader.state == before);
  CHECK(fold(reader.state, 1, record)->what == Folded::What::events);
}

TEST_CASE("fold: what the owner wrote and does not continue the chain is a fault") {
  Reader reader;
  Owner a{.epoch = 2, .incarnation = 11};
  reader.next(a.claim());
  reader.next(a.events(1));
  Owner rewritten = a;
  rewritten.chain ^= 1;
  const FoldState before = reader.state;
  CHECK(fold(reader.state, 2, rewritten.events(1)).error().kind == Fault::Kind::corrupt);
  CHECK(fold(reader.state, 2, rewritten.noop()).ok());  // of a later sequence number: skipped
  reader.state = before;
  Owner other = a;
  other.chain ^= 1;
  CHECK(fold(reader.state, 2, other.noop()).error().kind == Fault::Kind::corrupt);
  CHECK(reader.state == before);
  CHECK(fold(reader.state, 2, a.noop())->what == Folded::What::nothing);
  CHECK(fold(reader.state, 3, a.noop())->what == Folded::What::nothing);
  CHECK(reader.state.seq == 1);
}

TEST_CASE("fold: a record in parts counts with its last part, also after a restart within it") {
  Reader reader;
  Owner a{.epoch = 2, .incarnation = 11};
  reader.next(a.claim());
  const std::string whole = a.events(40);
  const auto parts = encode_chunks(whole, 300);
  REQUIRE(parts.size() > 3);
  for (std::size_t i = 0; i + 1 < parts.size(); ++i) {
    CHECK(reader.next(parts[i]).what == Folded::What::nothing);
    CHECK(reader.state.seq == 0);
    const auto restored = decode_fold_state(encode(reader.state));
    REQUIRE(restored);
    CHECK(*restored == reader.state);
    reader.state = *restored;
  }
  const Folded last = reader.next(parts.back());
  CHECK(last.what == Folded::What::events);
  CHECK(last.payload() == record_payload(whole));
  CHECK(decode_transactions(last.header, last.payload())->front().events.size() == 40);
  CHECK(reader.state.seq == 40);
  CHECK(reader.state.partial == PartialRecord{});
}

TEST_CASE("fold: parts are dropped by a claim that counts, and left by one that does not") {
  Reader reader;
  Owner a{.epoch = 2, .incarnation = 11};
  reader.next(a.claim());
  Owner again = a;
  const auto parts = encode_chunks(a.events(40), 1'500);
  REQUIRE(parts.size() >= 2);
  reader.next(parts[0]);
  SUBCASE("one that does not") {
    CHECK(reader.next(Owner{.epoch = 2, .incarnation = 22}.claim()).why == Skip::lower_epoch);
    CHECK(reader.next(parts[1]).what != Folded::What::skipped);
    for (std::size_t i = 2; i < parts.size(); ++i) reader.next(parts[i]);
    CHECK(reader.state.seq == 40);
  }
  SUBCASE("one that does") {
    again.epoch = 3;
    CHECK(reader.next(again.claim()).what == Folded::What::nothing);
    CHECK(reader.state.partial == PartialRecord{});
    CHECK(reader.next(parts[1]).why == Skip::lower_epoch);
    CHECK(reader.next(again.events(1)).what == Folded::What::events);
  }
  SUBCASE("a part out of place") {
    CHECK(reader.next(parts[0]).what == Folded::What::nothing);  // from the beginning
    CHECK(reader.next(parts.back()).why ==
          (parts.size() == 2 ? Skip::none : Skip::part_out_of_place));
    if (parts.size() > 2) CHECK(reader.next(parts[1]).why == Skip::part_out_of_place);
  }
}

TEST_CASE("fold: a log of one writer goes on in a higher epoch without a claim") {
  FoldState state;
  Owner a{.epoch = 1, .incarnation = 11};
  const std::string first = a.events(3);
  CHECK(fold(state, 1, first)->what == Folded::What::events);
  CHECK(fold(state, 1, first)->why == Skip::out_of_sequence);
  Owner b{.epoch = 4, .incarnation = 22, .seq = a.seq, .chain = a.chain};
  CHECK(fold(state, 4, b.events(2))->what == Folded::What::events);
  CHECK(state.epoch == 4);
  Owner late{.epoch = 1, .incarnation = 11, .seq = 5, .chain = b.chain};
  CHECK(fold(state, 6, late.events(1))->why == Skip::lower_epoch);
  b.seq += 2;
  const auto hole = fold(state, 8, b.events(1));
  CHECK(hole.error().what == "events 6 to 7 are missing");
}

TEST_CASE("fold: with the first claim a log of one writer becomes a log of owners") {
  FoldState state;
  Owner a{.epoch = 1, .incarnation = 11};
  REQUIRE(fold(state, 1, a.events(5)));
  Owner b{.epoch = 2, .incarnation = 22, .seq = 5, .chain = a.chain};
  REQUIRE(fold(state, 2, b.claim()));
  CHECK(state.rules == LogRules::claims);
  CHECK(fold(state, 3, a.events(1))->why == Skip::lower_epoch);
  Owner c{.epoch = 9, .incarnation = 33, .seq = 5, .chain = b.chain};
  CHECK(fold(state, 4, c.events(1))->why == Skip::foreign);
  CHECK(fold(state, 5, b.events(1))->what == Folded::What::events);
  CHECK(fold(state, 7, b.events(1)).error().kind == Fault::Kind::corrupt);
}

TEST_CASE("fold: a state that cannot be read is a fault") {
  const std::string good = encode(FoldState{.seq = 7});
  CHECK(decode_fold_state(good)->seq == 7);
  CHECK(decode_fold_state(good.substr(0, 71)).error().kind == Fault::Kind::corrupt);
  CHECK(decode_fold_state("").error().kind == Fault::Kind::corrupt);
  std::string newer = good;
  newer[0] = 2;
  CHECK(decode_fold_state(newer).error().kind == Fault::Kind::unsupported);
}

// ---- random logs ----

namespace {

/// A record as the model sees it: no bytes, no chain.
struct Entry {
  enum class Kind { claim, transfer, events, noop, part } kind = Kind::events;
  std::uint64_t epoch = 0, incarnation = 0;
  std::uint64_t to_epoch = 0, to_incarnation = 0;
  Seq first = 0;
  std::size_t count = 0;
  int record = 0;  // which record this is, or is a part of; a repeat has the same
  std::size_t part = 0, parts = 0;
};

/// Which records count, in order: in two passes, where the fold takes one. First who owned the
/// shard from where to where, then what of its own each owner wrote within its reign.
std::vector<int> model(const std::vector<Entry>& log) {
  struct Reign {
    std::size_t from;
    std::uint64_t epoch, incarnation;
  };
  std::vector<Reign> reigns{{0, 0, 0}};
  for (std::size_t i = 0; i < log.size(); ++i) {
    const Entry& e = log[i];
    const Reign now = reigns.back();
    if (e.kind == Entry::Kind::claim && e.epoch > now.epoch)
      reigns.push_back({i, e.epoch, e.incarnation});
    if (e.kind == Entry::Kind::transfer && e.epoch == now.epoch &&
        e.incarnation == now.incarnation && e.to_epoch > now.epoch)
      reigns.push_back({i, e.to_epoch, e.to_incarnation});
  }
  std::vector<int> counted;
  Seq next = 1;
  for (std::size_t r = 0; r < reigns.size(); ++r) {
    const std::size_t to = r + 1 < reigns.size() ? reigns[r + 1].from : log.size();
    std::vector<Entry> parts;
    for (std::size_t i = reigns[r].from; i < to; ++i) {
      const Entry& e = log[i];
      const bool own = e.epoch == reigns[r].epoch && e.incarnation == reigns[r].incarnation;
      if (!own) continue;
      if (e.kind == Entry::Kind::part) {
        const bool starts = e.first == next && e.part == 0;
        const bool goes_on = e.first == next && !parts.empty() && e.part == parts.size() &&
                             parts.front().record == e.record;
        if (starts) parts.clear();
        if (starts || goes_on)
          parts.push_back(e);
        else
          parts.clear();
        if (parts.empty() || parts.size() < e.parts) continue;
      } else if (e.kind != Entry::Kind::events || e.first != next) {
        continue;
      }
      parts.clear();
      counted.push_back(e.record);
      next += e.count;
    }
  }
  return counted;
}

/// Makes a log in which owners come and go, some without knowing that they are deposed.
class Chaos {
 public:
  explicit Chaos(std::uint64_t seed) : dice_(seed) {}

  void run(std::size_t steps) {
    for (std::size_t i = 0; i < steps; ++i) step();
  }
  std::vector<Entry> log;
  std::vector<std::string> bytes;

 private:
  std::uint64_t roll(std::uint64_t n) { return dice_() % n; }

  void put(const Entry& entry, const std::string& record) {
    if (roll(12) == 0) return;  // lost on its way
    const std::uint64_t copies = roll(10) == 0 ? 2 : 1;
    for (std::uint64_t i = 0; i < copies; ++i) {
      log.push_back(entry);
      bytes.push_back(record);
    }
  }

  void step() {
    if (owners_.empty() || roll(9) == 0) return claim();
    // By index: a claim within the parts of a record adds owners.
    const std::size_t who = roll(3) == 0 ? roll(owners_.size()) : owners_.size() - 1;
    Owner owner = owners_[who];
    act(owner);
    owners_[who] = owner;
  }

  void act(Owner& owner) {
    switch (roll(8)) {
      case 0:
        return put({.kind = Entry::Kind::noop,
                    .epoch = owner.epoch,
                    .incarnation = owner.incarnation,
                    .first = owner.seq + 1},
                   owner.noop());
      case 1:
        return roll(2) == 0 ? stranger() : transfer(owner);
      case 2:
      case 3:
        return parts(owner);
      case 4:
        return again();
      default:
        return events(owner);
    }
  }

  /// A node reads the log to its end, and claims an epoch that may be taken.
  void claim() {
    Reader reader = read();
    Owner owner{.epoch = std::max<std::uint64_t>(reader.state.epoch + roll(3), 1),
                .incarnation = 1 + roll(4),
                .seq = 0,
                .chain = 0};
    if (!claimed_.insert({owner.epoch, owner.incarnation}).second) return;
    put({.kind = Entry::Kind::claim, .epoch = owner.epoch, .incarnation = owner.incarnation},
        owner.claim());
    begin_if_owner(owner);
  }

  void transfer(const Owner& owner) {
    Owner heir{.epoch = owner.epoch + roll(3), .incarnation = 1 + roll(4), .seq = 0, .chain = 0};
    if (!claimed_.insert({heir.epoch, heir.incarnation}).second) return;
    const Transfer given{owner.epoch, owner.incarnation, heir.epoch, heir.incarnation, 1};
    put({.kind = Entry::Kind::transfer,
         .epoch = owner.epoch,
         .incarnation = owner.incarnation,
         .to_epoch = heir.epoch,
         .to_incarnation = heir.incarnation},
        encode(given, noon));
    begin_if_owner(heir);
  }

  /// Nobody writes in an epoch before it is theirs; many go on after it was.
  void begin_if_owner(Owner owner) {
    const Reader reader = read();
    if (reader.state.epoch != owner.epoch || reader.state.incarnation != owner.incarnation) return;
    owner.seq = reader.state.seq;
    owner.chain = *reader.state.chain;
    owners_.push_back(owner);
  }

  Reader read() const {
    Reader reader;
    for (const auto& record : bytes) reader.next(record);
    return reader;
  }

  void stranger() {
    Owner owner{.epoch = 1 + roll(20), .incarnation = 99, .seq = roll(30), .chain = roll(1'000)};
    events(owner);
  }

  Entry begin(const Owner& owner, std::size_t count) {
    return {.epoch = owner.epoch,
            .incarnation = owner.incarnation,
            .first = owner.seq + 1,
            .count = count,
            .record = ++records_};
  }

  void events(Owner& owner) {
    const std::size_t count = 1 + roll(3);
    const Entry entry = begin(owner, count);
    put(entry, owner.events(count, entry.record));
  }

  /// The parts of a record; a crash may cut them off.
  void parts(Owner& owner) {
    const std::size_t count = 1 + roll(3);
    Entry entry = begin(owner, count);
    entry.kind = Entry::Kind::part;
    const auto all = encode_chunks(owner.events(count, entry.record), 80);
    entry.parts = all.size();
    const std::size_t written = roll(3) == 0 ? roll(all.size()) : all.size();
    for (entry.part = 0; entry.part < written; ++entry.part) {
      put(entry, all[entry.part]);
      if (roll(6) == 0) claim();
    }
  }

  /// A record from some time ago, once more.
  void again() {
    if (log.empty()) return;
    const std::size_t i = roll(log.size());
    const Entry entry = log[i];
    put(entry, std::string(bytes[i]));
  }

  std::mt19937_64 dice_;
  std::vector<Owner> owners_;
  std::set<std::pair<std::uint64_t, std::uint64_t>> claimed_;
  int records_ = 0;
};

std::uint64_t first_seed() {
  const char* text = std::getenv("SOUK_FOLD_SEED");
  return text ? std::strtoull(text, nullptr, 10) : 1;
}

}  // namespace

TEST_CASE("fold: on random logs it counts what the model counts, wherever a reader stops") {
  std::size_t counted = 0, skipped = 0, reigns = 0;
  for (std::uint64_t seed = first_seed(); seed < first_seed() + 300; ++seed) {
    CAPTURE(seed);
    Chaos chaos(seed);
    chaos.run(60);
    const std::vector<int> expected = model(chaos.log);
    std::mt19937_64 dice(seed);
    Reader reader;
    std::vector<int> found;
    for (std::size_t i = 0; i < chaos.bytes.size(); ++i) {
      const std::uint64_t epoch = reader.state.epoch;
      const Folded folded = reader.next(chaos.bytes[i]);
      reigns += epoch != reader.state.epoch ? 1 : 0;
      if (folded.what == Folded::What::skipped) ++skipped;
      if (folded.what == Folded::What::events) {
        const auto events = decode_transactions(folded.header, folded.payload());
        REQUIRE(events);
        const auto& payload = events->front().events.front().payload;
        found.push_back(static_cast<int>(std::get<StockReceived>(payload).quantity));
      }
      if (dice() % 5 == 0) reader.state = *decode_fold_state(encode(reader.state));
    }
    REQUIRE(found == expected);
    counted += found.size();
  }
  CHECK(counted > 300);  // the logs are about something
  CHECK(skipped > 300);
  CHECK(reigns > 300);
}

TEST_CASE("fold: a log of one writer is folded as it was before there were claims") {
  for (std::uint64_t seed = first_seed(); seed < first_seed() + 300; ++seed) {
    CAPTURE(seed);
    std::mt19937_64 dice(seed);
    FoldState state;
    Owner owner;
    Seq seq = 0;
    std::uint64_t epoch = 0;
    std::vector<std::pair<Seq, std::string>> left;  // behind by a commit that failed
    for (int i = 0; i < 40; ++i) {
      std::pair<Seq, std::string> record;
      if (dice() % 6 == 0) {
        ++owner.epoch;
        owner.incarnation = dice();
      }
      if (!left.empty() && dice() % 3 == 0) {
        record = left[dice() % left.size()];
      } else {
        Owner failed = owner;
        const Seq first = owner.seq + 1;
        record = {first, owner.events(1 + dice() % 3)};
        if (dice() % 3 == 0) left.emplace_back(first, failed.events(1 + dice() % 3));
      }
      const BatchHeader header = *decode_batch_header(record.second);
      const bool passed_over = header.first_seq <= seq || header.epoch < epoch;
      const auto folded = fold(state, record.first, record.second);
      REQUIRE(folded);
      REQUIRE((folded->what == Folded::What::skipped) == passed_over);
      if (passed_over) continue;
      seq = header.last_seq();
      epoch = header.epoch;
      REQUIRE(state.seq == seq);
      REQUIRE(state.epoch == epoch);
      REQUIRE(*state.chain == header.chain);
    }
  }
}
