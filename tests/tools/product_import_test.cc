#include "tools/souk/import/product_import.h"

#include <doctest/doctest.h>

using namespace souk::cli;

namespace {

ProductReader read(const std::string& text, std::map<std::string, std::string> renamed = {}) {
  ProductReader reader(std::move(renamed), "GBP");
  CsvReader csv([&](const CsvRecord& record) { reader.take(record); });
  csv.feed(text);
  csv.finish();
  return reader;
}

}  // namespace

TEST_CASE("product file: a row becomes the members of put_product") {
  const auto reader = read(
      "sku,name,description,brand,category,price,currency,active,stock\n"
      "M-1,\"Mug \"\"x\"\"\",,Acme,Home > Kitchen,7.5,EUR,false,12\n"
      "M-2,Bowl,Round,,,3,,,\n");
  REQUIRE(reader.wrong().empty());
  REQUIRE(reader.rows().size() == 2);
  CHECK(reader.rows()[0].members ==
        R"(,"name":"Mug \"x\"","brand":"Acme","category":["Home","Kitchen"],)"
        R"("price":{"amount":"7.50","currency":"EUR"},"active":false)");
  CHECK(reader.rows()[0].stock == 12);
  CHECK(reader.rows()[1].members ==
        R"(,"name":"Bowl","description":"Round","price":{"amount":"3.00","currency":"GBP"})");
  CHECK(reader.rows()[1].stock == 0);
}

TEST_CASE("product file: other columns are attributes where that is asked for") {
  ProductReader reader({}, "GBP", ProductReader::Others::attributes);
  CsvReader csv([&](const CsvRecord& record) { reader.take(record); });
  csv.feed("sku,colour,name,price,size\nA,red,Mug,1,XL\nB,,Bowl,1,\n");
  csv.finish();
  REQUIRE(reader.rows().size() == 2);
  CHECK(reader.rows()[0].members.ends_with(R"(,"attributes":{"colour":"red","size":"XL"})"));
  CHECK(reader.rows()[1].members.find("attributes") == std::string::npos);
}

TEST_CASE("product file: bad rows are rejected with their line, good ones are kept") {
  const auto reader = read(
      "sku,name,price,stock,active,currency\n"
      "A,Good,1,,,\n"
      ",No sku,1,,,\n"
      "B,,1,,,\n"
      "C,No price,x,,,\n"
      "D,Negative,-1,,,\n"
      "E,Stock,1,1000001,,\n"
      "F,Active,1,,yes,\n"
      "G,Currency,1,,,gbp\n"
      "H,Short\n"
      "I,\xFF,1,,,\n"
      "J,Good,1,1000000,true,GBP\n");
  CHECK(reader.rows().size() == 2);
  REQUIRE(reader.rejected().size() == 9);
  for (std::size_t i = 0; i < 9; ++i) CHECK(reader.rejected()[i].line == i + 3);
}

TEST_CASE("product file: unknown columns are refused unless they are mapped") {
  CHECK(
      read("sku,name,price,colour\n").wrong().starts_with("line 1: the column colour is none of"));
  CHECK(read("sku,name\n").wrong() == "line 1: no column price");
  CHECK(read("sku,name,price,name\n").wrong().starts_with("line 1: the column name is none of"));
  const auto mapped = read("Article,name,Net\nA,x,2\n", {{"sku", "Article"}, {"price", "Net"}});
  REQUIRE(mapped.rows().size() == 1);
  CHECK(mapped.rows()[0].sku == "A");
  CHECK(read("sku,name,price\n", {{"brand", "Maker"}}).wrong() ==
        "--map: the file has no column Maker");
  CHECK(read("sku,name,price,x\n", {{"colour", "x"}}).wrong() ==
        "--map: there is no member colour of a product");
}
