#include "projections/analytics/store.h"

#include <sqlite3.h>

#include <algorithm>
#include <cstring>

namespace souk::analytics {
namespace {

// Beyond this many rows in memory all are forgotten after a commit, and come back when needed.
constexpr std::size_t cached_rows_max = 100'000;

static_assert(sizeof(LineRow) == 32);  // as carts store them

std::optional<std::int64_t> optional_integer(const Statement& row, int column) {
  if (row.null(column)) return std::nullopt;
  return row.integer(column);
}

template <class Key, class R>
void list(Cache<Key, R>& cache, const Key& key, R& row) {
  if (row.dirty) return;
  row.dirty = true;
  cache.changed.emplace_back(&cache.rows.find(key)->first, &row);
}

template <class Key, class R>
void written(Cache<Key, R>& cache) {
  for (auto& [key, row] : cache.changed) row->dirty = false;
  cache.changed.clear();
}

template <class Key, class R>
void forget_many(Cache<Key, R>& cache) {
  if (cache.rows.size() > cached_rows_max) cache.rows.clear();
}

}  // namespace

std::filesystem::path database_path(const std::filesystem::path& folder) {
  return folder / "analytics.sqlite";
}

std::string pack_lines(const std::vector<LineRow>& lines) {
  std::string bytes(lines.size() * sizeof(LineRow), '\0');
  if (!lines.empty()) std::memcpy(bytes.data(), lines.data(), bytes.size());
  return bytes;
}

std::vector<LineRow> unpack_lines(std::string_view bytes) {
  std::vector<LineRow> lines(bytes.size() / sizeof(LineRow));
  if (!lines.empty()) std::memcpy(lines.data(), bytes.data(), lines.size() * sizeof(LineRow));
  return lines;
}

std::string pack_products(const std::vector<std::int64_t>& products) {
  std::string bytes;
  bytes.reserve(products.size() * 4);
  for (const std::int64_t product : products) {
    for (int i = 0; i < 4; ++i) bytes.push_back(static_cast<char>(product >> (8 * i) & 0xFF));
  }
  return bytes;
}

struct Store::Statements {
  explicit Statements(const Database& db)
      : get_product(db,
                    "SELECT no,on_hand,reserved,received,adjusted,sold,returned,expired,active "
                    "FROM product_row WHERE sku=?1"),
        get_customer(db,
                     "SELECT no,country,registered_at,erased,orders,first_order_at,last_order_at "
                     "FROM customer_row WHERE id=?1"),
        get_order(db,
                  "SELECT o.no,o.status,o.reason,o.cart,c.id,o.customer,y.code,o.currency,"
                  "o.own_country,o.at,o.logged_at,o.confirmed_at,o.lines,o.quantity,o.value,"
                  "o.returned,o.returned_quantity FROM order_row o JOIN currency_row y "
                  "ON y.no=o.currency LEFT JOIN customer_row c ON c.no=o.customer WHERE o.id=?1"),
        get_lines(db,
                  "SELECT product,quantity,price,fixed FROM line_row WHERE order_no=?1 "
                  "ORDER BY line"),
        get_cart(db,
                 "SELECT no,status,customer,currency,opened_at,filled_at,checked_out_at,paid_at,"
                 "touched_at,lines FROM cart_row WHERE id=?1"),
        put_currency(db,
                     "INSERT INTO currency_row VALUES(?1,?2,?3,?4) ON CONFLICT(no) DO UPDATE SET "
                     "value=excluded.value,pieces=excluded.pieces"),
        put_country(db, "INSERT INTO country_row VALUES(?1,?2)"),
        put_product(
            db,
            "INSERT INTO product_row(no,sku,on_hand,reserved,received,adjusted,sold,"
            "returned,expired,active) VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10) "
            "ON CONFLICT(no) DO UPDATE SET "
            "on_hand=excluded.on_hand,reserved=excluded.reserved,received=excluded.received,"
            "adjusted=excluded.adjusted,sold=excluded.sold,returned=excluded.returned,"
            "expired=excluded.expired,active=excluded.active"),
        name_product(db,
                     "UPDATE product_row SET name=?2,brand=?3,category=?4,currency=?5,price=?6 "
                     "WHERE no=?1"),
        put_customer(db,
                     "INSERT INTO customer_row VALUES(?1,?2,?3,?4,?5,?6,?7,?8) "
                     "ON CONFLICT(no) DO UPDATE SET country=excluded.country,"
                     "registered_at=excluded.registered_at,erased=excluded.erased,"
                     "orders=excluded.orders,first_order_at=excluded.first_order_at,"
                     "last_order_at=excluded.last_order_at"),
        put_order(db,
                  "INSERT INTO order_row VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,"
                  "?15,?16) ON CONFLICT(no) DO UPDATE SET status=excluded.status,"
                  "reason=excluded.reason,confirmed_at=excluded.confirmed_at,"
                  "returned=excluded.returned,returned_quantity=excluded.returned_quantity"),
        put_line(db, "INSERT INTO line_row VALUES(?1,?2,?3,?4,?5,?6)"),
        put_return(db, "INSERT OR REPLACE INTO return_row VALUES(?1,?2,?3,?4,?5)"),
        put_return_line(db, "INSERT OR REPLACE INTO return_line_row VALUES(?1,?2,?3,?4,?5,?6)"),
        put_cart(db,
                 "INSERT INTO cart_row VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14) "
                 "ON CONFLICT(no) DO UPDATE SET status=excluded.status,currency=excluded.currency,"
                 "filled_at=excluded.filled_at,checked_out_at=excluded.checked_out_at,"
                 "paid_at=excluded.paid_at,touched_at=excluded.touched_at,"
                 "line_count=excluded.line_count,quantity=excluded.quantity,value=excluded.value,"
                 "lines=excluded.lines"),
        put_funnel(db,
                   "INSERT INTO funnel_row VALUES(?1,?2,?3,?4,?5,?6,?7,?8) ON CONFLICT(day) DO "
                   "UPDATE SET opened=opened+excluded.opened,filled=filled+excluded.filled,"
                   "checked_out=checked_out+excluded.checked_out,paid=paid+excluded.paid,"
                   "fill_ms=fill_ms+excluded.fill_ms,"
                   "check_out_ms=check_out_ms+excluded.check_out_ms,pay_ms=pay_ms+excluded.pay_ms"),
        put_stock(db,
                  "INSERT INTO stock_day_row VALUES(?1,?2,?3,?4) ON CONFLICT(product,day) DO "
                  "UPDATE SET on_hand=excluded.on_hand,sold=sold+excluded.sold"),
        put_rollup(db,
                   "INSERT INTO rollup_row VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10) "
                   "ON CONFLICT(dim,level,currency,bucket,key) DO UPDATE SET "
                   "orders=orders+excluded.orders,lines=lines+excluded.lines,"
                   "quantity=quantity+excluded.quantity,revenue=revenue+excluded.revenue,"
                   "returned=returned+excluded.returned"),
        put_basket(db, "INSERT INTO basket_row(products) VALUES(?1)"),
        put_checkpoint(db, "INSERT OR REPLACE INTO meta VALUES('checkpoint',?1)"),
        orders_of(db,
                  "SELECT currency,at,lines,quantity,value,no,confirmed_at IS NOT NULL "
                  "FROM order_row WHERE customer=?1 AND customer>0 AND own_country=0"),
        returns_of(db, "SELECT at,value FROM return_row WHERE order_no=?1") {}

  Statement get_product, get_customer, get_order, get_lines, get_cart;
  Statement put_currency, put_country, put_product, name_product, put_customer, put_order, put_line,
      put_return, put_return_line, put_cart, put_funnel, put_stock, put_rollup, put_basket,
      put_checkpoint;
  Statement orders_of, returns_of;
};

namespace {

void make_tables(Database& database) {
  // NORMAL: a commit is whole after a kill of the process; after a power cut an older one stands.
  database.exec(
      "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-65536;"
      "PRAGMA wal_autocheckpoint=4000; PRAGMA temp_store=MEMORY; PRAGMA trusted_schema=OFF");
  Statement version(database, "PRAGMA user_version");
  version.step();
  const std::int64_t found = version.integer(0);
  version.reset();
  if (found == schema_version) return;
  if (found != 0)
    throw SqliteError{SQLITE_CORRUPT, "analytics: the tables are of version " +
                                          std::to_string(found) + ", not " +
                                          std::to_string(schema_version)};
  const std::string all = std::string("BEGIN;") + create_sql + view_sql +
                          "PRAGMA user_version=" + std::to_string(schema_version) + ";COMMIT";
  database.exec(all.c_str());
}

std::int64_t last_no(const Database& database, const char* table) {
  Statement query(database, std::string("SELECT coalesce(max(no),0) FROM ") + table);
  query.step();
  return query.integer(0);
}

}  // namespace

Store::Store(const std::filesystem::path& file) : file_(file), database_(file, Access::read_write) {
  make_tables(database_);
  sql_ = std::make_unique<Statements>(database_);
  Statement saved(database_, "SELECT value FROM meta WHERE key='checkpoint'");
  if (saved.step()) checkpoint_ = saved.bytes(0);
  currencies_.last_no = last_no(database_, "currency_row");
  countries_.last_no = last_no(database_, "country_row");
  products_.last_no = last_no(database_, "product_row");
  customers_.last_no = last_no(database_, "customer_row");
  orders_.last_no = last_no(database_, "order_row");
  carts_.last_no = last_no(database_, "cart_row");
  // Few and always wanted: never forgotten.
  Statement codes(database_, "SELECT no,code,value,pieces FROM currency_row");
  while (codes.step()) {
    CurrencyRow& row = currencies_.rows[std::string(codes.text(1))];
    row.no = codes.integer(0);
    row.value = codes.integer(2);
    row.pieces = codes.integer(3);
  }
  Statement names(database_, "SELECT no,name FROM country_row");
  while (names.step()) countries_.rows[std::string(names.text(1))].no = names.integer(0);
}

Store::~Store() = default;

// ---- taking rows ----

CurrencyRow& Store::currency(const Currency& currency) {
  const std::string code(currency.text());
  const auto [at, fresh] = currencies_.rows.try_emplace(code);
  if (fresh) {
    at->second.no = ++currencies_.last_no;
    list(currencies_, code, at->second);
  }
  return at->second;
}

std::int64_t Store::country(std::string_view name) {
  if (name.empty()) return 0;
  const std::string text(name);
  const auto [at, fresh] = countries_.rows.try_emplace(text);
  if (fresh) {
    at->second.no = ++countries_.last_no;
    list(countries_, text, at->second);
  }
  return at->second.no;
}

ProductRow& Store::product(const Sku& sku) {
  const auto found = products_.rows.find(sku);
  if (found != products_.rows.end()) return found->second;
  ProductRow row;
  Statement& get = sql_->get_product.bind(std::string_view(sku.text()));
  const bool there = get.step();
  if (there) {
    row.no = get.integer(0);
    row.on_hand = get.integer(1);
    row.reserved = get.integer(2);
    row.received = get.integer(3);
    row.adjusted = get.integer(4);
    row.sold = get.integer(5);
    row.returned = get.integer(6);
    row.expired = get.integer(7);
    row.active = get.integer(8) != 0;
  } else {
    row.no = ++products_.last_no;
  }
  get.reset();
  ProductRow& kept = products_.rows.emplace(sku, std::move(row)).first->second;
  if (!there) list(products_, sku, kept);
  return kept;
}

CustomerRow& Store::customer(const UserId& user) {
  const auto found = customers_.rows.find(user);
  if (found != customers_.rows.end()) return found->second;
  CustomerRow row;
  const std::string id = user.text();
  Statement& get = sql_->get_customer.bind(std::string_view(id));
  const bool there = get.step();
  if (there) {
    row.no = get.integer(0);
    row.country = get.integer(1);
    row.registered_at = optional_integer(get, 2);
    row.erased = get.integer(3) != 0;
    row.orders = get.integer(4);
    row.first_order_at = optional_integer(get, 5);
    row.last_order_at = optional_integer(get, 6);
    row.has_orders = true;
  } else {
    row.no = ++customers_.last_no;
  }
  get.reset();
  CustomerRow& kept = customers_.rows.emplace(user, row).first->second;
  if (!there) list(customers_, user, kept);
  return kept;
}

OrderRow* Store::find_order(const OrderId& order) {
  const auto found = orders_.rows.find(order);
  if (found != orders_.rows.end()) return &found->second;
  const std::string id = order.text();
  Statement& get = sql_->get_order.bind(std::string_view(id));
  if (!get.step()) {
    get.reset();
    return nullptr;
  }
  OrderRow row;
  row.no = get.integer(0);
  row.status = static_cast<OrderStage>(get.integer(1));
  row.reason = static_cast<int>(get.integer(2));
  row.cart = get.text(3);
  if (!get.null(4)) row.user = UserId::parse(get.text(4));
  row.customer = get.integer(5);
  row.currency = Currency::parse(get.text(6)).value_or(Currency{});
  row.currency_no = get.integer(7);
  row.own_country = get.integer(8);
  row.at = get.integer(9);
  row.logged_at = get.integer(10);
  row.confirmed_at = optional_integer(get, 11);
  row.line_count = get.integer(12);
  row.quantity = get.integer(13);
  row.value = get.integer(14);
  row.returned = get.integer(15);
  row.returned_quantity = get.integer(16);
  get.reset();
  return &orders_.rows.emplace(order, std::move(row)).first->second;
}

OrderRow& Store::new_order(const OrderId& order) {
  OrderRow& row = orders_.rows[order];
  row = OrderRow{};
  row.no = ++orders_.last_no;
  row.fresh = row.lines_known = true;
  list(orders_, order, row);
  return row;
}

const std::vector<LineRow>& Store::lines_of(OrderRow& order) {
  if (order.lines_known) return order.lines;
  order.lines.clear();
  Statement& get = sql_->get_lines.bind(order.no);
  while (get.step())
    order.lines.push_back({.product = get.integer(0),
                           .quantity = get.integer(1),
                           .price = get.integer(2),
                           .fixed = get.integer(3)});
  get.reset();
  order.lines_known = true;
  return order.lines;
}

CartRow* Store::find_cart(const CartId& cart) {
  const auto found = carts_.rows.find(cart);
  if (found != carts_.rows.end()) return &found->second;
  const std::string id = cart.text();
  Statement& get = sql_->get_cart.bind(std::string_view(id));
  if (!get.step()) {
    get.reset();
    return nullptr;
  }
  CartRow row;
  row.no = get.integer(0);
  row.status = static_cast<CartStage>(get.integer(1));
  row.customer = get.integer(2);
  row.currency = Currency::parse(get.text(3)).value_or(Currency{});
  row.opened_at = get.integer(4);
  row.filled_at = optional_integer(get, 5);
  row.checked_out_at = optional_integer(get, 6);
  row.paid_at = optional_integer(get, 7);
  row.touched_at = get.integer(8);
  row.lines = unpack_lines(get.bytes(9));
  get.reset();
  return &carts_.rows.emplace(cart, std::move(row)).first->second;
}

CartRow& Store::new_cart(const CartId& cart) {
  CartRow& row = carts_.rows[cart];
  row = CartRow{};
  row.no = ++carts_.last_no;
  list(carts_, cart, row);
  return row;
}

void Store::changed(const Currency& currency, CurrencyRow& row) {
  list(currencies_, std::string(currency.text()), row);
}
void Store::changed(const Sku& sku, ProductRow& row) { list(products_, sku, row); }
void Store::changed(const UserId& user, CustomerRow& row) { list(customers_, user, row); }
void Store::changed(const OrderId& order, OrderRow& row) { list(orders_, order, row); }
void Store::changed(const CartId& cart, CartRow& row) { list(carts_, cart, row); }

void Store::add_basket(const std::vector<std::int64_t>& products) {
  baskets_.push_back(pack_products(products));
}

void Store::move_country(const CustomerRow& customer, std::int64_t from, std::int64_t to) {
  flush();
  const auto move = [&](std::int64_t currency, std::int64_t at, const Sums& sums) {
    for (const Level level : {Level::all, Level::month, Level::day}) {
      RollupKey key{Dimension::country, level, currency, bucket_of(level, at), from};
      add(key, -sums);
      key.key = to;
      add(key, sums);
    }
  };
  Statement& orders = sql_->orders_of.bind(customer.no);
  while (orders.step()) {
    const std::int64_t currency = orders.integer(0);
    if (orders.integer(6) != 0)
      move(currency, orders.integer(1),
           {.orders = 1,
            .lines = orders.integer(2),
            .quantity = orders.integer(3),
            .revenue = orders.integer(4)});
    Statement& returns = sql_->returns_of.bind(orders.integer(5));
    while (returns.step()) move(currency, returns.integer(0), {.returned = returns.integer(1)});
    returns.reset();
  }
  orders.reset();
}

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
    sql_->put_currency.bind(row->no, std::string_view(*code), row->value, row->pieces).run();
  written(currencies_);
  for (const auto& [name, row] : countries_.changed)
    sql_->put_country.bind(row->no, std::string_view(*name)).run();
  written(countries_);
}

void Store::flush_products() {
  for (const auto& [sku, row] : products_.changed) {
    sql_->put_product
        .bind(row->no, std::string_view(sku->text()), row->on_hand, row->reserved, row->received,
              row->adjusted, row->sold, row->returned, row->expired, row->active)
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
  for (const auto& [key, day] : stock_)
    sql_->put_stock.bind(key.first, key.second, day.on_hand, day.sold).run();
  stock_.clear();
}

void Store::flush_customers() {
  for (const auto& [user, row] : customers_.changed) {
    const std::string id = user->text();
    sql_->put_customer
        .bind(row->no, std::string_view(id), row->country, row->registered_at, row->erased,
              row->orders, row->first_order_at, row->last_order_at)
        .run();
  }
  written(customers_);
}

void Store::flush_orders() {
  for (const auto& [order, row] : orders_.changed) {
    const std::string id = order->text();
    std::optional<std::string_view> cart;
    if (!row->cart.empty()) cart = row->cart;
    sql_->put_order
        .bind(row->no, std::string_view(id), static_cast<int>(row->status), row->reason, cart,
              row->customer, row->currency_no, row->own_country, row->at, row->logged_at,
              row->confirmed_at, row->line_count, row->quantity, row->value, row->returned,
              row->returned_quantity)
        .run();
    if (!row->fresh) continue;
    std::int64_t number = 0;
    for (const LineRow& line : row->lines)
      sql_->put_line.bind(row->no, number++, line.product, line.quantity, line.price, line.fixed)
          .run();
    row->fresh = false;
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
  for (const std::string& basket : baskets_) sql_->put_basket.bind(Blob{basket}).run();
  baskets_.clear();
}

void Store::flush_carts() {
  for (const auto& [cart, row] : carts_.changed) {
    const std::string id = cart->text();
    const std::string lines = pack_lines(row->lines);
    // Wraps as the cart's own total does on its way; what comes out was checked when decided.
    std::uint64_t value = 0;
    std::int64_t quantity = 0;
    for (const LineRow& line : row->lines) {
      value += static_cast<std::uint64_t>(line.price) * static_cast<std::uint64_t>(line.quantity);
      quantity += line.quantity;
    }
    sql_->put_cart
        .bind(row->no, std::string_view(id), static_cast<int>(row->status), row->customer,
              row->currency.text(), row->opened_at, row->filled_at, row->checked_out_at,
              row->paid_at, row->touched_at, row->lines.size(), quantity,
              static_cast<std::int64_t>(value), Blob{lines})
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
  for (const auto& [key, sums] : sorted)
    sql_->put_rollup
        .bind(static_cast<int>(key.dim), static_cast<int>(key.level), key.currency, key.bucket,
              key.key, sums.orders, sums.lines, sums.quantity, sums.revenue, sums.returned)
        .run();
  rollups_.clear();
}

void Store::commit(std::string_view checkpoint) {
  flush();
  sql_->put_checkpoint.bind(Blob{checkpoint}).run();
  database_.exec("COMMIT");
  in_transaction_ = false;
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
