#pragma once
/// States that say nothing any more, dropped when the store rewrites its tables: what is known of
/// idempotency keys for longer than they count, and carts and orders that were never made and of
/// which there is only a refusal under such a key, and addresses that have been free for as long: no
/// step that was asked for before is under way any more.
#include <atomic>
#include <memory>

namespace rocksdb {
class CompactionFilter;
}

namespace souk {

/// Makes the filter. `log_time_ms` is the newest time of the log that the store has heard of (the
/// machine's clock is not asked); while it is 0 nothing is dropped. It outlives the filter.
std::unique_ptr<rocksdb::CompactionFilter> drop_expired_states(
    const std::atomic<std::int64_t>& log_time_ms);

}  // namespace souk
