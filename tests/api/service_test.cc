#include "gateway/api/edge/service.h"

#include <doctest/doctest.h>

#include "tests/api/fixtures.h"

using namespace souk;
using namespace souk::test;

namespace {

const std::string cart_path = "/v1/carts/" + some_cart().text();

std::string code_of(const HttpResponse& response) {
  CHECK(response.content_type == "application/problem+json");
  const Json json(response.body);
  REQUIRE(json.good());
  CHECK(json.number("/status") == response.status);
  return json.text("/code");
}

}  // namespace

TEST_CASE("api: a command goes to the engine at the end of the poll, its answer to the client") {
  Edge edge;
  const auto exchange =
      edge.send(HttpMethod::post, cart_path + "/items", R"({"sku":"tea","quantity":2})",
                {.key = "k1", .if_match = "\"3\"", .content_type = "application/json"});
  REQUIRE(edge.engine.asked.size() == 1);
  const auto& request = edge.engine.asked[0];
  CHECK(edge.engine.command<AddItem>(0).cart == some_cart());
  CHECK(edge.engine.command<AddItem>(0).sku.text() == "tea");
  CHECK(edge.engine.command<AddItem>(0).quantity == 2);
  REQUIRE(request.preconditions);
  CHECK(request.preconditions->matches == std::vector<Version>{3});
  CHECK(request.key_hash == edge.vault.keyed_hash("k1"));
  CHECK(request.wants == Wants::body);
  CHECK(request.reply_to.who == ReplyTo::Who::client);
  CHECK_FALSE(edge.answered(exchange));
  edge.engine.answer(0, reply_of(ReplyCode::ok, some_cart(), 4, "{\"cart_id\":1}"));
  edge.wake();
  CHECK(edge.answer(exchange).status == 200);
  CHECK(edge.answer(exchange).body == "{\"cart_id\":1}");
  CHECK(edge.answer(exchange).etag == 4);
  CHECK(edge.answer(exchange).position == "7:42");
  CHECK(edge.common.metrics().counted(Action::add_item, static_cast<std::size_t>(ReplyCode::ok)) ==
        1);
}

TEST_CASE("api: what one poll brings is submitted at once") {
  Edge edge;
  HttpRequest request;
  request.method = HttpMethod::get;
  const std::string target = cart_path;
  request.target = target;
  for (std::uint32_t i = 0; i < 5; ++i) edge.api.on_request(edge.server, {i, 1}, request);
  CHECK(edge.engine.submits == 0);
  edge.api.on_poll_end(edge.server);
  CHECK(edge.engine.submits == 1);
  CHECK(edge.engine.asked.size() == 5);
}

TEST_CASE("api: what is refused at the edge never reaches the engine") {
  Edge edge;
  const auto refused = [&](HttpMethod method, const std::string& target, const std::string& body,
                           int status, std::string_view code, const Headers& headers = {}) {
    CAPTURE(target);
    CAPTURE(body);
    const auto exchange = edge.send(method, target, body, headers);
    REQUIRE(edge.answered(exchange));
    CHECK(edge.answer(exchange).status == status);
    CHECK(code_of(edge.answer(exchange)) == code);
  };
  const auto items = cart_path + "/items";
  const std::string good = R"({"sku":"a","quantity":1})";
  refused(HttpMethod::post, items, "", 400, "invalid_json");
  refused(HttpMethod::post, items, "{}", 422, "invalid_request");
  refused(HttpMethod::post, items, "<a/>", 415, "unsupported_media_type",
          {.content_type = "text/xml"});
  refused(HttpMethod::post, items, good, 422, "invalid_request", {.key = std::string(256, 'x')});
  refused(HttpMethod::post, items, good, 422, "invalid_request", {.key = ""});
  refused(HttpMethod::post, items, good, 422, "invalid_request", {.if_match = "3"});
  refused(HttpMethod::post, items + "?wait=final", good, 422, "invalid_request");
  refused(HttpMethod::patch, items, "{}", 405, "method_not_allowed");
  refused(HttpMethod::get, "/v1/nothing", "", 404, "not_found");
  refused(HttpMethod::get, "/v1/carts/nocart", "", 404, "not_found");
  refused(HttpMethod::post, "/v1/carts/nocart/items", good, 404, "not_found");
  refused(HttpMethod::get, "/v1/products/a%2Fb", "", 422, "invalid_request");
  refused(HttpMethod::get, "/v1/products/%ff", "", 422, "invalid_request");
  refused(HttpMethod::get, "/v1/products/%f", "", 400, "invalid_target");
  refused(HttpMethod::get, cart_path + "?x=1", "", 422, "invalid_request");
  refused(HttpMethod::get, cart_path, "", 422, "invalid_request", {.min_position = "x"});
  refused(HttpMethod::post, cart_path + "/checkout?wait=forever",
          R"({"payment":{"method":"simulated"}})", 422, "invalid_request");
  const auto orders = "/v1/users/" + some_user().text() + "/orders";
  refused(HttpMethod::get, orders + "?limit=101", "", 422, "invalid_request");
  refused(HttpMethod::get, orders + "?limit=0", "", 422, "invalid_request");
  refused(HttpMethod::get, orders + "?cursor=x", "", 422, "invalid_request");
  refused(HttpMethod::post, "/v1/commands", "{}", 415, "unsupported_media_type",
          {.content_type = "application/json"});
  refused(HttpMethod::post, "/v1/commands", "{}", 415, "unsupported_media_type");
  refused(HttpMethod::post, "/v1/commands", "", 422, "invalid_request",
          {.content_type = "application/x-ndjson"});
  refused(HttpMethod::post, "/v1/commands", "x", 400, "invalid_capnp",
          {.content_type = "application/x-capnp"});
  const auto ship = "/v1/orders/" + some_order().text() + "/ship";
  refused(HttpMethod::post, ship, "{", 400, "invalid_json");
  refused(HttpMethod::post, ship, R"({"now":true})", 422, "invalid_request");
  CHECK(edge.engine.asked.empty());
  CHECK(edge.answer(edge.send(HttpMethod::patch, items, "{}")).allow == "POST");
}

TEST_CASE(
    "api: a step without members takes an empty body and an empty object, and means the same") {
  Edge edge;
  const auto ship = "/v1/orders/" + some_order().text() + "/ship";
  edge.send(HttpMethod::post, ship, "", {.key = "k"});
  edge.send(HttpMethod::post, ship, "{}", {.key = "k", .content_type = "application/json"});
  REQUIRE(edge.engine.asked.size() == 2);
  CHECK(edge.engine.asked[0].request_hash == edge.engine.asked[1].request_hash);
}

TEST_CASE(
    "api: a minimal answer is 204 with ETag and position, but not where an id would be lost") {
  Edge edge;
  const auto add = edge.send(HttpMethod::post, cart_path + "/items", R"({"sku":"a","quantity":1})",
                             {.prefer = "return=minimal"});
  const auto open = edge.send(HttpMethod::post, "/v1/carts", "{}", {.prefer = "return=minimal"});
  const auto erase = edge.send(HttpMethod::del, "/v1/users/" + some_user().text());
  CHECK(edge.engine.asked[0].wants == Wants::minimal);
  CHECK(edge.engine.asked[1].wants == Wants::body);
  edge.engine.answer(0, reply_of(ReplyCode::ok, some_cart(), 4, ""));
  edge.engine.answer(1, reply_of(ReplyCode::created, some_cart(), 1, "{\"cart_id\":\"c\"}"));
  edge.engine.answer(2, reply_of(ReplyCode::ok, some_user(), 3, "{}"));
  edge.wake();
  CHECK(edge.answer(add).status == 204);
  CHECK(edge.answer(add).etag == 4);
  CHECK(edge.answer(open).status == 201);
  CHECK(edge.answer(open).body == "{\"cart_id\":\"c\"}");
  CHECK(edge.answer(erase).status == 204);
  CHECK(edge.answer(erase).body.empty());
}

TEST_CASE("api: reads carry the minimum position of their own shard, the latest of several") {
  Edge edge;
  const auto shard = std::to_string(some_cart().shard().value);
  edge.send(HttpMethod::get, cart_path, "",
            {.min_position = "1:99, " + shard + ":7," + shard + ":5"});
  edge.send(HttpMethod::get,
            "/v1/users/" + some_user().text() + "/orders?limit=7&cursor=" + some_order().text());
  REQUIRE(edge.engine.asked.size() == 2);
  CHECK(edge.engine.asked[0].min_seq == 7);
  CHECK(edge.engine.command<GetUserOrders>(1).limit == 7);
  CHECK(edge.engine.command<GetUserOrders>(1).before == some_order());
}

TEST_CASE(
    "api: personal data is sealed before it reaches the engine and opened before it is sent") {
  Edge edge;
  const auto exchange =
      edge.send(HttpMethod::post, "/v1/users", R"({"email":"a@b.c","name":"Zo"})", {.key = "k"});
  REQUIRE(edge.engine.asked.size() == 1);
  CHECK(edge.engine.asked[0].intent == Intent::ask);
  CHECK(edge.engine.command<RegisterUser>(0).sealed_email.bytes.empty());
  CHECK(edge.vault.ensures == 0);
  edge.admit({0});
  REQUIRE(edge.engine.asked.size() == 2);
  CHECK(edge.engine.asked[1].intent == Intent::act);
  CHECK(edge.engine.asked[1].key_hash == edge.engine.asked[0].key_hash);
  const auto command = edge.engine.command<RegisterUser>(1);
  CHECK(*edge.vault.open(EntityKey(command.user), command.sealed_email) ==
        std::optional<std::string>{"a@b.c"});
  CHECK(command.sealed_name.bytes.find("Zo") != std::string::npos);
  edge.engine.answer(1, reply_of(ReplyCode::created, command.user, 1, "{\"user_id\":1}"));
  edge.wake();
  CHECK(edge.answer(exchange).status == 201);

  const auto get = edge.send(HttpMethod::get, "/v1/users/" + command.user.text());
  Reply reply = reply_of(ReplyCode::ok, command.user, 1, "");
  const UserProfile profile{command.sealed_email, command.sealed_name, "GB", 1};
  JsonPresenter(*Currency::parse("GBP")).user(command.user, profile, reply.body);
  edge.engine.answer(2, std::move(reply));
  edge.wake();
  CHECK_FALSE(edge.answered(get));
  edge.wake();
  CHECK(Json(edge.answer(get).body).text("/email") == "a@b.c");
  CHECK(Json(edge.answer(get).body).text("/name") == "Zo");
}

TEST_CASE("api: where the vault fails the client may try again and the engine knows nothing") {
  Edge edge;
  edge.vault.fail = true;
  const auto exchange = edge.send(HttpMethod::post, "/v1/users", R"({"email":"a@b.c"})");
  edge.admit({0});
  CHECK(edge.engine.asked.size() == 1);  // whether it would be admitted, no more
  CHECK(edge.answer(exchange).status == 503);
  CHECK(edge.answer(exchange).retry_after_s > 0);
}

TEST_CASE("api: a change of an erased person reaches the engine, which knows what to answer") {
  Edge edge;
  REQUIRE(edge.vault.destroy({EntityKey(some_user())}).ok());
  edge.send(HttpMethod::patch, "/v1/users/" + some_user().text(), R"({"name":"Again"})");
  edge.admit({0});  // just before the erasure
  REQUIRE(edge.engine.asked.size() == 2);
  CHECK(edge.engine.command<UpdateUser>(1).sealed_name->bytes.empty());
}

TEST_CASE("api: what a shard does not admit makes no key, and its answer is the client's") {
  Edge edge;
  const auto path = "/v1/users/" + some_user().text();
  for (const auto code : {ReplyCode::not_found, ReplyCode::version_mismatch,
                          ReplyCode::idempotency_conflict, ReplyCode::unavailable, ReplyCode::ok}) {
    const auto patch = edge.send(HttpMethod::patch, path, R"({"name":"Zo"})", {.key = "k"});
    edge.engine.answer(edge.engine.asked.size() - 1, reply_of(code, some_user()));
    edge.wake();
    REQUIRE(edge.answered(patch));
    CHECK(edge.answer(patch).status == (code == ReplyCode::ok ? 200 : edge.answer(patch).status));
  }
  const auto exchange = edge.send(
      HttpMethod::post, "/v1/commands",
      R"({"command":"update_user","user_id":")" + some_user().text() + R"(","name":"A"})" + "\n" +
          R"({"command":"erase_user","user_id":")" + some_user().text() + "\"}\n",
      {.content_type = "application/x-ndjson"});
  const auto first = edge.engine.asked.size() - 1;
  edge.engine.answer(first, reply_of(ReplyCode::not_found));
  edge.wake();  // the next one of the batch goes on
  REQUIRE(edge.engine.asked.size() == first + 2);
  edge.engine.answer(first + 1, reply_of(ReplyCode::not_found));
  edge.wake();
  CHECK(edge.answered(exchange));
  CHECK(edge.vault.ensures == 0);
  CHECK(edge.vault.settled.empty());
}

TEST_CASE("api: a user's creation is sent once its key is bound, sealed or not") {
  Edge edge;
  const std::string cart = R"({"user_id":")" + some_user().text() + R"("})";
  const auto opened = edge.send(HttpMethod::post, "/v1/carts", cart, {.key = "k"});
  REQUIRE(edge.engine.asked.size() == 1);
  REQUIRE(edge.engine.asked[0].bind.has_value());
  CHECK(edge.engine.asked[0].intent == Intent::act);
  edge.engine.answer(0, reply_of(ReplyCode::bound));
  edge.wake();
  REQUIRE(edge.engine.asked.size() == 2);
  CHECK_FALSE(edge.engine.asked[1].bind.has_value());
  CHECK(edge.engine.asked[1].key_hash == edge.engine.asked[0].key_hash);
  const CartId id = edge.engine.command<OpenCart>(1).cart;
  edge.engine.answer(1, reply_of(ReplyCode::created, id, 1, "{}"));
  edge.wake();
  CHECK(edge.answer(opened).status == 201);

  const auto other = edge.send(HttpMethod::post, "/v1/carts", cart, {.key = "taken"});
  edge.engine.answer(2, reply_of(ReplyCode::idempotency_conflict));
  edge.wake();
  CHECK(edge.answer(other).status == 422);

  const std::string order = R"({"user_id":")" + some_user().text() +
                            R"(","lines":[{"sku":"a","quantity":1}],)"
                            R"("payment":{"method":"simulated"},"shipping_address":{}})";
  edge.send(HttpMethod::post, "/v1/orders", order, {.key = "o"});
  REQUIRE(edge.engine.asked.size() == 4);
  edge.engine.answer(3, reply_of(ReplyCode::bound));
  edge.wake();
  REQUIRE(edge.engine.asked.size() == 5);
  CHECK(edge.engine.asked[4].intent == Intent::ask);
  CHECK_FALSE(edge.engine.asked[4].bind.has_value());
  edge.admit({4});
  REQUIRE(edge.engine.asked.size() == 6);
  CHECK(edge.engine.asked[5].intent == Intent::act);
  CHECK_FALSE(edge.engine.command<PlaceOrder>(5).sealed_address.bytes.empty());
}

TEST_CASE("api: a key is settled by what became of its command, and in doubt not at all") {
  Edge edge;
  const std::string body =
      R"({"lines":[{"sku":"a","quantity":1}],"payment":{"method":"simulated"},"shipping_address":{}})";
  const auto settle = [&](ReplyCode code) {
    const auto asked = edge.engine.asked.size();
    const auto exchange = edge.send(HttpMethod::post, "/v1/orders", body);
    edge.admit({asked});
    const auto order = edge.engine.command<PlaceOrder>(asked + 1).order;
    CHECK(edge.vault.has_key(order));
    edge.engine.answer(asked + 1, reply_of(code, order));
    edge.wake();
    CHECK(edge.answered(exchange));
    return order;
  };
  const auto recorded = settle(ReplyCode::accepted);
  const auto refused = settle(ReplyCode::refused);
  settle(ReplyCode::unavailable);
  edge.common.stop();
  using Settled = std::vector<std::pair<PersonId, KeyVerdict>>;
  CHECK(edge.vault.settled ==
        Settled{{recorded, KeyVerdict::recorded}, {refused, KeyVerdict::refused}});
}

TEST_CASE("api: keys that a crash left unsettled are asked for in the log, and settled") {
  Edge edge;
  edge.vault.left_over = {some_user(), some_order()};
  edge.send(HttpMethod::get, cart_path);
  edge.api.on_tick(edge.server);
  REQUIRE(edge.engine.asked.size() == 3);
  CHECK(edge.engine.asked[1].intent == Intent::ask);
  CHECK(edge.engine.asked[2].intent == Intent::ask);
  CHECK(edge.engine.command<PlaceOrder>(1).order == some_order());
  CHECK(edge.engine.command<RegisterUser>(2).user == some_user());
  edge.engine.answer(1, reply_of(ReplyCode::admitted));  // there is no such order
  edge.engine.answer(2, reply_of(ReplyCode::created));   // the user is there
  edge.wake();
  edge.api.on_tick(edge.server);
  CHECK(edge.engine.asked.size() == 3);  // once
  edge.common.stop();
  using Settled = std::vector<std::pair<PersonId, KeyVerdict>>;
  CHECK(edge.vault.settled ==
        Settled{{some_order(), KeyVerdict::absent}, {some_user(), KeyVerdict::recorded}});
}

TEST_CASE("api: an order that the provider never heard of has a record of nothing, no order none") {
  Edge edge;
  const auto path = "/v1/payments/" + some_order().text();
  const auto there = edge.send(HttpMethod::get, path);
  edge.wake();
  REQUIRE(edge.engine.asked.size() == 1);
  CHECK(edge.engine.command<GetOrder>(0).order == some_order());
  auto order = reply_of(ReplyCode::ok, some_order());
  order.currency = *Currency::parse("EUR");
  edge.engine.answer(0, std::move(order));
  edge.wake();
  const Json json(edge.answer(there).body);
  CHECK(json.text("/order_id") == some_order().text());
  CHECK(json.text("/captured/amount") == "0.00");
  CHECK(json.text("/captured/currency") == "EUR");
  const auto none = edge.send(HttpMethod::get, path);
  edge.wake();
  edge.engine.answer(1, reply_of(ReplyCode::not_found));
  edge.wake();
  CHECK(edge.answer(none).status == 404);
  Id128 far;
  far.bytes[1] = 64;  // of no shard
  CHECK(edge.answer(edge.send(HttpMethod::get, "/v1/payments/" + OrderId{far}.text())).status ==
        404);
}

TEST_CASE("api: the provider's record of an order is shown as money, a failing one is 503") {
  Edge edge;
  PaymentRecord record;
  record.currency = *Currency::parse("GBP");
  record.authorised = record.captured = Micros{49'380'000};
  record.calls = 2;
  edge.payments.records[some_order()] = record;
  const auto path = "/v1/payments/" + some_order().text();
  const auto there = edge.send(HttpMethod::get, path);
  edge.wake();
  const Json json(edge.answer(there).body);
  CHECK(json.text("/order_id") == some_order().text());
  CHECK(json.text("/captured/amount") == "49.38");
  CHECK(json.text("/refunded/amount") == "0.00");
  CHECK(json.number("/calls") == 2);
  CHECK(edge.engine.asked.empty());
  edge.payments.records.clear();
  edge.payments.fail = true;
  const auto fault = edge.send(HttpMethod::get, path);
  edge.wake();
  CHECK(edge.answer(fault).status == 503);
}

TEST_CASE("api: the provider's record waits for the order's shard where a position is asked for") {
  Edge edge;
  PaymentRecord record;
  record.currency = *Currency::parse("GBP");
  record.captured = Micros{49'380'000};
  edge.payments.records[some_order()] = record;
  const auto path = "/v1/payments/" + some_order().text();
  const auto at = [&](std::string position) {
    return edge.send(HttpMethod::get, path, {}, {.min_position = position});
  };
  const auto shard = std::to_string(some_order().shard().value);
  const auto there = at(shard + ":7");
  edge.wake();
  REQUIRE(edge.engine.asked.size() == 1);
  CHECK(edge.engine.asked[0].min_seq == 7);
  CHECK_FALSE(edge.answered(there));
  edge.engine.answer(0, reply_of(ReplyCode::ok, some_order()));
  edge.wake();
  edge.wake();
  CHECK(Json(edge.answer(there).body).text("/captured/amount") == "49.38");

  const auto far = at(shard + ":8");
  edge.wake();
  edge.engine.answer(1, reply_of(ReplyCode::position_not_reached, some_order()));
  edge.wake();
  CHECK(edge.answer(far).status == 504);

  const auto elsewhere = at(std::to_string(some_order().shard().value + 1) + ":8");
  edge.wake();
  CHECK(edge.answer(elsewhere).status == 200);
  CHECK(edge.answer(at("rubbish")).status == 422);
}

TEST_CASE(
    "api: one request more than there are tickets is told to come back, and then there is room") {
  Edge edge({.version = "test", .recovery = {}, .recovery_seconds = 0, .tickets_max = 3});
  for (int i = 0; i < 3; ++i) CHECK_FALSE(edge.answered(edge.send(HttpMethod::get, cart_path)));
  const auto shed = edge.send(HttpMethod::get, cart_path);
  CHECK(edge.answer(shed).status == 503);
  CHECK(code_of(edge.answer(shed)) == "overloaded");
  CHECK(edge.answer(shed).retry_after_s == 1);
  edge.engine.answer(1, reply_of(ReplyCode::ok));
  edge.wake();
  CHECK_FALSE(edge.answered(edge.send(HttpMethod::get, "/v1/products/another")));
}

TEST_CASE("api: an answer that comes twice is sent once") {
  Edge edge;
  const auto first = edge.send(HttpMethod::get, cart_path);
  edge.engine.answer(0, reply_of(ReplyCode::ok));
  edge.wake();
  CHECK(edge.answer(first).status == 200);
  edge.server.answers.clear();
  const auto second = edge.send(HttpMethod::get, "/v1/products/another");
  edge.engine.answer(0, reply_of(ReplyCode::ok));  // again; its slot is another's now
  edge.wake();
  CHECK_FALSE(edge.answered(first));
  CHECK_FALSE(edge.answered(second));
}

TEST_CASE("api: readiness tells of stores in trouble, and ends with one that costs commands") {
  std::vector<StoreTrouble> troubles;
  Edge edge({.version = "test", .recovery = {}, .recovery_seconds = 0, .stores = [&] {
               return troubles;
             }});
  const auto ready = [&] { return edge.answer(edge.send(HttpMethod::get, "/readyz")); };
  const auto metrics = [&] { return edge.answer(edge.send(HttpMethod::get, "/metrics")).body; };
  CHECK(ready().body == R"({"status":"ready"})");
  CHECK(metrics().find("souk_store_trouble{store=\"journal\"} 0") != std::string::npos);
  troubles.push_back({.store = "journal", .what = "a damaged block"});
  CHECK(ready().status == 200);
  CHECK(ready().body == R"({"status":"ready","troubles":[{"store":"journal","detail":)"
                        R"("a damaged block"}]})");
  CHECK(metrics().find("souk_store_trouble{store=\"journal\"} 1") != std::string::npos);
  troubles.push_back(
      {.store = "keys", .what = "nobody can register", .costs = StoreTrouble::Costs::commands});
  CHECK(ready().status == 503);
  CHECK(Json(ready().body).text("/detail") == "nobody can register");
  CHECK(metrics().find("souk_store_trouble{store=\"keys\"} 1") != std::string::npos);
  CHECK(metrics().find("souk_store_trouble{store=\"provider\"} 0") != std::string::npos);
}

TEST_CASE("api: health is always good, readiness ends with draining and with a failing disk") {
  Edge edge;
  const auto status = [&](const std::string& path) {
    return edge.answer(edge.send(HttpMethod::get, path)).status;
  };
  CHECK(status("/healthz") == 200);
  CHECK(status("/readyz") == 200);
  edge.engine.in_trouble = "the journal's disk does not answer";
  CHECK(status("/readyz") == 503);
  edge.engine.in_trouble.clear();
  CHECK(status("/readyz") == 200);
  edge.common.drain();
  CHECK(status("/readyz") == 503);
  CHECK(status("/healthz") == 200);
}

namespace {

void pass(Edge& edge, std::int64_t ms) {
  for (std::int64_t t = 0; t < ms; t += 50) edge.api.on_tick(edge.server);
}

}  // namespace

TEST_CASE("api: a request that nothing answers gets 503 in the end, and its ticket is free again") {
  Edge edge;
  const auto read = edge.send(HttpMethod::get, "/v1/products/tea");
  const auto command = edge.send(HttpMethod::post, "/v1/carts", "{}");
  pass(edge, limits::answer_ms_max - 1'000);
  CHECK_FALSE(edge.answered(read));
  CHECK_FALSE(edge.answered(command));
  pass(edge, 2'000);
  for (const auto exchange : {read, command}) {
    REQUIRE(edge.answered(exchange));
    CHECK(edge.answer(exchange).status == 503);
    CHECK(edge.answer(exchange).body.find("\"unavailable\"") != std::string::npos);
  }
  const auto metrics = edge.answer(edge.send(HttpMethod::get, "/metrics")).body;
  CHECK(metrics.find("souk_requests_in_flight 0") != std::string::npos);
  edge.server.answers.clear();
  edge.engine.answer(0, reply_of(ReplyCode::ok));  // too late
  edge.engine.answer(1, reply_of(ReplyCode::created));
  edge.wake();
  CHECK(edge.server.answers.empty());
}

TEST_CASE("api: a batch whose commands nothing answers is whole in the end") {
  Edge edge;
  const std::string line = R"({"command":"open_cart"})"
                           "\n";
  const auto batch = edge.send(HttpMethod::post, "/v1/commands", line + line,
                               {.content_type = "application/x-ndjson"});
  CHECK(edge.engine.asked.size() == 2);
  pass(edge, limits::answer_ms_max + 1'000);
  REQUIRE(edge.answered(batch));
  CHECK(edge.answer(batch).status == 200);
  CHECK(edge.answer(batch).body.find("503") != std::string::npos);
}

TEST_CASE("api: a server is counted once, however often it is named") {
  Edge edge;
  edge.server.counted.connections = 7;
  edge.common.metrics().add_server(edge.server);
  edge.common.metrics().add_server(edge.server);
  edge.send(HttpMethod::get, "/healthz");
  const auto metrics = edge.answer(edge.send(HttpMethod::get, "/metrics")).body;
  CHECK(metrics.find("souk_http_connections 7") != std::string::npos);
}

TEST_CASE("api: the metrics name what was counted, and the page says where to look") {
  Edge edge;
  edge.engine.counters_.commits = 12;
  edge.engine.counters_.commit_us_log2[7] = 12;
  edge.send(HttpMethod::get, "/healthz");
  const auto metrics = edge.answer(edge.send(HttpMethod::get, "/metrics"));
  CHECK(metrics.content_type.starts_with("text/plain"));
  for (const auto* line :
       {"souk_commands_total{op=\"health\",result=\"ok\"} 1", "souk_commits_total 12",
        "souk_commit_seconds_bucket{le=\"0.000128\"} 12", "souk_commit_seconds_count 12",
        "souk_request_seconds_bucket{op=\"health\",le=\"+Inf\"} 1", "souk_queue_depth 0",
        "souk_http_connections 0", "process_resident_memory_bytes"})
    CHECK_MESSAGE(metrics.body.find(line) != std::string::npos, line);
  const auto page = edge.answer(edge.send(HttpMethod::get, "/"));
  CHECK(page.content_type.starts_with("text/html"));
  CHECK(page.body.find("/openapi.json") != std::string::npos);
}

TEST_CASE("api: the metrics tell how each read model stands, and stuck from slow") {
  ProjectionStatus slow;
  slow.name = "slow";
  slow.state = ProjectionState::catching_up;
  slow.positions = {10, 0, 5};
  slow.lag_events = 7;
  slow.lag_seconds = 2.5;
  slow.applied = 15;
  slow.rebuild = ProjectionStatus::Rebuild{.done = 3, .total = 22, .events_per_second = 1};
  ProjectionStatus stuck;
  stuck.name = "stuck";
  stuck.state = ProjectionState::quarantined;
  stuck.stuck = true;
  stuck.stale.resize(2);
  const std::string page = ApiMetrics().text(EngineCounters(), {}, 0, {slow, stuck}, {}, {});
  for (const std::string line :
       {"# HELP souk_projection_lag_events ", "# TYPE souk_projection_lag_events gauge\n",
        "# TYPE souk_projection_events_total counter\n",
        "souk_projection_position{projection=\"slow\"} 15\n",
        "souk_projection_lag_events{projection=\"slow\"} 7\n",
        "souk_projection_lag_seconds{projection=\"slow\"} 2.5\n",
        "souk_projection_events_total{projection=\"slow\"} 15\n",
        "souk_projection_stuck{projection=\"slow\"} 0\n",
        "souk_projection_stuck{projection=\"stuck\"} 1\n",
        "souk_projection_stale_entities{projection=\"stuck\"} 2\n",
        "souk_projection_rebuild_done_events{projection=\"slow\"} 3\n",
        "souk_projection_rebuild_total_events{projection=\"slow\"} 22\n",
        "souk_projection_rebuild_total_events{projection=\"stuck\"} 0\n",
        "souk_projection_state{projection=\"slow\",state=\"catching_up\"} 1\n",
        "souk_projection_state{projection=\"slow\",state=\"live\"} 0\n",
        "souk_projection_state{projection=\"stuck\",state=\"quarantined\"} 1\n"})
    CHECK_MESSAGE(page.find(line) != std::string::npos, line);
}

TEST_CASE("api: the limits of bodies are those of a command and of a batch") {
  Edge edge;
  CHECK(edge.api.body_limit(HttpMethod::post, "/v1/carts") == 1024 * 1024);
  CHECK(edge.api.body_limit(HttpMethod::post, "/v1/commands") == 16 * 1024 * 1024);
  CHECK(edge.api.body_limit(HttpMethod::post, "/v1/commands?x") == 16 * 1024 * 1024);
  CHECK(Json(edge.api.problem(413, "too_large", "too much")).text("/code") == "too_large");
}

TEST_CASE("api: no new product has a SKU with a blank at its end") {
  Edge edge;
  const auto exchange = edge.send(HttpMethod::put, "/v1/products/A%20",
                                  R"({"name":"x","price":{"amount":"1","currency":"GBP"}})");
  Reply missing;
  missing.code = ReplyCode::version_mismatch;
  edge.engine.answer(0, missing);
  edge.wake();
  CHECK(edge.answer(exchange).status == 422);
  CHECK(code_of(edge.answer(exchange)) == "invalid_request");
}

TEST_CASE("headers: rows come as CSV where Accept wants it no less than JSON") {
  const auto is = [](std::string_view accept, AnswerForm wanted) {
    CAPTURE(accept);
    CHECK(answer_form_of(accept) == wanted);
  };
  is("", AnswerForm::json);
  is("*/*", AnswerForm::json);
  is("text/csv", AnswerForm::csv);
  is("TEXT/CSV; header=present", AnswerForm::csv);
  is("text/*", AnswerForm::csv);
  is("text/csv, */*", AnswerForm::csv);
  is("text/csv;q=0", AnswerForm::json);
  is("text/csv;q=0, text/*", AnswerForm::json);
  is("text/csv;q=0.5, application/json", AnswerForm::json);
  is("text/csv;q=0.5, application/json;q=0.4", AnswerForm::csv);
  is("application/json, text/csv", AnswerForm::json);
  is("text/csv, application/json", AnswerForm::csv);
  is("text/csv;q=0.5, */*", AnswerForm::json);
  is("application/json;q=0, */*", AnswerForm::csv);
  is("application/json;q=0", AnswerForm::json);
  is("text/csv;q=x", AnswerForm::json);
  is("image/png", AnswerForm::json);
}
