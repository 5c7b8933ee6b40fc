// A directory whose stores do not belong together, or miss something, is refused before anything
// runs; one that was only half made, or of format 1, is not.
#include "actors/adapters/stores.h"

#include <rocksdb/db.h>

#include "events/journal/rocksdb_manifest.h"
#include "tests/adapters/support.h"
#include "tests/support/one_writer.h"

namespace souk {
namespace {

using namespace souk::testing;

constexpr ShardId shard{1};

PersonId person(std::uint64_t number) { return PersonId(UserId{id_of(number, shard.value)}); }

/// As a shop runs: a person's key, an append, an account, an append.
void work(Stores& stores, std::uint64_t number) {
  REQUIRE(stores.vault->ensure({person(number)}).ok());
  Batch batch{.shard = shard, .first_seq = number, .last_seq = number, .bytes = "a record"};
  const auto append = [&] { REQUIRE(test::write(*stores.journal, {batch}).ok()); };
  append();
  ProviderAccount account;
  account.record.authorised = Micros{5};
  REQUIRE(stores.provider->save({{OrderId{id_of(number, shard.value)}, &account}}).ok());
  append();
}

Stores opened(const fs::path& path) {
  auto stores = Stores::open(path, 4);
  REQUIRE_MESSAGE(stores.ok(), stores.error().what);
  return std::move(*stores);
}
void made(const fs::path& path, std::uint64_t first = 1, std::uint64_t count = 2) {
  auto stores = opened(path);
  for (std::uint64_t number = first; number < first + count; ++number) work(stores, number);
}

/// What the start says, which the audit says as well.
Fault refusal(const fs::path& path) {
  const auto looked = Stores::open_read_only(path);
  CHECK_FALSE(looked.ok());
  auto stores = Stores::open(path);
  REQUIRE_FALSE(stores.ok());
  return stores.error();
}
bool says(const Fault& fault, std::string_view words) {
  INFO(fault.what);
  const bool found = fault.what.find(words) != std::string::npos;
  CHECK(found);
  return found;
}
void copied(const fs::path& from, const fs::path& to) {
  fs::remove_all(to);
  fs::copy(from, to, fs::copy_options::recursive);
}

}  // namespace

TEST_CASE("stores: a directory opens again, and only as what it is") {
  TemporaryDirectory folder;
  made(folder / "data");
  made(folder / "data", 3);
  CHECK(Stores::open_read_only(folder / "data").ok());
  CHECK(opened(folder / "data").journal->marks() == JournalMarks{8, 7, 6});
}

TEST_CASE("stores: one that is gone is refused, states are folded anew") {
  TemporaryDirectory folder;
  made(folder / "data");
  for (const auto& name : {"keys", "provider", "journal"}) {
    copied(folder / "data", folder / "hurt");
    fs::remove_all(folder / "hurt" / name);
    const auto fault = refusal(folder / "hurt");
    CHECK(fault.kind == Fault::Kind::mismatch);
    says(fault, (folder / "hurt" / name).string());
    // Nothing was made in its place that would be believed the next time.
    CHECK(refusal(folder / "hurt").what == fault.what);
    copied(folder / "data" / name, folder / "hurt" / name);
    CHECK(Stores::open(folder / "hurt").ok());
  }
  fs::remove_all(folder / "data" / "states");
  CHECK(Stores::open(folder / "data").ok());
}

TEST_CASE("stores: the folder of another directory is refused") {
  TemporaryDirectory folder;
  made(folder / "data");
  made(folder / "other");
  for (const auto& name : {"keys", "provider", "journal", "states"}) {
    copied(folder / "data", folder / "hurt");
    copied(folder / "other" / name, folder / "hurt" / name);
    const auto fault = refusal(folder / "hurt");
    CHECK(fault.kind == Fault::Kind::mismatch);
    says(fault, (folder / "hurt" / name).string());
    says(fault, "it belongs to the data directory");
  }
  copied(folder / "data", folder / "hurt");
  fs::copy_file(folder / "other" / "souk-data", folder / "hurt" / "souk-data",
                fs::copy_options::overwrite_existing);
  says(refusal(folder / "hurt"), "the manifest says");
}

TEST_CASE("stores: an older copy of a folder is refused") {
  TemporaryDirectory folder;
  made(folder / "data");
  copied(folder / "data", folder / "older");
  made(folder / "data", 3);
  for (const auto& name : {"keys", "provider"}) {
    copied(folder / "data", folder / "hurt");
    copied(folder / "older" / name, folder / "hurt" / name);
    says(refusal(folder / "hurt"), "it is older than the journal");
  }
  copied(folder / "data", folder / "hurt");
  copied(folder / "older" / "journal", folder / "hurt" / "journal");
  says(refusal(folder / "hurt"), "the journal is older than this folder");
  // The whole of it, from one moment, is a backup.
  made(folder / "older", 3);
}

TEST_CASE("stores: without the newest log of a synced store nothing starts") {
  TemporaryDirectory folder;
  made(folder / "data");
  {
    auto stores = opened(folder / "data");
    work(stores, 3);
    copied(folder / "data", folder / "killed");
  }
  for (const auto& name : {"keys", "provider", "journal"}) {
    INFO(name);
    const auto log = newest_log(folder / "killed" / name).filename();
    const auto bytes = read_file(folder / "killed" / name / log);
    const auto end = bytes.find_last_not_of('\0') + 1;
    copied(folder / "killed", folder / "hurt");
    CHECK(Stores::open(folder / "hurt").ok());
    // A journal without its very last append looks like one whose writer was killed in time.
    for (const auto& cut : {std::size_t{0}, name == std::string("journal") ? 1 : end / 2,
                            name == std::string("journal") ? 2 : end - 1}) {
      copied(folder / "killed", folder / "hurt");
      write_file(folder / "hurt" / name / log, bytes.substr(0, cut));
      CHECK_FALSE(Stores::open(folder / "hurt").ok());
    }
    copied(folder / "killed", folder / "hurt");
    fs::remove(folder / "hurt" / name / log);
    CHECK_FALSE(Stores::open(folder / "hurt").ok());
    copied(folder / "killed", folder / "hurt");
    fs::remove(folder / "hurt" / name / "CURRENT");
    says(refusal(folder / "hurt"), "CURRENT is missing");
  }
}

namespace {

fs::path manifest_of(const fs::path& store) {
  auto name = read_file(store / "CURRENT");
  name.pop_back();  // the line's end
  return store / name;
}
/// Where the records of a manifest of one block (32 KiB) begin and end: each has a head of 7 bytes,
/// in it the length.
std::vector<std::size_t> record_ends(const std::string& manifest) {
  std::vector<std::size_t> ends;
  REQUIRE(manifest.size() < 32 * 1024);
  const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(manifest[at]); };
  for (std::size_t at = 0; at + 7 <= manifest.size();) {
    at += 7 + (byte(at + 4) | std::size_t{byte(at + 5)} << 8);
    ends.push_back(at);
  }
  return ends;
}

}  // namespace

TEST_CASE("stores: a manifest that ends too soon is refused, also between two of its records") {
  TemporaryDirectory folder;
  made(folder / "data");
  made(folder / "data", 3);
  for (const std::string name : {"keys", "provider", "journal", "states"}) {
    const auto whole = read_file(manifest_of(folder / "data" / name));
    const auto ends = record_ends(whole);
    REQUIRE(ends.size() > 1);
    REQUIRE(ends.back() == whole.size());
    for (const auto end : ends) {
      INFO(name, " ends at ", end, " of ", whole.size());
      copied(folder / "data", folder / "hurt");
      write_file(manifest_of(folder / "hurt" / name), whole.substr(0, end));
      const auto stores = Stores::open_read_only(folder / "hurt");
      CHECK(stores.ok() == (end == whole.size()));
      if (end == whole.size()) continue;
      says(stores.error(), name);
      says(stores.error(), "was cut");
      CHECK(Stores::open(folder / "hurt").ok() == (name == "states"));  // these are folded anew
    }
  }
}

TEST_CASE("stores: the note of how far a manifest reached does no harm where it is damaged") {
  TemporaryDirectory folder;
  made(folder / "data");
  copied(folder / "data", folder / "older");
  made(folder / "data", 3);
  for (const std::string name : {"keys", "provider", "journal", "states"}) {
    const auto text = read_file(folder / "data" / name / manifest_note_name);
    const auto try_as = [&](const auto& hurt) {
      INFO(name);
      copied(folder / "data", folder / "hurt");
      const auto note = folder / "hurt" / name / manifest_note_name;
      hurt(note);
      made(folder / "hurt", 5);
      if (!fs::is_directory(note)) CHECK(check_manifest(folder / "hurt" / name).ok());
    };
    try_as([](const fs::path& note) { fs::remove(note); });
    try_as([](const fs::path& note) { write_file(note, ""); });
    try_as([&](const fs::path& note) { write_file(note, text.substr(0, text.size() / 2)); });
    try_as([&](const fs::path& note) {
      auto changed = text;
      changed[9] = '9';  // a later manifest, if it were believed
      write_file(note, changed);
    });
    try_as([&](const fs::path& note) {
      fs::copy_file(folder / "older" / name / manifest_note_name, note,
                    fs::copy_options::overwrite_existing);
    });
    try_as([](const fs::path& note) {
      fs::remove(note);
      fs::create_directory(note);
    });
  }
}

TEST_CASE("stores: a changed bit in the log of a synced store is refused, never dropped") {
  TemporaryDirectory folder;
  made(folder / "data");
  {
    auto stores = opened(folder / "data");
    work(stores, 3);
    copied(folder / "data", folder / "killed");
  }
  for (const auto& name : {"keys", "provider"}) {
    const auto log = newest_log(folder / "killed" / name);
    const auto bytes = read_file(log);
    for (std::size_t at = 0; at < bytes.size(); at += 5) {
      auto hurt = bytes;
      hurt[at] = static_cast<char>(hurt[at] ^ 1 << at % 8);
      write_file(log, hurt);
      INFO(name, " byte ", at, " of ", bytes.size());
      CHECK_FALSE(Stores::open_read_only(folder / "killed").ok());
    }
    write_file(log, bytes);
  }
  CHECK(Stores::open_read_only(folder / "killed").ok());
}

TEST_CASE("stores: a kill while the directory was made does not matter") {
  TemporaryDirectory folder;
  opened(folder / "data");
  for (const auto& name : {"keys", "provider", "states"}) {
    copied(folder / "data", folder / "half");
    fs::remove_all(folder / "half" / name);
    made(folder / "half");
  }
  copied(folder / "data", folder / "half");
  for (const auto& name : {"keys", "provider", "states", "journal"}) {
    fs::remove_all(folder / "half" / name);
  }
  made(folder / "half");
}

TEST_CASE("stores: states that cannot be opened, or that other rules made, are folded anew") {
  TemporaryDirectory folder;
  const auto checkpoint_after = [&] {
    return opened(folder / "data").states->checkpoint(shard)->seq;
  };
  const auto with_a_checkpoint = [&] {
    auto stores = opened(folder / "data");
    REQUIRE(
        stores.states->put({}, std::pair{shard, Checkpoint{.seq = 7}}, stores.states->generation())
            .ok());
  };
  with_a_checkpoint();
  CHECK(checkpoint_after() == 7);
  for (const auto& entry : fs::directory_iterator(folder / "data" / "states")) {
    if (entry.path().filename().string().starts_with("MANIFEST")) write_file(entry.path(), "x");
  }
  CHECK(checkpoint_after() == 0);
  with_a_checkpoint();
  write_file(folder / "data" / "states" / RocksdbStateStore::damage_note, "a block");
  CHECK(checkpoint_after() == 0);
  with_a_checkpoint();
  {
    rocksdb::DB* raw = nullptr;
    REQUIRE(rocksdb::DB::Open({}, (folder / "data" / "states").string(), &raw).ok());
    const std::unique_ptr<rocksdb::DB> database(raw);
    std::string other;
    append_le<std::uint32_t>(other, rules_version + 1);
    REQUIRE(database->Put({}, "rules", other).ok());
  }
  CHECK(Stores::open_read_only(folder / "data")->states == nullptr);
  CHECK(checkpoint_after() == 0);
}

TEST_CASE("stores: a directory of format 1 is bound and raised, once it is sound") {
  TemporaryDirectory folder;
  copied(fs::path(SOUK_SOURCE_DIR) / "tests/golden/data-1", folder / "old");
  CHECK(Stores::open_read_only(folder / "old").ok());
  copied(folder / "old", folder / "hurt");
  fs::remove_all(folder / "hurt" / "keys");
  says(refusal(folder / "hurt"), "secret is gone");
  CHECK(read_file(folder / "hurt" / "souk-data") == read_file(folder / "old" / "souk-data"));
  copied(folder / "old" / "keys", folder / "hurt" / "keys");
  REQUIRE(opened(folder / "hurt").directory->raise_format().ok());
  CHECK(opened(folder / "hurt").directory->manifest().format == 4);

  copied(folder / "old", folder / "new");
  made(folder / "new", 1000);
  REQUIRE(opened(folder / "new").directory->raise_format().ok());
  for (const auto& name : {"keys", "provider", "journal"}) {
    copied(folder / "new", folder / "hurt");
    copied(folder / "old" / name, folder / "hurt" / name);
    CHECK(refusal(folder / "hurt").kind == Fault::Kind::mismatch);
  }
  // The old manifest alone: the journal knows better, and it is raised again.
  copied(folder / "new", folder / "hurt");
  fs::copy_file(folder / "old" / "souk-data", folder / "hurt" / "souk-data",
                fs::copy_options::overwrite_existing);
  CHECK(opened(folder / "hurt").directory->raise_format().ok());
}

TEST_CASE("stores: payments that are on record elsewhere leave no ledger here, for good") {
  TemporaryDirectory folder;
  const auto path = folder / "data";
  const auto elsewhere = [&] {
    return Stores::open(path, 4, std::nullopt, std::nullopt, LedgerPlace::elsewhere);
  };
  {
    auto stores = elsewhere();
    REQUIRE(stores.ok());
    CHECK(stores->provider == nullptr);
    Batch batch{.shard = shard, .first_seq = 1, .last_seq = 1, .bytes = "a record"};
    REQUIRE(test::write(*stores->journal, {batch}).ok());
  }
  const auto refused = Stores::open(path);
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().kind == Fault::Kind::mismatch);
  says(refused.error(), "--payment-provider");
  CHECK_FALSE(fs::exists(path / "provider"));
  {
    const auto looked = Stores::open_read_only(path);
    REQUIRE(looked.ok());
    CHECK(looked->provider == nullptr);
    CHECK(looked->directory->manifest().ledger == LedgerPlace::elsewhere);
  }
  CHECK(elsewhere().ok());
}

TEST_CASE("stores: a directory that has taken payments keeps them until its ledger is moved") {
  TemporaryDirectory folder;
  const auto path = folder / "data";
  made(path);
  const auto elsewhere = [&] {
    return Stores::open(path, 4, std::nullopt, std::nullopt, LedgerPlace::elsewhere);
  };
  const auto refused = elsewhere();
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().kind == Fault::Kind::mismatch);
  says(refused.error(), "souk provider --data-dir");
  {
    auto stores = opened(path);  // nothing was changed
    work(stores, 3);
  }
  fs::rename(path / "provider", folder / "moved");
  CHECK(elsewhere().ok());
  auto moved = SimulatorLedger::open(folder / "moved");
  REQUIRE(moved.ok());
  const auto account = (*moved)->load(OrderId{id_of(3, shard.value)});
  REQUIRE((account.ok() && account->has_value()));
  CHECK((*account)->record.authorised == Micros{5});
}

}  // namespace souk
