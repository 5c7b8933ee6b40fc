#pragma once
/// How keys of persons stand in the vault's store; sodium_vault.h draws it. For the vault's own files.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "actors/adapters/key_cache.h"
#include "events/result.h"

namespace souk::vault_form {

inline constexpr char present = 1;
inline constexpr char destroyed = 2;
inline constexpr std::size_t group_bytes = 4;  // of a key of the store: tag, shard, kind
inline constexpr std::size_t id_bytes = sizeof(Id128::bytes);
inline constexpr std::size_t keys_per_person_max = 64;

/// REQUIRES: a kind whose id has 16 bytes.
inline std::string person_key(char tag, const PersonId& person) {
  SOUK_ASSERT(person.id().size() == id_bytes);
  std::string key(1, tag);
  key.append(person.id().substr(0, 2));  // the id begins with its shard
  key.push_back(static_cast<char>(person.kind()));
  key.append(person.id());
  return key;
}

/// Whose a key of the store is; nothing where it is none of a person.
inline std::optional<PersonId> person_of(std::string_view key) {
  if (key.size() != group_bytes + id_bytes) return std::nullopt;
  return PersonId(static_cast<Kind>(key[group_bytes - 1]), key.substr(group_bytes));
}

/// What is authenticated beside the plain text.
inline std::string binding_of(const PersonId& person) {
  std::string binding(1, static_cast<char>(person.kind()));
  binding.append(person.id());
  return binding;
}

inline bool is_destroyed(std::string_view value) {
  return value.size() == 1 && value[0] == destroyed;
}
/// How many keys a value holds; 0: none, or it is damaged.
inline std::size_t keys_in(std::string_view value) {
  constexpr std::size_t each = PersonKey::bytes_count;
  if (value.size() < 1 + each || value[0] != present || (value.size() - 1) % each != 0) return 0;
  return (value.size() - 1) / each;
}
/// REQUIRES: `number` < keys_in(value).
inline std::string_view key_in(std::string_view value, std::size_t number) {
  return value.substr(1 + number * PersonKey::bytes_count, PersonKey::bytes_count);
}

inline const unsigned char* unsigned_bytes(std::string_view bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}
inline unsigned char* unsigned_bytes(std::string& bytes) {
  return reinterpret_cast<unsigned char*>(bytes.data());
}

}  // namespace souk::vault_form
