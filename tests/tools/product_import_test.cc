#include <rapidcheck.h>

#include "tests/tools/product_files.h"
#include "tools/souk/import/product_preview.h"

using namespace souk::cli;

TEST_CASE("product file: a row becomes the members of put_product") {
  const auto file = read_file(
      "sku,name,description,brand,category,price,currency,active,stock\n"
      "M-1,\"Mug \"\"x\"\"\",,Acme,Home > Kitchen,7.5,EUR,false,12\n"
      "M-2,Bowl,Round,,,3,,,\n");
  CHECK(file.format == "csv");
  REQUIRE(file.rows.size() == 2);
  CHECK(file.rows[0].members ==
        R"(,"name":"Mug \"x\"","brand":"Acme","category":["Home","Kitchen"],)"
        R"("price":{"amount":"7.50","currency":"EUR"},"active":false)");
  CHECK(file.rows[0].stock == 12);
  CHECK(file.rows[1].members ==
        R"(,"name":"Bowl","description":"Round","price":{"amount":"3.00","currency":"GBP"})");
  CHECK(file.rows[1].stock == 0);
}

TEST_CASE("product file: images, barcode, group, options and attributes have columns") {
  const auto file = read_file(
      "sku,name,price,images,barcode,group,option:Size,attribute:Care\n"
      "A,Shirt,1,https://x/1.jpg https://x/a b.jpg?c=1,4006381333931,shirt,M,cold\n"
      "B,Cap,1,,,,,\n");
  const Json shirt = product(file, "A");
  CHECK(list(shirt["images"]) == "https://x/1.jpg|https://x/a%20b.jpg?c=1");
  CHECK(shirt["barcode"].text() == "4006381333931");
  CHECK(shirt["group"].text() == "shirt");
  CHECK(named(shirt["options"]) == "Size=M");
  CHECK(named(shirt["attributes"]) == "Care=cold");
  CHECK(product(file, "B").members().size() == 2);
}

TEST_CASE("product file: it is known whether a currency had to be assumed") {
  CHECK(read_file("sku,name,price\nA,a,1\n").currency_assumed);
  CHECK_FALSE(read_file("sku,name,price\nA,a,1\n", {.currency = "EUR"}).currency_assumed);
  CHECK_FALSE(read_file("sku,name,price\nA,a,1 EUR\n").currency_assumed);
  CHECK_FALSE(read_file("sku,name,price,currency\nA,a,1,EUR\n").currency_assumed);
}

TEST_CASE("product file: other columns are attributes where that is asked for") {
  const auto file = read_file("sku,colour,name,price,size\nA,red,Mug,1,XL\nB,,Bowl,1,\n",
                              {.other_columns_are_attributes = true});
  CHECK(named(product(file, "A")["attributes"]) == "colour=red|size=XL");
  CHECK(product(file, "B")["attributes"].is_null());
}

TEST_CASE("product file: bad rows are rejected with their line and why, good ones are kept") {
  const auto file = read_file(
      "sku,name,price,stock,active,currency\n"
      "A,Good,1,,,\n"
      ",No sku,1,,,\n"
      "B,,1,,,\n"
      "C,No price,x,,,\n"
      "D,Negative,-1,,,\n"
      "E,Stock,1,1000001,,\n"
      "F,Active,1,,perhaps,\n"
      "G,Currency,1,,,GBQ\n"
      "H,Short\n"
      "A,Twice,1,,,\n"
      "K,None,,,,\n"
      "J,Good,1,1000000,Yes,gbp\n");
  CHECK(file.rows.size() == 2);
  const std::string whys[] = {"sku: no SKU: \"\"",
                              "name: it is empty",
                              "price: no amount: \"x\"",
                              "price: less than nothing: \"-1\"",
                              "stock: wanted 0 to 1000000, got \"1000001\"",
                              "active: neither yes nor no: \"perhaps\"",
                              "currency: GBQ is no currency of ISO 4217; the nearest is GBP",
                              "2 fields instead of 6",
                              "sku: A stands in line 2 already",
                              "price: it is empty"};
  REQUIRE(file.rejected.size() == std::size(whys));
  for (std::size_t i = 0; i < std::size(whys); ++i) {
    CHECK(file.rejected[i].line == i + 3);
    CHECK(file.rejected[i].why == whys[i]);
  }
}

TEST_CASE("product file: a row that is not UTF-8 in a file that is, is rejected alone") {
  const auto file = read_file("sku,name,price\nA,t\xC3\xA9,1\nB,\xC3\xA8,1\nC,\xFF,1\n");
  CHECK(file.encoding == "UTF-8");
  CHECK(file.rows.size() == 2);
  REQUIRE(file.rejected.size() == 1);
  CHECK(file.rejected[0].line == 4);
}

TEST_CASE("product file: unknown columns are refused unless they are mapped") {
  CHECK(why_not("sku,name,price,colour\n").starts_with("line 1: the column colour is none of"));
  CHECK(why_not("sku,name\n") == "line 1: no column price");
  CHECK(why_not("sku,name,price,Name\n") == "line 1: the column name stands twice");
  const auto mapped =
      read_file("Article;Title;Regular price\nA;x;2,50\n",
                {.renamed = {{"sku", "Article"}, {"name", "title"}, {"price", "Regular price"}}});
  CHECK(product(mapped, "A")["price"].money() == "2.50 GBP");
  CHECK(why_not("sku,name,price\n", {.renamed = {{"brand", "Maker"}}}) ==
        "--map: the file has no column Maker");
  CHECK(why_not("sku,name,price,x\n", {.renamed = {{"colour", "x"}}}) ==
        "--map: there is no member colour of a product");
}

TEST_CASE("product file: the column of prices decides what 1,234 is") {
  const auto told = read_file("sku;name;price\nA;a;1.234\nB;b;12,50 EUR\nC;c;1.234,00\n");
  CHECK(told.decimal == ',');
  CHECK(product(told, "A")["price"].money() == "1234.00 GBP");
  CHECK(product(told, "B")["price"].money() == "12.50 EUR");
  const auto unclear = read_file("sku,name,price\nA,a,\"1,234\"\nB,b,5\n");
  CHECK(unclear.rows.size() == 1);
  REQUIRE(unclear.rejected.size() == 1);
  CHECK(unclear.rejected[0].why.starts_with("price: \"1,234\" may mean 1234 or 1.234"));
  const auto said = read_file("sku,name,price\nA,a,\"1,234\"\n", {.decimal = '.'});
  CHECK(product(said, "A")["price"].money() == "1234.00 GBP");
}

TEST_CASE("product file: what cannot be kept as it is, is told and the product taken") {
  const auto file = read_file(
      "sku,name,price,barcode,images,stock,description\n"
      "A,a,1,4006381333932,ftp://x/y,-3,\"" +
      std::string(17'000, 'x') + "\"\n");
  CHECK(product(file, "A")["description"].text().size() == 16 * 1024);
  REQUIRE(file.notes.size() == 4);
  CHECK(file.notes[0].why == "description: 16384 of its 17000 bytes are taken");
  CHECK(file.notes[1].why ==
        "barcode \"4006381333932\" is left out: it has the wrong check digit: 2, where 1 would be "
        "right");
  CHECK(file.notes[2].why == "image \"ftp://x/y\" is left out: it is no http or https address");
  CHECK(file.notes[3].why == "stock -3 is taken as none");
}

TEST_CASE("product file: yes and no are said in many ways") {
  for (const char* yes : {"TRUE", "yes", "1", "published", "Active"})
    CHECK(parse_truth(yes) == true);
  for (const char* no : {"False", "no", "0", "-1", "draft", "archived"})
    CHECK(parse_truth(no) == false);
  CHECK_FALSE(parse_truth("").has_value());
  CHECK_FALSE(parse_truth("perhaps").has_value());
}

TEST_CASE("product file: a SKU that is made stays within its limits and stays the same") {
  CHECK(as_sku("shirt-M/L red") == "shirt-M-L red");
  const std::string whole(64, 'x');
  CHECK(as_sku(whole) == whole);
  CHECK(as_sku(whole + "a").size() == 64);
  CHECK(as_sku(whole + "a") != as_sku(whole + "b"));
  CHECK(as_sku(whole + "a") == std::string(55, 'x') + "-9b2af02c");
}

TEST_CASE("product file: of several paths the deepest is taken, the first of equals") {
  using Steps = std::vector<std::string>;
  CHECK(deepest_path({"A", "B > C", "D>E"}) == Steps{"B", "C"});
  CHECK(deepest_path({"", " > "}).empty());
}

TEST_CASE("product file: addresses may have commas of their own") {
  CHECK(addresses_of("https://x/a,b.jpg, http://y/c.jpg|//z/d.jpg\nhttps://w") ==
        std::vector<std::string>{"https://x/a,b.jpg", "http://y/c.jpg", "//z/d.jpg", "https://w"});
  CHECK(addresses_of("").empty());
}

TEST_CASE("product file: a workbook is told from text") {
  CHECK(why_not("PK\x03\x04...").starts_with("this is a workbook (xlsx)"));
  CHECK(why_not("") == "the file is empty");
}

TEST_CASE("product file: whatever the bytes, each row is told of once and what is taken is JSON") {
  static const std::string headers[] = {
      "sku,name,price,stock,active,images,barcode,group,option:Size\n",
      "Handle,Title,Variant Price,Option1 Name,Option1 Value,Variant SKU,Image Src,Body (HTML)\n",
      "ID,Type,SKU,Name,Regular price,Parent,Categories,Attribute 1 name,Attribute 1 value(s)\n",
      "id\ttitle\tprice\titem_group_id\tproduct_detail\tcolor\n", "<rss><channel><item>"};
  static const std::string pieces[] = {",",
                                       "\t",
                                       "\n",
                                       "\r\n",
                                       "\"",
                                       "\"\"",
                                       "A",
                                       "B",
                                       "1",
                                       "1.5",
                                       "1,234",
                                       "12,50 EUR",
                                       "$",
                                       "'",
                                       " ",
                                       ">",
                                       "<b>",
                                       "&amp;",
                                       "&#x",
                                       "simple",
                                       "variation",
                                       "id:1",
                                       "https://x/",
                                       "\xC3\xA9",
                                       "\xFF",
                                       "\\",
                                       ":",
                                       "</item><item>",
                                       "<g:id>",
                                       "</g:id>",
                                       "<title>",
                                       "</title>",
                                       "4006381333931",
                                       "true",
                                       "-1"};
  CHECK(rc::check([](const std::vector<std::uint8_t>& chosen, std::uint8_t format) {
    std::string text = headers[format % std::size(headers)];
    for (const std::uint8_t one : chosen) text += pieces[one % std::size(pieces)];
    const auto file = read_product_file(text, {});
    if (!file) return;
    RC_ASSERT(file->rows.size() + file->rejected.size() + file->skipped.size() + file->merged ==
              file->lines);
    for (const ProductRow& row : file->rows)
      RC_ASSERT(Json::parse("{" + row.members.substr(1) + "}").has_value());
  }));
}

TEST_CASE("product preview: what the daemon would refuse is found without one") {
  auto file =
      read_file("sku,name,price\nA,a,1\nB,b,99999999999\nC," + std::string(513, 'x') + ",1\n");
  REQUIRE(file.rows.size() == 3);
  check_as_the_daemon(file);
  CHECK(file.rows.size() == 1);
  REQUIRE(file.rejected.size() == 2);
  CHECK(file.rejected[0].why.starts_with("422 invalid_request: price.amount must be"));
  CHECK(file.rejected[1].line == 4);
  const auto json = Json::parse(preview_json(file));
  REQUIRE(json);
  CHECK((*json)["lines"].integer() == 3);
  CHECK((*json)["products"].integer() == 1);
  CHECK((*json)["rejected"].integer() == 2);
  CHECK((*json)["rejected_rows"].items()[1]["line"].integer() == 4);
  CHECK((*json)["first"].items()[0]["price"].money() == "1.00 GBP");
  CHECK(preview_text(file).find("products to take") != std::string::npos);
}
