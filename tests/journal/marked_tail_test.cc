// The end of a log as a node writes it: each append closes with the marks of the other stores.
#include "events/journal/anchor.h"
#include "events/journal/wal_tail.h"
#include "tests/journal/journal_support.h"

using namespace souk;
using namespace souk::test;

TEST_CASE("tail: a bit of the last append of a node is damage, a cut one is torn") {
  const TemporaryDirectory directory(Medium::memory);
  StoreMarks marks;
  RocksDbJournalOptions options;
  options.marks = &marks;
  Writer writer(shard, "");  // a record that ends in zeros but for its mark
  auto journal = open_journal(directory.path(), options);
  REQUIRE(write(*journal, {writer.next(1)}));
  const fs::path file = newest(directory.path(), ".log");
  const std::size_t before = read_file(file).find_last_not_of('\0') + 1;
  REQUIRE(write(*journal, {writer.next(1)}));
  std::string log = read_file(file);
  log.resize(log.find_last_not_of('\0') + 1);
  REQUIRE(wal_end(log).end == WalEnd::clean);
  const std::string room(600, '\0');
  for (std::size_t at = before; at < log.size(); ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      CAPTURE(at - before);
      CAPTURE(bit);
      std::string changed = log;
      changed[at] = static_cast<char>(changed[at] ^ 1 << bit);
      CHECK(wal_end(changed + room).end == WalEnd::damaged);
    }
  }
  for (std::size_t size = before + 1; size < log.size(); ++size) {
    CAPTURE(size - before);
    CHECK(wal_end(log.substr(0, size) + room).end == WalEnd::torn);
    CHECK(wal_end(log.substr(0, size)).end == WalEnd::torn);
  }
}
