// How shared keys are exchanged: digests, ranges of a bucket, keys wrapped for the way.

#include <fmt/format.h>
#include <rocksdb/db.h>
#include <sodium.h>

#include <algorithm>

#include "actors/adapters/sodium_shared_keys.h"
#include "actors/adapters/vault_form.h"

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

}  // namespace souk
