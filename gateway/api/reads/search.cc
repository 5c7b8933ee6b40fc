// Search and suggestions as JSON.
#include "projections/search/search.h"

#include <fmt/format.h>

#include "gateway/api/edge/response.h"
#include "gateway/api/edge/text.h"
#include "gateway/api/reads/read_side.h"

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

void append_hit(std::string& out, const SearchHit& hit) {
  out += "{\"sku\":";
  append_json_string(out, hit.sku.text());
  out += ",\"name\":";
  append_json_string(out, hit.name);
  out += ",\"brand\":";
  append_json_string(out, hit.brand);
  out += ",\"price\":";
  append_money(out, hit.price.amount, hit.price.currency.text());
  out += ",\"available\":";
  append_number(out, hit.available);
  fmt::format_to(std::back_inserter(out), ",\"score\":{:.4f}}}", hit.score);
}

HttpResponse answer_hits(const SearchModel& model, const QueryValues& values) {
  SearchQuery query;
  query.q = values.text("q");
  if (values.has("brand")) query.brand = values.text("brand");
  query.category = split_path(values.text("category"));
  query.price_min = values.amount("price_min");
  query.price_max = values.amount("price_max");
  if (values.has("in_stock")) query.in_stock = values.flag("in_stock", true);
  query.sort = parse_search_sort(values.text("sort")).value_or(SearchSort::relevance);
  query.limit = static_cast<std::size_t>(values.count("limit", 10));
  query.offset = static_cast<std::size_t>(values.count("offset", 0));
  query.cursor = values.text("cursor");
  query.brand_facet = values.names("facets", "brand");
  query.category_facet = values.names("facets", "category");
  query.price_facet = values.names("facets", "price");
  query.stock_facet = values.names("facets", "in_stock");
  const auto found = model.search(query);
  if (!found.ok()) return refusal(found.error());
  HttpResponse response;
  std::string& out = response.body;
  out = "{\"hits\":";
  append_list(out, found->hits, [&](const SearchHit& hit) { append_hit(out, hit); });
  out += ",\"total\":";
  append_number(out, found->total);
  if (!found->facets.empty()) {
    out += ",\"facets\":{";
    for (const auto& [name, facet] : found->facets) {
      if (out.back() != '{') out += ',';
      append_json_string(out, name);
      out += ':';
      append_list(out, facet, [&](const FacetValue& value) {
        out += "{\"value\":";
        append_json_string(out, value.value);
        out += ",\"count\":";
        append_number(out, value.count);
        out += '}';
      });
    }
    out += '}';
  }
  if (found->suggestion) {
    out += ",\"suggestion\":";
    append_json_string(out, *found->suggestion);
  }
  if (!found->relaxed.empty()) {
    out += ",\"relaxed\":";
    append_list(out, found->relaxed,
                [&](const std::string& words) { append_json_string(out, words); });
  }
  if (!found->cursor.empty()) {
    out += ",\"cursor\":";
    append_json_string(out, found->cursor);
  }
  out += '}';
  return response;
}

HttpResponse answer_suggestions(const SearchModel& model, const QueryValues& values) {
  const auto found =
      model.suggest(values.text("q"), static_cast<std::size_t>(values.count("limit", 10)));
  if (!found.ok()) return refusal(found.error());
  HttpResponse response;
  std::string& out = response.body;
  out = "{\"suggestions\":";
  append_list(out, *found, [&](const Suggestion& one) {
    out += "{\"text\":";
    append_json_string(out, one.text);
    out += one.kind == Suggestion::Kind::words ? R"(,"kind":"words","products":)"
                                               : R"(,"kind":"product","products":)";
    append_number(out, one.products);
    out += '}';
  });
  out += '}';
  return response;
}

}  // namespace

HttpResponse answer_search(Action action, const Projection& model, const QueryValues& values) {
  const auto& search = dynamic_cast<const SearchModel&>(model);
  return action == Action::suggest ? answer_suggestions(search, values)
                                   : answer_hits(search, values);
}

}  // namespace souk
