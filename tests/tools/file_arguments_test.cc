#include "tools/souk/verbs/file_arguments.h"

#include <doctest/doctest.h>

using namespace souk::cli;

namespace {

Invocation said(const std::string& name, std::vector<std::string> values) {
  Invocation invocation;
  invocation.values[name] = std::move(values);
  return invocation;
}

using Map = std::map<std::string, std::string>;

}  // namespace

TEST_CASE("--map: pairs stand apart or with commas between, columns may have commas and quotes") {
  CHECK(*map_argument(said("map", {"sku=Article", "price=Net"})) ==
        Map{{"sku", "Article"}, {"price", "Net"}});
  CHECK(*map_argument(said("map", {"name=Title,price=\"Regular price\", sku=Art. No"})) ==
        Map{{"name", "Title"}, {"price", "Regular price"}, {"sku", "Art. No"}});
  CHECK(*map_argument(said("map", {"barcode=GTIN, UPC, EAN, or ISBN,sku=SKU"})) ==
        Map{{"barcode", "GTIN, UPC, EAN, or ISBN"}, {"sku", "SKU"}});
  CHECK(map_argument(said("other", {}))->empty());
  for (const char* wrong : {"sku", "=x", "sku=", "sku=\"\""}) {
    const auto refused = map_argument(said("map", {wrong}));
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == ExitCode::usage);
  }
}

TEST_CASE("--delimiter and --decimal: one of few, or nothing") {
  CHECK(*delimiter_argument(said("delimiter", {"tab"})) == '\t');
  CHECK(*delimiter_argument(said("delimiter", {"\\t"})) == '\t');
  CHECK(*delimiter_argument(said("delimiter", {";"})) == ';');
  CHECK(*delimiter_argument(said("other", {})) == '\0');
  CHECK_FALSE(delimiter_argument(said("delimiter", {"x"})));
  CHECK_FALSE(delimiter_argument(said("delimiter", {",,"})));
  CHECK(*decimal_argument(said("decimal", {","})) == ',');
  CHECK_FALSE(decimal_argument(said("decimal", {";"})));
}
