#include "gateway/api/edge/problem.h"

#include <doctest/doctest.h>

#include "gateway/api/edge/response.h"
#include "tests/api/fixtures.h"

using namespace souk;
using namespace souk::test;

TEST_CASE("problems: every refusal of the business is a 409 with its own word") {
  std::set<std::string> words;
  int refusals = 0;
  for (int number = 1; number <= 23; ++number) {
    if (number == 17) continue;  // never given out
    Reply reply = reply_of(ReplyCode::refused);
    reply.refusal = static_cast<Refusal>(number);
    const auto problem = problem_of(reply);
    CAPTURE(number);
    CHECK(problem.status == 409);
    CHECK_FALSE(problem.code.empty());
    CHECK_FALSE(problem.detail.empty());
    words.insert(std::string(problem.code));
    ++refusals;
  }
  CHECK(words.size() == static_cast<std::size_t>(refusals));
}

TEST_CASE("problems: every other no of the engine has its status and word") {
  const std::tuple<ReplyCode, int, std::string_view> all[] = {
      {ReplyCode::not_found, 404, "not_found"},
      {ReplyCode::version_mismatch, 412, "version_mismatch"},
      {ReplyCode::idempotency_conflict, 422, "idempotency_conflict"},
      {ReplyCode::unavailable, 503, "unavailable"},
      {ReplyCode::overloaded, 503, "overloaded"},
      {ReplyCode::position_not_reached, 504, "position_not_reached"}};
  for (const auto& [code, status, word] : all) {
    const auto response = response_of({}, reply_of(code));
    const Json json(response.body);
    CHECK(response.status == status);
    CHECK(response.content_type == "application/problem+json");
    CHECK(json.text("/code") == word);
    CHECK(json.number("/status") == status);
    CHECK(json.text("/type") == "urn:souk:problem:" + std::string(word));
    CHECK((response.retry_after_s > 0) == (status == 503));
    CHECK(response.etag == 0);
  }
}

TEST_CASE("problems: an illegal step says what the order is") {
  Reply reply = reply_of(ReplyCode::refused);
  reply.refusal = Refusal::illegal_state;
  reply.detail = static_cast<std::uint8_t>(OrderStatus::delivered);
  CHECK(problem_of(reply).detail.find("delivered") != std::string::npos);
}

TEST_CASE(
    "problems: a document holds what RFC 9457 wants, escaped, and the path only where there is "
    "one") {
  const Json json(problem_json(invalid_request("lines[1].\"x\"", "must be\n7")));
  REQUIRE(json.good());
  CHECK(json.text("/title") == "Invalid request");
  CHECK(json.text("/detail") == "must be\n7");
  CHECK(json.text("/path") == "lines[1].\"x\"");
  CHECK_FALSE(Json(problem_json(not_found("x"))).has("/path"));
}

TEST_CASE("answers: a success carries its version and position; a minimal one no body") {
  Ticket ticket;
  ticket.action = Action::add_item;
  auto response = response_of(ticket, reply_of(ReplyCode::ok, some_cart(), 9, "{\"a\":1}"));
  CHECK(response.status == 200);
  CHECK(response.etag == 9);
  CHECK(response.position == "7:42");
  CHECK(response.body == "{\"a\":1}");
  CHECK_FALSE(response.replayed);
  ticket.wants = Wants::minimal;
  auto again = reply_of(ReplyCode::ok, some_cart(), 9, "{\"a\":1}");
  again.replayed = true;
  response = response_of(ticket, std::move(again));
  CHECK(response.status == 204);
  CHECK(response.body.empty());
  CHECK(response.etag == 9);
  CHECK(response.replayed);
  ticket.action = Action::put_product;
  CHECK(response_of(ticket, reply_of(ReplyCode::created, Sku::trusted("a"))).status == 201);
  CHECK(response_of(ticket, reply_of(ReplyCode::ok, Sku::trusted("a"))).status == 204);
}

TEST_CASE("answers: a creation says where it is") {
  Ticket ticket;
  ticket.action = Action::open_cart;
  CHECK(response_of(ticket, reply_of(ReplyCode::created, some_cart())).location ==
        "/v1/carts/" + some_cart().text());
  ticket.action = Action::check_out;
  const auto accepted = response_of(ticket, reply_of(ReplyCode::accepted, some_order()));
  CHECK(accepted.status == 202);
  CHECK(accepted.location == "/v1/orders/" + some_order().text());
  ticket.action = Action::put_product;
  CHECK(response_of(ticket, reply_of(ReplyCode::created, Sku::trusted("a"))).location.empty());
}

TEST_CASE("answers: 304 only for the very document") {
  Ticket ticket;
  ticket.if_none_match = "\"4\"";
  ticket.action = Action::get_cart;
  auto reply = reply_of(ReplyCode::ok, {}, 4);
  CHECK(is_not_modified(ticket, reply));
  reply.beside_version = 7;  // a product whose stock has moved, say
  CHECK_FALSE(is_not_modified(ticket, reply));
  ticket.if_none_match = "\"4-7\"";
  CHECK(is_not_modified(ticket, reply));
  reply.beside_version = 8;
  CHECK_FALSE(is_not_modified(ticket, reply));
  reply.beside_version = 7;
  ticket.action = Action::add_item;
  CHECK_FALSE(is_not_modified(ticket, reply));
  ticket.action = Action::get_cart;
  reply.version = 5;
  CHECK_FALSE(is_not_modified(ticket, reply));
  reply.version = 4;
  reply.code = ReplyCode::not_found;
  CHECK_FALSE(is_not_modified(ticket, reply));
}
