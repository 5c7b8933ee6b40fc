#pragma once
/// The catalogue's side of a SKU. Rules only: no clock, no disk, no CAF.
#include "domain/decision.h"

namespace souk {

struct Product {
  bool defined = false;  // a SKU may have stock before it has a name
  std::string name, description, brand;
  std::vector<std::string> category;
  std::vector<Attribute> attributes;
  Money price;
  std::vector<std::string> images;
  std::string barcode, group;
  std::vector<Attribute> options;
  bool active = false;
  Version version = 0;
  bool operator==(const Product&) const = default;
};

struct PutProduct {
  Sku sku;
  ProductDefined definition;
};
struct DelistProduct {
  Sku sku;
};

/// The same definition again is no new fact.
Decision decide(const Product& product, const PutProduct& command);
/// REQUIRES: product.defined (the shard answers not_found otherwise).
Decision decide(const Product& product, const DelistProduct& command);

/// The product after `event`; events of others leave it as it is. Never refuses.
Product evolve(Product product, const Payload& event);
/// The same, where it stands: nothing is moved.
void advance(Product& product, const Payload& event);

}  // namespace souk
