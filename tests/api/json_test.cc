#include "gateway/api/commands/json.h"

#include <doctest/doctest.h>

#include "events/limits.h"
#include "gateway/api/edge/limits.h"
#include "tests/api/fixtures.h"

using namespace souk;

namespace {

struct Read {
  bool good = false;
  Problem problem;
  CommandInput input;
  std::string padded;  // the texts of `input` may point into it
};

CommandReader& reader() {
  static CommandReader one;
  return one;
}

Read read(Action action, const std::string& body) {
  Read r;
  r.padded = body;
  r.padded.append(64, '\0');
  // What the path says is there already.
  for (const auto& field : shape_of(action).fields)
    if (field.place == Place::path) r.input.fields.set(field.id, {"x", 0});
  r.good = reader().read_body(shape_of(action), std::string_view(r.padded).substr(0, body.size()),
                              r.input, r.problem);
  return r;
}

void refused(Action action, const std::string& body, int status, std::string_view code,
             std::string_view path = {}) {
  CAPTURE(body.substr(0, 120));
  const auto r = read(action, body);
  CHECK_FALSE(r.good);
  CHECK(r.problem.status == status);
  CHECK(r.problem.code == code);
  if (!path.empty()) CHECK(r.problem.path == path);
  CHECK_FALSE(r.problem.detail.empty());
}

std::string nested(int depth) {
  return std::string(static_cast<std::size_t>(depth), '[') +
         std::string(static_cast<std::size_t>(depth), ']');
}

}  // namespace

TEST_CASE("json: what is not JSON is invalid_json") {
  const auto bad = [](const std::string& body) {
    refused(Action::add_item, body, 400, "invalid_json");
  };
  bad("");
  bad("   ");
  bad("{");
  bad("{}x");
  bad("{} {}");
  bad("{nonsense");
  bad("\xef\xbb\xbf{}");
  bad(R"({"sku":"a","sku":"b","quantity":1})");
  bad("{\"sku\":\"\xff\",\"quantity\":1}");
  bad("{\"sku\":\"\xed\xa0\x80\",\"quantity\":1}");
  bad("{\"sku\":\"\xc0\xaf\",\"quantity\":1}");
  bad(R"({"sku":"\ud800","quantity":1})");
  bad(R"({"sku":"\udc00","quantity":1})");
  bad(R"({"sku":"\udc00\udc00","quantity":1})");
  bad(R"({"sku":"\ud800\u0041","quantity":1})");
  bad(R"({"sku":"\ud800\ud800","quantity":1})");
  bad(R"({"sku":"a","quantity":01})");
  bad(R"({"sku":"a","quantity":+1})");
  bad(R"({"sku":"a","quantity":1,})");
  bad(R"({'sku':'a'})");
  bad(R"({"sku":"a","quantity":NaN})");
  bad(nested(5000));
  bad(std::string("{\"sku\":\"a\0\",\"quantity\":1}", 25));
}

TEST_CASE("json: 32 levels are read and 33 are not, whatever is in the last") {
  const auto body = [](int depth) { return "{\"surprise\":" + nested(depth - 1) + "}"; };
  refused(Action::add_item, body(32), 422, "invalid_request", "surprise");
  refused(Action::add_item, body(33), 400, "invalid_json");
  const auto filled = [](int depth) {
    const auto levels = static_cast<std::size_t>(depth - 1);
    return "{\"surprise\":" + std::string(levels, '[') + "1" + std::string(levels, ']') + "}";
  };
  refused(Action::add_item, filled(32), 422, "invalid_request", "surprise");
  refused(Action::add_item, filled(33), 400, "invalid_json");
  const auto address = [](int depth) {
    const auto levels = static_cast<std::size_t>(depth - 2);
    return R"({"payment":{"method":"simulated"},"shipping_address":{"a":)" +
           std::string(levels, '[') + std::string(levels, ']') + "}}";
  };
  CHECK(read(Action::check_out, address(32)).good);
  refused(Action::check_out, address(33), 400, "invalid_json");
}

TEST_CASE(
    "json: a member that stands twice makes it invalid_json, wherever and whatever else is wrong") {
  const auto bad = [](Action action, const std::string& body) {
    refused(action, body, 400, "invalid_json");
  };
  bad(Action::add_item, R"({"sku":"a","quantity":0,"surprise":{"a":1,"a":2}})");
  bad(Action::add_item, R"({"quantity":"x","sku":"a","sku":"a"})");
  bad(Action::add_item,
      R"({"sku":"a","quantity":1,"unit_price":{"amount":"1","amount":"1","currency":"GBP"}})");
  bad(Action::check_out, R"({"payment":{"method":"simulated","method":"simulated"}})");
  bad(Action::check_out,
      R"({"payment":{"method":"simulated"},"shipping_address":{"a":[{"b":1,"b":2}]}})");
  bad(Action::put_product,
      R"({"name":"x","price":{"amount":"1","currency":"GBP"},"attributes":{"a":"1","a":"2"}})");
  bad(Action::place_order,
      R"({"lines":[{"sku":"a","sku":"a","quantity":1}],"payment":{"method":"simulated"}})");
}

TEST_CASE("json: JSON of the wrong shape is invalid_request and its path names the member") {
  const auto bad = [](const std::string& body, std::string_view path = {}) {
    refused(Action::add_item, body, 422, "invalid_request", path);
  };
  bad("[]");
  bad("null");
  bad("7");
  bad("\"text\"");
  bad("{}", "sku");
  bad(R"({"quantity":1})", "sku");
  bad(R"({"sku":"a"})", "quantity");
  bad(R"({"sku":"a","quantity":0})", "quantity");
  bad(R"({"sku":"a","quantity":-1})", "quantity");
  bad(R"({"sku":"a","quantity":1.5})", "quantity");
  bad(R"({"sku":"a","quantity":2.0000000000000000001})", "quantity");
  bad(R"({"sku":"a","quantity":1e7})", "quantity");
  bad(R"({"sku":"a","quantity":1e-1})", "quantity");
  bad(R"({"sku":"a","quantity":"1"})", "quantity");
  bad(R"({"sku":"a","quantity":null})", "quantity");
  bad(R"({"sku":"a","quantity":true})", "quantity");
  bad(R"({"sku":"a","quantity":1000001})", "quantity");
  bad(R"({"sku":"a","quantity":9223372036854775808})", "quantity");
  bad(R"({"sku":"a","quantity":99999999999999999999})", "quantity");
  bad(R"({"sku":"a","quantity":-99999999999999999999})", "quantity");
  bad(R"({"sku":"a","quantity":1e999})", "quantity");
  bad(R"({"sku":"a","quantity":1e400})", "quantity");
  bad(R"({"sku":1e400,"quantity":2.0})", "sku");
  bad(R"({"sku":"","quantity":1})", "sku");
  bad(R"({"sku":"a/b","quantity":1})", "sku");
  bad(R"({"sku":")" + std::string(65, 'y') + R"(","quantity":1})", "sku");
  bad(R"({"sku":7,"quantity":1})", "sku");
  bad(R"({"sku":["a"],"quantity":1})", "sku");
  bad(R"({"sku":"a\u0000","quantity":1})", "sku");
  bad(R"({"sku":"a\u007f","quantity":1})", "sku");
  bad(R"({"sku":"a","quantity":1,"surprise":1})", "surprise");
  bad(R"({"sku":"a","quantity":1,"cart_id":"c"})", "cart_id");  // stands in the path
}

TEST_CASE("json: money is a decimal text with a currency, within its limits") {
  const auto body = [](const std::string& money) {
    return R"({"sku":"a","quantity":1,"unit_price":)" + money + "}";
  };
  const auto bad = [&](const std::string& money, std::string_view path) {
    refused(Action::add_item, body(money), 422, "invalid_request", path);
  };
  bad(R"({"amount":"1.0000001","currency":"GBP"})", "unit_price.amount");
  bad(R"({"amount":"-1","currency":"GBP"})", "unit_price.amount");
  bad(R"({"amount":"-0.000001","currency":"GBP"})", "unit_price.amount");
  bad(R"({"amount":"1e3","currency":"GBP"})", "unit_price.amount");
  bad(R"({"amount":"+1","currency":"GBP"})", "unit_price.amount");
  bad(R"({"amount":"","currency":"GBP"})", "unit_price.amount");
  bad(R"({"amount":1,"currency":"GBP"})", "unit_price.amount");
  bad(R"({"amount":"10000000000","currency":"GBP"})", "unit_price.amount");
  bad(R"({"amount":"1","currency":"gbp"})", "unit_price.currency");
  bad(R"({"amount":"1","currency":"GB"})", "unit_price.currency");
  bad(R"({"amount":"1"})", "unit_price.currency");
  bad(R"({"currency":"GBP"})", "unit_price.amount");
  bad(R"({"amount":"1","currency":"GBP","tax":"0"})", "unit_price.tax");
  bad(R"("1")", "unit_price");
  bad("1", "unit_price");

  const auto most =
      read(Action::add_item, body(R"({"amount":"9999999999.999999","currency":"GBP"})"));
  REQUIRE(most.good);
  CHECK(most.input.fields.at(FieldId::unit_price).number == limits::price_micros_max);
  CHECK(most.input.fields.at(FieldId::unit_price).text == "GBP");
  const auto none = read(Action::add_item, body(R"({"amount":"0","currency":"GBP"})"));
  REQUIRE(none.good);
  CHECK(none.input.fields.at(FieldId::unit_price).number == 0);
}

TEST_CASE("json: a good body is read as it was written") {
  const auto r =
      read(Action::add_item, R"( {"quantity":1000000,"sku":"B\u00c4NK \ud83d\udc19 \"x\" \\"} )");
  REQUIRE(r.good);
  CHECK(r.input.fields.at(FieldId::sku).text == "BÄNK 🐙 \"x\" \\");
  CHECK(r.input.fields.at(FieldId::quantity).number == 1'000'000);
  CHECK_FALSE(r.input.fields.has(FieldId::unit_price));
}

TEST_CASE("json: the longest legal texts pass and one byte more does not") {
  const auto product = [](const std::string& member, const std::string& value) {
    return R"({"name":"x","price":{"amount":"1","currency":"GBP"},")" + member + "\":" + value +
           "}";
  };
  const auto quoted = [](std::size_t size) { return "\"" + std::string(size, 'x') + "\""; };
  const std::pair<std::string, std::size_t> texts[] = {
      {"description", limits::description_bytes_max}, {"brand", limits::brand_bytes_max}};
  for (const auto& [member, size] : texts) {
    CHECK(read(Action::put_product, product(member, quoted(size))).good);
    refused(Action::put_product, product(member, quoted(size + 1)), 422, "invalid_request", member);
  }
  const auto levels = [](std::size_t count) {
    std::string all = "[\"a\"";
    for (std::size_t i = 1; i < count; ++i) all += ",\"a\"";
    return all + "]";
  };
  CHECK(read(Action::put_product, product("category", levels(limits::category_depth_max))).good);
  refused(Action::put_product, product("category", levels(limits::category_depth_max + 1)), 422,
          "invalid_request", "category");
  refused(Action::put_product, product("category", "[\"a\",7]"), 422, "invalid_request",
          "category[1]");
  refused(Action::put_product, product("category", "[\"a\",\"\"]"), 422, "invalid_request",
          "category[1]");
  refused(Action::put_product, product("attributes", "{\"a\":1}"), 422, "invalid_request",
          "attributes.a");
  refused(Action::put_product, product("active", "1"), 422, "invalid_request", "active");
  refused(Action::put_product, product("brand", R"("a\nb")"), 422, "invalid_request", "brand");
  refused(Action::put_product, product("description", R"("a\u0001b")"), 422, "invalid_request",
          "description");
  CHECK(read(Action::put_product, product("description", R"("a\r\n\tb")")).good);
}

TEST_CASE("json: images, barcode, group and options are checked to their limits") {
  const auto body = [](const std::string& members) {
    return R"({"name":"x","price":{"amount":"1","currency":"GBP"},)" + members + "}";
  };
  const auto good = [&](const std::string& members) {
    CAPTURE(members.substr(0, 120));
    CHECK(read(Action::put_product, body(members)).good);
  };
  const auto bad = [&](const std::string& members, std::string_view path) {
    refused(Action::put_product, body(members), 422, "invalid_request", path);
  };
  const auto images = [](std::size_t count) {
    std::string all = R"("images":["https://a/1")";
    for (std::size_t i = 1; i < count; ++i) all += R"(,"HTTP://a/)" + std::to_string(i) + "\"";
    return all + "]";
  };
  good(images(limits::images_max));
  bad(images(limits::images_max + 1), "images");
  const std::string longest = "https://a/" + std::string(limits::image_bytes_max - 10, 'x');
  good(R"("images":[")" + longest + "\"]");
  bad(R"("images":[")" + longest + "x\"]", "images[0]");
  for (const char* image : {"ftp://a/1", "https://", "https:///x", "a.jpg", "", "https://a/b c",
                            "https://a/b\\n", "https://a/\xC2\x80"})
    bad(R"("images":["https://a/1",")" + std::string(image) + "\"]", "images[1]");
  bad(R"("images":"https://a/1")", "images");
  bad(R"("images":[7])", "images[0]");

  for (const char* barcode : {"96385074", "036000291452", "4006381333931", "10614141000415"})
    good(R"("barcode":")" + std::string(barcode) + "\"");
  for (const char* barcode : {"", "400638133393", "40063813339310", "400638133393x", " 96385074"})
    bad(R"("barcode":")" + std::string(barcode) + "\"", "barcode");
  CHECK(read(Action::put_product, body(R"("barcode":"4006381333932")")).problem.detail ==
        "has the wrong check digit: 2, where 1 would be right");

  good(R"("group":")" + std::string(limits::group_bytes_max, 'x') + "\"");
  bad(R"("group":")" + std::string(limits::group_bytes_max + 1, 'x') + "\"", "group");
  bad(R"("group":"")", "group");
  bad(R"("group":"a/b")", "group");

  const auto options = [](std::size_t count) {
    std::string all;
    for (std::size_t i = 0; i < count; ++i)
      all += (i == 0 ? "\"" : ",\"") + std::to_string(i) + R"(":"x")";
    return R"("group":"g","options":{)" + all + "}";
  };
  good(options(limits::options_max));
  bad(options(limits::options_max + 1), "options");
  good(R"("options":{})");
  bad(R"("options":{"Size":"M"})", "options");
  bad(R"("group":"g","options":{"Size":")" +
          std::string(limits::attribute_value_bytes_max + 1, 'x') + "\"}",
      "options.Size");
  refused(Action::put_product, body(R"("group":"g","options":{"a":"1","a":"2"})"), 400,
          "invalid_json");
}

TEST_CASE("json: lists of lines say which line is wrong") {
  const auto order = [](const std::string& lines) {
    return R"({"lines":)" + lines + R"(,"payment":{"method":"simulated"}})";
  };
  refused(Action::place_order, order("[]"), 422, "invalid_request", "lines");
  refused(Action::place_order, order(R"([{"sku":"a","quantity":1},{"sku":"b","quantity":0}])"), 422,
          "invalid_request", "lines[1].quantity");
  refused(Action::place_order, order(R"([{"sku":"a","quantity":1},{"sku":"b"}])"), 422,
          "invalid_request", "lines[1].quantity");
  refused(Action::place_order, order(R"([{"sku":"a","quantity":1,"unit_price":{}}])"), 422,
          "invalid_request", "lines[0].unit_price");
  refused(Action::place_order, order(R"([7])"), 422, "invalid_request", "lines[0]");
  refused(Action::return_order,
          R"({"lines":[{"sku":"a","quantity":1,"unit_price":{"amount":"x","currency":"GBP"}}]})",
          422, "invalid_request", "lines[0].unit_price.amount");
  refused(Action::accept_return, R"({"lines":[{"sku":"a","quantity":1}]})", 422, "invalid_request",
          "lines[0].unit_price");
  refused(Action::accept_return,
          R"({"lines":[{"sku":"a","quantity":1,"unit_price":{"amount":"1","currency":"GBP"}},)"
          R"({"sku":"a","quantity":1,"unit_price":{"amount":"1","currency":"EUR"}}]})",
          422, "invalid_request", "lines[1].unit_price.currency");
  const auto many = [&](std::size_t count) {
    std::string lines = R"([{"sku":"a","quantity":1})";
    for (std::size_t i = 1; i < count; ++i) lines += R"(,{"sku":"a","quantity":1})";
    return order(lines + "]");
  };
  const auto most = read(Action::place_order, many(limits::cart_lines_max));
  CHECK(most.good);
  CHECK(most.input.lines.size() == limits::cart_lines_max);
  refused(Action::place_order, many(limits::cart_lines_max + 1), 422, "invalid_request", "lines");
}

TEST_CASE("json: payments, addresses, times and emails are checked") {
  refused(Action::check_out, "{}", 422, "invalid_request", "payment");
  refused(Action::check_out, R"({"payment":{}})", 422, "invalid_request", "payment.method");
  refused(Action::check_out, R"({"payment":{"method":"cash"}})", 422, "invalid_request",
          "payment.method");
  refused(Action::check_out, R"({"payment":{"method":"simulated","token":"\u00e9"}})", 422,
          "invalid_request", "payment.token");
  refused(Action::check_out, R"({"payment":{"method":"simulated"},"shipping_address":"here"})", 422,
          "invalid_request", "shipping_address");
  refused(Action::check_out,
          R"({"payment":{"method":"simulated"},"shipping_address":{"a":")" +
              std::string(4096, 'x') + "\"}}",
          422, "invalid_request", "shipping_address");
  refused(Action::check_out, R"({"payment":{"method":"simulated"},"occurred_at":"yesterday"})", 422,
          "invalid_request", "occurred_at");
  const auto good = read(Action::check_out, R"({"payment":{"method":"simulated","token":"slow:5"},
      "shipping_address":{"street": "1 A St", "no": 5, "tags": [true, null]},
      "occurred_at":"2011-08-31T11:25:00+01:00"})");
  REQUIRE(good.good);
  CHECK(good.input.address == R"({"street":"1 A St","no":5,"tags":[true,null]})");
  CHECK(good.input.fields.at(FieldId::token).text == "slow:5");
  CHECK(good.input.fields.at(FieldId::occurred_at).number == 1314786300000);
  for (const std::string email : {"", "a", "@b", "a@", "a@b@c", "a b@c", "a@b\\u0000"})
    refused(Action::register_user, R"({"email":")" + email + "\"}", 422, "invalid_request",
            "email");
  CHECK(read(Action::register_user, R"({"email":")" + std::string(252, 'a') + "@b\"}").good);
  refused(Action::register_user, R"({"email":")" + std::string(253, 'a') + "@b\"}", 422,
          "invalid_request", "email");
  refused(Action::update_user, "{}", 422, "invalid_request");
  refused(Action::adjust_stock, R"({"delta":0,"reason":"x"})", 422, "invalid_request", "delta");
  refused(Action::refund_order, R"({"amount":{"amount":"0","currency":"GBP"}})", 422,
          "invalid_request", "amount.amount");
  refused(Action::open_cart, R"({"user_id":"u123"})", 422, "invalid_request", "user_id");
}

TEST_CASE(
    "json: a batch line holds the path's parameters, the body's members and the common ones") {
  const auto cart = test::some_cart().text();
  const CommandShape* shape = nullptr;
  CommandInput input;
  Problem problem;
  const auto line = [&](const std::string& text) {
    static std::string padded;
    padded = text + std::string(64, '\0');
    shape = nullptr;
    problem = {};
    input.clear();
    return reader().read_line(std::string_view(padded).substr(0, text.size()), shape, input,
                              problem);
  };
  REQUIRE(line(R"({"quantity":3,"command":"add_item","sku":"a b","cart_id":")" + cart +
               R"(","idempotency_key":"k1","if_match":7,"prefer":"minimal"})"));
  CHECK(shape == &shape_of(Action::add_item));
  CHECK(input.fields.cart == test::some_cart());
  CHECK(input.fields.at(FieldId::idempotency_key).text == "k1");
  CHECK(input.fields.at(FieldId::if_match).number == 7);
  CHECK_FALSE(line(R"({"sku":"a"})"));
  CHECK(problem.path == "command");
  CHECK_FALSE(line(R"({"command":"fly"})"));
  CHECK(problem.path == "command");
  CHECK_FALSE(line(R"({"command":"add_item","sku":"a","quantity":1})"));
  CHECK(problem.path == "cart_id");
  CHECK_FALSE(line(R"({"command":"add_item","cart_id":"nocart","sku":"a","quantity":1})"));
  CHECK(problem.status == 404);
  CHECK_FALSE(line(R"({"command":"ship_order","command":"ship_order"})"));
  CHECK(problem.status == 400);
  CHECK_FALSE(line(R"({"command":"set_item","cart_id":")" + cart +
                   R"(","sku":"a","quantity":1,"idempotency_key":""})"));
  CHECK(problem.path == "idempotency_key");
  CHECK(line(R"({"command":"set_item","cart_id":")" + cart + R"(","sku":"a","quantity":0})"));
}

TEST_CASE("json: the canonical form depends on what is said, not on how it is written") {
  const auto bytes = [](Action action, const std::string& body) {
    const auto r = read(action, body);
    REQUIRE(r.good);
    return canonical_bytes(shape_of(action), r.input);
  };
  const auto one = bytes(Action::add_item, R"({"sku":"a","quantity":1})");
  CHECK(one == bytes(Action::add_item, R"( { "quantity" : 1, "sku" : "\u0061" } )"));
  CHECK(one != bytes(Action::add_item, R"({"sku":"a","quantity":2})"));
  CHECK(one != bytes(Action::add_item, R"({"sku":"b","quantity":1})"));
  const auto priced = [&](const std::string& amount) {
    return bytes(
        Action::add_item,
        R"({"sku":"a","quantity":1,"unit_price":{"currency":"GBP","amount":")" + amount + "\"}}");
  };
  CHECK(priced("1") == priced("1.00"));
  CHECK(priced("1") != priced("2"));
  CHECK(priced("0") != one);
  const auto paid = [&](const std::string& token) {
    return bytes(Action::check_out,
                 R"({"payment":{"method":"simulated","token":")" + token + "\"}}");
  };
  CHECK(paid("ok") != paid("decline"));
  const auto lines = [&](const std::string& quantity) {
    return bytes(
        Action::place_order,
        R"({"payment":{"method":"simulated"},"lines":[{"sku":"a","quantity":)" + quantity + "}]}");
  };
  CHECK(lines("1") != lines("2"));
}

TEST_CASE("json: an integer may be written as any number that is one, exactly") {
  const auto quantity = [](const std::string& text) {
    const auto r = read(Action::add_item, R"({"sku":"a","quantity":)" + text + "}");
    CAPTURE(text);
    CHECK(r.good);
    return r.input.fields.at(FieldId::quantity).number;
  };
  CHECK(quantity("2.0") == 2);
  CHECK(quantity("1e1") == 10);
  CHECK(quantity("1E+3") == 1000);
  CHECK(quantity("20e-1") == 2);
  CHECK(quantity("0.25e2") == 25);
  CHECK(quantity("1.000000000000000000000000000000") == 1);
  CHECK(quantity("1000000000000000000000e-15") == 1'000'000);
  const auto delta = read(Action::adjust_stock, R"({"delta":-3.0,"reason":"lost"})");
  REQUIRE(delta.good);
  CHECK(delta.input.fields.at(FieldId::delta).number == -3);
  // What comes again is read from its start.
  const auto order = read(Action::place_order,
                          R"({"lines":[{"sku":"a","quantity":1},{"sku":"b","quantity":2.0}],)"
                          R"("payment":{"method":"simulated"},"shipping_address":{"lat":51.5}})");
  REQUIRE(order.good);
  REQUIRE(order.input.lines.size() == 2);
  CHECK(order.input.lines[1].quantity == 2);
  CHECK(order.input.address == R"({"lat":51.5})");
}

TEST_CASE("json: a member that is null is absent, but not an element of a list") {
  const auto item = read(Action::add_item, R"({"sku":"a","quantity":1,"unit_price":null})");
  REQUIRE(item.good);
  CHECK_FALSE(item.input.fields.has(FieldId::unit_price));
  for (const std::string body :
       {R"({"sku":null,"quantity":1})", R"({"sku":"a","quantity":null})"}) {
    const auto r = read(Action::add_item, body);
    CHECK_FALSE(r.good);
    CHECK(r.problem.detail == "is missing");
  }
  refused(Action::add_item, R"({"sku":"a","quantity":1,"surprise":null})", 422, "invalid_request",
          "surprise");
  refused(Action::add_item, R"({"sku":"a","quantity":null,"quantity":1})", 400, "invalid_json");
  refused(Action::update_user, R"({"name":null})", 422, "invalid_request");
  refused(Action::place_order, R"({"lines":[null],"payment":{"method":"simulated"}})", 422,
          "invalid_request", "lines[0]");
  const auto product = [](const std::string& attributes) {
    return R"({"name":"x","price":{"amount":"1","currency":"GBP"},"category":null,"attributes":)" +
           attributes + "}";
  };
  const auto some = read(Action::put_product, product(R"({"colour":null,"size":"M"})"));
  REQUIRE(some.good);
  REQUIRE(some.input.attributes.size() == 1);
  CHECK(some.input.attributes[0].first == "size");
  refused(Action::put_product, product(R"({"size":null,"size":"M"})"), 400, "invalid_json");
  refused(Action::put_product, R"({"name":"x","price":{"amount":null,"currency":"GBP"}})", 422,
          "invalid_request", "price.amount");
}

TEST_CASE("json: what GET gave can be sent back, but not as another's") {
  const std::string product = R"({"sku":"x","name":"Tea","category":[],)"
                              R"("price":{"amount":"1.00","currency":"GBP"},"active":true,)";
  CHECK(read(Action::put_product, product + R"("available":7,"version":3})").good);
  CHECK(read(Action::put_product, product + R"("available":null,"version":"old"})").good);
  refused(Action::put_product, R"({"sku":"y","name":"x","price":{"amount":"1","currency":"GBP"}})",
          422, "invalid_request", "sku");
  refused(Action::put_product, product + R"("version":3,"version":4})", 400, "invalid_json");
  refused(Action::put_product, product + R"("version":{"a":1,"a":2}})", 400, "invalid_json");
  refused(Action::add_item, R"({"sku":"a","quantity":1,"version":3})", 422, "invalid_request",
          "version");
  CHECK(read(Action::update_user, R"({"name":"Zoe","email":null,"version":3})").good);
  const std::string line =
      R"({"command":"put_product","sku":"A","name":"x","price":{"amount":"1","currency":"GBP"},)"
      R"("available":7,"version":3})";
  std::string padded = line + std::string(64, '\0');
  const CommandShape* shape = nullptr;
  CommandInput input;
  Problem problem;
  CHECK(reader().read_line(std::string_view(padded).substr(0, line.size()), shape, input, problem));
}

TEST_CASE("json: names can be seen") {
  const auto product = [](const std::string& name) {
    return R"({"name":")" + name + R"(","price":{"amount":"1","currency":"GBP"}})";
  };
  for (const std::string name :
       {" ", "   ", "\u00a0", "\u3000", "\u200b", "\u200d\ufeff", "\u3164", "\u2028", "\u2800"})
    refused(Action::put_product, product(name), 422, "invalid_request", "name");
  for (const std::string name : {" a ", "\u8336", "🐙", "."})
    CHECK(read(Action::put_product, product(name)).good);
  refused(Action::register_user, R"({"email":"a@b","name":"\u00a0 "})", 422, "invalid_request",
          "name");
  CHECK(read(Action::register_user, R"({"email":"a@b","name":""})").good);
  refused(Action::adjust_stock, R"({"delta":1,"reason":" "})", 422, "invalid_request", "reason");
}

TEST_CASE("json: two letters are a country's code, more are a name") {
  const auto user = [](const std::string& country) {
    return R"({"email":"a@b","country":")" + country + "\"}";
  };
  for (const std::string country :
       {"GB", "gb", "Ie", "DEU", "RSA", "EIRE", "United Kingdom", "", "E"})
    CHECK(read(Action::register_user, user(country)).good);
  for (const std::string country : {"UK", "xx", "Qq"})
    refused(Action::register_user, user(country), 422, "invalid_request", "country");
  CHECK(read(Action::register_user, user("UK")).problem.detail ==
        "is not a country code of ISO 3166-1; the nearest is GB");
}
