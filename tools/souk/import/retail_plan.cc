#include "tools/souk/import/retail_plan.h"

#include <algorithm>

#include "events/ids.h"
#include "events/limits.h"

namespace souk::cli {
namespace {

/// Beyond this many an order's keys would be forgotten by the time of a repeat; the rest come back
/// without an order.
constexpr std::uint32_t returns_per_order_max = 48;

std::uint64_t pair_of(std::uint32_t high, std::uint32_t low) {
  return static_cast<std::uint64_t>(high) << 32 | low;
}

class Planner {
 public:
  explicit Planner(const RetailData& data) : data_(data) {}
  RetailPlan run() {
    plan_.rejected = data_.rejected;
    plan_.products.resize(data_.skus.size());
    for (const RetailLine& line : data_.lines) place(line);
    for (const RetailLine* line : returned_) give_back(*line);
    name_products();
    set_openings();
    plan_.customer_country.resize(data_.customers.size());
    for (std::size_t i = data_.invoice.size(); i-- > 0;)  // backwards: the first invoice decides
      if (data_.invoice[i].customer != no_customer)
        plan_.customer_country[data_.invoice[i].customer] = data_.invoice[i].country;
    std::ranges::stable_sort(plan_.rejected, {}, &Rejection::line);
    return std::move(plan_);
  }

 private:
  void reject(const RetailLine& line, std::string why) {
    plan_.rejected.push_back({line.number, std::move(why)});
  }

  void place(const RetailLine& line) {
    const bool cancellation = data_.invoices.text(line.invoice).starts_with('C');
    if (line.price.value < 0) return reject(line, "a negative price: " + to_decimal(line.price));
    if (line.price.value > limits::price_micros_max)
      return reject(line, "a price too high: " + to_decimal(line.price));
    if (line.quantity > limits::quantity_max || line.quantity < -limits::quantity_max)
      return reject(line, "more than 1000000 pieces: " + std::to_string(line.quantity));
    if (cancellation) {
      if (line.quantity >= 0) return reject(line, "a cancellation without a negative quantity");
      returned_.push_back(&line);
    } else if (line.quantity > 0 && line.price.value > 0) {
      sell(line);
    } else if (line.quantity == 0) {
      reject(line, "a quantity of 0");
    } else {
      adjust(line);
    }
  }

  void sell(const RetailLine& line) {
    const auto [at, first] = order_of_.try_emplace(line.invoice, plan_.orders.size());
    if (first) plan_.orders.push_back({.invoice = line.invoice});
    PlannedOrder& order = plan_.orders[at->second];
    const auto value = multiply(line.price, line.quantity);
    const auto total = value ? add(order.total, *value) : std::nullopt;
    if (order.lines.size() == limits::cart_lines_max || !total) {
      if (first) {
        order_of_.erase(at);
        plan_.orders.pop_back();
      }
      return reject(line, total ? "an invoice of more than 2000 lines" : "an amount too large");
    }
    order.total = *total;
    order.lines.push_back({line.number, line.sku, line.quantity, line.price});
    plan_.products[line.sku].price = line.price;
    plan_.products[line.sku].used = true;
    ++plan_.order_lines;
  }

  void adjust(const RetailLine& line) {
    auto& adjustments = plan_.products[line.sku].adjustments;
    const auto repeat = std::ranges::count(adjustments, line.invoice, &PlannedAdjustment::invoice);
    adjustments.push_back({.line = line.number,
                           .delta = line.quantity,
                           .reason = line.description,
                           .invoice = line.invoice,
                           .repeat = static_cast<std::uint32_t>(repeat)});
    plan_.products[line.sku].used = true;
    ++plan_.adjustments;
  }

  /// What of an order has not come back yet.
  struct Owed {
    Micros money;
    std::uint32_t returns = 0;
    std::vector<std::int64_t> pieces;  // by line of the order
  };

  void remember_orders() {
    for (std::uint32_t i = 0; i < plan_.orders.size(); ++i) {
      const PlannedOrder& order = plan_.orders[i];
      Owed& owed = owed_.emplace_back();
      owed.money = order.total;
      for (const PlannedLine& line : order.lines) owed.pieces.push_back(line.quantity);
      const std::uint32_t customer = data_.invoice[order.invoice].customer;
      if (customer == no_customer) continue;
      for (const PlannedLine& line : order.lines) {
        auto& orders = bought_[pair_of(customer, line.sku)];
        if (orders.empty() || orders.back() != i) orders.push_back(i);
      }
    }
    const auto time_of = [&](std::uint32_t order) {
      return data_.invoice[plan_.orders[order].invoice].at;
    };
    for (auto& [who, orders] : bought_) std::ranges::stable_sort(orders, {}, time_of);
  }

  /// The lines of an order that `line` may give back, as the daemon takes them: nobody gets more for
  /// a piece than was paid for it, and those that cost the least come first.
  std::vector<std::size_t> lines_for(std::uint32_t order, const RetailLine& line) const {
    const auto& lines = plan_.orders[order].lines;
    std::vector<std::size_t> found;
    for (std::size_t i = 0; i < lines.size(); ++i)
      if (lines[i].sku == line.sku && lines[i].price >= line.price) found.push_back(i);
    std::ranges::stable_sort(found, {}, [&](std::size_t i) { return lines[i].price; });
    return found;
  }

  std::uint32_t order_for(const RetailLine& line, Micros value) const {
    const RetailInvoice& invoice = data_.invoice[line.invoice];
    if (invoice.customer == no_customer) return no_order;
    const auto found = bought_.find(pair_of(invoice.customer, line.sku));
    if (found == bought_.end()) return no_order;
    std::uint32_t any = no_order;
    for (auto order = found->second.rbegin(); order != found->second.rend(); ++order) {
      const Owed& owed = owed_[*order];
      const bool grouped = return_of_.contains(pair_of(line.invoice, *order));
      if (data_.invoice[plan_.orders[*order].invoice].at > invoice.at || owed.money < value ||
          (!grouped && owed.returns == returns_per_order_max))
        continue;
      const auto lines = lines_for(*order, line);
      std::int64_t out = 0;
      for (const std::size_t i : lines) out += owed.pieces[i];
      if (out < -line.quantity) continue;
      if (plan_.orders[*order].lines[lines.front()].price == line.price) return *order;
      if (any == no_order) any = *order;
    }
    return any;
  }

  void give_back(const RetailLine& line) {
    if (owed_.size() != plan_.orders.size()) remember_orders();
    const auto value = multiply(line.price, -line.quantity);
    if (!value) return reject(line, "an amount too large");
    const std::uint32_t order = order_for(line, *value);
    const auto [at, first] =
        return_of_.try_emplace(pair_of(line.invoice, order), plan_.returns.size());
    if (!first && plan_.returns[at->second].lines.size() == limits::cart_lines_max)
      return reject(line, "an invoice of more than 2000 lines");
    if (first) plan_.returns.push_back({.invoice = line.invoice, .order = order});
    plan_.returns[at->second].lines.push_back({line.number, line.sku, -line.quantity, line.price});
    plan_.products[line.sku].used = true;
    ++plan_.returned_lines;
    if (plan_.products[line.sku].price.value == 0) plan_.products[line.sku].price = line.price;
    if (order == no_order) return;
    owed_[order].money.value -= value->value;
    owed_[order].returns += first ? 1 : 0;
    std::int64_t left = -line.quantity;
    for (const std::size_t i : lines_for(order, line)) {
      const std::int64_t taken = std::min(left, owed_[order].pieces[i]);
      owed_[order].pieces[i] -= taken;
      left -= taken;
    }
  }

  /// The description that a SKU has most often where it was sold, else anywhere; else its code.
  void name_products() {
    std::unordered_map<std::uint64_t, std::uint32_t> counts;
    const auto weight = [](const RetailLine& line) {
      return line.quantity > 0 && line.price.value > 0 ? 1'000U : 1U;
    };
    for (const RetailLine& line : data_.lines)
      counts[pair_of(line.sku, line.description)] += weight(line);
    std::vector<std::uint32_t> best(plan_.products.size(), 0);
    for (const RetailLine& line :
         data_.lines) {  // in the file's order, so that the first wins a tie
      const std::string& description = data_.descriptions.text(line.description);
      const std::uint32_t count = counts[pair_of(line.sku, line.description)];
      if (description.empty() || count <= best[line.sku]) continue;
      best[line.sku] = count;
      plan_.products[line.sku].name = description;
    }
    for (std::uint32_t sku = 0; sku < plan_.products.size(); ++sku)
      if (plan_.products[sku].name.empty()) plan_.products[sku].name = data_.skus.text(sku);
  }

  void set_openings() {
    std::vector<std::int64_t> sold(plan_.products.size(), 0);
    for (const PlannedOrder& order : plan_.orders)
      for (const PlannedLine& line : order.lines) sold[line.sku] += line.quantity;
    for (std::uint32_t sku = 0; sku < plan_.products.size(); ++sku) {
      PlannedProduct& product = plan_.products[sku];
      std::int64_t balance = 0, worst = 0;
      std::string text;
      for (const PlannedAdjustment& adjustment : product.adjustments) {
        balance += adjustment.delta;
        worst = std::min(worst, balance);
        text +=
            data_.invoices.text(adjustment.invoice) + ":" + std::to_string(adjustment.delta) + ";";
      }
      worst = std::min(worst, balance - sold[sku]);
      product.opening = -worst;
      product.fingerprint = stable_hash(text + std::to_string(product.opening));
    }
  }

  const RetailData& data_;
  RetailPlan plan_;
  std::vector<const RetailLine*> returned_;
  std::unordered_map<std::uint32_t, std::size_t> order_of_;               // by invoice
  std::unordered_map<std::uint64_t, std::size_t> return_of_;              // by invoice and order
  std::unordered_map<std::uint64_t, std::vector<std::uint32_t>> bought_;  // by customer and SKU
  std::vector<Owed> owed_;                                                // by order
};

}  // namespace

RetailPlan plan_retail(const RetailData& data) { return Planner(data).run(); }

}  // namespace souk::cli
