#pragma once
/// The SQL of the writer.
#include "projections/analytics/store.h"

namespace souk::analytics {

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
        put_currency(db, "INSERT INTO currency_row VALUES(?1,?2)"),
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
                   "INSERT INTO rollup_row VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12) "
                   "ON CONFLICT(dim,level,currency,bucket,key) DO UPDATE SET "
                   "orders=orders+excluded.orders,lines=lines+excluded.lines,"
                   "quantity=quantity+excluded.quantity,revenue=revenue+excluded.revenue,"
                   "revenue_micros=revenue_micros+excluded.revenue_micros,"
                   "returned=returned+excluded.returned,"
                   "returned_micros=returned_micros+excluded.returned_micros"),
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

}  // namespace souk::analytics
