#include "tests/tools/product_files.h"
#include "tools/souk/import/product_export.h"
#include "tools/souk/import/product_formats.h"

using namespace souk::cli;

namespace {

const std::string tsv =
    "id\ttitle\tdescription\tlink\timage link\tadditional image link\tavailability\tprice\t"
    "sale price\tbrand\tgtin\titem group id\tproduct type\tgoogle product category\tcolor\tsize\t"
    "condition\tmpn\n"
    "TS-1\t27\" <b>Tee</b>\tSoft <b>and</b> warm\thttps://x/p\thttps://x/1.jpg\t"
    "https://x/2.jpg,https://x/3.jpg\tin_stock\t15.00 USD\t12.50 USD\tAcme\t4006381333931\tTEE\t"
    "Tops > Tees\t212\tRed\tM\tnew\tX1\n"
    "MUG\tMug\ta < b\t\t\t\tout_of_stock\t7 GBP\t\t\t\t\t\tHome & Garden > "
    "Kitchen\tBlue\t\tused\t\n"
    "BAD\tBad\t\t\t\t\tin_stock\t1,2,3 USD\t\t\t\t\t\t\t\t\t\t\n";

const std::string items =
    "<g:id>TS-1</g:id><g:title><![CDATA[Tee & more]]></g:title><title>Other</title>"
    "<g:price>15.00 USD</g:price><g:item_group_id>TEE</g:item_group_id><g:size>M</g:size>"
    "<g:image_link>https://x/1.jpg</g:image_link>"
    "<g:additional_image_link>https://x/2,a.jpg</g:additional_image_link>"
    "<g:additional_image_link>https://x/3.jpg</g:additional_image_link>"
    "<g:product_type>Tops &gt; Tees</g:product_type>"
    "<g:product_detail><g:section_name>General</g:section_name>"
    "<g:attribute_name>Care</g:attribute_name><g:attribute_value>cold: 30</g:attribute_value>"
    "</g:product_detail>";

void check_feed(const ProductFile& file) {
  CHECK(file.format == "merchant");
  const Json tee = product(file, "TS-1");
  CHECK(tee["name"].text() == "Tee & more");
  CHECK(tee["price"].money() == "15.00 USD");
  CHECK(tee["group"].text() == "TEE");
  CHECK(named(tee["options"]) == "Size=M");
  CHECK(named(tee["attributes"]) == "Care=cold: 30");
  CHECK(list(tee["images"]) == "https://x/1.jpg|https://x/2,a.jpg|https://x/3.jpg");
  CHECK(list(tee["category"]) == "Tops|Tees");
}

}  // namespace

TEST_CASE("merchant: the columns of a tab-separated feed arrive where they belong") {
  const auto file = read_file(tsv);
  CHECK(file.format == "merchant");
  const Json tee = product(file, "TS-1");
  CHECK(tee["name"].text() == "27\" <b>Tee</b>");
  CHECK(tee["description"].text() == "Soft and warm");
  CHECK(tee["price"].money() == "12.50 USD");
  CHECK(tee["barcode"].text() == "4006381333931");
  CHECK(tee["group"].text() == "TEE");
  CHECK(named(tee["options"]) == "Color=Red|Size=M");
  CHECK(named(tee["attributes"]) == "MPN=X1");
  CHECK(list(tee["category"]) == "Tops|Tees");
  CHECK(list(tee["images"]) == "https://x/1.jpg|https://x/2.jpg|https://x/3.jpg");
  const Json mug = product(file, "MUG");
  CHECK(mug["description"].text() == "a < b");
  CHECK(list(mug["category"]) == "Home & Garden|Kitchen");
  CHECK(named(mug["attributes"]) == "Color=Blue|Condition=used");
  REQUIRE(file.rejected.size() == 1);
  CHECK(file.rejected[0].line == 4);
}

TEST_CASE("merchant: RSS and Atom feeds are read alike") {
  check_feed(
      read_file("<?xml version=\"1.0\"?>\n<rss version=\"2.0\" "
                "xmlns:g=\"http://base.google.com/ns/1.0\"><channel><title>Shop</title>\n<item>" +
                items + "</item></channel></rss>"));
  check_feed(
      read_file("<feed xmlns=\"http://www.w3.org/2005/Atom\" "
                "xmlns:g=\"http://base.google.com/ns/1.0\"><title>Shop</title><entry>" +
                items + "</entry></feed>"));
  check_feed(read_file("<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><rss><channel><item>" +
                       items + "<g:brand>Caf\xE9</g:brand></item></channel></rss>"));
}

TEST_CASE("merchant: rows of XML have lines, and XML that is none is refused with its line") {
  const auto file = read_file(
      "<rss><channel>\n<item><id>A</id><title>a</title><price>1</price>"
      "</item>\n\n<item><id>B</id><title>b</title></item>\n</channel></rss>");
  REQUIRE(file.rejected.size() == 1);
  CHECK(file.rejected[0].line == 4);
  CHECK(why_not("<rss>\n<channel>\n</item></rss>").starts_with("line 3: no XML"));
  CHECK(why_not("<html><body/></html>").starts_with("this XML is no product feed"));
}

TEST_CASE("merchant: product details keep colons, commas and backslashes") {
  const std::vector<ProductDetail> details = {{"Options", "a:b", "1,2"}, {"", "c", "\\"}};
  CHECK(parse_product_details(product_details_text(details)) == details);
  CHECK(parse_product_details("General:Care:cold: 30,Size:M") ==
        std::vector<ProductDetail>{{"General", "Care", "cold: 30"}, {"", "Size", "M"}});
}

TEST_CASE("export: what is written reads back as the same products") {
  const std::string written =
      "sku,name,description,brand,category,price,currency,active,stock,images,barcode,group,"
      "option:Fit,option:Size,attribute:Care,attribute:Color\n"
      "A,\"Shirt, \"\"fine\"\"\",\"two\nlines\",Acme,Tops > Tees,15.00,EUR,true,7,"
      "https://x/1.jpg https://x/a%20b.jpg,4006381333931,shirt,slim,M,\"cold, 30: no\",\n"
      "B,Mug,,,,1.2500,KWD,true,0,,,,,,,blue\n";
  const auto first = read_file(written);
  REQUIRE(first.rows.size() == 2);
  std::vector<ExportedProduct> products;
  for (const ProductRow& row : first.rows)
    products.push_back(
        {*Json::parse("{\"sku\":" + json_string(row.sku) + row.members + "}"), row.stock});
  CHECK(products_as_csv(products).substr(0, 160) == written.substr(0, 160));
  for (const std::string& text :
       {products_as_csv(products), products_as_merchant_feed(products, "")}) {
    CAPTURE(text);
    const auto again = read_file(text);
    REQUIRE(again.rows.size() == 2);
    for (std::size_t i = 0; i < 2; ++i) {
      CHECK(again.rows[i].sku == first.rows[i].sku);
      CHECK(again.rows[i].stock == first.rows[i].stock);
      const Json was = product(first, first.rows[i].sku), is = product(again, first.rows[i].sku);
      for (const char* member : {"name", "description", "brand", "barcode", "group"})
        CHECK(is[member].text() == was[member].text());
      CHECK(is["price"].money() == was["price"].money());
      for (const char* member : {"category", "images"})
        CHECK(list(is[member]) == list(was[member]));
      CHECK(is["options"]["Fit"].text() == was["options"]["Fit"].text());
      CHECK(is["options"]["Size"].text() == was["options"]["Size"].text());
      CHECK(is["attributes"]["Care"].text() == was["attributes"]["Care"].text());
      CHECK(is["attributes"]["Color"].text() == was["attributes"]["Color"].text());
    }
  }
}

TEST_CASE("export: an amount of three decimals alone in its file reads back as the same") {
  const auto first = read_file("sku,name,price,currency\nA,a,1.2500,KWD\n");
  REQUIRE(first.rows.size() == 1);
  std::string members = first.rows[0].members;
  const std::size_t at = members.find("1.25\"");  // as the daemon writes it
  REQUIRE(at != std::string::npos);
  members.replace(at, 4, "1.250");
  const ExportedProduct one{*Json::parse("{\"sku\":\"A\"" + members + "}"), 0};
  for (const std::string& text : {products_as_csv({one}), products_as_merchant_feed({one}, "")}) {
    CAPTURE(text);
    CHECK(product(read_file(text), "A")["price"].money() == "1.25 KWD");
  }
}
