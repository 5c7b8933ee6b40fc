// How shared keys are exchanged: digests, ranges of a bucket, keys wrapped for the way.

#include <fmt/format.h>
#include <rocksdb/db.h>

#include <set>

#include "actors/adapters/sodium_keys_batch.h"

namespace souk {

using namespace vault_form;

namespace {

constexpr std::size_t nonce_bytes = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES;
constexpr std::size_t tag_bytes = crypto_aead_xchacha20poly1305_ietf_ABYTES;
constexpr std::size_t record_bytes = 24;  // of a record beside its keys, about

/// Calls `visit` with the place (a key of the store without its tag), the person and the value of each
/// of the range, until it says no. The id's third byte follows the group and the shard in the store's
/// key, so that what is of other buckets is skipped by two seeks for each shard and kind.
template <class Visit>
void walk(rocksdb::Iterator& it, const KeyRange& range, const Visit& visit) {
  const auto after = "k" + range.after;
  it.Seek(after);
  if (!range.after.empty() && it.Valid() && it.key() == rocksdb::Slice(after)) it.Next();
  while (it.Valid() && it.key().starts_with("k")) {
    const auto key = it.key().ToStringView();
    if (!range.to.empty() && key.substr(1) > range.to) return;
    const auto person = person_of(key);
    const auto bucket = person ? static_cast<unsigned char>(person->id()[2]) : range.bucket;
    if (bucket < range.bucket) {
      auto target = std::string(key.substr(0, group_bytes + 2));
      target.push_back(static_cast<char>(range.bucket));
      it.Seek(target);
      continue;
    }
    if (bucket > range.bucket) {
      it.Seek(after_prefix(std::string(key.substr(0, group_bytes + 2))));
      continue;
    }
    const auto value = it.value().ToStringView();
    const bool wanted = is_destroyed(value) == (range.what == KeyClass::destroyed);
    if (person && wanted && !visit(key.substr(1), *person, value)) return;
    it.Next();
  }
}

}  // namespace

KeyDigests SharedKeys::digests() const {
  const std::lock_guard lock(mutex_);
  return digests_;
}

std::uint64_t SharedKeys::secret_check() const {
  return vault_.keyed_hash("souk: keys of a cluster");
}

std::string SharedKeys::wrap(const PersonId& person, std::string_view value) const {
  if (is_destroyed(value)) return {};
  const auto binding = binding_of(person);
  const auto keys = value.substr(1);
  std::string wrapped(nonce_bytes + keys.size() + tag_bytes, '\0');
  randombytes_buf(wrapped.data(), nonce_bytes);
  crypto_aead_xchacha20poly1305_ietf_encrypt(
      unsigned_bytes(wrapped) + nonce_bytes, nullptr, unsigned_bytes(keys), keys.size(),
      unsigned_bytes(std::string_view(binding)), binding.size(), nullptr, unsigned_bytes(wrapped),
      wrap_key_.data());
  return wrapped;
}

/// The value as it would stand here.
Result<std::string, Fault> SharedKeys::unwrap(const KeyRecord& record) const {
  if (record.wrapped.empty()) return std::string(1, destroyed);
  const Fault wrong{Fault::Kind::mismatch,
                    fmt::format("keys: the key of {} that came was wrapped with another secret, or "
                                "is damaged",
                                record.person.text())};
  const std::string_view bytes = record.wrapped;
  if (bytes.size() < nonce_bytes + tag_bytes) return wrong;
  const auto binding = binding_of(record.person);
  std::string value(1 + bytes.size() - nonce_bytes - tag_bytes, present);
  const int opened = crypto_aead_xchacha20poly1305_ietf_decrypt(
      unsigned_bytes(value) + 1, nullptr, nullptr, unsigned_bytes(bytes) + nonce_bytes,
      bytes.size() - nonce_bytes, unsigned_bytes(std::string_view(binding)), binding.size(),
      unsigned_bytes(bytes), wrap_key_.data());
  if (opened != 0 || keys_in(value) == 0 || keys_in(value) > keys_per_person_max) return wrong;
  return value;
}

Result<std::vector<KeyRecord>, Fault> SharedKeys::records(const std::vector<PersonId>& persons) {
  auto known = values('k', persons);
  if (!known) return known.error();
  std::vector<KeyRecord> all;
  for (std::size_t i = 0; i < persons.size(); ++i) {
    auto& value = (*known)[i];
    if (!value.empty()) all.push_back({persons[i], wrap(persons[i], value)});
    sodium_memzero(value.data(), value.size());
  }
  return all;
}

Result<SharedKeys::Prints, Fault> SharedKeys::prints(const KeyRange& range,
                                                     std::size_t prints_max) {
  const auto reader = vault_.database_->read();
  if (!reader.db) return vault_.database_->away();
  const std::unique_ptr<rocksdb::Iterator> it(reader.db->NewIterator({}));
  Prints found;
  std::string last;
  walk(*it, range, [&](std::string_view place, const PersonId& person, std::string_view value) {
    if (found.prints.size() == prints_max) {
      found.to = last;
      return false;
    }
    found.prints.push_back(print(person, value));
    last = place;
    return true;
  });
  if (!it->status().ok()) return vault_.database_->fault(it->status(), "read keys");
  std::sort(found.prints.begin(), found.prints.end());
  return found;
}

Result<SharedKeys::Page, Fault> SharedKeys::page(const KeyRange& range,
                                                 const std::vector<std::uint64_t>& without,
                                                 std::size_t bytes_max) {
  const auto reader = vault_.database_->read();
  if (!reader.db) return vault_.database_->away();
  const std::unique_ptr<rocksdb::Iterator> it(reader.db->NewIterator({}));
  Page page;
  std::string last;
  std::size_t bytes = 0;
  walk(*it, range, [&](std::string_view place, const PersonId& person, std::string_view value) {
    if (bytes >= bytes_max) {
      page.to = last;
      return false;
    }
    last = place;
    if (std::binary_search(without.begin(), without.end(), print(person, value))) return true;
    page.records.push_back({person, wrap(person, value)});
    bytes += record_bytes + page.records.back().wrapped.size();
    return true;
  });
  if (!it->status().ok()) return vault_.database_->fault(it->status(), "read keys");
  return page;
}

Result<SharedKeys::Merged, Fault> SharedKeys::merge(const std::vector<KeyRecord>& records,
                                                    std::int64_t now_ms,
                                                    const std::vector<std::string>& nodes) {
  std::vector<std::string> theirs;  // values as they would stand here
  theirs.reserve(records.size());
  std::vector<PersonId> persons;
  for (const auto& record : records) {
    auto value = unwrap(record);
    if (!value) return value.error();
    theirs.push_back(std::move(*value));
    persons.push_back(record.person);
  }
  persons = each_once(std::move(persons));
  const std::lock_guard writing(vault_.write_mutex_);
  if (auto sound = begin_write(); !sound) return sound.error();
  auto known = values('k', persons);
  if (!known) return known.error();
  Batch batch;
  Merged merged;
  for (std::size_t i = 0; i < records.size(); ++i) {
    const auto& person = records[i].person;
    const auto at = std::lower_bound(persons.begin(), persons.end(), person);
    auto& mine = (*known)[static_cast<std::size_t>(at - persons.begin())];
    if (is_destroyed(theirs[i])) merged.tombstones.push_back(person);
    if (is_destroyed(mine)) {
      if (!is_destroyed(theirs[i])) merged.dead.push_back(person);
      continue;
    }
    if (is_destroyed(theirs[i])) {
      put_tombstone(batch, person, mine, now_ms, nodes);
      wipe(mine);
      mine = theirs[i];
      ++merged.news;
      continue;
    }
    std::set<std::string> both;
    for (const auto* value : {&mine, &theirs[i]})
      for (std::size_t n = 0; n < keys_in(*value); ++n) both.emplace(key_in(*value, n));
    if (both.size() == keys_in(mine)) continue;
    if (both.size() > keys_per_person_max)
      return Fault{Fault::Kind::corrupt, fmt::format("keys: too many of {}", person.text())};
    std::string value(1, present);
    for (const auto& key : both) value.append(key);
    put(batch, person, mine, value);
    wipe(mine);
    mine = std::move(value);
    ++merged.news;
  }
  const auto written = write(batch);
  for (auto& value : theirs) wipe(value);
  for (auto& value : *known) wipe(value);
  if (!written) return written.error();
  return merged;
}

}  // namespace souk
