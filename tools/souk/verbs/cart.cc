// souk cart ...
#include "tools/souk/client/api_client.h"
#include "tools/souk/client/documents.h"
#include "tools/souk/shop/purchase.h"
#include "tools/souk/verbs/verbs.h"

namespace souk::cli {
namespace {

std::string cart_path(const Invocation& invocation) {
  return "/v1/carts/" + path_segment(invocation.get("cart"));
}

std::string item_path(const Invocation& invocation) {
  return cart_path(invocation) + "/items/" + path_segment(invocation.get("sku"));
}

Outcome<ExitCode> open_cart(const Invocation& invocation) {
  const std::string body = JsonObject{}
                               .optional_text("user_id", invocation.get("user"))
                               .optional_text("currency", invocation.get("currency"))
                               .done();
  return command_and_show(invocation, "POST", "/v1/carts", body, cart_text);
}

Outcome<ExitCode> get_cart(const Invocation& invocation) {
  return read_and_show(invocation, cart_path(invocation), cart_text);
}

Outcome<ExitCode> add_item(const Invocation& invocation) {
  auto quantity = integer_argument(invocation, "quantity", 1, 1'000'000);
  if (!quantity) return quantity.error();
  JsonObject body;
  body.text("sku", invocation.get("sku")).raw("quantity", std::to_string(*quantity));
  if (invocation.has("price")) {
    auto price = money_argument(invocation, "price");
    if (!price) return price.error();
    body.raw("unit_price", *price);
  }
  return command_and_show(invocation, "POST", cart_path(invocation) + "/items", body.done(),
                          cart_text);
}

Outcome<ExitCode> set_item(const Invocation& invocation) {
  auto quantity = integer_argument(invocation, "quantity", 0, 1'000'000);
  if (!quantity) return quantity.error();
  const std::string body = JsonObject{}.raw("quantity", std::to_string(*quantity)).done();
  return command_and_show(invocation, "PUT", item_path(invocation), body, cart_text);
}

Outcome<ExitCode> remove_item(const Invocation& invocation) {
  return command_and_show(invocation, "DELETE", item_path(invocation), "", cart_text);
}

Outcome<ExitCode> check_out(const Invocation& invocation) {
  JsonObject body;
  if (const auto failed = add_payment(invocation, body)) return *failed;
  return purchase(invocation, cart_path(invocation) + "/checkout", body.done());
}

}  // namespace

Verbs cart_verbs() {
  const Argument cart = required("cart", "The cart's id");
  const Argument sku = required("sku", "The stock keeping unit");
  Verb open{
      .path = "cart open",
      .summary = "Open a cart",
      .examples = {"souk cart open", "souk cart open --user USER"},
      .arguments = {option("user", "Whose cart it is; a guest's where none is given"),
                    option("currency", "Its currency; that of its first line where none is given")},
      .run = open_cart};
  Verb add{.path = "cart add",
           .summary = "Put pieces into a cart",
           .examples = {"souk cart add CART MUG-1 2", "souk cart add CART MUG-1 2 --price 6.00"},
           .arguments = {cart, sku, required("quantity", "1 to 1,000,000"),
                         option("price", "A merchant's fixed price per piece; a line of its own"),
                         option("currency", "Of a price given as a bare number", "GBP")},
           .run = add_item};
  Verb set{.path = "cart set",
           .summary = "Set how many pieces of a SKU a cart holds",
           .examples = {"souk cart set CART MUG-1 3"},
           .arguments = {cart, sku, required("quantity", "0 to 1,000,000; 0 removes the line")},
           .run = set_item};
  Verb remove{.path = "cart remove",
              .summary = "Take a SKU out of a cart",
              .examples = {"souk cart remove CART MUG-1"},
              .arguments = {cart, sku},
              .run = remove_item};
  Verb check{.path = "cart checkout",
             .summary = "Order what is in a cart",
             .examples = {"souk cart checkout CART", "souk cart checkout CART --token decline"},
             .arguments = {cart},
             .run = check_out,
             .details = purchase_details};
  add_payment_options(check);
  for (Verb* verb : {&open, &add, &set, &remove, &check}) add_command_options(*verb);
  return {open,
          {.path = "cart get",
           .summary = "Show a cart and its lines",
           .examples = {"souk cart get CART"},
           .arguments = {cart},
           .run = get_cart},
          add,
          set,
          remove,
          check};
}

}  // namespace souk::cli
