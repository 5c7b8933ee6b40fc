#include <doctest/doctest.h>

#include "events/journal/rocksdb_journal.h"
#include "tests/journal/journal_support.h"

using namespace souk;
using namespace souk::test;

TEST_CASE("journal: what was written is there after a restart, byte for byte") {
  const TemporaryDirectory temporary;
  const auto batches = make_journal(temporary / "journal", 5);
  for (int restart = 0; restart < 2; ++restart) {
    const auto journal = open_journal(temporary / "journal");
    const Seen seen = scan(*journal);
    REQUIRE(seen.status);
    REQUIRE(seen.bytes.size() == 5);
    for (std::size_t i = 0; i < 5; ++i) CHECK(seen.bytes[i] == batches[i].bytes);
    CHECK(seen.firsts == std::vector<Seq>{1, 2, 3, 4, 5});
  }
}

TEST_CASE("journal: a scan begins at the record that holds the sequence number") {
  const TemporaryDirectory temporary;
  const auto journal = open_journal(temporary / "journal");
  Writer writer(shard);
  REQUIRE(write(*journal, {writer.next(3), writer.next(1), writer.next(4)}));  // 1-3, 4, 5-8
  CHECK(scan(*journal, shard, 0).firsts == std::vector<Seq>{1, 4, 5});
  CHECK(scan(*journal, shard, 1).firsts == std::vector<Seq>{1, 4, 5});
  CHECK(scan(*journal, shard, 3).firsts == std::vector<Seq>{1, 4, 5});
  CHECK(scan(*journal, shard, 4).firsts == std::vector<Seq>{4, 5});
  CHECK(scan(*journal, shard, 5).firsts == std::vector<Seq>{5});
  CHECK(scan(*journal, shard, 8).firsts == std::vector<Seq>{5});
  CHECK(scan(*journal, shard, 9).firsts.empty());
  CHECK(scan(*journal, shard, ~Seq{0}).firsts.empty());
}

TEST_CASE("journal: shards do not see each other, and one write may hold many") {
  const TemporaryDirectory temporary;
  const auto journal = open_journal(temporary / "journal");
  Writer low(ShardId{0});
  Writer middle(ShardId{255});
  Writer high(ShardId{limits::shards_max - 1});
  REQUIRE(write(*journal, {high.next(1), low.next(2), middle.next(3)}));
  REQUIRE(write(*journal, {low.next(1)}));
  CHECK(scan(*journal, ShardId{0}).firsts == std::vector<Seq>{1, 3});
  CHECK(scan(*journal, ShardId{255}).firsts == std::vector<Seq>{1});
  CHECK(scan(*journal, ShardId{256}).firsts.empty());
  CHECK(scan(*journal, ShardId{limits::shards_max - 1}).firsts == std::vector<Seq>{1});
  CHECK(scan(*journal, ShardId{255}, 4).firsts.empty());
}

TEST_CASE("journal: sequence numbers beyond one byte stay in order") {
  const TemporaryDirectory temporary;
  const auto journal = open_journal(temporary / "journal");
  Writer writer(shard);
  std::vector<Batch> batches;
  for (int i = 0; i < 600; ++i) batches.push_back(writer.next(1));
  REQUIRE(write(*journal, batches));
  const Seen seen = scan(*journal, shard, 250);
  REQUIRE(seen.firsts.size() == 351);
  for (std::size_t i = 0; i < seen.firsts.size(); ++i) CHECK(seen.firsts[i] == 250 + i);
}

TEST_CASE("journal: a visitor that says no ends the scan") {
  const TemporaryDirectory temporary;
  make_journal(temporary / "journal", 5);
  const auto journal = open_journal(temporary / "journal");
  int visited = 0;
  CHECK(journal->scan(shard, 0, [&](Seq, std::string_view) { return ++visited < 2; }));
  CHECK(visited == 2);
}

TEST_CASE("journal: records that have left the memory are still there, in order") {
  const TemporaryDirectory temporary;
  RocksDbJournalOptions small;
  small.write_buffer_bytes = 64 * 1024;
  {
    const auto journal = open_journal(temporary / "journal", small);
    Writer writer(shard, std::string(8'000, 'x'));
    for (int i = 0; i < 100; ++i) REQUIRE(write(*journal, {writer.next(1)}));
    CHECK(journal->bytes_on_disk() > 0);
  }
  const auto journal = open_journal(temporary / "journal", small);
  CHECK(newest(temporary / "journal", ".sst") != fs::path{});
  CHECK(scan(*journal).firsts.size() == 100);
}

TEST_CASE("journal: a directory has one owner at a time") {
  const TemporaryDirectory temporary;
  auto first = open_journal(temporary / "journal");
  const auto second = RocksDbJournal::open(temporary / "journal");
  REQUIRE_FALSE(second);
  CHECK(second.error().kind == Fault::Kind::locked);
  first.reset();
  CHECK(RocksDbJournal::open(temporary / "journal"));
}

TEST_CASE("journal: opened to read only, a stopped directory is shown and left as it was") {
  const TemporaryDirectory temporary;
  CHECK_FALSE(RocksDbJournal::open_read_only(temporary / "journal"));
  CHECK_FALSE(fs::exists(temporary / "journal"));
  const auto batches = make_journal(temporary / "journal", 3);
  const std::string log = read_file(newest(temporary / "journal", ".log"));
  auto opened = RocksDbJournal::open_read_only(temporary / "journal");
  REQUIRE(opened);
  CHECK(scan(**opened).bytes.size() == 3);
  CHECK(write(**opened, {batches[0]}).error().kind == Fault::Kind::unavailable);
  CHECK((*opened)->settle().error().kind == Fault::Kind::unavailable);
  CHECK(scan(**opened).bytes.size() == 3);
  CHECK(read_file(newest(temporary / "journal", ".log")) == log);
}
