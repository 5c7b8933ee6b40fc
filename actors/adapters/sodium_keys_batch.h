#pragma once
/// What the files of SharedKeys have in common; for them alone.
#include <rocksdb/write_batch.h>
#include <sodium.h>

#include <algorithm>

#include "actors/adapters/sodium_shared_keys.h"
#include "actors/adapters/vault_form.h"

namespace souk {

/// A write, and what it changes of what is in memory.
struct SharedKeys::Batch {
  rocksdb::WriteBatch writes;
  KeyDigests added;  // modulo 2^64
  std::vector<PersonId> marked, unmarked, dead;
  std::map<std::string, std::uint64_t> waits;
  std::optional<bool> all_copied;
  bool purges = false;
};

namespace vault_form {

inline constexpr std::size_t marks_per_write = 4'096;

/// False: damaged.
inline bool decode_waits(std::string_view value, Erasure& erasure) {
  if (value.size() < 8) return false;
  erasure.since_ms = static_cast<std::int64_t>(read_le<std::uint64_t>(value));
  value.remove_prefix(8);
  while (!value.empty()) {
    const std::size_t length = static_cast<unsigned char>(value[0]);
    if (length == 0 || value.size() < 1 + length) return false;
    erasure.nodes.emplace_back(value.substr(1, length));
    value.remove_prefix(1 + length);
  }
  return true;
}

inline std::vector<PersonId> each_once(std::vector<PersonId> persons) {
  std::sort(persons.begin(), persons.end());
  persons.erase(std::unique(persons.begin(), persons.end()), persons.end());
  return persons;
}

inline std::size_t bucket_of(const PersonId& person) {
  return static_cast<unsigned char>(person.id()[2]);
}

inline void wipe(std::string& text) { sodium_memzero(text.data(), text.size()); }

}  // namespace vault_form
}  // namespace souk
