#pragma once
/// Prices that commands wait for: of each target (a cart, an order to be) those of the SKUs that
/// its command at the head of the queue needs. A price is asked for anew for each command, and
/// again where it does not come: the question or its answer may have been lost.
/// Invariant: a target that waits for prices has them, or hears that it will not, by its time.
/// Thread: its shard's.
#include <optional>
#include <unordered_map>
#include <vector>

#include "actors/shard/shard_io.h"

namespace souk {

inline constexpr std::int64_t quote_retry_ms = 500;
/// Then the command is answered 503.
inline constexpr std::int64_t quote_wait_ms = 5'000;

class Quotes {
 public:
  Quotes(const ShardContext& context, ShardClock& clock, Outbox& outbox)
      : context_(context), clock_(clock), outbox_(outbox) {}

  /// The price of `sku` for the command at `target`; nothing: it is asked for, and comes.
  std::optional<Quote> quote(const EntityKey& target, const Sku& sku);

  /// complete: the target has all that it asked for. failed: the catalogue cannot be read, and the
  /// target has none. unwanted: nothing waits for it (any more).
  enum class Came : std::uint8_t { unwanted, not_all, complete, failed };
  Came came(QuoteReady&& ready);
  /// Asks again for what has not come; returns the targets whose time is over, which have no
  /// prices any more.
  std::vector<EntityKey> take_late(UnixMs now);
  /// The command at `target` is done.
  void drop(const EntityKey& target) {
    if (!asked_.empty()) asked_.erase(target);
  }
  void clear() { asked_.clear(); }

 private:
  struct Asked {
    std::unordered_map<Sku, std::optional<Quote>> by_sku;  // none: it comes
    std::size_t missing = 0;
    UnixMs ask_again, until;
  };
  const ShardContext& context_;
  ShardClock& clock_;
  Outbox& outbox_;
  std::unordered_map<EntityKey, Asked> asked_;
};

}  // namespace souk
