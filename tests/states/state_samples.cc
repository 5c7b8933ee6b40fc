#include "tests/states/state_samples.h"

#include <rapidcheck.h>

#include "tests/domain/scenario.h"

namespace souk::test {
namespace {

Answer answer(std::uint32_t version) {
  return {.key_hash = 0x1122334455667788u + version,
          .request_hash = 0x99aabbccddeeff00,
          .at_ms = noon.value + version,
          .outcome = Outcome::refused,
          .detail = 5,
          .version = version,
          .refusal = Refusal::out_of_stock};
}
Answers answers() {
  Answers kept;
  kept.keep(answer(1));
  kept.keep(answer(2));
  return kept;
}

// ---- any value ----

template <class Number>
Number any_number() {
  return *rc::gen::arbitrary<Number>();
}
std::int64_t any_int() { return any_number<std::int64_t>(); }
bool any_bool() { return any_number<bool>(); }
template <class Id>
Id any_id() {  // zero once in a while
  Id made;
  if (*rc::gen::inRange(0, 6) == 0) return made;
  for (auto& byte : made.raw.bytes) byte = any_number<std::uint8_t>();
  return made;
}
std::string any_text() { return any_number<std::string>(); }
Sku any_sku() { return Sku::trusted(std::string(*rc::gen::inRange<std::size_t>(1, 65), 's')); }
Item any_item() { return Item{any_sku(), any_text()}; }
Currency any_currency() {
  return *rc::gen::element(Currency{}, *Currency::parse("GBP"), *Currency::parse("JPY"));
}
template <class Enum>
Enum any_enum(Enum first, Enum last) {
  return static_cast<Enum>(*rc::gen::inRange(static_cast<int>(first), static_cast<int>(last) + 1));
}
template <class Make>
auto any_list(Make make) {
  std::vector<decltype(make())> list;
  const int count = *rc::gen::inRange(0, 4);
  for (int i = 0; i < count; ++i) list.push_back(make());
  return list;
}
template <class Make>
auto any_optional(Make make) {
  return any_bool() ? std::optional{make()} : std::nullopt;
}
Pricing any_pricing() { return any_enum(Pricing::catalogue, Pricing::fixed); }

Answers any_answers() {
  Answers kept;
  kept.all() = any_list([] {
    return Answer{.key_hash = any_number<std::uint64_t>(),
                  .request_hash = any_number<std::uint64_t>(),
                  .at_ms = any_int(),
                  .outcome = any_enum(Outcome::ok, Outcome::refused),
                  .detail = any_number<std::uint8_t>(),
                  .version = any_number<Version>(),
                  .refusal = any_enum(Refusal::none, Refusal::too_many_steps)};
  });
  return kept;
}

CartLine any_cart_line() {
  return {any_item(), {any_int()}, any_number<std::int32_t>(), any_pricing()};
}
CartUndo any_undo() {
  using What = CartUndo::What;
  CartUndo step;
  step.version = any_number<std::uint32_t>();
  step.line = any_number<std::uint16_t>();
  step.what = any_enum(What::drop_line, What::restore_currency);
  if (step.what == What::restore_line || step.what == What::insert_line) {
    step.before = any_cart_line();
  }
  if (step.what == What::status) {
    step.status = any_enum(CartStatus::none, CartStatus::ordered);
    step.order = any_id<OrderId>();
  }
  if (step.what == What::restore_currency) step.currency = any_currency();
  return step;
}
UserProfile any_profile() {
  return {{any_text()}, {any_text()}, any_text(), any_number<std::uint32_t>()};
}
/// Of an optional id zero would be read as none.
template <class Id>
std::optional<Id> any_optional_id() {
  const auto made = any_id<Id>();
  return made.raw.zero() ? std::nullopt : std::optional{made};
}

}  // namespace

SkuState any_sku_state() {
  SkuState state;
  if (any_bool()) {
    state.product = {.defined = any_bool(),
                     .name = any_text(),
                     .description = any_text(),
                     .brand = any_text(),
                     .category = any_list(any_text),
                     .attributes = any_list([] {
                       return Attribute{any_text(), any_text()};
                     }),
                     .price = {{any_int()}, any_currency()},
                     .images = any_list(any_text),
                     .barcode = any_text(),
                     .group = any_text(),
                     .options = any_list([] {
                       return Attribute{any_text(), any_text()};
                     }),
                     .active = any_bool(),
                     .version = any_number<Version>()};
  }
  if (any_bool()) {
    Inventory& i = state.inventory;
    i.known = any_bool();
    for (auto* figure : {&i.on_hand, &i.reserved, &i.received, &i.adjusted, &i.returned, &i.sold}) {
      *figure = any_int();
    }
    i.version = any_number<Version>();
    const int holds = *rc::gen::inRange(0, 12);
    for (int n = 0; n < holds; ++n) {
      i.holds.put(any_id<OrderId>(), Hold{any_int(), {any_int()}, any_bool()});
    }
    for (const BookedReturn& booked : any_list([] {
           return BookedReturn{any_id<OrderId>(), any_number<std::uint32_t>(), any_int()};
         })) {
      i.booked_returns.restore(booked);
    }
  }
  state.answers = any_answers();
  state.figures = any_list([] {
    return StockFigures{any_int(), any_int(), any_number<std::uint32_t>()};
  });
  return state;
}

UserState any_user_state() {
  UserState state;
  User& user = state.user;
  user.status = any_enum(UserStatus::none, UserStatus::erased);
  user.email = any_id<EmailHash>();
  user.profile = any_profile();
  user.pending = any_optional([] { return PendingEmail{any_id<EmailHash>(), {any_text()}}; });
  user.to_free = any_list(any_id<EmailHash>);
  user.key_to_destroy = any_bool();
  user.earlier = any_list(any_profile);
  user.orders = any_list(any_id<OrderId>);
  user.version = any_number<Version>();
  user.asked = any_number<Version>();
  state.answers = any_answers();
  return state;
}

CartState any_cart_state() {
  CartState state;
  Cart& cart = state.cart;
  cart.status = any_enum(CartStatus::none, CartStatus::ordered);
  cart.currency = any_currency();
  cart.user = any_optional_id<UserId>();
  cart.order = any_id<OrderId>();
  cart.lines = any_list(any_cart_line);
  cart.total = {any_int()};
  cart.version = any_number<Version>();
  cart.undo = any_list(any_undo);
  state.answers = any_answers();
  return state;
}

OrderState any_order_state() {
  OrderState state;
  Order& order = state.order;
  order.status = any_enum(OrderStatus::none, OrderStatus::returned);
  order.reason = any_enum(Refusal::none, Refusal::of_a_user);
  order.settled = any_bool();
  order.erased = any_bool();
  order.key_to_destroy = any_bool();
  order.adjustments = any_list([] { return Adjustment{Adjustment::Kind::rounding, {any_int()}}; });
  order.cart = any_optional_id<CartId>();
  order.user = any_optional_id<UserId>();
  order.currency = any_currency();
  order.lines = any_list([] {
    return OrderLine{any_item(), any_int(), {any_int()}, any_pricing()};
  });
  order.total = {any_int()};
  order.payment_method = any_text();
  order.payment_token = any_text();
  order.sealed_address = {any_text()};
  order.occurred_at = any_optional([] { return UnixMs{any_int()}; });
  order.placed_at = {any_int()};
  if (any_bool()) {
    order.payment = {any_enum(PaymentStatus::none, PaymentStatus::declined),
                     {any_int()},
                     {any_int()},
                     {any_int()},
                     any_number<std::uint32_t>(),
                     any_list([] {
                       return RefundDue{any_number<std::uint32_t>(), {any_int()}, any_optional([] {
                                          return UnixMs{any_int()};
                                        })};
                     })};
  }
  order.returns = any_list([] {
    return OrderReturn{any_number<std::uint32_t>(),
                       any_number<std::uint32_t>(),
                       any_bool(),
                       any_list([] {
                         return ReturnedLine{any_number<std::uint32_t>(), any_int(), {any_int()}};
                       }),
                       {any_int()}};
  });
  count_returned(order);
  order.history = any_list([] {
    return OrderStep{any_enum(OrderStep::What::placed, OrderStep::What::erased),
                     any_enum(OrderStatus::none, OrderStatus::returned),
                     any_enum(PaymentStatus::none, PaymentStatus::declined),
                     any_number<std::uint32_t>(), any_int()};
  });
  order.version = any_number<Version>();
  state.answers = any_answers();
  return state;
}

// ---- samples: their stored bytes are in tests/golden/states; change none, add new ones ----

SkuState sku_sample() {
  ProductDefined tea;
  tea.name = "Tea";
  tea.description = "Black";
  tea.brand = "Acme";
  tea.category = {"home", "tea"};
  tea.attributes = {{"origin", "Assam"}};
  tea.price = gbp("4.50");
  SkuState state;
  state.product = fold(Product{}, {tea});
  state.inventory =
      fold(Inventory{}, {StockReceived{9, "opening"}, StockReserved{order_id(2), 3, noon},
                         StockReserved{order_id(1), 1, noon.plus_ms(1)}, StockClaimed{order_id(2)},
                         StockReturned{order_id(3), 1, 2}, StockAdjusted{-1, "lost"}});
  state.answers = answers();
  state.figures = {{9, 0, 1}, {10, 4, 6}};
  return state;
}
SkuState sku_3_sample() {
  SkuState state = sku_sample();
  state.inventory = fold(std::move(state.inventory),
                         {StockSold{order_id(2), 3}, ReservationReleased{order_id(9), 0}});
  return state;
}

UserState user_sample() {
  UserState state;
  state.user =
      fold(User{}, {UserRegistered{email_hash(1), {"mail1"}, {"Zoe"}, "GB"}, EmailAssigned{},
                    UserOrdered{order_id(1)}, EmailChangeRequested{email_hash(2), {"mail2"}},
                    EmailAssigned{}, EmailChangeRequested{email_hash(3), {"mail3"}},
                    UserOrdered{order_id(2)}});
  state.user.asked = 0;  // it was not stored
  state.answers = answers();
  return state;
}
UserState user_3_sample() {
  UserState state = user_sample();
  state.user.asked = 7;
  return state;
}

CartState cart_sample() {
  CartState state;
  state.cart = fold(Cart{}, {CartOpened{user_id(1), {}},
                             ItemAdded{item("tea", "Tea"), 2, gbp("4.50"), Pricing::catalogue},
                             ItemAdded{item("mug", "Mug"), 1, gbp("3"), Pricing::fixed},
                             CheckOutStarted{order_id(1)},
                             CartReopened{order_id(1), {{item("tea", "Finer tea"), gbp("6")}}},
                             ItemRemoved{sku("mug")}, CheckOutStarted{order_id(2)}});
  state.answers = answers();
  return state;
}

OrderState order_sample() {
  OrderPlaced placed;
  placed.cart = id<CartId>(7);
  placed.user = user_id(8);
  placed.currency = gbp("1").currency;
  placed.lines = {{item("tea", "Tea"), 2, micros("4.50"), Pricing::catalogue},
                  {item("mug", "Mug"), 1, micros("3"), Pricing::fixed}};
  placed.total = micros("12");
  placed.payment_method = "simulated";
  placed.payment_token = "ok";
  placed.sealed_address = {"sealed"};
  placed.occurred_at = noon.plus_ms(-5);
  OrderState state;
  state.order =
      fold(Order{}, {placed, PaymentAuthorised{micros("12")}, PaymentCaptured{micros("12")},
                     OrderConfirmed{}, OrderSettled{}, OrderShipped{},
                     OrderReturned{1, {{0, 1, micros("4.50")}}, micros("4.50"), {}},
                     RefundRequested{1, micros("4.50")}, ReturnRestocked{1}});
  state.order.reason = Refusal::expired;
  state.answers = answers();
  return state;
}

EmailState email_sample() { return {EmailOwner{user_id(5), {}}}; }
EmailState email_3_sample() { return {EmailOwner{user_id(5), noon}}; }
KeyState key_sample() { return {BoundKey{EntityKey{id<CartId>(6)}, 42, noon.value}}; }

}  // namespace souk::test
