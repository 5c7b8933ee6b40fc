#include "gateway/api/reads/questions.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "events/currencies.h"
#include "events/utf8.h"
#include "gateway/api/edge/text.h"
#include "projections/search/search.h"
#include "projections/sql/sql_door.h"

namespace souk {
namespace {

constexpr std::int64_t query_bytes_max = 1'024;
constexpr std::array<std::string_view, 5> search_sorts = {"relevance", "price", "-price", "name",
                                                          "newest"};
constexpr std::array<std::string_view, 4> facet_names = {"brand", "category", "price", "in_stock"};
constexpr std::array<std::string_view, 6> sales_groups = {"month",   "day",     "hour",
                                                          "product", "country", "customer"};

constexpr QueryField count_field(std::string_view name, std::int64_t min, std::int64_t max,
                                 std::string_view about) {
  return {.name = name, .type = QueryType::count, .about = about, .min = min, .max = max};
}
constexpr QueryField text_field(std::string_view name, std::string_view about,
                                std::string_view pattern = {}) {
  return {.name = name,
          .type = QueryType::text,
          .about = about,
          .min = 0,
          .max = query_bytes_max,
          .pattern = pattern};
}

constexpr std::array search_fields = {
    text_field("q", "Words, \"a phrase\", -excluded, without X; none: everything"),
    text_field("brand", "Exactly this brand"),
    text_field("group", "Only the variants of this group, each a hit of its own"),
    QueryField{"collapse",
               QueryType::flag,
               "Variants of one group that are found are one hit: the first of them in the order, "
               "with their number and range of prices; `total` and `facets` count hits. false: "
               "each is a hit of its own. true where it is not given, but for one `group`",
               0,
               0,
               {}},
    text_field("category", "This category and those below it: `Home > Kitchen`"),
    QueryField{"currency", QueryType::currency,
               "Only what is priced in it. Else limits, order and bands of prices look at the "
               "daemon's default currency, or at the one of most products where none has that"},
    QueryField{"price_min", QueryType::amount, "Included"},
    QueryField{"price_max", QueryType::amount, "Included"},
    QueryField{
        "in_stock", QueryType::flag, "Only what is available, or only what is not", 0, 0, {}},
    QueryField{"sort", QueryType::choice, "Without q: newest", 0, 0, search_sorts},
    count_field("limit", 1, 100, "Hits of a page, 10 where it is not given"),
    count_field("offset", 0, 10'000, "Hits to pass over"),
    QueryField{.name = "cursor",
               .type = QueryType::text,
               .about = "`cursor` of the page before, instead of an offset",
               .min = 0,
               .max = static_cast<std::int64_t>(cursor_bytes_max),
               .pattern = "^([0-9a-f]{2})*$"},
    QueryField{"facets", QueryType::choices, "What to count by", 0, 0, facet_names},
};
constexpr std::array suggest_fields = {
    text_field("q", "What was typed so far"),
    count_field("limit", 1, 20, "10 where it is not given"),
};
constexpr QueryField from_field{"from", QueryType::time,
                                "Included; by the business time of an order"};
constexpr QueryField to_field{"to", QueryType::time, "Not included"};
constexpr QueryField currency_field{"currency", QueryType::currency,
                                    "Of the figures; else the one with the most orders"};
constexpr QueryField rows_field = count_field("limit", 1, 1'000, "Rows, 100 where it is not given");

constexpr std::array sales_fields = {
    from_field,
    to_field,
    QueryField{"group_by", QueryType::choice, "month where it is not given", 0, 0, sales_groups},
    text_field("sort",
               "key, orders, lines, quantity, revenue, returned or refunded; `-` in front: "
               "the largest first",
               "^(-?(key|orders|lines|quantity|revenue|returned|refunded))?$"),
    rows_field,
    currency_field,
};
constexpr std::array limit_fields = {rows_field};
constexpr std::array customers_fields = {
    count_field("orders_min", 1, 1'000'000, "Only who ordered so often; 2 where it is not given"),
    currency_field,
    rows_field,
};
constexpr std::array funnel_fields = {
    QueryField{"from", QueryType::time, "The first day on which carts were opened"},
    QueryField{"to", QueryType::time, "The day after the last"},
};
constexpr std::array lost_sales_fields = {
    from_field,
    to_field,
    text_field("sort", "reason, orders, lines, quantity or value; `-` in front: the largest first",
               "^(-?(reason|orders|lines|quantity|value))?$"),
    currency_field,
    rows_field,
};
constexpr std::array stock_fields = {
    from_field,
    to_field,
    text_field("sort",
               "A column; `-` in front: the largest first; -lost_value where it is not given",
               "^(-?(sku|on_hand|available|sold|average_stock|turnover|days_of_cover|lost_orders|"
               "lost_quantity|lost_value))?$"),
    currency_field,
    rows_field,
};
constexpr std::array abandoned_fields = {
    QueryField{"idle_since", QueryType::time,
               "Carts that nobody touched from then on; an hour ago where it is not given"},
    currency_field,
    rows_field,
};
constexpr std::array sql_fields = {
    QueryField{"q",
               QueryType::text,
               "One SELECT of SQLite's over the tables of /v1/sql/tables",
               0,
               static_cast<std::int64_t>(sql_text_bytes_max),
               {},
               Need::required},
    count_field("limit", 1, static_cast<std::int64_t>(sql_rows_max),
                "Rows, 10,000 where it is not given; `truncated` says that there were more"),
};
constexpr std::array mend_fields = {text_field(
    "entity", "retry and skip: only this one, as `kind id`, for example `cart c0...`",
    "^sku [A-Za-z0-9]{1,64}$|^(cart c|order o|user u)[0-9a-hjkmnp-tv-z]{25}[048cgmrw]$")};

constexpr std::array cluster_shards_fields = {
    text_field("node", "Only those that this node has"),
    count_field("shard", 0, 65'535, "Only this one, with `explain`: why it is where it is"),
};
constexpr std::array cluster_moves_fields = {
    count_field("history", 0, 10'000, "So many of the newest lines of what happened, oldest first"),
};

constexpr std::array questions = {
    Question{Action::search, HttpMethod::get, "/v1/search", "Products by words, filters and facets",
             "Search", "search", search_fields},
    Question{Action::suggest, HttpMethod::get, "/v1/suggest", "What words being typed may become",
             "Suggestions", "search", suggest_fields},
    Question{Action::sales, HttpMethod::get, "/v1/analytics/sales",
             "Sales by time, product, country or customer; exact", "Sales", "analytics",
             sales_fields},
    Question{Action::basket_pairs, HttpMethod::get, "/v1/analytics/basket-pairs",
             "Products bought in the same order", "BasketPairs", "analytics", limit_fields},
    Question{Action::customers, HttpMethod::get, "/v1/analytics/customers",
             "Buyers who came again, by revenue", "Customers", "analytics", customers_fields},
    Question{Action::funnel, HttpMethod::get, "/v1/analytics/funnel",
             "From opened carts to paid orders", "Funnel", "analytics", funnel_fields},
    Question{Action::cohorts, HttpMethod::get, "/v1/analytics/cohorts",
             "Who came back, by the month of the first order; the latest cohorts that fit `limit`",
             "Cohorts", "analytics", limit_fields},
    Question{Action::lost_sales, HttpMethod::get, "/v1/analytics/lost-sales",
             "Orders that were rejected, by reason", "LostSales", "analytics", lost_sales_fields},
    Question{Action::stock_report, HttpMethod::get, "/v1/analytics/stock",
             "Stock, its turnover and cover, and what was lost for want of it, by product",
             "StockReport", "analytics", stock_fields},
    Question{Action::abandoned_carts, HttpMethod::get, "/v1/analytics/abandoned",
             "Open carts that nobody touches, the most valuable first", "AbandonedCarts",
             "analytics", abandoned_fields},
    Question{
        Action::sql, HttpMethod::get, "/v1/sql",
        "One SELECT on a snapshot of the analytics, and on the log; Accept: text/csv for CSV. Up "
        "to 5 s; whole numbers beyond 2^53 are texts, blobs are hexadecimal digits",
        "SqlRows", "analytics", sql_fields},
    Question{Action::sql_tables, HttpMethod::get, "/v1/sql/tables",
             "The tables that SQL can read, their columns, and what these mean", "SqlTables", ""},
    Question{Action::projections, HttpMethod::get, "/v1/projections",
             "The read models: how far they are, and what stands in their way", "Projections", ""},
    Question{Action::mend_projection, HttpMethod::post, "/v1/projections/{projection}/{verb}",
             "pause, resume, rebuild, cancel (a rebuild), retry or skip (what is in quarantine)",
             "Projections", "", mend_fields},
    Question{Action::cluster_status, HttpMethod::get, "/v1/cluster",
             "The cluster in numbers, as this node sees it, and what is wrong with it", "Cluster",
             ""},
    Question{Action::cluster_nodes, HttpMethod::get, "/v1/cluster/nodes",
             "Its nodes: what each has, and whether it is safe to stop", "ClusterNodes", ""},
    Question{Action::cluster_shards, HttpMethod::get, "/v1/cluster/shards",
             "Its shards: who owns each, who stands by, and why", "ClusterShards", "",
             cluster_shards_fields},
    Question{Action::cluster_moves, HttpMethod::get, "/v1/cluster/moves",
             "What moves, what is to come, and what happened", "ClusterMoves", "",
             cluster_moves_fields},
    Question{Action::cluster_erasures, HttpMethod::get, "/v1/cluster/erasures",
             "Persons whose keys are still somewhere though they are to be erased",
             "ClusterErasures", ""},
};

std::string one_of(std::span<const std::string_view> words) {
  std::string all;
  for (const auto word : words) {
    if (!all.empty()) all += ", ";
    all += word.empty() ? "\"\"" : word;
  }
  return all;
}

bool is_one_of(std::string_view text, std::span<const std::string_view> words) {
  return std::find(words.begin(), words.end(), text) != words.end();
}

/// What is wrong with it; empty: nothing.
std::string wrong_with(const QueryField& field, const std::string& text, std::int64_t& number) {
  switch (field.type) {
    case QueryType::text:
      if (!utf8_valid(text)) return "is not UTF-8";
      if (static_cast<std::int64_t>(text.size()) > field.max)
        return "must be at most " + std::to_string(field.max) + " bytes";
      return {};
    case QueryType::count: {
      const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
      if (error == std::errc{} && end == text.data() + text.size() && number >= field.min &&
          number <= field.max)
        return {};
      return "must be " + std::to_string(field.min) + " to " + std::to_string(field.max);
    }
    case QueryType::flag:
      number = text == "true";
      return text == "true" || text == "false" ? "" : "must be true or false";
    case QueryType::amount: {
      const auto amount = parse_decimal(text);
      if (!amount) return "must be an amount, for example 12.50";
      number = amount->value;
      return {};
    }
    case QueryType::currency:
      return Currency::parse(text) ? "" : why_not_payable(text);
    case QueryType::time: {
      const auto at = parse_rfc3339(text.size() == 10 ? text + "T00:00:00Z" : text);
      if (!at) return "must be a time as 2011-08-31T00:00:00Z, or a day as 2011-08-31";
      number = at->value;
      return {};
    }
    case QueryType::choice:
      return is_one_of(text, field.words) ? "" : "must be one of " + one_of(field.words);
    case QueryType::choices:
      for (std::string_view rest = text;;) {
        const auto comma = rest.find(',');
        if (!is_one_of(rest.substr(0, comma), field.words))
          return "must be one or more of " + one_of(field.words) + ", with commas";
        if (comma == std::string_view::npos) return {};
        rest.remove_prefix(comma + 1);
      }
  }
  return {};
}

}  // namespace

std::span<const Question> all_questions() { return questions; }

std::string_view cache_control_of(const Question& question) {
  return question.model == "search" ? "private, no-cache" : "private, no-store";
}

const Question* question_of(Action action) {
  for (const auto& question : questions)
    if (question.action == action) return &question;
  return nullptr;
}

const QueryValues::Value* QueryValues::find(std::string_view name) const {
  for (const auto& value : values_)
    if (value.field->name == name) return &value;
  return nullptr;
}

std::string QueryValues::text(std::string_view name) const {
  const auto* value = find(name);
  return value ? value->text : std::string();
}

std::int64_t QueryValues::count(std::string_view name, std::int64_t otherwise) const {
  const auto* value = find(name);
  return value ? value->number : otherwise;
}

bool QueryValues::flag(std::string_view name, bool otherwise) const {
  return count(name, otherwise) != 0;
}

std::optional<Micros> QueryValues::amount(std::string_view name) const {
  const auto* value = find(name);
  return value ? std::optional(Micros{value->number}) : std::nullopt;
}

std::optional<UnixMs> QueryValues::time(std::string_view name) const {
  const auto* value = find(name);
  return value ? std::optional(UnixMs{value->number}) : std::nullopt;
}

bool QueryValues::names(std::string_view name, std::string_view word) const {
  const std::string all = "," + text(name) + ",";
  return all.find("," + std::string(word) + ",") != std::string::npos;
}

bool read_question(const Question& question, const RouteMatch& match, QueryValues& out,
                   Problem& problem) {
  std::vector<QueryParameter> parameters;
  if (!parse_query(match.query, parameters, problem)) return false;
  for (auto& [name, value] : parameters) {
    const auto field = std::find_if(question.fields.begin(), question.fields.end(),
                                    [&](const QueryField& f) { return f.name == name; });
    if (field == question.fields.end()) {
      problem = invalid_request(name, "is not a parameter of this request");
      return false;
    }
    std::int64_t number = 0;
    if (const auto wrong = wrong_with(*field, value, number); !wrong.empty()) {
      problem = invalid_request(name, wrong);
      return false;
    }
    out.values_.push_back({&*field, std::move(value), number});
  }
  for (const auto& field : question.fields) {
    if (field.need == Need::optional || out.has(field.name)) continue;
    problem = invalid_request(std::string(field.name), "must be given");
    return false;
  }
  return true;
}

}  // namespace souk
