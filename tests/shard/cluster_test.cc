// A shard of a cluster: who follows it, how it passes from one owner to the next, and what becomes
// of those who wait.
#include "tests/shard/members.h"

namespace souk::shard_test::cluster {

TEST_CASE("cluster shard: who follows has what the owner wrote, and passes on what it is asked") {
  Pair p;
  CHECK(p.b.on_hand() == 5);
  CHECK(p.b.owner.committed_seq() == p.a.owner.committed_seq());
  const auto command = p.b.receive(1), read = p.b.send(GetStock{tea});
  CHECK(p.b.strays() == std::vector{command, read});
  CHECK(p.b.out.replies.empty());
  // Messages of shards, too, with who sent them.
  p.b.owner.handle(Envelope{{.shard = {}, .epoch = 3, .seq = 4}, QuoteWanted{tea, order}});
  REQUIRE(p.b.out.strays.size() == 3);
  CHECK(p.b.out.strays[2].from.epoch == 3);
  p.b.owner.tick();
  CHECK(p.b.out.claims.empty());
  CHECK_FALSE(p.b.owner.suspended());
}

TEST_CASE("cluster shard: it is handed over behind all that is under way, and nobody hears of it") {
  Pair p;
  const auto before = p.a.receive(10);
  std::vector<Batch> cut;
  p.a.owner.cut(cut);
  const auto decided = p.a.receive(20);  // recorded, not cut
  p.a.hand_over_to(p.b);
  const auto after = p.a.receive(40), read = p.a.send(GetStock{tea});
  CHECK(p.a.strays() == std::vector{after, read});
  p.a.owner.cut(cut);
  REQUIRE(cut.size() == 3);
  CHECK(cut[2].first_seq == 0);  // the transfer
  std::vector<Batch> nothing;
  p.a.owner.cut(nothing);
  CHECK(nothing.empty());
  p.b.owner.assign({ShardId{0}, What::expect});
  const auto early = p.b.receive(80);  // it waits for the transfer
  CHECK(p.b.strays().empty());
  p.a.land(std::move(cut));
  CHECK(p.a.code(before) == ReplyCode::ok);
  CHECK(p.a.code(decided) == ReplyCode::ok);
  CHECK_FALSE(p.a.owner.owns());
  p.b.given();
  CHECK(p.b.owner.owns());
  REQUIRE(p.b.out.owned.size() == 1);
  CHECK(p.b.out.owned[0].epoch == p.a.owner.epoch());
  p.b.commit();
  CHECK(p.b.code(early) == ReplyCode::ok);
  CHECK(p.b.on_hand() == 115);
  // The former owner follows, as warm as it was.
  p.a.owner.followed();
  CHECK(p.a.on_hand() == 115);
  CHECK(p.a.owner.committed_seq() == p.b.owner.committed_seq());
  // And back.
  p.b.hand_over_to(p.a);
  p.b.land();
  p.a.given();
  CHECK(p.a.owner.owns());
  const auto last = p.a.receive(1);
  p.a.commit();
  CHECK(p.a.code(last) == ReplyCode::ok);
  CHECK(p.a.on_hand() == 116);
}

TEST_CASE("cluster shard: a read that may be old is answered by who follows, at once") {
  Pair p;
  Request read{.op = GetStock{tea}};
  read.reply_to = {.who = ReplyTo::Who::client, .sink = 0, .ticket = 77, .entity = {}};
  read.level = ReadLevel::standby;
  p.b.owner.handle(ShardInput(read));
  CHECK(p.b.code(77) == ReplyCode::ok);
  CHECK(p.b.out.replies.back().second.seq == p.b.owner.committed_seq());
  // Of the owner, too, without a record; one that must be new waits for one.
  p.a.owner.handle(ShardInput(read));
  CHECK(p.a.code(77) == ReplyCode::ok);
  const auto strict = p.a.send(GetStock{tea});
  CHECK_FALSE(p.a.code(strict));
  // A position that has not come is waited for here.
  p.a.land();
  p.a.receive(1);
  p.a.commit();
  read.reply_to.ticket = 78;
  read.min_seq = p.a.owner.committed_seq();
  p.b.owner.handle(ShardInput(read));
  CHECK_FALSE(p.b.code(78));
  p.b.owner.followed();
  CHECK(p.b.code(78) == ReplyCode::ok);
  CHECK(p.b.strays().empty());
  // A command is never answered so.
  Request command{.op = ReceiveStock{tea, 1, ""}};
  command.reply_to = {.who = ReplyTo::Who::client, .sink = 0, .ticket = 79, .entity = {}};
  command.level = ReadLevel::standby;
  p.b.owner.handle(ShardInput(command));
  CHECK(p.b.strays() == std::vector<std::uint64_t>{79});
}

TEST_CASE("cluster shard: documents are kept by the owner alone, and none of an earlier time") {
  Pair p;
  const Seq now = p.a.owner.committed_seq();
  CHECK(p.a.copies_last(now));
  CHECK_FALSE(p.b.copies_last(now));
  p.a.hand_over_to(p.b);
  CHECK_FALSE(p.a.copies_last(now));
  p.a.land();
  p.b.given();
  CHECK(p.b.copies_last(now));
  p.b.receive(1);
  p.b.commit();
  CHECK_FALSE(p.b.copies_last(now));
  p.a.owner.followed();
  CHECK_FALSE(p.a.copies_last(p.b.owner.committed_seq()));
  p.b.hand_over_to(p.a);
  p.b.land();
  p.a.given();
  CHECK_FALSE(p.a.copies_last(now));  // what it kept when it owned it before
  CHECK(p.a.copies_last(p.b.owner.committed_seq()));
  p.a.owner.doubted();
  CHECK_FALSE(p.a.copies_last(p.b.owner.committed_seq()));
}

TEST_CASE("cluster shard: replies that rest on no record leave with the transfer") {
  Pair p;
  const auto read = p.a.send(GetStock{tea});
  CHECK_FALSE(p.a.code(read));
  p.a.hand_over_to(p.b);
  p.a.land();
  CHECK(p.a.code(read) == ReplyCode::ok);
}

TEST_CASE("cluster shard: an order under way goes on at the next owner, and is paid once") {
  Pair p;
  PlaceOrder place;
  place.order = order;
  place.lines.push_back({.sku = tea, .quantity = 2});
  place.payment.method = "card";
  const auto waits = p.a.send(std::move(place), 99, true);
  p.a.commit();
  REQUIRE(p.a.out.payments.size() == 1);
  CHECK_FALSE(p.a.code(waits));
  p.a.hand_over_to(p.b);
  p.a.land();
  CHECK(p.a.strays() == std::vector{waits});  // by its key it waits at the next
  p.a.owner.handle(ProcessAnswer{order, PaymentAnswer{.order = order,
                                                      .op = PaymentCall::Op::authorise,
                                                      .kind = PaymentAnswer::Kind::done}});
  p.a.commit();  // it is not the former owner's any more
  CHECK(p.a.out.payments.size() == 1);
  p.b.given();
  p.b.commit();
  p.b.pass(2'000);
  p.b.commit();
  REQUIRE_FALSE(p.b.out.payments.empty());
  CHECK(p.b.out.payments[0].op == p.a.out.payments[0].op);  // asked again, under the same key
  CHECK(p.b.out.payments[0].order == order);
  for (const auto op : {PaymentCall::Op::authorise, PaymentCall::Op::capture}) {
    p.b.owner.handle(ProcessAnswer{
        order, PaymentAnswer{.order = order, .op = op, .kind = PaymentAnswer::Kind::done}});
    p.b.commit();
  }
  const auto read = p.b.send(GetOrder{order});
  p.b.commit();
  CHECK(p.b.code(read) == ReplyCode::ok);
  CHECK(p.b.on_hand() == 3);
}

TEST_CASE("cluster shard: who follows folds a state that is damaged from the log") {
  Pair p;
  p.b.keep_states();
  REQUIRE(p.b.owner.recover(p.b.report).ok());
  p.b.owner.assign({ShardId{0}, What::follow});
  p.b.states.damaged.insert(EntityKey(tea));
  p.a.receive(10);
  p.a.commit();
  p.b.owner.followed();
  CHECK(p.b.owner.retry().ok());
  CHECK(p.b.on_hand() == 15);
  p.a.receive(20);
  p.a.commit();
  p.b.owner.followed();
  CHECK(p.b.on_hand() == 35);
}

TEST_CASE("cluster shard: who follows writes checkpoints, and recovers from them") {
  Pair p;
  const std::uint64_t seq = p.b.owner.committed_seq();
  p.b.keep_states();
  CHECK(p.b.owner.clean());
  CHECK(p.b.states.mark.seq == seq);
  CHECK(p.b.states.mark.incarnation == 7);  // whose events they are
  p.a.receive(1);
  p.a.commit();
  REQUIRE(p.b.owner.recover(p.b.report).ok());
  p.b.owner.assign({ShardId{0}, What::follow});
  const auto read = p.b.send(GetStock{tea});
  CHECK(p.b.strays() == std::vector{read});
  p.b.own();
  const auto again = p.b.send(GetStock{tea});
  p.b.commit();
  CHECK(p.b.code(again) == ReplyCode::ok);
}

}  // namespace souk::shard_test::cluster
