/// The stored form of a cart.
#include "actors/states/state_codec.h"
#include "actors/states/stored_form.h"

namespace souk {
namespace {

using What = CartUndo::What;

void write(schema::StoredCartLine::Builder to, const CartLine& line) {
  to.setSku(stored::text(line.item.sku().text()));
  to.setName(stored::text(line.item.name()));
  to.setMicros(line.unit_price.value);
  to.setQuantity(line.quantity);
  to.setPricing(static_cast<std::uint8_t>(line.pricing));
}

CartLine read(schema::StoredCartLine::Reader from) {
  return {.item = stored::item(from.getSku(), from.getName()),
          .unit_price = {from.getMicros()},
          .quantity = from.getQuantity(),
          .pricing = stored::enumerator(from.getPricing(), Pricing::fixed)};
}

bool puts_line_back(What what) { return what == What::restore_line || what == What::insert_line; }

void write(schema::StoredCartUndo::Builder to, const CartUndo& step) {
  to.setVersion(step.version);
  to.setLine(step.line);
  to.setWhat(static_cast<std::uint8_t>(step.what));
  to.setStatus(static_cast<std::uint8_t>(step.status));
  if (puts_line_back(step.what)) write(to.initBefore(), step.before);
  if (!step.order.raw.zero()) to.setOrder(stored::as_data(step.order.raw.view()));
  if (!step.currency.none()) to.setCurrency(stored::text(std::string(step.currency.text())));
}

CartUndo read(schema::StoredCartUndo::Reader from) {
  CartUndo step;
  step.version = from.getVersion();
  step.line = static_cast<std::uint16_t>(from.getLine());
  step.what = stored::enumerator(from.getWhat(), What::restore_currency);
  step.status = stored::enumerator(from.getStatus(), CartStatus::ordered);
  if (puts_line_back(step.what)) step.before = read(from.getBefore());
  step.order = stored::optional_id<OrderId>(from.getOrder()).value_or(OrderId{});
  step.currency = stored::currency(from.getCurrency());
  return step;
}

}  // namespace

void stored::write(schema::CartState::Builder to, const Cart& cart) {
  to.setStatus(static_cast<std::uint8_t>(cart.status));
  if (!cart.currency.none()) to.setCurrency(text(std::string(cart.currency.text())));
  if (cart.user) to.setUser(as_data(cart.user->raw.view()));
  if (!cart.order.raw.zero()) to.setOrder(as_data(cart.order.raw.view()));
  write_list(
      cart.lines, [&](unsigned n) { return to.initLines(n); },
      [](auto b, const CartLine& line) { souk::write(b, line); });
  to.setTotal(cart.total.value);
  to.setVersion(cart.version);
  write_list(
      cart.undo, [&](unsigned n) { return to.initUndo(n); },
      [](auto b, const CartUndo& step) { souk::write(b, step); });
}

void stored::read(schema::CartState::Reader from, Cart& cart) {
  cart.status = enumerator(from.getStatus(), CartStatus::ordered);
  cart.currency = currency(from.getCurrency());
  cart.user = optional_id<UserId>(from.getUser());
  cart.order = optional_id<OrderId>(from.getOrder()).value_or(OrderId{});
  read_list(cart.lines, from.getLines(), [](auto line) { return souk::read(line); });
  cart.total = {from.getTotal()};
  cart.version = from.getVersion();
  read_list(cart.undo, from.getUndo(), [](auto step) { return souk::read(step); });
}

std::string encode(const CartState& state) {
  return stored::pack([&](schema::State::Builder root) {
    auto to = root.initCart();
    stored::write(to, state.cart);
    stored::write_answers(to, state.answers);
  });
}

Result<CartState, Fault> decode_cart(std::string_view bytes) {
  CartState state;
  const auto fault = stored::unpack(bytes, schema::State::CART, [&](schema::State::Reader root) {
    stored::read(root.getCart(), state.cart);
    stored::read_answers(root.getCart(), state.answers);
  });
  if (fault) return *fault;
  return state;
}

std::size_t memory_of(const CartState& state) {
  return sizeof(state) + stored::heap_of(state.cart.lines) + stored::heap_of(state.cart.undo) +
         stored::heap_of(state.answers);
}

}  // namespace souk
