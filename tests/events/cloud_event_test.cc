#include "events/cloud_event.h"

#include <doctest/doctest.h>

#include <set>

#include "events/event_json.h"
#include "events/integration/integration_topics.h"
#include "tests/support/samples.h"

using namespace souk;
using namespace souk::test;

namespace {

const CloudEventPlace place{.source = "/souk/shop",
                            .shard = {7},
                            .position = 9'007'199'254'740'993,  // no double has it
                            .at = {1'314'789'900'123}};

std::string cloud_event(const Event& event, const CloudEventPlace& at = place) {
  std::string out;
  append_cloud_event(out, at, event);
  return out;
}

}  // namespace

// Other systems read these bytes: a change of them is a change of the interface.
TEST_CASE("cloud event: golden bytes of an order, of stock and of a product") {
  const OrderId order{id_filled(0x33)};
  OrderPlaced placed;
  placed.currency = *Currency::parse("GBP");
  placed.lines = {{{*Sku::parse("85123A"), "A \"T-LIGHT\" \xC3\xA9"}, 6, {2'550'000}}};
  placed.total = {15'300'000};
  placed.payment_method = "card";
  placed.payment_token = "secret-token";
  placed.sealed_address = {"sealed-address"};
  CHECK(cloud_event({order, placed}) ==
        R"({"specversion":"1.0","id":"7:9007199254740993","source":"/souk/shop",)"
        R"("type":"souk.order.placed.v1","subject":")" +
            order.text() +
            R"(","time":"2011-08-31T11:25:00.123Z","datacontenttype":"application/json",)"
            R"("soukshard":7,"soukposition":"9007199254740993","data":{"currency":"GBP",)"
            R"("lines":[{"sku":"85123A","name":"A \"T-LIGHT\" é","quantity":6,)"
            R"("unit_price":"2.55","pricing":"catalogue"}],"total":"15.30",)"
            R"("payment_method":"card"}})");
  const EntityKey lamp = *Sku::parse("85\"123A");
  CHECK(cloud_event({lamp, StockReceived{120, "delivery 7"}}) ==
        R"({"specversion":"1.0","id":"7:9007199254740993","source":"/souk/shop",)"
        R"("type":"souk.stock.received.v1","subject":"85\"123A",)"
        R"("time":"2011-08-31T11:25:00.123Z","datacontenttype":"application/json",)"
        R"("soukshard":7,"soukposition":"9007199254740993",)"
        R"("data":{"quantity":120,"reference":"delivery 7"}})");
  CHECK(cloud_event({lamp, ProductTakenOffSale{}},
                    {.source = "/souk/x", .shard = {0}, .position = 1, .at = {}}) ==
        R"({"specversion":"1.0","id":"0:1","source":"/souk/x",)"
        R"("type":"souk.product.taken_off_sale.v1","subject":"85\"123A",)"
        R"("time":"1970-01-01T00:00:00.000Z","datacontenttype":"application/json",)"
        R"("soukshard":0,"soukposition":"1","data":{}})");
}

TEST_CASE("cloud event: each event has a type of its own, and its data is that of event json") {
  std::set<std::string> types;
  std::set<std::size_t> payloads;
  for (const Sample& sample : event_samples()) {
    const Event& event = sample.transaction.events.front();
    const std::string type = cloud_event_type(event.payload);
    CHECK(type.starts_with("souk."));
    CHECK(type.ends_with(".v1"));
    CHECK(types.insert(type).second == payloads.insert(event.payload.index()).second);
    const std::string data = "\"data\":" + event_json(event.payload) + "}";
    CHECK(cloud_event(event).ends_with(data));
    CHECK(cloud_event(event) == cloud_event(event));
  }
  CHECK(payloads.size() == std::variant_size_v<Payload>);
  CHECK(cloud_event_source("shop") == "/souk/shop");
}

TEST_CASE("integration topics: orders, stock and products, and nothing of persons, carts or keys") {
  std::array<std::size_t, integration_topic_count> counts{};
  for (const Sample& sample : event_samples()) {
    const Event& event = sample.transaction.events.front();
    const auto topic = topic_of(event.payload);
    if (!topic) continue;
    ++counts[static_cast<std::size_t>(*topic)];
    const auto kind = event.entity.kind();
    CHECK(kind == (*topic == IntegrationTopic::orders ? Kind::order : Kind::sku));
    const std::string json = cloud_event(event);
    CHECK(json.find("sealed") == std::string::npos);
    CHECK(json.find("token") == std::string::npos);
  }
  CHECK(counts[0] >= 17);
  CHECK(counts[1] >= 8);
  CHECK(counts[2] >= 2);
  for (const Payload& none : {Payload{UserRegistered{}}, Payload{ItemAdded{}}, Payload{KeyBound{}},
                              Payload{CommandRefused{}}, Payload{CommandNoted{}},
                              Payload{PersonalKeyDestroyed{}}, Payload{UserOrdered{}}})
    CHECK_FALSE(topic_of(none));
  CHECK(topic_name(IntegrationTopic::stock, "shop") == "shop.stock");
}
