#pragma once
/// The way of questions to read models from a node that has none to one that has them, and of the
/// answers back. It knows neither HTTP nor read models: both are bytes.
///
///   ask -> sent to a node with read models -> answered, part by part
///              ^---- that one cannot, or the link is lost ----'
///
/// A question changes nothing: when its link is lost it is sent once more, to another node. No node
/// is sent the same question twice.
///
/// An answer goes in parts, and its asker says how far it has come: ahead of that are at most
/// answer_ahead_bytes_max of one answer and peer_ahead_bytes_max to one node, since customers'
/// commands go through the same outbox (links.h) and shall find room in it.
///
/// Frames, each beside the asker's number (router.h):
///   question  its bytes
///   answer    1 byte: Verdict. Of `part` follow 4 bytes: of the whole answer, and 4: before this
///             part, little endian; then the part
///   taken     4 bytes, little endian: how much of the answer has come; forgotten: nobody waits
///
/// Invariants: each question is answered once, at the latest question_wait_ms after it came. What a
///   peer costs is bounded, whatever it sends.
/// Thread: any; answers on the thread of whatever call they come by, without the lock.
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cluster/links/links.h"
#include "cluster/node/clocks.h"

namespace souk::cluster {

/// Shorter than the edge waits, longer than any question takes. Units: milliseconds.
inline constexpr std::int64_t question_wait_ms = 55'000;
/// Of this node's own at a time, and their bytes, which are kept: they may be sent again.
inline constexpr std::size_t questions_max = 4'096;
inline constexpr std::size_t questions_bytes_max = 32u << 20;
inline constexpr std::size_t question_bytes_max = 128u << 10;
/// How often one is sent again because its link was lost.
inline constexpr int question_repeats_max = 1;
/// Of one peer that are not answered in full yet.
inline constexpr std::size_t questions_per_peer_max = 1'024;
inline constexpr std::size_t answer_bytes_max = 36u << 20;
/// Of answers that peers have not taken yet, and of those that come here, in all.
inline constexpr std::size_t answers_held_bytes_max = 128u << 20;
inline constexpr std::size_t answers_coming_bytes_max = 128u << 20;
inline constexpr std::size_t answer_part_bytes_max = 256u << 10;
inline constexpr std::size_t answer_ahead_bytes_max = 4 * answer_part_bytes_max;
inline constexpr std::size_t peer_ahead_bytes_max = 8u << 20;

/// Why there is no answer.
enum class NoAnswer : std::uint8_t {
  none_there,  // no node with read models can be reached
  none_can,    // those that were reached leave it to others
  overloaded,  // too much is under way, here or there: nothing was asked
  lost,        // so was the link to each node that was asked
  late,        // none came in time
  unreadable,  // what came is none
  ending,      // this node is
};
using QuestionDone = std::function<void(Result<std::string, NoAnswer>)>;
/// The answer to a peer's question, never empty; nothing: others should be asked.
using AnswerDone = std::function<void(std::optional<std::string>)>;
using Answerer = std::function<void(std::string_view question, AnswerDone done)>;

/// Lifecycle: made, then calls in any order; `stop` answers all that waits, and nothing is sent or
/// answered from then on.
class QuestionRelay {
 public:
  /// To a peer; as Links::send.
  struct Ports {
    using Send =
        std::function<Sent(const std::string& node, std::uint64_t id, std::string_view bytes)>;
    Send question, answer, taken;
  };
  QuestionRelay(Ports ports, std::function<SteadyMs()> steady)
      : ports_(std::move(ports)), steady_(std::move(steady)) {}

  void ask(std::string question, QuestionDone done);
  /// Who answers what peers ask here; must not block. REQUIRES: before the links start; it outlives
  /// `stop`.
  void answer_by(Answerer answerer) { answerer_ = std::move(answerer); }
  /// `nodes`: that have read models, and live; in any order. Ends what waited for too long.
  void tick(std::vector<std::string> nodes);
  void stop();

  // ---- what peers send ----
  void asked(const std::string& from, std::uint64_t id, std::string_view bytes);
  void answered(const std::string& from, std::uint64_t id, std::string_view bytes);
  void taken(const std::string& from, std::uint64_t id, std::string_view bytes);
  void lost(const std::string& node);

  /// Since the start.
  struct Figures {
    std::uint64_t asked = 0;        // by clients of this node
    std::uint64_t answered = 0;     // of these, by another node
    std::uint64_t asked_again = 0;  // of another node than the first
    std::uint64_t waiting = 0;      // now
    std::uint64_t taken = 0;        // by clients of other nodes
    std::uint64_t given = 0;        // of these, answered here
  };
  Figures figures() const;
  /// What is kept now of answers: to be sent, and not whole yet. Units: bytes.
  std::pair<std::size_t, std::size_t> answer_bytes() const;

 private:
  enum class Verdict : std::uint8_t { part = 1, not_here = 2, overloaded = 3 };
  static constexpr std::uint32_t forgotten = UINT32_MAX;
  struct Pending {
    std::string question;
    QuestionDone done;
    SteadyMs until;
    std::string at;                    // the node that has it
    std::vector<std::string> tried;    // with `at`
    int lost = 0;                      // links
    std::optional<std::size_t> total;  // of the answer
    std::string answer;                // that has come of it
  };
  struct Taken {
    std::uint64_t serial = 0;  // a peer that was started anew counts from the beginning
    SteadyMs until;
    std::optional<Verdict> verdict;  // none: it is being answered
    std::string answer;
    std::size_t sent = 0, arrived = 0;
  };
  using Ended = std::vector<std::pair<QuestionDone, Result<std::string, NoAnswer>>>;
  using PendingAt = std::map<std::uint64_t, Pending>::iterator;
  using TakenBy = std::map<std::pair<std::string, std::uint64_t>, Taken>;

  // REQUIRES: the lock.
  void send_to_someone(PendingAt at, Ended& ended);
  PendingAt end(PendingAt at, Result<std::string, NoAnswer> outcome, Ended& ended);
  void drop_answer(Pending& pending);
  bool take_part(Pending& pending, std::string_view part);
  void send_answers(const std::string& to);
  bool send_answer(const std::string& to, std::uint64_t id, Taken& taken, std::size_t& ahead);
  TakenBy::iterator forget(TakenBy::iterator at);
  // Without it.
  void given(const std::string& to, std::uint64_t id, std::uint64_t serial,
             std::optional<std::string> answer);
  void say(const std::string& to, std::uint64_t id, Verdict verdict);
  void say_taken(const std::string& to, std::uint64_t id, std::uint32_t bytes);
  static void tell(Ended&& ended);

  const Ports ports_;
  const std::function<SteadyMs()> steady_;
  Answerer answerer_;

  mutable std::mutex mutex_;  // what follows
  std::vector<std::string> nodes_;
  std::size_t turn_ = 0;  // in which they are asked
  std::map<std::uint64_t, Pending> pending_;
  TakenBy taken_;
  std::map<std::string, std::size_t> taken_of_;  // how many
  std::size_t question_bytes_ = 0, coming_bytes_ = 0, held_bytes_ = 0;
  std::uint64_t numbers_ = 0;
  Figures figures_;
  bool stopped_ = false;
};

}  // namespace souk::cluster
