#pragma once
/// The batches under way on one I/O thread: reads their commands as room is there, gathers their
/// answers, sends each when it is whole.
#include <cstdint>
#include <memory>
#include <optional>
#include <unordered_set>
#include <vector>

#include "gateway/api/batch/batch.h"
#include "gateway/api/commands/command.h"
#include "gateway/api/edge/limits.h"
#include "gateway/api/edge/tickets.h"

namespace souk {

/// What the batches need from the rest of the edge.
class BatchPort {
 public:
  virtual ~BatchPort() = default;
  /// Takes the command and answers it later. False where there is no ticket now: nothing is taken.
  virtual bool start(Ticket&& ticket, PreparedCommand& command) = 0;
  virtual bool still_waits(ExchangeId exchange) = 0;
  virtual void send(ExchangeId exchange, HttpResponse&& response) = 0;
  /// A command that never started.
  virtual void refused(Action action, const Problem& problem) = 0;
};

/// Invariant: a batch stays in its slot until each command that was started is answered.
/// Order: the commands of a batch are started in their order. One that must be sealed first leaves
///        later than it was started, so one that need not be sealed waits for those before it, and
///        one that must waits for the registration of its person.
/// Limits: limits::batches_max at a time; batch_in_flight_max commands of one; bodies and answers
/// of
///         all within batch_bytes_max_in_all.
class BatchTable {
 public:
  BatchTable(BatchPort& port, CommandBuilder& builder) : port_(port), builder_(builder) {}

  /// There is room for one more with a body of this size.
  bool has_room(std::size_t body_bytes) const;
  /// REQUIRES: has_room(body_bytes).
  void open(ExchangeId exchange, BatchForm&& form, std::size_t body_bytes);
  /// Starts what can be started. True where it stopped only to let others have their turn.
  bool pump(std::int64_t now_ns);
  void answer(std::uint32_t slot, std::uint32_t line, BatchAnswer&& answer);
  /// A command of this batch has left the vault, or was answered before it came there.
  void sealed(std::uint32_t slot, const EntityKey& person);
  std::size_t bytes() const { return bytes_; }
  std::size_t open_batches() const { return open_; }

 private:
  struct Held {
    std::uint32_t line;
    Action action;
    Wants wants;
    PreparedCommand command;
  };
  struct Batch {
    ExchangeId exchange;
    BatchForm form;
    std::size_t bytes = 0;        // of its body and its answers
    std::uint32_t next_line = 0;  // lines read so far
    std::size_t in_flight = 0;
    std::size_t sealing = 0;
    std::unordered_set<EntityKey> registering;  // of those: who is made
    bool ended = false;                         // no more lines
    std::optional<Held> held;
  };
  bool pump_one(std::uint32_t slot, std::int64_t now_ns);
  void read_one(Batch& batch);
  bool start_held(std::uint32_t slot, std::int64_t now_ns);
  void write(Batch& batch, std::uint32_t line, BatchAnswer&& answer);
  void finish_if_whole(std::uint32_t slot);

  BatchPort& port_;
  CommandBuilder& builder_;
  std::vector<std::unique_ptr<Batch>> slots_;
  BatchCommand scratch_;
  std::size_t open_ = 0;
  std::size_t bytes_ = 0;
  std::size_t first_ = 0;  // whose turn it is to be first
};

}  // namespace souk
