// A shard of a cluster that this node leaves to others, and takes up again.
#include "tests/shard/members.h"

namespace souk::shard_test::cluster {
namespace {

using Follows = std::vector<std::pair<ShardId, bool>>;
constexpr ShardId shard{0};

Request old_read() {
  Request r{.op = GetStock{tea}};
  r.reply_to = {.who = ReplyTo::Who::client, .sink = 0, .ticket = 77, .entity = {}};
  r.level = ReadLevel::standby;
  return r;
}

}  // namespace

TEST_CASE("cluster shard: who leaves it answers nothing, and goes on where it was") {
  Pair p;
  p.b.out.follows.clear();
  p.b.owner.assign({shard, What::away});
  CHECK(p.b.out.follows == Follows{{shard, false}});
  p.b.owner.assign({shard, What::away});
  CHECK(p.b.out.follows.size() == 1);  // once
  CHECK_FALSE(p.b.owner.present());
  p.b.owner.handle(ShardInput(old_read()));
  CHECK(p.b.strays() == std::vector<std::uint64_t>{77});  // what it has of it is old
  p.a.receive(10);
  p.a.commit();
  p.b.owner.assign({shard, What::follow});
  CHECK(p.b.out.follows.back() == std::pair(shard, true));
  p.b.owner.followed();
  CHECK(p.b.on_hand() == 15);
  p.b.owner.handle(ShardInput(old_read()));
  CHECK(p.b.code(77) == ReplyCode::ok);
}

TEST_CASE("cluster shard: a read that waits for a position leaves with the shard") {
  Pair p;
  Request read = old_read();
  read.min_seq = p.b.owner.committed_seq() + 1;
  p.b.owner.handle(ShardInput(std::move(read)));
  CHECK(p.b.strays().empty());
  p.b.owner.assign({shard, What::away});
  CHECK(p.b.strays() == std::vector<std::uint64_t>{77});
}

TEST_CASE("cluster shard: its log is read as long as something of its own is in doubt") {
  Pair p;
  const auto lost = p.a.receive(10);
  std::vector<Batch> cut;
  p.a.owner.cut(cut);
  p.a.out.follows.clear();
  p.a.owner.assign({shard, What::away});
  p.a.owner.doubted();
  CHECK(p.a.out.follows.empty());
  p.b.own();
  p.a.owner.followed();
  CHECK(p.a.strays() == std::vector{lost});
  CHECK(p.a.out.follows == Follows{{shard, false}});
}

TEST_CASE("cluster shard: it is recovered when it is first followed, once the copy is far enough") {
  Pair p;
  p.b.keep_states();
  p.a.receive(1);
  p.a.commit();
  // Another process of b: its states are newer than its copy of the log.
  Owner reborn(shard, p.b.context, p.b.out, p.log);
  CHECK_FALSE(reborn.readable());
  const auto all = std::exchange(p.log.records, {});
  CHECK(reborn.retry().ok());
  CHECK_FALSE(reborn.readable());  // nobody wants it yet
  reborn.assign({shard, What::follow});
  reborn.followed();
  CHECK_FALSE(reborn.retry().ok());
  CHECK_FALSE(reborn.readable());
  p.log.records = all;
  reborn.followed();
  CHECK(reborn.retry().ok());
  CHECK(reborn.readable());
  CHECK(reborn.committed_seq() == p.a.owner.committed_seq());
}

TEST_CASE("cluster shard: a hand-over that comes while it claims follows the claim") {
  Pair p;
  p.b.owner.assign({shard, What::own});
  const auto held = p.b.receive(10);
  REQUIRE(p.b.out.claims.size() == 1);
  p.b.hand_over_to(p.a);
  SUBCASE("it is granted") {
    p.b.grant();
    CHECK(p.b.owner.owns());
    std::vector<Batch> cut;
    p.b.owner.cut(cut);
    REQUIRE(cut.size() == 2);
    CHECK(cut[1].first_seq == 0);  // a transfer
    p.b.land(std::move(cut));
    CHECK(p.b.code(held) == ReplyCode::ok);
    CHECK_FALSE(p.b.owner.owns());
  }
  SUBCASE("it is not, and then there is nothing to give") {
    p.b.out.claims.clear();
    const auto late = p.log.grant(7);
    CHECK(p.b.owner.claimed({late.epoch - 1, late.end}).ok());
    CHECK_FALSE(p.b.owner.owns());
    p.b.owner.assign({shard, What::own});
    p.b.grant();
    p.b.commit();
    CHECK(p.b.owner.owns());
  }
  SUBCASE("it is told to keep it after all") {
    p.b.owner.assign({shard, What::own});
    p.b.grant();
    p.b.commit();
    CHECK(p.b.code(held) == ReplyCode::ok);
  }
}

TEST_CASE("cluster shard: what is decided while a record is under way is the next one") {
  Pair p;
  p.log.at_once = 1;
  const auto first = p.a.receive(1);
  std::vector<Batch> cut;
  p.a.owner.cut(cut);
  REQUIRE(cut.size() == 1);
  const auto second = p.a.receive(2), third = p.a.receive(4);
  std::vector<Batch> more;
  p.a.owner.cut(more);
  CHECK(more.empty());
  p.a.land(std::move(cut));
  CHECK(p.a.code(first) == ReplyCode::ok);
  CHECK_FALSE(p.a.code(second));
  p.a.owner.cut(more);
  REQUIRE(more.size() == 1);
  p.a.land(std::move(more));
  CHECK(p.a.code(second) == ReplyCode::ok);
  CHECK(p.a.code(third) == ReplyCode::ok);
  SUBCASE("but for a transfer, which waits for nothing") {
    std::vector<Batch> last;
    p.a.receive(8);
    p.a.owner.cut(last);
    p.a.receive(16);
    p.a.hand_over_to(p.b);
    p.a.owner.cut(last);
    CHECK(last.size() == 3);
  }
}

}  // namespace souk::shard_test::cluster
