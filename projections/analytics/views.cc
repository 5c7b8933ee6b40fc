// What analysts see: names and texts in place of numbers. Documented in tables.cc, row by row.
#include "projections/analytics/schema.h"

namespace souk::analytics {

const char* const view_sql = R"sql(
CREATE VIEW orders AS SELECT o.id AS id,
  CASE o.status WHEN 1 THEN 'pending' WHEN 2 THEN 'confirmed' WHEN 3 THEN 'rejected'
    WHEN 4 THEN 'shipped' WHEN 5 THEN 'delivered' WHEN 6 THEN 'cancelled'
    WHEN 7 THEN 'returned' ELSE 'return_only' END AS status,
  CASE o.status WHEN 3 THEN refusal_code(o.reason) END AS reason,
  o.cart AS cart, c.id AS customer,
  (SELECT name FROM country_row WHERE no =
    CASE o.own_country WHEN 0 THEN c.country ELSE o.own_country END) AS country,
  y.code AS currency, iso_time(o.at) AS at, o.at AS at_ms, iso_time(o.logged_at) AS logged_at,
  iso_time(o.confirmed_at) AS confirmed_at, o.lines AS lines, o.quantity AS quantity,
  o.value AS value_micros, o.returned AS returned_micros,
  o.refunded AS refunded_micros, o.rounding AS rounding_micros, o.value + o.rounding AS total_micros
  FROM order_row o JOIN currency_row y ON y.no = o.currency
  LEFT JOIN customer_row c ON c.no = o.customer;
CREATE VIEW order_lines AS SELECT o.id AS order_id, l.line AS line, p.sku AS sku,
  l.quantity AS quantity, l.price AS unit_price_micros, l.quantity * l.price AS value_micros,
  CASE l.fixed WHEN 1 THEN 'fixed' ELSE 'catalogue' END AS pricing, iso_time(o.at) AS at,
  o.at AS at_ms, o.confirmed_at IS NOT NULL AS counted, y.code AS currency
  FROM line_row l JOIN order_row o ON o.no = l.order_no JOIN product_row p ON p.no = l.product
  JOIN currency_row y ON y.no = o.currency;
CREATE VIEW returns AS SELECT o.id AS order_id, r.number AS number, iso_time(r.at) AS at,
  r.at AS at_ms, c.id AS customer, y.code AS currency, r.value AS value_micros,
  r.restocked AS restocked
  FROM return_row r JOIN order_row o ON o.no = r.order_no JOIN currency_row y ON y.no = o.currency
  LEFT JOIN customer_row c ON c.no = o.customer;
CREATE VIEW refunds AS SELECT o.id AS order_id, r.number AS number, iso_time(r.at) AS at,
  r.at AS at_ms, c.id AS customer, y.code AS currency, r.amount AS amount_micros
  FROM refund_row r JOIN order_row o ON o.no = r.order_no JOIN currency_row y ON y.no = o.currency
  LEFT JOIN customer_row c ON c.no = o.customer;
CREATE VIEW return_lines AS SELECT o.id AS order_id, l.number AS number, p.sku AS sku,
  l.quantity AS quantity, l.price AS unit_price_micros, l.quantity * l.price AS value_micros
  FROM return_line_row l JOIN order_row o ON o.no = l.order_no
  JOIN product_row p ON p.no = l.product;
CREATE VIEW customers AS SELECT c.id AS id, n.name AS country,
  iso_time(c.registered_at) AS registered_at, c.erased AS erased, c.orders AS orders,
  iso_time(c.first_order_at) AS first_order_at, iso_time(c.last_order_at) AS last_order_at
  FROM customer_row c LEFT JOIN country_row n ON n.no = c.country;
CREATE VIEW products AS SELECT sku, name, brand, category, currency, price AS price_micros, active
  FROM product_row;
CREATE VIEW stock AS SELECT sku, on_hand, reserved, on_hand - reserved AS available, received,
  adjusted, sold, returned, expired FROM product_row;
CREATE VIEW stock_days AS SELECT p.sku AS sku, substr(iso_time(d.day * 86400000), 1, 10) AS day,
  d.on_hand AS on_hand, d.sold AS sold
  FROM stock_day_row d JOIN product_row p ON p.no = d.product;
CREATE VIEW carts AS SELECT t.id AS id,
  CASE t.status WHEN 0 THEN 'open' WHEN 1 THEN 'checking_out' ELSE 'ordered' END AS status,
  c.id AS customer, nullif(t.currency, '') AS currency, iso_time(t.opened_at) AS opened_at,
  iso_time(t.filled_at) AS filled_at, iso_time(t.checked_out_at) AS checked_out_at,
  iso_time(t.paid_at) AS paid_at, iso_time(t.touched_at) AS touched_at, t.line_count AS lines,
  t.quantity AS quantity, t.value AS value_micros
  FROM cart_row t LEFT JOIN customer_row c ON c.no = t.customer;
CREATE VIEW sales_by_month AS SELECT
  printf('%04d-%02d', r.bucket / 12, r.bucket % 12 + 1) AS month, y.code AS currency,
  r.orders AS orders, r.lines AS lines, r.quantity AS quantity, r.revenue * 1000000 + r.revenue_micros AS revenue_micros,
  r.returned * 1000000 + r.returned_micros AS returned_micros,
  r.refunded * 1000000 + r.refunded_micros AS refunded_micros,
  r.rounding * 1000000 + r.rounding_micros AS rounding_micros
  FROM rollup_row r JOIN currency_row y ON y.no = r.currency WHERE r.dim = 0 AND r.level = 1;
CREATE VIEW sales_by_day AS SELECT substr(iso_time(r.bucket * 86400000), 1, 10) AS day,
  y.code AS currency, r.orders AS orders, r.lines AS lines, r.quantity AS quantity,
  r.revenue * 1000000 + r.revenue_micros AS revenue_micros, r.returned * 1000000 + r.returned_micros AS returned_micros,
  r.refunded * 1000000 + r.refunded_micros AS refunded_micros,
  r.rounding * 1000000 + r.rounding_micros AS rounding_micros
  FROM rollup_row r JOIN currency_row y ON y.no = r.currency WHERE r.dim = 0 AND r.level = 2;
CREATE VIEW sales_by_product_day AS SELECT substr(iso_time(r.bucket * 86400000), 1, 10) AS day,
  p.sku AS sku, y.code AS currency, r.orders AS orders, r.lines AS lines, r.quantity AS quantity,
  r.revenue * 1000000 + r.revenue_micros AS revenue_micros, r.returned * 1000000 + r.returned_micros AS returned_micros
  FROM rollup_row r JOIN currency_row y ON y.no = r.currency JOIN product_row p ON p.no = r.key
  WHERE r.dim = 1 AND r.level = 2;
)sql";

}  // namespace souk::analytics
