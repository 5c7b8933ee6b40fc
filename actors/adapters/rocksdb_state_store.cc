#include "actors/adapters/rocksdb_state_store.h"

#include <fmt/format.h>
#include <rocksdb/compaction_filter.h>
#include <rocksdb/db.h>
#include <rocksdb/options.h>
#include <rocksdb/slice_transform.h>
#include <rocksdb/write_batch.h>
#include <xxhash.h>

#include <fstream>

#include "actors/adapters/rocksdb_expired_states.h"

namespace souk {
namespace {

constexpr std::string_view if_corrupt =
    "the journal has the truth: stop the daemon, delete this folder, and it is rebuilt at the "
    "start";
constexpr std::string_view rules_key = "rules";  // u32 LE
constexpr std::uint32_t rules_unsaid = 1;
constexpr std::size_t key_head_bytes = 4;  // tag, shard, kind
constexpr std::size_t state_head_bytes = 12;
constexpr std::size_t checkpoint_bytes = 52;
constexpr std::size_t checkpoint_bytes_without_offset = 36;  // up to format 2 of a directory
constexpr std::size_t bytes_per_entry = 64;                  // a memtable's own, about

std::string entity_key(char tag, ShardId shard, const EntityKey& entity) {
  std::string key;
  key.reserve(key_head_bytes + entity.id().size());
  key.push_back(tag);
  append_u16_be(key, shard.value);
  key.push_back(static_cast<char>(entity.kind()));
  key.append(entity.id());
  return key;
}
std::string shard_key(char tag, ShardId shard) {
  std::string key(1, tag);
  append_u16_be(key, shard.value);
  return key;
}
/// Nothing where `key` is not one of ours.
std::optional<EntityKey> entity_of(std::string_view key) {
  if (key.size() <= key_head_bytes || key.size() > key_head_bytes + limits::sku_bytes_max) {
    return std::nullopt;
  }
  const auto kind = static_cast<std::uint8_t>(key[3]);
  if (kind < static_cast<std::uint8_t>(Kind::user) || kind > static_cast<std::uint8_t>(Kind::key)) {
    return std::nullopt;
  }
  return EntityKey(static_cast<Kind>(kind), key.substr(key_head_bytes));
}

std::uint32_t check_of(std::string_view key, std::uint64_t number, std::string_view bytes) {
  const auto seed = XXH3_64bits(key.data(), key.size()) ^ number;
  return static_cast<std::uint32_t>(XXH3_64bits_withSeed(bytes.data(), bytes.size(), seed));
}

std::string encode_state(std::string_view key, const StateWrite& write) {
  std::string value;
  value.reserve(state_head_bytes + write.state.size());
  append_le<std::uint64_t>(value, write.seq);
  append_le<std::uint32_t>(value, check_of(key, write.seq, write.state));
  value.append(write.state);
  return value;
}
std::optional<StoredState> decode_state(std::string_view key, std::string_view value) {
  if (value.size() < state_head_bytes) return std::nullopt;
  const auto seq = read_le<std::uint64_t>(value);
  const auto state = value.substr(state_head_bytes);
  if (read_le<std::uint32_t>(value.substr(8)) != check_of(key, seq, state)) return std::nullopt;
  return StoredState{seq, std::string(state)};
}

std::string encode_checkpoint(std::string_view key, const Checkpoint& checkpoint) {
  std::string value;
  append_le<std::uint64_t>(value, checkpoint.seq);
  append_le<std::uint64_t>(value, checkpoint.chain);
  append_le<std::uint64_t>(value, checkpoint.epoch);
  append_le<std::int64_t>(value, checkpoint.time_ms);
  append_le<std::uint64_t>(value, checkpoint.incarnation);
  append_le<std::uint64_t>(value, checkpoint.offset);
  append_le<std::uint32_t>(value, check_of(key, 0, value));
  return value;
}
std::optional<Checkpoint> decode_checkpoint(std::string_view key, std::string_view value) {
  if (value.size() != checkpoint_bytes && value.size() != checkpoint_bytes_without_offset)
    return std::nullopt;
  const std::size_t body = value.size() - 4;
  if (read_le<std::uint32_t>(value.substr(body)) != check_of(key, 0, value.substr(0, body))) {
    return std::nullopt;
  }
  Checkpoint checkpoint{.seq = read_le<std::uint64_t>(value),
                        .chain = read_le<std::uint64_t>(value.substr(8)),
                        .epoch = read_le<std::uint64_t>(value.substr(16)),
                        .time_ms = read_le<std::int64_t>(value.substr(24))};
  if (value.size() == checkpoint_bytes_without_offset) return checkpoint;
  checkpoint.incarnation = read_le<std::uint64_t>(value.substr(32));
  checkpoint.offset = read_le<std::uint64_t>(value.substr(40));
  return checkpoint;
}

Fault corrupt(std::string_view what, ShardId shard) {
  return {Fault::Kind::corrupt,
          fmt::format("states: {} of shard {} fails its check; {}", what, shard.value, if_corrupt)};
}

}  // namespace

RocksdbStateStore::Expiry::Expiry() : filter(drop_expired_states(log_time_ms)) {}
RocksdbStateStore::Expiry::~Expiry() = default;

RocksdbStateStore::RocksdbStateStore(std::unique_ptr<Expiry> expiry,
                                     std::unique_ptr<RocksdbHandle> database,
                                     const Options& options, RocksdbHandle::Access access)
    : path_(options.path),
      expiry_(std::move(expiry)),
      database_(std::move(database)),
      log_bytes_(options.log_bytes),
      damage_noted_(access == RocksdbHandle::Access::read_only) {}

Result<std::unique_ptr<RocksdbStateStore>, Fault> RocksdbStateStore::open(const Options& options) {
  return open_as(options, RocksdbHandle::Access::read_write);
}
Result<std::unique_ptr<RocksdbStateStore>, Fault> RocksdbStateStore::open_read_only(
    const Options& options) {
  return open_as(options, RocksdbHandle::Access::read_only);
}

Result<std::unique_ptr<RocksdbStateStore>, Fault> RocksdbStateStore::open_as(
    const Options& options, RocksdbHandle::Access access) {
  auto database_options = rocksdb_base_options(options.path, options.block_cache_bytes);
  // We rotate ourselves (see rotate_log); RocksDB alone would not sync the old file first.
  database_options.write_buffer_size = options.log_bytes * 4;
  database_options.max_total_wal_size = options.log_bytes * 64;
  // Every new order asks whether it is there already: 8 % of a shard's time in the skip list
  // without.
  database_options.memtable_whole_key_filtering = true;
  database_options.memtable_prefix_bloom_size_ratio = 0.05;
  // A round writes a shard's entities in the order of their keys: the place of the last one is
  // near.
  database_options.memtable_insert_with_hint_prefix_extractor.reset(
      rocksdb::NewFixedPrefixTransform(key_head_bytes - 1));
  database_options.allow_concurrent_memtable_write = false;
  database_options.level0_file_num_compaction_trigger = 8;
  database_options.wal_bytes_per_sync = 256 << 10;
  // A torn tail and anything after it is dropped: the store is then merely older.
  database_options.wal_recovery_mode = rocksdb::WALRecoveryMode::kPointInTimeRecovery;
  auto expiry = std::make_unique<Expiry>();
  database_options.compaction_filter = expiry->filter.get();
  auto database = RocksdbHandle::open(database_options, options.path, if_corrupt, access);
  if (!database) return database.error();
  const auto empty = (*database)->empty();
  if (!empty) return empty.error();
  if (options.binding) {
    if (auto status = (*database)->bind(*options.binding); !status) return status.error();
  }
  std::unique_ptr<RocksdbStateStore> store(
      new RocksdbStateStore(std::move(expiry), std::move(*database), options, access));
  if (auto status = store->load_rules(*empty); !status) return status.error();
  return store;
}

Status RocksdbStateStore::load_rules(bool empty) {
  std::string bytes;
  rocksdb::Status status;
  {
    const auto reader = database_->read();
    status = reader.db->Get({}, rocksdb::Slice(rules_key), &bytes);
  }
  if (status.ok() && bytes.size() == sizeof rules_) {
    rules_ = read_le<std::uint32_t>(bytes);
    return Done{};
  }
  if (!status.IsNotFound()) {
    return database_->fault(status.ok() ? rocksdb::Status::Corruption("rules") : status,
                            "read what made the states");
  }
  rules_ = empty ? rules_version : rules_unsaid;
  if (!empty) return Done{};
  append_le<std::uint32_t>(bytes, rules_);
  rocksdb::WriteBatch batch;
  batch.Put(rocksdb::Slice(rules_key), bytes);
  // Opened for reading only, nothing is written, and nothing is there to be misjudged.
  if (auto written = database_->write(batch, RocksdbHandle::Durability::buffered);
      !written && written.error().kind != Fault::Kind::unsupported) {
    return written;
  }
  return Done{};
}

Status RocksdbStateStore::put(const std::vector<StateWrite>& states,
                              const std::optional<std::pair<ShardId, Checkpoint>>& checkpoint,
                              std::uint64_t generation) {
  std::lock_guard lock(write_mutex_);
  rocksdb::WriteBatch batch;
  if (marks_generation_ != database_->generation()) {
    // The first put, or the disk failed before. An empty write recovers the database, or says why
    // not.
    if (auto status = database_->write(batch, RocksdbHandle::Durability::buffered); !status) {
      return status;
    }
    if (auto loaded = reload_marks(); !loaded) {
      if (loaded.error().kind != Fault::Kind::corrupt) return loaded;
      active_.clear();  // it is noted: the next start folds all anew
      marks_known_ = false;
      marks_generation_ = database_->generation();
    }
  }
  if (generation != database_->generation()) {
    return Fault{Fault::Kind::unavailable,
                 path_.string() + ": it was opened anew, and may lack what it took before"};
  }
  std::string key;
  for (const auto& write : states) {
    key = entity_key('s', write.shard, write.entity);
    batch.Put(key, encode_state(key, write));
    mark(write, batch);
  }
  if (checkpoint) {
    key = shard_key('c', checkpoint->first);
    batch.Put(key, encode_checkpoint(key, checkpoint->second));
    if (checkpoint->second.time_ms > expiry_->log_time_ms)
      expiry_->log_time_ms = checkpoint->second.time_ms;
  }
  if (auto status = database_->write(batch, RocksdbHandle::Durability::buffered); !status) {
    marks_generation_ = 0;
    return noted(status.error());
  }
  bytes_in_log_ += batch.GetDataSize() + bytes_per_entry * static_cast<std::size_t>(batch.Count());
  if (bytes_in_log_ < log_bytes_) return Done{};
  bytes_in_log_ = 0;
  auto rotated = database_->rotate_log();
  if (!rotated) marks_generation_ = 0;
  return rotated;
}

Result<bool, Fault> RocksdbStateStore::scrub(std::size_t bytes) {
  auto through = database_->scrub(bytes);
  if (!through) return noted(through.error());
  return through;
}

Fault RocksdbStateStore::noted(Fault fault) {
  if (fault.kind == Fault::Kind::corrupt && !damage_noted_.exchange(true)) {
    std::ofstream(path_ / damage_note) << fault.what << '\n';
  }
  return fault;
}

void RocksdbStateStore::mark(const StateWrite& write, rocksdb::WriteBatch& batch) {
  auto& active = active_[write.shard.value];
  if (write.attention == Attention::active) {
    if (active.insert(write.entity).second) {
      batch.Put(entity_key('a', write.shard, write.entity), {});
    }
  } else if (active.erase(write.entity) > 0 || !marks_known_) {
    batch.Delete(entity_key('a', write.shard, write.entity));
  }
}

Status RocksdbStateStore::reload_marks() {
  active_.clear();
  auto loaded = visit_keys(
      'a', std::nullopt, [&](std::string_view key, std::string_view) -> Result<bool, Fault> {
        const auto shard = static_cast<std::uint16_t>(static_cast<unsigned char>(key[1]) << 8 |
                                                      static_cast<unsigned char>(key[2]));
        const auto entity = entity_of(key);
        if (!entity) return noted(corrupt("a mark", {shard}));
        active_[shard].insert(*entity);
        return true;
      });
  if (loaded) marks_generation_ = database_->generation();
  if (loaded) marks_known_ = true;
  return loaded;
}

Result<StateStore::Found, Fault> RocksdbStateStore::get(ShardId shard, const EntityKey& entity,
                                                        Where where) {
  const auto reader = database_->read();
  if (!reader.db) return database_->away();
  const auto generation = database_->generation();  // while the reader lives, it stays
  const auto key = entity_key('s', shard, entity);
  rocksdb::ReadOptions options;
  if (where == Where::memory) options.read_tier = rocksdb::kBlockCacheTier;
  rocksdb::PinnableSlice value;
  const auto status = reader.db->Get(options, reader.db->DefaultColumnFamily(), key, &value);
  if (status.IsNotFound()) return Found{Found::Answer::absent, {}, generation};
  if (status.IsIncomplete()) return Found{Found::Answer::on_disk, {}, generation};
  if (!status.ok()) return noted(database_->fault(status, "read a state"));
  auto state = decode_state(key, value.ToStringView());
  if (!state) return noted(corrupt("a state", shard));
  return Found{Found::Answer::found, std::move(*state), generation};
}

Result<Checkpoint, Fault> RocksdbStateStore::checkpoint(ShardId shard) {
  const auto reader = database_->read();
  if (!reader.db) return database_->away();
  const auto key = shard_key('c', shard);
  std::string value;
  const auto status = reader.db->Get({}, key, &value);
  if (status.IsNotFound()) return Checkpoint{};
  if (!status.ok()) return noted(database_->fault(status, "read a checkpoint"));
  const auto checkpoint = decode_checkpoint(key, value);
  if (!checkpoint) return noted(corrupt("the checkpoint", shard));
  return *checkpoint;
}

Result<std::vector<EntityKey>, Fault> RocksdbStateStore::active(ShardId shard) {
  std::vector<EntityKey> found;
  auto status =
      visit_keys('a', shard, [&](std::string_view key, std::string_view) -> Result<bool, Fault> {
        const auto entity = entity_of(key);
        if (!entity) return noted(corrupt("a mark", shard));
        found.push_back(*entity);
        return true;
      });
  if (!status) return status.error();
  return found;
}

Status RocksdbStateStore::each(ShardId shard,
                               const std::function<bool(const EntityKey&, StoredState)>& visit) {
  return visit_keys('s', shard,
                    [&](std::string_view key, std::string_view value) -> Result<bool, Fault> {
                      const auto entity = entity_of(key);
                      auto state = decode_state(key, value);
                      if (!entity || !state) return noted(corrupt("a state", shard));
                      return visit(*entity, std::move(*state));
                    });
}

Status RocksdbStateStore::visit_keys(char tag, std::optional<ShardId> shard,
                                     const VisitKey& visit) {
  const auto reader = database_->read();
  if (!reader.db) return database_->away();
  const auto prefix = shard ? shard_key(tag, *shard) : std::string(1, tag);
  const auto end = after_prefix(prefix);
  const rocksdb::Slice bound(end);
  rocksdb::ReadOptions options;
  options.fill_cache = false;
  options.iterate_upper_bound = &bound;
  const std::unique_ptr<rocksdb::Iterator> it(reader.db->NewIterator(options));
  for (it->Seek(prefix); it->Valid(); it->Next()) {
    auto more = visit(it->key().ToStringView(), it->value().ToStringView());
    if (!more) return more.error();
    if (!*more) return Done{};
  }
  if (!it->status().ok()) return noted(database_->fault(it->status(), "read"));
  return Done{};
}

}  // namespace souk
