#pragma once
/// The keys of the persons used last, in memory. Bounded; a key that leaves is wiped.
#include <array>
#include <cstdint>
#include <list>
#include <mutex>
#include <optional>
#include <unordered_map>

#include "actors/ports/vault.h"

namespace souk {

/// A person's secret; wiped when it goes out of scope.
class PersonKey {
 public:
  static constexpr std::size_t bytes_count = 32;
  PersonKey() = default;
  PersonKey(const PersonKey& other) = default;
  PersonKey& operator=(const PersonKey& other) = default;
  ~PersonKey();
  unsigned char* data() { return bytes_.data(); }
  const unsigned char* data() const { return bytes_.data(); }

 private:
  std::array<unsigned char, bytes_count> bytes_{};
};

/// Thread: any.
class KeyCache {
 public:
  explicit KeyCache(std::size_t keys_max) : keys_max_(keys_max) {}
  std::optional<PersonKey> find(const PersonId& person);
  /// Changes with every `forget`: ask before reading the disk, and hand it to `remember`.
  std::uint64_t epoch() const;
  /// Does nothing where any key was forgotten since `epoch`: the one just read may be destroyed.
  void remember(const PersonId& person, const PersonKey& key, std::uint64_t epoch);
  void forget(const PersonId& person);
  void clear();
  std::size_t size() const;

 private:
  struct Entry {
    PersonId person;
    PersonKey key;
  };
  const std::size_t keys_max_;
  mutable std::mutex mutex_;
  std::list<Entry> entries_;  // the last used first
  std::unordered_map<PersonId, std::list<Entry>::iterator> by_person_;
  std::uint64_t epoch_ = 0;
};

}  // namespace souk
