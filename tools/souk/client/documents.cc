#include "tools/souk/client/documents.h"

#include "tools/souk/cli/table.h"

namespace souk::cli {
namespace {

/// An amount alone, for a column whose currency stands elsewhere.
std::string amount(const Json& money) { return money["amount"].text(); }

std::string lines_text(const Json& lines, const Json& total) {
  bool any_returned = false;
  for (const Json& line : lines.items()) any_returned |= line["returned"].integer() > 0;
  std::vector<Table::Column> columns = {{"SKU"}, {"NAME"}, {"QUANTITY", Align::right}};
  if (any_returned) columns.push_back({"RETURNED", Align::right});
  columns.push_back({"PRICE", Align::right});
  columns.push_back({"TOTAL", Align::right});
  Table table(columns);
  const auto add = [&](std::vector<std::string> cells, const std::string& returned,
                       const std::string& price, const std::string& sum) {
    if (any_returned) cells.push_back(returned);
    cells.push_back(price);
    cells.push_back(sum);
    table.add(std::move(cells));
  };
  for (const Json& line : lines.items())
    add({line["sku"].text(), line["name"].text(), line["quantity"].text()}, line["returned"].text(),
        amount(line["unit_price"]), amount(line["total"]));
  add({"", "", ""}, "", total["currency"].text(), amount(total));
  return table.text();
}

}  // namespace

std::string product_text(const Json& product) {
  std::string category;
  for (const Json& step : product["category"].items())
    category += (category.empty() ? "" : " > ") + step.text();
  std::vector<std::pair<std::string, std::string>> facts = {
      {"sku", product["sku"].text()},
      {"name", product["name"].text()},
      {"brand", product["brand"].text()},
      {"category", category},
      {"price", product["price"].money()},
      {"on sale", product["active"].text() == "true" ? "yes" : "no"},
      {"available", product["available"].text()},
      {"version", product["version"].text()},
      {"barcode", product["barcode"].text()},
      {"group", product["group"].text()}};
  for (const char* member : {"options", "attributes"})
    for (const auto& [name, value] : product[member].members())
      facts.emplace_back(name, value.text());
  for (const Json& image : product["images"].items()) facts.emplace_back("image", image.text());
  facts.emplace_back("description", product["description"].text());
  return facts_text(facts);
}

std::string stock_text(const Json& stock) {
  Table table({{"SKU"},
               {"ON HAND", Align::right},
               {"RESERVED", Align::right},
               {"AVAILABLE", Align::right},
               {"VERSION", Align::right}});
  table.add({stock["sku"].text(), stock["on_hand"].text(), stock["reserved"].text(),
             stock["available"].text(), stock["version"].text()});
  return table.text();
}

std::string user_text(const Json& user) {
  return facts_text({{"user", user["user_id"].text()},
                     {"email", user["email"].text()},
                     {"name", user["name"].text()},
                     {"country", user["country"].text()},
                     {"version", user["version"].text()}});
}

std::string user_orders_text(const Json& page) {
  Table table({{"ORDER"}, {"STATUS"}, {"TOTAL", Align::right}, {"PLACED AT"}});
  for (const Json& order : page["orders"].items())
    table.add({order["order_id"].text(), order["status"].text(), order["total"].money(),
               order["placed_at"].text()});
  if (table.empty()) return "No orders.\n";
  const std::string next = page["next"].text();
  return table.text() + (next.empty() ? "" : "More: --before " + next + "\n");
}

std::string cart_text(const Json& cart) {
  return facts_text({{"cart", cart["cart_id"].text()},
                     {"status", cart["status"].text()},
                     {"user", cart["user_id"].text()},
                     {"order", cart["order_id"].text()},
                     {"version", cart["version"].text()}}) +
         (cart["lines"].items().empty() ? "" : "\n" + lines_text(cart["lines"], cart["total"]));
}

std::string order_text(const Json& order) {
  const Json& payment = order["payment"];
  std::string text = facts_text({{"order", order["order_id"].text()},
                                 {"status", order["status"].text()},
                                 {"reason", order["reason"].text()},
                                 {"user", order["user_id"].text()},
                                 {"cart", order["cart_id"].text()},
                                 {"payment", payment["status"].text()},
                                 {"refunded", payment["refunded"].money()},
                                 {"placed at", order["placed_at"].text()},
                                 {"occurred at", order["occurred_at"].text()}});
  text += "\n" + lines_text(order["lines"], order["total"]);
  if (order["history"].items().empty()) return text;
  Table history({{"AT"}, {"EVENT"}});
  for (const Json& step : order["history"].items())
    history.add({step["at"].text(), step["event"].text()});
  return text + "\n" + history.text();
}

std::string payment_text(const Json& payment) {
  Table table({{"ORDER"},
               {"AUTHORISED", Align::right},
               {"CAPTURED", Align::right},
               {"VOIDED", Align::right},
               {"REFUNDED", Align::right},
               {"CALLS", Align::right}});
  table.add({payment["order_id"].text(), payment["authorised"].money(), payment["captured"].money(),
             payment["voided"].money(), payment["refunded"].money(), payment["calls"].text()});
  return table.text();
}

std::string check_out_text(const Json& answer) {
  const std::string reason = answer["reason"].text();
  return "order " + answer["order_id"].text() + ": " + answer["status"].text() +
         (reason.empty() ? "" : " (" + reason + ")") + "\n";
}

}  // namespace souk::cli
