#include "domain/cart/cart.h"

#include <algorithm>
#include <limits>

#include "domain/cart/lines.h"
#include "domain/decision.h"
#include "events/limits.h"

namespace souk {
namespace {

using Lines = std::vector<CartLine>;
using What = CartUndo::What;

// ---- looking up ----

/// The line of the item's SKU; lines.size() where there is none.
std::size_t find_line(const Lines& lines, const Item& item, Pricing pricing) {
  // Most lines show the product as it is named now: comparing handles reads no text.
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (lines[i].item == item && lines[i].pricing == pricing) return i;
  }
  const auto found = std::find_if(lines.begin(), lines.end(), [&](const CartLine& line) {
    return line.pricing == pricing && line.item.same_sku(item);
  });
  return static_cast<std::size_t>(found - lines.begin());
}

// ---- deciding ----

/// What forbids any line of this SKU to change; none: nothing.
Refusal forbids(const Cart& cart, const Quote& quote) {
  if (cart.status != CartStatus::open) return Refusal::cart_closed;
  if (quote.standing == Quote::Standing::unknown) return Refusal::unknown_product;
  if (quote.standing == Quote::Standing::inactive) return Refusal::inactive_product;
  return Refusal::none;
}

/// What forbids `line` (null: a new one) to become this; none: nothing.
Refusal forbids(const Cart& cart, const CartLine* line, const Money& price, std::int64_t quantity) {
  if (!cart.currency.none() && cart.currency != price.currency) return Refusal::currency_mismatch;
  if (!line && cart.lines.size() >= limits::cart_lines_max) return Refusal::too_many_lines;
  if (quantity > limits::quantity_max) return Refusal::quantity_too_large;
  const auto before = line ? multiply(line->unit_price, line->quantity) : Micros{};
  if (!total_with(cart.total, before, multiply(price.amount, quantity)))
    return Refusal::amount_too_large;
  return Refusal::none;
}

Decision add_line(const Cart& cart, Item item, std::int64_t quantity, const Money& price,
                  Pricing pricing) {
  const std::size_t at =
      pricing == Pricing::fixed ? cart.lines.size() : find_line(cart.lines, item, pricing);
  const CartLine* line = at < cart.lines.size() ? &cart.lines[at] : nullptr;
  const std::int64_t all = quantity + (line ? line->quantity : 0);
  if (const Refusal no = forbids(cart, line, price, all); no != Refusal::none) return Refused{no};
  return facts_of(ItemAdded{
      .item = std::move(item), .quantity = quantity, .unit_price = price, .pricing = pricing});
}

// ---- evolving ----

/// `total` less `before` plus `after`. Wraps: a sum on the way may pass 64 bits; what comes out was
/// checked when it was decided.
Micros moved_total(Micros total, const CartLine* before, const CartLine* after) {
  const auto worth = [](const CartLine* line) {
    if (!line) return std::uint64_t{0};
    return static_cast<std::uint64_t>(line->unit_price.value) *
           static_cast<std::uint64_t>(line->quantity);
  };
  return {static_cast<std::int64_t>(static_cast<std::uint64_t>(total.value) - worth(before) +
                                    worth(after))};
}

const CartLine& no_line() {
  static const CartLine line;
  return line;
}

static_assert(limits::cart_lines_max <= std::numeric_limits<std::uint16_t>::max());

/// Notes how to undo a step of the event that made the current version.
void note(Cart& cart, What what, std::size_t line, const CartLine& before = no_line()) {
  cart.undo.push_back(CartUndo{.version = static_cast<std::uint32_t>(cart.version),
                               .line = static_cast<std::uint16_t>(line),
                               .what = what,
                               .status = CartStatus::none,
                               .before = before,
                               .order = OrderId{},
                               .currency = Currency{}});
}

void append_line(Cart& cart, CartLine line) {
  note(cart, What::drop_line, cart.lines.size());
  cart.total = moved_total(cart.total, nullptr, &line);
  cart.lines.push_back(std::move(line));
}

void change_line(Cart& cart, std::size_t at, CartLine line) {
  note(cart, What::restore_line, at, cart.lines[at]);
  cart.total = moved_total(cart.total, &cart.lines[at], &line);
  cart.lines[at] = std::move(line);
}

void change_status(Cart& cart, CartStatus status, OrderId order) {
  note(cart, What::status, 0);
  cart.undo.back().status = cart.status;
  cart.undo.back().order = cart.order;
  cart.status = status;
  cart.order = order;
}

/// The lines of a cart as evolve_lines() changes them, each step with how to undo it.
class CartLines {
 public:
  using Product = std::string_view;
  explicit CartLines(Cart& cart) : cart_(cart) {}

  static Product product_of(const Sku& sku) { return sku.text(); }
  Product product_at(std::size_t at) const { return cart_.lines[at].item.sku().text(); }
  std::size_t size() const { return cart_.lines.size(); }
  std::size_t find(const Item& item, Pricing pricing) const {
    return find_line(cart_.lines, item, pricing);
  }
  Pricing pricing(std::size_t at) const { return cart_.lines[at].pricing; }
  Micros price(std::size_t at) const { return cart_.lines[at].unit_price; }
  std::int64_t quantity(std::size_t at) const { return cart_.lines[at].quantity; }
  Currency currency() const { return cart_.currency; }
  Micros total() const { return cart_.total; }

  void fix_currency(Currency currency) {
    if (currency.none()) return;
    note(cart_, What::drop_currency, 0);
    cart_.currency = currency;
  }
  void drop_currency() {
    note(cart_, What::restore_currency, 0);
    cart_.undo.back().currency = cart_.currency;
    cart_.currency = Currency{};
  }
  void append(const Item& item, Micros price, std::int64_t quantity, Pricing pricing) {
    append_line(cart_, {item, price, static_cast<std::int32_t>(quantity), pricing});
  }
  void change(std::size_t at, const Item& item, Micros price, std::int64_t quantity) {
    CartLine line{item, price, static_cast<std::int32_t>(quantity), cart_.lines[at].pricing};
    if (line != cart_.lines[at]) change_line(cart_, at, std::move(line));
  }
  void drop(Product product) {
    const auto gone = [&](const CartLine& line) { return line.item.sku().text() == product; };
    // From the back, so that undoing (newest first) puts the front one in first.
    std::size_t first = size();
    for (std::size_t i = size(); i-- > 0;) {
      if (!gone(cart_.lines[i])) continue;
      note(cart_, What::insert_line, i, cart_.lines[i]);
      cart_.total = moved_total(cart_.total, &cart_.lines[i], nullptr);
      first = i;
    }
    const auto from = cart_.lines.begin() + static_cast<std::ptrdiff_t>(first);
    cart_.lines.erase(std::remove_if(from, cart_.lines.end(), gone), cart_.lines.end());
  }

 private:
  Cart& cart_;
};

void apply(Cart& cart, const CartOpened& e) {
  cart.status = CartStatus::open;
  cart.user = e.user;
  cart.currency = e.currency;
}

template <class E>  // of lines
void apply(Cart& cart, const E& e) {
  CartLines lines(cart);
  evolve_lines(lines, e);
}

void apply(Cart& cart, const CheckOutStarted& e) {
  change_status(cart, CartStatus::checking_out, e.order);
}

void apply(Cart& cart, const CartReopened& e) {
  change_status(cart, CartStatus::open, OrderId{});
  CartLines lines(cart);
  evolve_lines(lines, e);
}

void apply(Cart& cart, const CartOrdered& e) { change_status(cart, CartStatus::ordered, e.order); }

template <class E>
constexpr bool is_cart_event =
    std::is_same_v<E, CartOpened> || std::is_same_v<E, ItemAdded> ||
    std::is_same_v<E, ItemQuantitySet> || std::is_same_v<E, ItemRemoved> ||
    std::is_same_v<E, CheckOutStarted> || std::is_same_v<E, CartReopened> ||
    std::is_same_v<E, CartOrdered>;

// ---- going back ----

void take_back(Cart& cart, const CartUndo& step) {
  const std::size_t at = std::min<std::size_t>(step.line, cart.lines.size());
  const auto place = cart.lines.begin() + static_cast<std::ptrdiff_t>(at);
  const bool there = at < cart.lines.size();
  switch (step.what) {
    case What::drop_line:
      if (!there) break;
      cart.total = moved_total(cart.total, &*place, nullptr);
      cart.lines.erase(place);
      break;
    case What::restore_line:
      if (!there) break;
      cart.total = moved_total(cart.total, &*place, &step.before);
      *place = step.before;
      break;
    case What::insert_line:
      cart.total = moved_total(cart.total, nullptr, &step.before);
      cart.lines.insert(place, step.before);
      break;
    case What::status:
      cart.status = step.status;
      cart.order = step.order;
      break;
    case What::drop_currency:
      cart.currency = Currency{};
      break;
    case What::restore_currency:
      cart.currency = step.currency;
      break;
  }
}

}  // namespace

Decision decide(const Cart& cart, const OpenCart& command) {
  if (cart.status != CartStatus::none) return Facts{};
  return facts_of(CartOpened{.user = command.user, .currency = command.currency});
}

Decision decide(const Cart& cart, const AddItem& command, const Quote& quote) {
  if (const Refusal no = forbids(cart, quote); no != Refusal::none) return Refused{no};
  const Pricing pricing = command.unit_price ? Pricing::fixed : Pricing::catalogue;
  return add_line(cart, Item{command.sku, quote.name}, command.quantity,
                  command.unit_price.value_or(quote.price), pricing);
}

Decision decide(const Cart& cart, const SetItem& command, const Quote& quote) {
  if (command.quantity == 0) {
    return decide(cart, RemoveItem{.cart = command.cart, .sku = command.sku});
  }
  if (const Refusal no = forbids(cart, quote); no != Refusal::none) return Refused{no};
  const CartLine* line = nullptr;
  std::size_t fixed = 0;
  for (const CartLine& candidate : cart.lines) {
    if (candidate.item.sku() != command.sku) continue;
    line = &candidate;
    if (candidate.pricing == Pricing::catalogue) break;
    ++fixed;
  }
  Item item{command.sku, quote.name};
  if (!line) {
    return add_line(cart, std::move(item), command.quantity, quote.price, Pricing::catalogue);
  }
  const Pricing pricing = line->pricing;
  if (pricing == Pricing::fixed && fixed > 1) return Refused{Refusal::ambiguous_line};
  Money price = quote.price;
  if (pricing == Pricing::fixed) price = Money{line->unit_price, cart.currency};
  const Refusal no = forbids(cart, line, price, command.quantity);
  if (no != Refusal::none) return Refused{no};
  if (line->quantity == command.quantity && line->unit_price == price.amount &&
      line->item == item) {
    return Facts{};
  }
  return facts_of(ItemQuantitySet{.item = std::move(item),
                                  .quantity = command.quantity,
                                  .unit_price = price,
                                  .pricing = pricing});
}

Decision decide(const Cart& cart, const RemoveItem& command) {
  if (cart.status != CartStatus::open) return Refused{Refusal::cart_closed};
  const bool there = std::ranges::any_of(
      cart.lines, [&](const CartLine& line) { return line.item.sku() == command.sku; });
  if (!there) return Facts{};
  return facts_of(ItemRemoved{command.sku});
}

Decision start_check_out(const Cart& cart, OrderId order) {
  if (cart.status != CartStatus::open) return Refused{Refusal::cart_closed};
  if (cart.lines.empty()) return Refused{Refusal::cart_empty};
  return facts_of(CheckOutStarted{order});
}

Cart evolve(Cart cart, const Payload& event) {
  std::visit(
      [&]<class E>(const E& e) {
        if constexpr (is_cart_event<E>) {
          ++cart.version;
          apply(cart, e);
        }
      },
      event);
  return cart;
}

void trim_undo(Cart& cart, Version oldest_needed) {
  // A step is needed by those who want a version before its own.
  const auto kept = std::ranges::upper_bound(
      cart.undo, oldest_needed, {}, [](const CartUndo& u) -> Version { return u.version; });
  cart.undo.erase(cart.undo.begin(), kept);
}

Cart as_of(const Cart& cart, Version version) {
  Cart then = cart;
  while (!then.undo.empty() && then.undo.back().version > version) {
    const CartUndo step = std::move(then.undo.back());
    then.undo.pop_back();
    take_back(then, step);
  }
  then.version = std::min(version, cart.version);
  return then;
}

}  // namespace souk
