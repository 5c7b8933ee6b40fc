#include "tools/souk/shop/sender.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <mutex>

#include "tools/souk/audit/parallel.h"
#include "tools/souk/cli/table.h"

namespace souk::cli {
namespace {

constexpr std::size_t per_chunk = 500;
constexpr std::size_t visits_per_chunk = 150;

std::string pounds_json(Micros amount) {
  return "{\"amount\":\"" + to_decimal(amount) + "\",\"currency\":\"GBP\"}";
}

Failure failed(const std::string& what, const BatchAnswer& answer) {
  return {ExitCode::refused,
          fmt::format("{}: {} {} {}", what, answer.status, answer.code, answer.detail)};
}

class ShopSender {
 public:
  ShopSender(const Shop& shop, const Url& url, std::size_t connections, Progress& progress)
      : shop_(shop),
        url_(url),
        connections_(connections),
        progress_(progress),
        prefix_(fmt::format("gen:{}:{}:{}:{}:", shop.options.seed, shop.options.products,
                            shop.options.users, shop.options.orders)) {}

  Outcome<ShopSummary> run();

 private:
  template <class Part>
  Outcome<Done> in_chunks(std::size_t first, std::size_t last, std::size_t size, const Part& part) {
    return in_parallel(url_, connections_, (last - first + size - 1) / size,
                       [&](BatchSender& sender, std::size_t i) {
                         return part(sender, first + i * size,
                                     std::min(last, first + (i + 1) * size));
                       });
  }
  Outcome<Done> put_products(BatchSender& sender, std::size_t first, std::size_t last);
  Outcome<Done> register_users(BatchSender& sender, std::size_t first, std::size_t last);
  Outcome<Done> deliver(BatchSender& sender, std::size_t part, std::size_t first, std::size_t last);
  Outcome<Done> visit(BatchSender& sender, std::size_t first, std::size_t last);

  const Shop& shop_;
  const Url& url_;
  const std::size_t connections_;
  Progress& progress_;
  const std::string prefix_;
  std::vector<std::string> user_ids_;
  std::mutex mutex_;
  ShopSummary summary_;
};

Outcome<Done> ShopSender::put_products(BatchSender& sender, std::size_t first, std::size_t last) {
  CommandBatch batch;
  for (std::size_t i = first; i < last; ++i) {
    const ShopProduct& product = shop_.products[i];
    batch.begin("put_product").text("sku", product.sku).text("name", product.name);
    batch.text("description", product.description).text("brand", product.brand);
    batch.raw("category",
              "[" + json_string(product.department) + "," + json_string(product.shelf) + "]");
    batch.raw("attributes", "{\"material\":" + json_string(product.material) + "}");
    batch.raw("price", pounds_json(product.price)).minimal().end();
  }
  auto answers = sender.send(batch);
  if (!answers) return answers.error();
  for (const BatchAnswer& answer : *answers)
    if (answer.status >= 300) return failed("a product", answer);
  progress_.add(last - first);
  return Done{};
}

Outcome<Done> ShopSender::register_users(BatchSender& sender, std::size_t first, std::size_t last) {
  CommandBatch batch;
  for (std::size_t i = first; i < last; ++i) {
    const ShopUser& user = shop_.users[i];
    batch.begin("register_user").text("email", user.email).text("name", user.name);
    batch.text("country", user.country).key(fmt::format("{}user:{}", prefix_, i)).end();
  }
  auto answers = sender.send(batch, "user_id");
  if (!answers) return answers.error();
  for (std::size_t i = first; i < last; ++i) {
    BatchAnswer& answer = (*answers)[i - first];
    if (answer.status != 201) return failed(shop_.users[i].email, answer);
    user_ids_[i] = std::move(answer.id);
  }
  progress_.add(last - first);
  return Done{};
}

Outcome<Done> ShopSender::deliver(BatchSender& sender, std::size_t part, std::size_t first,
                                  std::size_t last) {
  CommandBatch batch;
  for (std::size_t i = first; i < last; ++i) {
    const ShopDelivery& delivery = shop_.deliveries[part][i];
    batch.begin("receive_stock").text("sku", shop_.products[delivery.product].sku);
    batch.number("quantity", delivery.quantity)
        .text("reference", fmt::format("delivery {}", part + 1));
    batch.key(fmt::format("{}delivery:{}", prefix_, part)).minimal().end();
  }
  auto answers = sender.send(batch);
  if (!answers) return answers.error();
  for (const BatchAnswer& answer : *answers)
    if (answer.status >= 300) return failed("a delivery", answer);
  return Done{};
}

/// One visitor on the way through the shop.
struct Walk {
  const ShopVisit* visit = nullptr;
  std::size_t number = 0;
  std::string cart_id = {}, order_id = {};
};

/// Takes some visitors from their first look to the return of their goods, a step at a time.
class Walks {
 public:
  Walks(const Shop& shop, BatchSender& sender, const std::string& prefix)
      : shop_(shop), sender_(sender), prefix_(prefix) {}

  Outcome<std::uint64_t> open(std::size_t first, std::size_t last,
                              const std::vector<std::string>& users) {
    CommandBatch batch;
    for (std::size_t v = first; v < last; ++v) {
      const ShopVisit& visit = shop_.visits[v];
      batch.begin("open_cart");
      if (visit.user) batch.text("user_id", users[*visit.user]);
      batch.text("currency", "GBP").key(fmt::format("{}cart:{}", prefix_, v)).end();
    }
    auto answers = sender_.send(batch, "cart_id");
    if (!answers) return answers.error();
    std::uint64_t there = 0;
    for (std::size_t v = first; v < last; ++v) {
      BatchAnswer& answer = (*answers)[v - first];
      if (answer.status != 201) return failed("a cart", answer);
      if (answer.replayed) {
        ++there;
      } else {
        walks_.push_back({.visit = &shop_.visits[v], .number = v, .cart_id = std::move(answer.id)});
      }
    }
    return there;
  }

  Outcome<Done> fill() {
    CommandBatch batch;
    for (const Walk& walk : walks_)
      for (std::size_t i = 0; i < walk.visit->lines.size(); ++i) {
        const ShopLine& line = walk.visit->lines[i];
        batch.begin("add_item").text("cart_id", walk.cart_id);
        batch.text("sku", shop_.products[line.product].sku).number("quantity", line.quantity);
        batch.key(fmt::format("gen:{}", i)).minimal().end();
      }
    auto answers = sender_.send(batch);
    if (!answers) return answers.error();
    for (const BatchAnswer& answer : *answers)
      if (answer.status >= 300) return failed("into a cart", answer);
    return Done{};
  }

  Outcome<Done> check_out() {
    CommandBatch batch;
    std::vector<Walk*> sent;
    for (Walk& walk : walks_) {
      if (walk.visit->fate == Fate::abandoned) continue;
      const bool declined = walk.visit->fate == Fate::declined;
      batch.begin("check_out").text("cart_id", walk.cart_id);
      batch.raw("payment", declined ? "{\"method\":\"simulated\",\"token\":\"decline\"}"
                                    : "{\"method\":\"simulated\"}");
      batch.text("occurred_at", to_rfc3339(walk.visit->at)).text("wait", "final");
      batch.key("gen:checkout").end();
      sent.push_back(&walk);
    }
    auto answers = sender_.send(batch, "order_id");
    if (!answers) return answers.error();
    for (std::size_t i = 0; i < sent.size(); ++i) {
      BatchAnswer& answer = (*answers)[i];
      if (answer.status >= 300) return failed("a check-out", answer);
      const bool confirmed = answer.order_status == "confirmed";
      if (confirmed != (sent[i]->visit->fate != Fate::declined)) return failed("an order", answer);
      if (confirmed) sent[i]->order_id = std::move(answer.id);
    }
    return Done{};
  }

  /// `command` for the orders whose fate is one of `fates`.
  Outcome<Done> step(const char* command, std::initializer_list<Fate> fates) {
    CommandBatch batch;
    for (const Walk& walk : walks_) {
      if (walk.order_id.empty() || std::ranges::find(fates, walk.visit->fate) == fates.end())
        continue;
      batch.begin(command).text("order_id", walk.order_id);
      if (walk.visit->fate == Fate::returned && std::string_view(command) == "return_order") {
        const ShopLine& line = walk.visit->lines[walk.visit->returned_line];
        batch.raw("lines", "[{\"sku\":" + json_string(shop_.products[line.product].sku) +
                               ",\"quantity\":" + std::to_string(line.quantity) + "}]");
        batch.text("occurred_at", to_rfc3339(walk.visit->at.plus_ms(9LL * 24 * 3'600'000)));
      }
      batch.key(fmt::format("gen:{}", command)).minimal().end();
    }
    auto answers = sender_.send(batch);
    if (!answers) return answers.error();
    for (const BatchAnswer& answer : *answers)
      if (answer.status >= 300) return failed(command, answer);
    return Done{};
  }

  void count(ShopSummary& summary) const {
    for (const Walk& walk : walks_) {
      ++summary.carts;
      summary.orders += walk.order_id.empty() ? 0 : 1;
      summary.declined += walk.visit->fate == Fate::declined ? 1 : 0;
      summary.returned += walk.visit->fate == Fate::returned ? 1 : 0;
      summary.cancelled += walk.visit->fate == Fate::cancelled ? 1 : 0;
    }
  }

 private:
  const Shop& shop_;
  BatchSender& sender_;
  const std::string& prefix_;
  std::vector<Walk> walks_;
};

Outcome<Done> ShopSender::visit(BatchSender& sender, std::size_t first, std::size_t last) {
  Walks walks(shop_, sender, prefix_);
  auto there = walks.open(first, last, user_ids_);
  if (!there) return there.error();
  if (auto done = walks.fill(); !done) return done;
  if (auto done = walks.check_out(); !done) return done;
  if (auto done = walks.step("cancel_order", {Fate::cancelled}); !done) return done;
  if (auto done = walks.step("ship_order", {Fate::shipped, Fate::delivered, Fate::returned}); !done)
    return done;
  if (auto done = walks.step("deliver_order", {Fate::delivered, Fate::returned}); !done)
    return done;
  if (auto done = walks.step("return_order", {Fate::returned}); !done) return done;
  progress_.add(last - first);
  const std::lock_guard lock(mutex_);
  walks.count(summary_);
  summary_.already_there += *there;
  return Done{};
}

Outcome<ShopSummary> ShopSender::run() {
  const auto begun = std::chrono::steady_clock::now();
  user_ids_.resize(shop_.users.size());
  progress_.phase("products");
  auto done = in_chunks(
      0, shop_.products.size(), per_chunk,
      [&](auto& sender, auto first, auto last) { return put_products(sender, first, last); });
  if (!done) return done.error();
  progress_.phase("users");
  done = in_chunks(0, shop_.users.size(), per_chunk, [&](auto& sender, auto first, auto last) {
    return register_users(sender, first, last);
  });
  if (!done) return done.error();
  progress_.phase("visits");
  for (std::size_t part = 0; part < shop_.deliveries.size(); ++part) {
    done = in_chunks(
        0, shop_.deliveries[part].size(), per_chunk,
        [&](auto& sender, auto first, auto last) { return deliver(sender, part, first, last); });
    if (!done) return done.error();
    done =
        in_chunks(shop_.part_begin(part), shop_.part_begin(part + 1), visits_per_chunk,
                  [&](auto& sender, auto first, auto last) { return visit(sender, first, last); });
    if (!done) return done.error();
  }
  summary_.products = shop_.products.size();
  summary_.users = shop_.users.size();
  const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - begun;
  summary_.seconds = passed.count();
  return summary_;
}

}  // namespace

Outcome<ShopSummary> send_shop(const Shop& shop, const Url& url, std::size_t connections,
                               Progress& progress) {
  return ShopSender(shop, url, connections, progress).run();
}

std::string ShopSummary::json() const {
  return fmt::format(
      "{{\"products\":{},\"users\":{},\"carts\":{},\"orders\":{},\"declined\":{},\"returned\":{},"
      "\"cancelled\":{},\"already_there\":{},\"seconds\":{:.3f}}}\n",
      products, users, carts, orders, declined, returned, cancelled, already_there, seconds);
}

std::string ShopSummary::text() const {
  Table table({{"GENERATED"}, {"", Align::right}});
  const auto add = [&](const char* name, std::uint64_t value) {
    table.add({name, with_thousands(value)});
  };
  add("products", products);
  add("users", users);
  add("carts", carts);
  add("orders", orders);
  add("declined", declined);
  add("returned", returned);
  add("cancelled", cancelled);
  add("already there", already_there);
  table.add({"seconds", fmt::format("{:.1f}", seconds)});
  return table.text();
}

}  // namespace souk::cli
