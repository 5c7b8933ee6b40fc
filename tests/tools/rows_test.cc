#include "tools/souk/cli/rows.h"

#include <doctest/doctest.h>

#include "tools/souk/cli/command_line.h"
#include "tools/souk/cli/progress.h"
#include "tools/souk/client/url.h"
#include "tools/souk/verbs/verbs.h"

using namespace souk::cli;

namespace {

Json json(const char* text) {
  auto parsed = Json::parse(text);
  REQUIRE(parsed);
  return *parsed;
}

}  // namespace

TEST_CASE("rows: a column each, amounts under one currency, null as a dash, the total last") {
  const Json report = json(
      R"({"rows":[{"month":"2011-01","orders":2,"revenue":{"amount":"12.50","currency":"GBP"},"share":0.333333},)"
      R"({"month":null,"orders":10,"revenue":{"amount":"1.00","currency":"GBP"},"share":1}],)"
      R"("total":{"orders":12,"revenue":{"amount":"13.50","currency":"GBP"}}})");
  CHECK(rows_text(report["rows"].items(), report["total"]) ==
        "MONTH    ORDERS  REVENUE GBP  SHARE\n"
        "2011-01       2        12.50  0.333\n"
        "-            10         1.00      1\n"
        "total        12        13.50\n");
  CHECK(rows_text({}, report["total"]) == "Nothing.\n");
}

TEST_CASE("rows: where currencies differ each amount says its own") {
  const Json rows = json(
      R"([{"on_hand":{"amount":"1.00","currency":"EUR"}},{"on_hand":{"amount":"22.00","currency":"GBP"}}])");
  CHECK(rows_text(rows.items(), Json()) == "  ON HAND\n 1.00 EUR\n22.00 GBP\n");
}

TEST_CASE("rows: numbers have at most three decimals and no needless zeros") {
  CHECK(cell_text(json("0.5")) == "0.5");
  CHECK(cell_text(json("2.0")) == "2");
  CHECK(cell_text(json("1e3")) == "1000");
  CHECK(cell_text(json("0.0004")) == "0");
  CHECK(cell_text(json("12345678901234567")) == "12345678901234567");
  CHECK(cell_text(json("\"1.23456\"")) == "1.23456");
  CHECK(cell_text(json("true")) == "true");
  CHECK(cell_text(json("null")) == "-");
}

TEST_CASE("query string: names and values are encoded, empty ones left out") {
  CHECK(QueryString().text().empty());
  CHECK(QueryString().add("q", "").text().empty());
  CHECK(QueryString().add("q", "a&b=c d+%").add("x", "").add("y", "\xC3\xA4").text() ==
        "?q=a%26b%3Dc%20d%2B%25&y=%C3%A4");
}

TEST_CASE("progress: what is left follows a total that grows") {
  CHECK(Progress::bar("", "events", 50, 100, 5).find("50%") != std::string::npos);
  Progress progress("events", 10);
  progress.at(5, 20);  // no terminal: silent
}
