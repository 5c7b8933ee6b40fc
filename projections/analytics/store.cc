#include "projections/analytics/store.h"

#include <sqlite3.h>

#include "projections/analytics/store_statements.h"

namespace souk::analytics {
namespace {

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

}  // namespace

std::filesystem::path database_path(const std::filesystem::path& folder) {
  return folder / "analytics.sqlite";
}

namespace {

/// Seven bits a byte, the lowest first; small numbers of either sign are short.
void put_number(std::string& out, std::int64_t number) {
  auto left = static_cast<std::uint64_t>(number) << 1 ^ static_cast<std::uint64_t>(number >> 63);
  for (; left >= 0x80; left >>= 7) out.push_back(static_cast<char>(left | 0x80));
  out.push_back(static_cast<char>(left));
}
std::int64_t take_number(std::string_view& bytes) {
  std::uint64_t read = 0;
  for (unsigned shift = 0; shift < 64; shift += 7) {
    if (bytes.empty())
      throw SqliteError{SQLITE_CORRUPT, "analytics: the lines of a cart end early"};
    const auto byte = static_cast<unsigned char>(bytes.front());
    bytes.remove_prefix(1);
    read |= std::uint64_t{byte & 0x7FU} << shift;
    if (byte < 0x80) break;
  }
  return static_cast<std::int64_t>(read >> 1) ^ -static_cast<std::int64_t>(read & 1);
}

}  // namespace

std::string pack_lines(const std::vector<LineRow>& lines) {
  std::string bytes;
  bytes.reserve(lines.size() * 8);
  for (const LineRow& line : lines) {
    put_number(bytes, line.product);
    put_number(bytes, line.quantity);
    put_number(bytes, line.price);
    put_number(bytes, line.fixed);
  }
  return bytes;
}

std::vector<LineRow> unpack_lines(std::string_view bytes) {
  std::vector<LineRow> lines;
  while (!bytes.empty()) {
    LineRow& line = lines.emplace_back();
    line.product = take_number(bytes);
    line.quantity = take_number(bytes);
    line.price = take_number(bytes);
    line.fixed = take_number(bytes);
  }
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

namespace {

void make_tables(Database& database) {
  // NORMAL: a commit is whole after a kill of the process; after a power cut an older one stands.
  database.exec(
      "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-65536;"
      "PRAGMA wal_autocheckpoint=1000; PRAGMA temp_store=MEMORY; PRAGMA trusted_schema=OFF");
  Statement version(database, "PRAGMA user_version");
  version.step();
  const std::int64_t found = version.integer(0);
  version.reset();
  if (found == schema_version) return;
  if (found != 0)
    throw SqliteError{other_version, "analytics: the tables are of version " +
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

Store::Store(const std::filesystem::path& file)
    : file_(file), database_(file, Access::read_write), log_(file.string() + "-wal") {
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
  Statement codes(database_, "SELECT no,code FROM currency_row");
  while (codes.step()) currencies_.rows[std::string(codes.text(1))].no = codes.integer(0);
  Statement names(database_, "SELECT no,name FROM country_row");
  while (names.step()) countries_.rows[std::string(names.text(1))].no = names.integer(0);
}

Store::~Store() = default;

// ---- taking rows ----

std::int64_t Store::currency(const Currency& currency) {
  const std::string code(currency.text());
  const auto [at, fresh] = currencies_.rows.try_emplace(code);
  if (fresh) {
    at->second.no = ++currencies_.last_no;
    list(currencies_, at->first, at->second);
  }
  return at->second.no;
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
    row.fresh = true;
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
    row.fresh = true;
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
  row.refunded = get.integer(17);
  row.rounding = get.integer(18);
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
  row.fresh = true;
  list(carts_, cart, row);
  return row;
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
            .revenue = Micros{orders.integer(4)},
            .rounding = Micros{orders.integer(7)}});
    Statement& returns = sql_->returns_of.bind(orders.integer(5));
    while (returns.step())
      move(currency, returns.integer(0), {.returned = Micros{returns.integer(1)}});
    returns.reset();
    Statement& refunds = sql_->refunds_of.bind(orders.integer(5));
    while (refunds.step())
      move(currency, refunds.integer(0), {.refunded = Micros{refunds.integer(1)}});
    refunds.reset();
  }
  orders.reset();
}

}  // namespace souk::analytics
