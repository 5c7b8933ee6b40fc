#include "actors/adapters/sodium_vault.h"

#include <doctest/doctest.h>
#include <rocksdb/db.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <set>

#include "actors/adapters/secret_file.h"
#include "tests/adapters/support.h"

using namespace souk;
using namespace souk::testing;
using namespace std::chrono_literals;

// Instead of the C library's, for RocksDB as well: the next syncs of a log fail.
namespace {
std::atomic<int> syncs_to_fail{0};
}  // namespace
extern "C" int fdatasync(int fd) {
  char target[4096];
  const auto size =
      ::readlink(("/proc/self/fd/" + std::to_string(fd)).c_str(), target, sizeof target);
  if (size > 0 && std::string_view(target, static_cast<std::size_t>(size)).ends_with(".log") &&
      syncs_to_fail > 0) {
    --syncs_to_fail;
    errno = EIO;
    return -1;
  }
  return static_cast<int>(::syscall(SYS_fdatasync, fd));
}

namespace {

PersonId user(std::uint64_t number) { return UserId{id_of(number, 3)}; }

std::unique_ptr<SodiumVault> open_vault(const fs::path& path, std::size_t cached_keys_max = 1'024) {
  auto vault = SodiumVault::open({.path = path, .cached_keys_max = cached_keys_max});
  REQUIRE_MESSAGE(vault.ok(), (vault.ok() ? "" : vault.error().what));
  return std::move(*vault);
}

/// The bytes of a person's key as they stand in the newest log file: the record's key, the length
/// of the value (33), the state (1), the key.
std::string raw_key(const fs::path& folder, const PersonId& person) {
  const auto log = read_file(newest_log(folder));
  std::string record("k");
  record.append(person.id().substr(0, 2)).push_back(static_cast<char>(person.kind()));
  record.append(person.id()).append("\x21\x01");
  const auto at = log.find(record);
  REQUIRE(at != std::string::npos);
  return log.substr(at + record.size(), 32);
}

std::optional<std::string> open_sealed(SodiumVault& vault, const PersonId& person,
                                       const Sealed& sealed) {
  auto opened = vault.open(person, sealed);
  REQUIRE_MESSAGE(opened.ok(), (opened.ok() ? "" : opened.error().what));
  return *opened;
}

}  // namespace

TEST_CASE("vault: what is sealed opens again, also after a restart, for this person only") {
  TemporaryDirectory folder;
  const std::string text("Grace\0Hopper", 12);
  Sealed sealed;
  {
    auto vault = open_vault(folder / "keys");
    REQUIRE(vault->ensure({user(1), user(2), user(1)}).ok());
    sealed = vault->seal(user(1), text).value();
    CHECK(sealed.bytes.find("Hopper") == std::string::npos);
    CHECK(sealed.bytes.size() == 24 + text.size() + 16);
    CHECK(vault->seal(user(1), text).value() != sealed);  // another nonce
    CHECK(open_sealed(*vault, user(1), sealed) == text);
    REQUIRE(vault->ensure({user(1)}).ok());  // keeps the key
    CHECK(open_sealed(*vault, user(1), sealed) == text);
  }
  auto vault = open_vault(folder / "keys");
  CHECK(open_sealed(*vault, user(1), sealed) == text);
  CHECK(vault->open(user(2), sealed).error().kind == Fault::Kind::corrupt);
  for (const std::size_t at : {std::size_t{0}, std::size_t{24}, sealed.bytes.size() - 1}) {
    auto damaged = sealed;
    damaged.bytes[at] ^= 1;
    CHECK(vault->open(user(1), damaged).error().kind == Fault::Kind::corrupt);
  }
  CHECK(vault->open(user(1), {sealed.bytes.substr(0, 39)}).error().kind == Fault::Kind::corrupt);
  CHECK(open_sealed(*vault, user(1), {}) == "");
  const auto empty = vault->seal(user(1), "").value();
  CHECK(empty.bytes.size() == 40);
  CHECK(open_sealed(*vault, user(1), empty) == "");
}

TEST_CASE("vault: nothing is sealed for a person without a key") {
  TemporaryDirectory folder;
  auto vault = open_vault(folder / "keys");
  CHECK(vault->seal(user(1), "x").error().kind == Fault::Kind::unavailable);
  CHECK(vault->open(user(1), {std::string(40, 'x')}).error().kind == Fault::Kind::corrupt);
}

TEST_CASE("vault: a destroyed key opens nothing and never comes back") {
  TemporaryDirectory folder;
  Sealed sealed, other;
  const auto check_gone = [&](SodiumVault& vault) {
    CHECK(open_sealed(vault, user(1), sealed) == std::nullopt);
    CHECK(vault.seal(user(1), "x").error().kind == Fault::Kind::unavailable);
    CHECK(vault.ensure({user(1)}).ok());
    CHECK(open_sealed(vault, user(1), sealed) == std::nullopt);
    CHECK(vault.seal(user(1), "x").error().kind == Fault::Kind::unavailable);
    CHECK(open_sealed(vault, user(2), other) == "Ada");
  };
  {
    auto vault = open_vault(folder / "keys");
    REQUIRE(vault->ensure({user(1), user(2)}).ok());
    sealed = vault->seal(user(1), "Grace").value();
    other = vault->seal(user(2), "Ada").value();
    REQUIRE(vault->destroy({user(1)}).ok());
    check_gone(*vault);
    REQUIRE(vault->destroy({user(1)}).ok());
    REQUIRE(vault->destroy({user(3)}).ok());  // never had one, and now never will
    REQUIRE(vault->ensure({user(3)}).ok());
    CHECK_FALSE(vault->seal(user(3), "x").ok());
  }
  check_gone(*open_vault(folder / "keys"));
}

TEST_CASE("vault: many are destroyed in one write, and an order without a key costs no record") {
  TemporaryDirectory folder;
  const auto order = [](std::uint64_t n) { return PersonId(OrderId{id_of(n, 3)}); };
  std::vector<PersonId> doomed{user(1)};
  std::vector<Sealed> sealed;
  {
    auto vault = open_vault(folder / "keys");
    for (std::uint64_t n = 0; n < 2'500; ++n) doomed.push_back(order(n));
    REQUIRE(vault->ensure({doomed.begin(), doomed.begin() + 1'501}).ok());
    for (std::size_t i = 0; i < 1'501; ++i) sealed.push_back(vault->seal(doomed[i], "x").value());
    REQUIRE(vault->destroy(doomed).ok());
    REQUIRE(vault->destroy(doomed).ok());
    REQUIRE(vault->wait_until_purged(20s));
  }
  auto vault = open_vault(folder / "keys");
  for (std::size_t i = 0; i < sealed.size(); ++i)
    CHECK(open_sealed(*vault, doomed[i], sealed[i]) == std::nullopt);
  // It never had a key: nothing says that it was erased.
  CHECK(vault->open(doomed.back(), sealed[0]).error().kind == Fault::Kind::corrupt);
  vault.reset();
  rocksdb::DB* db = nullptr;
  REQUIRE(rocksdb::DB::Open({}, (folder / "keys").string(), &db).ok());
  const std::unique_ptr<rocksdb::DB> raw(db);
  const std::unique_ptr<rocksdb::Iterator> it(raw->NewIterator({}));
  std::size_t records = 0, marks = 0;
  for (it->SeekToFirst(); it->Valid(); it->Next()) ++(it->key().starts_with("k") ? records : marks);
  CHECK(records == 1'501);
  CHECK(marks == 1);  // the secret
}

TEST_CASE(
    "vault: a key goes when all who asked for it were refused, and stays with the first yes") {
  TemporaryDirectory folder;
  auto vault = open_vault(folder / "keys");
  const auto has_key = [&](const PersonId& person) { return vault->seal(person, "x").ok(); };
  REQUIRE(vault->ensure({user(1), user(2), user(2), user(3)}).ok());
  REQUIRE(vault->ensure({user(1)}).ok());
  REQUIRE(vault->settle(user(1), KeyVerdict::refused).ok());
  CHECK(has_key(user(1)));  // the other one may be recorded
  REQUIRE(vault->settle(user(1), KeyVerdict::refused).ok());
  CHECK_FALSE(has_key(user(1)));
  REQUIRE(vault->settle(user(2), KeyVerdict::recorded).ok());
  REQUIRE(vault->settle(user(2), KeyVerdict::refused).ok());
  REQUIRE(vault->settle(user(2), KeyVerdict::refused).ok());
  CHECK(has_key(user(2)));
  REQUIRE(vault->settle(user(9), KeyVerdict::refused).ok());  // unknown
  REQUIRE(vault->ensure({user(1)}).ok());                     // asked for again: a new key
  CHECK(has_key(user(1)));
  REQUIRE(vault->destroy({user(3)}).ok());
  REQUIRE(vault->settle(user(3), KeyVerdict::refused).ok());
  CHECK(vault->open(user(3), Sealed{std::string(50, 'x')}).value() == std::nullopt);
}

TEST_CASE("vault: what a former run left unsettled is named, and no refusal takes it away") {
  TemporaryDirectory folder;
  Sealed sealed;
  {
    auto vault = open_vault(folder / "keys");
    REQUIRE(vault->ensure({user(1), user(2), user(3)}).ok());
    REQUIRE(vault->settle(user(3), KeyVerdict::recorded).ok());
    sealed = vault->seal(user(1), "Ada").value();
    CHECK(vault->unsettled().empty());  // those of this run are under way
  }
  {
    auto vault = open_vault(folder / "keys");
    CHECK(vault->unsettled() == std::vector<PersonId>{user(1), user(2)});
    REQUIRE(vault->ensure({user(1)}).ok());
    REQUIRE(vault->settle(user(1), KeyVerdict::refused).ok());
    CHECK(open_sealed(*vault, user(1), sealed) == "Ada");
    REQUIRE(vault->settle(user(1), KeyVerdict::recorded).ok());
    REQUIRE(vault->settle(user(2), KeyVerdict::absent).ok());
    CHECK(vault->unsettled().empty());
    CHECK_FALSE(vault->seal(user(2), "x").ok());
  }
  auto vault = open_vault(folder / "keys");
  CHECK(vault->unsettled().empty());
  CHECK(open_sealed(*vault, user(1), sealed) == "Ada");
}

TEST_CASE("vault: the bytes of a destroyed key are in no file any more") {
  TemporaryDirectory folder;
  const auto path = folder / "keys";
  std::vector<PersonId> persons;
  for (std::uint64_t i = 0; i < 3'000; ++i) persons.push_back(user(i));
  std::string key, kept;
  Sealed sealed;
  {
    auto vault = open_vault(path);
    REQUIRE(vault->ensure(persons).ok());
    sealed = vault->seal(user(78), "Ada").value();
    key = raw_key(path, user(77));
    kept = raw_key(path, user(78));
    CHECK(files_with(path, key) == 1);
    SUBCASE("from the log file") {
      REQUIRE(vault->destroy({user(77)}).ok());
      REQUIRE(vault->wait_until_purged(20s));
      CHECK(files_with(path, key) == 0);
    }
    SUBCASE("from the tables that later starts made of it") {
      vault.reset();
      vault = open_vault(path);
      REQUIRE(newest_log(path) != fs::path());
      CHECK(read_file(newest_log(path)).find(key) == std::string::npos);
      CHECK(files_with(path, key) == 1);
      REQUIRE(vault->destroy({user(77)}).ok());
      REQUIRE(vault->destroy({user(79)}).ok());
      REQUIRE(vault->wait_until_purged(20s));
      CHECK(files_with(path, key) == 0);
    }
    CHECK(files_with(path, kept) >= 1);  // the search does find one that is there
    CHECK(open_sealed(*vault, user(78), sealed) == "Ada");
  }
  CHECK(files_with(path, key) == 0);
}

TEST_CASE("(child) a key is destroyed and the process killed" * doctest::skip()) {
  auto vault = open_vault(child_folder());
  REQUIRE(vault->destroy({user(5)}).ok());
  std::raise(SIGKILL);
}

TEST_CASE("vault: after a kill a destroyed key stays destroyed, and the next start purges it") {
  TemporaryDirectory folder;
  const auto path = folder / "keys";
  std::string key;
  Sealed sealed;
  {
    auto vault = open_vault(path);
    REQUIRE(vault->ensure({user(5), user(6)}).ok());
    sealed = vault->seal(user(5), "Grace").value();
    key = raw_key(path, user(5));
  }
  CHECK(files_with(path, key) == 1);
  const int status = run_child("(child) a key is destroyed and the process killed", path);
  REQUIRE((WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL));
  auto vault = open_vault(path);
  CHECK(open_sealed(*vault, user(5), sealed) == std::nullopt);
  REQUIRE(vault->wait_until_purged(20s));
  CHECK(files_with(path, key) == 0);
}

TEST_CASE("vault: sealed bytes are bound to their person, and a damaged key is a corrupt fault") {
  TemporaryDirectory folder;
  const auto path = folder / "keys";
  const PersonId cart = CartId{id_of(1, 3)};  // the same id, another kind
  Sealed sealed;
  {
    auto vault = open_vault(path);
    REQUIRE(vault->ensure({user(1), user(2), user(3), cart}).ok());
    sealed = vault->seal(user(1), "Grace").value();
  }
  const auto key_of = [](const PersonId& person) {
    auto key = std::string("k\0\3", 3) + static_cast<char>(person.kind());
    return key.append(person.id());
  };
  {
    rocksdb::DB* db = nullptr;
    REQUIRE(rocksdb::DB::Open({}, path.string(), &db).ok());
    const std::unique_ptr<rocksdb::DB> raw(db);
    std::string key;
    REQUIRE(raw->Get({}, key_of(user(1)), &key).ok());
    REQUIRE(raw->Put({}, key_of(cart), key).ok());  // the same key for other persons
    REQUIRE(raw->Put({}, key_of(user(3)), key).ok());
    REQUIRE(raw->Put({}, key_of(user(2)), key.substr(1)).ok());
  }
  auto vault = open_vault(path);
  CHECK(open_sealed(*vault, user(1), sealed) == "Grace");
  CHECK(vault->open(cart, sealed).error().kind == Fault::Kind::corrupt);
  CHECK(vault->open(user(3), sealed).error().kind == Fault::Kind::corrupt);
  CHECK(vault->seal(user(2), "x").error().kind == Fault::Kind::corrupt);
}

TEST_CASE("vault: hashes are keyed by the directory, kept by it, and separate purposes") {
  TemporaryDirectory folder;
  std::uint64_t narrow = 0;
  Id128 wide;
  {
    auto vault = open_vault(folder / "keys");
    narrow = vault->keyed_hash("key");
    wide = vault->keyed_hash128("email", "a@b.c");
    CHECK(narrow != 0);
    CHECK(vault->keyed_hash("kez") != narrow);
    CHECK(vault->keyed_hash128("cart", "a@b.c") != wide);
    CHECK(vault->keyed_hash128("emaila", "@b.c") != wide);
  }
  auto again = open_vault(folder / "keys");
  CHECK(again->keyed_hash("key") == narrow);
  CHECK(again->keyed_hash128("email", "a@b.c") == wide);
  auto another = open_vault(folder / "other");
  CHECK(another->keyed_hash("key") != narrow);
  CHECK(another->keyed_hash128("email", "a@b.c") != wide);
}

TEST_CASE("vault: directories that are given one secret hash alike, and none takes another later") {
  TemporaryDirectory folder;
  const auto open_with = [&](const char* name, std::optional<std::string> secret) {
    return SodiumVault::open({.path = folder / name, .given_secret = std::move(secret)});
  };
  const std::string shared(secret_bytes, 's'), other(secret_bytes, 'o');
  {
    auto one = open_with("one", shared), two = open_with("two", shared), own = open_with("own", {});
    REQUIRE((one.ok() && two.ok() && own.ok()));
    CHECK((*one)->keyed_hash("key") == (*two)->keyed_hash("key"));
    CHECK((*one)->keyed_hash128("cart", "key") == (*two)->keyed_hash128("cart", "key"));
    CHECK((*one)->keyed_hash("key") != (*own)->keyed_hash("key"));
  }
  CHECK(open_with("one", shared).ok());
  CHECK(open_with("one", {}).ok());  // it has it
  CHECK(open_with("one", other).error().kind == Fault::Kind::mismatch);
  CHECK(open_with("own", shared).error().kind == Fault::Kind::mismatch);
}

TEST_CASE("secret file: 96 hexadecimal digits, and white space at the end") {
  TemporaryDirectory folder;
  const auto read = [&](const std::string& text) {
    write_file(folder / "secret", text);
    return read_secret_file(folder / "secret");
  };
  std::string digits;
  for (std::size_t i = 0; i < secret_bytes; ++i) digits += i % 2 == 0 ? "0f" : "A9";
  CHECK(read(digits + "\r\n").value().substr(0, 2) == std::string("\x0f\xa9"));
  CHECK(read(digits).value().size() == secret_bytes);
  for (const auto& bad : {digits.substr(1), digits + "0", "g" + digits.substr(1), std::string(),
                          digits.substr(0, 40) + " " + digits.substr(41), std::string(9'000, '0')})
    CHECK(read(bad).error().kind == Fault::Kind::corrupt);
  CHECK(read_secret_file(folder / "nothing").error().kind == Fault::Kind::unavailable);
}

TEST_CASE("vault: threads that ensure the same persons agree on one key each") {
  TemporaryDirectory folder;
  auto vault = open_vault(folder / "keys", 8);  // fewer keys cached than are used
  std::vector<PersonId> persons;
  for (std::uint64_t i = 0; i < 50; ++i) persons.push_back(user(i));
  std::vector<std::vector<Sealed>> sealed(4);
  std::vector<std::thread> threads;
  std::atomic<int> failures{0};
  for (auto& mine : sealed) {
    threads.emplace_back([&vault, &persons, &mine, &failures] {
      if (!vault->ensure(persons)) ++failures;
      for (const auto& person : persons) mine.push_back(vault->seal(person, "text").value());
    });
  }
  for (auto& thread : threads) thread.join();
  CHECK(failures == 0);
  for (const auto& mine : sealed) {
    for (std::size_t i = 0; i < persons.size(); ++i) {
      CHECK(open_sealed(*vault, persons[i], mine[i]) == "text");
    }
  }
}

TEST_CASE("key cache: it holds the keys used last, up to its limit") {
  KeyCache cache(2);
  PersonKey key;
  cache.remember(user(1), key, cache.epoch());
  cache.remember(user(2), key, cache.epoch());
  CHECK(cache.size() == 2);
  CHECK(cache.find(user(1)).has_value());
  cache.remember(user(3), key, cache.epoch());
  CHECK(cache.size() == 2);
  CHECK_FALSE(cache.find(user(2)).has_value());
  CHECK(cache.find(user(1)).has_value());
  cache.forget(user(1));
  CHECK_FALSE(cache.find(user(1)).has_value());
  CHECK(cache.find(user(3)).has_value());
}

TEST_CASE("key cache: a key read before one was forgotten is not remembered after it") {
  KeyCache cache(2);
  const auto epoch = cache.epoch();
  cache.forget(user(1));
  cache.remember(user(1), PersonKey{}, epoch);
  CHECK_FALSE(cache.find(user(1)).has_value());
}

TEST_CASE("vault: a failing disk is a fault, and keys are made once it works again") {
  TemporaryDirectory folder;
  auto vault = std::move(SodiumVault::open({.path = folder / "keys"}).value());
  const PersonId person = UserId{id_of(1)}, other = UserId{id_of(2)};
  REQUIRE(vault->ensure({person}).ok());
  const auto sealed = vault->seal(person, "Ada").value();
  {
    NoFileGrows disk;
    CHECK_FALSE(vault->ensure({other}).ok());
    CHECK_FALSE(vault->seal(other, "x").ok());
    CHECK_FALSE(vault->destroy({person}).ok());
    CHECK(vault->failing());
  }
  SUBCASE("and nobody has to ask for that") {
    for (int i = 0; i < 100 && vault->failing(); ++i) std::this_thread::sleep_for(50ms);
    CHECK_FALSE(vault->failing());
  }
  bool works = false;
  for (int i = 0; i < 100 && !works; ++i) {
    std::this_thread::sleep_for(50ms);
    works = vault->ensure({other}).ok();
  }
  REQUIRE(works);
  CHECK(vault->seal(other, "x").ok());
  REQUIRE(vault->destroy({person}).ok());
  CHECK(vault->open(person, sealed).value() == std::nullopt);
}

TEST_CASE("vault: a key whose write was in doubt is never made again beside itself") {
  TemporaryDirectory folder;
  const PersonId person = UserId{id_of(1)};
  Sealed sealed;
  {
    auto vault = std::move(SodiumVault::open({.path = folder / "keys"}).value());
    REQUIRE(vault->ensure({UserId{id_of(2)}}).ok());
    syncs_to_fail = 2;  // of the log: what was written is in the file all the same
    int tries = 0;
    while (!vault->ensure({person}).ok()) {
      REQUIRE(++tries < 100);
      std::this_thread::sleep_for(50ms);
    }
    CHECK(tries > 0);
    sealed = vault->seal(person, "Ada").value();
    while (!vault->ensure({UserId{id_of(3)}}).ok()) std::this_thread::sleep_for(50ms);
    syncs_to_fail = 0;
  }
  auto vault = std::move(SodiumVault::open({.path = folder / "keys"}).value());
  CHECK(vault->open(person, sealed).value() == "Ada");
}
