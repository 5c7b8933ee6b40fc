// The checks ahead of commands, on a whole owner.
#include <doctest/doctest.h>

#include "tests/shard/fixture.h"

namespace souk::shard_test::admissions {
namespace {

const UserId user = id<UserId>(1);
const CartId cart = id<CartId>(2);
const OrderId order = id<OrderId>(3);
const Sku tea = sku("tea");

struct Shop : OwnerBench {
  void register_user() {
    owner.handle(request(RegisterUser{.user = user, .email = id<EmailHash>(4)}));
    commit();
    REQUIRE(reply()->code == ReplyCode::created);
  }
  void erase_user() {
    owner.handle(request(EraseUser{.user = user}));
    commit();
    owner.handle(ProcessAnswer{user, KeysDestroyed{}});
    commit();
    REQUIRE(reply()->code == ReplyCode::ok);
  }
  void fill_cart() {
    define(tea, 5);
    REQUIRE(ask(OpenCart{.cart = cart, .user = user}).code == ReplyCode::created);
    REQUIRE(ask(AddItem{.cart = cart, .sku = tea, .quantity = 1}).code == ReplyCode::ok);
  }
  CheckOut check_out() {
    CheckOut c;
    c.cart = cart;
    c.order = order;
    return c;
  }
};

}  // namespace

TEST_CASE("admission: what belongs to an erased user takes no check-out") {
  Shop shop;
  shop.register_user();
  shop.fill_cart();
  shop.erase_user();
  const Reply reply = shop.ask(shop.check_out());
  CHECK(reply.code == ReplyCode::refused);
  CHECK(reply.refusal == Refusal::unknown_user);
  CHECK_FALSE(shop.owner.replica().residency().find<OrderState>(order));
}

TEST_CASE("admission: a check-out that was placed before the erasure is answered as it was") {
  Shop shop;
  shop.register_user();
  shop.fill_cart();
  CHECK(shop.ask(shop.check_out()).code == ReplyCode::accepted);
  shop.erase_user();
  const Reply again = shop.ask(shop.check_out());
  CHECK(again.code == ReplyCode::accepted);
  CHECK(again.replayed);
}

TEST_CASE(
    "admission: a repeat comes before every other check, a used key with other words is 422") {
  Shop shop;
  shop.define(tea, 0);
  Request first = shop.request(ReceiveStock{tea, 3, ""}, 77);
  first.preconditions = if_version(0);
  shop.owner.handle(std::move(first));
  shop.commit();
  REQUIRE(shop.reply()->code == ReplyCode::ok);
  Request again = shop.request(ReceiveStock{tea, 3, ""}, 77);
  again.preconditions = if_version(0);  // differs now
  shop.owner.handle(std::move(again));
  CHECK(shop.reply()->code == ReplyCode::ok);
  CHECK(shop.reply()->replayed);
  Request other = shop.request(ReceiveStock{tea, 4, ""}, 77);
  other.request_hash = 78;
  shop.owner.handle(std::move(other));
  CHECK(shop.reply()->code == ReplyCode::idempotency_conflict);
}

TEST_CASE("admission: what is not there is 404, and no version of it is there") {
  Shop shop;
  for (Op op : {Op(AddItem{.cart = cart, .sku = tea, .quantity = 1}),
                Op(RemoveItem{.cart = cart, .sku = tea}), Op(CheckOut{.cart = cart}),
                Op(CancelOrder{.order = order}), Op(ShipOrder{.order = order}),
                Op(DeliverOrder{.order = order}), Op(ReturnOrder{.order = order}),
                Op(RefundOrder{.order = order}), Op(UpdateUser{.user = user}),
                Op(EraseUser{.user = user})}) {
    CAPTURE(op_name(op));
    CHECK(shop.ask(Op(op)).code == ReplyCode::not_found);
    Request r = shop.request(Op(op));
    r.preconditions = if_version(9);
    shop.owner.handle(std::move(r));
    CHECK(shop.reply()->code == ReplyCode::version_mismatch);
    Preconditions absent;
    absent.none_match = Preconditions::Of::any;
    r = shop.request(std::move(op));
    r.preconditions = std::make_shared<const Preconditions>(absent);
    shop.owner.handle(std::move(r));
    CHECK(shop.reply()->code == ReplyCode::not_found);
  }
}

TEST_CASE("admission: If-Match and If-None-Match with lists and any, on what is there or not") {
  using Of = Preconditions::Of;
  const auto holds = [](Of match, std::vector<Version> matches, Of none_match,
                        std::vector<Version> none_matches, Version version, bool there) {
    return Preconditions{match, none_match, std::move(matches), std::move(none_matches)}.hold(
        version, there);
  };
  CHECK(holds(Of::listed, {2, 3}, Of::nothing, {}, 3, true));
  CHECK_FALSE(holds(Of::listed, {2, 3}, Of::nothing, {}, 4, true));
  CHECK_FALSE(holds(Of::listed, {}, Of::nothing, {}, 4, true));  // only tags that are none of ours
  CHECK(holds(Of::any, {}, Of::nothing, {}, 0, true));
  CHECK_FALSE(holds(Of::any, {}, Of::nothing, {}, 0, false));
  CHECK_FALSE(holds(Of::listed, {0}, Of::nothing, {}, 0, false));
  CHECK(holds(Of::nothing, {}, Of::any, {}, 0, false));
  CHECK_FALSE(holds(Of::nothing, {}, Of::any, {}, 5, true));
  CHECK(holds(Of::nothing, {}, Of::listed, {4}, 5, true));
  CHECK_FALSE(holds(Of::nothing, {}, Of::listed, {4, 5}, 5, true));
  CHECK_FALSE(holds(Of::listed, {5}, Of::listed, {5}, 5, true));
}

TEST_CASE("admission: If-None-Match: * makes a product once") {
  Shop shop;
  Preconditions absent;
  absent.none_match = Preconditions::Of::any;
  for (const auto code : {ReplyCode::created, ReplyCode::version_mismatch}) {
    ProductDefined tea_definition;
    tea_definition.name = "Tea";
    tea_definition.price = {Micros{1'000'000}, gbp()};
    Request r = shop.request(PutProduct{.sku = tea, .definition = tea_definition});
    r.preconditions = std::make_shared<const Preconditions>(absent);
    shop.owner.handle(std::move(r));
    shop.commit();
    CHECK(shop.reply()->code == code);
  }
}

TEST_CASE("admission: another version is 412 for each command that asks for one") {
  Shop shop;
  shop.register_user();
  shop.fill_cart();
  for (Op op :
       {Op(AddItem{.cart = cart, .sku = tea, .quantity = 1}),
        Op(SetItem{.cart = cart, .sku = tea, .quantity = 1}),
        Op(RemoveItem{.cart = cart, .sku = tea}), Op(shop.check_out()), Op(PutProduct{.sku = tea}),
        Op(DelistProduct{.sku = tea}), Op(ReceiveStock{tea, 1, ""}), Op(AdjustStock{tea, 1, ""}),
        Op(UpdateUser{.user = user}), Op(EraseUser{.user = user})}) {
    CAPTURE(op_name(op));
    Request r = shop.request(std::move(op));
    r.preconditions = if_version(99);
    shop.owner.handle(std::move(r));
    CHECK(shop.reply()->code == ReplyCode::version_mismatch);
  }
}

TEST_CASE("admission: stock and sales of a SKU without a product") {
  Shop shop;
  const Reply received = shop.ask(ReceiveStock{tea, 1, ""}, 5);
  CHECK(received.code == ReplyCode::refused);
  CHECK(received.refusal == Refusal::unknown_product);
  CHECK(shop.ask(DelistProduct{.sku = tea}).code == ReplyCode::not_found);
  shop.define(tea, 0);
  CHECK(shop.ask(ReceiveStock{tea, 1, ""}, 5).code == ReplyCode::ok);  // not remembered
}

TEST_CASE("admission: a cart or an order for an unknown user is not made") {
  Shop shop;
  shop.define(tea, 5);
  CHECK(shop.ask(OpenCart{.cart = cart, .user = user}).refusal == Refusal::unknown_user);
  PlaceOrder place;
  place.order = order;
  place.user = user;
  CHECK(shop.ask(std::move(place)).refusal == Refusal::unknown_user);
  AcceptReturn back;
  back.order = order;
  back.user = user;
  CHECK(shop.ask(std::move(back)).refusal == Refusal::unknown_user);
}

TEST_CASE("admission: a creation that is there is answered as a repeat of an old key") {
  Shop shop;
  CHECK_FALSE(shop.ask(OpenCart{.cart = cart}).replayed);
  CHECK(shop.ask(OpenCart{.cart = cart}).replayed);
  shop.register_user();
  shop.owner.handle(shop.request(RegisterUser{.user = user, .email = id<EmailHash>(4)}));
  CHECK(shop.reply()->replayed);
}

}  // namespace souk::shard_test::admissions
