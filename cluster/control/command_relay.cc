#include "cluster/control/command_relay.h"

#include <fmt/format.h>

#include "cluster/control/command_codec.h"
#include "events/fault_log.h"

namespace souk::cluster {
namespace {

FaultLog unreadable("what a peer sent of an operator's command cannot be read");

Refused late(const std::string& at, bool sent_once, const std::string& controller) {
  if (!at.empty())
    return Refused(fmt::format("the controller {} did not answer within {} s: look whether it was "
                               "done",
                               at, command_wait_ms / 1'000),
                   Refused::Kind::in_doubt);
  const auto kind = sent_once ? Refused::Kind::in_doubt : Refused::Kind::not_done;
  if (controller.empty())
    return Refused(fmt::format("no controller was heard for {} s: are the brokers reached, and "
                               "does a node live that hears itself?",
                               command_wait_ms / 1'000),
                   kind);
  return Refused(fmt::format("there is no link to the controller {}", controller), kind);
}

}  // namespace

bool may_repeat(const OperatorCommand& command) {
  // Once more each of these would be refused, or stand in the history twice.
  return !std::holds_alternative<CancelMove>(command.wish) &&
         !std::holds_alternative<UnpinShard>(command.wish) &&
         !std::holds_alternative<ForgetNode>(command.wish) &&
         !std::holds_alternative<NoteDown>(command.wish);
}

void CommandRelay::tell(Ended&& ended) {
  for (auto& [done, outcome] : ended) done(std::move(outcome));
}

void CommandRelay::ask(OperatorCommand command, CommandDone done, std::int64_t now_ms) {
  {
    const std::lock_guard lock(mutex_);
    if (!stopped_ && pending_.size() < commands_max) {
      pending_[++numbers_] = {.command = std::move(command),
                              .done = std::move(done),
                              .until_ms = now_ms + command_wait_ms,
                              .at = {}};
      return;
    }
  }
  done(Refused("too many commands wait, or the node is ending", Refused::Kind::not_done));
}

void CommandRelay::tick(const std::string& controller, std::int64_t now_ms) {
  Ended ended;
  std::vector<Pending> home;
  {
    const std::lock_guard lock(mutex_);
    for (auto at = pending_.begin(); at != pending_.end();) {
      auto& [id, one] = *at;
      if (one.at.empty() && controller == self_) {
        home.push_back(std::move(one));
        at = pending_.erase(at);
        continue;
      }
      if (one.at.empty() && !controller.empty() &&
          ports_.send_command(controller, id, encode(one.command)) == Sent::yes) {
        one.at = controller;
        one.sent_once = true;
      }
      if (one.until_ms > now_ms) {
        ++at;
        continue;
      }
      ended.emplace_back(std::move(one.done), late(one.at, one.sent_once, controller));
      at = pending_.erase(at);
    }
  }
  for (Pending& one : home) ports_.do_here(std::move(one.command), std::move(one.done));
  tell(std::move(ended));
}

void CommandRelay::stop() {
  Ended ended;
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    for (auto& [id, one] : pending_)
      ended.emplace_back(std::move(one.done),
                         Refused("the node is ending", one.sent_once ? Refused::Kind::in_doubt
                                                                     : Refused::Kind::not_done));
    pending_.clear();
  }
  tell(std::move(ended));
}

void CommandRelay::asked(const std::string& from, std::uint64_t id, std::string_view bytes) {
  auto command = decode_command(bytes);
  const auto answer = [this, from, id](Result<Done, Refused> outcome) {
    // Where there is no link any more the other node knows that, too.
    ports_.send_outcome(from, id, encode(outcome));
  };
  if (command.ok()) return ports_.do_for_peer(std::move(*command), answer);
  unreadable.failed(fmt::format("node={} what=\"{}\"", from, one_line(command.error().what)));
  answer(Refused("the controller cannot read the command: is it of an older build?"));
}

void CommandRelay::answered(const std::string& from, std::uint64_t id, std::string_view bytes) {
  auto outcome = decode_outcome(bytes);
  Ended ended;
  {
    const std::lock_guard lock(mutex_);
    const auto found = pending_.find(id);
    if (found == pending_.end() || found->second.at != from) return;
    if (!outcome.ok()) {
      unreadable.failed(fmt::format("node={} what=\"{}\"", from, one_line(outcome.error().what)));
      outcome =
          CommandOutcome(Refused("the controller's answer cannot be read: look whether it was done",
                                 Refused::Kind::in_doubt));
    }
    // It is no controller any more: the next tick asks who is.
    if (!outcome->ok() && outcome->error().kind == Refused::Kind::not_done) {
      found->second.at.clear();
      return;
    }
    ended.emplace_back(std::move(found->second.done), std::move(*outcome));
    pending_.erase(found);
  }
  tell(std::move(ended));
}

void CommandRelay::lost(const std::string& node) {
  Ended ended;
  {
    const std::lock_guard lock(mutex_);
    for (auto at = pending_.begin(); at != pending_.end();) {
      Pending& one = at->second;
      if (one.at != node) {
        ++at;
        continue;
      }
      one.at.clear();
      if (may_repeat(one.command)) {
        ++at;
        continue;
      }
      ended.emplace_back(
          std::move(one.done),
          Refused(
              fmt::format("the link to the controller {} was lost: look whether it was done", node),
              Refused::Kind::in_doubt));
      at = pending_.erase(at);
    }
  }
  tell(std::move(ended));
}

}  // namespace souk::cluster
