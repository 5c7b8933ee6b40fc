#include <random>

#include "runner_support.h"
#include "tests/support/heard.h"

using namespace souk;
using namespace souk::test;

namespace {

constexpr std::size_t much = 1 << 20;
const milliseconds patience(10'000);

struct Place {
  explicit Place(std::size_t recent_bytes = much) : log(home.path(), recent_bytes) {}
  /// Another life of the daemon, as far as the runner is concerned.
  void begin(std::uint32_t version = 1) {
    runner.reset();
    runner = std::make_unique<ProjectionRunner>(tally_kind(switches, version),
                                                home.path() / "tally", log.source());
    runner->start();
  }
  bool caught_up() { return reaches(*runner, log.end(), patience); }

  TemporaryDirectory home{Medium::memory};
  Log log;
  Switches switches;
  std::unique_ptr<ProjectionRunner> runner;
};

}  // namespace

TEST_CASE("runner: what is durable becomes visible, also what was there before it began") {
  Place p;
  for (int i = 0; i < 50; ++i) p.log.receive({1}, "a", 1);
  p.begin();
  REQUIRE(p.caught_up());
  CHECK(sums(*p.runner)["a"] == 50);
  for (int i = 0; i < 50; ++i) p.log.receive({static_cast<std::uint16_t>(i % 4)}, "b", 2);
  REQUIRE(p.caught_up());
  CHECK(sums(*p.runner)["b"] == 100);
  CHECK(p.runner->status().state == ProjectionState::live);
  CHECK(p.runner->status().lag_events == 0);
}

TEST_CASE("runner: it goes on from its checkpoint, with nothing lost or twice") {
  Place p;
  for (int life = 1; life <= 5; ++life) {
    p.begin();
    for (int i = 0; i < 100; ++i) p.log.receive({static_cast<std::uint16_t>(i % 4)}, "a", 1);
    if (life % 2) REQUIRE(p.caught_up());
  }
  REQUIRE(p.caught_up());
  CHECK(sums(*p.runner)["a"] == 500);
}

TEST_CASE("runner: one that falls behind the memory goes to the journal and comes back") {
  Place p(2'000);  // a dozen batches
  p.begin();
  p.switches.slow_us = 300;
  for (int i = 0; i < 3'000; ++i) p.log.receive({static_cast<std::uint16_t>(i % 4)}, "a", 1);
  p.switches.slow_us = 0;
  REQUIRE(p.caught_up());
  CHECK(sums(*p.runner)["a"] == 3'000);
}

TEST_CASE("runner: a poison event makes its entity stale, and the rest goes on") {
  Place p;
  p.switches.poisoned = true;
  p.begin();
  p.log.receive({1}, "a", 1);
  p.log.receive({1}, "bad", 1);
  p.log.receive({1}, "bad", 10, "poison");
  p.log.receive({1}, "bad", 100);
  p.log.receive({1}, "a", 1);
  REQUIRE(p.caught_up());
  CHECK(sums(*p.runner) == std::map<std::string, std::int64_t>{{"a", 2}, {"bad", 1}});
  auto status = p.runner->status();
  CHECK(status.state == ProjectionState::quarantined);
  REQUIRE(status.stale.size() == 1);
  CHECK(status.stale[0].entity == EntityKey(*Sku::parse("bad")));
  CHECK(status.stale[0].seq == 3);
  CHECK(status.stale[0].why == "pieces that nobody can count");
  CHECK(status.stale[0].held == 1);

  SUBCASE("and stays so over a restart") {
    p.begin();
    p.log.receive({1}, "bad", 1'000);
    REQUIRE(p.caught_up());
    CHECK(p.runner->status().stale.at(0).held == 2);
  }
  SUBCASE("a retry that fails again changes nothing") {
    const auto answer = p.runner->mend(Follower::Mend::retry, std::nullopt);
    REQUIRE(answer.ok());
    CHECK(*answer == "0 of 1 stale entities are right again");
    CHECK(sums(*p.runner)["bad"] == 1);
    CHECK(p.runner->status().stale.at(0).held == 1);
  }
  SUBCASE("a retry after the cause is mended takes all of it") {
    p.switches.poisoned = false;
    REQUIRE(p.runner->mend(Follower::Mend::retry, EntityKey(*Sku::parse("bad"))).ok());
    CHECK(sums(*p.runner)["bad"] == 111);
    CHECK(p.runner->status().state == ProjectionState::live);
  }
  SUBCASE("a skip leaves the one out") {
    REQUIRE(p.runner->mend(Follower::Mend::skip, std::nullopt).ok());
    CHECK(sums(*p.runner)["bad"] == 101);
    CHECK(p.runner->status().stale.empty());
  }
  SUBCASE("an entity that is not stale cannot be mended") {
    CHECK_FALSE(p.runner->mend(Follower::Mend::skip, EntityKey(*Sku::parse("a"))).ok());
  }
}

TEST_CASE("runner: a model that throws is opened again, and the event is quarantined") {
  Place p;
  p.switches.throwing = true;
  p.begin();
  p.log.receive({1}, "a", 1);
  p.log.receive({1}, "bad", 10, "throw");
  p.log.receive({1}, "a", 1);
  REQUIRE(p.caught_up());
  CHECK(sums(*p.runner) == std::map<std::string, std::int64_t>{{"a", 2}});
  CHECK(p.runner->status().stale.at(0).why == "oh no");
  p.switches.throwing = false;
  REQUIRE(p.runner->mend(Follower::Mend::retry, std::nullopt).ok());
  CHECK(sums(*p.runner)["bad"] == 10);
}

TEST_CASE("runner: a commit that fails is tried again, and the cause is shown meanwhile") {
  Place p;
  p.begin();
  REQUIRE(p.caught_up());
  p.switches.failing = true;
  p.log.receive({1}, "a", 1);
  CHECK(eventually([&] { return p.runner->status().fault == "no room for the tally"; }));
  CHECK(p.runner->status().lag_events == 1);
  p.switches.failing = false;
  REQUIRE(p.caught_up());
  CHECK(sums(*p.runner)["a"] == 1);
  CHECK(eventually([&] { return p.runner->status().fault.empty(); }));
}

TEST_CASE("runner: commits and rebuilds that go on failing are said once, and that they work") {
  Heard heard;
  Place p;
  p.begin();
  REQUIRE(p.caught_up());
  p.switches.failing = true;
  p.log.receive({1}, "a", 1);
  REQUIRE(eventually([&] { return p.switches.failed >= 4; }));
  p.switches.failing = false;
  REQUIRE(p.caught_up());
  CHECK(eventually([&] { return heard.count("it works again, after: projection fails") == 1; }));
  CHECK(heard.count("warning projection fails projection=tally") == 1);

  const fs::path in_the_way = p.home.path() / "tally" / "CURRENT.next";
  fs::create_symlink(p.home.path() / "no such folder" / "file", in_the_way);
  for (int i = 0; i < 4; ++i) {
    REQUIRE(p.runner->rebuild().ok());
    REQUIRE(eventually([&] { return !p.runner->status().rebuild; }));
  }
  fs::remove(in_the_way);
  REQUIRE(p.runner->rebuild().ok());
  REQUIRE(eventually([&] { return !p.runner->status().rebuild; }));
  CHECK(heard.count("warning projection's rebuild failed projection=tally") == 1);
  CHECK(heard.count("it works again, after: projection's rebuild failed faults=4") == 1);
}

TEST_CASE("runner: damage that shows only in a write has the model built anew") {
  Place p;
  p.begin();
  for (int i = 0; i < 100; ++i) p.log.receive({1}, "a", 1);
  REQUIRE(p.caught_up());
  p.switches.damaged = true;
  p.log.receive({1}, "a", 1);
  REQUIRE(p.caught_up());
  CHECK(sums(*p.runner)["a"] == 101);
  CHECK(p.runner->status().fault.empty());
}

TEST_CASE("runner: damage that only a question meets has the model built anew, without a write") {
  Place p;
  p.begin();
  for (int i = 0; i < 100; ++i) p.log.receive({1}, "a", 1);
  REQUIRE(p.caught_up());
  p.runner->model()->note_damage({Fault::Kind::unavailable, "a disk that was busy"});
  std::this_thread::sleep_for(milliseconds(50));
  const auto first = p.runner->model();
  p.runner->model()->note_damage({Fault::Kind::corrupt, "a page of the tally is damaged"});
  REQUIRE(eventually([&] { return p.runner->model() != first && p.runner->model() != nullptr; }));
  CHECK(sums(*p.runner)["a"] == 100);
  CHECK(eventually([&] { return p.runner->status().fault.empty(); }));
  CHECK(p.runner->status().last_rebuild.starts_with("not compared"));
  CHECK(p.switches.opened == 2);
  p.log.receive({1}, "a", 1);
  REQUIRE(p.caught_up());
}

TEST_CASE("runner: a model that is slower than a step goes on with what it has read from memory") {
  Place p;
  Pace pace;
  pace.step_time = milliseconds(0);
  auto follower = Follower::open(tally_kind(p.switches), p.home.path() / "tally", p.log.source(),
                                 std::make_shared<Condemned>(), pace);
  REQUIRE(follower.ok());
  while (*(*follower)->step() != Follower::Place::at_the_end) {
  }
  // The journal does not have these: who asks it finds the log cut off.
  std::vector<Batch> batches;
  for (int i = 0; i < 5; ++i)
    batches.push_back(p.log.next({1}, {{*Sku::parse("a"), StockReceived{1, "r"}}}));
  p.log.recent.committed(std::move(batches));
  for (int steps = 1; steps <= 5; ++steps) {
    const auto place = (*follower)->step();
    REQUIRE(place.ok());
    CHECK((*follower)->applied() == static_cast<std::uint64_t>(steps));
    CHECK((*place == Follower::Place::at_the_end) == (steps == 5));
  }
  CHECK((*follower)->visible({1}) == 5);
}

TEST_CASE("runner: a slow model costs nobody else anything, moves, and can be stopped soon") {
  Place p;
  p.begin();
  REQUIRE(p.caught_up());
  p.switches.held = true;
  p.switches.slow_us = 20'000;
  for (int i = 0; i < 500; ++i) p.log.receive({1}, "a", 1);  // they do not wait for it, or for ever
  p.switches.held = false;
  // It shows what it has long before it has all.
  CHECK(reaches(*p.runner, {{{1}, 10}}, milliseconds(60'000)));
  CHECK(p.runner->status().applied < 500);
  CHECK(eventually([&] { return p.runner->status().state == ProjectionState::catching_up; }));
  const auto status = p.runner->status();
  CHECK(status.lag_events > 0);
  CHECK_FALSE(status.stuck);
  REQUIRE(p.runner->pause().ok());
  CHECK(p.runner->status().applied < 500);  // it ends where it is
  p.switches.slow_us = 0;
  REQUIRE(p.runner->resume().ok());
  REQUIRE(p.caught_up());
  CHECK(sums(*p.runner)["a"] == 500);
  CHECK(p.runner->status().applied == 500);
}

TEST_CASE(
    "runner: a model whose commits are dear has them small, from the journal and from memory") {
  Place p;
  p.switches.commit_after = 10;
  const auto three_at_a_time = [&](int batches) {
    for (int i = 0; i < batches; ++i) {
      const Event one{*Sku::parse("a"), StockReceived{1, "r"}};
      p.log.write({1}, {one, one, one});
    }
  };
  three_at_a_time(500);
  p.begin();
  REQUIRE(p.caught_up());
  CHECK(p.switches.committed_max == 12);
  REQUIRE(p.runner->pause().ok());
  three_at_a_time(500);
  REQUIRE(p.runner->resume().ok());
  REQUIRE(p.caught_up());
  CHECK(p.switches.committed_max == 12);
  CHECK(sums(*p.runner)["a"] == 3'000);
}

TEST_CASE("runner: one that is never quite at the end is live, and its lag is an event's age") {
  Place p;
  p.begin();
  REQUIRE(p.caught_up());
  p.switches.busy_us = 200;  // while it takes some, others come
  const auto began = std::chrono::steady_clock::now();
  std::size_t behind = 0;
  std::size_t young = 0;
  const auto seen = [&] {
    p.log.receive({1}, "a", 1);
    const auto status = p.runner->status();
    behind += status.lag_events > 0 ? 1 : 0;
    young += status.state == ProjectionState::live ? 1 : 0;
    // Were it the time since it was last at the end, it would grow with the loop.
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
    return behind > 100 && young > 100 &&
           static_cast<double>(status.lag_seconds) + 3 < took.count();
  };
  bool told = false;
  while (!told && std::chrono::steady_clock::now() - began < milliseconds(60'000)) {
    told = seen();
    std::this_thread::sleep_for(milliseconds(1));
  }
  CHECK(told);
  p.switches.busy_us = 0;
  REQUIRE(p.caught_up());
}

TEST_CASE("runner: whoever asks for a position does not wait for the model's rest") {
  Place p;
  p.begin();
  REQUIRE(p.caught_up());
  // On a busy machine one try may take long for other reasons; a rest is never cut short by itself.
  bool at_once = false;
  for (int tries = 0; tries < 60 && !at_once; ++tries) {
    p.switches.busy_us = 40'000;  // of the processor: each rest is twice the one before, to 320 ms
    for (int i = 0; i < 7; ++i) {
      p.log.receive({1}, "a", 1);
      REQUIRE(eventually([&] { return p.runner->status().lag_events == 0; }));  // nobody asks
    }
    p.switches.busy_us = 0;
    p.log.receive({1}, "a", 1);
    const auto began = std::chrono::steady_clock::now();
    REQUIRE(p.caught_up());
    at_once = std::chrono::steady_clock::now() - began < milliseconds(180);
  }
  CHECK(at_once);
}

TEST_CASE("runner: paused it stands still, resumed it catches up") {
  Place p;
  p.begin();
  REQUIRE(p.caught_up());
  REQUIRE(p.runner->pause().ok());
  for (int i = 0; i < 10; ++i) p.log.receive({1}, "a", 1);
  CHECK_FALSE(reaches(*p.runner, p.log.end(), milliseconds(100)));
  CHECK(p.runner->status().state == ProjectionState::paused);
  CHECK(p.runner->status().lag_events == 10);
  REQUIRE(p.runner->resume().ok());
  REQUIRE(p.caught_up());
  CHECK(sums(*p.runner)["a"] == 10);
}

TEST_CASE("runner: a rebuild is switched in while writes go on, and found equal") {
  Place p;
  p.begin();
  for (int i = 0; i < 500; ++i) p.log.receive({static_cast<std::uint16_t>(i % 4)}, "a", 1);
  REQUIRE(p.caught_up());
  std::atomic<bool> stop{false};
  std::atomic<int> written{500};
  std::thread writer([&] {
    for (; !stop; ++written) {
      p.log.receive({2}, "a", 1);
      std::this_thread::sleep_for(std::chrono::microseconds(200));  // slower than any model
    }
  });
  REQUIRE(p.runner->rebuild().ok());
  CHECK(eventually([&] { return !p.runner->status().rebuild; }));
  stop = true;
  writer.join();
  CHECK(p.runner->status().last_rebuild == "equal to the copy before");
  REQUIRE(p.caught_up());
  CHECK(p.runner->status().applied == static_cast<std::uint64_t>(written));  // each counts once
  CHECK(sums(*p.runner)["a"] == written);
  const int opened = p.switches.opened;
  p.begin();  // the new copy is the one that counts
  REQUIRE(p.caught_up());
  CHECK(p.switches.opened == opened + 1);
  CHECK(sums(*p.runner)["a"] == written);
}

TEST_CASE("runner: a rebuild can be cancelled, and only one runs at a time") {
  Place p;
  p.begin();
  for (int i = 0; i < 500; ++i) p.log.receive({1}, "a", 1);
  REQUIRE(p.caught_up());
  CHECK_FALSE(p.runner->cancel_rebuild().ok());
  p.switches.slow_us = 20'000;
  REQUIRE(p.runner->rebuild().ok());
  CHECK(p.runner->status().rebuild.has_value());
  CHECK_FALSE(p.runner->rebuild().ok());
  REQUIRE(p.runner->cancel_rebuild().ok());
  p.switches.slow_us = 0;
  CHECK_FALSE(p.runner->status().rebuild.has_value());
  CHECK(p.runner->status().last_rebuild == "cancelled");
  CHECK(sums(*p.runner)["a"] == 500);
}

TEST_CASE(
    "runner: a rebuild that cannot be switched in leaves the live copy, and can be repeated") {
  Place p;
  p.begin();
  for (int i = 0; i < 100; ++i) p.log.receive({1}, "a", 1);
  REQUIRE(p.caught_up());
  const fs::path in_the_way = p.home.path() / "tally" / "CURRENT.next";
  fs::create_symlink(p.home.path() / "no such folder" / "file", in_the_way);
  REQUIRE(p.runner->rebuild().ok());
  REQUIRE(eventually([&] { return !p.runner->status().rebuild; }));
  CHECK(p.runner->status().last_rebuild.starts_with("failed: "));
  p.log.receive({1}, "a", 1);
  REQUIRE(p.caught_up());
  CHECK(sums(*p.runner)["a"] == 101);
  fs::remove(in_the_way);
  REQUIRE(p.runner->rebuild().ok());
  REQUIRE(eventually([&] { return !p.runner->status().rebuild; }));
  CHECK(p.runner->status().last_rebuild == "equal to the copy before");
  REQUIRE(p.caught_up());
  CHECK(sums(*p.runner)["a"] == 101);
}

TEST_CASE("runner: another version of the code rebuilds by itself") {
  Place p;
  p.begin(1);
  for (int i = 0; i < 100; ++i) p.log.receive({1}, "a", 1);
  REQUIRE(p.caught_up());
  p.begin(2);
  CHECK(eventually([&] { return p.runner->status().last_rebuild == "equal to the copy before"; }));
  CHECK(sums(*p.runner)["a"] == 100);
  const int opened = p.switches.opened;
  p.begin(2);
  REQUIRE(p.caught_up());
  CHECK(p.switches.opened == opened + 1);
}

TEST_CASE("runner: a copy that is broken is built anew") {
  Place p;
  p.begin();
  for (int i = 0; i < 100; ++i) p.log.receive({1}, "a", 1);
  REQUIRE(p.caught_up());
  p.runner.reset();
  SUBCASE("broken") { std::ofstream(p.home.path() / "tally" / "000001" / "broken") << "x"; }
  SUBCASE("no generation") { fs::remove(p.home.path() / "tally" / "CURRENT"); }
  SUBCASE("rubbish as generation") {
    std::ofstream(p.home.path() / "tally" / "CURRENT") << "rubbish";
  }
  p.begin();
  REQUIRE(p.caught_up());
  CHECK(sums(*p.runner)["a"] == 100);
}

TEST_CASE("runner: a log that lost what the model knows is refused, not made the model's") {
  Place p;
  p.begin();
  for (int i = 0; i < 100; ++i) p.log.receive({1}, "a", 1);
  REQUIRE(p.caught_up());
  p.runner.reset();
  Place other;
  const int events = 60;
  SUBCASE("it is shorter") {
    for (int i = 0; i < events; ++i) other.log.receive({1}, "a", 1);
  }
  SUBCASE("it has other events") {
    for (int i = 0; i < events; ++i) other.log.receive({1}, "a", 1);
    for (int i = 0; i < events; ++i) other.log.receive({1}, "a", 2);
  }
  fs::copy(p.home.path() / "tally", other.home.path() / "tally", fs::copy_options::recursive);
  ProjectionRunner runner(tally_kind(other.switches), other.home.path() / "tally",
                          other.log.source());
  const Status opened = runner.open();
  REQUIRE_FALSE(opened.ok());
  CHECK(opened.error().kind == Fault::Kind::mismatch);
  CHECK(opened.error().what.find("projections/tally knows event 100 of shard 1") !=
        std::string::npos);
  CHECK(fs::exists(other.home.path() / "tally" / "000001"));
  CHECK_FALSE(fs::exists(other.home.path() / "tally" / "000002"));
}

TEST_CASE("runner: a log that ends before what was committed is said") {
  Place p;
  p.log.receive({1}, "a", 1);
  p.log.recent.begin_at({0, 3, 0, 0});  // as if two more had been made durable
  p.begin();
  REQUIRE(eventually([&] {
    return p.runner->status().last_rebuild.find("ends at event 1, but 3") != std::string::npos;
  }));
}

TEST_CASE("runner: the model is the fold, whatever happens on the way") {
  for (unsigned seed = 1; seed <= 6; ++seed) {
    CAPTURE(seed);
    std::mt19937 dice(seed);
    const auto roll = [&](int n) { return static_cast<int>(dice() % static_cast<unsigned>(n)); };
    Place p(static_cast<std::size_t>(500 + roll(20'000)));
    p.begin();
    std::map<std::string, std::int64_t> fold;
    p.switches.poisoned = true;
    for (int step = 0; step < 60; ++step) {
      switch (roll(8)) {
        case 0:
          p.begin();
          break;
        case 1:
          static_cast<void>(p.runner->rebuild());
          break;
        case 2:
          static_cast<void>(p.runner->cancel_rebuild());
          break;
        case 3:
          static_cast<void>(p.runner->pause());
          break;
        case 4:
          static_cast<void>(p.runner->resume());
          break;
        case 5:
          static_cast<void>(p.runner->mend(Follower::Mend::retry, std::nullopt));
          break;
        case 6:
          p.switches.throwing = roll(2) == 0;
          break;
        default:
          break;
      }
      for (int i = roll(80); i > 0; --i) {
        const std::string sku(1, static_cast<char>('a' + roll(6)));
        const char* reference = roll(40) ? "r" : roll(2) ? "poison" : "throw";
        p.log.receive({static_cast<std::uint16_t>((sku[0] - 'a') % 4)}, sku, i, reference);
        fold[sku] += i;
      }
    }
    p.switches.poisoned = false;
    p.switches.throwing = false;
    static_cast<void>(p.runner->resume());
    REQUIRE(p.caught_up());
    CHECK(eventually([&] { return !p.runner->status().rebuild; }));
    REQUIRE(p.caught_up());
    static_cast<void>(p.runner->mend(Follower::Mend::retry, std::nullopt));
    CHECK(sums(*p.runner) == fold);
  }
}
