#include "gateway/api/edge/openapi.h"

#include <doctest/doctest.h>

#include "tests/api/fixtures.h"

using namespace souk;
using namespace souk::test;

namespace {

const Router router;
const std::string document = openapi_document(router, "1.2.3", 64);

std::string pointer(std::string_view path) {
  std::string out = "/paths/";
  for (const char c : path) out += c == '/' ? "~1" : std::string(1, c);
  return out;
}

std::string lower(std::string_view text) {
  std::string out;
  for (const char c : text) out += static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
  return out;
}

/// Every `$ref` in the document.
void references(simdjson::dom::element element, std::set<std::string>& out) {
  if (element.is_array())
    for (const auto child : simdjson::dom::array(element)) references(child, out);
  if (element.is_object())
    for (const auto [key, child] : simdjson::dom::object(element)) {
      if (key == "$ref") out.insert(std::string(std::string_view(child.get_string().value())));
      references(child, out);
    }
}

}  // namespace

TEST_CASE("openapi: the document is JSON and names every route with its method") {
  const Json json(document);
  REQUIRE(json.good());
  CHECK(json.text("/openapi") == "3.1.0");
  CHECK(json.text("/info/version") == "1.2.3");
  std::set<std::string> ids;
  for (const auto& route : router.routes()) {
    const auto at = pointer(route.path) + "/" + lower(method_text(route.method));
    CAPTURE(at);
    REQUIRE(json.has(at));
    CHECK(json.has(at + "/responses"));
    ids.insert(json.text(at + "/operationId"));
  }
  CHECK(ids.size() == router.routes().size());
}

TEST_CASE("openapi: every reference leads somewhere") {
  const Json json(document);
  std::set<std::string> all;
  references(json.at(""), all);
  CHECK(all.size() > 20);
  for (const auto& one : all) {
    CAPTURE(one);
    REQUIRE(one.starts_with("#/"));
    CHECK(json.has(one.substr(1)));
  }
}

TEST_CASE("openapi: bodies, parameters and limits are those of the tables") {
  const Json json(document);
  const auto body = [](std::string_view path, std::string_view method) {
    return pointer(path) + "/" + std::string(method) +
           "/requestBody/content/application~1json/schema";
  };
  const auto items = body("/v1/carts/{cart_id}/items", "post");
  CHECK(json.number(items + "/properties/quantity/minimum") == 1);
  CHECK(json.number(items + "/properties/quantity/maximum") == 1'000'000);
  CHECK(json.text(items + "/required/0") == "sku");
  CHECK(json.text(items + "/properties/unit_price/anyOf/0/$ref") == "#/components/schemas/Price");
  CHECK(json.text(items + "/properties/unit_price/anyOf/1/type") == "null");
  CHECK_FALSE(json.has(items + "/properties/cart_id"));
  const auto lines = body("/v1/orders", "post") + "/properties/lines";
  CHECK(json.number(lines + "/maxItems") == 2000);
  CHECK(json.text(lines + "/items/required/1") == "quantity");
  CHECK(json.text(pointer("/v1/carts/{cart_id}/items") + "/post/parameters/0/name") == "cart_id");
  CHECK(json.has(pointer("/v1/carts/{cart_id}/items") + "/post/responses/204"));
  CHECK_FALSE(json.has(pointer("/v1/carts") + "/post/responses/204"));
  CHECK(json.has(pointer("/v1/products/{sku}") + "/get/responses/304/headers/Surrogate-Key"));
  CHECK(json.has(pointer("/v1/carts/{cart_id}") + "/get/responses/200/headers/Cache-Control"));
  CHECK_FALSE(json.has(pointer("/v1/payments/{order_id}") + "/get/responses/304"));
  const auto batch = pointer("/v1/commands") +
                     "/post/requestBody/content/application~1x-ndjson/schema/items/oneOf";
  CHECK(json.at(batch).get_array().size() == command_count);
}

TEST_CASE("openapi: every operation says what the server may answer before it is asked") {
  const Json json(document);
  for (const auto& route : router.routes())
    for (const char* status : {"400", "413", "431", "503"})
      CHECK(json.has(pointer(route.path) + "/" + lower(method_text(route.method)) + "/responses/" +
                     status));
}

TEST_CASE("openapi: links lead from what makes a thing to what is done with it") {
  const Json json(document);
  const auto carts = pointer("/v1/carts") + "/post/responses/201/links/";
  CHECK(json.text(carts + "get_cart/operationId") == "get_cart");
  CHECK(json.text(carts + "add_item/parameters/cart_id") == "$response.body#/cart_id");
  CHECK(json.text(pointer("/v1/carts/{cart_id}/checkout") +
                  "/post/responses/200/links/get_order/parameters/order_id") ==
        "$response.body#/order_id");
  CHECK(json.text(pointer("/v1/products/{sku}") +
                  "/put/responses/201/links/receive_stock/parameters/sku") == "$request.path.sku");
  std::set<std::string> ids;
  for (const auto& route : router.routes()) ids.insert(std::string(action_name(route.action)));
  for (const auto& route : router.routes()) {
    const auto at = pointer(route.path) + "/" + lower(method_text(route.method)) + "/responses";
    for (const char* status : {"200", "201", "202"}) {
      if (!json.has(at + "/" + status + "/links")) continue;
      for (const auto [name, link] : json.at(at + "/" + status + "/links").get_object())
        CHECK(
            ids.contains(std::string(std::string_view(link["operationId"].get_string().value()))));
    }
  }
}

TEST_CASE("openapi: ids look as ours do, on shards that there are") {
  const Json json(document);
  CHECK(json.text(pointer("/v1/carts/{cart_id}") + "/get/parameters/0/schema/pattern") ==
        "^c00[0-9a-hjkmnp-tv-z]{23}[048cgmrw]$");
  const Json few(openapi_document(router, "1", 3));
  CHECK(few.text(pointer("/v1/carts/{cart_id}") + "/get/parameters/0/schema/pattern") ==
        "^c00[01][0-9a-hjkmnp-tv-z]{22}[048cgmrw]$");
}
