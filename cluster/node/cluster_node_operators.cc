// What cluster_node.h does for operators, their commands and the picture that they see, and for
// questions to read models.
#include <algorithm>
#include <iterator>

#include "cluster/node/cluster_node.h"

namespace souk::cluster {
namespace {

constexpr std::int64_t show_every_ms = 100;
constexpr std::size_t hand_overs_remembered = 32;

}  // namespace

/// Its own go to the controller. Who asks for a peer is refused: that one asks whoever it is then.
void ClusterNode::relay_commands() {
  std::vector<Command> commands;
  {
    const std::lock_guard lock(mutex_);
    commands = std::exchange(commands_, {});
  }
  for (Command& one : commands) {
    if (one.from == Command::From::peer)
      one.done(Refused("this node is not the controller", Refused::Kind::not_done));
    else
      relay_->ask(std::move(one.command), std::move(one.done), steady_now().value);
  }
}

/// Each is judged by what those before it did: one at a time that changes something.
void ClusterNode::answer_commands() {
  std::vector<Command> commands;
  {
    const std::lock_guard lock(mutex_);
    commands = std::exchange(commands_, {});
  }
  for (auto at = commands.begin(); at != commands.end(); ++at) {
    auto answered = answer(control_->state(), at->command, wall_now());
    if (!answered.ok()) {
      at->done(answered.error());
    } else if (answered->empty()) {
      at->done(Done{});
    } else {
      in_log_.push_back(std::move(*at));
      control_->append(std::move(*answered));
      const std::lock_guard lock(mutex_);
      commands_.insert(commands_.begin(), std::make_move_iterator(at + 1),
                       std::make_move_iterator(commands.end()));
      return;
    }
  }
}

void ClusterNode::command(OperatorCommand command, CommandDone done) {
  {
    const std::lock_guard lock(mutex_);
    if (!ending_ && commands_.size() < commands_max) {
      commands_.push_back({std::move(command), std::move(done), Command::From::here});
      return;
    }
  }
  done(Refused("too many commands wait, or the node is ending", Refused::Kind::not_done));
}

std::string ClusterNode::heard_controller() const {
  std::uint64_t newest = 0;
  std::string controller;
  for (const auto& [name, row] : heard_.rows()) {
    if (row.newest.controller_epoch <= newest) continue;
    newest = row.newest.controller_epoch;
    controller = name;
  }
  return controller;
}

/// Who does not hear itself judges nobody (H1): then a link that is up is enough. Those that are
/// ending are asked where there are no others: they answer until their links are gone.
std::vector<std::string> ClusterNode::nodes_with_read_models() const {
  const SteadyMs now = steady_now();
  const bool judges = heard_.judges(now);
  std::vector<std::string> nodes, ending;
  for (const auto& [name, row] : heard_.rows()) {
    if (name == options_.link.node || row.newest.no_read_models) continue;
    if (row.newest.ending)
      ending.push_back(name);
    else if (!judges || heard_.silence_ms(name, now) < silent_after_ms)
      nodes.push_back(name);
  }
  return nodes.empty() ? ending : nodes;
}

void ClusterNode::see_hand_overs() {
  const auto& moves = control_->state().moves();
  const UnixMs now = control_->state().cluster().now;
  std::erase_if(handing_over_, [&](const auto& one) {
    if (moves.contains(one.first)) return false;
    hand_over_ms_.push_back(std::max<std::int64_t>(0, now.value - one.second.value));
    if (hand_over_ms_.size() > hand_overs_remembered) hand_over_ms_.pop_front();
    return true;
  });
  for (const auto& [number, under_way] : moves)
    if (under_way.move.kind == Move::Kind::hand_over) handing_over_[number] = under_way.began;
}

void ClusterNode::show() {
  const SteadyMs now = steady_now();
  if (now < shown_at_.plus_ms(show_every_ms)) return;
  shown_at_ = now;
  ClusterView view{.state = control_->state(),
                   .cluster = present_view(control_->state(), heard_, wall_now()),
                   .owners = owners(),
                   .heard = heard_,
                   .name = options_.link.cluster,
                   .self = options_.link.node,
                   .controller = heard_controller(),
                   .controls = control_->controls(),
                   .judges = heard_.judges(now),
                   .links = links_->counters()};
  for (const std::int64_t took : hand_over_ms_)
    view.hand_over_ms = std::max(view.hand_over_ms, took);
  auto shown = std::make_shared<const ClusterView>(std::move(view));
  const std::lock_guard lock(mutex_);
  view_ = std::move(shown);
}

std::shared_ptr<const ClusterView> ClusterNode::view() const {
  const std::lock_guard lock(mutex_);
  return view_;
}

}  // namespace souk::cluster
