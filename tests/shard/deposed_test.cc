// A shard of a cluster whose owner is in doubt, or is one no more and has not heard of it.
#include "tests/shard/members.h"

namespace souk::shard_test::cluster {

TEST_CASE("cluster shard: who is deposed in doubt answers what landed, and passes on the rest") {
  for (std::size_t landed = 0; landed <= 2; ++landed) {
    CAPTURE(landed);
    Pair p;
    const auto one = p.a.receive(10), two = p.a.receive(20);
    std::vector<Batch> cut;
    p.a.owner.cut(cut);
    const auto three = p.a.receive(40, 5);
    p.a.owner.cut(cut);
    const auto read = p.a.send(GetStock{tea});
    p.a.owner.cut(cut);
    REQUIRE(cut.size() == 2);
    for (std::size_t i = 0; i < landed; ++i) p.log.append(std::move(cut[i]));
    p.a.owner.doubted();
    CHECK(p.a.out.claims.size() == 1);  // it was not told otherwise
    p.a.out.claims.clear();
    const auto during = p.a.receive(80);
    p.b.own();  // and another is quicker
    const auto theirs = p.b.receive(1'000);
    p.b.commit();
    CHECK(p.b.code(theirs) == ReplyCode::ok);
    // Its own claim is of no higher epoch: it learns whose the shard is.
    p.log.records[p.log.end++] = encode(Claim{p.b.owner.epoch(), 7, 0}, {});
    REQUIRE(p.a.owner.claimed({p.b.owner.epoch() + 9, p.log.end}).ok());
    CHECK_FALSE(p.a.owner.owns());
    CHECK(p.a.code(one).has_value() == (landed > 0));
    CHECK(p.a.code(two).has_value() == (landed > 0));
    CHECK(p.a.code(three).has_value() == (landed > 1));
    const auto strays = p.a.strays();
    CHECK(std::ranges::count(strays, one) == (landed > 0 ? 0 : 1));
    CHECK(std::ranges::count(strays, three) == (landed > 1 ? 0 : 1));
    CHECK(std::ranges::count(strays, during) == 1);
    CHECK_FALSE(p.a.code(read));
    CHECK(std::ranges::count(strays, read) == 1);
    CHECK(p.a.on_hand() == p.b.on_hand());
    // It should own the shard still, as far as it was told: it claims again after a while.
    p.a.pass(claim_again_ms);
    CHECK(p.a.out.claims.size() == 1);
  }
}

TEST_CASE("cluster shard: who waits until all is done waits on, here or at the next owner") {
  Pair p;
  PlaceOrder place;
  place.order = order;
  place.lines.push_back({.sku = tea, .quantity = 2});
  place.payment.method = "card";
  p.a.send(std::move(place), 99);
  p.a.commit();
  const auto paid = [&](PaymentCall::Op op, std::uint32_t number = 0) {
    p.a.owner.handle(ProcessAnswer{
        order, PaymentAnswer{
                   .order = order, .op = op, .number = number, .kind = PaymentAnswer::Kind::done}});
    p.a.commit();
  };
  paid(PaymentCall::Op::authorise);
  paid(PaymentCall::Op::capture);
  const auto waits = p.a.send(CancelOrder{order}, 5);
  p.a.commit();
  REQUIRE_FALSE(p.a.code(waits));  // the refund is owed
  SUBCASE("deposed in doubt: it strays, and nobody says that it was not done") {
    p.a.owner.assign({ShardId{0}, What::follow});
    p.a.owner.doubted();
    p.b.own();
    p.a.owner.followed();
    CHECK(p.a.strays() == std::vector{waits});
    CHECK(std::get<Request>(p.a.out.strays[0].content).begun);
  }
  SUBCASE("the owner again after a doubt: it is answered when the money is back") {
    p.a.owner.doubted();
    p.a.grant();
    p.a.commit();
    CHECK_FALSE(p.a.code(waits));
    paid(PaymentCall::Op::refund, 1);
    CHECK(p.a.code(waits) == ReplyCode::ok);
  }
}

TEST_CASE("cluster shard: who is deposed and was told so follows without a claim") {
  Pair p;
  const auto mine = p.a.receive(10);
  std::vector<Batch> cut;
  p.a.owner.cut(cut);
  p.a.owner.assign({ShardId{0}, What::follow});
  p.a.owner.doubted();
  CHECK(p.a.out.claims.empty());
  p.b.own();
  p.a.owner.followed();
  CHECK(p.a.strays() == std::vector{mine});
  p.a.pass(10 * claim_again_ms);
  CHECK(p.a.out.claims.empty());
  CHECK(p.a.on_hand() == 5);
}

TEST_CASE("cluster shard: who is told to own no more asks the log whether it does") {
  Pair p;
  std::vector<Batch> cut;
  p.a.owner.cut(cut);
  CHECK(cut.empty());
  p.a.owner.assign({ShardId{0}, What::follow});
  p.a.owner.cut(cut);
  REQUIRE(cut.size() == 1);
  CHECK(cut[0].last_seq < cut[0].first_seq);  // a no-op
  p.a.land(std::exchange(cut, {}));
  CHECK(p.a.owner.owns());  // nobody else does
  p.a.owner.cut(cut);
  CHECK(cut.empty());
  p.b.own();  // and writes nothing here that it would hear of
  p.a.pass(1'000);
  p.a.owner.cut(cut);
  REQUIRE(cut.size() == 1);
  p.a.owner.doubted();  // it stands elsewhere than it must
  p.a.owner.followed();
  CHECK_FALSE(p.a.owner.owns());
  CHECK(p.a.out.claims.empty());
}

TEST_CASE("cluster shard: who is told to own what it owns asks the log once whether it does") {
  Pair p;
  for (const auto what : {What::own, What::expect}) {
    p.a.owner.assign({ShardId{0}, what});
    std::vector<Batch> cut;
    p.a.owner.cut(cut);
    REQUIRE(cut.size() == 1);
    CHECK(cut[0].last_seq < cut[0].first_seq);
    p.a.land(std::exchange(cut, {}));
    p.a.pass(10'000);
    p.a.owner.cut(cut);
    CHECK(cut.empty());
  }
}

TEST_CASE("cluster shard: a claim that cannot be read, and is in doubt since, is made again") {
  Pair p;
  p.b.owner.assign({ShardId{0}, What::own});
  p.b.out.claims.clear();
  p.log.readable = false;
  CHECK_FALSE(p.b.owner.claimed(p.log.grant(8)).ok());
  p.b.owner.doubted();  // the log takes nothing any more
  p.log.readable = true;
  CHECK(p.b.owner.retry().ok());
  CHECK_FALSE(p.b.owner.owns());
  p.b.grant();
  CHECK(p.b.owner.owns());
  CHECK(p.b.owner.epoch() == p.log.epoch);
}

TEST_CASE("cluster shard: who is given the log while its claim is on the way writes in one epoch") {
  for (const bool landed : {false, true}) {
    CAPTURE(landed);
    Pair p;
    p.b.owner.assign({ShardId{0}, What::own});
    REQUIRE(p.b.out.claims.size() == 1);  // and before it is in the log:
    p.a.hand_over_to(p.b);
    p.a.land();
    p.b.given();
    REQUIRE(p.b.owner.owns());
    const auto before = p.b.receive(10);
    std::vector<Batch> cut;
    p.b.owner.cut(cut);
    REQUIRE(cut.size() == 1);
    if (landed) p.log.append(std::move(cut[0]));
    p.b.grant();
    CHECK(p.b.owner.epoch() == p.log.epoch);
    CHECK(p.b.code(before).has_value() == landed);
    const auto since = p.b.receive(20);
    p.b.owner.cut(cut = {});
    REQUIRE_FALSE(cut.empty());
    for (const auto& batch : cut) CHECK(batch.epoch == p.log.epoch);
    p.b.land(std::move(cut));
    p.b.commit();
    CHECK(p.b.code(before) == ReplyCode::ok);
    CHECK(p.b.code(since) == ReplyCode::ok);
    CHECK(p.b.on_hand() == 35);
  }
}

TEST_CASE("cluster shard: a transfer in doubt that landed is seen, and one that did not is not") {
  for (const bool landed : {true, false}) {
    CAPTURE(landed);
    Pair p;
    p.a.hand_over_to(p.b);
    std::vector<Batch> cut;
    p.a.owner.cut(cut);
    REQUIRE(cut.size() == 1);
    if (landed) {
      p.log.epoch = cut[0].epoch + 1;
      p.log.append(std::move(cut[0]));
    }
    p.a.owner.doubted();
    CHECK(p.a.out.claims.empty());  // the shard is the other's to claim
    if (landed)
      p.b.given();
    else
      p.b.own();
    p.a.owner.followed();
    CHECK(p.b.owner.owns());
    CHECK_FALSE(p.a.owner.owns());
    const auto ticket = p.b.receive(1);
    p.b.commit();
    CHECK(p.b.code(ticket) == ReplyCode::ok);
    p.a.owner.followed();
    CHECK(p.a.on_hand() == 6);
  }
}

TEST_CASE(
    "cluster shard: what could not be read as it came is read later, though nothing more comes") {
  Pair p;
  p.a.receive(10);
  p.a.commit();
  p.log.readable = false;
  p.b.owner.followed();
  p.a.receive(20);
  p.a.commit();
  p.b.owner.followed();
  CHECK_FALSE(p.b.owner.retry().ok());
  p.log.readable = true;
  CHECK(p.b.owner.retry().ok());
  CHECK(p.b.on_hand() == 35);
  CHECK(p.b.owner.committed_seq() == p.a.owner.committed_seq());
  // Of one that is in doubt, too: it sees that another owns.
  const auto mine = p.a.receive(40);
  p.a.owner.assign({ShardId{0}, What::follow});
  p.log.readable = false;
  p.a.owner.doubted();
  p.b.own_unread();
  p.a.owner.followed();
  p.log.readable = true;
  CHECK(p.a.strays().empty());
  CHECK(p.a.owner.retry().ok());
  CHECK(p.a.strays() == std::vector{mine});
}

}  // namespace souk::shard_test::cluster
