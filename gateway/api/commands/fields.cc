#include "gateway/api/commands/fields.h"

#include <array>

#include "events/limits.h"
#include "gateway/api/edge/limits.h"

namespace souk {
namespace {

using enum FieldType;
using enum Need;
constexpr std::int64_t bytes(std::size_t count) { return static_cast<std::int64_t>(count); }
constexpr std::int64_t quantity_max = limits::quantity_max;
constexpr std::int64_t price_max = limits::price_micros_max;

constexpr std::array<std::string_view, 1> payment_methods = {"simulated"};
constexpr std::array<std::string_view, 1> wait_words = {"final"};
constexpr std::array<std::string_view, 1> prefer_words = {"minimal"};
constexpr std::array<std::string_view, 1> absent_words = {"*"};

constexpr Field in_path(FieldId id, std::string_view name, FieldType type, std::string_view about) {
  return {
      .id = id, .name = name, .type = type, .need = required, .about = about, .place = Place::path};
}
constexpr Field sku_path = in_path(FieldId::sku, "sku", sku, "the merchant's word for the product");
constexpr Field user_path = in_path(FieldId::user_id, "user_id", user_id, "of the user");
constexpr Field cart_path = in_path(FieldId::cart_id, "cart_id", cart_id, "of the cart");
constexpr Field order_path = in_path(FieldId::order_id, "order_id", order_id, "of the order");

constexpr Field sku_member = {.id = FieldId::sku,
                              .name = "sku",
                              .type = sku,
                              .need = required,
                              .about = "of a product of the catalogue"};
constexpr Field quantity_member = {.id = FieldId::quantity,
                                   .name = "quantity",
                                   .type = integer,
                                   .need = required,
                                   .min = 1,
                                   .max = quantity_max,
                                   .about = "pieces"};
constexpr Field user_member = {
    .id = FieldId::user_id, .name = "user_id", .type = user_id, .about = "none: a guest"};
constexpr Field time_member = {.id = FieldId::occurred_at,
                               .name = "occurred_at",
                               .type = time,
                               .about = "the business time, where it is not now"};
constexpr Field address_member = {.id = FieldId::shipping_address,
                                  .name = "shipping_address",
                                  .type = any_object,
                                  .max = bytes(limits::address_bytes_max),
                                  .about = "stored sealed, given back as it was sent"};

constexpr std::array money_table = {
    Field{.id = FieldId::amount,
          .name = "amount",
          .type = decimal,
          .need = required,
          .max = price_max,
          .about = "a decimal with up to 6 places"},
    Field{.id = FieldId::currency,
          .name = "currency",
          .type = currency,
          .need = required,
          .about = "ISO 4217"},
};
constexpr std::array payment_table = {
    Field{.id = FieldId::method,
          .name = "method",
          .type = word,
          .need = required,
          .about = "how it is paid",
          .words = payment_methods},
    Field{
        .id = FieldId::token,
        .name = "token",
        .type = ascii_text,
        .max = bytes(limits::payment_token_bytes_max),
        .about =
            "what the provider is told; simulated: ok, decline, slow:MS, lost:MS, twice, error:N"},
};
constexpr Field payment_member = {.id = FieldId::payment,
                                  .name = "payment",
                                  .type = object,
                                  .need = required,
                                  .about = "how the order is paid",
                                  .members = payment_table};
constexpr std::array order_line_table = {sku_member, quantity_member};
constexpr std::array return_line_table = {
    sku_member, quantity_member,
    Field{.id = FieldId::unit_price,
          .name = "unit_price",
          .type = money,
          .max = price_max,
          .about = "paid back per piece; none: what was paid"}};
constexpr std::array accepted_line_table = {sku_member, quantity_member,
                                            Field{.id = FieldId::unit_price,
                                                  .name = "unit_price",
                                                  .type = money,
                                                  .need = required,
                                                  .max = price_max,
                                                  .about = "its worth per piece"}};
constexpr Field lines_of(std::span<const Field> members, Need need, std::string_view about) {
  return {.id = FieldId::lines,
          .name = "lines",
          .type = list,
          .need = need,
          .min = 1,
          .max = bytes(limits::cart_lines_max),
          .about = about,
          .members = members};
}

constexpr std::array put_product_fields = {
    sku_path,
    Field{.id = FieldId::name,
          .name = "name",
          .type = line_text,
          .need = required,
          .min = 1,
          .max = bytes(limits::name_bytes_max),
          .about = "as customers read it"},
    Field{.id = FieldId::price,
          .name = "price",
          .type = money,
          .need = required,
          .max = price_max,
          .about = "of one piece"},
    Field{.id = FieldId::description,
          .name = "description",
          .type = long_text,
          .max = bytes(limits::description_bytes_max),
          .about = "may hold line breaks, kept as LF, and tabs"},
    Field{.id = FieldId::brand,
          .name = "brand",
          .type = line_text,
          .max = bytes(limits::brand_bytes_max),
          .about = "who makes it"},
    Field{.id = FieldId::category,
          .name = "category",
          .type = category,
          .max = bytes(limits::category_bytes_max),
          .about = "a path from the root"},
    Field{.id = FieldId::attributes,
          .name = "attributes",
          .type = attributes,
          .max = bytes(limits::attribute_value_bytes_max),
          .about = "names with texts, in the order of their names"},
    Field{
        .id = FieldId::active, .name = "active", .type = boolean, .about = "on sale; default true"},
    Field{.id = FieldId::images,
          .name = "images",
          .type = addresses,
          .max = bytes(limits::image_bytes_max),
          .about = "the first is shown first"},
    Field{.id = FieldId::barcode,
          .name = "barcode",
          .type = gtin,
          .about = "GTIN-8, -12 (UPC), -13 (EAN) or -14, with its check digit"},
    Field{.id = FieldId::group,
          .name = "group",
          .type = sku,
          .max = bytes(limits::group_bytes_max),
          .about = "variants of one thing have the same"},
    Field{.id = FieldId::options,
          .name = "options",
          .type = attributes,
          .max = bytes(limits::attribute_value_bytes_max),
          .about = "what makes this one of its group; only with a group"},
};
constexpr std::array receive_stock_fields = {
    sku_path, quantity_member,
    Field{.id = FieldId::reference,
          .name = "reference",
          .type = line_text,
          .max = bytes(limits::reference_bytes_max),
          .about = "the merchant's own, e.g. a delivery note"}};
constexpr std::array adjust_stock_fields = {sku_path,
                                            Field{.id = FieldId::delta,
                                                  .name = "delta",
                                                  .type = integer,
                                                  .need = required,
                                                  .min = -quantity_max,
                                                  .max = quantity_max,
                                                  .about = "pieces found or lost; not 0"},
                                            Field{.id = FieldId::reason,
                                                  .name = "reason",
                                                  .type = line_text,
                                                  .need = required,
                                                  .min = 1,
                                                  .max = bytes(limits::reference_bytes_max),
                                                  .about = "why, for the auditor"}};
constexpr Field email_member(Need need) {
  return {.id = FieldId::email,
          .name = "email",
          .type = email,
          .need = need,
          .max = bytes(limits::email_bytes_max),
          .about = "one user each; compared without regard to case and spelling; stored sealed"};
}
constexpr Field person_name_member = {.id = FieldId::name,
                                      .name = "name",
                                      .type = line_text,
                                      .max = bytes(limits::person_name_bytes_max),
                                      .about = "stored sealed"};
constexpr Field country_member = {
    .id = FieldId::country,
    .name = "country",
    .type = line_text,
    .max = bytes(limits::country_bytes_max),
    .about = "a code of ISO 3166-1 (recommended), or a name as the merchant has it"};
constexpr std::array register_user_fields = {email_member(required), person_name_member,
                                             country_member};
constexpr std::array update_user_fields = {user_path, email_member(optional), person_name_member,
                                           country_member};
constexpr std::array open_cart_fields = {user_member,
                                         Field{.id = FieldId::currency,
                                               .name = "currency",
                                               .type = currency,
                                               .about = "none: the first line fixes it"}};
constexpr std::array add_item_fields = {
    cart_path, sku_member, quantity_member,
    Field{.id = FieldId::unit_price,
          .name = "unit_price",
          .type = money,
          .max = price_max,
          .about = "a merchant's fixed price: kept as a line of its own"}};
constexpr std::array set_item_fields = {cart_path, sku_path,
                                        Field{.id = FieldId::quantity,
                                              .name = "quantity",
                                              .type = integer,
                                              .need = required,
                                              .min = 0,
                                              .max = quantity_max,
                                              .about = "pieces; 0 removes the line"}};
constexpr std::array remove_item_fields = {cart_path, sku_path};
constexpr std::array check_out_fields = {cart_path, payment_member, address_member, time_member};
constexpr std::array place_order_fields = {user_member,
                                           lines_of(order_line_table, required, "what is bought"),
                                           payment_member, address_member, time_member};
constexpr std::array return_order_fields = {
    order_path,
    lines_of(
        return_line_table, optional,
        "what came back and goes on sale again; none: everything that is still out comes back and "
        "is paid back, but stays out of stock until it is received"),
    time_member};
constexpr std::array refund_order_fields = {order_path,
                                            Field{.id = FieldId::amount,
                                                  .name = "amount",
                                                  .type = money,
                                                  .min = 1,
                                                  .max = price_max,
                                                  .about = "none: all that was not paid back yet"}};
constexpr std::array accept_return_fields = {
    user_member, lines_of(accepted_line_table, required, "what came back; all of one currency"),
    Field{.id = FieldId::reference,
          .name = "reference",
          .type = line_text,
          .max = bytes(limits::reference_bytes_max),
          .about = "the merchant's own, e.g. a credit note"},
    time_member};
constexpr std::array sku_only = {sku_path};
constexpr std::array user_only = {user_path};
constexpr std::array order_only = {order_path};

constexpr std::array batch_table = {
    Field{.id = FieldId::command,
          .name = "command",
          .type = line_text,
          .need = required,
          .min = 1,
          .max = 64,
          .about = "the name of the command"},
    Field{.id = FieldId::idempotency_key,
          .name = "idempotency_key",
          .type = ascii_text,
          .min = 1,
          .max = bytes(limits::idempotency_key_bytes_max),
          .about = "as the header Idempotency-Key"},
    Field{.id = FieldId::if_match,
          .name = "if_match",
          .type = integer,
          .max = INT64_MAX,
          .about = "the version, as the header If-Match"},
    Field{.id = FieldId::if_none_match,
          .name = "if_none_match",
          .type = word,
          .about = "only where there is nothing yet, as the header If-None-Match",
          .words = absent_words},
    Field{.id = FieldId::wait,
          .name = "wait",
          .type = word,
          .about = "answer when the order is final",
          .words = wait_words},
    Field{.id = FieldId::prefer,
          .name = "prefer",
          .type = word,
          .about = "an answer without a body",
          .words = prefer_words},
};

using enum HttpMethod;
constexpr std::array<CommandShape, command_count> shapes = {{
    {Action::put_product, "put_product", put, "/v1/products/{sku}",
     "Defines a product, or defines it anew", put_product_fields, Minimal::drops_body_of_ok},
    {Action::delist_product, "delist_product", del, "/v1/products/{sku}",
     "Takes a product off sale; its history stays", sku_only},
    {Action::receive_stock, "receive_stock", post, "/v1/inventory/{sku}/receive",
     "Books stock that arrived", receive_stock_fields},
    {Action::adjust_stock, "adjust_stock", post, "/v1/inventory/{sku}/adjust",
     "Corrects stock after a count, a loss or a find", adjust_stock_fields},
    {Action::register_user, "register_user", post, "/v1/users", "Registers a user",
     register_user_fields, Minimal::keeps_body},
    {Action::update_user, "update_user", patch, "/v1/users/{user_id}",
     "Changes the members given, leaves the others", update_user_fields},
    {Action::erase_user, "erase_user", del, "/v1/users/{user_id}",
     "Erases the person: personal data unreadable for ever, amounts and counts kept", user_only},
    {Action::open_cart, "open_cart", post, "/v1/carts", "Opens a cart", open_cart_fields,
     Minimal::keeps_body},
    {Action::add_item, "add_item", post, "/v1/carts/{cart_id}/items",
     "Puts pieces into a cart; adds to a line of the same SKU", add_item_fields},
    {Action::set_item, "set_item", put, "/v1/carts/{cart_id}/items/{sku}",
     "Sets the pieces of a line; 0 removes it", set_item_fields},
    {Action::remove_item, "remove_item", del, "/v1/carts/{cart_id}/items/{sku}",
     "Removes a SKU from a cart", remove_item_fields},
    {Action::check_out, "check_out", post, "/v1/carts/{cart_id}/checkout",
     "Makes an order of a cart", check_out_fields, Minimal::keeps_body, Waits::for_final},
    {Action::place_order, "place_order", post, "/v1/orders", "Buys at once, without a cart",
     place_order_fields, Minimal::keeps_body, Waits::for_final},
    {Action::cancel_order, "cancel_order", post, "/v1/orders/{order_id}/cancel",
     "Cancels a confirmed order and pays back", order_only},
    {Action::ship_order, "ship_order", post, "/v1/orders/{order_id}/ship",
     "A confirmed order leaves", order_only},
    {Action::deliver_order, "deliver_order", post, "/v1/orders/{order_id}/deliver",
     "A shipped order has arrived", order_only},
    {Action::return_order, "return_order", post, "/v1/orders/{order_id}/return",
     "Goods came back: paid back, and the lines that are named into stock", return_order_fields},
    {Action::refund_order, "refund_order", post, "/v1/orders/{order_id}/refund",
     "Pays back without goods coming back", refund_order_fields},
    {Action::accept_return, "accept_return", post, "/v1/returns",
     "Goods came back that no order here explains; makes an order that is a return from birth",
     accept_return_fields, Minimal::keeps_body},
    {Action::erase_order, "erase_order", post, "/v1/orders/{order_id}/erase",
     "A guest's address becomes unreadable for ever; amounts stay", order_only},
}};

constexpr std::array<std::string_view, action_count - command_count> other_names = {
    "get_product",     "get_stock",
    "get_user",        "get_user_orders",
    "get_cart",        "get_order",
    "get_payment",     "search",
    "suggest",         "sales",
    "basket_pairs",    "customers",
    "funnel",          "cohorts",
    "lost_sales",      "stock_report",
    "abandoned_carts", "sql",
    "sql_tables",      "projections",
    "mend_projection", "cluster_status",
    "cluster_nodes",   "cluster_shards",
    "cluster_moves",   "cluster_erasures",
    "cluster_plan",    "cluster_command",
    "cluster_cancel",  "commands",
    "health",          "ready",
    "metrics",         "openapi",
    "console",         "unknown"};

constexpr std::array<std::string_view, 3> read_only_of_product = {"sku", "available", "version"};
constexpr std::array<std::string_view, 2> read_only_of_user = {"user_id", "version"};

}  // namespace

const CommandShape& shape_of(Action action) { return shapes[index_of(action)]; }

const CommandShape* find_command(std::string_view name) {
  for (const auto& shape : shapes)
    if (shape.name == name) return &shape;
  return nullptr;
}

std::span<const Field> batch_fields() { return batch_table; }
std::span<const Field> money_fields() { return money_table; }

const Field* find_field(std::span<const Field> fields, std::string_view name) {
  for (const auto& field : fields)
    if (field.name == name) return &field;
  return nullptr;
}

std::uint64_t required_fields(std::span<const Field> fields) {
  std::uint64_t bits = 0;
  for (const auto& field : fields)
    if (field.need == Need::required) bits |= bit_of(field.id);
  return bits;
}

bool takes_body(const CommandShape& shape) {
  for (const auto& field : shape.fields)
    if (field.place == Place::body) return true;
  return false;
}

std::span<const std::string_view> read_only_members(Action action) {
  if (action == Action::put_product) return read_only_of_product;
  if (action == Action::update_user) return read_only_of_user;
  return {};
}

std::string_view action_name(Action action) {
  return is_command(action) ? shape_of(action).name : other_names[index_of(action) - command_count];
}

}  // namespace souk
