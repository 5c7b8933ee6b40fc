#include "tests/tools/product_files.h"

using namespace souk::cli;

namespace {

const std::string older =
    "Handle,Title,Body (HTML),Vendor,Product Category,Type,Tags,Published,Option1 Name,"
    "Option1 Value,Option2 Name,Option2 Value,Variant SKU,Variant Inventory Qty,Variant Price,"
    "Variant Barcode,Image Src,Variant Image,Status\n"
    "t-shirt,T-Shirt,<p>Soft &amp; warm</p>,Acme,Apparel > Tops,Shirt,\"red, new\",TRUE,Size,S,"
    "Color,Red,TS-S-R,5,15.00,'4006381333931,https://cdn/1.jpg,https://cdn/red.jpg,active\n"
    "t-shirt,,,,,,,,,M,,Red,,-2,16.00,,https://cdn/2.jpg,,\n"
    "t-shirt,,,,,,,,,,,,,,,,https://cdn/3.jpg,,\n"
    "mug,Mug,,Acme,,Kitchen,,FALSE,Title,Default Title,,,,,7.5,,,,active\n"
    "cap,Cap,,,,,,true,Title,Default Title,,,CAP,1,9,,,,draft\n"
    "t-shirt,,,,,,,,,L,,,,,,,,,\n"
    ",No handle,,,,,,,,,,,,,1,,,,\n";

}  // namespace

TEST_CASE("shopify: rows of a handle are variants and further images") {
  const auto file = read_file(older);
  CHECK(file.format == "shopify");
  CHECK(file.lines == 7);
  CHECK(file.merged == 1);
  REQUIRE(file.rows.size() == 4);
  const Json small = product(file, "TS-S-R");
  CHECK(small["name"].text() == "T-Shirt");
  CHECK(small["description"].text() == "Soft & warm");
  CHECK(small["brand"].text() == "Acme");
  CHECK(list(small["category"]) == "Apparel|Tops");
  CHECK(small["price"].money() == "15.00 GBP");
  CHECK(small["active"].text() == "true");
  CHECK(small["barcode"].text() == "4006381333931");
  CHECK(small["group"].text() == "t-shirt");
  CHECK(named(small["options"]) == "Size=S|Color=Red");
  CHECK(named(small["attributes"]) == "Type=Shirt|Tags=red, new");
  CHECK(list(small["images"]) ==
        "https://cdn/red.jpg|https://cdn/1.jpg|https://cdn/2.jpg|https://cdn/3.jpg");
  CHECK(file.rows[0].stock == 5);
}

TEST_CASE("shopify: a variant without SKU gets one of its handle and options, always the same") {
  const auto file = read_file(older);
  const Json medium = product(file, "t-shirt-M-Red");
  CHECK(medium["price"].money() == "16.00 GBP");
  CHECK(named(medium["options"]) == "Size=M|Color=Red");
  CHECK(medium["description"].text() == "Soft & warm");
  const Json mug = product(file, "mug");
  CHECK(mug["group"].is_null());
  CHECK(mug["options"].is_null());
  CHECK(list(mug["category"]) == "Kitchen");
}

TEST_CASE("shopify: what is not published or a draft is not on sale") {
  const auto file = read_file(older);
  CHECK(product(file, "mug")["active"].text() == "false");
  CHECK(product(file, "CAP")["active"].text() == "false");
}

TEST_CASE("shopify: rows that are nothing are rejected, stock below nothing is told") {
  const auto file = read_file(older);
  REQUIRE(file.rejected.size() == 2);
  CHECK(file.rejected[0].line == 7);
  CHECK(file.rejected[0].why == "price: it is empty");
  CHECK(file.rejected[1].line == 8);
  CHECK(file.rejected[1].why == "handle: it is empty");
  REQUIRE(file.notes.size() == 1);
  CHECK(file.notes[0].line == 3);
}

TEST_CASE("shopify: newer exports have other names for the same columns") {
  const auto file = read_file(
      "Title,URL handle,Description,Vendor,Product category,Type,Tags,Published on online store,"
      "Status,SKU,Barcode,Option1 name,Option1 value,Price,Inventory quantity,Product image URL,"
      "Variant image URL\n"
      "T-Shirt,t-shirt,<b>Soft</b>,Acme,Apparel > Tops,,,TRUE,Active,TS-S,,Size,S,15,5,"
      "https://cdn/1.jpg,\n"
      ",t-shirt,,,,,,,,TS-M,,,M,16,,,\n",
      {.currency = "EUR"});
  CHECK(file.format == "shopify");
  REQUIRE(file.rows.size() == 2);
  const Json medium = product(file, "TS-M");
  CHECK(medium["name"].text() == "T-Shirt");
  CHECK(medium["description"].text() == "Soft");
  CHECK(medium["group"].text() == "t-shirt");
  CHECK(named(medium["options"]) == "Size=M");
  CHECK(medium["price"].money() == "16.00 EUR");
  CHECK(file.rows[0].stock == 5);
}
