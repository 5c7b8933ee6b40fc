#include "tests/simulation/exchange.h"

#include "tests/simulation/trace.h"

namespace souk::simulation {

void Exchange::ask(Command& command, Answered answered) {
  if (world_.chance(world_.faults.request_lost)) return;
  world_.after(world_.between(0, 3), [this, &command, answered = std::move(answered)] {
    Request request = command.request;
    request.reply_to = {.who = ReplyTo::Who::client, .sink = 0, .ticket = ++tickets_, .entity = {}};
    request.cause = world_.id128();  // what takes effect tells which time it was asked
    const std::uint64_t ticket = tickets_;
    open_[ticket] = {&command, answered, request.cause};
    if (tracing())
      trace(world_, "asked " + std::to_string(ticket) + " #" + std::to_string(command.number) +
                        " " + describe(command.request));
    submit(ticket, std::move(request));
  });
}

void Exchange::submit(std::uint64_t ticket, Request&& request) {
  if (submit_(std::move(request))) return;
  const auto open = open_.extract(ticket);
  Reply refused;  // nobody listens
  refused.code = ReplyCode::unavailable;
  open.mapped().answered(refused);
}

/// As the edge does, once a key is bound.
void Exchange::create(std::uint64_t ticket) {
  const auto open = open_.find(ticket);
  if (open == open_.end()) return;  // the node died
  Request request = open->second.command->request;
  request.bind.reset();
  request.reply_to = {.who = ReplyTo::Who::client, .sink = 0, .ticket = ticket, .entity = {}};
  request.cause = open->second.cause;
  submit(ticket, std::move(request));
}

void Exchange::deliver(std::vector<Reply>&& replies) {
  for (auto& reply : replies) {
    auto open = open_.extract(reply.ticket);
    if (open.empty()) {
      world_.violated("contract", "a request was answered twice: " + describe(reply));
      continue;
    }
    if (tracing())
      trace(world_, "answered " + std::to_string(reply.ticket) + " #" +
                        std::to_string(open.mapped().command->number) + " " + describe(reply));
    if (reply.code == ReplyCode::bound) {
      const std::uint64_t ticket = reply.ticket;
      open_.insert(std::move(open));
      world_.after(world_.between(0, 3), [this, ticket] { create(ticket); });
      continue;
    }
    referee_.saw(*open.mapped().command, reply);
    if (reply.code == ReplyCode::not_done)
      referee_.denied(*open.mapped().command, open.mapped().cause);
    if (world_.chance(world_.faults.reply_lost)) continue;
    world_.after(world_.between(0, 3), [answered = std::move(open.mapped().answered),
                                        reply = std::move(reply)] { answered(reply); });
  }
}

std::string Exchange::unanswered() const {
  return open_.empty() ? std::string() : describe(open_.begin()->second.command->request);
}

}  // namespace souk::simulation
