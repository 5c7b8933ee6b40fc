#include "actors/adapters/rocksdb_expired_states.h"

#include <rocksdb/compaction_filter.h>

#include <string_view>

#include "actors/states/state_codec.h"

namespace souk {
namespace {

// As the state store writes them: tag, shard (2 bytes), kind; then seq and check ahead of a state.
constexpr std::size_t kind_at = 3, value_head_bytes = 12;
/// Dropped so long after it stopped to count, whatever shards think of the time.
constexpr std::int64_t grace_ms = 60LL * 60 * 1000;
/// A state that is only a refusal is not larger.
constexpr std::size_t refusal_bytes_max = 256;

bool counts(const Answers& answers, UnixMs at) {
  for (const auto& a : answers.all())
    if (a.counts_at(at)) return true;
  return false;
}

class DropExpired final : public rocksdb::CompactionFilter {
 public:
  explicit DropExpired(const std::atomic<std::int64_t>& log_time_ms) : time_(log_time_ms) {}
  const char* Name() const override { return "souk.expired"; }

  bool Filter(int, const rocksdb::Slice& key, const rocksdb::Slice& value, std::string*,
              bool*) const override {
    const std::int64_t now = time_.load(std::memory_order_relaxed) - grace_ms;
    if (now <= 0 || key.size() <= kind_at || key[0] != 's' || value.size() <= value_head_bytes)
      return false;
    const std::string_view state = value.ToStringView().substr(value_head_bytes);
    const UnixMs at{now};
    switch (static_cast<Kind>(key[kind_at])) {
      case Kind::key: {
        const auto known = decode_key(state);
        return known.ok() && at.value - known->key.at_ms > limits::answer_kept_ms;
      }
      case Kind::order: {
        if (state.size() > refusal_bytes_max) return false;
        const auto order = decode_order(state);
        return order.ok() && order->order.status == OrderStatus::none &&
               !counts(order->answers, at);
      }
      case Kind::cart: {
        if (state.size() > refusal_bytes_max) return false;
        const auto cart = decode_cart(state);
        return cart.ok() && cart->cart.status == CartStatus::none && !counts(cart->answers, at);
      }
      case Kind::email: {
        const auto email = decode_email(state);
        return email.ok() && email->owner.user.raw.zero() &&
               at.value - email->owner.changed_at.value > limits::answer_kept_ms;
      }
      default:
        return false;
    }
  }

 private:
  const std::atomic<std::int64_t>& time_;
};

}  // namespace

std::unique_ptr<rocksdb::CompactionFilter> drop_expired_states(
    const std::atomic<std::int64_t>& log_time_ms) {
  return std::make_unique<DropExpired>(log_time_ms);
}

}  // namespace souk
