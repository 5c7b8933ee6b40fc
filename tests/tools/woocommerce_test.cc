#include "tests/tools/product_files.h"

using namespace souk::cli;

namespace {

const std::string shop =
    "ID,Type,SKU,\"GTIN, UPC, EAN, or ISBN\",Name,Published,Short description,Description,"
    "Date sale price ends,In stock?,Stock,Sale price,Regular price,Categories,Tags,Images,Parent,"
    "Attribute 1 name,Attribute 1 value(s),Attribute 2 name,Attribute 2 value(s)\n"
    "1,variable,TEE,,Tee,1,,<p>Soft</p>,,1,,,,\"Clothing, Clothing > Tops > Tees, Sale\",new,"
    "\"https://x/1.jpg, https://x/2.jpg\",,Size,\"S, M\",Colour,Red\n"
    "2,variation,TEE-S,4006381333931,Tee - S,1,,,,1,5,,\"15,00\",,,https://x/s.jpg,TEE,Size,S,"
    "Colour,\n"
    "3,variation,,,,1,,,,1,parent,\"12,50\",\"15,00\",,,,id:1,Size,M,,\n"
    "4,\"virtual, simple\",BOOK,,Book,-1,In short,,2026-12-01,0,,\"8,00\",\"9,90\","
    "\"Books > Sci\\, Fi\",,,,Pages,200,,\n"
    "5,grouped,SET,,Set,1,,,,1,,,,,,,,,,,\n"
    "6,external,EXT,,Ext,1,,,,1,,,\"5,00\",,,,,,,,\n"
    "7,variation,LOST,,Lost,1,,,,1,,,\"5,00\",,,,NONE,Size,S,,\n"
    "8,bundle,B,,Bundle,1,,,,1,,,\"5,00\",,,,,,,,\n"
    "9,simple,,,Unpriced,1,,,,1,,,,,,,,,,,\n";

}  // namespace

TEST_CASE("woocommerce: variations become products of their parent's group") {
  const auto file = read_file(shop, {.currency = "EUR"});
  CHECK(file.format == "woocommerce");
  CHECK(file.decimal == ',');
  REQUIRE(file.rows.size() == 3);
  const Json small = product(file, "TEE-S");
  CHECK(small["name"].text() == "Tee - S");
  CHECK(small["description"].text() == "Soft");
  CHECK(small["price"].money() == "15.00 EUR");
  CHECK(small["barcode"].text() == "4006381333931");
  CHECK(small["group"].text() == "TEE");
  CHECK(named(small["options"]) == "Size=S");
  CHECK(named(small["attributes"]) == "Tags=new");
  CHECK(list(small["category"]) == "Clothing|Tops|Tees");
  CHECK(list(small["images"]) == "https://x/s.jpg|https://x/1.jpg|https://x/2.jpg");
  CHECK(file.rows[0].stock == 5);
  // Without SKU and name of its own; its parent is named by its id.
  const Json medium = product(file, "TEE-M");
  CHECK(medium["name"].text() == "Tee");
  CHECK(medium["price"].money() == "12.50 EUR");
  CHECK(medium["group"].text() == "TEE");
}

TEST_CASE("woocommerce: a simple product has attributes, and texts where it has any") {
  const Json book = product(read_file(shop), "BOOK");
  CHECK(book["description"].text() == "In short");
  CHECK(book["active"].text() == "false");
  CHECK(named(book["attributes"]) == "Pages=200");
  CHECK(list(book["category"]) == "Books|Sci, Fi");
  CHECK(book["group"].is_null());
  CHECK(book["price"].money() == "9.90 GBP");  // the sale ends
}

TEST_CASE("woocommerce: what is no product to sell is told as skipped, with its line") {
  const auto file = read_file(shop);
  REQUIRE(file.skipped.size() == 3);
  CHECK(file.skipped[0].line == 2);
  CHECK(file.skipped[0].why == "variable: its variations are what is sold");
  CHECK(file.skipped[1].line == 6);
  CHECK(file.skipped[2].why == "external: another shop sells it");
  REQUIRE(file.rejected.size() == 3);
  CHECK(file.rejected[0].why == "its Parent is not in the file: NONE");
  CHECK(file.rejected[1].why.starts_with("Type is none of simple"));
  CHECK(file.rejected[2].why == "price: it is empty");
}

TEST_CASE("woocommerce: which of several categories is taken is said, and what stock is missing") {
  std::string notes;
  for (const Rejection& note : read_file(shop).notes)
    notes += std::to_string(note.line) + " " + note.why + "\n";
  CHECK(notes.find("3 of 3 categories: Clothing > Tops > Tees\n") != std::string::npos);
  CHECK(notes.find("4 in stock, but the file does not say how many") != std::string::npos);
  CHECK(notes.find("5 the sale price 8,00 holds for some days only") != std::string::npos);
}

TEST_CASE("woocommerce: a variation of a parent that is not published is not on sale") {
  const auto file = read_file(
      "Type,SKU,Name,Published,Regular price,Parent,Attribute 1 name,Attribute 1 value(s)\n"
      "variable,P,Parent,0,,,Size,S\nvariation,P-S,Small,1,5,P,Size,S\n");
  CHECK(product(file, "P-S")["active"].text() == "false");
}
