#pragma once
/// The requests that an owner must still be able to answer truthfully, whatever becomes of its
/// records: those whose answers wait for a commit, and, once a commit is in doubt, also those that
/// come before the log has said what is in it.
///
/// While the owner owns: asked(), committed(). In doubt: begin(), then hold() and take_late(), then
/// decide().
/// Invariants: each client's request that enters leaves once: its answer left the gate, it is run
///   again, or it is answered by what is known of it - `unavailable` (may or may not have happened)
///   or `not_done` (has not). In doubt all wait doubt_wait_ms from its beginning and no longer.
/// Thread: its shard's.
#include <vector>

#include "actors/shard/commit_gate.h"

namespace souk {

/// So long an answer may wait for the log to be decided; after that new commands are refused.
inline constexpr std::int64_t doubt_wait_ms = 2'000;
/// Of one shard, that wait to be run.
inline constexpr std::size_t doubt_requests_max = 1'024;

class Undecided {
 public:
  explicit Undecided(CommitGate& gate) : gate_(gate) {}

  // ---- while the owner owns ----
  /// Keeps `request` if its answer is the newest that waits in the gate. `own`: the last event that
  /// was recorded for it or before it; 0: it repeats what is known.
  void asked(Request&& request, Seq own);
  void committed(Seq seq);

  // ---- in doubt ----
  /// Takes what the gate holds.
  void begin(UnixMs now);
  /// Reads whose answers wait: they can be had of what is committed.
  std::vector<Request> take_reads();
  /// `request` is run once the log is decided. no: it is `not_done`; too many wait, or too long.
  enum class Held : std::uint8_t { no, yes };
  Held hold(Request&& request, UnixMs now);
  /// Whether the time of all that waits is over. Then `waiting` are answered `unavailable`, `held`
  /// `not_done`.
  bool late(UnixMs now) const { return !gave_up_ && now >= until_; }
  struct Late {
    std::vector<Request> in_doubt;
    std::vector<Request> held;
    std::vector<AddressedReply> answers;  // `unavailable` to others in doubt
  };
  Late take_late();

  /// What is in the log ends at event `landed` of those that were recorded; the log goes on to
  /// `end`: where that is more, another owner wrote it.
  struct Decided {
    std::vector<CommitGate::Effect> leaves;  // rests on what landed
    std::vector<Request> again;              // to be run as if they came now, in this order
    std::vector<AddressedReply> answers;     // of what cannot be run again
    std::vector<QuoteWanted> quotes;         // to be asked again: the answer did not land
  };
  Decided decide(Seq landed, Seq end);

 private:
  struct Asked {
    Seq answer = 0;  // the event that its answer rests on
    Seq own = 0;
    Request request;
  };
  void not_landed(CommitGate::Held&& held, Seq landed, Decided& to);
  Asked* find(const AddressedReply& reply);
  /// The answers to `requests` do not leave.
  void drop_answers(const std::vector<Request>& requests);

  CommitGate& gate_;
  Fifo<Asked> asked_;                   // answers ascend
  std::vector<CommitGate::Held> held_;  // of the gate
  std::vector<AddressedReply> barred_;  // waited for a barrier: a claim is one
  std::vector<Request> waiting_;
  UnixMs until_;
  bool gave_up_ = false;
};

}  // namespace souk
