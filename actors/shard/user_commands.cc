#include "actors/shard/user_commands.h"

namespace souk {

void user_command(Desk& desk, UserProcesses& users, Request& request) {
  const EntityKey entity = target_of(request.op);
  const UserId id = id_of<UserState>(entity);
  static const UserState nothing;
  auto* h = desk.find<UserState>(id);
  const User& before = h ? h->state.user : nothing.user;
  Decision decision = std::visit(Overloaded{
                                     [&](const RegisterUser& c) { return decide(before, c); },
                                     [&](const UpdateUser& c) { return decide(before, c); },
                                     [&](const EraseUser& c) { return decide(before, c); },
                                     [](const auto&) -> Decision { return Refused{}; },
                                 },
                                 request.op);
  const bool registers = std::holds_alternative<RegisterUser>(request.op);
  const Outcome outcome = registers ? Outcome::created : Outcome::ok;
  if (conclude(desk, request, entity, std::move(decision), outcome) == Verdict::refused) return;
  const User& user = desk.find<UserState>(id)->state.user;
  const auto* update = std::get_if<UpdateUser>(&request.op);
  const bool asks_for_address = registers || (update && update->email && user.pending);
  const Version version = user.version;
  users.send(id);
  users.wait(std::move(request), version, Replayed::no,
             asks_for_address ? Awaits::address : Awaits::nothing);
}

}  // namespace souk
