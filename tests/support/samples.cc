#include "tests/support/samples.h"

#include <cstring>

#include "events/crc32c.h"

namespace souk::test {
namespace {

const UserId user{id_filled(0x11)};
const CartId cart{id_filled(0x22)};
const OrderId order{id_filled(0x33)};
const EmailHash email{id_filled(0x44)};
const KeyHash key{id_filled(0x55)};

Sku sku(const char* text) { return *Sku::parse(text); }
Currency gbp() { return *Currency::parse("GBP"); }
Money price(std::int64_t micros) { return {{micros}, gbp()}; }
Item tea() { return {sku("85123A"), "WHITE HANGING HEART T-LIGHT HOLDER"}; }
Item charges() { return {sku("BANK CHARGES"), "Bank Charges \xC3\xA9"}; }
Sealed sealed(const char* bytes) { return {bytes}; }

std::vector<OrderLine> lines() {
  return {{tea(), 6, {2'550'000}, Pricing::catalogue},
          {charges(), 1, {15'000'001}, Pricing::fixed}};
}

ProductDefined product() {
  ProductDefined e;
  e.name = "Lamp";
  e.description = "A lamp.";
  e.brand = "Lumen";
  e.category = {"Home", "Light"};
  e.attributes = {{"colour", "white"}, {"watts", "40"}};
  e.price = price(12'345'000);
  e.active = false;
  return e;
}

Sample sample(std::string name, EntityKey entity, Payload payload) {
  Transaction t;
  t.at = {1'314'789'900'123};
  t.cause = id_filled(0x66);
  t.correlation = id_filled(0x77);
  t.key_hash = 0x0123456789ABCDEF;
  t.request_hash = 0xFEDCBA9876543210;
  t.outcome = Outcome::created;
  t.events.push_back({entity, std::move(payload)});
  return {std::move(name), std::move(t)};
}

void add_people(std::vector<Sample>& all) {
  all.push_back(sample("command_refused", cart, CommandRefused{Refusal::too_many_steps}));
  all.push_back(sample("command_noted", order, CommandNoted{}));
  all.push_back(sample(
      "user_registered", user,
      UserRegistered{email, sealed("sealed email"), sealed("sealed name"), "United Kingdom"}));
  all.push_back(
      sample("user_profile_changed", user, UserProfileChanged{sealed("another name"), "France"}));
  all.push_back(
      sample("email_change_requested", user, EmailChangeRequested{email, sealed("another email")}));
  all.push_back(sample("email_assigned", user, EmailAssigned{}));
  all.push_back(sample("email_refused", user, EmailRefused{}));
  all.push_back(sample("former_email_freed", user, FormerEmailFreed{email}));
  all.push_back(sample("user_erased", user, UserErased{}));
  all.push_back(sample("personal_key_destroyed", user, PersonalKeyDestroyed{}));
  all.push_back(sample("user_ordered", user, UserOrdered{order}));
  all.push_back(sample("email_taken", email, EmailTaken{user}));
  all.push_back(sample("email_freed", email, EmailFreed{user}));
  all.push_back(sample("key_bound", key, KeyBound{order, 0xAABBCCDDEEFF0011}));
}

void add_goods(std::vector<Sample>& all) {
  const EntityKey lamp = sku("85123A");
  all.push_back(sample("product_defined", lamp, product()));
  all.push_back(sample("product_taken_off_sale", lamp, ProductTakenOffSale{}));
  all.push_back(sample("stock_received", lamp, StockReceived{120, "delivery 7"}));
  all.push_back(sample("stock_adjusted", lamp, StockAdjusted{-3, "broken"}));
  all.push_back(sample("stock_reserved", lamp, StockReserved{order, 6, {1'314'790'800'000}}));
  all.push_back(sample("stock_claimed", lamp, StockClaimed{order}));
  all.push_back(sample("stock_sold", lamp, StockSold{order, 6}));
  all.push_back(sample("reservation_released", lamp, ReservationReleased{order, 5}));
  all.push_back(sample("reservation_expired", lamp, ReservationExpired{order, 4}));
  all.push_back(sample("stock_returned", lamp, StockReturned{order, 2, 3}));
}

void add_cart(std::vector<Sample>& all) {
  all.push_back(sample("cart_opened", cart, CartOpened{user, gbp()}));
  all.push_back(sample("item_added", cart, ItemAdded{tea(), 6, price(2'550'000), Pricing::fixed}));
  all.push_back(
      sample("item_quantity_set", cart, ItemQuantitySet{charges(), 7, price(1), Pricing::fixed}));
  all.push_back(sample("item_removed", cart, ItemRemoved{sku("BANK CHARGES")}));
  all.push_back(sample("check_out_started", cart, CheckOutStarted{order}));
  all.push_back(sample("cart_reopened", cart,
                       CartReopened{order, {{tea(), price(2'600'000)}, {charges(), price(9)}}}));
  all.push_back(sample("cart_ordered", cart, CartOrdered{order}));
}

void add_order(std::vector<Sample>& all) {
  OrderPlaced placed;
  placed.cart = cart;
  placed.user = user;
  placed.currency = gbp();
  placed.lines = lines();
  placed.total = {30'300'001};
  placed.payment_method = "card";
  placed.payment_token = "tok_1";
  placed.sealed_address = sealed("sealed address");
  placed.occurred_at = UnixMs{1'293'840'000'000};
  all.push_back(sample("order_placed", order, placed));
  all.push_back(sample("order_confirmed", order, OrderConfirmed{}));
  all.push_back(sample("order_rejected", order, OrderRejected{Refusal::payment_declined}));
  all.push_back(sample("order_settled", order, OrderSettled{}));
  all.push_back(sample("order_cancelled", order, OrderCancelled{}));
  all.push_back(sample("order_shipped", order, OrderShipped{}));
  all.push_back(sample("order_delivered", order, OrderDelivered{}));
  all.push_back(sample("order_returned", order,
                       OrderReturned{3,
                                     {{0, 2, {2'550'000}}, {1, 1, {15'000'001}}},
                                     {20'100'001},
                                     UnixMs{1'293'840'000'001},
                                     Goods::restocked}));
  all.push_back(sample(
      "return_accepted", order,
      ReturnAccepted{user, gbp(), lines(), {30'300'001}, "C536379", UnixMs{1'293'840'000'002}}));
  all.push_back(sample("return_restocked", order, ReturnRestocked{3}));
  all.push_back(sample("payment_authorised", order, PaymentAuthorised{{30'300'001}}));
  all.push_back(sample("payment_declined", order, PaymentDeclined{}));
  all.push_back(sample("payment_captured", order, PaymentCaptured{{30'300'002}}));
  all.push_back(sample("payment_voided", order, PaymentVoided{}));
  all.push_back(sample("refund_requested", order, RefundRequested{1, {2'550'000}}));
  all.push_back(sample("payment_refunded", order, PaymentRefunded{2, {2'550'001}}));
}

void add_bare(std::vector<Sample>& all) {
  all.push_back(sample("user_profile_changed_nothing", user, UserProfileChanged{}));
  all.push_back(sample("user_profile_changed_to_empty", user, UserProfileChanged{Sealed{}, ""}));
  all.push_back(sample("cart_opened_by_guest", cart, CartOpened{}));
  all.push_back(sample("order_placed_bare", order, OrderPlaced{}));
  all.push_back(sample("return_accepted_bare", order, ReturnAccepted{}));
  all.push_back(sample("order_returned_kept_off_sale", order,
                       OrderReturned{1, {}, {7}, std::nullopt, Goods::kept_off_sale}));
  all.push_back(sample("product_defined_bare", sku("x"), ProductDefined{}));
  OrderPlaced abroad;
  abroad.country = "EIRE";
  all.push_back(sample("order_placed_abroad", order, abroad));
  // Since format 4.
  OrderPlaced rounded;
  rounded.total = {32'000'000};
  rounded.adjustments = {{Adjustment::Kind::rounding, {500'000}}};
  all.push_back(sample("order_placed_rounded", order, rounded));
  all.push_back(sample("order_erased", order, OrderErased{}));
  all.push_back(sample("refund_requested_of_return", order,
                       RefundRequested{3, {7}, UnixMs{1'293'840'000'003}}));
  all.push_back(sample("payment_refunded_of_return", order,
                       PaymentRefunded{3, {7}, UnixMs{1'293'840'000'003}}));
  ReturnAccepted abroad_back;
  abroad_back.country = "EIRE";
  all.push_back(sample("return_accepted_abroad", order, abroad_back));
  ProductDefined variant;
  variant.images = {"https://shop.example/1.jpg"};
  variant.barcode = "4006381333931";
  variant.group = "lamps";
  variant.options = {{"Size", "M"}};
  all.push_back(sample("product_defined_variant", sku("85123A"), variant));
}

}  // namespace

std::vector<Sample> event_samples() {
  std::vector<Sample> all;
  add_people(all);
  add_goods(all);
  add_cart(all);
  add_order(all);
  add_bare(all);
  return all;
}

Id128 id_filled(std::uint8_t fill) {
  Id128 id;
  id.bytes.fill(fill);
  id.bytes[0] = 0;
  id.bytes[1] = 5;
  return id;
}

BatchHeader sample_header() {
  BatchHeader header;
  header.epoch = 3;
  header.incarnation = 0x1122334455667788;
  header.first_seq = 1'000'001;
  header.at = {1'314'789'900'456};
  header.chain = 0x99AABBCCDDEEFF00;
  return header;
}

std::string encode_samples(BatchHeader& header) {
  std::vector<Transaction> all;
  for (const auto& sample : event_samples()) all.push_back(sample.transaction);
  return encode_batch(header, all);
}

std::string as_version_1(std::string_view bytes) {
  std::string old(bytes.substr(0, bytes.size() - batch_trailer_bytes));
  old[0] = 1;
  seal(old);
  return old;
}

void seal(std::string& bytes) {
  const std::uint32_t crc =
      crc32c(std::string_view(bytes).substr(0, 4), std::string_view(bytes).substr(8));
  std::memcpy(bytes.data() + 4, &crc, sizeof crc);
}

}  // namespace souk::test
