#include "actors/adapters/system_clock.h"

#include <doctest/doctest.h>

#include <set>
#include <thread>

#include "tests/adapters/support.h"

using namespace souk;
using namespace std::chrono_literals;

TEST_CASE("clock: it starts at the later of the wall clock and the last event") {
  const auto start = SystemClock::Steady::now();
  constexpr std::int64_t hour_ms = 60 * 60 * 1000;
  const UnixMs noon{1'700'000'000'000};
  CHECK(SystemClock({0}, noon, start).at(start) == noon);
  // The machine's clock was set back an hour since the last event.
  CHECK(SystemClock(noon, noon.plus_ms(-hour_ms), start).at(start) == noon);
  CHECK(SystemClock(noon, noon.plus_ms(hour_ms), start).at(start) == noon.plus_ms(hour_ms));
}

TEST_CASE("clock: it goes on by the steady clock") {
  const auto start = SystemClock::Steady::now();
  const SystemClock clock({0}, {1'000}, start);
  CHECK(clock.at(start + 999us) == UnixMs{1'000});
  CHECK(clock.at(start + 1ms) == UnixMs{1'001});
  CHECK(clock.at(start + 24h) == UnixMs{1'000 + 24 * 60 * 60 * 1000});
}

TEST_CASE("clock: the running one never goes back and keeps up with the wall clock") {
  SystemClock clock({0});
  const auto first = clock.now();
  CHECK(std::abs(first.value - SystemClock::wall_now().value) < 1'000);
  auto before = first;
  for (int i = 0; i < 10'000; ++i) {
    const auto now = clock.now();
    REQUIRE(now >= before);
    before = now;
  }
  std::this_thread::sleep_for(20ms);
  CHECK(clock.now().value - first.value >= 20);
}

TEST_CASE("randomness: no half of an id comes twice, on one thread or another") {
  SystemRandomness randomness;
  std::vector<std::vector<Id128>> drawn(4);
  std::vector<std::thread> threads;
  for (auto& mine : drawn) {
    threads.emplace_back([&randomness, &mine] {
      for (int i = 0; i < 5'000; ++i) mine.push_back(randomness.id128());
    });
  }
  for (auto& thread : threads) thread.join();
  std::set<std::string_view> halves;
  for (const auto& mine : drawn) {
    for (const auto& id : mine) {
      halves.insert(id.view().substr(0, 8));
      halves.insert(id.view().substr(8));
    }
  }
  CHECK(halves.size() == 40'000);
}

TEST_CASE("randomness: every byte of any length is filled") {
  SystemRandomness randomness;
  for (const std::size_t count : {std::size_t{1}, std::size_t{7}, std::size_t{1'024},
                                  std::size_t{1'025}, std::size_t{10'000}}) {
    // A byte may be 0 by chance: it is not in all of 16 draws.
    std::vector<unsigned char> any(count, 0), bytes(count);
    for (int draw = 0; draw < 16; ++draw) {
      std::fill(bytes.begin(), bytes.end(), 0);
      randomness.fill(bytes.data(), count);
      for (std::size_t i = 0; i < count; ++i) any[i] |= bytes[i];
    }
    CHECK(std::count(any.begin(), any.end(), 0) == 0);
  }
}
