// The content without the numbers that rows have in this copy: a sum of the hashes of its rows, so
// that their order is no matter.
#include <string>

#include "events/ids.h"
#include "projections/analytics/store.h"

namespace souk::analytics {
namespace {

struct Part {
  const char* sql;
  int columns;
};

constexpr Part parts[] = {
    {"SELECT sku, name, brand, category, currency, price, active, on_hand, reserved, received, "
     "adjusted, sold, returned, expired FROM product_row",
     14},
    {"SELECT p.sku, d.day, d.on_hand, d.sold FROM stock_day_row d JOIN product_row p "
     "ON p.no=d.product",
     4},
    {"SELECT c.id, n.name, c.registered_at, c.erased, c.orders, c.first_order_at, "
     "c.last_order_at FROM customer_row c LEFT JOIN country_row n ON n.no=c.country",
     7},
    {"SELECT o.id, o.status, o.reason, o.cart, c.id, y.code, n.name, o.at, o.logged_at, "
     "o.confirmed_at, o.lines, o.quantity, o.value, o.returned, o.returned_quantity, o.refunded, "
     "o.rounding "
     "FROM order_row o JOIN currency_row y ON y.no=o.currency "
     "LEFT JOIN customer_row c ON c.no=o.customer LEFT JOIN country_row n ON n.no=o.own_country",
     17},
    {"SELECT o.id, l.line, p.sku, l.quantity, l.price, l.fixed FROM line_row l "
     "JOIN order_row o ON o.no=l.order_no JOIN product_row p ON p.no=l.product",
     6},
    {"SELECT o.id, r.number, r.at, r.value, r.restocked FROM return_row r "
     "JOIN order_row o ON o.no=r.order_no",
     5},
    {"SELECT o.id, r.number, r.at, r.amount FROM refund_row r JOIN order_row o ON o.no=r.order_no",
     4},
    {"SELECT o.id, l.number, l.position, p.sku, l.quantity, l.price FROM return_line_row l "
     "JOIN order_row o ON o.no=l.order_no JOIN product_row p ON p.no=l.product",
     6},
    {"SELECT t.id, t.status, c.id, t.currency, t.opened_at, t.filled_at, t.checked_out_at, "
     "t.paid_at, t.touched_at, t.line_count, t.quantity, t.value FROM cart_row t "
     "LEFT JOIN customer_row c ON c.no=t.customer",
     12},
    {"SELECT day, opened, filled, checked_out, paid, fill_ms, check_out_ms, pay_ms "
     "FROM funnel_row",
     8},
    {"SELECT r.dim, r.level, y.code, r.bucket, CASE WHEN r.dim IN (1,5) THEN "
     "(SELECT sku FROM product_row WHERE no=r.key) WHEN r.dim=2 THEN "
     "(SELECT name FROM country_row WHERE no=r.key) WHEN r.dim=3 THEN "
     "(SELECT id FROM customer_row WHERE no=r.key) ELSE r.key END, "
     "r.orders, r.lines, r.quantity, r.revenue+r.revenue_micros/1000000, "
     "r.revenue_micros%1000000, r.returned+r.returned_micros/1000000, r.returned_micros%1000000, "
     "r.refunded+r.refunded_micros/1000000, r.refunded_micros%1000000, "
     "r.rounding+r.rounding_micros/1000000, r.rounding_micros%1000000 "
     "FROM rollup_row r JOIN currency_row y ON y.no=r.currency WHERE r.orders<>0 OR r.lines<>0 "
     "OR r.quantity<>0 OR r.revenue+r.revenue_micros/1000000<>0 OR r.revenue_micros%1000000<>0 "
     "OR r.returned+r.returned_micros/1000000<>0 OR r.returned_micros%1000000<>0 "
     "OR r.refunded+r.refunded_micros/1000000<>0 OR r.refunded_micros%1000000<>0 "
     "OR r.rounding+r.rounding_micros/1000000<>0 OR r.rounding_micros%1000000<>0",
     16},
};

void append_column(std::string& row, const Statement& query, int column) {
  if (query.null(column)) {
    row += 'n';
    return;
  }
  const std::string_view text = query.text(column);
  row += std::to_string(text.size());
  row += ':';
  row += text;
}

}  // namespace

std::uint64_t digest_of(const Database& database) {
  std::uint64_t digest = 0;
  std::string row;
  for (const Part& part : parts) {
    Statement query(database, part.sql);
    while (query.step()) {
      row.assign(part.sql, 24);
      for (int column = 0; column < part.columns; ++column) append_column(row, query, column);
      digest += stable_hash(row);
    }
  }
  // What carts hold, by SKU.
  Statement lines(database, "SELECT t.id, t.lines FROM cart_row t WHERE t.line_count>0");
  Statement sku(database, "SELECT sku FROM product_row WHERE no=?1");
  while (lines.step()) {
    row = "cart";
    append_column(row, lines, 0);
    for (const LineRow& line : unpack_lines(lines.bytes(1))) {
      sku.bind(line.product);
      if (sku.step()) append_column(row, sku, 0);
      sku.reset();
      row += std::to_string(line.quantity) + '/' + std::to_string(line.price) + '/' +
             std::to_string(line.fixed) + ';';
    }
    digest += stable_hash(row);
  }
  return digest;
}

}  // namespace souk::analytics
