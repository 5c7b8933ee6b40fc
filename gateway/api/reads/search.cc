// Search and suggestions as JSON.
#include "projections/search/search.h"

#include <fmt/format.h>

#include "gateway/api/edge/response.h"
#include "gateway/api/edge/text.h"
#include "gateway/api/reads/answers.h"

namespace souk {
namespace {

HttpResponse refusal(const BadQuery& bad) {
  if (bad.kind == BadQuery::Kind::unavailable)
    return response_of(Problem{503, "unavailable", bad.why, {}});
  return response_of(invalid_request(bad.parameter, bad.why));
}

std::vector<std::string> split_path(std::string_view text) {
  constexpr std::string_view separator = " > ";
  std::vector<std::string> path;
  while (!text.empty()) {
    const auto at = text.find(separator);
    path.emplace_back(text.substr(0, at));
    if (at == std::string_view::npos) break;
    text.remove_prefix(at + separator.size());
  }
  return path;
}

void append_hit(std::string& out, const SearchHit& found) {
  JsonObject hit(out);
  hit.text("sku", found.sku.text());
  hit.text("name", found.name);
  hit.text("brand", found.brand);
  append_money(hit.key("price"), found.price.amount, found.price.currency);
  hit.number("available", found.available);
  fmt::format_to(std::back_inserter(hit.key("score")), "{:.4f}", found.score);
  if (!found.group.empty()) hit.text("group", found.group);
  if (found.variants > 0) {
    hit.number("variants", found.variants);
    append_money(hit.key("price_min"), found.price_min.amount, found.price_min.currency);
    append_money(hit.key("price_max"), found.price_max.amount, found.price_max.currency);
  }
  hit.end();
}

void append_facet(std::string& out, const FacetValue& counted) {
  JsonObject value(out);
  value.text("value", counted.value);
  value.number("count", counted.count);
  value.end();
}

SearchQuery query_of(const QueryValues& values, Currency otherwise) {
  SearchQuery query;
  query.q = values.text("q");
  if (values.has("brand")) query.brand = values.text("brand");
  if (values.has("group")) query.group = values.text("group");
  query.collapse = values.flag("collapse", !query.group);
  query.category = split_path(values.text("category"));
  query.price_min = values.amount("price_min");
  query.price_max = values.amount("price_max");
  if (values.has("currency")) query.currency = Currency::parse(values.text("currency"));
  query.otherwise = otherwise;
  if (values.has("in_stock")) query.in_stock = values.flag("in_stock", true);
  query.sort = parse_search_sort(values.text("sort")).value_or(SearchSort::relevance);
  query.limit = static_cast<std::size_t>(values.count("limit", 10));
  query.offset = static_cast<std::size_t>(values.count("offset", 0));
  query.cursor = values.text("cursor");
  query.brand_facet = values.names("facets", "brand");
  query.category_facet = values.names("facets", "category");
  query.price_facet = values.names("facets", "price");
  query.stock_facet = values.names("facets", "in_stock");
  return query;
}

}  // namespace

NoAnswer answer_search(const SearchModel& model, const QueryValues& values, Currency unfixed,
                       JsonObject& out) {
  const auto found = model.search(query_of(values, unfixed));
  if (!found.ok()) return refusal(found.error());
  std::string& json = out.key("hits");
  append_list(json, found->hits, [&](const SearchHit& hit) { append_hit(json, hit); });
  out.number("total", found->total);
  out.text("currency", found->currency.none() ? unfixed.text() : found->currency.text());
  if (!found->facets.empty()) {
    JsonObject facets(out.key("facets"));
    for (const auto& [name, facet] : found->facets) {
      facets.key(name);
      append_list(json, facet, [&](const FacetValue& value) { append_facet(json, value); });
    }
    facets.end();
  }
  if (found->suggestion) out.text("suggestion", *found->suggestion);
  if (!found->relaxed.empty()) {
    out.key("relaxed");
    append_list(json, found->relaxed,
                [&](const std::string& words) { append_json_string(json, words); });
  }
  if (!found->cursor.empty()) out.text("cursor", found->cursor);
  return std::nullopt;
}

NoAnswer answer_suggest(const SearchModel& model, const QueryValues& values, Currency,
                        JsonObject& out) {
  const auto found =
      model.suggest(values.text("q"), static_cast<std::size_t>(values.count("limit", 10)));
  if (!found.ok()) return refusal(found.error());
  std::string& json = out.key("suggestions");
  append_list(json, *found, [&](const Suggestion& suggestion) {
    JsonObject one(json);
    one.text("text", suggestion.text);
    one.text("kind", suggestion.kind == Suggestion::Kind::words ? "words" : "product");
    one.number("products", suggestion.products);
    one.end();
  });
  return std::nullopt;
}

}  // namespace souk
