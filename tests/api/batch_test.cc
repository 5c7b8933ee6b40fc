#include "gateway/api/batch/batch.h"

#include <capnp/message.h>
#include <capnp/serialize.h>
#include <doctest/doctest.h>

#include "gateway/api/edge/limits.h"
#include "schema/api.capnp.h"
#include "tests/api/fixtures.h"

using namespace souk;
using namespace souk::test;

namespace {

const Headers as_ndjson = {.content_type = "application/x-ndjson"};
const Headers as_capnp = {.content_type = "application/x-capnp"};

std::string add(int quantity, const std::string& more = {}) {
  return R"({"command":"add_item","cart_id":")" + some_cart().text() +
         R"(","sku":"tea","quantity":)" + std::to_string(quantity) + more + "}\n";
}

std::vector<std::string> lines_of(const std::string& body) {
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < body.size();) {
    const auto end = body.find('\n', at);
    REQUIRE(end != std::string::npos);
    lines.push_back(body.substr(at, end - at));
    at = end + 1;
  }
  return lines;
}

std::string bytes_of(capnp::MessageBuilder& message) {
  const auto words = capnp::messageToFlatArray(message);
  const auto bytes = words.asBytes();
  return {reinterpret_cast<const char*>(bytes.begin()), bytes.size()};
}

struct ReadAnswers {
  explicit ReadAnswers(const std::string& body)
      : words(kj::heapArray<capnp::word>(body.size() / sizeof(capnp::word))) {
    std::memcpy(words.begin(), body.data(), body.size());
    message = std::make_unique<capnp::FlatArrayMessageReader>(words);
    answers = message->getRoot<schema::Answers>().getAnswers();
  }
  kj::Array<capnp::word> words;
  std::unique_ptr<capnp::FlatArrayMessageReader> message;
  capnp::List<schema::Answer>::Reader answers;
};

}  // namespace

TEST_CASE("batch: one bad line spoils nothing, and answers come in the order of the lines") {
  Edge edge;
  const auto exchange = edge.send(HttpMethod::post, "/v1/commands",
                                  add(1, R"(,"idempotency_key":"k1")") + "{nonsense\n\n" + add(0) +
                                      add(2, R"(,"if_match":5,"prefer":"minimal")"),
                                  as_ndjson);
  REQUIRE(edge.engine.asked.size() == 2);
  CHECK(edge.engine.command<AddItem>(0).quantity == 1);
  CHECK(edge.engine.asked[0].key_hash == edge.vault.keyed_hash("k1"));
  CHECK(edge.engine.command<AddItem>(1).quantity == 2);
  REQUIRE(edge.engine.asked[1].preconditions);
  CHECK(edge.engine.asked[1].preconditions->matches == std::vector<Version>{5});
  CHECK(edge.engine.asked[1].wants == Wants::minimal);
  edge.engine.answer(1, reply_of(ReplyCode::ok, some_cart(), 6, ""));
  edge.wake();
  CHECK_FALSE(edge.answered(exchange));
  auto first = reply_of(ReplyCode::ok, some_cart(), 5, "{\"cart_id\":\"c\"}");
  first.replayed = true;
  edge.engine.answer(0, std::move(first));
  edge.wake();
  REQUIRE(edge.answered(exchange));
  CHECK(edge.answer(exchange).status == 200);
  CHECK(edge.answer(exchange).content_type == "application/x-ndjson");
  const auto lines = lines_of(edge.answer(exchange).body);
  REQUIRE(lines.size() == 4);
  CHECK(lines[0] ==
        R"({"status":200,"replayed":true,"version":5,"position":"7:42","body":{"cart_id":"c"}})");
  CHECK(Json(lines[1]).text("/body/code") == "invalid_json");
  CHECK(Json(lines[1]).number("/status") == 400);
  CHECK(Json(lines[2]).text("/body/path") == "quantity");
  CHECK(lines[3] == R"({"status":200,"version":6,"position":"7:42"})");
}

TEST_CASE("batch: a batch without a line is answered with none") {
  Edge edge;
  for (const auto* body : {"\n", "  \r\n\n"}) {
    const auto exchange = edge.send(HttpMethod::post, "/v1/commands", body, as_ndjson);
    REQUIRE(edge.answered(exchange));
    CHECK(edge.answer(exchange).status == 200);
    CHECK(edge.answer(exchange).body.empty());
  }
}

TEST_CASE("batch: the last line needs no line feed, and carriage returns do not matter") {
  Edge edge;
  auto text = add(1) + add(2);
  text.pop_back();
  text.insert(text.find('\n'), "\r");
  edge.send(HttpMethod::post, "/v1/commands", text, as_ndjson);
  CHECK(edge.engine.asked.size() == 2);
}

TEST_CASE("batch: at most 1,024 commands of one are in flight; the rest follows as answers come") {
  Edge edge;
  std::string text;
  const std::size_t count = limits::batch_in_flight_max + 10;
  for (std::size_t i = 0; i < count; ++i) text += add(static_cast<int>(i + 1));
  const auto exchange = edge.send(HttpMethod::post, "/v1/commands", text, as_ndjson);
  CHECK(edge.engine.asked.size() == limits::batch_in_flight_max);
  edge.engine.answer(0, reply_of(ReplyCode::ok));
  edge.wake();
  CHECK(edge.engine.asked.size() == limits::batch_in_flight_max + 1);
  for (std::size_t i = 1; i < count; ++i) {
    edge.engine.answer(i, reply_of(ReplyCode::ok));
    edge.wake();
  }
  REQUIRE(edge.answered(exchange));
  CHECK(lines_of(edge.answer(exchange).body).size() == count);
  for (std::size_t i = 0; i < count; ++i)
    REQUIRE(edge.engine.command<AddItem>(i).quantity == static_cast<std::int64_t>(i + 1));
}

TEST_CASE("batch: a long batch lets others have their turn between its lines") {
  Edge edge;
  std::string text;
  for (std::size_t i = 0; i < limits::batch_lines_per_turn + 1; ++i) text += "x\n";
  const auto exchange = edge.send(HttpMethod::post, "/v1/commands", text, as_ndjson);
  CHECK_FALSE(edge.answered(exchange));
  edge.wake();
  CHECK(edge.answered(exchange));
}

TEST_CASE("batch: 100,000 commands are read and not one more") {
  Edge edge;
  std::string text;
  for (std::size_t i = 0; i < limits::batch_commands_max + 5; ++i) text += "{}\n";
  const auto exchange = edge.send(HttpMethod::post, "/v1/commands", text, as_ndjson);
  while (!edge.answered(exchange)) edge.wake();
  const auto lines = lines_of(edge.answer(exchange).body);
  REQUIRE(lines.size() == limits::batch_commands_max + 1);
  CHECK(Json(lines[limits::batch_commands_max - 1]).number("/status") == 422);
  CHECK(Json(lines.back()).number("/status") == 413);
}

TEST_CASE("batch: a command waits for those before it that are still being sealed") {
  Edge edge;
  const auto user = some_user().text();
  const auto exchange =
      edge.send(HttpMethod::post, "/v1/commands",
                add(1) + R"({"command":"update_user","user_id":")" + user + R"(","name":"A"})" +
                    "\n" + R"({"command":"update_user","user_id":")" + user + R"(","name":"B"})" +
                    "\n" + R"({"command":"erase_user","user_id":")" + user + "\"}\n",
                as_ndjson);
  CHECK(edge.engine.asked.size() == 3);  // the item needs no seal; the others ask to be admitted
  edge.admit({1, 2});
  REQUIRE(edge.engine.asked.size() == 6);
  CHECK(edge.vault.ensures == 1);  // one sync for both
  CHECK(std::holds_alternative<AddItem>(edge.engine.asked[0].op));
  CHECK(edge.engine.command<UpdateUser>(3).sealed_name->bytes.ends_with("A"));
  CHECK(edge.engine.command<UpdateUser>(4).sealed_name->bytes.ends_with("B"));
  CHECK(std::holds_alternative<EraseUser>(edge.engine.asked[5].op));
  for (const std::size_t i : {0, 3, 4, 5}) edge.engine.answer(i, reply_of(ReplyCode::ok));
  edge.wake();
  CHECK(edge.answered(exchange));
}

TEST_CASE("batch: a person's order is not asked for before the person is registered") {
  Edge edge;
  const std::string key = R"("idempotency_key":"k")";
  const auto user = UserId{id_of_key(edge.vault, "user", "k", 64)}.text();
  const auto exchange = edge.send(
      HttpMethod::post, "/v1/commands",
      R"({"command":"register_user","email":"a@b.c",)" + key + "}\n" +
          R"({"command":"place_order","user_id":")" + user +
          R"(","lines":[{"sku":"a","quantity":1}],"payment":{"method":"simulated"},"shipping_address":{}})" +
          "\n",
      as_ndjson);
  REQUIRE(edge.engine.asked.size() == 1);
  edge.admit({0});
  REQUIRE(edge.engine.asked.size() == 3);
  CHECK(edge.engine.asked[1].intent == Intent::act);
  CHECK(std::holds_alternative<RegisterUser>(edge.engine.asked[1].op));
  CHECK(edge.engine.asked[2].intent == Intent::ask);
  edge.engine.answer(1, reply_of(ReplyCode::created));
  edge.engine.answer(2, reply_of(ReplyCode::refused));
  edge.wake();
  CHECK(edge.answered(exchange));
}

TEST_CASE("batch: where the client has gone the rest is not started") {
  Edge edge;
  std::string text;
  for (std::size_t i = 0; i < limits::batch_in_flight_max + 5; ++i) text += add(1);
  const auto exchange = edge.send(HttpMethod::post, "/v1/commands", text, as_ndjson);
  edge.server.gone.insert(exchange);
  for (std::size_t i = 0; i < limits::batch_in_flight_max; ++i)
    edge.engine.answer(i, reply_of(ReplyCode::ok));
  edge.wake();
  CHECK(edge.engine.asked.size() == limits::batch_in_flight_max);
  CHECK_FALSE(edge.answered(exchange));
  edge.api.on_tick(edge.server);
  edge.send(HttpMethod::get, "/metrics");
  CHECK(edge.server.answers.rbegin()->second.body.find("souk_batch_bytes 0") != std::string::npos);
}

TEST_CASE("batch: one more batch than there may be is told to come back") {
  Edge edge;
  for (std::size_t i = 0; i < limits::batches_max; ++i)
    CHECK_FALSE(edge.answered(edge.send(HttpMethod::post, "/v1/commands", add(1), as_ndjson)));
  const auto shed = edge.send(HttpMethod::post, "/v1/commands", add(1), as_ndjson);
  CHECK(edge.answer(shed).status == 503);
  edge.engine.answer(0, reply_of(ReplyCode::ok));
  edge.wake();
  CHECK_FALSE(edge.answered(edge.send(HttpMethod::post, "/v1/commands", add(1), as_ndjson)));
}

TEST_CASE("batch: `wait` is for commands that have something to wait for") {
  Edge edge;
  const auto out = R"({"command":"check_out","cart_id":")" + some_cart().text() +
                   R"(","payment":{"method":"simulated"},"wait":"final"})";
  const auto exchange = edge.send(HttpMethod::post, "/v1/commands",
                                  out + "\n" + add(1, R"(,"wait":"final")"), as_ndjson);
  REQUIRE(edge.engine.asked.size() == 1);
  CHECK(edge.engine.asked[0].wait_final);
  edge.engine.answer(0, reply_of(ReplyCode::accepted, some_order()));
  edge.wake();
  const auto lines = lines_of(edge.answer(exchange).body);
  CHECK(Json(lines[0]).number("/status") == 202);
  CHECK(Json(lines[1]).text("/body/path") == "wait");
}

TEST_CASE(
    "capnp: commands arrive as their JSON would, with the same hash, and are answered in order") {
  capnp::MallocMessageBuilder message;
  auto commands = message.initRoot<schema::Commands>().initCommands(5);
  commands[0].setIdempotencyKey("k1");
  auto item = commands[0].initAddItem();
  item.setCartId(some_cart().text());
  item.setSku("tea");
  item.setQuantity(2);
  item.initUnitPrice().setMicros(1'500'000);
  item.getUnitPrice().setCurrency("GBP");
  commands[1].setShipOrder(some_order().text());
  commands[1].setIfMatch(4);
  commands[1].setIfMatchSet(true);
  auto bad = commands[2].initAddItem();
  bad.setCartId(some_cart().text());
  bad.setSku("tea");
  bad.setQuantity(0);
  auto order = commands[3].initPlaceOrder();
  auto lines = order.initLines(1);
  lines[0].setSku("tea");
  lines[0].setQuantity(3);
  order.initPayment().setMethod("simulated");
  order.setShippingAddress(R"({ "street": "1 A St" })");
  commands[3].setWaitFinal(true);
  commands[4].setMinimal(true);
  commands[4].initOpenCart();

  Edge edge;
  const auto exchange = edge.send(HttpMethod::post, "/v1/commands", bytes_of(message), as_capnp);
  REQUIRE(edge.engine.asked.size() == 3);
  CHECK(edge.engine.asked[2].intent == Intent::ask);
  edge.admit({2});
  edge.engine.asked.erase(edge.engine.asked.begin() + 2);
  REQUIRE(edge.engine.asked.size() == 4);
  CHECK(edge.engine.command<AddItem>(0).unit_price->amount == Micros{1'500'000});
  CHECK(edge.engine.command<ShipOrder>(1).order == some_order());
  REQUIRE(edge.engine.asked[1].preconditions);
  CHECK(edge.engine.asked[1].preconditions->matches == std::vector<Version>{4});
  CHECK(edge.engine.command<PlaceOrder>(2).lines[0].quantity == 3);
  CHECK(
      edge.engine.command<PlaceOrder>(2).sealed_address.bytes.ends_with(R"({"street":"1 A St"})"));
  CHECK(edge.engine.asked[2].wait_final);
  CHECK(std::holds_alternative<OpenCart>(edge.engine.asked[3].op));

  edge.send(HttpMethod::post, "/v1/carts/" + some_cart().text() + "/items",
            R"({"quantity":2,"sku":"tea","unit_price":{"amount":"1.5","currency":"GBP"}})",
            {.key = "k1"});
  CHECK(edge.engine.asked[4].request_hash == edge.engine.asked[0].request_hash);
  CHECK(edge.engine.asked[4].key_hash == edge.engine.asked[0].key_hash);

  edge.engine.answer(0, reply_of(ReplyCode::ok, some_cart(), 3, "{\"cart\":1}"));
  auto refused = reply_of(ReplyCode::refused, some_order());
  refused.refusal = Refusal::illegal_state;
  refused.replayed = true;
  edge.engine.answer(1, std::move(refused));
  edge.engine.answer(2, reply_of(ReplyCode::ok, some_order(), 7, "{\"status\":\"confirmed\"}"));
  edge.engine.answer(3, reply_of(ReplyCode::created, some_cart(), 1, "{\"cart_id\":1}"));
  edge.wake();
  REQUIRE(edge.answered(exchange));
  CHECK(edge.answer(exchange).content_type == "application/x-capnp");
  const ReadAnswers read(edge.answer(exchange).body);
  REQUIRE(read.answers.size() == 5);
  CHECK(read.answers[0].getStatus() == 200);
  CHECK(std::string(read.answers[0].getBody().cStr()) == "{\"cart\":1}");
  CHECK(std::string(read.answers[0].getEntityId().cStr()) == some_cart().text());
  CHECK(std::string(read.answers[0].getPosition().cStr()) == "7:42");
  CHECK(read.answers[0].getVersion() == 3);
  CHECK(read.answers[1].getStatus() == 409);
  CHECK(std::string(read.answers[1].getCode().cStr()) == "illegal_state");
  CHECK(read.answers[1].getReplayed());
  CHECK(read.answers[2].getStatus() == 422);
  CHECK(Json(read.answers[2].getBody().cStr()).text("/path") == "quantity");
  CHECK(std::string(read.answers[3].getBody().cStr()) == "{\"status\":\"confirmed\"}");
  CHECK(read.answers[4].getStatus() == 201);
  CHECK(std::string(read.answers[4].getBody().cStr()) == "{\"cart_id\":1}");
}

TEST_CASE("capnp: a product's images, barcode, group and options have the hash of their JSON") {
  capnp::MallocMessageBuilder message;
  auto commands = message.initRoot<schema::Commands>().initCommands(3);
  const auto fill = [&](unsigned index, std::string_view key) {
    commands[index].setIdempotencyKey(std::string(key));
    auto put = commands[index].initPutProduct();
    put.setSku("S");
    put.setName("N");
    put.initPrice().setMicros(1'000'000);
    put.getPrice().setCurrency("GBP");
    put.initImages(1).set(0, "https://a/1");
    put.setBarcode("96385074");
    put.setGroup("G");
    auto option = put.initOptions(1)[0];
    option.setName("Size");
    option.setValue("M");
    return put;
  };
  fill(0, "k1");
  fill(1, "k2").getOptions()[0].setValue("L");
  auto bad = fill(2, "k3");
  bad.setBarcode("96385075");
  commands[0].setIfAbsent(true);

  Edge edge;
  edge.send(HttpMethod::post, "/v1/commands", bytes_of(message), as_capnp);
  REQUIRE(edge.engine.asked.size() == 2);
  const auto& taken = edge.engine.command<PutProduct>(0).definition;
  CHECK(taken.images == std::vector<std::string>{"https://a/1"});
  CHECK(taken.barcode == "96385074");
  CHECK(taken.group == "G");
  CHECK(taken.options == std::vector<Attribute>{{"Size", "M"}});
  REQUIRE(edge.engine.asked[0].preconditions);
  CHECK(edge.engine.asked[0].preconditions->none_match == Preconditions::Of::any);
  CHECK_FALSE(edge.engine.asked[1].preconditions);
  const std::string head =
      R"({"name":"N","price":{"amount":"1","currency":"GBP"},"active":true,"group":"G",)";
  const auto hash_of = [&](const std::string& rest) {
    edge.send(HttpMethod::put, "/v1/products/S", head + rest, {.key = "k1"});
    return edge.engine.asked.back().request_hash;
  };
  const auto same =
      hash_of(R"("options":{"Size":"M"},"images":["https://a/1"],"barcode":"96385074"})");
  CHECK(same == edge.engine.asked[0].request_hash);
  // Each of them is part of what a key stands for.
  CHECK(hash_of(R"("options":{"Size":"M"},"images":["https://a/1"]})") != same);
  CHECK(hash_of(R"("options":{"Size":"M"},"barcode":"96385074"})") != same);
  CHECK(hash_of(R"("images":["https://a/1"],"barcode":"96385074"})") != same);
  CHECK(hash_of(R"("options":{"Size":"L"},"images":["https://a/1"],"barcode":"96385074"})") !=
        same);
}

TEST_CASE("ndjson: if_none_match asks that there is nothing yet, beside if_match or alone") {
  Edge edge;
  const std::string put =
      R"({"command":"put_product","sku":"S","name":"N","price":{"amount":"1","currency":"GBP"},)";
  const auto exchange =
      edge.send(HttpMethod::post, "/v1/commands",
                put + R"("if_none_match":"*"})" + "\n" + put +
                    R"("if_none_match":"*","if_match":3})" + "\n" + put + R"("if_none_match":"3"})",
                {.content_type = "application/x-ndjson"});
  REQUIRE(edge.engine.asked.size() == 2);
  CHECK(edge.engine.asked[0].preconditions->none_match == Preconditions::Of::any);
  CHECK(edge.engine.asked[0].preconditions->match == Preconditions::Of::nothing);
  CHECK(edge.engine.asked[1].preconditions->none_match == Preconditions::Of::any);
  CHECK(edge.engine.asked[1].preconditions->matches == std::vector<Version>{3});
  edge.engine.answer(0, reply_of(ReplyCode::created, some_cart(), 1, "{}"));
  edge.engine.answer(1, reply_of(ReplyCode::created, some_cart(), 1, "{}"));
  edge.wake();
  CHECK(Json(lines_of(edge.answer(exchange).body)[2]).text("/body/path") == "if_none_match");
}

TEST_CASE("capnp: every command of the schema reaches its own operation") {
  capnp::MallocMessageBuilder message;
  auto c = message.initRoot<schema::Commands>().initCommands(static_cast<unsigned>(command_count));
  const auto user = some_user().text(), cart = some_cart().text(), order = some_order().text();
  unsigned i = 0;
  auto product = c[i++].initPutProduct();
  product.setSku("s");
  product.setName("n");
  product.initPrice().setMicros(1);
  product.getPrice().setCurrency("GBP");
  product.initCategory(1).set(0, "home");
  auto attribute = product.initAttributes(1)[0];
  attribute.setName("a");
  attribute.setValue("b");
  c[i++].setDelistProduct("s");
  auto receive = c[i++].initReceiveStock();
  receive.setSku("s");
  receive.setQuantity(1);
  auto adjust = c[i++].initAdjustStock();
  adjust.setSku("s");
  adjust.setDelta(-1);
  adjust.setReason("lost");
  c[i++].initRegisterUser().setEmail("a@b");
  auto update = c[i++].initUpdateUser();
  update.setUserId(user);
  update.setCountry("FR");
  c[i++].setEraseUser(user);
  c[i++].initOpenCart().setUserId(user);
  auto item = c[i++].initAddItem();
  item.setCartId(cart);
  item.setSku("s");
  item.setQuantity(1);
  auto set = c[i++].initSetItem();
  set.setCartId(cart);
  set.setSku("s");
  auto remove = c[i++].initRemoveItem();
  remove.setCartId(cart);
  remove.setSku("s");
  auto out = c[i++].initCheckOut();
  out.setCartId(cart);
  out.initPayment().setMethod("simulated");
  auto place = c[i++].initPlaceOrder();
  auto bought = place.initLines(1)[0];
  bought.setSku("s");
  bought.setQuantity(1);
  place.initPayment().setMethod("simulated");
  c[i++].setCancelOrder(order);
  c[i++].setShipOrder(order);
  c[i++].setDeliverOrder(order);
  c[i++].initReturnOrder().setOrderId(order);
  c[i++].initRefundOrder().setOrderId(order);
  auto accept = c[i++].initAcceptReturn();
  auto back = accept.initLines(1)[0];
  back.setSku("s");
  back.setQuantity(1);
  back.initUnitPrice().setCurrency("GBP");
  c[i++].setEraseOrder(order);
  REQUIRE(i == command_count);

  Edge edge;
  edge.send(HttpMethod::post, "/v1/commands", bytes_of(message), as_capnp);
  for (std::size_t n = 0; n < edge.engine.asked.size();) {
    if (edge.engine.asked[n].intent == Intent::act) {
      ++n;
      continue;
    }
    edge.admit({n});  // it is asked once more, to be done
    edge.engine.asked.erase(edge.engine.asked.begin() + static_cast<std::ptrdiff_t>(n));
  }
  REQUIRE(edge.engine.asked.size() == command_count);
  for (std::size_t n = 0; n < command_count; ++n) CHECK(edge.engine.asked[n].op.index() == n);
  CHECK(edge.engine.command<PutProduct>(0).definition.category == std::vector<std::string>{"home"});
  CHECK(edge.engine.command<PutProduct>(0).definition.active);
}

TEST_CASE("capnp: what is not a message is refused as a whole, a bad text only where it stands") {
  Edge edge;
  const auto refused = [&](const std::string& body) {
    const auto exchange = edge.send(HttpMethod::post, "/v1/commands", body, as_capnp);
    REQUIRE(edge.answered(exchange));
    CHECK(edge.answer(exchange).status == 400);
    CHECK(Json(edge.answer(exchange).body).text("/code") == "invalid_capnp");
  };
  refused("");
  refused("seven b");
  refused(std::string(64, '\xff'));
  refused("eight by");
  capnp::MallocMessageBuilder message;
  auto commands = message.initRoot<schema::Commands>().initCommands(2);
  commands[0].setDelistProduct("a\xff");
  commands[1].setDelistProduct("a");
  const auto good = bytes_of(message);
  refused(good + good);
  const auto exchange = edge.send(HttpMethod::post, "/v1/commands", good, as_capnp);
  REQUIRE(edge.engine.asked.size() == 1);
  edge.engine.answer(0, reply_of(ReplyCode::ok));
  edge.wake();
  const ReadAnswers read(edge.answer(exchange).body);
  CHECK(read.answers[0].getStatus() == 422);
  CHECK(read.answers[1].getStatus() == 200);
}

TEST_CASE("capnp: bytes changed at random never do more than be refused") {
  capnp::MallocMessageBuilder message;
  auto commands = message.initRoot<schema::Commands>().initCommands(3);
  for (auto command : commands) {
    auto item = command.initAddItem();
    item.setCartId(some_cart().text());
    item.setSku("tea");
    item.setQuantity(2);
    item.initUnitPrice().setCurrency("GBP");
  }
  const auto good = bytes_of(message);
  std::uint64_t seed = 20'111;
  INFO("seed " << seed);
  CommandReader reader;
  for (int round = 0; round < 20'000; ++round) {
    auto bytes = good;
    for (int change = 0; change < 3; ++change) {
      seed = seed * 6364136223846793005u + 1442695040888963407u;
      bytes[(seed >> 33) % bytes.size()] = static_cast<char>(seed >> 25);
    }
    Problem problem;
    auto form = capnp_batch(bytes, reader, problem);
    if (form.source == nullptr) {
      CHECK(problem.status != 0);
      continue;
    }
    BatchCommand command;
    for (int i = 0; i < 100'000; ++i)
      if (form.source->next(command, problem) == CommandSource::Next::end) break;
  }
}
