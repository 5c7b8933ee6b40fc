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
}

CartUndo read(schema::StoredCartUndo::Reader from) {
  CartUndo step;
  step.version = from.getVersion();
  step.line = static_cast<std::uint16_t>(from.getLine());
  step.what = stored::enumerator(from.getWhat(), What::drop_currency);
  step.status = stored::enumerator(from.getStatus(), CartStatus::ordered);
  if (puts_line_back(step.what)) step.before = read(from.getBefore());
  step.order = stored::optional_id<OrderId>(from.getOrder()).value_or(OrderId{});
  return step;
}

void write(schema::CartState::Builder to, const CartState& state) {
  const Cart& cart = state.cart;
  to.setStatus(static_cast<std::uint8_t>(cart.status));
  if (!cart.currency.none()) to.setCurrency(stored::text(std::string(cart.currency.text())));
  if (cart.user) to.setUser(stored::as_data(cart.user->raw.view()));
  if (!cart.order.raw.zero()) to.setOrder(stored::as_data(cart.order.raw.view()));
  stored::write_list(
      cart.lines, [&](unsigned n) { return to.initLines(n); },
      [](auto b, const CartLine& line) { write(b, line); });
  to.setTotal(cart.total.value);
  to.setVersion(cart.version);
  stored::write_list(
      cart.undo, [&](unsigned n) { return to.initUndo(n); },
      [](auto b, const CartUndo& step) { write(b, step); });
  stored::write_answers(to, state.answers);
}

void read(schema::CartState::Reader from, CartState& state) {
  Cart& cart = state.cart;
  cart.status = stored::enumerator(from.getStatus(), CartStatus::ordered);
  cart.currency = stored::currency(from.getCurrency());
  cart.user = stored::optional_id<UserId>(from.getUser());
  cart.order = stored::optional_id<OrderId>(from.getOrder()).value_or(OrderId{});
  stored::read_list(cart.lines, from.getLines(), [](auto line) { return read(line); });
  cart.total = {from.getTotal()};
  cart.version = from.getVersion();
  stored::read_list(cart.undo, from.getUndo(), [](auto step) { return read(step); });
  stored::read_answers(from, state.answers);
}

}  // namespace

std::string encode(const CartState& state) {
  return stored::pack([&](schema::State::Builder root) { write(root.initCart(), state); });
}

Result<CartState, Fault> decode_cart(std::string_view bytes) {
  CartState state;
  const auto fault = stored::unpack(
      bytes, schema::State::CART, [&](schema::State::Reader root) { read(root.getCart(), state); });
  if (fault) return *fault;
  return state;
}

std::size_t memory_of(const CartState& state) {
  return sizeof(state) + stored::heap_of(state.cart.lines) + stored::heap_of(state.cart.undo) +
         stored::heap_of(state.answers);
}

}  // namespace souk
