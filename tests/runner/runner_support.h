#pragma once
/// A log on a real journal, and a read model that counts.
#include <doctest/doctest.h>

#include <atomic>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <mutex>
#include <thread>

#include "events/journal/rocksdb_journal.h"
#include "projections/runner/projection_set.h"
#include "tests/support/one_writer.h"
#include "tests/support/temporary_directory.h"

namespace souk::test {

using std::chrono::milliseconds;

/// What the engine does for the runner: durable batches, then the feed.
class Log {
 public:
  static constexpr std::uint32_t shards = 4;
  Log(const fs::path& folder, std::size_t recent_bytes) : recent(shards, recent_bytes) {
    auto opened = RocksDbJournal::open(folder / "journal");
    REQUIRE(opened.ok());
    journal = std::move(*opened);
  }
  /// One event of `sku`: `quantity` pieces arrive under `reference`.
  void receive(ShardId shard, const std::string& sku, std::int64_t quantity,
               const std::string& reference = "r") {
    write(shard, {{*Sku::parse(sku), StockReceived{quantity, reference}}});
  }
  void write(ShardId shard, std::vector<Event> events) {
    std::vector<Batch> batches;
    batches.push_back(next(shard, std::move(events)));
    REQUIRE(souk::test::write(*journal, batches).ok());
    recent.committed(std::move(batches));
  }
  /// The next record of the shard, which is nowhere yet.
  Batch next(ShardId shard, std::vector<Event> events) {
    auto& end = ends_[shard.value];
    Transaction t;
    t.at = UnixMs{1'700'000'000'000 + static_cast<std::int64_t>(end.seq)};
    t.events = std::move(events);
    BatchHeader header;
    header.epoch = 1;
    header.first_seq = end.seq + 1;
    header.chain = end.chain;
    std::string bytes = encode_batch(header, {t});
    end = {header.last_seq(), header.chain};
    return {.shard = shard,
            .first_seq = header.first_seq,
            .last_seq = header.last_seq(),
            .epoch = 1,
            .chain = header.chain,
            .bytes = std::move(bytes)};
  }
  LogSource source() { return {*journal, recent}; }
  std::vector<std::pair<ShardId, Seq>> end() const {
    std::vector<std::pair<ShardId, Seq>> all;
    for (std::uint16_t s = 0; s < shards; ++s) all.push_back({{s}, recent.last_seq({s})});
    return all;
  }

  std::unique_ptr<RocksDbJournal> journal;
  RecentLog recent;

 private:
  struct End {
    Seq seq = 0;
    std::uint64_t chain = 0;
  };
  std::map<std::uint16_t, End> ends_;
};

/// Asks as the gateway's query workers do.
inline bool reaches(const ProjectionRunner& runner,
                    const std::vector<std::pair<ShardId, Seq>>& wanted, milliseconds patience) {
  const auto give_up = std::chrono::steady_clock::now() + patience;
  while (!runner.reached(wanted)) {
    if (std::chrono::steady_clock::now() >= give_up) return false;
    std::this_thread::sleep_for(milliseconds(2));
  }
  return true;
}

/// What the tests do to all copies of the model.
struct Switches {
  std::atomic<bool> poisoned{false};  // an event with the reference "poison" is one
  std::atomic<bool> throwing{false};  // an event with the reference "throw" makes it throw
  std::atomic<bool> failing{false};   // commits fail
  std::atomic<int> failed{0};         // that many did
  std::atomic<bool> damaged{false};   // commits of the first copy find it damaged
  std::atomic<int> slow_us{0};        // per event, asleep
  std::atomic<bool> held{false};      // the next event takes until it is let go
  std::atomic<int> busy_us{0};        // per event, of the processor
  std::atomic<int> opened{0};
  std::atomic<std::int64_t> commit_after{0};   // events that it wants in one commit; 0: never mind
  std::atomic<std::int64_t> committed_max{0};  // the most that one had
};

/// Sums of pieces by SKU; content and checkpoint in one file, replaced at each commit.
class Tally final : public Projection {
 public:
  Tally(const fs::path& folder, Switches& switches) : file_(folder / "tally"), switches_(switches) {
    fs::create_directories(folder);
    std::ifstream in(file_, std::ios::binary);
    std::size_t bytes = 0, count = 0;
    if (!(in >> bytes >> count)) return;
    in.get();
    checkpoint_.resize(bytes);
    in.read(checkpoint_.data(), static_cast<std::streamsize>(bytes));
    for (std::string sku; count > 0; --count) {
      std::int64_t pieces = 0;
      in >> sku >> pieces;
      sums_[sku] = pieces;
    }
  }
  Result<Done, Poison> apply(const EventAt& event) override {
    while (switches_.held) std::this_thread::sleep_for(milliseconds(1));
    if (const int us = switches_.slow_us)
      std::this_thread::sleep_for(std::chrono::microseconds(us));
    if (const int us = switches_.busy_us) {
      const auto used = [] { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; };
      for (const double from = used(); used() - from < us / 1e6;) {
      }
    }
    const auto* received = std::get_if<StockReceived>(&event.event().payload);
    if (!received) return Done{};
    if (switches_.poisoned && received->reference == "poison")
      return Poison{"pieces that nobody can count"};
    const std::lock_guard lock(mutex_);
    sums_[std::string(event.event().entity.id())] += received->quantity;
    ++uncommitted_;
    if (switches_.throwing && received->reference == "throw") throw std::runtime_error("oh no");
    return Done{};
  }
  bool wants_commit() const override {
    return switches_.commit_after > 0 && uncommitted_ >= switches_.commit_after;
  }
  Status commit(std::string_view checkpoint) override {
    if (switches_.failing) {
      ++switches_.failed;
      return Fault{Fault::Kind::full, "no room for the tally"};
    }
    if (switches_.damaged && file_.parent_path().filename() == "000001")
      return Fault{Fault::Kind::corrupt, "a page of the tally is damaged"};
    checkpoint_ = checkpoint;
    switches_.committed_max = std::max<std::int64_t>(switches_.committed_max, uncommitted_);
    uncommitted_ = 0;
    const fs::path next = file_.string() + ".next";
    {
      std::ofstream out(next, std::ios::binary);
      out << checkpoint_.size() << ' ' << sums_.size() << '\n' << checkpoint_;
      for (const auto& [sku, pieces] : sums_) out << sku << ' ' << pieces << '\n';
    }
    fs::rename(next, file_);
    return Done{};
  }
  std::string checkpoint() const override { return checkpoint_; }
  Result<std::uint64_t, Fault> digest() override {
    std::string all;
    for (const auto& [sku, pieces] : sums()) all += sku + ' ' + std::to_string(pieces) + '\n';
    return stable_hash(all);
  }
  std::map<std::string, std::int64_t> sums() const {
    const std::lock_guard lock(mutex_);
    return sums_;
  }

 private:
  fs::path file_;
  Switches& switches_;
  std::string checkpoint_;
  std::int64_t uncommitted_ = 0;
  mutable std::mutex mutex_;
  std::map<std::string, std::int64_t> sums_;
};

inline ProjectionKind tally_kind(Switches& switches, std::uint32_t version = 1) {
  return {
      .name = "tally",
      .version = version,
      .open = [&switches](const fs::path& folder) -> Result<std::shared_ptr<Projection>, Fault> {
        ++switches.opened;
        if (fs::exists(folder / "broken")) return Fault{Fault::Kind::corrupt, "it is broken"};
        return std::shared_ptr<Projection>(std::make_shared<Tally>(folder, switches));
      }};
}

inline std::map<std::string, std::int64_t> sums(const ProjectionRunner& runner) {
  const auto model = std::dynamic_pointer_cast<Tally>(runner.model());
  return model ? model->sums() : std::map<std::string, std::int64_t>{};
}

/// Waits, at most a minute: on a busy machine things come late, not never.
template <class Condition>
bool eventually(Condition&& condition) {
  for (int i = 0; i < 12'000; ++i) {
    if (condition()) return true;
    std::this_thread::sleep_for(milliseconds(5));
  }
  return false;
}

}  // namespace souk::test
