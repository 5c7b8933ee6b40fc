#include "tools/souk/client/json.h"

#include <doctest/doctest.h>

#include "tools/souk/client/api_client.h"

using namespace souk::cli;

TEST_CASE("json: a document reads into a tree, and what is not there is null") {
  const auto document = Json::parse(
      R"({"a":{"amount":"12.50","currency":"GBP"},"n":18446744073709551615,"i":-7,"l":[1,"x",true,null]})");
  REQUIRE(document);
  CHECK((*document)["a"].money() == "12.50 GBP");
  CHECK((*document)["n"].text() == "18446744073709551615");
  CHECK((*document)["i"].integer() == -7);
  REQUIRE((*document)["l"].items().size() == 4);
  CHECK((*document)["l"].items()[1].text() == "x");
  CHECK((*document)["l"].items()[2].text() == "true");
  CHECK((*document)["l"].items()[3].is_null());
  CHECK((*document)["no"]["such"]["thing"].is_null());
  CHECK((*document)["l"].integer() == 0);
}

TEST_CASE("json: text that is no document is nothing") {
  for (const char* text : {"", "{", "{}x", "{\"a\":}", "nonsense"})
    CHECK(!Json::parse(text).has_value());
}

TEST_CASE("json: strings are written so that they read back") {
  const std::string odd = "a\"b\\c\n\x01 \xC3\xA9 \x7f";
  const auto back = Json::parse(json_string(odd));
  REQUIRE(back);
  CHECK(back->text() == odd);
}

TEST_CASE("json: objects are built member by member, empty optional ones left out") {
  CHECK(JsonObject{}.done() == "{}");
  CHECK(JsonObject{}.text("a", "x\"y").optional_text("b", "").raw("c", "[1]").done() ==
        R"({"a":"x\"y","c":[1]})");
}

TEST_CASE("json: answers of a batch are read in their order, with what each is about") {
  BatchAnswerReader reader;
  const auto answers = reader.read(
      "{\"status\":201,\"body\":{\"cart_id\":\"c1\"},\"position\":\"1:2\",\"replayed\":true}\n"
      "{\"status\":409,\"body\":{\"code\":\"out_of_stock\",\"detail\":\"none left\"}}\n"
      "{\"status\":200,\"body\":{\"order_id\":\"o1\",\"status\":\"rejected\",\"reason\":"
      "\"expired\"}}\n"
      "{\"status\":204,\"position\":\"1:3\"}\n",
      "cart_id");
  REQUIRE(answers);
  REQUIRE(answers->size() == 4);
  CHECK((*answers)[0].id == "c1");
  CHECK((*answers)[0].replayed);
  CHECK((*answers)[1].code == "out_of_stock");
  CHECK((*answers)[1].detail == "none left");
  CHECK_FALSE((*answers)[1].replayed);
  CHECK((*answers)[2].id.empty());
  CHECK((*answers)[2].order_status == "rejected");
  CHECK((*answers)[2].code == "expired");
  CHECK((*answers)[3].status == 204);
}

TEST_CASE("json: an answer to a batch that is cut off or no answer is nothing") {
  BatchAnswerReader reader;
  CHECK(!reader.read("{\"status\":200}\n{\"status\":2", "").has_value());
  CHECK(!reader.read("{\"state\":200}\n", "").has_value());
  CHECK(!reader.read("{\"status\":\"200\"}\n", "").has_value());
  CHECK(!reader.read("[]\n", "").has_value());
  CHECK(reader.read("", "")->empty());
  CHECK(reader.read("{\"status\":200}\n", "")->size() == 1);  // and it still works afterwards
}

TEST_CASE("json: a long batch is read whole") {
  std::string lines;
  for (int i = 0; i < 50'000; ++i)
    lines += "{\"status\":200,\"position\":\"" + std::to_string(i) + "\"}\n";
  BatchAnswerReader reader;
  CHECK(reader.read(lines, "")->size() == 50'000);
}
