#include <doctest/doctest.h>
#include <signal.h>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <thread>

#include "events/rocksdb_journal.h"
#include "samples.h"

using namespace souk;
namespace fs = std::filesystem;

namespace {

constexpr ShardId shard{5};

/// A directory of its own for each test, gone afterwards.
class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string name = (fs::temp_directory_path() / "souk-journal-XXXXXX").string();
    REQUIRE(mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  ~TemporaryDirectory() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  const fs::path& path() const { return path_; }
  fs::path journal() const { return path_ / "journal"; }

 private:
  fs::path path_;
};

/// Everything that the journal logs while this lives.
class CapturedLog {
 public:
  CapturedLog() {
    auto sink = std::make_shared<spdlog::sinks::ostream_sink_mt>(text_);
    spdlog::drop("journal");
    spdlog::register_logger(std::make_shared<spdlog::logger>("journal", sink));
  }
  ~CapturedLog() { spdlog::drop("journal"); }
  std::string text() const { return text_.str(); }

 private:
  std::ostringstream text_;
};

/// Writes the records of one shard as its owner would: the sequence and the chain run on.
class Writer {
 public:
  explicit Writer(ShardId of, std::string reference = "r") : shard_(of), reference_(reference) {}

  Batch next(std::size_t events) {
    Transaction transaction = test::event_samples()[1].transaction;
    transaction.events.clear();
    for (std::size_t i = 0; i < events; ++i) {
      transaction.events.push_back({*Sku::parse("A"), StockReceived{1, reference_}});
    }
    BatchHeader header;
    header.epoch = 1;
    header.first_seq = next_seq_;
    header.chain = chain_;
    std::string bytes = encode_batch(header, {transaction});
    next_seq_ = header.last_seq() + 1;
    chain_ = header.chain;
    return {.shard = shard_,
            .first_seq = header.first_seq,
            .last_seq = header.last_seq(),
            .epoch = header.epoch,
            .chain = header.chain,
            .bytes = std::move(bytes)};
  }

 private:
  ShardId shard_;
  std::string reference_;
  Seq next_seq_ = 1;
  std::uint64_t chain_ = 0;
};

std::unique_ptr<RocksDbJournal> open_journal(const fs::path& directory,
                                             const RocksDbJournalOptions& options = {}) {
  auto opened = RocksDbJournal::open(directory, options);
  if (!opened) FAIL(opened.error().what);
  return std::move(*opened);
}

Status write(Journal& journal, const std::vector<Batch>& batches) {
  Status result = Fault{Fault::Kind::unavailable, "never called back"};
  journal.write(batches, [&](Status status) { result = std::move(status); });
  return result;
}

struct Seen {
  Status status = Done{};
  std::vector<Seq> firsts;
  std::vector<std::string> bytes;
};
Seen scan(Journal& journal, ShardId of = shard, Seq from = 0) {
  Seen seen;
  seen.status = journal.scan(of, from, [&](Seq first, std::string_view bytes) {
    seen.firsts.push_back(first);
    seen.bytes.emplace_back(bytes);
    return true;
  });
  return seen;
}

std::string read_file(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}
void write_file(const fs::path& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}
/// The newest file with this ending that is not empty.
fs::path newest(const fs::path& directory, const char* ending) {
  fs::path found;
  for (const auto& entry : fs::directory_iterator(directory)) {
    if (entry.path().extension() != ending || entry.file_size() == 0) continue;
    found = std::max(found, entry.path());
  }
  REQUIRE_FALSE(found.empty());
  return found;
}

/// A closed journal of `count` records of one event, all of them still in its log.
std::vector<Batch> make_journal(const fs::path& directory, int count) {
  Writer writer(shard);
  auto journal = open_journal(directory);
  std::vector<Batch> batches;
  for (int i = 0; i < count; ++i) {
    batches.push_back(writer.next(1));
    REQUIRE(write(*journal, {batches.back()}));
  }
  return batches;
}

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
std::size_t write_until_failure(Journal& journal, Writer& writer, Status& failure) {
  for (std::size_t count = 0; count < 10'000; ++count) {
    failure = write(journal, {writer.next(1)});
    if (!failure) return count;
  }
  FAIL("the disk never failed");
  return 0;
}

}  // namespace

TEST_CASE("journal: what was written is there after a restart, byte for byte") {
  const TemporaryDirectory temporary;
  const auto batches = make_journal(temporary.journal(), 5);
  for (int restart = 0; restart < 2; ++restart) {
    const auto journal = open_journal(temporary.journal());
    const Seen seen = scan(*journal);
    REQUIRE(seen.status);
    REQUIRE(seen.bytes.size() == 5);
    for (std::size_t i = 0; i < 5; ++i) CHECK(seen.bytes[i] == batches[i].bytes);
    CHECK(seen.firsts == std::vector<Seq>{1, 2, 3, 4, 5});
  }
}

TEST_CASE("journal: a scan begins at the record that holds the sequence number") {
  const TemporaryDirectory temporary;
  const auto journal = open_journal(temporary.journal());
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
  const auto journal = open_journal(temporary.journal());
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
  const auto journal = open_journal(temporary.journal());
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
  make_journal(temporary.journal(), 5);
  const auto journal = open_journal(temporary.journal());
  int visited = 0;
  CHECK(journal->scan(shard, 0, [&](Seq, std::string_view) { return ++visited < 2; }));
  CHECK(visited == 2);
}

TEST_CASE("journal: records that have left the memory are still there, in order") {
  const TemporaryDirectory temporary;
  RocksDbJournalOptions small;
  small.write_buffer_bytes = 64 * 1024;
  {
    const auto journal = open_journal(temporary.journal(), small);
    Writer writer(shard, std::string(8'000, 'x'));
    for (int i = 0; i < 100; ++i) REQUIRE(write(*journal, {writer.next(1)}));
    CHECK(journal->bytes_on_disk() > 0);
  }
  const auto journal = open_journal(temporary.journal(), small);
  CHECK(newest(temporary.journal(), ".sst") != fs::path{});
  CHECK(scan(*journal).firsts.size() == 100);
}

TEST_CASE("journal: a directory has one owner at a time") {
  const TemporaryDirectory temporary;
  auto first = open_journal(temporary.journal());
  const auto second = RocksDbJournal::open(temporary.journal());
  REQUIRE_FALSE(second);
  CHECK(second.error().kind == Fault::Kind::locked);
  first.reset();
  CHECK(RocksDbJournal::open(temporary.journal()));
}

TEST_CASE("journal: opened to read only, a stopped directory is shown and left as it was") {
  const TemporaryDirectory temporary;
  CHECK_FALSE(RocksDbJournal::open_read_only(temporary.journal()));
  CHECK_FALSE(fs::exists(temporary.journal()));
  const auto batches = make_journal(temporary.journal(), 3);
  const std::string log = read_file(newest(temporary.journal(), ".log"));
  auto opened = RocksDbJournal::open_read_only(temporary.journal());
  REQUIRE(opened);
  CHECK(scan(**opened).bytes.size() == 3);
  CHECK(write(**opened, {batches[0]}).error().kind == Fault::Kind::unavailable);
  CHECK((*opened)->settle().error().kind == Fault::Kind::unavailable);
  CHECK(scan(**opened).bytes.size() == 3);
  CHECK(read_file(newest(temporary.journal(), ".log")) == log);
}

TEST_CASE("journal: a torn end is dropped with a warning, and all before it is kept") {
  const TemporaryDirectory temporary;
  const auto batches = make_journal(temporary.journal(), 5);
  const fs::path log = newest(temporary.journal(), ".log");
  const std::string whole = read_file(log);
  const std::size_t record_bytes = whole.size() / 5;
  for (const std::size_t cut : {std::size_t{1}, record_bytes / 2, record_bytes - 8}) {
    CAPTURE(cut);
    const fs::path copy = temporary.path() / std::to_string(cut);
    fs::copy(temporary.journal(), copy, fs::copy_options::recursive);
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

TEST_CASE("journal: a flipped byte of the log is refused, wherever it stands") {
  const TemporaryDirectory temporary;
  const CapturedLog captured;
  make_journal(temporary.journal(), 4);
  const fs::path log = newest(temporary.journal(), ".log");
  const std::string whole = read_file(log);
  const std::size_t record_bytes = whole.size() / 4;
  const fs::path copy = temporary.path() / "copy";
  const auto check_refused = [&](std::size_t at, int mask) {
    CAPTURE(at);
    CAPTURE(mask);
    fs::remove_all(copy);
    fs::copy(temporary.journal(), copy, fs::copy_options::recursive);
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
  make_journal(temporary.journal(), 50);
  open_journal(temporary.journal());  // recovery makes a table of the log
  const fs::path table = newest(temporary.journal(), ".sst");
  std::string bad = read_file(table);
  bad[20] = static_cast<char>(bad[20] ^ 1);  // in the first block of data
  write_file(table, bad);
  const auto opened = RocksDbJournal::open(temporary.journal());
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
  const auto journal = open_journal(temporary.journal());
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
    const auto journal = open_journal(temporary.journal());
    Writer writer(shard, std::string(10'000, 'x'));
    Status failure = Done{};
    {
      const FileSizeLimit limit(300'000);
      write_until_failure(*journal, writer, failure);
    }
    REQUIRE(journal->settle());
    stable = scan(*journal);
  }
  CHECK(scan(*open_journal(temporary.journal())).bytes == stable.bytes);
}

TEST_CASE("journal: a first write that fails leaves nothing that a restart trips over") {
  const TemporaryDirectory temporary;
  const CapturedLog captured;
  const auto journal = open_journal(temporary.journal());
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
    MESSAGE("skipped: no right to mount a tmpfs here");
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
  make_journal(temporary.journal(), 200);
  const auto journal = open_journal(temporary.journal());
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
