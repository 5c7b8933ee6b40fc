#include "domain/product/product.h"

#include "domain/decision.h"

namespace souk {
namespace {

bool same(const Product& product, const ProductDefined& definition) {
  return product.defined && product.active == definition.active &&
         product.price == definition.price && product.name == definition.name &&
         product.brand == definition.brand && product.category == definition.category &&
         product.attributes == definition.attributes &&
         product.description == definition.description && product.images == definition.images &&
         product.barcode == definition.barcode && product.group == definition.group &&
         product.options == definition.options;
}

}  // namespace

Decision decide(const Product& product, const PutProduct& command) {
  if (same(product, command.definition)) return Facts{};
  return facts_of(command.definition);
}

Decision decide(const Product& product, const DelistProduct&) {
  if (!product.active) return Facts{};
  return facts_of(ProductTakenOffSale{});
}

void advance(Product& product, const Payload& event) {
  if (const auto* defined = std::get_if<ProductDefined>(&event)) {
    product.defined = true;
    product.name = defined->name;
    product.description = defined->description;
    product.brand = defined->brand;
    product.category = defined->category;
    product.attributes = defined->attributes;
    product.price = defined->price;
    product.active = defined->active;
    product.images = defined->images;
    product.barcode = defined->barcode;
    product.group = defined->group;
    product.options = defined->options;
    ++product.version;
  } else if (std::holds_alternative<ProductTakenOffSale>(event)) {
    product.active = false;
    ++product.version;
  }
}

Product evolve(Product product, const Payload& event) {
  advance(product, event);
  return product;
}

}  // namespace souk
