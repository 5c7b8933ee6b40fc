// The erasure of a guest's order: its fact, the key of its address, and who waits for that.
#include <doctest/doctest.h>

#include "tests/shard/fixture.h"

namespace souk::shard_test::erasures {
namespace {

const OrderId order = id<OrderId>(3);
const Sku tea = sku("tea");

struct Shop : OwnerBench {
  Shop() {
    define(tea, 5);
    PlaceOrder place;
    place.order = order;
    place.lines.push_back({.sku = tea, .quantity = 1});
    place.payment.method = "card";
    place.sealed_address = Sealed{"sealed"};
    REQUIRE(ask(std::move(place)).code == ReplyCode::accepted);
    for (const auto op : {PaymentCall::Op::authorise, PaymentCall::Op::capture}) {
      owner.handle(ProcessAnswer{
          order, PaymentAnswer{.order = order, .op = op, .kind = PaymentAnswer::Kind::done}});
      commit();
    }
    REQUIRE(owner.works() == 0);
  }
  /// Without what is waited for. Returns its ticket.
  std::uint64_t erase(std::uint64_t key) {
    owner.handle(request(EraseOrder{order}, key));
    commit();
    return tickets;
  }
  std::vector<Reply> replies_to(std::uint64_t ticket) const {
    std::vector<Reply> all;
    for (const auto& [sink, reply] : out.replies)
      if (reply.ticket == ticket) all.push_back(reply);
    return all;
  }
  void key_is(Status status) {
    owner.handle(ProcessAnswer{order, KeysDestroyed{std::move(status)}});
    commit();
  }
  void key_stays() { key_is(Fault{Fault::Kind::unavailable, "the disk fails"}); }
  void pass(std::int64_t ms) {
    clock.at = clock.at.plus_ms(ms);
    owner.tick();
    commit();
  }
  /// How often its key was to be destroyed since it was last asked.
  std::size_t asked() {
    const auto all = std::exchange(out.keys_to_destroy, {});
    for (const auto& [whose, keys] : all) CHECK(keys == std::vector{EntityKey(order)});
    return all.size();
  }
};

}  // namespace

TEST_CASE("erase order: two at once erase once, and both hear of it when the key is gone") {
  Shop shop;
  shop.owner.handle(shop.request(EraseOrder{order}, 71));
  const auto one = shop.tickets;
  shop.owner.handle(shop.request(EraseOrder{order}, 72));
  const auto other = shop.tickets;
  shop.commit();
  CHECK(shop.asked() == 1);
  CHECK(shop.replies_to(one).empty());
  CHECK(shop.replies_to(other).empty());
  shop.key_is(Done{});
  for (const auto ticket : {one, other}) {
    const auto replies = shop.replies_to(ticket);
    REQUIRE(replies.size() == 1);
    CHECK(replies[0].code == ReplyCode::ok);
  }
  const Version version = shop.replies_to(one)[0].version;
  CHECK(shop.replies_to(other)[0].version == version);
  const Reply later = shop.ask(EraseOrder{order}, 73);
  CHECK(later.code == ReplyCode::ok);
  CHECK(shop.ask(EraseOrder{order}, 71).replayed);
  shop.pass(5'000);
  CHECK(shop.asked() == 0);
}

TEST_CASE("erase order: while its key cannot be destroyed it is refused, and can be repeated") {
  Shop shop;
  const auto first = shop.erase(71);
  CHECK(shop.asked() == 1);
  shop.key_stays();
  CHECK(shop.replies_to(first).empty());
  for (std::int64_t ms = 0; ms < shop.options.wait_final_ms; ms += 1'000) {
    shop.pass(1'000);
    CHECK(shop.asked() == 1);
    shop.key_stays();
  }
  shop.pass(1);
  REQUIRE(shop.replies_to(first).size() == 1);
  CHECK(shop.replies_to(first)[0].code == ReplyCode::unavailable);
  shop.asked();

  const auto repeat = shop.erase(71), another = shop.erase(72);
  CHECK(shop.replies_to(repeat).empty());
  CHECK(shop.replies_to(another).empty());
  shop.pass(1'000);
  CHECK(shop.asked() >= 1);
  shop.key_is(Done{});
  REQUIRE(shop.replies_to(repeat).size() == 1);
  CHECK(shop.replies_to(repeat)[0].code == ReplyCode::ok);
  CHECK(shop.replies_to(repeat)[0].replayed);
  REQUIRE(shop.replies_to(another).size() == 1);
  CHECK(shop.replies_to(another)[0].code == ReplyCode::ok);
  shop.pass(5'000);
  CHECK(shop.asked() == 0);
}

TEST_CASE("erase order: a key store that fails slowly is asked again") {
  Shop shop;
  const auto first = shop.erase(71);
  CHECK(shop.asked() == 1);
  shop.pass(2'500);  // it has not answered yet
  CHECK(shop.asked() == 0);
  shop.key_stays();
  shop.pass(1'000);
  CHECK(shop.asked() == 1);
  shop.key_is(Done{});
  REQUIRE(shop.replies_to(first).size() == 1);
  CHECK(shop.replies_to(first)[0].code == ReplyCode::ok);
}

TEST_CASE("erase order: who waits hears that it is not done also after a slow failure") {
  Shop shop;
  shop.erase(71);
  shop.pass(2'500);
  shop.key_stays();
  const auto repeat = shop.erase(71);
  for (std::int64_t ms = 0; ms <= shop.options.wait_final_ms + 1'000; ms += 1'000) {
    shop.pass(1'000);
    shop.key_stays();
  }
  REQUIRE(shop.replies_to(repeat).size() == 1);
  CHECK(shop.replies_to(repeat)[0].code == ReplyCode::unavailable);
}

}  // namespace souk::shard_test::erasures
