// What changed goes into the database.
#include <algorithm>

#include "projections/analytics/store_statements.h"

namespace souk::analytics {
namespace {

// Beyond this many rows in memory all are forgotten after a commit, and come back when needed.
constexpr std::size_t cached_rows_max = 100'000;

template <class Key, class R>
void written(Cache<Key, R>& cache) {
  for (auto& [key, row] : cache.changed) row->dirty = row->fresh = false;
  cache.changed.clear();
}

template <class Key, class R>
void forget_many(Cache<Key, R>& cache) {
  if (cache.rows.size() > cached_rows_max) cache.rows.clear();
}

}  // namespace

// ---- writing ----

void Store::begin() {
  if (in_transaction_) return;
  database_.exec("BEGIN IMMEDIATE");
  in_transaction_ = true;
}

void Store::flush() {
  begin();
  flush_names();
  flush_products();
  flush_customers();
  flush_orders();
  flush_carts();
  flush_sums();
}

void Store::flush_names() {
  for (const auto& [code, row] : currencies_.changed)
    sql_->put_currency.bind(row->no, std::string_view(*code)).run();
  written(currencies_);
  for (const auto& [name, row] : countries_.changed)
    sql_->put_country.bind(row->no, std::string_view(*name)).run();
  written(countries_);
}

void Store::flush_products() {
  for (const auto& [sku, row] : products_.changed) {
    if (row->fresh) sql_->new_product.bind(row->no, std::string_view(sku->text())).run();
    sql_->put_product
        .bind(row->no, row->on_hand, row->reserved, row->received, row->adjusted, row->sold,
              row->returned, row->expired, row->active)
        .run();
    if (!row->defined_now) continue;
    sql_->name_product
        .bind(row->no, std::string_view(row->name), std::string_view(row->brand),
              std::string_view(row->category), row->price.currency.text(), row->price.amount.value)
        .run();
    row->defined_now = false;
    row->name = row->brand = row->category = std::string();
  }
  written(products_);
  for (const auto& [key, day] : stock_) {
    sql_->put_stock.bind(key.first, key.second, day.on_hand, day.sold).run();
    if (database_.changes() == 0)
      sql_->new_stock.bind(key.first, key.second, day.on_hand, day.sold).run();
  }
  stock_.clear();
}

void Store::flush_customers() {
  for (const auto& [user, row] : customers_.changed) {
    if (row->fresh)
      sql_->new_customer
          .bind(row->no, std::string_view(user->text()), row->country, row->registered_at,
                row->erased, row->orders, row->first_order_at, row->last_order_at)
          .run();
    else
      sql_->put_customer
          .bind(row->no, row->country, row->registered_at, row->erased, row->orders,
                row->first_order_at, row->last_order_at)
          .run();
  }
  written(customers_);
}

void Store::flush_orders() {
  for (const auto& [order, row] : orders_.changed) {
    if (!row->fresh) {
      sql_->put_order
          .bind(row->no, static_cast<int>(row->status), row->reason, row->confirmed_at,
                row->returned, row->returned_quantity, row->refunded)
          .run();
      continue;
    }
    const std::string id = order->text();
    std::optional<std::string_view> cart;
    if (!row->cart.empty()) cart = row->cart;
    sql_->new_order
        .bind(row->no, std::string_view(id), static_cast<int>(row->status), row->reason, cart,
              row->customer, row->currency_no, row->own_country, row->at, row->logged_at,
              row->confirmed_at, row->line_count, row->quantity, row->value, row->returned,
              row->returned_quantity, row->refunded, row->rounding)
        .run();
    std::int64_t number = 0;
    for (const LineRow& line : row->lines)
      sql_->put_line.bind(row->no, number++, line.product, line.quantity, line.price, line.fixed)
          .run();
  }
  written(orders_);
  for (const ReturnRow& row : returns_) {
    sql_->put_return.bind(row.order_no, row.number, row.at, row.value, row.restocked).run();
    std::int64_t position = 0;
    for (const LineRow& line : row.lines)
      sql_->put_return_line
          .bind(row.order_no, row.number, position++, line.product, line.quantity, line.price)
          .run();
  }
  returns_.clear();
  for (const RefundRow& row : refunds_)
    sql_->put_refund.bind(row.order_no, row.number, row.at, row.amount).run();
  refunds_.clear();
  for (const std::string& basket : baskets_) sql_->put_basket.bind(Blob{basket}).run();
  baskets_.clear();
}

void Store::flush_carts() {
  for (const auto& [cart, row] : carts_.changed) {
    const std::string lines = pack_lines(row->lines);
    // Wraps as the cart's own total does on its way; what comes out was checked when decided.
    std::uint64_t value = 0;
    std::int64_t quantity = 0;
    for (const LineRow& line : row->lines) {
      value += static_cast<std::uint64_t>(line.price) * static_cast<std::uint64_t>(line.quantity);
      quantity += line.quantity;
    }
    const auto worth = static_cast<std::int64_t>(value);
    if (row->fresh)
      sql_->new_cart
          .bind(row->no, std::string_view(cart->text()), static_cast<int>(row->status),
                row->customer, row->currency.text(), row->opened_at, row->filled_at,
                row->checked_out_at, row->paid_at, row->touched_at, row->lines.size(), quantity,
                worth, Blob{lines})
          .run();
    else
      sql_->put_cart
          .bind(row->no, static_cast<int>(row->status), row->currency.text(), row->filled_at,
                row->checked_out_at, row->paid_at, row->touched_at, row->lines.size(), quantity,
                worth, Blob{lines})
          .run();
  }
  written(carts_);
}

void Store::flush_sums() {
  for (const auto& [day, row] : funnel_)
    sql_->put_funnel
        .bind(day, row.opened, row.filled, row.checked_out, row.paid, row.fill_ms, row.check_out_ms,
              row.pay_ms)
        .run();
  funnel_.clear();
  // In the order of the table, so that neighbours are written while their page is at hand.
  std::vector<std::pair<RollupKey, Sums>> sorted(rollups_.begin(), rollups_.end());
  std::ranges::sort(sorted, {}, [](const auto& entry) { return entry.first; });
  const auto run = [](Statement& statement, const RollupKey& key, const Sums& sums) {
    statement
        .bind(static_cast<int>(key.dim), static_cast<int>(key.level), key.currency, key.bucket,
              key.key, sums.orders, sums.lines, sums.quantity, sums.revenue.units(),
              sums.revenue.millionths(), sums.returned.units(), sums.returned.millionths(),
              sums.refunded.units(), sums.refunded.millionths(), sums.rounding.units(),
              sums.rounding.millionths())
        .run();
  };
  // Most are there already, and to ask so first would be to look twice.
  for (const auto& [key, sums] : sorted) {
    run(sql_->put_rollup, key, sums);
    if (database_.changes() == 0) run(sql_->new_rollup, key, sums);
  }
  rollups_.clear();
}

void Store::commit(std::string_view checkpoint) {
  flush();
  sql_->put_checkpoint.bind(Blob{checkpoint}).run();
  database_.exec("COMMIT");
  in_transaction_ = false;
  log_.run();
  checkpoint_ = checkpoint;
  forget();
}

void Store::forget() {
  forget_many(products_);
  forget_many(customers_);
  forget_many(orders_);
  forget_many(carts_);
}

}  // namespace souk::analytics
