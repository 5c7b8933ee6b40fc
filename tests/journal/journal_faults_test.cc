// Torn ends, flipped bytes, failing and full disks.
#include <doctest/doctest.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>

#include <atomic>
#include <chrono>
#include <thread>

#include "events/journal/rocksdb_scrub.h"
#include "tests/journal/journal_support.h"
#include "tests/support/skips.h"

using namespace souk;
using namespace souk::test;

namespace {

/// The limit on the size of a file, for as long as this lives: a disk that fails.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) : old_handler_(signal(SIGXFSZ, SIG_IGN)) {
    getrlimit(RLIMIT_FSIZE, &old_);
    rlimit now = old_;
    now.rlim_cur = bytes;
    REQUIRE(setrlimit(RLIMIT_FSIZE, &now) == 0);
  }
  ~FileSizeLimit() {
    setrlimit(RLIMIT_FSIZE, &old_);
    signal(SIGXFSZ, old_handler_);
  }

 private:
  rlimit old_{};
  sighandler_t old_handler_;
};

/// A file system of its own that is soon full; needs the right to mount.
class SmallDisk {
 public:
  SmallDisk(const fs::path& at, const char* options) : at_(at) {
    fs::create_directory(at);
    mounted_ = mount("souk-test", at.c_str(), "tmpfs", 0, options) == 0;
  }
  ~SmallDisk() {
    if (mounted_) umount2(at_.c_str(), MNT_DETACH);
  }
  bool mounted() const { return mounted_; }

 private:
  fs::path at_;
  bool mounted_ = false;
};

/// Writes until it fails; the records that were acknowledged.
std::size_t write_until_failure(LogStore& journal, Writer& writer, Status& failure) {
  for (std::size_t count = 0; count < 10'000; ++count) {
    failure = write(journal, {writer.next(1)});
    if (!failure) return count;
  }
  FAIL("the disk never failed");
  return 0;
}

}  // namespace

TEST_CASE("journal: a torn end is dropped with a warning, and all before it is kept") {
  const TemporaryDirectory temporary;
  const auto batches = make_journal(temporary / "journal", 5);
  const fs::path log = newest(temporary / "journal", ".log");
  const std::string whole = read_file(log);
  const std::size_t record_bytes = whole.size() / 5;
  for (const std::size_t cut : {std::size_t{1}, record_bytes / 2, record_bytes - 8}) {
    CAPTURE(cut);
    const fs::path copy = temporary.path() / std::to_string(cut);
    fs::copy(temporary / "journal", copy, fs::copy_options::recursive);
    fs::resize_file(copy / log.filename(), whole.size() - cut);
    {
      const CapturedLog captured;
      const auto journal = open_journal(copy);
      CHECK(captured.text().find("torn end of the log dropped") != std::string::npos);
      CHECK(scan(*journal).firsts == std::vector<Seq>{1, 2, 3, 4});
      REQUIRE(write(*journal, {batches[4]}));
    }
    const CapturedLog captured;
    CHECK(scan(*open_journal(copy)).bytes.size() == 5);
    CHECK(captured.text() == "");
  }
}

TEST_CASE("journal: a copy taken while it is open is whole, and a torn end of it is cut") {
  const TemporaryDirectory temporary;
  const auto journal = open_journal(temporary / "journal");
  Writer writer(shard);
  std::vector<Batch> batches;
  for (int i = 0; i < 5; ++i) {
    batches.push_back(writer.next(3));
    REQUIRE(write(*journal, {batches.back()}));
  }
  const fs::path log = newest(temporary / "journal", ".log");
  const std::string whole = read_file(log);
  const std::size_t used = whole.find_last_not_of('\0') + 1;
  REQUIRE(whole.size() > used + 100'000);  // room was made ahead
  const fs::path copy = temporary.path() / "copy";
  fs::copy(temporary / "journal", copy, fs::copy_options::recursive);
  SUBCASE("whole") {
    const CapturedLog captured;
    CHECK(scan(*open_journal(copy)).firsts.size() == 5);
    CHECK(captured.text() == "");
  }
  SUBCASE("torn") {
    std::string torn = whole;
    std::fill(torn.begin() + static_cast<std::ptrdiff_t>(used - 30),
              torn.begin() + static_cast<std::ptrdiff_t>(used), '\0');
    write_file(copy / log.filename(), torn);
    const CapturedLog captured;
    CHECK(scan(*open_journal(copy)).firsts.size() == 4);
    CHECK(captured.text().find("torn end of the log dropped") != std::string::npos);
  }
}

TEST_CASE("journal: a flipped byte of the log is refused, wherever it stands") {
  const TemporaryDirectory temporary;
  const CapturedLog captured;
  make_journal(temporary / "journal", 4);
  const fs::path log = newest(temporary / "journal", ".log");
  const std::string whole = read_file(log);
  const std::size_t record_bytes = whole.size() / 4;
  const fs::path copy = temporary.path() / "copy";
  const auto check_refused = [&](std::size_t at, int mask) {
    CAPTURE(at);
    CAPTURE(mask);
    fs::remove_all(copy);
    fs::copy(temporary / "journal", copy, fs::copy_options::recursive);
    std::string bad = whole;
    bad[at] = static_cast<char>(bad[at] ^ mask);
    write_file(copy / log.filename(), bad);
    const auto opened = RocksDbJournal::open(copy);
    REQUIRE_FALSE(opened);
    CHECK(opened.error().kind == Fault::Kind::corrupt);
    CHECK(opened.error().what.find("restore the directory from a copy") != std::string::npos);
    CHECK(read_file(copy / log.filename()) == bad);
  };
  for (std::size_t record = 0; record < 4; ++record) {
    for (std::size_t in_header = 0; in_header < 7; ++in_header) {
      check_refused(record * record_bytes + in_header, 0x10);
    }
    check_refused(record * record_bytes + record_bytes / 2, 0x01);
  }
  check_refused(whole.size() - 1, 0x80);
}

TEST_CASE("journal: a flipped byte of a table is refused, at the open or by the scan") {
  const TemporaryDirectory temporary;
  const CapturedLog captured;
  make_journal(temporary / "journal", 50);
  open_journal(temporary / "journal");  // recovery makes a table of the log
  const fs::path table = newest(temporary / "journal", ".sst");
  std::string bad = read_file(table);
  bad[20] = static_cast<char>(bad[20] ^ 1);  // in the first block of data
  write_file(table, bad);
  const auto opened = RocksDbJournal::open(temporary / "journal");
  if (opened) {
    const Seen seen = scan(**opened);
    REQUIRE_FALSE(seen.status);
    CHECK(seen.status.error().kind == Fault::Kind::corrupt);
    CHECK(seen.firsts.empty());
  } else {
    CHECK(opened.error().kind == Fault::Kind::corrupt);
  }
}

TEST_CASE("journal: after a failed write nothing is written until it is settled") {
  const TemporaryDirectory temporary;
  const CapturedLog captured;
  const auto journal = open_journal(temporary / "journal");
  Writer writer(shard, std::string(10'000, 'x'));
  std::size_t acknowledged = 0;
  Status failure = Done{};
  {
    const FileSizeLimit limit(300'000);
    acknowledged = write_until_failure(*journal, writer, failure);
    CHECK(acknowledged > 0);
    CHECK(write(*journal, {writer.next(1)}).error().what.find("not settled") != std::string::npos);
  }
  CHECK_FALSE(write(*journal, {writer.next(1)}));  // the disk is well again, but nobody knows yet
  REQUIRE(journal->settle());
  const Seen stable = scan(*journal);
  REQUIRE(stable.status);
  CHECK(stable.firsts.size() >= acknowledged);
  CHECK(stable.firsts.size() <= acknowledged + 1);
  CHECK(scan(*journal).bytes == stable.bytes);

  Writer other(ShardId{6});
  REQUIRE(write(*journal, {other.next(1)}));
  CHECK(scan(*journal, ShardId{6}).firsts.size() == 1);
}

TEST_CASE("journal: what a settled journal shows is what a restart shows") {
  const TemporaryDirectory temporary;
  const CapturedLog captured;
  Seen stable;
  {
    const auto journal = open_journal(temporary / "journal");
    Writer writer(shard, std::string(10'000, 'x'));
    Status failure = Done{};
    {
      const FileSizeLimit limit(300'000);
      write_until_failure(*journal, writer, failure);
    }
    REQUIRE(journal->settle());
    stable = scan(*journal);
  }
  CHECK(scan(*open_journal(temporary / "journal")).bytes == stable.bytes);
}

TEST_CASE("journal: a first write that fails leaves nothing that a restart trips over") {
  const TemporaryDirectory temporary;
  const CapturedLog captured;
  const auto journal = open_journal(temporary / "journal");
  Writer writer(shard, std::string(100'000, 'x'));
  {
    const FileSizeLimit limit(50'000);
    REQUIRE_FALSE(write(*journal, {writer.next(1)}));
  }
  REQUIRE(journal->settle());
  CHECK(scan(*journal).firsts.empty());
  Writer again(shard);
  REQUIRE(write(*journal, {again.next(1)}));
  CHECK(scan(*journal).firsts.size() == 1);
}

TEST_CASE("journal: a full disk is called full, and goes on when there is room again") {
  const TemporaryDirectory temporary;
  const SmallDisk disk(temporary.path() / "disk", "size=2m");
  if (!disk.mounted()) {
    skipped("mount", "no right to mount a tmpfs here");
    return;
  }
  const CapturedLog captured;
  const fs::path ballast = temporary.path() / "disk" / "ballast";
  write_file(ballast, std::string(1'000'000, 'b'));
  const auto journal = open_journal(temporary.path() / "disk" / "journal");
  Writer writer(shard, std::string(10'000, 'x'));
  Status failure = Done{};
  const std::size_t acknowledged = write_until_failure(*journal, writer, failure);
  CHECK(failure.error().kind == Fault::Kind::full);
  const Status settled = journal->settle();
  REQUIRE_FALSE(settled);
  CHECK(settled.error().kind == Fault::Kind::full);
  CHECK_FALSE(write(*journal, {writer.next(1)}));
  for (int i = 0; i < 3; ++i) {  // however often it is tried in vain, what is there can be read
    const Seen meanwhile = scan(*journal);
    REQUIRE(meanwhile.status);
    CHECK(meanwhile.firsts.size() >= acknowledged);
    CHECK_FALSE(journal->settle());
  }

  fs::remove(ballast);
  REQUIRE(journal->settle());
  const Seen seen = scan(*journal);
  REQUIRE(seen.status);
  CHECK(seen.firsts.size() >= acknowledged);
  Writer other(ShardId{6});
  CHECK(write(*journal, {other.next(1)}));
}

TEST_CASE("journal: scans and a settle may meet, and a scan that gives way says so") {
  const TemporaryDirectory temporary;
  make_journal(temporary / "journal", 200);
  const auto journal = open_journal(temporary / "journal");
  std::atomic<bool> stop{false};
  std::atomic<int> whole{0};
  std::atomic<int> wrong{0};
  std::thread reader([&] {
    while (!stop) {
      const Seen seen = scan(*journal);
      if (seen.status) {
        seen.firsts.size() == 200 ? ++whole : ++wrong;
      } else if (seen.status.error().kind != Fault::Kind::unavailable) {
        ++wrong;
      }
    }
  });
  for (int i = 0; i < 5; ++i) {
    const int before = whole;
    REQUIRE(journal->settle());
    while (whole == before && wrong == 0) std::this_thread::yield();
  }
  stop = true;
  reader.join();
  CHECK(wrong == 0);
}

namespace {

/// A journal of several tables: each life of it leaves one behind. No compaction has come yet.
std::vector<Batch> make_tables(const fs::path& directory, int tables) {
  Writer writer(shard, std::string(2'000, 'r'));
  std::vector<Batch> batches;
  for (int i = 0; i < tables; ++i) {
    auto journal = open_journal(directory);
    for (int k = 0; k < 20; ++k) {
      batches.push_back(writer.next(1));
      REQUIRE(write(*journal, {batches.back()}));
    }
  }
  (void)open_journal(directory);
  return batches;
}

void flip_byte_in_a_table(const fs::path& directory) {
  const fs::path table = newest(directory, ".sst");
  std::string bytes = read_file(table);
  bytes[100] = static_cast<char>(bytes[100] ^ 0x10);
  write_file(table, bytes);
}

}  // namespace

TEST_CASE("journal: a damaged block that a compaction finds stops no append, and is said once") {
  const TemporaryDirectory directory(Medium::memory);
  CapturedLog log;
  make_tables(directory.path(), 3);
  flip_byte_in_a_table(directory.path());
  Writer other(ShardId{6});
  std::string found;
  for (int life = 0; life < 9; ++life) {  // beyond the eighth table they are merged
    auto journal = open_journal(directory.path());
    for (int i = 0; i < 5 || (life == 8 && i < 400 && found.empty()); ++i) {
      REQUIRE(write(*journal, {other.next(1)}));
      found = journal->damage();
      if (life == 8) std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    if (!found.empty()) {
      for (int i = 0; i < 50; ++i) REQUIRE(write(*journal, {other.next(1)}));
      CHECK(scan(*journal, ShardId{6}).status.ok());
      CHECK_FALSE(scan(*journal).status.ok());
      break;
    }
  }
  CHECK(found.find("compaction") != std::string::npos);
  const std::string text = log.text();
  const auto first = text.find("the journal is damaged");
  CHECK(first != std::string::npos);
}

TEST_CASE("journal: a scrub comes round in steps, and finds what recovery does not read") {
  const TemporaryDirectory directory(Medium::memory);
  CapturedLog log;
  make_tables(directory.path(), 2);
  {
    auto journal = open_journal(directory.path());
    int steps = 1;
    for (auto through = journal->scrub(10'000);; through = journal->scrub(10'000), ++steps) {
      REQUIRE(through.ok());
      REQUIRE(steps < 100);
      if (*through) break;
    }
    CHECK(steps > 5);
    CHECK(journal->damage().empty());
    CHECK(*journal->scrub(1 << 20));
  }
  flip_byte_in_a_table(directory.path());
  auto journal = open_journal(directory.path());
  const auto through = journal->scrub(1 << 20);
  CHECK(through.error().kind == Fault::Kind::corrupt);
  CHECK_FALSE(journal->damage().empty());
  Writer other(ShardId{6});
  for (int i = 0; i < 5; ++i) CHECK(write(*journal, {other.next(1)}));
}

TEST_CASE("journal: the tables of a stopped directory are checked block by block") {
  const TemporaryDirectory directory(Medium::memory);
  CapturedLog log;
  make_tables(directory / "data" / "journal", 2);
  CHECK(stores_under(directory.path()) == std::vector<fs::path>{directory / "data" / "journal"});
  CHECK(check_tables(directory / "data" / "journal").ok());
  flip_byte_in_a_table(directory / "data" / "journal");
  CHECK(check_tables(directory / "data" / "journal").error().kind == Fault::Kind::corrupt);
}
