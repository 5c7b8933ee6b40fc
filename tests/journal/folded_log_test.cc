#include "events/journal/folded_log.h"

#include "tests/journal/journal_support.h"

using namespace souk;
using namespace souk::test;

namespace {

std::vector<Seq> firsts(Journal& journal, FoldState& state) {
  std::vector<Seq> seen;
  const auto status = fold_log(
      journal, shard, state,
      [&](const BatchHeader& header, const std::vector<Transaction>&) -> Result<Visited, Fault> {
        seen.push_back(header.first_seq);
        return Visited::go_on;
      });
  if (!status.ok()) FAIL(status.error().what);
  return seen;
}

}  // namespace

TEST_CASE("folded log: a reader goes on where its state stands, and stops before what it may not") {
  const TemporaryDirectory directory;
  auto journal = open_journal(directory.path());
  Writer writer(shard);
  for (const std::size_t events : {2, 3, 1}) REQUIRE(write(*journal, {writer.next(events)}));
  FoldState state;
  const auto to_four = [](const BatchHeader& header,
                          const std::vector<Transaction>&) -> Result<Visited, Fault> {
    return header.last_seq() > 4 ? Visited::stop_before : Visited::go_on;
  };
  REQUIRE(fold_log(*journal, shard, state, to_four));
  CHECK(state.seq == 2);
  CHECK(firsts(*journal, state) == std::vector<Seq>{3, 6});
  CHECK(state.seq == 6);
  CHECK(firsts(*journal, state).empty());
}

TEST_CASE("folded log: a fault names shard and record, and leaves the state before it") {
  const TemporaryDirectory directory;
  auto journal = open_journal(directory.path());
  Writer writer(shard);
  REQUIRE(write(*journal, {writer.next(2)}));
  (void)writer.next(2);  // lost
  REQUIRE(write(*journal, {writer.next(2)}));
  FoldState state;
  const auto all = [](const BatchHeader&,
                      const std::vector<Transaction>&) -> Result<Visited, Fault> {
    return Visited::go_on;
  };
  const auto status = fold_log(*journal, shard, state, all);
  CHECK(status.error().kind == Fault::Kind::corrupt);
  CHECK(status.error().what == "journal of shard 5, record at 5: events 3 to 4 are missing");
  CHECK(state.seq == 2);
}

TEST_CASE("anchor: a journal that has the record is taken, one that does not is refused in words") {
  const TemporaryDirectory directory;
  auto journal = open_journal(directory.path());
  Writer writer(shard);
  REQUIRE(write(*journal, {writer.next(2)}));
  const Batch second = writer.next(3);
  REQUIRE(write(*journal, {second}));
  const auto look = [&](Seq seq, std::optional<std::uint64_t> chain) {
    return check_anchor(*journal, shard, seq, chain, "states/");
  };
  CHECK(look(0, 99).ok());
  CHECK(look(5, second.chain).ok());
  CHECK(look(5, std::nullopt).ok());
  CHECK(look(5, second.chain + 1).error().kind == Fault::Kind::mismatch);
  CHECK(look(4, std::nullopt).error().kind == Fault::Kind::mismatch);  // within a record
  const auto beyond = look(6, 1);
  CHECK(beyond.error().kind == Fault::Kind::mismatch);
  CHECK(beyond.error().what.find("states/ knows event 6 of shard 5") != std::string::npos);
  CHECK(beyond.error().what.find("journal/ ends before it") != std::string::npos);
  (void)writer.next(2);  // lost
  REQUIRE(write(*journal, {writer.next(1)}));
  CHECK(look(7, 1).error().what.find("a hole there") != std::string::npos);
}

TEST_CASE("folded log: one who joins late is not shown what a former owner left behind") {
  const TemporaryDirectory directory;
  auto journal = open_journal(directory.path());
  Writer writer(shard);
  for (int i = 0; i < 6; ++i) REQUIRE(write(*journal, {writer.next(1'000)}));
  FoldState state = joined_before(5'500);
  CHECK(state.seq == 5'500 - limits::batch_events_max - 1);
  CHECK(firsts(*journal, state) == std::vector<Seq>{1'001, 2'001, 3'001, 4'001, 5'001});
  CHECK(joined_before(4'097) == FoldState{});
}
