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
                  "o.returned,o.returned_quantity,o.refunded,o.rounding FROM order_row o JOIN "
                  "currency_row y "
                  "ON y.no=o.currency LEFT JOIN customer_row c ON c.no=o.customer WHERE o.id=?1"),
        get_lines(db,
                  "SELECT product,quantity,price,fixed FROM line_row WHERE order_no=?1 "
                  "ORDER BY line"),
        get_cart(db,
                 "SELECT no,status,customer,currency,opened_at,filled_at,checked_out_at,paid_at,"
                 "touched_at,lines FROM cart_row WHERE id=?1"),
        put_currency(db, "INSERT INTO currency_row VALUES(?1,?2)"),
        put_country(db, "INSERT INTO country_row VALUES(?1,?2)"),
        new_product(db,
                    "INSERT INTO product_row(no,sku,on_hand,reserved,received,adjusted,sold,"
                    "returned,expired,active) VALUES(?1,?2,0,0,0,0,0,0,0,0)"),
        put_product(db,
                    "UPDATE product_row SET on_hand=?2,reserved=?3,received=?4,adjusted=?5,"
                    "sold=?6,returned=?7,expired=?8,active=?9 WHERE no=?1"),
        name_product(db,
                     "UPDATE product_row SET name=?2,brand=?3,category=?4,currency=?5,price=?6 "
                     "WHERE no=?1"),
        new_customer(db, "INSERT INTO customer_row VALUES(?1,?2,?3,?4,?5,?6,?7,?8)"),
        put_customer(db,
                     "UPDATE customer_row SET country=?2,registered_at=?3,erased=?4,orders=?5,"
                     "first_order_at=?6,last_order_at=?7 WHERE no=?1"),
        new_order(db,
                  "INSERT INTO order_row VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,"
                  "?15,?16,?17,?18)"),
        put_order(db,
                  "UPDATE order_row SET status=?2,reason=?3,confirmed_at=?4,returned=?5,"
                  "returned_quantity=?6,refunded=?7 WHERE no=?1"),
        put_line(db, "INSERT INTO line_row VALUES(?1,?2,?3,?4,?5,?6)"),
        put_return(db, "INSERT OR REPLACE INTO return_row VALUES(?1,?2,?3,?4,?5)"),
        put_refund(db, "INSERT OR REPLACE INTO refund_row VALUES(?1,?2,?3,?4)"),
        put_return_line(db, "INSERT OR REPLACE INTO return_line_row VALUES(?1,?2,?3,?4,?5,?6)"),
        new_cart(db, "INSERT INTO cart_row VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14)"),
        put_cart(db,
                 "UPDATE cart_row SET status=?2,currency=?3,filled_at=?4,checked_out_at=?5,"
                 "paid_at=?6,touched_at=?7,line_count=?8,quantity=?9,value=?10,lines=?11 "
                 "WHERE no=?1"),
        put_funnel(db,
                   "INSERT INTO funnel_row VALUES(?1,?2,?3,?4,?5,?6,?7,?8) ON CONFLICT(day) DO "
                   "UPDATE SET opened=opened+excluded.opened,filled=filled+excluded.filled,"
                   "checked_out=checked_out+excluded.checked_out,paid=paid+excluded.paid,"
                   "fill_ms=fill_ms+excluded.fill_ms,"
                   "check_out_ms=check_out_ms+excluded.check_out_ms,pay_ms=pay_ms+excluded.pay_ms"),
        new_stock(db, "INSERT INTO stock_day_row VALUES(?1,?2,?3,?4)"),
        put_stock(db,
                  "UPDATE stock_day_row SET on_hand=?3,sold=sold+?4 WHERE product=?1 AND day=?2"),
        new_rollup(db,
                   "INSERT INTO rollup_row VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,"
                   "?15,?16)"),
        put_rollup(db,
                   "UPDATE rollup_row SET orders=orders+?6,lines=lines+?7,quantity=quantity+?8,"
                   "revenue=revenue+?9,revenue_micros=revenue_micros+?10,returned=returned+?11,"
                   "returned_micros=returned_micros+?12,refunded=refunded+?13,"
                   "refunded_micros=refunded_micros+?14,rounding=rounding+?15,"
                   "rounding_micros=rounding_micros+?16 "
                   "WHERE dim=?1 AND level=?2 AND currency=?3 AND bucket=?4 AND key=?5"),
        put_basket(db, "INSERT INTO basket_row(products) VALUES(?1)"),
        put_checkpoint(db, "INSERT OR REPLACE INTO meta VALUES('checkpoint',?1)"),
        orders_of(db,
                  "SELECT currency,at,lines,quantity,value,no,confirmed_at IS NOT NULL,rounding "
                  "FROM order_row WHERE customer=?1 AND customer>0 AND own_country=0"),
        returns_of(db, "SELECT at,value FROM return_row WHERE order_no=?1"),
        refunds_of(db, "SELECT at,amount FROM refund_row WHERE order_no=?1") {}

  Statement get_product, get_customer, get_order, get_lines, get_cart;
  Statement put_currency, put_country, new_product, put_product, name_product, new_customer,
      put_customer, new_order, put_order, put_line, put_return, put_refund, put_return_line,
      new_cart, put_cart, put_funnel, new_stock, put_stock, new_rollup, put_rollup, put_basket,
      put_checkpoint;
  Statement orders_of, returns_of, refunds_of;
};

}  // namespace souk::analytics
