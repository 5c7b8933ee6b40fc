// souk product ..., souk stock ...
#include "tools/souk/client/api_client.h"
#include "tools/souk/client/documents.h"
#include "tools/souk/verbs/verbs.h"

namespace souk::cli {
namespace {

std::string product_path(const Invocation& invocation) {
  return "/v1/products/" + path_segment(invocation.get("sku"));
}

std::string stock_path(const Invocation& invocation, std::string_view step = {}) {
  return "/v1/inventory/" + path_segment(invocation.get("sku")) + std::string(step);
}

/// What was given of the repeated `option` as a list of JSON; empty: nothing.
std::string list_of(const Invocation& invocation, std::string_view option) {
  std::string list;
  for (const std::string& one : invocation.all(option))
    list += (list.empty() ? "[" : ",") + json_string(one);
  return list.empty() ? list : list + "]";
}

/// What was given of the repeated `option`, each as NAME=VALUE, as an object of JSON; empty: nothing.
Outcome<std::string> pairs_of(const Invocation& invocation, std::string_view option) {
  const auto pairs = invocation.all(option);
  if (pairs.empty()) return std::string();
  JsonObject object;
  for (const std::string& pair : pairs) {
    const std::size_t equals = pair.find('=');
    if (equals == std::string::npos || equals == 0)
      return Failure{ExitCode::usage,
                     "--" + std::string(option) + ": wanted NAME=VALUE, got \"" + pair + "\""};
    object.text(pair.substr(0, equals), pair.substr(equals + 1));
  }
  return object.done();
}

Outcome<ExitCode> put_product(const Invocation& invocation) {
  auto price = money_argument(invocation, "price");
  if (!price) return price.error();
  JsonObject body;
  body.text("name", invocation.get("name"))
      .optional_text("description", invocation.get("description"));
  body.optional_text("brand", invocation.get("brand"));
  if (const auto path = list_of(invocation, "category"); !path.empty()) body.raw("category", path);
  body.raw("price", *price);
  for (const auto& [option, member] :
       {std::pair{"attribute", "attributes"}, {"option", "options"}}) {
    const auto pairs = pairs_of(invocation, option);
    if (!pairs) return pairs.error();
    if (!pairs->empty()) body.raw(member, *pairs);
  }
  if (const auto images = list_of(invocation, "image"); !images.empty()) body.raw("images", images);
  body.optional_text("barcode", invocation.get("barcode"))
      .optional_text("group", invocation.get("group"));
  if (invocation.has("inactive")) body.raw("active", "false");
  return command_and_show(invocation, "PUT", product_path(invocation), body.done(), product_text);
}

Outcome<ExitCode> get_product(const Invocation& invocation) {
  return read_and_show(invocation, product_path(invocation), product_text);
}

Outcome<ExitCode> delist_product(const Invocation& invocation) {
  return command_and_show(invocation, "DELETE", product_path(invocation), "", product_text);
}

Outcome<ExitCode> receive_stock(const Invocation& invocation) {
  auto quantity = integer_argument(invocation, "quantity", 1, 1'000'000);
  if (!quantity) return quantity.error();
  const std::string body = JsonObject{}
                               .raw("quantity", std::to_string(*quantity))
                               .optional_text("reference", invocation.get("reference"))
                               .done();
  return command_and_show(invocation, "POST", stock_path(invocation, "/receive"), body, stock_text);
}

Outcome<ExitCode> adjust_stock(const Invocation& invocation) {
  auto delta = integer_argument(invocation, "delta", -1'000'000, 1'000'000);
  if (!delta) return delta.error();
  const std::string body = JsonObject{}
                               .raw("delta", std::to_string(*delta))
                               .text("reason", invocation.get("reason"))
                               .done();
  return command_and_show(invocation, "POST", stock_path(invocation, "/adjust"), body, stock_text);
}

Outcome<ExitCode> get_stock(const Invocation& invocation) {
  return read_and_show(invocation, stock_path(invocation), stock_text);
}

const Argument sku_argument = required("sku", "The stock keeping unit; letters differ by case");

}  // namespace

Verbs product_verbs() {
  Argument category =
      option("category", "A step of the category's path, from the top; repeat for more");
  category.kind = Argument::Kind::repeated;
  Argument attribute = option("attribute", "NAME=VALUE; repeat for more");
  attribute.kind = Argument::Kind::repeated;
  Argument image = option("image", "An address, the first is shown first; repeat for more");
  image.kind = Argument::Kind::repeated;
  Argument variant =
      option("option", "NAME=VALUE, what makes it one of its group; repeat for more");
  variant.kind = Argument::Kind::repeated;
  Verb put{.path = "product put",
           .summary = "Define a product, or define it anew",
           .examples = {"souk product put MUG-1 \"Blue mug\" 7.50 --brand Acme --category Home "
                        "--category Kitchen",
                        "souk product put MUG-1 \"Blue mug\" \"8.95 EUR\" --attribute colour=blue",
                        "souk product put TEE-S \"Shirt\" 15 --group tee --option size=S --barcode "
                        "4006381333931 --image https://shop.example/tee.jpg"},
           .arguments = {sku_argument, required("name", "What customers see"),
                         required("price", "Such as 7.50 or \"7.50 EUR\""),
                         option("currency", "Of a price given as a bare number", "GBP"),
                         option("description", "A longer text"), option("brand", "The maker"),
                         category, attribute, image,
                         option("barcode", "A GTIN: EAN, UPC or ISBN-13, with its check digit"),
                         option("group", "Variants of one thing have the same"), variant,
                         flag("inactive", "Not on sale")},
           .run = put_product};
  Verb delist{.path = "product delist",
              .summary = "Take a product off sale; its history stays",
              .examples = {"souk product delist MUG-1"},
              .arguments = {sku_argument},
              .run = delist_product};
  add_command_options(put);
  add_command_options(delist);
  return {put,
          {.path = "product get",
           .summary = "Show a product",
           .examples = {"souk product get MUG-1", "souk product get \"BANK CHARGES\" --json"},
           .arguments = {sku_argument},
           .run = get_product},
          delist};
}

Verbs stock_verbs() {
  Verb receive{.path = "stock receive",
               .summary = "Book goods that came in",
               .examples = {"souk stock receive MUG-1 100 --reference \"delivery 4711\""},
               .arguments = {sku_argument, required("quantity", "1 to 1,000,000"),
                             option("reference", "Where they came from")},
               .run = receive_stock};
  Verb adjust{.path = "stock adjust",
              .summary = "Correct the stock up or down",
              .examples = {"souk stock adjust MUG-1 5 --reason \"stock-taking\"",
                           "souk stock adjust --reason broken -- MUG-1 -3"},
              .arguments = {sku_argument, required("delta", "-1,000,000 to 1,000,000"),
                            option("reason", "Why", "correction")},
              .run = adjust_stock};
  add_command_options(receive);
  add_command_options(adjust);
  return {receive,
          adjust,
          {.path = "stock get",
           .summary = "Show what is on hand, reserved and available",
           .examples = {"souk stock get MUG-1"},
           .arguments = {sku_argument},
           .run = get_stock}};
}

}  // namespace souk::cli
