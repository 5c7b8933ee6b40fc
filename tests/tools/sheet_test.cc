#include "tools/souk/import/sheet.h"

#include <doctest/doctest.h>

using namespace souk::cli;

TEST_CASE("sheet: the delimiter is the one that the header has most of, outside of quotes") {
  CHECK(guess_delimiter("sku,name,price\n1;2;3;4;5\n") == ',');
  CHECK(guess_delimiter("sku;name;\"price, net, old, new\"\n") == ';');
  CHECK(guess_delimiter("id\ttitle\tprice\n") == '\t');
  CHECK(guess_delimiter("\n\nsku|name\n") == '|');
  CHECK(guess_delimiter("sep=;\nsku,a,b,c\n") == ';');
  CHECK(guess_delimiter("sku") == ',');
}

TEST_CASE("sheet: a declared delimiter is no header, rows know their lines and what is wrong") {
  const auto sheet =
      read_sheet("sep=;\r\nsku; name \r\nA;\"two\r\nlines\"\r\nB\r\n\"C\"x;y\r\n", 0);
  REQUIRE(sheet);
  CHECK(sheet->columns == std::vector<std::string>{"sku", "name"});
  REQUIRE(sheet->rows.size() == 3);
  CHECK(sheet->rows[0].line == 3);
  CHECK(sheet->rows[0].cells[1] == "two\r\nlines");
  CHECK(sheet->rows[1].line == 5);
  CHECK(sheet->rows[1].wrong == "1 fields instead of 2");
  CHECK(sheet->rows[2].wrong == "text behind a closing quote");
}

TEST_CASE("sheet: between tabs a quote within a field is a letter") {
  const auto sheet = read_sheet("id\ttitle\nA\t27\" screen\nB\t\"in \"\"quotes\"\"\"\n", 0);
  REQUIRE(sheet);
  REQUIRE(sheet->rows.size() == 2);
  CHECK(sheet->rows[0].cells[1] == "27\" screen");
  CHECK(sheet->rows[1].cells[1] == "in \"quotes\"");
}

TEST_CASE("sheet: columns are found whatever their case; one that is used must not stand twice") {
  const auto sheet = read_sheet("SKU,Name,name,other\n", 0);
  REQUIRE(sheet);
  Columns columns(*sheet);
  CHECK(columns.find({"article", "sku"}) == 0);
  CHECK(columns.wrong().empty());
  CHECK(columns.find("none") == Columns::none);
  CHECK(columns.find("name") == 1);
  CHECK(columns.wrong() == "line 1: the column Name stands twice");
  CHECK(columns.unused() == std::vector<std::string>{"name", "other"});
}

TEST_CASE("sheet: nothing is no sheet") {
  const auto empty = read_sheet("\n\n", 0);
  REQUIRE_FALSE(empty);
  CHECK(empty.error().message == "the file is empty");
}
