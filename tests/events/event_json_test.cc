#include "events/event_json.h"

#include <doctest/doctest.h>

#include <set>

#include "tests/support/history.h"

using namespace souk;
using namespace souk::test;

namespace {

template <std::size_t... I>
std::vector<Payload> one_of_each(std::index_sequence<I...>) {
  return {Payload(std::in_place_index<I>)...};
}

}  // namespace

TEST_CASE("event json: every event has a name of its own and an object") {
  std::set<std::string_view> names;
  for (const Payload& payload :
       one_of_each(std::make_index_sequence<std::variant_size_v<Payload>>{})) {
    const auto name = event_type_text(payload);
    CHECK(names.insert(name).second);
    CHECK(parse_event_type(name) == payload.index());
    const std::string json = event_json(payload);
    CHECK(json.front() == '{');
    CHECK(json.back() == '}');
    CHECK(json.find('\n') == std::string::npos);
  }
  CHECK(names.size() == std::variant_size_v<Payload>);
  CHECK(event_type_text(Payload{OrderPlaced{}}) == "order_placed");
  CHECK(event_type_text(Payload{PaymentRefunded{}}) == "payment_refunded");
  CHECK(event_type_text(Payload{StockReturned{}}) == "stock_returned");
  CHECK_FALSE(parse_event_type("Order_Placed"));
}

TEST_CASE("event json: members are texts, numbers and amounts; what is sealed is left out") {
  OrderPlaced e;
  e.user = id_on<UserId>({1}, 2);
  e.currency = gbp();
  e.lines = {{{sku("85\"123A"), "T-LIGHT\n\x01 \xC3\xA9"}, 6, {2'550'000}, Pricing::fixed}};
  e.total = {15'300'000};
  e.payment_method = "card";
  e.payment_token = "secret-token";
  e.sealed_address = {"sealed-address"};
  e.occurred_at = time_of("2011-08-31T11:25:00Z");
  CHECK(event_json(e) ==
        "{\"user_id\":\"" + e.user->text() +
            "\",\"currency\":\"GBP\",\"lines\":[{\"sku\":\"85\\\"123A\",\"name\":\"T-LIGHT\\n"
            "\\u0001 \xC3\xA9\",\"quantity\":6,\"unit_price\":\"2.55\",\"pricing\":\"fixed\"}],"
            "\"total\":\"15.30\",\"payment_method\":\"card\","
            "\"occurred_at\":\"2011-08-31T11:25:00.000Z\"}");
  const ItemAdded added{{sku("A"), "Lamp"}, 2, {{1'500'000}, gbp()}, Pricing::catalogue};
  CHECK(event_json(added) ==
        "{\"sku\":\"A\",\"name\":\"Lamp\",\"quantity\":2,\"unit_price\":{\"amount\":\"1.50\","
        "\"currency\":\"GBP\"},\"pricing\":\"catalogue\"}");
  CHECK(event_json(OrderConfirmed{}) == "{}");
  CHECK(event_json(CommandRefused{Refusal::out_of_stock}) == "{\"reason\":\"out_of_stock\"}");
  UserRegistered registered;
  registered.sealed_email = {"sealed-email"};
  registered.sealed_name = {"sealed-name"};
  registered.country = "France";
  CHECK(event_json(registered).find("sealed") == std::string::npos);
  CHECK(event_json(KeyBound{sku("A"), 0xAB}) ==
        "{\"target_type\":\"sku\",\"target\":\"A\",\"request_hash\":\"00000000000000ab\"}");
}

TEST_CASE("event json: an entity comes back from its text") {
  const EntityKey all[] = {id_on<UserId>({1}, 1),    sku("o range"),
                           id_on<CartId>({2}, 3),    id_on<OrderId>({2}, 4),
                           id_on<EmailHash>({0}, 5), id_on<KeyHash>({1}, 6)};
  for (const EntityKey& entity : all)
    CHECK(parse_entity(entity.kind(), entity_id_text(entity)) == entity);
  CHECK_FALSE(parse_entity(Kind::order, "o123"));
  CHECK_FALSE(parse_entity(Kind::sku, ""));
  CHECK_FALSE(parse_entity(Kind::none, "x"));
}
