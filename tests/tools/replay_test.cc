#include "tools/souk/replay/replay.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "events/event_json.h"
#include "events/json_writer.h"
#include "events/log_records.h"
#include "tests/support/golden_log.h"
#include "tests/support/samples.h"

using namespace souk;
using namespace souk::cli;
namespace fs = std::filesystem;

namespace {

const fs::path golden = fs::path(SOUK_SOURCE_DIR) / "tests/golden/log";

/// Logs in memory.
class MemorySource final : public LogSource, private Journal {
 public:
  explicit MemorySource(std::vector<std::vector<std::string>> logs) : logs_(std::move(logs)) {}
  std::string name() const override { return "memory"; }
  std::uint32_t shards() const override { return static_cast<std::uint32_t>(logs_.size()); }
  Result<std::uint64_t, Fault> records(ShardId shard) override { return logs_[shard.value].size(); }
  Journal& journal() override { return *this; }

 private:
  Status read(ShardId shard, Offset from, const Visit& visit) override {
    const auto& log = logs_[shard.value];
    for (std::size_t i = from < 1 ? 0 : from - 1; i < log.size(); ++i)
      if (!visit(i + 1, log[i])) break;
    return Done{};
  }
  Status scan(ShardId shard, Seq, const Visit& visit) override { return read(shard, 1, visit); }

  std::vector<std::vector<std::string>> logs_;
};

class Watch final : public ReplayWatch {
 public:
  std::uint64_t of = 0, done = 0;
  void begin(std::uint64_t records) override { of = records; }
  void read(std::uint64_t records, std::uint64_t) override { done = records; }
};

struct Run {
  Replayed done;
  std::string lines;
  Watch watch;
};

Run replayed(std::vector<std::vector<std::string>> logs, ReplayOrder order = {}) {
  MemorySource source(std::move(logs));
  if (order.shards.empty())
    for (std::uint16_t s = 0; s < source.shards(); ++s) order.shards.push_back(ShardId{s});
  Run outcome;
  order.lines = [&](std::string_view lines) {
    outcome.lines += lines;
    return true;
  };
  auto done = replay(source, order, outcome.watch);
  REQUIRE(done.ok());
  outcome.done = std::move(*done);
  return outcome;
}

std::string read_file(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string joined(const std::vector<std::string>& records) {
  std::string all;
  for (const auto& record : records) all += record;
  return all;
}

/// The words behind numbers that events store, for readers in other languages.
std::string words() {
  std::string out;
  JsonObject all(out);
  const auto table = [&](const char* name, int end, const auto& word_of, std::string_view unknown) {
    JsonObject words(all.key(name));
    for (int i = 0; i < end; ++i)
      if (const std::string_view word = word_of(i); word != unknown)
        words.plain(std::to_string(i), word);
    words.end();
  };
  table(
      "kinds", 256, [](int i) { return kind_name(static_cast<Kind>(i)); }, "unknown");
  table(
      "outcomes", 256, [](int i) { return outcome_text(static_cast<souk::Outcome>(i)); }, "");
  table(
      "refusals", 1'000, [](int i) { return refusal_code(static_cast<Refusal>(i)); }, "refused");
  all.end();
  return out + "\n";
}

std::size_t type(const char* name) { return *parse_event_type(name); }

}  // namespace

TEST_CASE("replay: the golden log and its events stay what they are") {
  const auto logs = test::golden_log();
  const std::string lines = replayed(logs).lines;
  if (std::getenv("SOUK_WRITE_GOLDEN") != nullptr) {
    fs::create_directories(golden);
    for (std::size_t s = 0; s < logs.size(); ++s)
      if (const auto path = golden / ("shard_" + std::to_string(s) + ".bin"); !fs::exists(path))
        std::ofstream(path, std::ios::binary) << joined(logs[s]);
    if (!fs::exists(golden / "events.jsonl"))
      std::ofstream(golden / "events.jsonl", std::ios::binary) << lines;
    std::ofstream(golden / "words.json", std::ios::binary) << words();  // words may be added
  }
  CHECK(read_file(golden / "shard_0.bin") == joined(logs[0]));
  CHECK(read_file(golden / "shard_1.bin") == joined(logs[1]));
  CHECK(read_file(golden / "events.jsonl") == lines);
  CHECK(read_file(golden / "words.json") == words());
}

TEST_CASE("replay: counts what counts, and why the rest does not") {
  const auto logs = test::golden_log();
  const auto outcome = replayed(logs);
  const Replayed& done = outcome.done;
  CHECK(done.sound());
  REQUIRE(done.shards.size() == 2);
  const ReplayCounts& first = done.shards[0].counts;
  CHECK(first.records() == logs[0].size());
  CHECK(first.counted_as(BatchType::claim) == 2);
  CHECK(first.counted_as(BatchType::transfer) == 1);
  CHECK(first.counted_as(BatchType::noop) == 1);
  CHECK(first.counted_as(BatchType::events) == 3);
  CHECK(first.counted_as(BatchType::chunk) == 14);
  const auto skipped = [&](Skip why) { return first.skipped[static_cast<std::size_t>(why)]; };
  CHECK(skipped(Skip::foreign) == 1);
  CHECK(skipped(Skip::out_of_sequence) == 1);
  CHECK(skipped(Skip::lower_epoch) == 2);
  CHECK(skipped(Skip::part_out_of_place) == 1);
  CHECK(first.all_skipped() == 5);
  CHECK(done.shards[0].last_seq == first.events);
  CHECK(done.shards[1].counts.transactions == 3);
  CHECK(done.shards[1].counts.events == 4);
  CHECK(done.shards[1].counts.by_type[type("product_defined")] == 3);
  CHECK(done.shards[1].counts.first == UnixMs{1'764'583'200'007});
  CHECK(done.all.events == first.events + 4);
  CHECK(done.all.first == UnixMs{1'314'789'900'123});
  CHECK(done.all.last == UnixMs{1'764'583'200'007});
  CHECK(done.all.records() == logs[0].size() + logs[1].size());
  CHECK(outcome.watch.done == outcome.watch.of);
  CHECK(std::ranges::count(outcome.lines, '\n') == static_cast<std::ptrdiff_t>(done.all.events));
}

TEST_CASE("replay: one type of one shard is what it is asked for") {
  const auto outcome =
      replayed(test::golden_log(), {.shards = {ShardId{1}}, .types = {type("stock_received")}});
  CHECK(outcome.done.shards.size() == 1);
  CHECK(outcome.done.all.events == 1);
  CHECK(outcome.done.all.transactions == 1);
  CHECK(outcome.lines.find(R"("seq":2,)") != std::string::npos);
  CHECK(outcome.lines.find(R"("type":"stock_received")") != std::string::npos);
  CHECK(std::ranges::count(outcome.lines, '\n') == 1);
}

TEST_CASE("replay: what is sealed is written out as it is sealed, and no token of a payment") {
  const auto outcome = replayed(test::golden_log());
  CHECK(outcome.lines.find(R"("sealed_email":"c2VhbGVkIGVtYWls")") != std::string::npos);
  CHECK(outcome.lines.find(R"("sealed_name":"YW5vdGhlciBuYW1l")") != std::string::npos);
  CHECK(outcome.lines.find(R"("sealed_address":"c2VhbGVkIGFkZHJlc3M=")") != std::string::npos);
  CHECK(outcome.lines.find("tok_1") == std::string::npos);
}

TEST_CASE("replay: a log that is broken says where, and the next is read") {
  auto logs = test::golden_log();
  SUBCASE("a byte of a record is another") { logs[0][2][60] ^= 1; }
  SUBCASE("a record follows another than the one before") {
    logs[0][2][40] ^= 1;
    test::seal(logs[0][2]);
  }
  const auto outcome = replayed(logs);
  CHECK_FALSE(outcome.done.sound());
  REQUIRE(outcome.done.shards.size() == 2);
  REQUIRE(outcome.done.shards[0].broken);
  CHECK(outcome.done.shards[0].broken->what.find("journal of shard 0, record at ") == 0);
  CHECK(outcome.done.shards[0].counts.events == 0);
  CHECK(outcome.done.shards[1].counts.events == 4);
}

TEST_CASE("replay: to verify finds a key that took effect twice, and reads the log twice") {
  ReplayOrder order{.shards = {}, .verifies = true};
  const auto outcome = replayed(test::golden_log(), order);
  REQUIRE(outcome.done.audit);
  CHECK(outcome.watch.done == outcome.watch.of);
  CHECK(outcome.done.audit->events == outcome.done.all.events);
  CHECK_FALSE(outcome.done.sound());  // the samples share one key
  REQUIRE_FALSE(outcome.done.audit->violations.empty());
  CHECK(outcome.done.audit->violations[0].promise == "P2");
}

TEST_CASE("replay: who takes no more lines ends it") {
  MemorySource source(test::golden_log());
  Watch watch;
  int calls = 0;
  ReplayOrder order{.shards = {ShardId{0}, ShardId{1}}};
  order.lines = [&](std::string_view) { return ++calls, false; };
  REQUIRE(replay(source, order, watch).ok());
  CHECK(calls == 1);
}
