#include "actors/adapters/key_cache.h"

#include <sodium.h>

namespace souk {

PersonKey::~PersonKey() { sodium_memzero(bytes_.data(), bytes_.size()); }

std::optional<PersonKey> KeyCache::find(const PersonId& person) {
  std::lock_guard lock(mutex_);
  const auto found = by_person_.find(person);
  if (found == by_person_.end()) return std::nullopt;
  entries_.splice(entries_.begin(), entries_, found->second);
  return found->second->key;
}

std::uint64_t KeyCache::epoch() const {
  std::lock_guard lock(mutex_);
  return epoch_;
}

void KeyCache::remember(const PersonId& person, const PersonKey& key, std::uint64_t epoch) {
  std::lock_guard lock(mutex_);
  if (epoch != epoch_ || keys_max_ == 0 || by_person_.contains(person)) return;
  if (entries_.size() >= keys_max_) {
    by_person_.erase(entries_.back().person);
    entries_.pop_back();
  }
  entries_.push_front({person, key});
  by_person_.emplace(person, entries_.begin());
}

void KeyCache::forget(const PersonId& person) {
  std::lock_guard lock(mutex_);
  ++epoch_;
  const auto found = by_person_.find(person);
  if (found == by_person_.end()) return;
  entries_.erase(found->second);
  by_person_.erase(found);
}

void KeyCache::clear() {
  std::lock_guard lock(mutex_);
  ++epoch_;
  by_person_.clear();
  entries_.clear();
}

std::size_t KeyCache::size() const {
  std::lock_guard lock(mutex_);
  return entries_.size();
}

}  // namespace souk
