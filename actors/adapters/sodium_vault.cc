#include "actors/adapters/sodium_vault.h"

#include <fmt/format.h>
#include <rocksdb/db.h>
#include <rocksdb/options.h>
#include <rocksdb/version.h>
#include <rocksdb/write_batch.h>
#include <sodium.h>

#include <algorithm>

#include "actors/adapters/vault_form.h"
#include "events/fault_log.h"

namespace souk {

using namespace vault_form;

namespace {

FaultLog purges_fail("destroyed keys not purged yet");  // tried again each purge_retry

constexpr std::string_view if_corrupt =
    "without its keys nobody can read personal data: restore this folder from a backup";
constexpr std::size_t nonce_bytes = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES;
constexpr std::size_t tag_bytes = crypto_aead_xchacha20poly1305_ietf_ABYTES;
constexpr std::string_view secret_key = "s";
constexpr std::size_t keys_per_read = 1'024;     // of those to destroy
constexpr std::size_t settled_max = 4'096;       // whose marks wait to be taken away
constexpr std::size_t marks_per_write = 16'384;  // of those whose bytes are purged
static_assert(PersonKey::bytes_count == crypto_aead_xchacha20poly1305_ietf_KEYBYTES);

/// False where the tag fails.
bool decrypt(const PersonId& person, const PersonKey& key, std::string_view sealed,
             std::string& plain) {
  const auto binding = binding_of(person);
  plain.resize(sealed.size() - nonce_bytes - tag_bytes);
  return crypto_aead_xchacha20poly1305_ietf_decrypt(
             unsigned_bytes(plain), nullptr, nullptr, unsigned_bytes(sealed) + nonce_bytes,
             sealed.size() - nonce_bytes, unsigned_bytes(std::string_view(binding)), binding.size(),
             unsigned_bytes(sealed), key.data()) == 0;
}

}  // namespace

SodiumVault::SodiumVault(std::unique_ptr<RocksdbHandle> database, std::size_t cached_keys_max)
    : database_(std::move(database)), cache_(cached_keys_max) {}

Result<std::unique_ptr<SodiumVault>, Fault> SodiumVault::open(const Options& options) {
  auto vault = open_as(options, RocksdbHandle::Access::read_write);
  if (vault) (*vault)->purger_ = std::thread([raw = vault->get()] { raw->purge_loop(); });
  return vault;
}

Result<std::unique_ptr<SodiumVault>, Fault> SodiumVault::open_read_only(const Options& options) {
  return open_as(options, RocksdbHandle::Access::read_only);
}

Result<std::unique_ptr<SodiumVault>, Fault> SodiumVault::open_as(const Options& options,
                                                                 RocksdbHandle::Access access) {
  if (sodium_init() < 0) {
    return Fault{Fault::Kind::unavailable, "keys: libsodium finds no source of random bytes"};
  }
  // No block cache and no compression: a key is in memory only while it is used, and its bytes in
  // a file are found where they are. Small files keep a purge cheap.
  auto database_options = rocksdb_base_options(options.path, 0);
  database_options.compression = rocksdb::kNoCompression;
  database_options.bottommost_compression = rocksdb::kNoCompression;
  database_options.write_buffer_size = 8 << 20;
  database_options.target_file_size_base = 2 << 20;
  auto database = RocksdbHandle::open(database_options, options.path, if_corrupt, access,
                                      RocksdbHandle::LogEnd::judged);
  if (!database) return database.error();
  std::unique_ptr<SodiumVault> vault(
      new SodiumVault(std::move(*database), options.cached_keys_max));
  if (options.binding) {
    if (auto status = vault->database_->bind(*options.binding); !status) return status.error();
  }
  if (auto status = vault->load_secret(options); !status) return status.error();
  if (auto status = vault->load_unsettled(); !status) return status.error();
  return vault;
}

SodiumVault::~SodiumVault() {
  {
    std::lock_guard lock(purge_mutex_);
    stopping_ = true;
  }
  purge_changed_.notify_all();
  if (purger_.joinable()) purger_.join();
  if (!settled_.empty()) {
    rocksdb::WriteBatch batch;
    forget_marks(batch);
    (void)database_->write(batch, RocksdbHandle::Durability::synced);  // else the next start asks
  }
  cache_.clear();
  sodium_memzero(hash_key_.data(), hash_key_.size());
  sodium_memzero(wide_hash_key_.data(), wide_hash_key_.size());
}

Status SodiumVault::load_secret(const Options& options) {
  std::string secret;
  rocksdb::Status status;
  {
    const auto reader = database_->read();
    status = reader.db->Get({}, rocksdb::Slice(secret_key), &secret);
  }
  if (!status.ok() && !status.IsNotFound()) return database_->fault(status, "read the secret");
  if (status.IsNotFound() && options.secret == Options::Secret::required) {
    return Fault{
        Fault::Kind::mismatch,
        fmt::format("keys: the directory's secret is gone, and the journal was written with "
                    "it: idempotency keys would count twice; {}",
                    if_corrupt)};
  }
  if (status.IsNotFound()) {
    secret.resize(hash_key_.size() + wide_hash_key_.size());
    if (options.given_secret)
      secret = *options.given_secret;
    else
      randombytes_buf(secret.data(), secret.size());
    rocksdb::WriteBatch batch;
    batch.Put(rocksdb::Slice(secret_key), secret);
    auto written = database_->write(batch, RocksdbHandle::Durability::synced);
    if (!written) return written;
  }
  if (secret.size() != hash_key_.size() + wide_hash_key_.size()) {
    return Fault{Fault::Kind::corrupt,
                 fmt::format("keys: the directory's secret is damaged; {}", if_corrupt)};
  }
  if (options.given_secret && secret != *options.given_secret) {
    return Fault{Fault::Kind::mismatch,
                 "keys: the secret given is not the one that this directory was written with: "
                 "idempotency keys would count twice and addresses would not be found. Give that "
                 "one again, or none where none was given; another secret needs a new directory"};
  }
  std::copy_n(unsigned_bytes(secret), hash_key_.size(), hash_key_.data());
  std::copy_n(unsigned_bytes(secret) + hash_key_.size(), wide_hash_key_.size(),
              wide_hash_key_.data());
  sodium_memzero(secret.data(), secret.size());
  return Done{};
}

Status SodiumVault::load_unsettled() {
  const auto reader = database_->read();
  if (!reader.db) return database_->away();
  const std::unique_ptr<rocksdb::Iterator> it(reader.db->NewIterator({}));
  for (it->Seek("n"); it->Valid() && it->key().starts_with("n"); it->Next()) {
    if (const auto person = person_of(it->key().ToStringView()))
      unsettled_[*person] = {.left_over = true};
  }
  if (!it->status().ok()) return database_->fault(it->status(), "read the marks");
  return Done{};
}

std::vector<PersonId> SodiumVault::unsettled() {
  std::lock_guard lock(write_mutex_);
  std::vector<PersonId> left;
  for (const auto& [person, state] : unsettled_)
    if (state.left_over) left.push_back(person);
  std::sort(left.begin(), left.end());
  return left;
}

Status SodiumVault::settle(const PersonId& person, KeyVerdict verdict) {
  std::lock_guard lock(write_mutex_);
  const auto at = unsettled_.find(person);
  if (at == unsettled_.end()) return Done{};
  auto& state = at->second;
  if (verdict == KeyVerdict::refused && state.commands > 0) --state.commands;
  if (verdict == KeyVerdict::absent) state.left_over = false;
  const bool stays = verdict == KeyVerdict::recorded;
  if (!stays && (state.commands > 0 || state.left_over)) return Done{};
  settled_.push_back(person);
  unsettled_.erase(at);
  if (stays && settled_.size() < settled_max) return Done{};  // its mark goes with the next key
  rocksdb::WriteBatch batch;
  if (!stays) batch.Delete(person_key('k', person));
  forget_marks(batch);
  auto written = database_->write(batch, RocksdbHandle::Durability::synced);
  if (written) settled_.clear();
  if (!stays) cache_.forget(person);
  return written;
}

/// Of those that were settled. Each write of this store is synced, since its log is judged by that;
/// so what need not be durable at once waits for one that must.
void SodiumVault::forget_marks(rocksdb::WriteBatch& batch) {
  for (const auto& person : settled_) batch.Delete(person_key('n', person));
}

Status SodiumVault::ensure(const std::vector<PersonId>& persons) {
  std::lock_guard lock(write_mutex_);
  // A key whose write failed may be there: it is used, never made again beside what it sealed.
  if (auto sound = database_->mend(); !sound) return sound;
  const auto epoch = cache_.epoch();
  rocksdb::WriteBatch batch;
  std::vector<std::pair<PersonId, PersonKey>> made;
  std::vector<PersonId> asked_again;
  const auto count_again = [&] {
    for (const auto& person : asked_again)
      if (const auto at = unsettled_.find(person); at != unsettled_.end()) ++at->second.commands;
  };
  for (const auto& person : persons) {
    PersonKey key;
    auto state = find_key(person, key);
    if (!state) return state.error();
    const auto again =
        std::any_of(made.begin(), made.end(), [&](const auto& one) { return one.first == person; });
    if (*state != KeyState::none || again) {
      asked_again.push_back(person);
      continue;
    }
    crypto_aead_xchacha20poly1305_ietf_keygen(key.data());
    std::string value(1, present);
    value.append(reinterpret_cast<const char*>(key.data()), PersonKey::bytes_count);
    batch.Put(person_key('k', person), value);
    sodium_memzero(value.data(), value.size());
    made.emplace_back(person, key);
  }
  if (made.empty()) {
    count_again();
    return Done{};
  }
  forget_marks(batch);
  for (const auto& [person, key] : made) batch.Put(person_key('n', person), {});
  auto written = database_->write(batch, RocksdbHandle::Durability::synced);
  if (!written) return written;
  settled_.clear();
  for (const auto& [person, key] : made) {
    cache_.remember(person, key, epoch);
    unsettled_[person] = {.commands = 1};
  }
  count_again();
  return Done{};
}

Result<SodiumVault::KeyState, Fault> SodiumVault::find_key(const PersonId& person, PersonKey& key) {
  if (auto cached = cache_.find(person)) {
    key = *cached;
    return KeyState::present;
  }
  const auto epoch = cache_.epoch();
  auto state = read_key(person, key);
  if (state && *state == KeyState::present) cache_.remember(person, key, epoch);
  return state;
}

Result<SodiumVault::KeyState, Fault> SodiumVault::read_key(const PersonId& person, PersonKey& key) {
  std::vector<PersonKey> keys;
  auto state = read_keys(person, keys);
  if (state && *state == KeyState::present) key = keys.front();
  return state;
}

Result<SodiumVault::KeyState, Fault> SodiumVault::read_keys(const PersonId& person,
                                                            std::vector<PersonKey>& keys) {
  const auto reader = database_->read();
  if (!reader.db) return database_->away();
  rocksdb::PinnableSlice value;
  const auto status =
      reader.db->Get({}, reader.db->DefaultColumnFamily(), person_key('k', person), &value);
  if (status.IsNotFound()) return KeyState::none;
  if (!status.ok()) return database_->fault(status, "read a key");
  if (is_destroyed(value.ToStringView())) return KeyState::destroyed;
  if (keys_in(value.ToStringView()) == 0) {
    return Fault{Fault::Kind::corrupt,
                 fmt::format("keys: the key of {} is damaged; {}", person.text(), if_corrupt)};
  }
  keys.resize(keys_in(value.ToStringView()));
  for (std::size_t i = 0; i < keys.size(); ++i)
    std::copy_n(unsigned_bytes(key_in(value.ToStringView(), i)), PersonKey::bytes_count,
                keys[i].data());
  return KeyState::present;
}

Result<Sealed, Fault> SodiumVault::seal(const PersonId& person, std::string_view plain) {
  PersonKey key;
  auto state = find_key(person, key);
  if (!state) return state.error();
  if (*state != KeyState::present) {
    return Fault{Fault::Kind::unavailable,
                 fmt::format("keys: {} has no key{}", person.text(),
                             *state == KeyState::destroyed ? " any more: it was erased" : " yet")};
  }
  const auto binding = binding_of(person);
  Sealed sealed;
  sealed.bytes.resize(nonce_bytes + plain.size() + tag_bytes);
  randombytes_buf(sealed.bytes.data(), nonce_bytes);
  crypto_aead_xchacha20poly1305_ietf_encrypt(
      unsigned_bytes(sealed.bytes) + nonce_bytes, nullptr, unsigned_bytes(plain), plain.size(),
      unsigned_bytes(std::string_view(binding)), binding.size(), nullptr,
      unsigned_bytes(sealed.bytes), key.data());
  return sealed;
}

Result<std::optional<std::string>, Fault> SodiumVault::open(const PersonId& person,
                                                            const Sealed& sealed) {
  if (sealed.bytes.empty()) return std::optional<std::string>(std::in_place);
  PersonKey key;
  auto state = find_key(person, key);
  if (!state) return state.error();
  if (*state == KeyState::destroyed) return std::optional<std::string>();
  if (*state == KeyState::none) {
    return Fault{Fault::Kind::corrupt,
                 fmt::format("keys: {} has no key here, and bytes that were sealed with one; {}",
                             person.text(), if_corrupt)};
  }
  const Fault wrong{Fault::Kind::corrupt,
                    fmt::format("keys: sealed bytes of {} fail their tag", person.text())};
  if (sealed.bytes.size() < nonce_bytes + tag_bytes) return wrong;
  std::string plain;
  if (decrypt(person, key, sealed.bytes, plain))
    return std::optional<std::string>(std::move(plain));
  // Two nodes may have made a key each, before they heard of the other's.
  std::vector<PersonKey> keys;
  state = read_keys(person, keys);
  if (!state) return state.error();
  if (*state == KeyState::destroyed) return std::optional<std::string>();
  for (const auto& one : keys) {
    if (decrypt(person, one, sealed.bytes, plain))
      return std::optional<std::string>(std::move(plain));
  }
  return wrong;
}

/// Those of `persons` that need a record of their end: who has a key, and users in any case.
Status SodiumVault::find_doomed(const std::vector<PersonId>& persons,
                                std::vector<PersonId>& doomed) {
  const auto reader = database_->read();
  if (!reader.db) return database_->away();
  std::vector<std::string> keys;
  std::vector<rocksdb::Slice> slices;
  std::vector<std::string> values;
  for (std::size_t from = 0; from < persons.size(); from += keys_per_read) {
    const std::size_t count = std::min(keys_per_read, persons.size() - from);
    keys.clear();
    for (std::size_t i = 0; i < count; ++i) keys.push_back(person_key('k', persons[from + i]));
    slices.assign(keys.begin(), keys.end());
    const auto states = reader.db->MultiGet({}, slices, &values);
    for (std::size_t i = 0; i < count; ++i) {
      const PersonId& person = persons[from + i];
      if (!states[i].ok() && !states[i].IsNotFound()) {
        return database_->fault(states[i], "read a key");
      }
      const bool gone = states[i].ok() && is_destroyed(values[i]);
      const bool matters = states[i].ok() || person.kind() == Kind::user;
      if (matters && !gone) doomed.push_back(person);
      sodium_memzero(values[i].data(), values[i].size());
    }
  }
  return Done{};
}

Status SodiumVault::destroy(const std::vector<PersonId>& persons) {
  // Read without the lock: who makes a key for another person does not wait for 100,000 reads. A
  // user's key that is made meanwhile is destroyed all the same, and has its mark.
  std::vector<PersonId> doomed;
  if (auto found = find_doomed(persons, doomed); !found) return found;
  if (doomed.empty()) return Done{};
  rocksdb::WriteBatch batch;
  for (const auto& person : doomed) {
    batch.Put(person_key('k', person), rocksdb::Slice(&destroyed, 1));
    batch.Put(person_key('p', person), {});
    batch.Delete(person_key('n', person));
  }
  Status written = Done{};
  {
    std::lock_guard lock(write_mutex_);
    written = database_->write(batch, RocksdbHandle::Durability::synced);
    // Now: a reader may have read them while they were written.
    for (const auto& person : doomed) cache_.forget(person);
    if (written) {
      for (const auto& person : doomed) unsettled_.erase(person);
    }
  }
  if (written) want_purge();
  return written;
}

void SodiumVault::want_purge() {
  {
    std::lock_guard lock(purge_mutex_);
    ++purges_wanted_;
  }
  purge_changed_.notify_all();
}

bool SodiumVault::wait_until_purged(std::chrono::milliseconds at_most) {
  std::unique_lock lock(purge_mutex_);
  const auto wanted = purges_wanted_;
  return purge_changed_.wait_for(lock, at_most, [&] { return purges_done_ >= wanted; });
}

void SodiumVault::purge_loop() {
  std::unique_lock lock(purge_mutex_);
  while (true) {
    if (!purge_changed_.wait_for(lock, disk_retry,
                                 [&] { return stopping_ || purges_done_ < purges_wanted_; })) {
      lock.unlock();
      if (failing()) try_disk();
      lock.lock();
      continue;
    }
    if (purges_done_ == purges_wanted_) return;  // stopping, and nothing is owed
    const auto wanted = purges_wanted_;
    lock.unlock();
    const auto purged = purge();
    if (purged)
      purges_fail.passed();
    else
      purges_fail.failed(fmt::format("what=\"{}\"", one_line(purged.error().what)));
    lock.lock();
    if (purged) {
      purges_done_ = wanted;
      purge_changed_.notify_all();
    } else if (stopping_ || purge_changed_.wait_for(lock, purge_retry, [&] { return stopping_; })) {
      return;  // the next start does it
    }
  }
}

/// Brings the store back where the disk works again: who looks whether it is ready may be the only
/// one who asks.
void SodiumVault::try_disk() {
  rocksdb::WriteBatch nothing;
  const std::lock_guard lock(write_mutex_);
  (void)database_->write(nothing, RocksdbHandle::Durability::buffered);
}

Status SodiumVault::purge() {
  std::vector<std::string> marks;
  {
    const auto reader = database_->read();
    if (!reader.db) return database_->away();
    const std::unique_ptr<rocksdb::Iterator> it(reader.db->NewIterator({}));
    for (it->Seek("p"); it->Valid() && it->key().starts_with("p"); it->Next()) {
      marks.push_back(it->key().ToString());
    }
    if (!it->status().ok()) return database_->fault(it->status(), "read the marks");
  }
  if (marks.empty()) return Done{};
  if (auto compacted = compact(marks); !compacted) return compacted;
  for (std::size_t from = 0; from < marks.size(); from += marks_per_write) {
    rocksdb::WriteBatch batch;
    const std::size_t to = std::min(from + marks_per_write, marks.size());
    for (std::size_t i = from; i < to; ++i) batch.Delete(marks[i]);
    std::lock_guard lock(write_mutex_);
    if (auto s = database_->write(batch, RocksdbHandle::Durability::synced); !s) return s;
  }
  return Done{};
}

/// Rewrites every file that holds one of the keys of `marks`, which are ascending: those of a shard
/// and kind together, since one person's orders are neighbours there.
Status SodiumVault::compact(const std::vector<std::string>& marks) {
  const auto reader = database_->read();
  if (!reader.db) return database_->away();
  rocksdb::Status status;
  rocksdb::CompactRangeOptions compact;
  compact.bottommost_level_compaction = rocksdb::BottommostLevelCompaction::kForceOptimized;
  const auto group = [](const std::string& mark) { return mark.substr(0, group_bytes); };
  for (std::size_t from = 0; from < marks.size() && status.ok();) {
    std::size_t to = from;
    while (to + 1 < marks.size() && group(marks[to + 1]) == group(marks[from])) ++to;
    const auto first = "k" + marks[from].substr(1), last = "k" + marks[to].substr(1);
    const rocksdb::Slice begin(first), end(last);
    // First flushes the memtable, after which the log file with the bytes is obsolete.
    status = reader.db->CompactRange(compact, &begin, &end);
    from = to + 1;
  }
  // The pair deletes obsolete files before it returns; by itself RocksDB does so soon after.
  if (status.ok()) status = reader.db->DisableFileDeletions();
#if ROCKSDB_MAJOR >= 9
  if (status.ok()) status = reader.db->EnableFileDeletions();
#else
  if (status.ok()) status = reader.db->EnableFileDeletions(true);
#endif
  if (!status.ok()) return database_->fault(status, "purge destroyed keys");
  return Done{};
}

std::uint64_t SodiumVault::keyed_hash(std::string_view bytes) const {
  static_assert(sizeof(std::uint64_t) == crypto_shorthash_BYTES);
  std::string hash(crypto_shorthash_BYTES, '\0');
  crypto_shorthash(unsigned_bytes(hash), unsigned_bytes(bytes), bytes.size(), hash_key_.data());
  const auto value = read_le<std::uint64_t>(hash);
  return value == 0 ? 1 : value;
}

Id128 SodiumVault::keyed_hash128(std::string_view purpose, std::string_view bytes) const {
  std::string head;
  append_le<std::uint64_t>(head, purpose.size());
  head.append(purpose);
  crypto_generichash_state state;
  crypto_generichash_init(&state, wide_hash_key_.data(), wide_hash_key_.size(),
                          sizeof(Id128::bytes));
  crypto_generichash_update(&state, unsigned_bytes(std::string_view(head)), head.size());
  crypto_generichash_update(&state, unsigned_bytes(bytes), bytes.size());
  Id128 hash;
  crypto_generichash_final(&state, hash.bytes.data(), hash.bytes.size());
  return hash;
}

}  // namespace souk
