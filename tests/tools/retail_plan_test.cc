#include "tools/souk/import/retail_plan.h"

#include <doctest/doctest.h>

using namespace souk;
using namespace souk::cli;

namespace {

constexpr const char* header =
    "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n";

struct Planned {
  RetailData data;
  RetailPlan plan;

  std::uint32_t sku(std::string_view code) {
    const std::uint32_t number = data.skus.number_of(code);
    REQUIRE(number < plan.products.size());
    return number;
  }
  const PlannedProduct& product(std::string_view code) { return plan.products[sku(code)]; }
};

Planned planned(const std::string& lines) {
  RetailReader reader;
  CsvReader csv([&](const CsvRecord& record) { reader.take(record); });
  csv.feed(header + lines);
  csv.finish();
  REQUIRE(reader.wrong().empty());
  Planned out{.data = reader.take_data(), .plan = {}};
  out.plan = plan_retail(out.data);
  const auto& plan = out.plan;
  CHECK(plan.order_lines + plan.returned_lines + plan.adjustments + plan.rejected.size() ==
        out.data.records);
  return out;
}

std::vector<std::uint32_t> rejected_lines(const RetailPlan& plan) {
  std::vector<std::uint32_t> lines;
  for (const Rejection& rejection : plan.rejected) lines.push_back(rejection.line);
  return lines;
}

}  // namespace

TEST_CASE("retail plan: an invoice is one order, also where it is torn apart or has two times") {
  auto p = planned(
      "1,A,Apple,2,2011-08-31 11:26:00,1.50,17850,United Kingdom\n"
      "2,B,Pear,1,2011-08-31 11:27:00,0.001,,France\n"
      "1,A,Apple,2,2011-08-31 11:25:00,1.50,17850,United Kingdom\n"
      "1,A,Apple,2,2011-08-31 11:25:00,1.50,17850,United Kingdom\n");
  REQUIRE(p.plan.orders.size() == 2);
  const PlannedOrder& first = p.plan.orders[0];
  CHECK(first.lines.size() == 3);  // repeats are kept
  CHECK(first.lines[1].line == 4);
  CHECK(to_decimal(first.total) == "9.00");
  CHECK(to_rfc3339(p.data.invoice[first.invoice].at) == "2011-08-31T11:25:00.000Z");
  CHECK(to_decimal(p.plan.orders[1].total) == "0.001");
  CHECK(p.data.customers.size() == 1);
  CHECK(p.data.countries.text(p.plan.customer_country[0]) == "United Kingdom");
  CHECK(p.data.invoice[p.plan.orders[1].invoice].customer == no_customer);
}

TEST_CASE("retail plan: each line goes to one of the four places") {
  auto p = planned(
      "1,A,x,1,2011-08-31 11:25:00,1,,UK\n"             // 2: order
      "1,A,free,1,2011-08-31 11:25:00,0,,UK\n"          // 3: adjustment
      "2,A,damages,-3,2011-08-31 11:25:00,0,,UK\n"      // 4: adjustment
      "3,A,x,-3,2011-08-31 11:25:00,2,,UK\n"            // 5: adjustment
      "C4,A,x,-1,2011-08-31 11:25:00,2,,UK\n"           // 6: return
      "C4,A,x,-1,2011-08-31 11:25:00,0,,UK\n"           // 7: return of no value
      "A5,B,bad debt,1,2011-08-31 11:25:00,-9.5,,UK\n"  // 8: rejected
      "A6,B,bad debt,1,2011-08-31 11:25:00,9.5,,UK\n"   // 9: order
      "C7,A,x,1,2011-08-31 11:25:00,2,,UK\n"            // 10: rejected
      "8,A,x,0,2011-08-31 11:25:00,2,,UK\n"             // 11: rejected
      "C9,A,x,-1,2011-08-31 11:25:00,-2,,UK\n");        // 12: rejected
  CHECK(p.plan.order_lines == 2);
  CHECK(p.plan.adjustments == 3);
  CHECK(p.plan.returned_lines == 2);
  CHECK(rejected_lines(p.plan) == std::vector<std::uint32_t>{8, 10, 11, 12});
  CHECK(p.plan.rejected[0].why == "a negative price: -9.50");
}

TEST_CASE(
    "retail plan: lines that cannot be read are rejected with their number, the others go on") {
  auto p = planned(
      "1,A,x,1,2011-08-31 11:25:00,1,,UK\n"
      "1,A,x,one,2011-08-31 11:25:00,1,,UK\n"                   // 3
      "1,A,x,1,31/08/2011,1,,UK\n"                              // 4
      "1,A,x,1,2011-08-31 11:25:00,1e3,,UK\n"                   // 5
      "1,a/b,x,1,2011-08-31 11:25:00,1,,UK\n"                   // 6
      "1,A,x,1,2011-08-31 11:25:00,1,,UK,more\n"                // 7
      "1,A,x\"y,1,2011-08-31 11:25:00,1,,UK\n"                  // 8
      "1 2,A,x,1,2011-08-31 11:25:00,1,,UK\n"                   // 9
      "1,A,x,1,2011-08-31 11:25:00,1,17 850,UK\n"               // 10
      "1,A,\xFF,1,2011-08-31 11:25:00,1,,UK\n"                  // 11
      "1,A,x,1000001,2011-08-31 11:25:00,1,,UK\n"               // 12
      "1,A,x,1,2011-08-31 11:25:00,10000000000,,UK\n"           // 13
      "1,,x,1,2011-08-31 11:25:00,1,,UK\n"                      // 14
      "1,A,x,1000000,2011-08-31 11:25,9999999999.999999,,UK\n"  // 15: 10^16 fits no 64 bits of
                                                                // millionths
      "1,A,x,1000000,2011-08-31 11:25,1,,UK\n");                // 16: the most pieces
  CHECK(rejected_lines(p.plan) ==
        std::vector<std::uint32_t>{3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15});
  CHECK(p.plan.rejected[12].why == "an amount too large");
  CHECK(p.plan.order_lines == 2);
}

TEST_CASE("retail plan: an invoice may have 2000 lines and not one more") {
  std::string lines;
  for (int i = 0; i < 2'001; ++i) lines += "1,A,x,1,2011-08-31 11:25:00,1,,UK\n";
  auto p = planned(lines);
  REQUIRE(p.plan.orders.size() == 1);
  CHECK(p.plan.orders[0].lines.size() == 2'000);
  CHECK(rejected_lines(p.plan) == std::vector<std::uint32_t>{2'002});
}

TEST_CASE(
    "retail plan: a return goes back to the customer's latest earlier order with enough pieces") {
  auto p = planned(
      "1,A,x,5,2011-01-01 10:00:00,9,100,UK\n"
      "2,A,x,1,2011-01-02 10:00:00,3,100,UK\n"
      "3,A,x,9,2011-01-03 10:00:00,2,200,UK\n"      // another customer's
      "C4,A,x,-1,2011-01-05 10:00:00,9,100,UK\n"    // more than a piece of order 2 cost: order 1
      "C5,A,x,-1,2011-01-05 10:00:00,3,100,UK\n"    // order 2
      "C5,A,x,-1,2011-01-05 10:00:00,3,100,UK\n"    // order 2 has none left out: order 1
      "6,A,x,5,2011-01-06 10:00:00,2,100,UK\n"      // too late for all
      "C7,A,x,-2,2011-01-05 10:00:00,2,,UK\n"       // a guest
      "C8,B,y,-1,2011-01-05 10:00:00,2,100,UK\n");  // never bought
  const auto& returns = p.plan.returns;
  REQUIRE(returns.size() == 5);
  CHECK(returns[0].order == 0);
  CHECK(returns[1].order == 1);
  CHECK(returns[2].order == 0);
  CHECK(returns[2].invoice == returns[1].invoice);
  CHECK(returns[3].order == no_order);
  CHECK(returns[4].order == no_order);
  CHECK(returns[3].lines[0].quantity == 2);
  CHECK(to_decimal(p.product("B").price) == "2.00");  // never sold: what it came back for
}

TEST_CASE("retail plan: a return prefers the order with its price") {
  auto p = planned(
      "1,A,x,5,2011-01-01 10:00:00,2,100,UK\n"
      "2,A,x,5,2011-01-02 10:00:00,3,100,UK\n"
      "C3,A,x,-1,2011-01-03 10:00:00,2,100,UK\n"
      "C4,A,x,-1,2011-01-03 10:00:00,1,100,UK\n");
  REQUIRE(p.plan.returns.size() == 2);
  CHECK(p.plan.returns[0].order == 0);
  CHECK(p.plan.returns[1].order == 1);  // no order has it: the latest
}

TEST_CASE("retail plan: opening stock is exactly what is short, adjustments first, then sales") {
  const std::string down = "1,A,lost,-4,2011-01-01 10:00:00,0,,UK\n",
                    up = "2,A,found,6,2011-01-01 10:00:00,0,,UK\n";
  const std::string sale = "3,A,x,5,2011-01-01 10:00:00,1,100,UK\n",
                    back = "C4,A,x,-5,2011-01-02 10:00:00,1,100,UK\n";
  CHECK(planned(down).product("A").opening == 4);
  CHECK(planned(up).product("A").opening == 0);
  CHECK(planned(sale).product("A").opening == 5);
  CHECK(planned(up + sale).product("A").opening == 0);
  CHECK(planned(down + up + sale).product("A").opening == 4);
  CHECK(planned(up + down + sale).product("A").opening == 3);
  CHECK(planned(sale + back + sale).product("A").opening == 10);  // returns come in last
}

TEST_CASE(
    "retail plan: a product has the name it was sold under most often, and its latest price") {
  auto p = planned(
      "1,A, RED MUG ,1,2011-01-01 10:00:00,1,,UK\n"
      "2,A,RED MUG,1,2011-01-01 10:00:00,2.5,,UK\n"
      "3,A,BLUE MUG,1,2011-01-01 10:00:00,1.5,,UK\n"
      "4,A,check,-1,2011-01-01 10:00:00,0,,UK\n"
      "5,A,check,-1,2011-01-01 10:00:00,0,,UK\n"
      "6,A,check,-1,2011-01-01 10:00:00,0,,UK\n"
      "7,a,damages,-1,2011-01-01 10:00:00,0,,UK\n"
      "8,C,,1,2011-01-01 10:00:00,1,,UK\n");
  CHECK(p.product("A").name == "RED MUG");
  CHECK(to_decimal(p.product("A").price) == "1.50");
  CHECK(p.product("a").name == "damages");  // another SKU: letters differ by case
  CHECK(p.product("C").name == "C");
}

TEST_CASE(
    "retail plan: adjustments of one SKU in one invoice are told apart, and the fingerprint "
    "follows them") {
  const std::string one = "1,A,lost,-4,2011-01-01 10:00:00,0,,UK\n",
                    other = "2,A,lost,-4,2011-01-01 10:00:00,0,,UK\n";
  auto twice = planned(one + one + other);
  REQUIRE(twice.product("A").adjustments.size() == 3);
  CHECK(twice.product("A").adjustments[0].repeat == 0);
  CHECK(twice.product("A").adjustments[1].repeat == 1);
  CHECK(twice.product("A").adjustments[2].repeat == 0);
  CHECK(planned(one).product("A").fingerprint == planned(one).product("A").fingerprint);
  CHECK(planned(one).product("A").fingerprint != planned(one + one).product("A").fingerprint);
  CHECK(planned(one).product("A").fingerprint != planned(other).product("A").fingerprint);
}

TEST_CASE("retail plan: a file with other columns is no such file") {
  RetailReader reader;
  reader.take({.line = 1, .fields = {"InvoiceNo", "StockCode"}, .wrong = {}});
  CHECK(reader.wrong().starts_with("line 1: no column Description"));
}

TEST_CASE("retail plan: a code that is no country's rejects its line, UK and EL are GB and GR") {
  auto p = planned(
      "1,A,Apple,2,2011-08-31 11:26:00,1.50,17850,UK\n"
      "2,A,Apple,2,2011-08-31 11:26:00,1.50,17851,el\n"
      "3,A,Apple,2,2011-08-31 11:26:00,1.50,17852,ZZ\n"
      "4,A,Apple,2,2011-08-31 11:26:00,1.50,17853,\n"
      "5,A,Apple,2,2011-08-31 11:26:00,1.50,17854,RSA\n"
      "6,A,Apple,2,2011-08-31 11:26:00,1.50,17855,fr\n");
  REQUIRE(p.plan.orders.size() == 5);
  std::vector<std::string> countries;
  for (const auto& order : p.plan.orders)
    countries.push_back(p.data.countries.text(p.data.invoice[order.invoice].country));
  CHECK(countries == std::vector<std::string>{"GB", "GR", "", "RSA", "fr"});
  REQUIRE(p.plan.rejected.size() == 1);
  CHECK(p.plan.rejected[0] ==
        Rejection{4, "Country \"ZZ\" is not a country code of ISO 3166-1; the nearest is ZA"});
}

TEST_CASE("retail plan: the names of Online Retail II, and names that are mapped, are known too") {
  const auto read = [](const std::string& text, RetailOptions options = {}) {
    RetailReader reader(std::move(options));
    CsvReader csv([&](const CsvRecord& record) { reader.take(record); });
    csv.feed(text);
    csv.finish();
    return reader;
  };
  auto second = read(
      "Invoice,StockCode,Description,Quantity,InvoiceDate,Price,Customer ID,Country\n"
      "489434,85048,LIGHTS,12,2009-12-01 07:45:00,6.95,13085.0,United Kingdom\n");
  CHECK(second.wrong().empty());
  const RetailData data = second.take_data();
  REQUIRE(data.lines.size() == 1);
  CHECK(data.lines[0].price == Micros{6'950'000});
  CHECK(data.customers.text(0) == "13085");
  CHECK(data.invoice[0].at == UnixMs{1'259'653'500'000});

  auto mapped = read(
      "Beleg,StockCode,Description,Quantity,InvoiceDate,Netto,CustomerID,Country\n"
      "1,A,x,1,01.12.2009 7:45,\"6,95\",,DE\n1,B,x,1,12/13/2009 7:45,\"6,95\",,DE\n"
      "1,C,x,1,01.12.2009 7:45,\"1,234\",,DE\n",
      {.renamed = {{"InvoiceNo", "Beleg"}, {"UnitPrice", "netto"}},
       .dates = DateFormat(DateFormat::Order::day_first)});
  CHECK(mapped.wrong().empty());
  const RetailData german = mapped.take_data();
  REQUIRE(german.lines.size() == 1);
  CHECK(german.lines[0].price == Micros{6'950'000});
  CHECK(german.invoice[0].at == UnixMs{1'259'653'500'000});
  REQUIRE(german.rejected.size() == 2);
  CHECK(german.rejected[0].why.starts_with("InvoiceDate is no time such as 31.08.2011 11:25"));
  CHECK(german.rejected[1].why.starts_with("UnitPrice is no amount"));

  CHECK(read("Invoice\n", {.renamed = {{"Price", "x"}}}).wrong() ==
        "--map: there is no column Price of Online Retail");
  CHECK(read("InvoiceNo\n", {.renamed = {{"InvoiceNo", "Beleg"}}})
            .wrong()
            .starts_with("line 1: no column Beleg"));
}

TEST_CASE("retail plan: texts are cut at a character, never within one") {
  CHECK(utf8_prefix("abc", 3) == "abc");
  CHECK(utf8_prefix("ab\xC3\xA9", 3) == "ab");
  CHECK(utf8_prefix("ab\xC3\xA9", 4) == "ab\xC3\xA9");
}
