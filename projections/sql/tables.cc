#include "projections/sql/tables.h"

namespace souk {
namespace {

// Times are texts in UTC, `2011-08-31T11:25:00.000Z`, which sort as the times do; names that end in
// `_ms` are milliseconds since 1970. Names that end in `_micros` are exact millionths of the
// currency's unit; money(x) shows them as `12.50`. Kept sums beyond 64 bits are reals, with 15
// digits.

constexpr SqlColumnDoc orders[] = {
    {"id", "o..."},
    {"status",
     "pending, confirmed, rejected, shipped, delivered, cancelled, returned; or "
     "return_only: goods came back that no order explains"},
    {"reason", "why it was rejected"},
    {"cart", "c..., or null: bought at once"},
    {"customer", "u..., or null: a guest"},
    {"country", "the order's own, else the customer's as it is now"},
    {"currency", "ISO 4217"},
    {"at", "business time: when it happened for the merchant"},
    {"at_ms", "the same as a number"},
    {"logged_at", "when the log took it"},
    {"confirmed_at", "when it was confirmed: it counts as a sale from then on; null: never"},
    {"lines", "how many"},
    {"quantity", "pieces"},
    {"value_micros", "what all lines cost"},
    {"returned_micros", "the value of the goods that came back"},
    {"refunded_micros", "all money paid back"},
    {"rounding_micros", "what makes it whole minor units"},
    {"total_micros", "what is paid: value and rounding"},
};
constexpr SqlColumnDoc order_lines[] = {
    {"order_id", "o..."},
    {"line", "from 0"},
    {"sku", "of the product"},
    {"quantity", "pieces"},
    {"unit_price_micros", "of one piece"},
    {"value_micros", "quantity x unit price"},
    {"pricing", "catalogue or fixed"},
    {"at", "business time of the order"},
    {"at_ms", "the same as a number"},
    {"counted", "1 where the order was confirmed"},
    {"currency", "ISO 4217"},
};
constexpr SqlColumnDoc returns[] = {
    {"order_id", "o..."},
    {"number", "1, 2, ... within the order"},
    {"at", "business time of the return"},
    {"at_ms", "the same as a number"},
    {"customer", "u..., or null"},
    {"currency", "ISO 4217"},
    {"value_micros", "what is paid back"},
    {"restocked", "1 where the goods may be sold again"},
};
constexpr SqlColumnDoc return_lines[] = {
    {"order_id", "o..."},
    {"number", "of the return"},
    {"sku", "of the product"},
    {"quantity", "pieces"},
    {"unit_price_micros", "paid back for one piece"},
    {"value_micros", "quantity x unit price"},
};
constexpr SqlColumnDoc customers[] = {
    {"id", "u..."},
    {"country", "as it is now"},
    {"registered_at", "when the log took it; null: not known here yet"},
    {"erased", "1 where the person was erased"},
    {"orders", "confirmed ones"},
    {"first_order_at", "business time of the first confirmed order"},
    {"last_order_at", "and of the last"},
};
constexpr SqlColumnDoc products[] = {
    {"sku", "the merchant's code"},      {"name", "as it is now"},
    {"brand", "as it is now"},           {"category", "from the root, joined by ' > '"},
    {"currency", "of the price"},        {"price_micros", "the catalogue's price now"},
    {"active", "1 where it is on sale"},
};
constexpr SqlColumnDoc stock[] = {
    {"sku", "of the product"},
    {"on_hand", "pieces in the house"},
    {"reserved", "held for orders"},
    {"available", "on_hand - reserved"},
    {"received", "all that ever came in"},
    {"adjusted", "the sum of all adjustments"},
    {"sold", "all that ever went out"},
    {"returned", "all that came back"},
    {"expired", "held once, and not bought in time"},
};
constexpr SqlColumnDoc stock_days[] = {
    {"sku", "of the product"},
    {"day", "2011-08-31, by the log's time; only days on which stock moved"},
    {"on_hand", "at the end of the day"},
    {"sold", "pieces that went out on it"},
};
constexpr SqlColumnDoc carts[] = {
    {"id", "c..."},
    {"status", "open, checking_out or ordered"},
    {"customer", "u..., or null: a guest"},
    {"currency", "ISO 4217, or null: not fixed yet"},
    {"opened_at", "by the log's time, as all of a cart's"},
    {"filled_at", "when its first line came"},
    {"checked_out_at", "when its first check-out began"},
    {"paid_at", "when its order was confirmed"},
    {"touched_at", "when it last changed"},
    {"lines", "how many are in it"},
    {"quantity", "pieces"},
    {"value_micros", "what they cost"},
};
constexpr SqlColumnDoc sales_by_month[] = {
    {"month", "2011-08"},
    {"currency", "ISO 4217"},
    {"orders", "confirmed ones"},
    {"lines", "of these orders"},
    {"quantity", "pieces sold"},
    {"revenue_micros", "of confirmed orders"},
    {"returned_micros", "the value of the goods that came back in this month"},
    {"refunded_micros", "all money paid back, at the time of its return"},
    {"rounding_micros", "what made orders whole minor units"},
};
constexpr SqlColumnDoc sales_by_day[] = {
    {"day", "2011-08-31"},
    {"currency", "ISO 4217"},
    {"orders", "confirmed ones"},
    {"lines", "of these orders"},
    {"quantity", "pieces sold"},
    {"revenue_micros", "of confirmed orders"},
    {"returned_micros", "the value of the goods that came back on this day"},
    {"refunded_micros", "all money paid back, at the time of its return"},
    {"rounding_micros", "what made orders whole minor units"},
};
constexpr SqlColumnDoc sales_by_product_day[] = {
    {"day", "2011-08-31"},
    {"sku", "of the product"},
    {"currency", "ISO 4217"},
    {"orders", "confirmed ones with this product"},
    {"lines", "with this product"},
    {"quantity", "pieces sold"},
    {"revenue_micros", "of these lines"},
    {"returned_micros", "the value of what came back on this day"},
};
constexpr SqlColumnDoc events[] = {
    {"shard", "where it happened; fast to ask for one"},
    {"seq", "counts the shard's events from 1; fast to ask for a range"},
    {"at", "when the log took it; asking for what is later skips what is earlier"},
    {"type", "order_placed, item_added, ..."},
    {"entity_type", "user, sku, cart, order, email, key"},
    {"entity", "its id, or the SKU; fast to ask for one"},
    {"cause", "the command, 32 hexadecimal digits"},
    {"correlation", "what belongs to one check-out has the same"},
    {"idempotency", "a hash of the command's idempotency key, or null"},
    {"outcome", "ok, created or refused"},
    {"data", "the event's members as JSON, without what is sealed: data ->> '$.quantity'"},
};

constexpr SqlTableDoc all[] = {
    {"orders", "one row an order", orders},
    {"order_lines", "one row a line of an order", order_lines},
    {"returns", "one row a return", returns},
    {"return_lines", "one row a line of a return", return_lines},
    {"customers", "one row a user; nothing personal", customers},
    {"products", "one row a SKU", products},
    {"stock", "one row a SKU", stock},
    {"stock_days", "one row a SKU and day on which stock moved", stock_days},
    {"carts", "one row a cart", carts},
    {"sales_by_month", "kept sums: as fast as it gets", sales_by_month},
    {"sales_by_day", "kept sums", sales_by_day},
    {"sales_by_product_day", "kept sums", sales_by_product_day},
    {"events", "the log itself, one row an event", events},
};

}  // namespace

std::span<const SqlTableDoc> sql_tables() { return all; }

}  // namespace souk
