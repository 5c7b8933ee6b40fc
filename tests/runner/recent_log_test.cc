/// The feed between the one writer and its readers, on threads.
#include "projections/runner/recent_log.h"

#include <doctest/doctest.h>

#include <random>
#include <thread>

using namespace souk;
using std::chrono::milliseconds;

namespace {

Batch batch(Seq seq, std::size_t bytes = 10) {
  return {.shard = {0},
          .first_seq = seq,
          .last_seq = seq,
          .epoch = 1,
          .chain = 0,
          .bytes = std::string(bytes, 'x')};
}
std::vector<Batch> commit_of(Seq first, Seq last) {
  std::vector<Batch> batches;
  for (Seq seq = first; seq <= last; ++seq) batches.push_back(batch(seq));
  return batches;
}
std::vector<Seq> seqs(const RecentLog::Reader::Run& run) {
  std::vector<Seq> all;
  for (const auto& one : run.batches) all.push_back(one->batch().first_seq);
  return all;
}

}  // namespace

TEST_CASE("recent log: each reader has everything from where it joined, in order, in parts") {
  RecentLog log(1, 1'000'000);
  log.committed(commit_of(1, 3));  // nobody reads
  RecentLog::Reader early(log);
  log.committed(commit_of(4, 5));
  log.committed(commit_of(6, 6));
  RecentLog::Reader late(log);
  log.committed(commit_of(7, 8));
  CHECK(seqs(early.read(2)) == std::vector<Seq>{4, 5});
  CHECK(seqs(early.read(2)) == std::vector<Seq>{6, 7});
  CHECK(seqs(late.read(9)) == std::vector<Seq>{7, 8});
  const auto rest = early.read(9);
  CHECK(seqs(rest) == std::vector<Seq>{8});
  CHECK_FALSE(rest.lost);
  CHECK(early.read(9).batches.empty());
  CHECK(log.last_seq({0}) == 8);
}

TEST_CASE("recent log: whoever is too slow is told, the others lose nothing, memory is bounded") {
  RecentLog log(1, 1'000);
  RecentLog::Reader slow(log), fast(log);
  std::vector<Seq> seen;
  for (Seq seq = 1; seq <= 500; ++seq) {
    log.committed(commit_of(seq, seq));
    if (seq % 20 != 0) continue;
    const auto run = fast.read(1'000);
    CHECK_FALSE(run.lost);
    for (const Seq one : seqs(run)) seen.push_back(one);
  }
  REQUIRE(seen.size() == 500);
  const auto run = slow.read(1'000);
  CHECK(run.lost);
  CHECK(run.batches.size() <= 100);
  CHECK(run.batches.size() >= 80);
  CHECK(seqs(run).back() == 500);
  CHECK_FALSE(slow.read(10).lost);
}

TEST_CASE("recent log: what writers decided is not decoded, unless too much of it waits") {
  const auto received = [](std::int64_t quantity) {
    Transaction t;
    t.events.push_back({*Sku::parse("a"), StockReceived{quantity, "r"}});
    return std::vector<Transaction>{t};
  };
  BatchHeader header;
  header.epoch = header.first_seq = 1;
  const std::string bytes = encode_batch(header, received(1));
  // So that they can be told apart, what is said to be decided differs from the bytes.
  const auto commit = [&] {
    Batch one = batch(1);
    one.bytes = bytes;
    one.transactions = received(2);
    std::vector<Batch> batches;
    batches.push_back(std::move(one));
    return batches;
  };
  const auto seen = [](const RecentBatch& recent) {
    const auto& decoded = recent.decoded();
    REQUIRE(decoded.ok());
    CHECK(decoded->header.first_seq == 1);
    return std::get<StockReceived>(decoded->transactions.at(0).events.at(0).payload).quantity;
  };
  RecentLog log(1, 4 * bytes.size());
  RecentLog::Reader reader(log), other(log);
  for (int i = 0; i < 3; ++i) log.committed(commit());
  const auto run = reader.read(3);
  REQUIRE(run.batches.size() == 3);
  CHECK(seen(*run.batches[0]) == 2);
  CHECK(seen(*run.batches[0]) == 2);
  CHECK(seen(*other.read(1).batches[0]) == 2);
  CHECK(seen(*run.batches[1]) == 2);
  CHECK(seen(*run.batches[2]) == 1);
}

TEST_CASE(
    "recent log: on threads no reader misses anything, sleeps through it, or stops the writer") {
  constexpr Seq last = 60'000;
  RecentLog log(1, 20'000);
  std::atomic<int> overslept{0}, gaps{0};
  const auto read_all = [&](unsigned seed) {
    std::mt19937 random(seed);
    Seq at = 0;
    while (at < last) {
      RecentLog::Reader reader(log);
      at = std::max(at, log.last_seq({0}));  // what the journal would give
      for (auto turns = 1 + random() % 200; turns > 0 && at < last; --turns) {
        const auto asleep = std::chrono::steady_clock::now();
        reader.wait(milliseconds(60'000));
        if (std::chrono::steady_clock::now() - asleep > milliseconds(30'000)) ++overslept;
        const auto run = reader.read(1 + random() % 50);
        for (const Seq seq : seqs(run)) {
          // What was committed while it joined may come once more; a gap only where it is told.
          if (seq > at + 1 && !run.lost) ++gaps;
          at = std::max(at, seq);
        }
      }
    }
  };
  std::vector<std::thread> readers;
  for (unsigned seed = 1; seed <= 3; ++seed) readers.emplace_back(read_all, seed);
  std::mt19937 random(7);
  for (Seq seq = 1; seq <= last;) {
    const Seq to = std::min<Seq>(last, seq + random() % 5);
    log.committed(commit_of(seq, to));
    seq = to + 1;
    if (random() % 50 == 0) std::this_thread::yield();
  }
  for (auto& reader : readers) reader.join();
  CHECK(overslept == 0);
  CHECK(gaps == 0);
}
