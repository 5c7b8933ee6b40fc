#pragma once
/// The requests of one I/O thread that wait for an answer.
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "actors/ports/request.h"
#include "gateway/api/commands/command.h"
#include "gateway/api/commands/fields.h"
#include "gateway/api/edge/compression.h"
#include "gateway/http/server.h"

namespace souk {

/// What to do with the answer.
struct Ticket {
  static constexpr std::uint32_t no_batch = UINT32_MAX;

  Action action = Action::console;
  Wants wants = Wants::body;
  bool body_omitted = false;     // of a batch that has become too large
  bool creates_nothing = false;  // PreparedCommand's
  std::int64_t started_ns = 0;
  std::int64_t due_ms = 0;         // on the Api's own clock: then it is answered 503
  bool sealing = false;            // its command is with the vault
  ExchangeId exchange;             // unless of a batch
  std::uint32_t batch = no_batch;  // its slot
  std::uint32_t line = 0;          // within the batch
  // of a payment: the order's shard is asked for its position, the provider's record comes after it
  std::optional<OrderId> record_next = {};
  // of a command that waits for a word of a shard: that its key is bound, or, with personal data,
  // that it would be done
  std::unique_ptr<PreparedCommand> next = {};
  // of a command with personal data that is with the vault, or sealed: whose key it uses
  EntityKey sealed_for = {};
  bool asks_for_left_over = false;  // no client: whether the log knows `sealed_for`
  // of a document
  std::string if_none_match = {};
  std::string document_key = {};  // to keep it under; empty: it is not kept
  Encoding encoding = Encoding::identity;
};

/// Numbered slots. A number is never used again before 2^32 others were, so that a late answer
/// finds nothing.
/// Limits: `max` at a time.
class TicketTable {
 public:
  explicit TicketTable(std::size_t max) : max_(max) {}

  /// Nothing where the table is full.
  std::optional<std::uint64_t> take(Ticket&& ticket) {
    if (in_use_ >= max_) return std::nullopt;
    if (free_.empty()) {
      free_.push_back(static_cast<std::uint32_t>(slots_.size()));
      slots_.emplace_back();
    }
    const auto index = free_.back();
    free_.pop_back();
    ++in_use_;
    auto& slot = slots_[index];
    slot.ticket = std::move(ticket);
    slot.used = true;
    return std::uint64_t{slot.generation} << 32 | index;
  }
  /// Null for one that was given back.
  Ticket* find(std::uint64_t number) {
    const auto index = static_cast<std::uint32_t>(number);
    if (index >= slots_.size()) return nullptr;
    auto& slot = slots_[index];
    return slot.used && slot.generation == number >> 32 ? &slot.ticket : nullptr;
  }
  /// REQUIRES: find(number) is not null.
  Ticket give_back(std::uint64_t number) {
    const auto index = static_cast<std::uint32_t>(number);
    auto& slot = slots_[index];
    slot.used = false;
    ++slot.generation;
    free_.push_back(index);
    --in_use_;
    return std::move(slot.ticket);
  }
  std::size_t in_use() const { return in_use_; }
  /// Those that are due at `now_ms`.
  std::vector<std::uint64_t> overdue(std::int64_t now_ms) const {
    std::vector<std::uint64_t> numbers;
    for (std::size_t i = 0; i < slots_.size(); ++i)
      if (slots_[i].used && slots_[i].ticket.due_ms <= now_ms)
        numbers.push_back(std::uint64_t{slots_[i].generation} << 32 | i);
    return numbers;
  }

 private:
  struct Slot {
    std::uint32_t generation = 1;
    bool used = false;
    Ticket ticket;
  };
  std::size_t max_;
  std::size_t in_use_ = 0;
  std::vector<Slot> slots_;
  std::vector<std::uint32_t> free_;
};

}  // namespace souk
