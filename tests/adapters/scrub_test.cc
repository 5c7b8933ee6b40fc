// A damaged block that nobody has asked for is found by whoever reads a store through.
#include "actors/adapters/payment_simulator/ledger.h"
#include "actors/adapters/rocksdb_state_store.h"
#include "actors/adapters/sodium_vault.h"
#include "events/journal/scrubber.h"
#include "tests/adapters/support.h"

namespace souk {
namespace {

using namespace souk::testing;

constexpr std::size_t step_bytes = 4096;

std::string noise(std::uint64_t number, std::size_t bytes) {
  std::string out;
  for (std::uint64_t x = number + 1; out.size() < bytes; x ^= x << 13, x ^= x >> 7, x ^= x << 17)
    out.push_back(static_cast<char>(x));
  return out;
}

void flip_in_largest_table(const fs::path& store) {
  fs::path largest;
  for (const auto& entry : fs::directory_iterator(store)) {
    if (entry.path().extension() == ".sst" &&
        (largest.empty() || entry.file_size() > fs::file_size(largest)))
      largest = entry.path();
  }
  REQUIRE(fs::file_size(largest) > 2 * step_bytes);
  const auto at = static_cast<std::streamoff>(fs::file_size(largest) / 3);
  std::fstream file(largest, std::ios::binary | std::ios::in | std::ios::out);
  file.seekg(at);
  const char byte = static_cast<char>(file.get());
  file.seekp(at);
  file.put(static_cast<char>(byte ^ 1));
}

/// Steps until it came round, or could not go on.
template <class Store>
Result<int, Fault> scrub_through(Store& store) {
  for (int steps = 1; steps < 1000; ++steps) {
    const auto through = store.scrub(step_bytes);
    if (!through.ok()) return through.error();
    if (*through) return steps;
  }
  return 0;
}

template <class Store>
void check_found(Store& store, const fs::path& folder) {
  CHECK(scrub_through(store).value() > 2);
  CHECK(scrub_through(store).value() > 2);  // and begins anew
  CHECK_FALSE(store.damaged());
  flip_in_largest_table(folder);
  const auto found = scrub_through(store);
  REQUIRE_FALSE(found.ok());
  CHECK(found.error().kind == Fault::Kind::corrupt);
  CHECK(store.damaged());
}

}  // namespace

TEST_CASE("scrub: a damaged block of the keys is found") {
  TemporaryDirectory folder;
  const auto opened = [&] {
    return std::move(SodiumVault::open({.path = folder / "keys"}).value());
  };
  std::vector<PersonId> persons;
  for (std::uint64_t number = 1; number <= 400; ++number) persons.push_back(UserId{id_of(number)});
  REQUIRE(opened()->ensure(persons).ok());
  auto vault = opened();
  check_found(*vault, folder / "keys");
}

TEST_CASE("scrub: a damaged block of the provider is found") {
  TemporaryDirectory folder;
  const auto opened = [&] { return std::move(SimulatorLedger::open(folder / "provider").value()); };
  ProviderAccount account;
  account.record.authorised = Micros{5};
  {
    auto ledger = opened();
    for (std::uint64_t number = 1; number <= 1000; ++number) {
      account.record.captured = Micros{static_cast<std::int64_t>(number * number * 7919)};
      REQUIRE(ledger->save({{OrderId{id_of(number * 7919)}, &account}}).ok());
    }
  }
  auto ledger = opened();
  check_found(*ledger, folder / "provider");
}

TEST_CASE("scrub: a damaged block of the states is found, and noted for the next start") {
  TemporaryDirectory folder;
  const auto opened = [&] {
    return std::move(RocksdbStateStore::open({.path = folder / "states"}).value());
  };
  {
    auto store = opened();
    for (std::uint64_t number = 1; number <= 100; ++number)
      REQUIRE(store
                  ->put({{{1}, CartId{id_of(number)}, number, Attention::idle, noise(number, 400)}},
                        std::nullopt, store->generation())
                  .ok());
  }
  auto store = opened();
  check_found(*store, folder / "states");
  CHECK(fs::exists(folder / "states" / RocksdbStateStore::damage_note));
}

TEST_CASE("scrub: several stores are read one after the other, also where one cannot be") {
  std::string order;
  const auto store = [&](char name, int steps, bool fails) {
    return [&order, name, steps, fails, done = 0](std::size_t) mutable -> Result<bool, Fault> {
      order += name;
      if (++done % steps != 0) return false;
      if (fails) return Fault{Fault::Kind::corrupt, "a block"};
      return true;
    };
  };
  ScrubInTurn all({store('a', 2, false), store('b', 1, true), store('c', 3, false)});
  std::string passes;
  for (int i = 0; i < 12; ++i) passes += all(1).value() ? '|' : '.';
  CHECK(order == "aabcccaabccc");
  CHECK(passes == ".....|.....|");
}

}  // namespace souk
