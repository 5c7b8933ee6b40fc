#include "events/shared_log/broker_journal.h"

#include <doctest/doctest.h>

#include "events/log_records.h"
#include "tests/shared_log/memory_broker.h"

using namespace souk;
using namespace souk::shared_log_test;

namespace {

constexpr ShardId shard{0};
const BrokerJournal::Patience none{.silence = std::chrono::milliseconds(0)};

/// A topic that begins as one of Souk does, with two claims behind.
struct Topic {
  MemoryTopic topic;
  MemoryBroker broker{topic};
  Topic() {
    topic.append(shard, encode(Claim{2, 5, 1}, {}));
    topic.append(shard, encode(Claim{3, 6, 2}, {}));
  }
  std::unique_ptr<BrokerJournal> opened() {
    auto journal = BrokerJournal::open(broker, none);
    REQUIRE(journal.ok());
    return std::move(*journal);
  }
};

std::vector<Offset> offsets_of(Journal& journal, Offset from) {
  std::vector<Offset> offsets;
  const auto status = journal.read(shard, from, [&](Offset offset, std::string_view) {
    offsets.push_back(offset);
    return true;
  });
  REQUIRE(status.ok());
  return offsets;
}

}  // namespace

TEST_CASE("broker journal: it ends where the log ended when it was opened") {
  Topic one;
  const auto journal = one.opened();
  one.topic.append(shard, encode(Claim{4, 7, 3}, {}));
  CHECK(journal->ends() == std::vector<Offset>{4});
  CHECK(offsets_of(*journal, 0) == std::vector<Offset>{1, 2, 3});
  CHECK(offsets_of(*journal, 3) == std::vector<Offset>{3});
  CHECK(offsets_of(*journal, 4).empty());
  CHECK_FALSE(one.broker.reads(shard));
}

TEST_CASE("broker journal: it can be read again, and a visit ends it") {
  Topic one;
  const auto journal = one.opened();
  Offset last = 0;
  REQUIRE(journal
              ->scan(shard, 1,
                     [&](Offset offset, std::string_view) {
                       last = offset;
                       return offset < 2;
                     })
              .ok());
  CHECK(last == 2);
  CHECK(offsets_of(*journal, 1) == std::vector<Offset>{1, 2, 3});
}

TEST_CASE("broker journal: what does not begin as a log of Souk is refused") {
  Topic one;
  one.topic.of(shard)[0] = "somebody else's";
  const auto status = one.opened()->read(shard, 1, [](Offset, std::string_view) { return true; });
  REQUIRE_FALSE(status.ok());
  CHECK(status.error().kind == Fault::Kind::mismatch);
}

TEST_CASE("broker journal: brokers that are silent are unavailable") {
  Topic one;
  SUBCASE("no ends") {
    one.broker.answers = false;
    const auto journal = BrokerJournal::open(one.broker, none);
    REQUIRE_FALSE(journal.ok());
    CHECK(journal.error().kind == Fault::Kind::unavailable);
  }
  SUBCASE("no records") {
    const auto journal = one.opened();
    one.topic.of(shard).pop_back();
    const auto status = journal->read(shard, 1, [](Offset, std::string_view) { return true; });
    REQUIRE_FALSE(status.ok());
    CHECK(status.error().kind == Fault::Kind::unavailable);
    CHECK(status.error().what.find("record 3 of shard 0") != std::string::npos);
    CHECK_FALSE(one.broker.reads(shard));
  }
  SUBCASE("records that are gone") {
    const auto journal = one.opened();
    one.topic.of(shard).clear();
    const auto status = journal->read(shard, 2, [](Offset, std::string_view) { return true; });
    REQUIRE_FALSE(status.ok());
    CHECK(status.error().kind == Fault::Kind::corrupt);
  }
}
