#include "gateway/api/commands/command.h"

#include <doctest/doctest.h>

#include "gateway/api/commands/json.h"
#include "tests/api/fixtures.h"

using namespace souk;
using namespace souk::test;

namespace {

constexpr std::uint32_t shards = 64;

struct Builder {
  MemoryVault vault;
  CountingRandomness randomness;
  CommandReader reader;
  CommandBuilder builder{vault, randomness, shards};
  Problem problem;

  PreparedCommand build(const std::string& line, const Conditions& conditions = {}) {
    auto prepared = try_build(line, conditions);
    CAPTURE(problem.detail);
    REQUIRE(prepared.has_value());
    return std::move(*prepared);
  }
  std::optional<PreparedCommand> try_build(const std::string& line,
                                           const Conditions& conditions = {}) {
    const std::string padded = line + std::string(64, '\0');
    const CommandShape* shape = nullptr;
    CommandInput input;
    PreparedCommand out;
    problem = {};
    if (!reader.read_line(std::string_view(padded).substr(0, line.size()), shape, input, problem) ||
        !builder.build(*shape, input, conditions, out, problem))
      return std::nullopt;
    return out;
  }
};

Conditions keyed(std::string_view key) {
  Conditions conditions;
  conditions.key = key;
  return conditions;
}

std::string with_user(const std::string& start, const UserId& user) {
  return start + R"(,"user_id":")" + user.text() + "\"}";
}

const std::string lines =
    R"(,"lines":[{"sku":"a","quantity":1,"unit_price":{"amount":"1","currency":"GBP"}}])";

}  // namespace

TEST_CASE(
    "ids: the same key makes the same user, cart, order and return, each on a shard that there "
    "is") {
  Builder one, other;
  const auto user = [](Builder& b, std::string_view key) {
    return std::get<RegisterUser>(
               b.build(R"({"command":"register_user","email":"a@b"})", keyed(key)).request.op)
        .user;
  };
  const auto cart = [](Builder& b, std::string_view key) {
    return std::get<OpenCart>(b.build(R"({"command":"open_cart"})", keyed(key)).request.op).cart;
  };
  const auto order = [](Builder& b, std::string_view key) {
    return std::get<PlaceOrder>(
               b.build(R"({"command":"place_order","lines":[{"sku":"a","quantity":1}],)"
                       R"("payment":{"method":"simulated"}})",
                       keyed(key))
                   .request.op)
        .order;
  };
  const auto accepted = [](Builder& b, std::string_view key) {
    return std::get<AcceptReturn>(
               b.build(R"({"command":"accept_return")" + lines + "}", keyed(key)).request.op)
        .order;
  };
  for (const auto* key : {"a", "b", "another one"}) {
    CHECK(user(one, key) == user(other, key));
    CHECK(cart(one, key) == cart(other, key));
    CHECK(order(one, key) == order(other, key));
    CHECK(accepted(one, key) == accepted(other, key));
    CHECK(cart(one, key).shard().value < shards);
    CHECK(cart(one, key).raw != user(one, key).raw);
    CHECK(order(one, key) != accepted(one, key));
  }
  CHECK(cart(one, "a") != cart(one, "b"));
}

TEST_CASE("ids: without a key every creation is another one") {
  Builder b;
  std::set<CartId> carts;
  std::set<std::uint16_t> on;
  for (int i = 0; i < 200; ++i) {
    const auto cart = std::get<OpenCart>(b.build(R"({"command":"open_cart"})").request.op).cart;
    carts.insert(cart);
    on.insert(cart.shard().value);
    CHECK(cart.shard().value < shards);
  }
  CHECK(carts.size() == 200);
  CHECK(on.size() > shards / 2);
}

TEST_CASE(
    "ids: what is made for a user is on the user's shard, and its key is bound on the key's own") {
  Builder b;
  const auto cart = b.build(with_user(R"({"command":"open_cart")", some_user()), keyed("k"));
  CHECK(std::get<OpenCart>(cart.request.op).cart.shard() == some_user().shard());
  REQUIRE(cart.request.bind.has_value());
  CHECK(cart.request.bind->shard().value < shards);
  // Where a guest would have made a cart with it.
  const auto guest = b.build(R"({"command":"open_cart"})", keyed("k"));
  CHECK(cart.request.bind->raw == std::get<OpenCart>(guest.request.op).cart.raw);
  // The same key for another user must meet at the same bound key.
  auto raw = some_user().raw;
  raw.bytes[1] = 12;
  const auto other = b.build(with_user(R"({"command":"open_cart")", UserId{raw}), keyed("k"));
  CHECK(other.request.bind == cart.request.bind);
  CHECK(other.request.request_hash != cart.request.request_hash);
  const auto accepted =
      b.build(with_user(R"({"command":"accept_return")" + lines, some_user()), keyed("k"));
  CHECK(accepted.request.bind != cart.request.bind);
  CHECK_FALSE(
      b.build(with_user(R"({"command":"open_cart")", some_user())).request.bind.has_value());
  CHECK_FALSE(b.build(R"({"command":"open_cart"})", keyed("k")).request.bind.has_value());
}

TEST_CASE(
    "ids: the order of a check-out follows from the cart and the key, and lives on the cart's "
    "shard") {
  Builder b;
  const auto line = R"({"command":"check_out","cart_id":")" + some_cart().text() +
                    R"(","payment":{"method":"simulated"}})";
  const auto order = [&](const Conditions& c) {
    return std::get<CheckOut>(b.build(line, c).request.op).order;
  };
  CHECK(order(keyed("k")) == order(keyed("k")));
  CHECK(order(keyed("k")) != order(keyed("l")));
  CHECK(order({}) != order({}));
  CHECK(order(keyed("k")).shard() == some_cart().shard());
  CHECK(order({}).shard() == some_cart().shard());
}

TEST_CASE("keys: the hash of a request tells other bodies, other commands and nothing else") {
  Builder b;
  const auto cart = R"(,"cart_id":")" + some_cart().text() + "\"";
  const auto hash = [&](const std::string& line, const Conditions& c) {
    const auto prepared = b.build(line, c);
    CHECK(prepared.request.key_hash != 0);
    return prepared.request.request_hash;
  };
  const auto add = hash(R"({"command":"add_item","sku":"a","quantity":1)" + cart + "}", keyed("k"));
  CHECK(add != 0);
  CHECK(add ==
        hash(R"({"quantity":1)" + cart + R"(,"command":"add_item","sku":"a","prefer":"minimal"})",
             keyed("k")));
  CHECK(add != hash(R"({"command":"add_item","sku":"a","quantity":2)" + cart + "}", keyed("k")));
  CHECK(add != hash(R"({"command":"set_item","sku":"a","quantity":1)" + cart + "}", keyed("k")));
  const auto unkeyed = b.build(R"({"command":"add_item","sku":"a","quantity":1)" + cart + "}");
  CHECK(unkeyed.request.key_hash == 0);
  CHECK(unkeyed.request.request_hash == 0);
  CHECK(unkeyed.request.cause != b.build(R"({"command":"open_cart"})").request.cause);
}

TEST_CASE(
    "ids: one of a shard that there is not names nothing in a path and is invalid in a body") {
  Builder b;
  Id128 far;
  far.bytes[1] = 64;
  CHECK_FALSE(b.try_build(R"({"command":"ship_order","order_id":")" + OrderId{far}.text() + "\"}")
                  .has_value());
  CHECK(b.problem.status == 404);
  CHECK_FALSE(b.try_build(with_user(R"({"command":"open_cart")", UserId{far})).has_value());
  CHECK(b.problem.status == 422);
  CHECK(b.problem.path == "user_id");
  far.bytes[1] = 63;
  CHECK(b.try_build(R"({"command":"ship_order","order_id":")" + OrderId{far}.text() + "\"}")
            .has_value());
}

TEST_CASE("email: case makes no other address, and its hash carries its shard") {
  MemoryVault vault;
  CHECK(email_hash(vault, "A.b@Example.ORG", shards) ==
        email_hash(vault, "a.b@example.org", shards));
  CHECK(email_hash(vault, "a@b", shards) != email_hash(vault, "a@c", shards));
  CHECK(email_hash(vault, "a@b", shards).shard().value < shards);
}

TEST_CASE("sealing: personal data waits beside its command, for the key of whom it belongs to") {
  Builder b;
  const auto user =
      b.build(R"({"command":"register_user","email":"A@b","name":"Zo","country":"GB"})");
  REQUIRE(user.seal.has_value());
  const auto& registered = std::get<RegisterUser>(user.request.op);
  CHECK(user.seal->person == EntityKey(registered.user));
  CHECK(user.seal->email == "A@b");
  CHECK(user.seal->name == "Zo");
  CHECK(registered.sealed_email.bytes.empty());
  CHECK(registered.country == "GB");

  const auto path = R"(,"user_id":")" + some_user().text() + "\"}";
  CHECK_FALSE(b.build(R"({"command":"update_user","country":"FR")" + path).seal.has_value());
  CHECK(b.build(R"({"command":"update_user","name":"New")" + path).seal->name == "New");

  const auto paid = R"("payment":{"method":"simulated"},"shipping_address":{"a": 1})";
  const auto order =
      std::string(R"({"command":"place_order","lines":[{"sku":"a","quantity":1}],)") + paid;
  CHECK(b.build(with_user(order, some_user())).seal->person == EntityKey(some_user()));
  const auto guest = b.build(order + "}");
  CHECK(guest.seal->person == EntityKey(std::get<PlaceOrder>(guest.request.op).order));
  CHECK(guest.seal->address == R"({"a":1})");
  const auto out =
      b.build(R"({"command":"check_out","cart_id":")" + some_cart().text() + "\"," + paid + "}");
  CHECK(out.seal->person == EntityKey(std::get<CheckOut>(out.request.op).order));
}

TEST_CASE("commands: every member arrives where it belongs") {
  Builder b;
  const auto put = b.build(
      R"({"command":"put_product","sku":"S 1","name":"N","description":"D\n","brand":"B","category":["x","y"],)"
      R"("price":{"amount":"1.25","currency":"EUR"},"attributes":{"z":"1","a":"2"},"active":false})");
  const auto& product = std::get<PutProduct>(put.request.op);
  CHECK(product.sku.text() == "S 1");
  CHECK(product.definition.category == std::vector<std::string>{"x", "y"});
  CHECK(product.definition.price.amount == Micros{1'250'000});
  CHECK(product.definition.price.currency.text() == "EUR");
  REQUIRE(product.definition.attributes.size() == 2);
  CHECK(product.definition.attributes[0].name == "a");  // sorted
  CHECK_FALSE(product.definition.active);
  CHECK(put.request.wants == Wants::body);
  const auto variant = b.build(
      R"({"command":"put_product","sku":"S 2","name":"N","price":{"amount":"1","currency":"EUR"},)"
      R"("images":["https://a/1","https://a/2"],"barcode":"96385074","group":"S",)"
      R"("options":{"Size":"M","Colour":"red"},"attributes":{"z":"1"}})");
  const auto& shown = std::get<PutProduct>(variant.request.op).definition;
  CHECK(shown.images == std::vector<std::string>{"https://a/1", "https://a/2"});
  CHECK(shown.barcode == "96385074");
  CHECK(shown.group == "S");
  CHECK(shown.options == std::vector<Attribute>{{"Colour", "red"}, {"Size", "M"}});
  CHECK(shown.attributes == std::vector<Attribute>{{"z", "1"}});

  const auto order = R"(,"order_id":")" + some_order().text() + "\"}";
  const auto back = b.build(R"({"command":"return_order","lines":[{"sku":"a","quantity":2}],)"
                            R"("occurred_at":"2011-08-31T10:25:00Z")" +
                            order);
  const auto& returned = std::get<ReturnOrder>(back.request.op);
  CHECK(returned.order == some_order());
  REQUIRE(returned.lines.size() == 1);
  CHECK(returned.lines[0].quantity == 2);
  CHECK_FALSE(returned.lines[0].unit_price.has_value());
  CHECK(returned.occurred_at == UnixMs{1314786300000});
  CHECK_FALSE(
      std::get<RefundOrder>(b.build(R"({"command":"refund_order")" + order).request.op).amount);
  CHECK(std::get<RefundOrder>(
            b.build(R"({"command":"refund_order","amount":{"amount":"3","currency":"GBP"})" + order)
                .request.op)
            .amount->amount == Micros{3'000'000});

  Conditions conditions;
  conditions.wants = Wants::minimal;
  conditions.preconditions = if_version(3);
  const auto ship = b.build(R"({"command":"ship_order")" + order, conditions);
  REQUIRE(ship.request.preconditions);
  CHECK(ship.request.preconditions->matches == std::vector<Version>{3});
  CHECK(ship.request.wants == Wants::minimal);
  CHECK(b.build(R"({"command":"open_cart"})", conditions).request.wants == Wants::body);
}

TEST_CASE("commands: long texts have line feeds, countries their codes") {
  Builder b;
  const std::string price = R"("price":{"amount":"1","currency":"GBP"})";
  const auto product = b.build(R"({"command":"put_product","sku":"A","name":"x",)" + price +
                               R"(,"description":"a\r\nb\rc"})");
  CHECK(std::get<PutProduct>(product.request.op).definition.description == "a\nb\nc");
  const auto user = b.build(R"({"command":"register_user","email":"a@b","country":"deu"})");
  CHECK(std::get<RegisterUser>(user.request.op).country == "DE");
  const auto order = [&](const std::string& country) {
    return b.try_build(R"({"command":"place_order","lines":[{"sku":"a","quantity":1}],)"
                       R"("payment":{"method":"simulated"},"shipping_address":{"country":")" +
                       country + "\"}}");
  };
  for (const auto& [given, kept] : {std::pair{"gb", "GB"}, std::pair{"USA", "USA"},
                                    std::pair{"EIRE", "EIRE"}, std::pair{"", ""}})
    CHECK(std::get<PlaceOrder>(order(given)->request.op).country == kept);
  CHECK_FALSE(order("UK").has_value());
  CHECK(b.problem.path == "shipping_address.country");
}

TEST_CASE("commands: a SKU with a blank at its end is only that of a product that is there") {
  Builder b;
  const auto put = [&](const std::string& sku, const Conditions& conditions = {}) {
    return b.build(R"({"command":"put_product","sku":")" + sku +
                       R"(","name":"x","price":{"amount":"1","currency":"GBP"}})",
                   conditions);
  };
  CHECK_FALSE(put("A B").creates_nothing);
  CHECK(put("A B").request.preconditions == nullptr);
  for (const char* sku : {"A ", " A", R"(A\u00a0)", R"(\u200bA)"}) {
    const auto spared = put(sku);
    CHECK(spared.creates_nothing);
    REQUIRE(spared.request.preconditions != nullptr);
    CHECK(spared.request.preconditions->match == Preconditions::Of::any);
  }
  Conditions known;
  known.preconditions = if_version(3);
  CHECK_FALSE(put("A ", known).creates_nothing);  // it must be there anyway
  CHECK(put("A ", known).request.preconditions->matches == std::vector<Version>{3});
}
