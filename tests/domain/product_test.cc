#include "domain/product/product.h"

#include "tests/domain/scenario.h"

using namespace souk;
using namespace souk::test;

namespace {

using ProductScenario = Scenario<Product>;

ProductDefined tea() {
  ProductDefined definition;
  definition.name = "Tea";
  definition.description = "Black";
  definition.brand = "Acme";
  definition.category = {"home", "tea"};
  definition.attributes = {{"origin", "Assam"}};
  definition.price = gbp("4.50");
  return definition;
}
PutProduct put(ProductDefined definition) { return {sku("tea"), std::move(definition)}; }

}  // namespace

TEST_CASE("product: the same definition again is no new fact") {
  ProductScenario{}.when(put(tea())).then({tea()}).when(put(tea())).then({});
}

TEST_CASE("product: a change of any member is a new fact") {
  auto changed = [](auto change) {
    ProductDefined definition = tea();
    change(definition);
    ProductScenario{}.given({tea()}).when(put(definition)).then({definition});
  };
  changed([](auto& d) { d.name = "Green tea"; });
  changed([](auto& d) { d.description = ""; });
  changed([](auto& d) { d.brand = "Other"; });
  changed([](auto& d) { d.category.pop_back(); });
  changed([](auto& d) { d.attributes[0].value = "Nilgiri"; });
  changed([](auto& d) { d.price = gbp("4.51"); });
  changed([](auto& d) { d.price = eur("4.50"); });
  changed([](auto& d) { d.active = false; });
}

TEST_CASE("product: a definition that says nothing still defines a product") {
  ProductDefined nothing;
  nothing.active = false;
  auto scenario = ProductScenario{}.when(put(nothing)).then({nothing});
  CHECK(scenario.state().defined);
}

TEST_CASE("product: taking off sale twice is once, and defining it puts it back") {
  auto scenario = ProductScenario{}
                      .given({tea()})
                      .when(DelistProduct{sku("tea")})
                      .then({ProductTakenOffSale{}})
                      .when(DelistProduct{sku("tea")})
                      .then({});
  CHECK_FALSE(scenario.state().active);
  CHECK(scenario.state().name == "Tea");
  scenario.when(put(tea())).then({tea()});
  CHECK(scenario.state().active);
}

TEST_CASE("product: its version counts its own events and no other's") {
  const auto product =
      fold(Product{}, {StockReceived{5, ""}, tea(), CommandRefused{Refusal::out_of_stock},
                       CommandNoted{}, ProductTakenOffSale{}, StockAdjusted{-1, "broken"}});
  CHECK(product.version == 2);
}
