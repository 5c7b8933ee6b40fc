#pragma once
/// The way of operators' commands from the node that was asked to the controller, and back.
///
///   ask -> (waits for a controller) -> sent to it -> answered
///                     ^---- it is not, or the link is lost ----'
///
/// One that may do something else the second time is not sent again when its link is lost: it is
/// `in_doubt`.
///
/// Invariant: each command is answered once, at the latest command_wait_ms after it came.
/// Limits: commands_max at a time.
/// Thread: any; answers on the thread of whatever call they come by, without the lock.
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cluster/control/command.h"
#include "cluster/links/links.h"

namespace souk::cluster {

/// Shorter than the edge waits. Units: milliseconds.
inline constexpr std::int64_t command_wait_ms = 10'000;
inline constexpr std::size_t commands_max = 256;

/// Whether once more changes nothing.
bool may_repeat(const OperatorCommand& command);

/// Lifecycle: made, then calls in any order; `stop` answers all that waits.
class CommandRelay {
 public:
  struct Ports {
    /// To another node: a command, or the outcome of one that it asked for.
    std::function<Sent(const std::string& node, std::uint64_t id, std::string bytes)> send_command;
    std::function<Sent(const std::string& node, std::uint64_t id, std::string bytes)> send_outcome;
    /// To this node itself: one that a peer asks for is refused where this is not the controller.
    std::function<void(OperatorCommand, CommandDone)> do_for_peer;
    std::function<void(OperatorCommand, CommandDone)> do_here;
  };
  /// `self`: this node's name.
  CommandRelay(std::string self, Ports ports) : self_(std::move(self)), ports_(std::move(ports)) {}

  void ask(OperatorCommand command, CommandDone done, std::int64_t now_ms);
  /// Sends what waits to the `controller` (empty: nobody is heard to be it), and ends what waited
  /// for too long.
  void tick(const std::string& controller, std::int64_t now_ms);
  void stop();

  // ---- what peers say ----
  void asked(const std::string& from, std::uint64_t id, std::string_view bytes);
  void answered(const std::string& from, std::uint64_t id, std::string_view bytes);
  void lost(const std::string& node);

 private:
  struct Pending {
    OperatorCommand command;
    CommandDone done;
    std::int64_t until_ms = 0;
    std::string at;  // the node that has it; empty: it waits
    bool sent_once = false;
  };
  using Ended = std::vector<std::pair<CommandDone, Result<Done, Refused>>>;
  static void tell(Ended&& ended);

  const std::string self_;
  const Ports ports_;
  std::mutex mutex_;
  std::map<std::uint64_t, Pending> pending_;
  std::uint64_t numbers_ = 0;
  bool stopped_ = false;
};

}  // namespace souk::cluster
