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
    if (submit_(std::move(request))) return;
    open_.erase(ticket);
    Reply refused;  // nobody listens
    refused.code = ReplyCode::unavailable;
    answered(refused);
  });
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
