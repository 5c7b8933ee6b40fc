#include "tests/simulation/copies.h"

#include "tests/simulation/referee.h"

namespace souk::simulation {
namespace {

bool shows_a_document(const Reply& reply) {
  return reply.code == ReplyCode::ok && !reply.body.json.empty() &&
         reply.op >= Op(GetProduct{}).index() && reply.op <= Op(GetOrder{}).index();
}

}  // namespace

void Copies::deliver(std::vector<Reply>&& replies) {
  for (const auto& reply : replies)
    if (shows_a_document(reply)) look_at(reply);
  behind_.deliver(std::move(replies));
}

void Copies::look_at(const Reply& reply) {
  const Seq mark = freshness_.mark_of(reply.shard, reply.entity).load();
  const Copy now{reply.body.json, reply.version, reply.beside_version, reply.seq};
  if (mark > now.seq) return;  // it has changed since this was read
  const auto [at, first] = copies_.try_emplace({reply.op, reply.entity}, now);
  if (first) return;
  const Copy& before = at->second;
  if (mark <= before.seq && before.json != now.json)
    world_.violated("freshness", "a copy of position " + std::to_string(before.seq) +
                                     " counts as current and is not: " + describe(reply));
  if (now.version != 0 && before.version == now.version &&
      before.beside_version == now.beside_version && before.json != now.json)
    world_.violated("freshness", "one version, two documents: " + describe(reply));
  at->second = now;
}

}  // namespace souk::simulation
