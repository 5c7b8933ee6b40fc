#pragma once
/// What enters a shard, what it puts out during one turn of its driver, and what it asks of the
/// node around it.
#include <functional>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include "actors/checkout/checkout.h"
#include "actors/host/engine.h"
#include "actors/ports/request.h"
#include "actors/shard/refold.h"
#include "domain/fifo.h"
#include "events/batch.h"
#include "events/freshness.h"

namespace souk {

/// The answer to a process of one of our entities (an order's check-out, a user's address).
struct EmailAnswer {
  EmailHash email;
  std::size_t op = 0;  // ClaimEmail or FreeEmail
  ReplyCode code = ReplyCode::ok;
  Version number = 0;  // of the step that it answers
};
struct KeysDestroyed {
  Status status = Done{};  // all of them are, or it must be asked for again
};
struct ProcessAnswer {
  EntityKey entity;
  std::variant<StockAnswer, PaymentAnswer, EmailAnswer, KeysDestroyed> answer;
};

/// The catalogue of another shard is asked for a quote; `target` waits for it.
struct QuoteWanted {
  Sku sku;
  EntityKey target;
};
struct QuoteReady {
  EntityKey target;
  Sku sku;
  std::optional<Quote> quote;  // none: the catalogue cannot be read now
};

using ShardInput = std::variant<Request, ProcessAnswer, QuoteWanted, QuoteReady>;
/// The entity whose shard an input is for.
EntityKey target_of(const ShardInput& input);

/// The owner of a shard in one of its epochs, how many messages it had sent with this one, and its
/// time then: whoever takes the message is not behind that any more.
/// Epoch 0: no shard (a client's request, the provider, the host).
struct Sender {
  ShardId shard;
  std::uint64_t epoch = 0;
  std::uint64_t seq = 0;
  UnixMs at = {};
};
struct Envelope {
  Sender from;
  ShardInput content;
};

/// The index in Op of an operation.
template <class Operation>
inline const std::size_t op_index = Op(std::in_place_type<Operation>).index();

/// A reply and the sink that takes it.
using AddressedReply = std::pair<std::uint16_t, Reply>;
/// A user, and whose keys go with that user's.
using KeysToDestroy = std::pair<EntityKey, std::vector<PersonId>>;

struct ShardOutput {
  std::vector<AddressedReply> replies;
  Fifo<Envelope> inputs;  // for the shards of their targets
  std::vector<PaymentCall> payments;
  std::vector<KeysToDestroy> keys_to_destroy;
  std::vector<std::pair<ShardId, EntityKey>> loads;
  struct Flush {
    ShardId shard;
    std::uint64_t round = 0;       // of the shard's checkpoints
    std::uint64_t generation = 0;  // StateStore::put
    std::vector<StateWrite> states;
    std::optional<Checkpoint> checkpoint;
  };
  std::vector<Flush> flushes;
  /// States that the store has damaged. `number`: which request of its shard this is.
  struct Refold {
    ShardId shard;
    LostState lost;
    std::uint64_t number = 0;
  };
  std::vector<Refold> refolds;
  std::vector<ShardId> claims;  // shards that are to be claimed
  /// In a cluster: whether what others write to the shard's log is read here from now on.
  std::vector<std::pair<ShardId, bool>> follows;
  /// In a cluster: what came for a shard that is not owned here.
  std::vector<Envelope> strays;
  struct Owned {
    ShardId shard;
    std::uint64_t epoch = 0;
  };
  std::vector<Owned> owned;  // in a cluster: shards that are owned here from now on
};

struct ShardContext {
  const EngineOptions& options;
  StateStore& states;
  Clock& clock;
  Randomness& randomness;
  const Presenter& presenter;
  std::uint64_t incarnation = 0;
  /// The catalogue's word on a SKU, where it can be had at once (committed, in memory, same
  /// driver).
  std::function<std::optional<Quote>(const Sku&)> quote_now;
  Freshness* freshness = nullptr;  // none: nobody keeps copies
};

/// The shard's time: it never goes back behind a stamp that was given, folded or taken in.
class ShardClock {
 public:
  explicit ShardClock(Clock& clock) : clock_(clock) {}
  UnixMs now() {
    const UnixMs shown = clock_.now();
    if (read_.value == 0 || shown > newest_) read_ = shown;
    if (shown > newest_) {
      newest_ = shown;
    } else {
      // Ahead of the machine's by what a message or the log brought. It does not stand meanwhile, or
      // nothing would be due and nothing asked for anew: it goes at half the pace.
      const std::int64_t half = (shown.value - read_.value) / 2;
      newest_ = newest_.plus_ms(half);
      read_ = read_.plus_ms(2 * half);
    }
    return newest_;
  }
  void saw(UnixMs at) { newest_ = std::max(newest_, at); }
  UnixMs newest() const { return newest_; }

 private:
  Clock& clock_;
  UnixMs newest_;
  UnixMs read_;  // of the machine's clock, as far as it counted
};

/// Sends what leaves for other shards (or the shard itself), in the owner's name.
class Outbox {
 public:
  Outbox(ShardId id, const ShardClock& clock, ShardOutput& output)
      : from_{.shard = id}, clock_(clock), output_(output) {}
  void begin(std::uint64_t epoch) {
    if (from_.epoch != epoch) from_.seq = 0;
    from_.epoch = epoch;
  }
  void send(ShardInput&& content) {
    ++from_.seq;
    from_.at = clock_.newest();
    output_.inputs.push_back({from_, std::move(content)});
  }

 private:
  Sender from_;
  const ShardClock& clock_;
  ShardOutput& output_;
};

}  // namespace souk
