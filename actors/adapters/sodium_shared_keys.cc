#include "actors/adapters/sodium_shared_keys.h"

#include <fmt/format.h>
#include <rocksdb/db.h>
#include <rocksdb/write_batch.h>
#include <sodium.h>

#include <algorithm>

#include "actors/adapters/sodium_keys_batch.h"

namespace souk {

using namespace vault_form;

namespace {

constexpr std::size_t keys_per_read = 1'024;
constexpr std::string_view all_copied_key = "b";
constexpr std::string_view wrap_purpose = "souk: keys of persons between nodes";

}  // namespace

Result<std::unique_ptr<SharedKeys>, Fault> SharedKeys::open(SodiumVault& vault) {
  for (const auto& person : vault.unsettled())
    if (auto settled = vault.settle(person, KeyVerdict::recorded); !settled) return settled.error();
  std::unique_ptr<SharedKeys> keys(new SharedKeys(vault));
  crypto_generichash(keys->wrap_key_.data(), keys->wrap_key_.size(), unsigned_bytes(wrap_purpose),
                     wrap_purpose.size(), vault.wide_hash_key_.data(), vault.wide_hash_key_.size());
  if (auto loaded = keys->load(); !loaded) return loaded.error();
  bool any = false;
  {
    const auto reader = vault.database_->read();
    const std::unique_ptr<rocksdb::Iterator> it(reader.db->NewIterator({}));
    it->Seek("k");
    any = it->Valid() && it->key().starts_with("k");
  }
  if (!any && !keys->all_copied())
    if (auto written = keys->set_all_copied(); !written) return written.error();
  return keys;
}

SharedKeys::~SharedKeys() { sodium_memzero(wrap_key_.data(), wrap_key_.size()); }

/// REQUIRES: the vault's write_mutex_, or that nobody else knows of this.
Status SharedKeys::load() {
  const auto reader = vault_.database_->read();
  if (!reader.db) return vault_.database_->away();
  const std::unique_ptr<rocksdb::Iterator> it(reader.db->NewIterator({}));
  const auto each = [&](std::string_view prefix, const auto& visit) {
    for (it->Seek(rocksdb::Slice(prefix)); it->Valid() && it->key().starts_with(prefix); it->Next())
      visit(it->key().ToStringView(), it->value().ToStringView());
  };
  KeyDigests digests;
  each("k", [&](std::string_view key, std::string_view value) {
    const auto person = person_of(key);
    if (!person) return;
    const auto what = is_destroyed(value) ? KeyClass::destroyed : KeyClass::present;
    digests.sums[static_cast<std::size_t>(what)][bucket_of(*person)] += print(*person, value);
  });
  std::unordered_set<PersonId> uncopied;
  each("c", [&](std::string_view key, std::string_view) {
    if (const auto person = person_of(key)) uncopied.insert(*person);
  });
  std::map<std::string, std::uint64_t> waits;
  each("e", [&](std::string_view, std::string_view value) {
    Erasure erasure;
    (void)decode_waits(value, erasure);  // a damaged one is shown by `unconfirmed`
    for (const auto& node : erasure.nodes) ++waits[node];
  });
  std::set<std::string> nodes;
  each("w", [&](std::string_view key, std::string_view) { nodes.emplace(key.substr(1)); });
  bool all_copied = false;
  each(all_copied_key, [&](std::string_view, std::string_view) { all_copied = true; });
  if (!it->status().ok()) return vault_.database_->fault(it->status(), "read the keys");
  const std::lock_guard lock(mutex_);
  digests_ = digests;
  uncopied_ = std::move(uncopied);
  copied_.clear();
  waits_ = std::move(waits);
  nodes_ = std::move(nodes);
  all_copied_ = all_copied;
  stale_ = false;
  return Done{};
}

/// A write that failed may be there: what is decided next is decided by what can be read.
Status SharedKeys::begin_write() {
  if (auto sound = vault_.database_->mend(); !sound) return sound;
  return stale_ ? load() : Status(Done{});
}

std::uint64_t SharedKeys::print(const PersonId& person, std::string_view value) const {
  std::string bytes("souk: key");
  bytes.append(binding_of(person)).append(value);
  const auto hash = vault_.keyed_hash(bytes);
  wipe(bytes);
  return hash;
}

/// One for each person; empty: nothing is there.
Result<std::vector<std::string>, Fault> SharedKeys::values(
    char tag, const std::vector<PersonId>& persons) const {
  const auto reader = vault_.database_->read();
  if (!reader.db) return vault_.database_->away();
  std::vector<std::string> all, keys, found;
  all.reserve(persons.size());
  std::vector<rocksdb::Slice> slices;
  for (std::size_t from = 0; from < persons.size(); from += keys_per_read) {
    const std::size_t count = std::min(keys_per_read, persons.size() - from);
    keys.clear();
    for (std::size_t i = 0; i < count; ++i) keys.push_back(person_key(tag, persons[from + i]));
    slices.assign(keys.begin(), keys.end());
    const auto states = reader.db->MultiGet({}, slices, &found);
    for (std::size_t i = 0; i < count; ++i) {
      if (!states[i].ok() && !states[i].IsNotFound())
        return vault_.database_->fault(states[i], "read a key");
      if (states[i].IsNotFound()) found[i].clear();
      if (tag == 'k' && !found[i].empty() && !is_destroyed(found[i]) && keys_in(found[i]) == 0) {
        return Fault{Fault::Kind::corrupt,
                     fmt::format("keys: the key of {} is damaged", persons[from + i].text())};
      }
      all.push_back(std::move(found[i]));
    }
  }
  return all;
}

void SharedKeys::put(Batch& batch, const PersonId& person, std::string_view before,
                     std::string_view after) const {
  batch.writes.Put(person_key('k', person), rocksdb::Slice(after));
  const auto sum = [&](std::string_view value) -> std::uint64_t& {
    return batch.added.sums[is_destroyed(value) ? 0 : 1][bucket_of(person)];
  };
  if (!before.empty()) sum(before) -= print(person, before);
  sum(after) += print(person, after);
}

/// REQUIRES: the vault's write_mutex_.
Status SharedKeys::write(Batch& batch) {
  Status written = Done{};
  if (batch.writes.Count() > 0) {
    written = vault_.database_->write(batch.writes, RocksdbHandle::Durability::synced);
    // Also where it failed: a reader may have read them while they were written.
    for (const auto& person : batch.dead) vault_.cache_.forget(person);
  }
  {
    const std::lock_guard lock(mutex_);
    if (!written) {
      stale_ = true;
      return written;
    }
    for (std::size_t what = 0; what < digests_.sums.size(); ++what)
      for (std::size_t i = 0; i < key_buckets; ++i)
        digests_.sums[what][i] += batch.added.sums[what][i];
    for (const auto& person : batch.marked) uncopied_.insert(person);
    for (const auto& person : batch.unmarked) uncopied_.erase(person);
    for (const auto& [node, count] : batch.waits) waits_[node] += count;
    if (batch.all_copied) all_copied_ = *batch.all_copied;
  }
  if (batch.purges) vault_.want_purge();
  return Done{};
}

Result<std::vector<PersonId>, Fault> SharedKeys::ensure(const std::vector<PersonId>& persons,
                                                        Copies copies) {
  const auto asked = each_once(persons);
  const std::lock_guard writing(vault_.write_mutex_);
  if (auto sound = begin_write(); !sound) return sound.error();
  auto known = values('k', asked);
  if (!known) return known.error();
  Batch batch;
  std::vector<PersonId> uncopied_here;
  // Marks of keys that have been copied go with this write, ahead of those that are set anew.
  std::vector<PersonId> copied;
  {
    const std::lock_guard lock(mutex_);
    copied.swap(copied_);
  }
  for (const auto& person : copied) batch.writes.Delete(person_key('c', person));
  for (std::size_t i = 0; i < asked.size(); ++i) {
    auto& value = (*known)[i];
    if (is_destroyed(value)) continue;
    const bool makes = value.empty();
    if (makes) {
      PersonKey key;
      crypto_aead_xchacha20poly1305_ietf_keygen(key.data());
      value.assign(1, present);
      value.append(reinterpret_cast<const char*>(key.data()), PersonKey::bytes_count);
      put(batch, asked[i], {}, value);
      if (copies == Copies::not_wanted && all_copied()) {
        batch.writes.Delete(rocksdb::Slice(all_copied_key));
        batch.all_copied = false;
      }
    }
    wipe(value);
    if (copies == Copies::not_wanted) continue;
    const bool marked = is_uncopied(asked[i]);
    if (!marked && !makes && all_copied()) continue;
    if (!marked) {
      batch.writes.Put(person_key('c', asked[i]), {});
      batch.marked.push_back(asked[i]);
    }
    uncopied_here.push_back(asked[i]);
  }
  if (static_cast<std::size_t>(batch.writes.Count()) == copied.size() &&
      copied.size() < marks_per_write) {
    const std::lock_guard lock(mutex_);
    copied_.insert(copied_.end(), copied.begin(), copied.end());
    return uncopied_here;
  }
  if (auto written = write(batch); !written) return written.error();
  return uncopied_here;
}

Result<bool, Fault> SharedKeys::needs_copies(const std::vector<PersonId>& persons) {
  auto known = values('k', persons);
  if (!known) return known.error();
  bool needs = false;
  for (std::size_t i = 0; i < persons.size(); ++i) {
    auto& value = (*known)[i];
    if (!is_destroyed(value))
      needs = needs || value.empty() || is_uncopied(persons[i]) || !all_copied();
    wipe(value);
  }
  return needs;
}

void SharedKeys::copied(const std::vector<PersonId>& persons) {
  const std::lock_guard lock(mutex_);
  for (const auto& person : persons)
    if (uncopied_.erase(person) > 0) copied_.push_back(person);
}

bool SharedKeys::is_uncopied(const PersonId& person) const {
  const std::lock_guard lock(mutex_);
  return uncopied_.contains(person);
}

std::vector<PersonId> SharedKeys::uncopied() const {
  const std::lock_guard lock(mutex_);
  return {uncopied_.begin(), uncopied_.end()};
}

bool SharedKeys::all_copied() const {
  const std::lock_guard lock(mutex_);
  return all_copied_;
}

Status SharedKeys::set_all_copied() {
  const std::lock_guard writing(vault_.write_mutex_);
  if (auto sound = begin_write(); !sound) return sound;
  Batch batch;
  batch.writes.Put(rocksdb::Slice(all_copied_key), {});
  batch.all_copied = true;
  return write(batch);
}

Result<SodiumVault::KeyState, Fault> SharedKeys::state(const PersonId& person) {
  PersonKey key;
  return vault_.find_key(person, key);
}

}  // namespace souk
