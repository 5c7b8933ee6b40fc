#include "actors/adapters/sodium_vault.h"

#include <fmt/format.h>
#include <rocksdb/db.h>
#include <rocksdb/options.h>
#include <rocksdb/write_batch.h>
#include <sodium.h>
#include <spdlog/spdlog.h>

#include <algorithm>

namespace souk {
namespace {

constexpr std::string_view if_corrupt =
    "without its keys nobody can read personal data: restore this folder from a backup";
constexpr char present = 1;
constexpr char destroyed = 2;
constexpr std::size_t nonce_bytes = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES;
constexpr std::size_t tag_bytes = crypto_aead_xchacha20poly1305_ietf_ABYTES;
constexpr std::string_view secret_key = "s";
static_assert(PersonKey::bytes_count == crypto_aead_xchacha20poly1305_ietf_KEYBYTES);

std::string person_key(char tag, const PersonId& person) {
  SOUK_ASSERT(person.id().size() == sizeof(Id128::bytes));
  std::string key(1, tag);
  key.append(person.id().substr(0, 2));  // the id begins with its shard
  key.push_back(static_cast<char>(person.kind()));
  key.append(person.id());
  return key;
}
/// What is authenticated beside the plain text.
std::string binding_of(const PersonId& person) {
  std::string binding(1, static_cast<char>(person.kind()));
  binding.append(person.id());
  return binding;
}
const unsigned char* unsigned_bytes(std::string_view bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}
unsigned char* unsigned_bytes(std::string& bytes) {
  return reinterpret_cast<unsigned char*>(bytes.data());
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
  if (auto status = vault->load_secret(options.secret); !status) return status.error();
  return vault;
}

SodiumVault::~SodiumVault() {
  {
    std::lock_guard lock(purge_mutex_);
    stopping_ = true;
  }
  purge_changed_.notify_all();
  if (purger_.joinable()) purger_.join();
  cache_.clear();
  sodium_memzero(hash_key_.data(), hash_key_.size());
  sodium_memzero(wide_hash_key_.data(), wide_hash_key_.size());
}

Status SodiumVault::load_secret(Options::Secret missing) {
  std::string secret;
  rocksdb::Status status;
  {
    const auto reader = database_->read();
    status = reader.db->Get({}, rocksdb::Slice(secret_key), &secret);
  }
  if (!status.ok() && !status.IsNotFound()) return database_->fault(status, "read the secret");
  if (status.IsNotFound() && missing == Options::Secret::required) {
    return Fault{
        Fault::Kind::mismatch,
        fmt::format("keys: the directory's secret is gone, and the journal was written with "
                    "it: idempotency keys would count twice; {}",
                    if_corrupt)};
  }
  if (status.IsNotFound()) {
    secret.resize(hash_key_.size() + wide_hash_key_.size());
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
  std::copy_n(unsigned_bytes(secret), hash_key_.size(), hash_key_.data());
  std::copy_n(unsigned_bytes(secret) + hash_key_.size(), wide_hash_key_.size(),
              wide_hash_key_.data());
  sodium_memzero(secret.data(), secret.size());
  return Done{};
}

Status SodiumVault::ensure(const std::vector<PersonId>& persons) {
  std::lock_guard lock(write_mutex_);
  const auto epoch = cache_.epoch();
  rocksdb::WriteBatch batch;
  std::vector<std::pair<PersonId, PersonKey>> made;
  for (const auto& person : persons) {
    PersonKey key;
    auto state = find_key(person, key);
    if (!state) return state.error();
    const auto again =
        std::any_of(made.begin(), made.end(), [&](const auto& one) { return one.first == person; });
    if (*state != KeyState::none || again) continue;
    crypto_aead_xchacha20poly1305_ietf_keygen(key.data());
    std::string value(1, present);
    value.append(reinterpret_cast<const char*>(key.data()), PersonKey::bytes_count);
    batch.Put(person_key('k', person), value);
    sodium_memzero(value.data(), value.size());
    made.emplace_back(person, key);
  }
  if (made.empty()) return Done{};
  auto written = database_->write(batch, RocksdbHandle::Durability::synced);
  if (!written) return written;
  for (const auto& [person, key] : made) cache_.remember(person, key, epoch);
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
  const auto reader = database_->read();
  if (!reader.db) return database_->away();
  rocksdb::PinnableSlice value;
  const auto status =
      reader.db->Get({}, reader.db->DefaultColumnFamily(), person_key('k', person), &value);
  if (status.IsNotFound()) return KeyState::none;
  if (!status.ok()) return database_->fault(status, "read a key");
  if (value.size() == 1 && value[0] == destroyed) return KeyState::destroyed;
  if (value.size() != 1 + PersonKey::bytes_count || value[0] != present) {
    return Fault{Fault::Kind::corrupt,
                 fmt::format("keys: the key of {} is damaged; {}", person.text(), if_corrupt)};
  }
  std::copy_n(unsigned_bytes(value.ToStringView()) + 1, PersonKey::bytes_count, key.data());
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
  const auto binding = binding_of(person);
  const std::string_view bytes = sealed.bytes;
  std::string plain(bytes.size() - nonce_bytes - tag_bytes, '\0');
  const int opened = crypto_aead_xchacha20poly1305_ietf_decrypt(
      unsigned_bytes(plain), nullptr, nullptr, unsigned_bytes(bytes) + nonce_bytes,
      bytes.size() - nonce_bytes, unsigned_bytes(std::string_view(binding)), binding.size(),
      unsigned_bytes(bytes), key.data());
  if (opened != 0) return wrong;
  return std::optional<std::string>(std::move(plain));
}

Status SodiumVault::destroy(const PersonId& person) {
  {
    std::lock_guard lock(write_mutex_);
    PersonKey key;
    auto state = read_key(person, key);
    if (!state) return state.error();
    if (*state == KeyState::destroyed) return Done{};
    rocksdb::WriteBatch batch;
    batch.Put(person_key('k', person), rocksdb::Slice(&destroyed, 1));
    if (*state == KeyState::present) batch.Put(person_key('p', person), {});
    auto written = database_->write(batch, RocksdbHandle::Durability::synced);
    cache_.forget(person);  // now: a reader may have read it while it was written
    if (!written) return written;
    if (*state == KeyState::none) return Done{};
  }
  {
    std::lock_guard lock(purge_mutex_);
    ++purges_wanted_;
  }
  purge_changed_.notify_all();
  return Done{};
}

bool SodiumVault::wait_until_purged(std::chrono::milliseconds at_most) {
  std::unique_lock lock(purge_mutex_);
  const auto wanted = purges_wanted_;
  return purge_changed_.wait_for(lock, at_most, [&] { return purges_done_ >= wanted; });
}

void SodiumVault::purge_loop() {
  std::unique_lock lock(purge_mutex_);
  while (true) {
    purge_changed_.wait(lock, [&] { return stopping_ || purges_done_ < purges_wanted_; });
    if (purges_done_ == purges_wanted_) return;  // stopping, and nothing is owed
    const auto wanted = purges_wanted_;
    lock.unlock();
    const auto purged = purge();
    if (!purged) spdlog::warn("destroyed keys not purged yet what=\"{}\"", purged.error().what);
    lock.lock();
    if (purged) {
      purges_done_ = wanted;
      purge_changed_.notify_all();
    } else if (stopping_ || purge_changed_.wait_for(lock, purge_retry, [&] { return stopping_; })) {
      return;  // the next start does it
    }
  }
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
  {
    const auto reader = database_->read();
    if (!reader.db) return database_->away();
    rocksdb::Status status;
    rocksdb::CompactRangeOptions compact;
    compact.bottommost_level_compaction = rocksdb::BottommostLevelCompaction::kForceOptimized;
    for (const auto& mark : marks) {
      if (!status.ok()) break;
      const auto begin = "k" + mark.substr(1);
      const rocksdb::Slice from(begin);
      // First flushes the memtable, after which the log file with the bytes is obsolete.
      status = reader.db->CompactRange(compact, &from, &from);
    }
    // The pair deletes obsolete files before it returns; by itself RocksDB does so soon after.
    if (status.ok()) status = reader.db->DisableFileDeletions();
    if (status.ok()) status = reader.db->EnableFileDeletions(true);
    if (!status.ok()) return database_->fault(status, "purge destroyed keys");
  }
  std::lock_guard lock(write_mutex_);
  rocksdb::WriteBatch batch;
  for (const auto& mark : marks) batch.Delete(mark);
  return database_->write(batch, RocksdbHandle::Durability::synced);
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
