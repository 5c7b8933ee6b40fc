// Invoices: a cart each, its lines, the check-out, shipping and delivery.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <thread>
#include <tuple>

#include "tools/souk/import/retail_import.h"

namespace souk::cli {
namespace {

constexpr int attempts_max = 4;
constexpr auto final_within = std::chrono::seconds(60);

/// One invoice on its way.
struct Invoice {
  std::uint32_t order = 0;  // of RetailPlan::orders
  std::string cart_id = {};
  std::vector<std::uint32_t> missing = {};  // of PlannedOrder::lines: not in the cart yet
  std::size_t next = 0;                     // of `missing`
  bool done = false;                        // ordered
  bool add_again = false;                   // its cart was there: look whether the lines came
  std::string add_mark = {};                // sets the keys of a further attempt apart
  std::string check_out_key = {};
};

class OrderStage {
 public:
  OrderStage(RetailImport& import, BatchSender& sender) : import_(import), sender_(sender) {}

  Outcome<Done> run(std::size_t first, std::size_t last) {
    for (std::size_t i = first; i < last; ++i)
      invoices_.push_back({.order = static_cast<std::uint32_t>(i)});
    if (auto done = open_carts(); !done) return done.error();
    if (auto done = add_lines(); !done) return done.error();
    if (auto done = check_out(); !done) return done.error();
    if (auto done = step("ship_order", "or:ship"); !done) return done.error();
    return step("deliver_order", "or:deliver");
  }

 private:
  const PlannedOrder& plan(const Invoice& invoice) const {
    return import_.plan.orders[invoice.order];
  }
  const std::string& number(const Invoice& invoice) const {
    return import_.data.invoices.text(plan(invoice).invoice);
  }
  Failure wrong(const Invoice& invoice, std::size_t line, const std::string& what,
                const BatchAnswer& answer) const {
    return unexpected(import_, plan(invoice).invoice, plan(invoice).lines[line].line, what, answer);
  }

  Outcome<Done> open_carts();
  Outcome<Json> look_at(Invoice& invoice);
  Outcome<Done> add_lines();
  Outcome<Done> add_round();
  Outcome<Done> check_out();
  Outcome<Done> check_out_once(std::vector<Invoice*>& waiting);
  Outcome<BatchAnswer> final_answer(const Invoice& invoice, BatchAnswer answer);
  void confirm(Invoice& invoice, std::string order_id);
  Outcome<Done> step(const char* command, const char* key);

  RetailImport& import_;
  BatchSender& sender_;
  std::vector<Invoice> invoices_;
};

Outcome<Done> OrderStage::open_carts() {
  CommandBatch batch;
  for (Invoice& invoice : invoices_) {
    batch.begin("open_cart");
    const std::uint32_t customer = import_.data.invoice[plan(invoice).invoice].customer;
    if (customer != no_customer) batch.text("user_id", import_.user_ids[customer]);
    batch.text("currency", "GBP").key("or:" + number(invoice) + ":cart").end();
  }
  auto answers = sender_.send(batch, "cart_id");
  if (!answers) return answers.error();
  for (std::size_t i = 0; i < invoices_.size(); ++i) {
    Invoice& invoice = invoices_[i];
    BatchAnswer& answer = (*answers)[i];
    if (answer.status != 201 || answer.id.empty()) return wrong(invoice, 0, "open a cart", answer);
    invoice.cart_id = std::move(answer.id);
    invoice.check_out_key = "or:" + number(invoice) + ":checkout";
    if (!answer.replayed) {
      for (std::uint32_t line = 0; line < plan(invoice).lines.size(); ++line)
        invoice.missing.push_back(line);
      continue;
    }
    if (auto cart = look_at(invoice); !cart) return cart.error();
    const std::uint64_t there = plan(invoice).lines.size() - invoice.missing.size();
    import_.count(there, there);
  }
  return Done{};
}

/// Compares the cart as it is now with the invoice: what is missing, whether it is ordered.
Outcome<Json> OrderStage::look_at(Invoice& invoice) {
  auto cart = sender_.read("/v1/carts/" + invoice.cart_id);
  if (!cart) return cart.error();
  invoice.missing.clear();
  invoice.next = 0;
  const std::string& status = (*cart)["status"].text();
  if (status == "ordered") {
    invoice.done = true;
    import_.order_was_there[invoice.order] = 1;
    confirm(invoice, (*cart)["order_id"].text());
    return cart;
  }
  if (status == "checking_out") return cart;  // all its lines were there when that began
  using Content = std::tuple<std::string, std::int64_t, std::int64_t>;
  std::map<Content, std::int64_t> present;
  for (const Json& line : (*cart)["lines"].items()) {
    const auto price = parse_decimal(line["unit_price"]["amount"].text());
    ++present[{line["sku"].text(), line["quantity"].integer(), price ? price->value : -1}];
  }
  for (std::uint32_t i = 0; i < plan(invoice).lines.size(); ++i) {
    const PlannedLine& line = plan(invoice).lines[i];
    auto found = present.find({import_.data.skus.text(line.sku), line.quantity, line.price.value});
    if (found != present.end() && found->second > 0) {
      --found->second;
    } else {
      invoice.missing.push_back(i);
    }
  }
  invoice.add_again = !invoice.missing.empty();
  for (const auto& [content, count] : present)
    if (count > 0)
      return Failure{
          ExitCode::refused,
          fmt::format("invoice {}: its cart {} holds {} pieces of {} that are not the invoice's",
                      number(invoice), invoice.cart_id, std::get<1>(content),
                      std::get<0>(content))};
  return cart;
}

/// Sends what is missing. Carts of an earlier run are looked at again afterwards: a key of that run
/// may have answered for a line that is there once already.
Outcome<Done> OrderStage::add_lines() {
  for (int attempt = 1;; ++attempt) {
    const auto left = [](const Invoice& invoice) { return invoice.next < invoice.missing.size(); };
    while (std::ranges::any_of(invoices_, left))
      if (auto done = add_round(); !done) return done.error();
    bool again = false;
    for (Invoice& invoice : invoices_) {
      if (!invoice.add_again) continue;
      if (auto cart = look_at(invoice); !cart) return cart.error();
      again |= !invoice.missing.empty();
    }
    if (!again) return Done{};
    if (attempt == attempts_max)
      return Failure{ExitCode::refused,
                     "carts of an earlier run cannot be completed; run it again later"};
    for (Invoice& invoice : invoices_)
      if (!invoice.missing.empty()) invoice.add_mark += "+";
  }
}

Outcome<Done> OrderStage::add_round() {
  CommandBatch batch;
  std::vector<std::pair<const Invoice*, std::uint32_t>> sent;
  for (Invoice& invoice : invoices_) {
    const std::size_t end = std::min(invoice.missing.size(), invoice.next + adds_in_doubt_max);
    for (; invoice.next < end; ++invoice.next) {
      const std::uint32_t index = invoice.missing[invoice.next];
      const PlannedLine& line = plan(invoice).lines[index];
      batch.begin("add_item").text("cart_id", invoice.cart_id);
      batch.text("sku", import_.data.skus.text(line.sku)).number("quantity", line.quantity);
      batch.raw("unit_price", pounds(line.price));
      batch.key(fmt::format("or:{}:{}{}", number(invoice), index, invoice.add_mark))
          .minimal()
          .end();
      sent.emplace_back(&invoice, index);
    }
  }
  auto answers = sender_.send(batch);
  if (!answers) return answers.error();
  for (std::size_t i = 0; i < sent.size(); ++i)
    if ((*answers)[i].status >= 300)
      return wrong(*sent[i].first, sent[i].second, "add to a cart", (*answers)[i]);
  import_.count(sent.size(), 0);
  return Done{};
}

void OrderStage::confirm(Invoice& invoice, std::string order_id) {
  invoice.done = true;
  import_.order_ids[invoice.order] = std::move(order_id);
  ++import_.confirmed;
  import_.confirmed_lines += static_cast<std::int64_t>(plan(invoice).lines.size());
  import_.revenue_micros += plan(invoice).total.value;
}

Outcome<Done> OrderStage::check_out() {
  for (int attempt = 1;; ++attempt) {
    std::vector<Invoice*> waiting;
    for (Invoice& invoice : invoices_)
      if (!invoice.done) waiting.push_back(&invoice);
    if (waiting.empty()) return Done{};
    auto done = check_out_once(waiting);
    if (!done || waiting.empty()) return done;
    if (attempt == attempts_max)
      return Failure{ExitCode::refused, fmt::format("invoice {}: its order was rejected {} times",
                                                    number(*waiting.front()), attempts_max)};
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    // A rejected order leaves its cart open: the next try needs a key of its own.
    for (Invoice* invoice : waiting) {
      auto cart = look_at(*invoice);
      if (!cart) return cart.error();
      invoice->check_out_key = "or:" + number(*invoice) + ":checkout:" + (*cart)["version"].text();
    }
  }
}

/// Leaves in `waiting` those whose order was rejected for a passing reason.
Outcome<Done> OrderStage::check_out_once(std::vector<Invoice*>& waiting) {
  CommandBatch batch;
  for (const Invoice* invoice : waiting) {
    const RetailInvoice& head = import_.data.invoice[plan(*invoice).invoice];
    batch.begin("check_out").text("cart_id", invoice->cart_id);
    batch.raw("payment", "{\"method\":\"simulated\"}");
    if (const std::string& country = import_.data.countries.text(head.country); !country.empty())
      batch.raw("shipping_address", "{\"country\":" + json_string(country) + "}");
    batch.text("occurred_at", import_.time_of(plan(*invoice).invoice));
    batch.text("wait", "final").key(invoice->check_out_key).end();
  }
  auto answers = sender_.send(batch, "order_id");
  if (!answers) return answers.error();
  std::vector<Invoice*> rejected;
  for (std::size_t i = 0; i < waiting.size(); ++i) {
    auto answer = final_answer(*waiting[i], std::move((*answers)[i]));
    if (!answer) return answer.error();
    if (answer->code == "cart_closed") {  // another order of this cart is under way
      rejected.push_back(waiting[i]);
      continue;
    }
    if (answer->status >= 300 || answer->id.empty())
      return wrong(*waiting[i], 0, "check-out", *answer);
    if (answer->order_status == "rejected") {
      if (answer->code == "inactive_product" || answer->code == "payment_declined")
        return wrong(*waiting[i], 0, "check-out", *answer);
      rejected.push_back(waiting[i]);
    } else {
      confirm(*waiting[i], std::move(answer->id));
    }
  }
  waiting = std::move(rejected);
  return Done{};
}

/// Where the order is still pending, looks until it is not.
Outcome<BatchAnswer> OrderStage::final_answer(const Invoice& invoice, BatchAnswer answer) {
  const auto deadline = std::chrono::steady_clock::now() + final_within;
  while (answer.status < 300 && answer.order_status == "pending") {
    if (std::chrono::steady_clock::now() > deadline) return wrong(invoice, 0, "check-out", answer);
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    auto order = sender_.read("/v1/orders/" + answer.id);
    if (!order) return order.error();
    answer.order_status = (*order)["status"].text();
    answer.code = (*order)["reason"].text();
  }
  return answer;
}

/// Ships or delivers. An order that is further on already refuses with `illegal_state`.
Outcome<Done> OrderStage::step(const char* command, const char* key) {
  CommandBatch batch;
  for (const Invoice& invoice : invoices_)
    batch.begin(command)
        .text("order_id", import_.order_ids[invoice.order])
        .key(key)
        .minimal()
        .end();
  auto answers = sender_.send(batch);
  if (!answers) return answers.error();
  for (std::size_t i = 0; i < invoices_.size(); ++i) {
    const BatchAnswer& answer = (*answers)[i];
    if (answer.status < 300) continue;
    if (answer.code != "illegal_state") return wrong(invoices_[i], 0, command, answer);
    auto order = sender_.read("/v1/orders/" + import_.order_ids[invoices_[i].order]);
    if (!order) return order.error();
    const std::string& status = (*order)["status"].text();
    if (status != "shipped" && status != "delivered" && status != "returned" &&
        status != "cancelled")
      return wrong(invoices_[i], 0, command, answer);
  }
  return Done{};
}

}  // namespace

Outcome<Done> import_orders(RetailImport& import, BatchSender& sender, std::size_t first,
                            std::size_t last) {
  return OrderStage(import, sender).run(first, last);
}

}  // namespace souk::cli
