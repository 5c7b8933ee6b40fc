/// The stored form of a SKU: product and inventory.
#include <algorithm>

#include "actors/states/state_codec.h"
#include "actors/states/stored_form.h"

namespace souk {
namespace {

void write_attribute(schema::StoredAttribute::Builder to, const Attribute& attribute) {
  to.setName(stored::text(attribute.name));
  to.setValue(stored::text(attribute.value));
}
Attribute read_attribute(schema::StoredAttribute::Reader from) {
  return {.name = stored::string(from.getName()), .value = stored::string(from.getValue())};
}

void write(schema::StoredProduct::Builder to, const Product& product) {
  if (!product.name.empty()) to.setName(stored::text(product.name));
  if (!product.description.empty()) to.setDescription(stored::text(product.description));
  if (!product.brand.empty()) to.setBrand(stored::text(product.brand));
  if (!product.category.empty()) {
    auto category = to.initCategory(static_cast<unsigned>(product.category.size()));
    for (unsigned i = 0; i < category.size(); ++i) {
      category.set(i, stored::text(product.category[i]));
    }
  }
  stored::write_list(
      product.attributes, [&](unsigned n) { return to.initAttributes(n); }, write_attribute);
  to.setMicros(product.price.amount.value);
  if (!product.price.currency.none()) {
    to.setCurrency(stored::text(std::string(product.price.currency.text())));
  }
  to.setActive(product.active);
  to.setDefined(product.defined);
  to.setVersion(product.version);
  if (!product.images.empty()) {
    auto images = to.initImages(static_cast<unsigned>(product.images.size()));
    for (unsigned i = 0; i < images.size(); ++i) images.set(i, stored::text(product.images[i]));
  }
  if (!product.barcode.empty()) to.setBarcode(stored::text(product.barcode));
  if (!product.group.empty()) to.setGroup(stored::text(product.group));
  stored::write_list(
      product.options, [&](unsigned n) { return to.initOptions(n); }, write_attribute);
}

void read(schema::StoredProduct::Reader from, Product& product) {
  product.name = stored::string(from.getName());
  product.description = stored::string(from.getDescription());
  product.brand = stored::string(from.getBrand());
  stored::read_list(product.category, from.getCategory(),
                    [](capnp::Text::Reader step) { return stored::string(step); });
  stored::read_list(product.attributes, from.getAttributes(), read_attribute);
  product.price = {{from.getMicros()}, stored::currency(from.getCurrency())};
  product.active = from.getActive();
  product.defined = from.getDefined();
  product.version = from.getVersion();
  stored::read_list(product.images, from.getImages(),
                    [](capnp::Text::Reader image) { return stored::string(image); });
  product.barcode = stored::string(from.getBarcode());
  product.group = stored::string(from.getGroup());
  stored::read_list(product.options, from.getOptions(), read_attribute);
}

void write_holds(schema::StoredInventory::Builder to, const Inventory& inventory) {
  if (inventory.holds.empty()) return;
  const auto holds = inventory.holds.all();
  const auto count = static_cast<unsigned>(holds.size());
  auto orders = to.initHoldOrders(count * 16);
  auto quantities = to.initHoldQuantities(count);
  auto expiries = to.initHoldExpiries(count);
  auto claims = to.initHoldClaims(count);
  for (unsigned i = 0; i < count; ++i) {
    const auto& [order, hold] = holds[i];
    std::ranges::copy(order.raw.bytes, orders.begin() + i * 16);
    quantities.set(i, hold.quantity);
    expiries.set(i, hold.expires_at.value);
    claims.set(i, hold.claimed);
  }
}

void read_holds(schema::StoredInventory::Reader from, Inventory& inventory) {
  const auto orders = stored::split<OrderId>(from.getHoldOrders());
  const auto quantities = from.getHoldQuantities();
  const auto expiries = from.getHoldExpiries();
  const auto claims = from.getHoldClaims();
  stored::check(quantities.size() == orders.size() && expiries.size() == orders.size() &&
                claims.size() == orders.size());
  std::vector<std::pair<OrderId, Hold>> holds;
  holds.reserve(orders.size());
  for (unsigned i = 0; i < orders.size(); ++i) {
    holds.emplace_back(
        orders[i],
        Hold{.quantity = quantities[i], .expires_at = {expiries[i]}, .claimed = claims[i]});
  }
  inventory.holds.restore(holds);
  stored::check(inventory.holds.size() == orders.size());
}

void write(schema::StoredInventory::Builder to, const Inventory& inventory) {
  to.setKnown(inventory.known);
  to.setOnHand(inventory.on_hand);
  to.setReserved(inventory.reserved);
  to.setReceived(inventory.received);
  to.setAdjusted(inventory.adjusted);
  to.setReturned(inventory.returned);
  to.setSold(inventory.sold);
  to.setVersion(inventory.version);
  to.setLastEnd(inventory.fences.last_end().value);
  write_holds(to, inventory);
  stored::write_list(
      inventory.booked_returns, [&](unsigned n) { return to.initBookedReturns(n); },
      [](schema::StoredBookedReturn::Builder b, const BookedReturn& booked) {
        b.setOrder(stored::as_data(booked.order.raw.view()));
        b.setNumber(booked.number);
        b.setAt(booked.at_ms);
      });
}

void read(schema::StoredInventory::Reader from, Inventory& inventory) {
  inventory.known = from.getKnown();
  inventory.on_hand = from.getOnHand();
  inventory.reserved = from.getReserved();
  inventory.received = from.getReceived();
  inventory.adjusted = from.getAdjusted();
  inventory.returned = from.getReturned();
  inventory.sold = from.getSold();
  inventory.version = from.getVersion();
  if (from.getLastEnd() != 0) inventory.fences.restore({from.getLastEnd()});
  read_holds(from, inventory);
  for (const auto booked : from.getBookedReturns()) {
    inventory.booked_returns.restore({.order = stored::id<OrderId>(booked.getOrder()),
                                      .number = booked.getNumber(),
                                      .at_ms = booked.getAt()});
  }
}

void write(schema::SkuState::Builder to, const SkuState& state) {
  if (state.product != Product{}) write(to.initProduct(), state.product);
  if (state.inventory != Inventory{}) write(to.initInventory(), state.inventory);
  stored::write_answers(to, state.answers);
  stored::write_list(
      state.figures, [&](unsigned n) { return to.initFigures(n); },
      [](schema::StoredFigures::Builder b, const StockFigures& f) { stored::write(b, f); });
}

void read(schema::SkuState::Reader from, SkuState& state) {
  read(from.getProduct(), state.product);
  read(from.getInventory(), state.inventory);
  stored::read_answers(from, state.answers);
  stored::read_list(state.figures, from.getFigures(),
                    [](schema::StoredFigures::Reader f) { return stored::read(f); });
}

}  // namespace

void stored::write(schema::StoredFigures::Builder to, const StockFigures& figures) {
  to.setOnHand(figures.on_hand);
  to.setReserved(figures.reserved);
  to.setVersion(static_cast<std::uint32_t>(figures.version));
  to.setVersionHigh(static_cast<std::uint32_t>(figures.version >> 32));
}

StockFigures stored::read(schema::StoredFigures::Reader from) {
  return {.on_hand = from.getOnHand(),
          .reserved = from.getReserved(),
          .version = Version{from.getVersionHigh()} << 32 | from.getVersion()};
}

std::string encode(const SkuState& state) {
  return stored::pack([&](schema::State::Builder root) { write(root.initSku(), state); });
}

Result<SkuState, Fault> decode_sku(std::string_view bytes) {
  SkuState state;
  const auto fault = stored::unpack(
      bytes, schema::State::SKU, [&](schema::State::Reader root) { read(root.getSku(), state); });
  if (fault) return *fault;
  return state;
}

std::size_t memory_of(const SkuState& state) {
  const Product& product = state.product;
  const Inventory& inventory = state.inventory;
  std::size_t bytes = sizeof(state) + stored::heap_of(product.name) +
                      stored::heap_of(product.description) + stored::heap_of(product.brand) +
                      stored::heap_of(product.category) + stored::heap_of(product.attributes) +
                      inventory.holds.heap_bytes() + inventory.fences.heap_bytes() +
                      inventory.booked_returns.heap_bytes() + stored::heap_of(state.answers) +
                      stored::heap_of(state.figures);
  for (const auto& step : product.category) bytes += stored::heap_of(step);
  for (const auto& attribute : product.attributes) {
    bytes += stored::heap_of(attribute.name) + stored::heap_of(attribute.value);
  }
  return bytes;
}

}  // namespace souk
