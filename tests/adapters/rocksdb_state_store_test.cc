#include "actors/adapters/rocksdb_state_store.h"

#include <doctest/doctest.h>
#include <rocksdb/db.h>

#include <csignal>
#include <random>
#include <thread>

#include "tests/adapters/support.h"

using namespace souk;
using namespace souk::testing;
using namespace std::chrono_literals;
using Where = StateStore::Where;
using Answer = StateStore::Found::Answer;

namespace {

constexpr ShardId shard{7};

StateWrite write_of(std::uint64_t number, Seq seq, std::string state,
                    Attention attention = Attention::idle) {
  return {shard, CartId{id_of(number, shard.value)}, seq, attention, std::move(state)};
}
EntityKey cart(std::uint64_t number) { return CartId{id_of(number, shard.value)}; }

std::unique_ptr<RocksdbStateStore> open_store(RocksdbStateStore::Options options) {
  auto store = RocksdbStateStore::open(options);
  REQUIRE_MESSAGE(store.ok(), (store.ok() ? "" : store.error().what));
  return std::move(*store);
}
std::unique_ptr<RocksdbStateStore> open_store(const fs::path& path) {
  return open_store({.path = path});
}
void put(RocksdbStateStore& store, std::vector<StateWrite> states,
         std::optional<Checkpoint> checkpoint = std::nullopt) {
  std::optional<std::pair<ShardId, Checkpoint>> at;
  if (checkpoint) at.emplace(shard, *checkpoint);
  const auto status = store.put(states, at, store.generation());
  REQUIRE_MESSAGE(status.ok(), (status.ok() ? "" : status.error().what));
}
/// Random enough that no codec makes it small.
std::string noise(std::size_t bytes, unsigned seed) {
  std::mt19937_64 random(seed);
  std::string text(bytes, '\0');
  for (auto& c : text) c = static_cast<char>(random());
  return text;
}

}  // namespace

TEST_CASE("state store: what was put is found, also after it was opened again") {
  TemporaryDirectory folder;
  const auto sku = Sku::trusted("85123A");
  {
    auto store = open_store(folder / "states");
    put(*store,
        {write_of(1, 10, "one"), {shard, sku, 11, Attention::active, std::string("\0x", 2)}},
        Checkpoint{11, 0xfeedULL << 40, 3, -5});
    put(*store, {write_of(1, 12, "newer")});
    const auto found = store->get(shard, cart(1), Where::memory);
    CHECK(found.value().answer == Answer::found);
    CHECK(found.value().state.state == "newer");
  }
  auto store = open_store(folder / "states");
  const auto found = store->get(shard, cart(1), Where::anywhere);
  REQUIRE(found.value().answer == Answer::found);
  CHECK(found.value().state.seq == 12);
  CHECK(found.value().state.state == "newer");
  CHECK(store->get(shard, sku, Where::anywhere).value().state.state == std::string("\0x", 2));
  CHECK(store->get({8}, cart(1), Where::anywhere).value().answer == Answer::absent);
  CHECK(store->get(shard, cart(2), Where::anywhere).value().answer == Answer::absent);
  CHECK(store->checkpoint(shard).value() == Checkpoint{11, 0xfeedULL << 40, 3, -5});
  CHECK(store->checkpoint({8}).value() == Checkpoint{});
}

TEST_CASE("state store: entities are marked active until they are idle") {
  TemporaryDirectory folder;
  {
    auto store = open_store(folder / "states");
    put(*store, {write_of(1, 1, "a", Attention::active), write_of(2, 2, "b", Attention::active),
                 write_of(3, 3, "c")});
    CHECK(store->active(shard).value() == std::vector<EntityKey>{cart(1), cart(2)});
    put(*store, {write_of(2, 4, "b", Attention::active), write_of(1, 5, "a")});
    CHECK(store->active(shard).value() == std::vector<EntityKey>{cart(2)});
  }
  auto store = open_store(folder / "states");
  CHECK(store->active(shard).value() == std::vector<EntityKey>{cart(2)});
  CHECK(store->active({8}).value().empty());
  put(*store, {write_of(2, 6, "b")});  // a mark of the earlier process
  CHECK(store->active(shard).value().empty());
}

TEST_CASE("state store: each visits the states of one shard in order until told to stop") {
  TemporaryDirectory folder;
  auto store = open_store(folder / "states");
  put(*store, {write_of(2, 2, "b"), write_of(1, 1, "a", Attention::active), write_of(3, 3, "c")});
  const std::vector<StateWrite> other = {{{8}, CartId{id_of(9, 8)}, 9, Attention::idle, "other"},
                                         {{6}, CartId{id_of(9, 6)}, 9, Attention::idle, "other"}};
  REQUIRE(store->put(other, std::nullopt, store->generation()).ok());
  std::string seen;
  REQUIRE(store
              ->each(shard,
                     [&](const EntityKey& key, StoredState state) {
                       CHECK(key.kind() == Kind::cart);
                       seen += state.state;
                       return true;
                     })
              .ok());
  CHECK(seen == "abc");
  seen.clear();
  REQUIRE(store
              ->each(shard,
                     [&](const EntityKey&, StoredState state) {
                       seen += state.state;
                       return state.state != "b";
                     })
              .ok());
  CHECK(seen == "ab");
  const std::vector<StateWrite> last = {
      {{0xffff}, CartId{id_of(1, 0xffff)}, 1, Attention::active, "last"}};
  REQUIRE(store->put(last, std::nullopt, store->generation()).ok());
  CHECK(store->active({0xffff}).value().size() == 1);
}

TEST_CASE("state store: memory alone answers what is absent, and says what is on disk") {
  TemporaryDirectory folder;
  constexpr std::uint64_t count = 4'000;
  {
    auto store = open_store({.path = folder / "states", .log_bytes = 64 << 10});
    for (std::uint64_t i = 0; i < count; ++i) {
      put(*store, {write_of(i * 2, i + 1, noise(200, static_cast<unsigned>(i)))});
    }
  }
  auto store = open_store(folder / "states");
  std::uint64_t on_disk = 0, unsure = 0;
  for (std::uint64_t i = 0; i < count; ++i) {
    const auto there = store->get(shard, cart(i * 2), Where::memory);
    REQUIRE(there.value().answer != Answer::absent);
    if (there.value().answer == Answer::on_disk) ++on_disk;
    const auto missing = store->get(shard, cart(i * 2 + 1), Where::memory);
    REQUIRE(missing.value().answer != Answer::found);
    if (missing.value().answer == Answer::on_disk) ++unsure;
  }
  CHECK(on_disk > count / 2);
  CHECK(unsure < count / 10);
  // Read once from the disk, then it is in memory.
  const auto read = store->get(shard, cart(100), Where::anywhere);
  REQUIRE(read.value().answer == Answer::found);
  CHECK(read.value().state.state == noise(200, 50));
  CHECK(store->get(shard, cart(100), Where::memory).value().answer == Answer::found);
}

TEST_CASE("(child) states are put and the process is killed" * doctest::skip()) {
  auto store = open_store({.path = child_folder(), .log_bytes = 256 << 10});
  for (std::uint64_t i = 1; i <= 2'000; ++i) {
    put(*store, {write_of(i, i, noise(300, static_cast<unsigned>(i)), Attention::active)},
        Checkpoint{i, i, 1, 0});
  }
  std::raise(SIGKILL);
}

TEST_CASE("state store: a kill loses nothing, and a torn log leaves a prefix") {
  TemporaryDirectory folder;
  const auto path = folder / "states";
  const int status = run_child("(child) states are put and the process is killed", path);
  REQUIRE((WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL));
  Seq kept = 2'000;
  bool torn = false;
  SUBCASE("killed") {}
  SUBCASE("torn in the middle of the newest log") {
    const auto log = newest_log(path);
    REQUIRE(fs::file_size(log) > 10'000);
    fs::resize_file(log, fs::file_size(log) / 2);
    torn = true;
  }
  SUBCASE("damaged in the middle of the newest log") {
    const auto log = newest_log(path);
    auto bytes = read_file(log);
    for (std::size_t i = 0; i < 64; ++i) bytes[bytes.size() / 2 + i] ^= 0x5a;
    write_file(log, bytes);
    torn = true;
  }
  auto store = open_store(path);
  if (torn) {
    const auto checkpoint = store->checkpoint(shard);
    kept = checkpoint.value().seq;
    CHECK(kept < 2'000);
    CHECK(kept > 1'000);
  }
  CHECK(store->checkpoint(shard).value().seq == kept);
  CHECK(store->active(shard).value().size() == kept);
  for (std::uint64_t i = 1; i <= 2'000; ++i) {
    const auto found = store->get(shard, cart(i), Where::anywhere);
    REQUIRE((found.value().answer == Answer::found) == (i <= kept));
    if (i <= kept) CHECK(found.value().state.state == noise(300, static_cast<unsigned>(i)));
  }
}

TEST_CASE("state store: a store opened for reading changes nothing") {
  TemporaryDirectory folder;
  const auto path = folder / "states";
  CHECK_FALSE(RocksdbStateStore::open_read_only({.path = path}).ok());
  CHECK_FALSE(fs::exists(path / "CURRENT"));
  put(*open_store(path), {write_of(1, 1, "a", Attention::active)}, Checkpoint{1, 2, 3, 4});
  auto store = RocksdbStateStore::open_read_only({.path = path});
  REQUIRE(store.ok());
  CHECK((*store)->get(shard, cart(1), Where::anywhere).value().state.state == "a");
  CHECK((*store)->active(shard).value().size() == 1);
  CHECK((*store)->checkpoint(shard).value() == Checkpoint{1, 2, 3, 4});
  const auto refused = (*store)->put({write_of(2, 2, "b")}, std::nullopt, (*store)->generation());
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().kind == Fault::Kind::unsupported);
}

TEST_CASE("state store: a second opener is told that it is locked") {
  TemporaryDirectory folder;
  auto store = open_store(folder / "states");
  const auto second = RocksdbStateStore::open({.path = folder / "states"});
  REQUIRE_FALSE(second.ok());
  CHECK(second.error().kind == Fault::Kind::locked);
}

TEST_CASE("state store: damaged files are a corrupt fault that says to delete the folder") {
  TemporaryDirectory folder;
  const auto path = folder / "states";
  put(*open_store(path), {write_of(1, 1, "a")});
  open_store(path).reset();  // the second start moves the log into a table
  for (const auto& entry : fs::directory_iterator(path)) {
    if (entry.path().extension() != ".sst") continue;
    auto bytes = read_file(entry.path());
    bytes[4] ^= 1;
    write_file(entry.path(), bytes);
  }
  auto store = RocksdbStateStore::open({.path = path});
  const auto fault =
      store.ok() ? (*store)->get(shard, cart(1), Where::anywhere).error() : store.error();
  CHECK(fault.kind == Fault::Kind::corrupt);
  CHECK(fault.what.find("delete this folder") != std::string::npos);
}

TEST_CASE("state store: a stored value that was changed, moved or cut is a corrupt fault") {
  TemporaryDirectory folder;
  const auto path = folder / "states";
  put(*open_store(path), {write_of(1, 1, "a state"), write_of(2, 2, "a state")},
      Checkpoint{1, 2, 3, 4});
  std::unique_ptr<rocksdb::DB> raw;
  const auto open_raw = [&] {
    rocksdb::DB* db = nullptr;
    REQUIRE(rocksdb::DB::Open({}, path.string(), &db).ok());
    raw.reset(db);
  };
  open_raw();
  const std::string head("s\0\7\3", 4);
  const auto first = head + std::string(id_of(1, 7).view());
  const auto second = head + std::string(id_of(2, 7).view());
  const std::string third("c\0\7", 3);
  std::string state, checkpoint;
  REQUIRE(raw->Get({}, first, &state).ok());
  REQUIRE(raw->Get({}, third, &checkpoint).ok());
  const auto check_corrupt = [&](const std::string& key, std::string value) {
    if (!raw) open_raw();
    REQUIRE(raw->Put({}, key, value).ok());
    raw.reset();
    auto store = open_store(path);
    const auto number = key == second ? 2u : 1u;
    const auto kind = key == third ? store->checkpoint(shard).error().kind
                                   : store->get(shard, cart(number), Where::anywhere).error().kind;
    CHECK(kind == Fault::Kind::corrupt);
  };
  for (const std::size_t at : {std::size_t{0}, std::size_t{8}, state.size() - 1}) {
    auto changed = state;
    changed[at] = static_cast<char>(changed[at] ^ 1);
    check_corrupt(first, changed);
  }
  check_corrupt(first, state.substr(0, state.size() - 1));
  check_corrupt(first, state.substr(0, 11));
  check_corrupt(second, state);
  for (const std::size_t at : {std::size_t{0}, std::size_t{31}, std::size_t{35}}) {
    auto changed = checkpoint;
    changed[at] = static_cast<char>(changed[at] ^ 1);
    check_corrupt(third, changed);
  }
  check_corrupt(third, checkpoint + "x");
}

TEST_CASE("state store: marks that are damaged keep nothing from being written") {
  TemporaryDirectory folder;
  const auto path = folder / "states";
  put(*open_store(path), {write_of(1, 1, "a", Attention::active)});
  {
    rocksdb::DB* raw = nullptr;
    REQUIRE(rocksdb::DB::Open({}, path.string(), &raw).ok());
    const std::unique_ptr<rocksdb::DB> owned(raw);
    REQUIRE(raw->Put({}, std::string("a\0\7\1", 4), "").ok());  // of no entity
  }
  auto store = open_store(path);
  put(*store, {write_of(1, 2, "b"), write_of(2, 3, "c", Attention::active)}, Checkpoint{3, 2, 1});
  CHECK(store->damaged());
  CHECK(store->checkpoint(shard).value().seq == 3);
  CHECK(store->get(shard, cart(1), Where::anywhere).value().state.state == "b");
  CHECK(fs::exists(path / RocksdbStateStore::damage_note));
}

TEST_CASE("state store: a failing disk is a fault, and puts go on once it works again") {
  TemporaryDirectory folder;
  auto store = std::move(RocksdbStateStore::open({.path = folder / "states"}).value());
  const auto try_put = [&](std::uint64_t number, Attention attention) {
    return store->put({{{1}, CartId{id_of(number, 1)}, number, attention, "state"}}, std::nullopt,
                      store->generation());
  };
  REQUIRE(try_put(1, Attention::active).ok());
  {
    NoFileGrows disk;
    CHECK_FALSE(try_put(2, Attention::active).ok());
    CHECK_FALSE(try_put(1, Attention::idle).ok());
    for (int i = 0; i < 3; ++i) {  // what is there is found, and what is not there is known
      std::this_thread::sleep_for(300ms);
      CHECK_FALSE(try_put(2, Attention::active).ok());
      CHECK(store->get({1}, CartId{id_of(1, 1)}, Where::anywhere).value().answer == Answer::found);
      CHECK(store->get({1}, CartId{id_of(9, 1)}, Where::memory).value().answer == Answer::absent);
    }
  }
  bool works = false;
  for (int i = 0; i < 100 && !works; ++i) {
    std::this_thread::sleep_for(50ms);
    works = try_put(3, Attention::idle).ok();
  }
  REQUIRE(works);
  REQUIRE(try_put(2, Attention::active).ok());
  CHECK(store->active({1}).value().size() == 2);  // 1 is as active as it was
  REQUIRE(try_put(1, Attention::idle).ok());
  CHECK(store->active({1}).value() == std::vector<EntityKey>{CartId{id_of(2, 1)}});
}

TEST_CASE("state store: opened anew after a fault, it is of another generation, and says so") {
  TemporaryDirectory folder;
  auto store = std::move(RocksdbStateStore::open({.path = folder / "states"}).value());
  const auto first = store->generation();
  const auto put = [&](std::uint64_t number, std::uint64_t generation) {
    return store->put({{{1}, CartId{id_of(number, 1)}, number, Attention::idle, "state"}},
                      std::pair{ShardId{1}, Checkpoint{.seq = number}}, generation);
  };
  const auto get = [&](std::uint64_t number) {
    return store->get({1}, CartId{id_of(number, 1)}, Where::anywhere).value();
  };
  for (std::uint64_t number = 1; number <= 20; ++number) REQUIRE(put(number, first).ok());
  {
    NoFileGrows disk;
    REQUIRE_FALSE(put(21, first).ok());
    // The disk lost the end of what it had not synced.
    const auto log = newest_log(folder / "states");
    fs::resize_file(log, fs::file_size(log) / 2);
  }
  CHECK(store->generation() == first);
  for (int i = 0; i < 100 && store->generation() == first; ++i) {
    std::this_thread::sleep_for(50ms);
    CHECK_FALSE(put(21, first).ok());  // also once it works: a checkpoint would pass over the hole
  }
  const auto second = store->generation();
  REQUIRE(second > first);
  CHECK(store->checkpoint({1}).value().seq < 20);
  CHECK(get(1).answer == Answer::found);
  CHECK(get(1).generation == second);
  CHECK(get(20).answer == Answer::absent);
  CHECK(get(21).answer == Answer::absent);
  CHECK(put(21, second).ok());
  CHECK(get(21).answer == Answer::found);
}
