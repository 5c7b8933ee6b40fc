#include "tests/support/history.h"

#include <algorithm>
#include <sstream>

namespace souk::test {
namespace {

constexpr std::int64_t day_ms = 24LL * 60 * 60 * 1000;
const UnixMs begin = time_of("2011-06-15T00:00:00Z");

class Maker {
 public:
  Maker(std::uint64_t seed, std::size_t orders) : random_(seed), orders_(orders), history_(3) {
    clock_.assign(3, begin.value);
  }

  History run() {
    for (int i = 0; i < 12; ++i) users_.push_back(id_on<UserId>({shard()}, next_++));
    for (int i = 0; i < 9; ++i) skus_.push_back("S" + std::to_string(i) + (i % 2 ? "a" : "A"));
    for (const std::string& text : skus_) stock_up(text);
    for (std::size_t i = 0; i < orders_; ++i) {
      if (roll(3) == 0) touch_user();
      if (roll(5) == 0) stock_up(skus_[roll(skus_.size())]);
      if (roll(10) == 0) accept_return();
      buy();
    }
    for (const UserId& user : users_) {
      if (registered_.contains(user.text()) || roll(4) == 0) continue;
      touch(user);
    }
    return std::move(history_);
  }

 private:
  std::size_t roll(std::size_t sides) { return random_() % sides; }
  std::uint16_t shard() { return static_cast<std::uint16_t>(roll(3)); }
  UnixMs now(std::uint16_t shard) {
    clock_[shard] += static_cast<std::int64_t>(roll(static_cast<std::size_t>(day_ms)));
    return {clock_[shard]};
  }
  std::optional<UnixMs> business_time() {
    if (roll(3) == 0) return std::nullopt;
    std::int64_t ms = begin.value - 90 * day_ms + static_cast<std::int64_t>(roll(200)) * day_ms;
    if (roll(2) == 0) ms += static_cast<std::int64_t>(roll(static_cast<std::size_t>(day_ms)));
    return UnixMs{ms};
  }

  void stock_up(const std::string& text) {
    const EntityKey entity = sku(text);
    const auto where = shard_of(text, 3).value;
    ProductDefined product;
    product.name = "Product " + text + std::to_string(roll(3));
    product.brand = "B" + std::to_string(roll(3));
    product.category = {"Home", "C" + std::to_string(roll(2))};
    product.price = {{static_cast<std::int64_t>(roll(9'000'000))}, gbp()};
    history_.add({where}, now(where), {{entity, product}});
    history_.add({where}, now(where),
                 {{entity, StockReceived{static_cast<std::int64_t>(roll(100)), "r"}},
                  {entity, StockAdjusted{-static_cast<std::int64_t>(roll(3)), "broken"}}});
    if (roll(6) == 0) history_.add({where}, now(where), {{entity, ProductTakenOffSale{}}});
  }

  std::string country() {
    const char* const names[] = {"", "France", "EIRE", "Spain", "United Kingdom"};
    return names[roll(5)];
  }

  void touch(const UserId& user) {
    const auto where = user.shard().value;
    if (registered_.insert({user.text(), true}).second) {
      UserRegistered e;
      e.country = country();
      history_.add({where}, now(where), {{user, e}, {user, EmailAssigned{}}});
    } else if (roll(6) == 0) {
      history_.add({where}, now(where), {{user, UserErased{}}});
    } else {
      UserProfileChanged e;
      if (roll(4) != 0) e.country = country();
      history_.add({where}, now(where), {{user, e}});
    }
  }
  void touch_user() { touch(users_[roll(users_.size())]); }

  std::optional<UserId> buyer() {
    if (roll(4) == 0) return std::nullopt;
    return users_[roll(users_.size())];
  }

  std::vector<OrderLine> lines() {
    std::vector<OrderLine> all;
    for (std::size_t n = 1 + roll(5); n-- > 0;) {
      const std::string& text = skus_[roll(skus_.size())];
      all.push_back({{sku(text), "Product " + text},
                     static_cast<std::int64_t>(1 + roll(20)),
                     {static_cast<std::int64_t>(roll(50'000'000))},
                     roll(2) ? Pricing::fixed : Pricing::catalogue});
    }
    return all;
  }
  static Micros total_of(const std::vector<OrderLine>& lines) {
    Micros total;
    for (const OrderLine& line : lines) total.value += line.unit_price.value * line.quantity;
    return total;
  }

  void accept_return() {
    const auto where = shard();
    ReturnAccepted e;
    e.user = buyer();
    e.currency = roll(4) ? gbp() : eur();
    e.lines = lines();
    e.value = total_of(e.lines);
    e.reference = "C1";
    e.occurred_at = business_time();
    if (roll(3) == 0) e.country = country();
    history_.add({where}, now(where), {{id_on<OrderId>({where}, next_++), e}});
  }

  /// A cart is filled and, as a rule, checked out.
  void buy() {
    const auto where = shard();
    const auto cart = id_on<CartId>({where}, next_++);
    OrderPlaced placed;
    placed.user = buyer();
    placed.currency = roll(4) ? gbp() : eur();
    placed.lines = lines();
    placed.total = total_of(placed.lines);
    if (roll(3) == 0) {
      placed.adjustments = {
          {Adjustment::Kind::rounding, {static_cast<std::int64_t>(roll(9'999)) - 5'000}}};
      placed.total.value += placed.adjustments[0].amount.value;
    }
    placed.occurred_at = business_time();
    if (roll(3) == 0) placed.country = country();
    history_.add({where}, now(where), {{cart, CartOpened{placed.user, placed.currency}}});
    if (roll(8) == 0) return;
    for (const OrderLine& line : placed.lines)
      history_.add(
          {where}, now(where),
          {{cart,
            ItemAdded{
                line.item, line.quantity, {line.unit_price, placed.currency}, line.pricing}}});
    if (roll(8) == 0)
      history_.add({where}, now(where), {{cart, ItemRemoved{placed.lines[0].item.sku()}}});
    if (roll(8) == 0) return;
    const auto id = id_on<OrderId>({where}, next_++);
    if (roll(5) != 0) placed.cart = cart;
    history_.add({where}, now(where), {{cart, CheckOutStarted{id}}, {id, placed}});
    decide(where, cart, id, placed);
  }

  void decide(std::uint16_t where, const CartId& cart, const OrderId& id,
              const OrderPlaced& placed) {
    const std::size_t fate = roll(10);
    if (fate == 0) return;  // still pending
    if (fate == 1) {
      const Refusal reason = roll(2) ? Refusal::out_of_stock : Refusal::payment_declined;
      history_.add({where}, now(where),
                   {{id, OrderRejected{reason}}, {cart, CartReopened{id, {}}}});
      return;
    }
    for (const OrderLine& line : placed.lines) {
      const Sku& code = line.item.sku();
      const auto there = shard_of(code.text(), 3).value;
      history_.add({there}, now(there),
                   {{code, StockReserved{id, line.quantity, {0}}}, {code, StockClaimed{id}}});
      history_.add({there}, now(there), {{code, StockSold{id, line.quantity}}});
    }
    history_.add({where}, now(where), {{id, OrderConfirmed{}}, {cart, CartOrdered{id}}});
    if (fate == 2) {
      OrderReturned back;
      back.number = 1;
      for (std::uint32_t i = 0; i < placed.lines.size(); ++i)
        back.lines.push_back({i, placed.lines[i].quantity, placed.lines[i].unit_price});
      back.value = placed.total;
      history_.add({where}, now(where), {{id, OrderCancelled{}}, {id, back}});
      history_.add({where}, now(where), {{id, PaymentRefunded{1, placed.total}}});
      return;
    }
    history_.add({where}, now(where), {{id, OrderShipped{}}});
    for (std::uint32_t number = 1; fate == 3 && number <= 2; ++number) {
      OrderReturned back;
      back.number = number;
      back.lines.push_back({0, 1, {static_cast<std::int64_t>(roll(9'000'000))}});
      back.value = back.lines[0].unit_price;
      back.occurred_at = business_time();
      back.goods = roll(2) ? Goods::restocked : Goods::kept_off_sale;
      history_.add({where}, now(where), {{id, back}});
      if (roll(4) == 0) continue;  // goodwill had paid it back already
      history_.add({where}, now(where),
                   {{id, PaymentRefunded{number, back.value, back.occurred_at}}});
    }
  }

  std::mt19937_64 random_;
  std::size_t orders_;
  History history_;
  std::vector<std::int64_t> clock_;
  std::uint64_t next_ = 1;
  std::vector<UserId> users_;
  std::vector<std::string> skus_;
  std::map<std::string, bool> registered_;
};

}  // namespace

History random_history(std::uint64_t seed, std::size_t orders) { return Maker(seed, orders).run(); }

std::string text_of(const Position& position) {
  std::string text;
  for (const std::size_t n : position) text += std::to_string(n) + " ";
  return text;
}

Position position_of(const std::string& checkpoint, std::size_t shards) {
  Position position(shards, 0);
  std::istringstream in(checkpoint);
  for (std::size_t& n : position) in >> n;
  return position;
}

void apply_next(AnalyticsModel& model, const History& history, Position& position,
                std::size_t shard) {
  const Transaction& transaction = history.shards[shard][position[shard]++];
  for (std::size_t i = 0; i < transaction.events.size(); ++i) {
    const auto done =
        model.apply({{static_cast<std::uint16_t>(shard)}, position[shard], transaction, i});
    if (!done) FAIL(done.error().why);
  }
}

void feed(AnalyticsModel& model, const History& history, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  Position position = position_of(model.checkpoint(), history.shards.size());
  const auto left = [&](std::size_t shard) {
    return position[shard] < history.shards[shard].size();
  };
  std::vector<std::size_t> open;
  for (std::size_t i = 0; i < history.shards.size(); ++i)
    if (left(i)) open.push_back(i);
  while (!open.empty()) {
    const std::size_t at = random() % open.size();
    // Runs of random length: one shard far ahead of another, too.
    for (std::size_t run = random() % 40; run-- > 0 && left(open[at]);)
      apply_next(model, history, position, open[at]);
    if (!left(open[at])) open.erase(open.begin() + static_cast<std::ptrdiff_t>(at));
    if (random() % 4 == 0) REQUIRE(model.commit(text_of(position)));
  }
  REQUIRE(model.commit(text_of(position)));
}

}  // namespace souk::test
