// souk search, souk suggest
#include <algorithm>

#include "tools/souk/cli/rows.h"
#include "tools/souk/cli/table.h"
#include "tools/souk/client/api_client.h"
#include "tools/souk/verbs/verbs.h"

namespace souk::cli {
namespace {

/// `15.00 to 17.00 GBP` of a group, else the price.
std::string prices_text(const Json& hit) {
  const Json &least = hit["price_min"], &most = hit["price_max"];
  if (least.is_null() || least.money() == most.money()) return hit["price"].money();
  return least["amount"].text() + " to " + most.money();
}

std::string hits_text(const Json& found) {
  std::string text;
  const auto& hits = found["hits"].items();
  if (!hits.empty()) {
    const bool groups = std::any_of(hits.begin(), hits.end(),
                                    [](const Json& hit) { return !hit["group"].is_null(); });
    std::vector<Table::Column> columns{
        {"SKU"}, {"NAME"}, {"BRAND"}, {"PRICE", Align::right}, {"AVAILABLE", Align::right}};
    if (groups) columns.insert(columns.end(), {{"GROUP"}, {"VARIANTS", Align::right}});
    Table table(columns);
    for (const Json& hit : hits) {
      std::vector<std::string> cells{hit["sku"].text(), hit["name"].text(), hit["brand"].text(),
                                     prices_text(hit), hit["available"].text()};
      if (groups) cells.insert(cells.end(), {hit["group"].text(), hit["variants"].text()});
      table.add(std::move(cells));
    }
    text += table.text() + "\n";
  }
  text += found["total"].text() + " found";
  if (const auto& suggestion = found["suggestion"].text(); !suggestion.empty())
    text += ", understood as: " + suggestion;
  std::string relaxed;
  for (const Json& word : found["relaxed"].items())
    relaxed += (relaxed.empty() ? "" : ", ") + word.text();
  if (!relaxed.empty()) text += "; not insisted on: " + relaxed;
  text += "\n";
  for (const auto& [name, values] : found["facets"].members()) {
    Table table({{heading(name)}, {"HITS", Align::right}});
    for (const Json& value : values.items())
      table.add({value["value"].text(), value["count"].text()});
    text += "\n" + table.text();
  }
  if (const auto& cursor = found["cursor"].text(); !cursor.empty())
    text += "\nMore: --cursor " + cursor + "\n";
  return text;
}

Outcome<ExitCode> search(const Invocation& invocation) {
  QueryString query;
  query.add("q", invocation.joined("words"));
  for (const auto& [option, parameter] : {std::pair{"brand", "brand"},
                                          {"group", "group"},
                                          {"category", "category"},
                                          {"price-min", "price_min"},
                                          {"price-max", "price_max"},
                                          {"sort", "sort"},
                                          {"limit", "limit"},
                                          {"offset", "offset"},
                                          {"cursor", "cursor"},
                                          {"facets", "facets"}})
    query.add(parameter, invocation.get(option));
  if (invocation.has("in-stock")) query.add("in_stock", "true");
  if (invocation.has("variants")) query.add("collapse", "false");
  return read_and_show(invocation, "/v1/search" + query.text(), hits_text);
}

std::string suggestions_text(const Json& found) {
  Table table({{"TEXT"}, {"KIND"}, {"PRODUCTS", Align::right}});
  for (const Json& one : found["suggestions"].items())
    table.add({one["text"].text(), one["kind"].text(), one["products"].text()});
  return table.empty() ? "Nothing.\n" : table.text();
}

Outcome<ExitCode> suggest(const Invocation& invocation) {
  QueryString query;
  query.add("q", invocation.joined("words")).add("limit", invocation.get("limit"));
  return read_and_show(invocation, "/v1/suggest" + query.text(), suggestions_text);
}

}  // namespace

Verbs search_verbs() {
  Argument sort = option("sort", "The order of the hits; without words: newest");
  sort.choices = {"relevance", "price", "-price", "name", "newest"};
  return {
      {.path = "search",
       .summary = "Find products by words, filters and facets",
       .examples = {"souk search blue mug --in-stock --price-max 20",
                    "souk search --category \"Home > Kitchen\" --facets brand,price",
                    "souk search shirt --variants", "souk search -- tea -green"},
       .arguments = {any_words("words", "Words, \"a phrase\", -excluded; none: everything"),
                     option("brand", "Exactly this brand"),
                     option("group", "Only its variants, each a hit of its own"),
                     flag("variants", "Each variant of a group is a hit of its own"),
                     option("category", "This one and those below it, such as \"Home > Kitchen\""),
                     option("price-min", "Such as 5 or 5.50"), option("price-max", "Included, too"),
                     flag("in-stock", "Only what is available"), sort,
                     option("limit", "Hits, 1 to 100", "10"), option("offset", "Hits to pass over"),
                     option("cursor", "From the page before"),
                     option("facets", "Of brand, category, price and in_stock, with commas")},
       .run = search},
      {.path = "suggest",
       .summary = "Show what words being typed may become",
       .examples = {"souk suggest blu", "souk suggest tea p --limit 5"},
       .arguments = {any_words("words", "What was typed so far"),
                     option("limit", "How many, 1 to 20", "10")},
       .run = suggest}};
}

}  // namespace souk::cli
