// What leaves a shard, and when.
#include "actors/shard/commit_gate.h"

#include <doctest/doctest.h>

#include "tests/shard/fixture.h"

namespace souk::shard_test::gate {
namespace {

CommitGate::Effect reply(std::uint64_t ticket) {
  return AddressedReply(std::uint16_t{0}, Reply{.ticket = ticket});
}
std::vector<std::uint64_t> tickets(const ShardOutput& out) {
  std::vector<std::uint64_t> all;
  for (const auto& [sink, r] : out.replies) all.push_back(r.ticket);
  return all;
}
using Tickets = std::vector<std::uint64_t>;

StillClock machine;
const ShardClock time{machine};

}  // namespace

TEST_CASE("commit gate: what rests on nothing tentative leaves at once, past what is held") {
  ShardOutput out;
  Outbox outbox(ShardId{0}, time, out);
  CommitGate gate(out, outbox);
  gate.begin_at(5);
  gate.leave(6, reply(1));
  gate.leave(5, reply(2));
  CHECK(tickets(out) == Tickets{2});
}

TEST_CASE("commit gate: it leaves with the commit of its event, and not with the one before") {
  ShardOutput out;
  Outbox outbox(ShardId{0}, time, out);
  CommitGate gate(out, outbox);
  gate.leave(7, reply(1));
  gate.commit(6);
  CHECK(tickets(out).empty());
  gate.commit(7);
  CHECK(tickets(out) == Tickets{1});
  gate.commit(8);
  CHECK(tickets(out) == Tickets{1});
}

TEST_CASE("commit gate: what must keep its place waits behind what is held before it") {
  ShardOutput out;
  Outbox outbox(ShardId{0}, time, out);
  CommitGate gate(out, outbox);
  gate.leave_in_order(9, reply(1));
  gate.leave_in_order(3, reply(2));
  gate.commit(8);
  CHECK(tickets(out).empty());
  gate.commit(9);
  CHECK(tickets(out) == Tickets{1, 2});
}

TEST_CASE("commit gate: every kind of effect reaches its own exit") {
  ShardOutput out;
  Outbox outbox(ShardId{0}, time, out);
  CommitGate gate(out, outbox);
  gate.leave(1, ShardInput(QuoteWanted{sku("tea"), {}}));
  gate.leave(1, PaymentCall{});
  gate.leave(1, KeysToDestroy(id<UserId>(1), {}));
  gate.leave(1, ShardOutput::Flush{});
  gate.commit(1);
  CHECK(out.inputs.size() == 1);
  CHECK(out.payments.size() == 1);
  CHECK(out.keys_to_destroy.size() == 1);
  CHECK(out.flushes.size() == 1);
}

TEST_CASE("commit gate: what a doubt holds comes back and never leaves") {
  ShardOutput out;
  Outbox outbox(ShardId{0}, time, out);
  CommitGate gate(out, outbox);
  gate.leave(2, reply(1));
  gate.leave(2, reply(2));
  CHECK(gate.take_all().size() == 2);
  gate.begin_at(0);
  gate.commit(2);
  CHECK(tickets(out).empty());
}

}  // namespace souk::shard_test::gate
