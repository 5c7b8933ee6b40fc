#include "projections/analytics/schema.h"

namespace souk::analytics {

// Amounts are 64-bit millionths; sums of amounts are whole units and, beside them, millionths, each
// a sum of its own: what many orders are worth need not fit 64 bits of millionths. Times are
// milliseconds since 1970. `no` counts the rows of this copy: another interleaving of the shards
// gives other numbers, so none may show outside.
const char* const create_sql = R"sql(
CREATE TABLE meta(key TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE currency_row(no INTEGER PRIMARY KEY, code TEXT NOT NULL UNIQUE);
CREATE TABLE country_row(no INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE product_row(no INTEGER PRIMARY KEY, sku TEXT NOT NULL UNIQUE,
  name TEXT, brand TEXT, category TEXT, currency TEXT, price INTEGER, active INTEGER,
  on_hand INTEGER NOT NULL, reserved INTEGER NOT NULL, received INTEGER NOT NULL,
  adjusted INTEGER NOT NULL, sold INTEGER NOT NULL, returned INTEGER NOT NULL,
  expired INTEGER NOT NULL);
CREATE TABLE stock_day_row(product INTEGER NOT NULL, day INTEGER NOT NULL,
  on_hand INTEGER NOT NULL, sold INTEGER NOT NULL, PRIMARY KEY(product, day)) WITHOUT ROWID;
CREATE TABLE customer_row(no INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, country INTEGER NOT NULL,
  registered_at INTEGER, erased INTEGER NOT NULL, orders INTEGER NOT NULL,
  first_order_at INTEGER, last_order_at INTEGER);
CREATE TABLE order_row(no INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, status INTEGER NOT NULL,
  reason INTEGER NOT NULL, cart TEXT, customer INTEGER NOT NULL, currency INTEGER NOT NULL,
  own_country INTEGER NOT NULL, at INTEGER NOT NULL, logged_at INTEGER NOT NULL,
  confirmed_at INTEGER, lines INTEGER NOT NULL, quantity INTEGER NOT NULL, value INTEGER NOT NULL,
  returned INTEGER NOT NULL, returned_quantity INTEGER NOT NULL, refunded INTEGER NOT NULL,
  rounding INTEGER NOT NULL);
CREATE INDEX order_at ON order_row(at);
CREATE INDEX order_customer ON order_row(customer) WHERE customer > 0;
CREATE TABLE line_row(order_no INTEGER NOT NULL, line INTEGER NOT NULL, product INTEGER NOT NULL,
  quantity INTEGER NOT NULL, price INTEGER NOT NULL, fixed INTEGER NOT NULL,
  PRIMARY KEY(order_no, line)) WITHOUT ROWID;
CREATE TABLE return_row(order_no INTEGER NOT NULL, number INTEGER NOT NULL, at INTEGER NOT NULL,
  value INTEGER NOT NULL, restocked INTEGER NOT NULL, PRIMARY KEY(order_no, number)) WITHOUT ROWID;
CREATE INDEX return_at ON return_row(at);
CREATE TABLE return_line_row(order_no INTEGER NOT NULL, number INTEGER NOT NULL,
  position INTEGER NOT NULL, product INTEGER NOT NULL, quantity INTEGER NOT NULL,
  price INTEGER NOT NULL, PRIMARY KEY(order_no, number, position)) WITHOUT ROWID;
CREATE TABLE refund_row(order_no INTEGER NOT NULL, number INTEGER NOT NULL, at INTEGER NOT NULL,
  amount INTEGER NOT NULL, PRIMARY KEY(order_no, number)) WITHOUT ROWID;
CREATE INDEX refund_at ON refund_row(at);
CREATE TABLE cart_row(no INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, status INTEGER NOT NULL,
  customer INTEGER NOT NULL, currency TEXT NOT NULL, opened_at INTEGER NOT NULL,
  filled_at INTEGER, checked_out_at INTEGER, paid_at INTEGER, touched_at INTEGER NOT NULL,
  line_count INTEGER NOT NULL, quantity INTEGER NOT NULL, value INTEGER NOT NULL, lines BLOB);
CREATE INDEX cart_open ON cart_row(no) WHERE status = 0;
CREATE TABLE funnel_row(day INTEGER PRIMARY KEY, opened INTEGER NOT NULL, filled INTEGER NOT NULL,
  checked_out INTEGER NOT NULL, paid INTEGER NOT NULL, fill_ms INTEGER NOT NULL,
  check_out_ms INTEGER NOT NULL, pay_ms INTEGER NOT NULL);
CREATE TABLE rollup_row(dim INTEGER NOT NULL, level INTEGER NOT NULL, currency INTEGER NOT NULL,
  bucket INTEGER NOT NULL, key INTEGER NOT NULL, orders INTEGER NOT NULL, lines INTEGER NOT NULL,
  quantity INTEGER NOT NULL, revenue INTEGER NOT NULL, revenue_micros INTEGER NOT NULL,
  returned INTEGER NOT NULL, returned_micros INTEGER NOT NULL,
  refunded INTEGER NOT NULL, refunded_micros INTEGER NOT NULL,
  rounding INTEGER NOT NULL, rounding_micros INTEGER NOT NULL,
  PRIMARY KEY(dim, level, currency, bucket, key)) WITHOUT ROWID;
CREATE TABLE basket_row(no INTEGER PRIMARY KEY, products BLOB NOT NULL);
)sql";

}  // namespace souk::analytics
