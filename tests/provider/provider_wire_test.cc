#include "actors/adapters/provider_wire.h"

#include <doctest/doctest.h>

#include "tests/provider/support.h"

using namespace souk;
using namespace souk::test;

namespace {

bool same(const PaymentCall& a, const PaymentCall& b) {
  return a.op == b.op && a.order == b.order && a.number == b.number && a.amount == b.amount &&
         a.currency == b.currency && a.method == b.method && a.token == b.token;
}

}  // namespace

TEST_CASE("provider wire: calls arrive as they were sent") {
  std::vector<PaymentCall> calls{authorise(1, "slow:200"), call_of(CallOp::capture, 2),
                                 call_of(CallOp::cancel, 3, {}, 0),
                                 call_of(CallOp::refund, 4, {}, INT64_MAX, UINT32_MAX)};
  calls[0].token = "\"quoted\\ \xc3\xa9\n";
  calls[1].amount = Micros{-1};
  calls[2].currency = Currency{};
  const auto decoded = wire::decode_calls(wire::encode_calls(calls));
  REQUIRE_MESSAGE(decoded.ok(), (decoded.ok() ? "" : decoded.error().what));
  REQUIRE(decoded->size() == calls.size());
  for (std::size_t i = 0; i < calls.size(); ++i) CHECK(same((*decoded)[i], calls[i]));
}

TEST_CASE("provider wire: answers and records arrive as they were sent") {
  const std::vector<PaymentAnswer> answers{{order(1), CallOp::authorise, 0, AnswerKind::done},
                                           {order(2), CallOp::capture, 0, AnswerKind::declined},
                                           {order(3), CallOp::refund, 7, AnswerKind::failed},
                                           {order(4), CallOp::cancel, 0, AnswerKind::done}};
  const auto decoded = wire::decode_answers(wire::encode_answers(answers));
  REQUIRE(decoded.ok());
  REQUIRE(decoded->size() == answers.size());
  for (std::size_t i = 0; i < answers.size(); ++i) {
    CHECK((*decoded)[i].order == answers[i].order);
    CHECK((*decoded)[i].op == answers[i].op);
    CHECK((*decoded)[i].number == answers[i].number);
    CHECK((*decoded)[i].kind == answers[i].kind);
  }
  const PaymentRecord record{gbp, {5}, {4}, {1}, {2}, 9};
  const auto read = wire::decode_record(wire::encode_record(record));
  REQUIRE(read.ok());
  CHECK(read->currency == gbp);
  CHECK(read->authorised.value == 5);
  CHECK(read->captured.value == 4);
  CHECK(read->voided.value == 1);
  CHECK(read->refunded.value == 2);
  CHECK(read->calls == 9);
}

TEST_CASE("provider wire: as many calls as a request may have, and texts as long as they may be") {
  std::vector<PaymentCall> calls(wire::calls_per_request_max,
                                 authorise(1, std::string(wire::text_bytes_max, '"')));
  calls[0].method = std::string(wire::text_bytes_max, '\n');
  const std::string body = wire::encode_calls(calls);
  CHECK(body.size() <= wire::request_bytes_max);
  CHECK(wire::decode_calls(body).ok());
  calls.push_back(calls.back());
  CHECK_FALSE(wire::decode_calls(wire::encode_calls(calls)).ok());
  const auto longer = authorise(1, std::string(wire::text_bytes_max + 1, 'x'));
  const auto refused = wire::decode_calls(wire::encode_calls({&longer, 1}));
  REQUIRE(!refused.ok());
  CHECK(refused.error().what == "calls[0].token is no text of at most 128 bytes");
}

TEST_CASE("provider wire: what is no call is refused with the member that is wrong") {
  const std::string good = wire::encode_calls(std::vector{authorise(1)});
  REQUIRE(wire::decode_calls(good).ok());
  const auto changed = [&](std::string_view from, std::string_view to) {
    std::string body = good;
    const auto at = body.find(from);
    REQUIRE(at != std::string::npos);
    body.replace(at, from.size(), to);
    return body;
  };
  const std::pair<std::string, std::string_view> cases[] = {
      {"", "JSON"},
      {"[]", "no array calls"},
      {R"({"calls":{}})", "no array calls"},
      {R"({"calls":[7]})", "calls[0].op"},
      {good.substr(0, good.size() - 1), "JSON"},
      {changed("authorise", "steal"), "calls[0].op"},
      {changed(order(1).text(), "o123"), "calls[0].order"},
      {changed(order(1).text(), "c" + order(1).text().substr(1)), "calls[0].order"},
      {changed(R"("number":0)", R"("number":-1)"), "calls[0].number"},
      {changed(R"("number":0)", R"("number":4294967296)"), "calls[0].number"},
      {changed("4500000", "4.5"), "calls[0].amount_micros"},
      {changed("4500000", "9223372036854775808"), "calls[0].amount_micros"},
      {changed("GBP", "pounds"), "calls[0].currency"},
      {changed(R"(,"token":"ok")", ""), "calls[0].token"},
      {changed("ok", "\xff"), "JSON"},
  };
  for (const auto& [body, words] : cases) {
    const auto decoded = wire::decode_calls(body);
    CHECK_MESSAGE(!decoded.ok(), body);
    if (decoded.ok()) continue;
    CHECK(decoded.error().kind == Fault::Kind::corrupt);
    CHECK_MESSAGE(decoded.error().what.find(words) != std::string::npos, decoded.error().what);
  }
}
