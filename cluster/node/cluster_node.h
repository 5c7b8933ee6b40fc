#pragma once
/// A node among others: it hears and is heard, follows the control log, may be the controller, and
/// tells its engine which shards to own. All of it on one thread of its own; what customers do goes
/// by router.h.
///
/// Lifecycle: open -> (ports, engine) -> wire -> run, or begin and steps -> stop.
#include <atomic>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "cluster/control/command_relay.h"
#include "cluster/control/controller.h"
#include "cluster/links/links.h"
#include "cluster/node/clocks.h"
#include "cluster/node/control_log.h"
#include "cluster/node/operator_port.h"
#include "cluster/node/question_relay.h"
#include "cluster/node/router.h"
#include "events/shared_log/log_broker.h"

namespace souk::cluster {

/// Whom a shard is handed to claims it by itself, where nothing of the hand-over was seen for so
/// long.
inline constexpr std::int64_t expect_ms = 1'000;

struct ClusterNodeOptions {
  std::uint32_t shards = 0;
  std::uint64_t genesis = 0;      // with which the logs begin
  std::uint64_t incarnation = 0;  // of this process: later ones are higher
  std::string zone;
  std::uint32_t weight = 1;
  /// It follows only the shards that it holds, else all.
  bool no_read_models = false;
  std::string http;  // HOST:PORT at which clients reach it
  std::string peer;  // HOST:PORT at which other nodes reach it; port 0: that of the link
  LinkOptions link;  // with the node's name and the cluster's
};

/// What it stands on. All outlives it. A simulation has links and clocks of its own.
struct ClusterNodePorts {
  LogBroker& control;
  LogBroker& liveness;
  using OpenLinks = std::function<Result<std::unique_ptr<Links>, Fault>(LinkOptions)>;
  OpenLinks open_links = &Links::open;
  Clocks clocks = {};
};

class ClusterNode final : public OperatorPort {
 public:
  /// Listens for peers, and reads the control log. `told`: as SharedLogs::catch_up.
  /// Errors: mismatch, unavailable, unsupported; in words for an operator.
  static Result<std::unique_ptr<ClusterNode>, Fault> open(ClusterNodeOptions options,
                                                          ClusterNodePorts ports,
                                                          const std::function<bool()>& give_up);
  ~ClusterNode() override;

  Router& router() { return *router_; }
  /// REQUIRES: wire.
  QuestionRelay& questions() { return *questions_; }
  const std::string& name() const { return options_.link.node; }
  std::uint16_t peer_port() const { return links_->port(); }
  /// REQUIRES: the engine does not run yet.
  void wire(Engine& engine);
  /// Where clients reach it, once that is known. REQUIRES: before run.
  void serves_at(const std::string& http) { options_.http = http; }
  /// From here on others hear of it. REQUIRES: the engine runs.
  void run();
  /// As run(), and nothing happens but in step(): what run() does again and again, on a thread of
  /// its own. Returns after `patience` at most. Thread: one.
  void begin();
  void step(std::chrono::milliseconds patience);
  /// It was asked to end: hands over what it owns to those who stand by. Returns when it owns
  /// nothing any more, or after `patience`. REQUIRES: run. Thread: any but the node's own.
  void leave(std::chrono::milliseconds patience);
  /// The beginning of leave().
  void begin_to_leave() { leaving_ = true; }
  /// How many shards it owns, as far as it knows. Thread: any.
  std::uint32_t owned() const;
  /// Others take over what it owns when they miss it.
  void stop();

  std::shared_ptr<const ClusterView> view() const override;
  void command(OperatorCommand command, CommandDone done) override;

 private:
  struct Ear;  // hears the liveness log
  ClusterNode(ClusterNodeOptions options, ClusterNodePorts ports);

  SteadyMs steady_now() const { return ports_.clocks.steady(); }
  UnixMs wall_now() const { return ports_.clocks.wall(); }
  void beat();
  Heartbeat heartbeat() const;
  void look_around();
  void rule();
  void answer_commands();
  void relay_commands();
  std::string heard_controller() const;
  std::vector<std::string> nodes_with_read_models() const;
  void see_hand_overs();
  void assign();
  void meet_peers();
  void show();
  std::vector<LogOwner> owners() const;
  Assignment assignment_of(ShardId shard, NodeId me);
  Assignment::What idle(ShardId shard, NodeId me) const;
  const Replica* held(ShardId shard, NodeId me) const;
  bool caught_up(ShardId shard) const;
  std::uint64_t newest_epoch(ShardId shard) const;
  bool reigns_ended(ShardId shard) const;
  Assignment farewell_of(ShardId shard) const;

  ClusterNodeOptions options_;
  ClusterNodePorts ports_;
  std::unique_ptr<Links> links_;
  std::unique_ptr<Router> router_;
  std::unique_ptr<CommandRelay> relay_;
  std::unique_ptr<QuestionRelay> questions_;
  std::unique_ptr<ControlLog> control_;
  std::unique_ptr<Ear> ear_;
  HeardTable heard_;
  std::optional<Controller> controller_;  // while it is the controller
  Engine* engine_ = nullptr;

  std::uint64_t beats_ = 0;
  bool farewell_said_ = false;
  std::uint64_t reigns_said_ = 0;
  SteadyMs beat_at_;
  SteadyMs shown_at_;
  std::uint64_t known_epoch_ = 0;  // of the control log
  std::vector<Assignment> assigned_;
  std::vector<std::uint64_t> told_in_;  // the newest epoch when that was said
  std::vector<SteadyMs> expecting_since_;
  std::vector<PeerAddress> peers_;
  std::map<std::uint64_t, UnixMs> handing_over_;  // hand-overs under way, and their beginning
  std::deque<std::int64_t> hand_over_ms_;         // of the newest
  struct Command {
    enum class From : std::uint8_t { here, peer };
    OperatorCommand command;
    CommandDone done;
    From from = From::here;
  };
  std::vector<Command> in_log_;  // appended with what is pending

  mutable std::mutex mutex_;
  std::vector<Command> commands_;
  std::shared_ptr<const ClusterView> view_;
  std::atomic<bool> leaving_{false};
  std::atomic<bool> ending_{false};
  std::thread thread_;
};

}  // namespace souk::cluster
