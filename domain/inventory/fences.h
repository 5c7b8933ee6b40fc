#pragma once
/// How each order ended at a SKU. A step of it that comes late or twice finds that here, and begins
/// nothing anew.
#include <array>
#include <cstdint>
#include <vector>

#include "events/ids.h"
#include "events/time.h"

namespace souk {

enum class Over : std::uint8_t { no, sold, released };

/// That long at least it is known of an order how it ended.
inline constexpr std::int64_t fence_kept_ms = 5'000;

/// Kept are the orders of the last fence_kept_ms to twice that. What was asked for up to `horizon()`,
/// by an order that is not known here, is too old to be told from what is over: it is not done, and
/// its process, where it still wants it, asks anew. So nothing is known of an order for longer than
/// that, and no message can be so late that it does harm.
///   Why that holds: a shard's clock is never behind the stamp of a message that it took (Sender::at).
///   So an order's end here is no earlier than anything that its process had asked for before; an
///   order that is forgotten ended at or before the horizon, and so all its steps are older.
///
/// Invariants: a function of the log, except that one which was stored knows no order: its horizon
///   is the time of the last end. Whatever the number of orders, to find or to end one costs the
///   same; nothing is walked through to forget.
class Fences {
 public:
  /// Over::no also for an order that is forgotten. `asked_at`: of its step; an order that ended
  /// before did not ask for it, so what ended before is not looked through.
  Over find(const OrderId& order, UnixMs asked_at = {}) const;
  /// `at`: not before the last end's.
  void end(const OrderId& order, Over how, UnixMs at);
  UnixMs horizon() const { return horizon_; }
  bool before_horizon(UnixMs asked_at) const { return asked_at <= horizon_; }
  UnixMs last_end() const { return newer_.last; }
  /// What was stored: the last end.
  void restore(UnixMs last_end) {
    horizon_ = last_end;
    newer_.last = last_end;
  }

  std::size_t size() const { return newer_.size + older_.size; }
  std::size_t heap_bytes() const {
    return (newer_.table.capacity() + older_.table.capacity()) * sizeof(Slot);
  }
  /// Whether they would be stored alike.
  bool operator==(const Fences& o) const { return last_end() == o.last_end(); }

 private:
  struct Slot {
    OrderId order;
    Over how = Over::no;  // then it is empty
  };
  /// The orders that ended within fence_kept_ms; an open table, at most three quarters full.
  struct Span {
    UnixMs first, last;
    std::vector<Slot> table;  // a power of two, or none
    std::size_t size = 0;

    std::size_t slot_of(const OrderId& order) const;
    void put(const OrderId& order, Over how);
    /// Keeps the table where about `expected` orders may follow.
    void begin(UnixMs at, std::size_t expected);
  };
  Span newer_, older_;
  UnixMs horizon_{-1};  // nothing was asked for by then
};

}  // namespace souk
