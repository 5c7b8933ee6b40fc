// Tombstones of shared keys, and who has not confirmed them.

#include <rocksdb/db.h>

#include "actors/adapters/sodium_keys_batch.h"

namespace souk {

using namespace vault_form;

namespace {

std::string encode_waits(std::int64_t since_ms, const std::vector<std::string>& nodes) {
  std::string value;
  append_le<std::uint64_t>(value, static_cast<std::uint64_t>(since_ms));
  for (const auto& node : nodes) {
    value.push_back(static_cast<char>(node.size()));
    value.append(node);
  }
  return value;
}

}  // namespace

void SharedKeys::put_tombstone(Batch& batch, const PersonId& person, std::string_view before,
                               std::int64_t now_ms, const std::vector<std::string>& nodes) const {
  put(batch, person, before, std::string_view(&destroyed, 1));
  if (!before.empty()) {
    batch.writes.Put(person_key('p', person), {});
    batch.purges = true;
  }
  batch.writes.Delete(person_key('n', person));
  batch.writes.Delete(person_key('c', person));
  batch.unmarked.push_back(person);
  batch.dead.push_back(person);
  if (nodes.empty()) return;
  batch.writes.Put(person_key('e', person), encode_waits(now_ms, nodes));
  for (const auto& node : nodes) ++batch.waits[node];
}

Status SharedKeys::destroy(const std::vector<PersonId>& persons, std::int64_t now_ms,
                           const std::vector<std::string>& nodes) {
  const auto doomed = each_once(persons);
  const std::lock_guard writing(vault_.write_mutex_);
  if (auto sound = begin_write(); !sound) return sound;
  auto known = values('k', doomed);
  if (!known) return known.error();
  Batch batch;
  for (std::size_t i = 0; i < doomed.size(); ++i) {
    auto& value = (*known)[i];
    if (!is_destroyed(value)) put_tombstone(batch, doomed[i], value, now_ms, nodes);
    wipe(value);
  }
  return write(batch);
}

Result<std::vector<Erasure>, Fault> SharedKeys::unconfirmed(std::size_t erasures_max) {
  const auto reader = vault_.database_->read();
  if (!reader.db) return vault_.database_->away();
  std::vector<Erasure> all;
  const std::unique_ptr<rocksdb::Iterator> it(reader.db->NewIterator({}));
  for (it->Seek("e"); it->Valid() && it->key().starts_with("e") && all.size() < erasures_max;
       it->Next()) {
    const auto person = person_of(it->key().ToStringView());
    Erasure erasure;
    if (!person || !decode_waits(it->value().ToStringView(), erasure))
      return Fault{Fault::Kind::corrupt, "keys: a record of who has not erased is damaged"};
    erasure.person = *person;
    all.push_back(std::move(erasure));
  }
  if (!it->status().ok()) return vault_.database_->fault(it->status(), "read erasures");
  return all;
}

Status SharedKeys::confirm(const std::string& node, const std::vector<PersonId>& persons) {
  const auto unique = each_once(persons);
  for (std::size_t from = 0; from < unique.size(); from += marks_per_write) {
    const auto begin = unique.begin() + static_cast<std::ptrdiff_t>(from);
    const auto count = std::min(marks_per_write, unique.size() - from);
    if (auto done = confirm_some(node, {begin, begin + static_cast<std::ptrdiff_t>(count)}); !done)
      return done;
  }
  return Done{};
}

/// REQUIRES: `persons` ascending, each once.
Status SharedKeys::confirm_some(const std::string& node, const std::vector<PersonId>& persons) {
  const std::lock_guard writing(vault_.write_mutex_);
  if (auto sound = begin_write(); !sound) return sound;
  {
    const std::lock_guard lock(mutex_);
    if (!waits_.contains(node)) return Done{};
  }
  auto known = values('e', persons);
  if (!known) return known.error();
  Batch batch;
  std::uint64_t confirmed = 0;
  for (std::size_t i = 0; i < persons.size(); ++i) {
    Erasure erasure;
    if ((*known)[i].empty() || !decode_waits((*known)[i], erasure)) continue;
    if (std::erase(erasure.nodes, node) == 0) continue;
    ++confirmed;
    if (erasure.nodes.empty())
      batch.writes.Delete(person_key('e', persons[i]));
    else
      batch.writes.Put(person_key('e', persons[i]), encode_waits(erasure.since_ms, erasure.nodes));
  }
  if (auto written = write(batch); !written) return written;
  const std::lock_guard lock(mutex_);
  const auto at = waits_.find(node);
  if (at != waits_.end() && (at->second -= std::min(at->second, confirmed)) == 0) waits_.erase(at);
  return Done{};
}

Result<std::bitset<key_buckets>, Fault> SharedKeys::confirm_equal(const std::string& node,
                                                                  const KeyDigests& theirs) {
  std::unique_lock writing(vault_.write_mutex_);
  if (auto sound = begin_write(); !sound) return sound.error();
  std::bitset<key_buckets> erased, equal;
  {
    const std::lock_guard lock(mutex_);
    for (std::size_t i = 0; i < key_buckets; ++i) {
      erased[i] = digests_.sums[0][i] == theirs.sums[0][i];
      equal[i] = erased[i] && digests_.sums[1][i] == theirs.sums[1][i];
    }
    if (!waits_.contains(node)) return equal;
  }
  if (auto done = confirm_where(node, erased, writing); !done) return done.error();
  return equal;
}

/// Of the erasures as they are when it is called. `writing`: let go of.
Status SharedKeys::confirm_where(const std::string& node, const std::bitset<key_buckets>& buckets,
                                 std::unique_lock<std::mutex>& writing) {
  std::vector<PersonId> persons;
  {
    const auto reader = vault_.database_->read();
    if (!reader.db) return vault_.database_->away();
    const std::unique_ptr<rocksdb::Iterator> it(reader.db->NewIterator({}));  // of this moment
    writing.unlock();
    for (it->Seek("e"); it->Valid() && it->key().starts_with("e"); it->Next()) {
      const auto person = person_of(it->key().ToStringView());
      Erasure erasure;
      if (!person || !buckets[bucket_of(*person)] ||
          !decode_waits(it->value().ToStringView(), erasure))
        continue;
      if (std::find(erasure.nodes.begin(), erasure.nodes.end(), node) != erasure.nodes.end())
        persons.push_back(*person);
    }
    if (!it->status().ok()) return vault_.database_->fault(it->status(), "read erasures");
  }
  return confirm(node, persons);
}

// ---- nodes ----

std::vector<std::string> SharedKeys::nodes() const {
  const std::lock_guard lock(mutex_);
  return {nodes_.begin(), nodes_.end()};
}

Status SharedKeys::add_node(const std::string& node) {
  const std::lock_guard writing(vault_.write_mutex_);
  if (auto sound = begin_write(); !sound) return sound;
  {
    const std::lock_guard lock(mutex_);
    if (nodes_.contains(node)) return Done{};
  }
  Batch batch;
  batch.writes.Put("w" + node, {});
  if (auto written = write(batch); !written) return written;
  const std::lock_guard lock(mutex_);
  nodes_.insert(node);
  return Done{};
}

Status SharedKeys::forget_node(const std::string& node) {
  {
    const std::lock_guard writing(vault_.write_mutex_);
    if (auto sound = begin_write(); !sound) return sound;
    Batch batch;
    batch.writes.Delete("w" + node);
    if (auto written = write(batch); !written) return written;
    const std::lock_guard lock(mutex_);
    nodes_.erase(node);
  }
  std::unique_lock writing(vault_.write_mutex_);
  return confirm_where(node, std::bitset<key_buckets>().set(), writing);
}

}  // namespace souk
