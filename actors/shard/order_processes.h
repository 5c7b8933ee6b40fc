#pragma once
/// What orders owe the world (stock steps, payment calls) and the requests that wait for it. Each
/// owed step is sent again until it is answered; the order's events say what is owed, so a recovery
/// starts it anew.
///
/// Invariant: an order that owes work has an entry here from start() to its last answer, and a timer
///   for each step that is not answered yet; each waiting request is answered once, at the latest
///   at its time.
/// Thread: its shard's.
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "actors/checkout/checkout.h"
#include "actors/shard/desk.h"
#include "actors/shard/timers.h"

namespace souk {

/// Names a process's own command: the order, the step, how often it came to that.
CommandId process_cause(const OrderId& order, std::size_t fact, Version version);

class OrderProcesses {
 public:
  OrderProcesses(Desk& desk, Timers& timers);

  /// Begins what the order owes, unless it is under way.
  void start(OrderId id, Checkout::Start start);
  /// Begins what all orders in memory owe; after a recovery.
  void resume();
  /// An answer that nothing waits for (late, or a repeat) leads to nothing.
  void answered(OrderId id, const StockAnswer& answer);
  void answered(OrderId id, const PaymentAnswer& answer);
  void answered(OrderId id, const KeysDestroyed& answer);
  /// The order's timer has come. While a commit is in doubt nothing is sent; who waits is served.
  enum class Effects : std::uint8_t { held, sent };
  void timer(OrderId id, UnixMs now, Effects effects);

  /// The request is answered when the order is final, where it wants that; a check-out or buy-now.
  void wait_until_final(Request&& request, OrderId id, Seq seq, Replayed replayed);
  /// The request is answered when nothing is owed any more, with the order at `version`.
  void wait_until_done(Request&& request, OrderId id, Version version, Replayed replayed);

  bool working(const OrderId& id) const { return works_.contains(id); }
  std::size_t works() const { return works_.size(); }

  // ---- a commit is in doubt ----
  /// Forgets what is owed; who waits goes on waiting.
  void forget() {
    works_.clear();
    destroying_.clear();
  }
  /// After a recovery up to event `landed`: the requests whose own events are not in the log.
  std::vector<Request> take_not_landed(Seq landed);
  /// Those who wait, where what they wait for has come. REQUIRES: what is owed was resumed.
  void serve_all();
  /// Who waits does so no longer.
  std::vector<Request> take_waiting();

 private:
  struct Work {
    OrderWork order;
    UnixMs armed;  // its timer; 0: none
  };
  struct Waiter {
    Request request;
    Version version = 0;  // of the answer
    UnixMs until;
    Replayed replayed = Replayed::no;
    Seq own = 0;  // Undecided::asked
  };
  void wait(const OrderId& id, Waiter&& waiter);
  void destroy_key(const OrderId& id);
  /// Whoever repeats waits for what the first one recorded, which may not be in the log yet.
  Seq own_of(const OrderId& id, Replayed replayed) const {
    return replayed == Replayed::yes ? desk_.find<OrderState>(id)->seq : desk_.recorder.last_seq();
  }
  void follow(const OrderId& id, Advance&& advance);
  void record(const OrderId& id, const Order& order, Advance& advance);
  bool waits_on(const Hosted<OrderState>& order, UnixMs until) const;
  void serve(const OrderId& id);
  /// Whether it was answered.
  bool serve_final(const OrderId& id, const Hosted<OrderState>& order, const Waiter& waiter);
  bool serve_done(const OrderId& id, const Hosted<OrderState>& order, const Waiter& waiter);
  std::vector<ShardId> shards_of_products(const Order& order) const;

  Desk& desk_;
  Timers& timers_;
  const Checkout checkout_;
  std::unordered_map<OrderId, Work> works_;
  std::unordered_map<OrderId, std::vector<Waiter>> waiters_;
  std::unordered_set<OrderId> destroying_;  // whose keys: asked for and not answered yet
};

}  // namespace souk
