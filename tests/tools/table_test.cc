#include "tools/souk/cli/table.h"

#include <doctest/doctest.h>

#include "tools/souk/cli/progress.h"

using namespace souk::cli;

TEST_CASE("table: columns line up, numbers to the right, no blanks at the end of a line") {
  Table table({{"SKU"}, {"PRICE", Align::right}, {"NOTE"}});
  table.add({"A", "1.50", ""});
  table.add({"LONGER", "12.345", "x"});
  CHECK(table.text() ==
        "SKU      PRICE  NOTE\n"
        "A         1.50\n"
        "LONGER  12.345  x\n");
}

TEST_CASE("table: letters beyond ASCII count once, wide ones twice, combining marks not at all") {
  CHECK(display_width("Zoë") == 3);
  CHECK(display_width("茶") == 2);
  CHECK(display_width("🐙") == 2);
  CHECK(display_width("e\xCC\x81") == 1);
  CHECK(display_width("\xF0\x9F") <= 2);  // cut off: no crash, no endless loop
  Table table({{"N"}, {"V", Align::right}});
  table.add({"Zoë", "1"});
  table.add({"茶", "22"});
  CHECK(table.text() == "N     V\nZoë   1\n茶   22\n");
}

TEST_CASE("table: facts leave out what is empty") {
  CHECK(facts_text({{"a", "1"}, {"longer", ""}, {"bc", "2"}}) == "a   1\nbc  2\n");
}

TEST_CASE("table: thousands are parted by commas") {
  CHECK(with_thousands(0) == "0");
  CHECK(with_thousands(999) == "999");
  CHECK(with_thousands(1'000) == "1,000");
  CHECK(with_thousands(541'909) == "541,909");
  CHECK(with_thousands(12'345'678'901) == "12,345,678,901");
}

TEST_CASE("progress: a bar shows share, count, rate and the time left") {
  CHECK(Progress::bar("orders", "lines", 50, 200, 10) ==
        "orders    [######..................]  25%  50 of 200 lines  5/s  0:30 left");
  CHECK(Progress::bar("orders", "lines", 0, 200, 0) ==
        "orders    [........................]   0%  0 of 200 lines");
  CHECK(Progress::bar("orders", "lines", 250, 200, 1).find("100%") != std::string::npos);
}
