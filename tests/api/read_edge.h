#pragma once
/// An edge with read models, for the tests of what they are asked.
#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

#include "projections/analytics/analytics.h"
#include "projections/search/search.h"
#include "tests/api/fixtures.h"

namespace souk::test {

/// An edge with both read models over a small history: one user bought twice, one cart was filled
/// and left, one order was rejected.
struct ReadEdge {
  explicit ReadEdge(std::vector<ProjectionKind> more = {})
      : folder(make_folder()), edge(options(), kinds(std::move(more)), folder) {
    const Money price{{2'500'000}, *Currency::parse("GBP")};
    ProductDefined tea;
    tea.name = "Green tea";
    tea.brand = "Acme, Ltd";
    tea.category = {"Food", "Tea"};
    tea.price = price;
    edge.log.append(ShardId{3}, {{*Sku::parse("tea"), tea}});
    order(1, "2011-01-31T10:00:00Z", 2, OrderConfirmed{});
    order(2, "2011-02-01T10:00:00Z", 3, OrderConfirmed{});
    order(3, "2011-02-02T10:00:00Z", 4, OrderRejected{Refusal::out_of_stock});
    end = edge.log.append(ShardId{5}, {{some_cart(), CartOpened{some_user(), price.currency}}});
    edge.projections.start();
  }
  ~ReadEdge() {
    edge.common.stop();
    edge.projections.stop();
    std::error_code ignored;
    std::filesystem::remove_all(folder, ignored);
  }
  static std::vector<ProjectionKind> kinds(std::vector<ProjectionKind> more) {
    std::vector<ProjectionKind> all{search_kind({}), analytics_kind()};
    for (auto& kind : more) all.push_back(std::move(kind));
    return all;
  }
  static ApiOptions options() { return {.version = "test", .recovery = {}}; }
  static std::filesystem::path make_folder() {
    std::string name = (std::filesystem::temp_directory_path() / "souk-api-XXXXXX").string();
    REQUIRE(mkdtemp(name.data()) != nullptr);
    return name;
  }
  void order(std::uint8_t number, const std::string& at, std::int64_t quantity, Payload fate) {
    OrderId id = some_order();
    id.raw.bytes[15] = number;
    OrderPlaced placed;
    placed.user = some_user();
    placed.currency = *Currency::parse("GBP");
    placed.lines = {{{*Sku::parse("tea"), "Green tea"}, quantity, {2'500'000}, Pricing::catalogue}};
    placed.occurred_at = parse_rfc3339(at);
    orders_end = edge.log.append(ShardId{5}, {{id, placed}, {id, std::move(fate)}});
  }
  /// The answer to a question that sees the whole history.
  HttpResponse ask(const std::string& target, const std::string& accept = {}) {
    const auto exchange =
        edge.send(HttpMethod::get, target, {}, {.min_position = "3:1," + end, .accept = accept});
    for (int i = 0; i < 200 && !edge.answered(exchange); ++i) edge.wake();
    REQUIRE(edge.answered(exchange));
    return edge.answer(exchange);
  }
  Json json(const std::string& target) {
    const auto response = ask(target);
    CAPTURE(target);
    CAPTURE(response.body);
    REQUIRE(response.status == 200);
    CHECK(response.content_type == "application/json");
    Json document(response.body);
    REQUIRE(document.good());
    return document;
  }
  void refused(const std::string& target, int status, std::string_view code,
               std::string_view words = {}) {
    const auto response = ask(target);
    CAPTURE(target);
    CAPTURE(response.body);
    CHECK(response.status == status);
    CHECK(response.content_type == problem_content_type);
    const Json problem(response.body);
    REQUIRE(problem.good());
    CHECK(problem.text("/code") == code);
    CHECK(problem.text("/detail").find(words) != std::string::npos);
  }
  std::string sql(const std::string& statement) {
    std::string out = "/v1/sql?q=";
    for (const char c : statement) out += fmt_hex(c);
    return out;
  }
  static std::string fmt_hex(char c) {
    constexpr std::string_view digits = "0123456789ABCDEF";
    const auto byte = static_cast<unsigned char>(c);
    return {'%', digits[byte >> 4], digits[byte & 15]};
  }

  std::filesystem::path folder;
  Edge edge;
  std::string end, orders_end;
};

}  // namespace souk::test
