#include <doctest/doctest.h>
#include <rapidcheck.h>

#include "actors/adapters/payment_simulator/ledger.h"
#include "actors/adapters/payment_simulator/rules.h"
#include "tests/adapters/support.h"

using namespace souk;
using namespace souk::testing;
using CallOp = PaymentCall::Op;
using AnswerKind = PaymentAnswer::Kind;

namespace {

const UnixMs noon{1'700'000'000'000};
const Currency gbp = *Currency::parse("GBP");

PaymentCall call_of(CallOp op, std::int64_t micros, std::string token = {},
                    std::uint32_t number = 0) {
  return {op, OrderId{id_of(1)}, number, {micros}, gbp, "simulated", std::move(token)};
}
PaymentCall authorise(std::string token, std::int64_t micros = 100) {
  return call_of(CallOp::authorise, micros, std::move(token));
}
ProviderReply provide(ProviderAccount& account, const PaymentCall& call) {
  return souk::provide(account, call, noon);
}
void check_record(const ProviderAccount& account, std::int64_t authorised, std::int64_t captured,
                  std::int64_t voided, std::int64_t refunded) {
  CHECK(account.record.authorised.value == authorised);
  CHECK(account.record.captured.value == captured);
  CHECK(account.record.voided.value == voided);
  CHECK(account.record.refunded.value == refunded);
}

}  // namespace

TEST_CASE("provider: tokens authorise, decline, and anything unknown declines") {
  for (const auto* token : {"", "ok", "twice", "slow:0", "slow:600000", "lost:0", "lost:600000",
                            "error:0", "slow:00010"}) {
    CAPTURE(token);
    ProviderAccount account;
    CHECK(provide(account, authorise(token)).answer.kind == AnswerKind::done);
    check_record(account, 100, 0, 0, 0);
    CHECK(account.record.currency == gbp);
  }
  for (const auto* token :
       {"decline", "OK", "ok ", "slow", "slow:", "slow:-1", "slow:600001", "slow:1x", "slow:+1",
        "slow:9999999999", "lost:600001", "lost:", "error:", "error:1001", "error:1.5", "visa"}) {
    CAPTURE(token);
    ProviderAccount account;
    const auto reply = provide(account, authorise(token));
    CHECK(reply.answer.kind == AnswerKind::declined);
    CHECK(reply.times == 1);
    CHECK(reply.delay_ms == 0);
    check_record(account, 0, 0, 0, 0);
  }
}

TEST_CASE("provider: a repeat gets the first outcome and counts one more call") {
  ProviderAccount account;
  provide(account, authorise("ok"));
  CHECK(provide(account, authorise("decline", 999)).answer.kind == AnswerKind::done);
  check_record(account, 100, 0, 0, 0);
  CHECK(provide(account, call_of(CallOp::capture, 100)).answer.kind == AnswerKind::done);
  CHECK(provide(account, call_of(CallOp::capture, 100)).answer.kind == AnswerKind::done);
  check_record(account, 100, 100, 0, 0);
  CHECK(provide(account, call_of(CallOp::refund, 30, {}, 1)).answer.kind == AnswerKind::done);
  CHECK(provide(account, call_of(CallOp::refund, 30, {}, 1)).answer.kind == AnswerKind::done);
  check_record(account, 100, 100, 0, 30);
  CHECK(account.record.calls == 6);
  ProviderAccount declined;
  provide(declined, authorise("decline"));
  CHECK(provide(declined, authorise("ok")).answer.kind == AnswerKind::declined);
  CHECK(declined.record.calls == 2);
}

TEST_CASE("provider: slow answers late, a repeat no sooner, and the money is taken at once") {
  ProviderAccount account;
  CHECK(provide(account, authorise("slow:500")).delay_ms == 500);
  check_record(account, 100, 0, 0, 0);
  CHECK(souk::provide(account, authorise("slow:500"), noon.plus_ms(200)).delay_ms == 300);
  const auto late = souk::provide(account, authorise("slow:500"), noon.plus_ms(500));
  CHECK(late.delay_ms == 0);
  CHECK(late.answer.kind == AnswerKind::done);
  CHECK(late.times == 1);
}

TEST_CASE("provider: lost takes the money and answers only a repeat") {
  ProviderAccount account;
  CHECK(provide(account, authorise("lost:100")).times == 0);
  check_record(account, 100, 0, 0, 0);
  const auto repeat = provide(account, authorise("lost:100"));
  CHECK(repeat.times == 1);
  CHECK(repeat.delay_ms == 0);
  CHECK(repeat.answer.kind == AnswerKind::done);
  check_record(account, 100, 0, 0, 0);
}

TEST_CASE("provider: twice answers twice, its repeat once") {
  ProviderAccount account;
  CHECK(provide(account, authorise("twice")).times == 2);
  CHECK(provide(account, authorise("twice")).times == 1);
}

TEST_CASE("provider: error fails as often as it says, then authorises") {
  ProviderAccount account;
  for (int i = 0; i < 3; ++i) {
    CHECK(provide(account, authorise("error:3")).answer.kind == AnswerKind::failed);
    check_record(account, 0, 0, 0, 0);
  }
  CHECK(provide(account, authorise("error:3")).answer.kind == AnswerKind::done);
  CHECK(account.record.calls == 4);
  ProviderAccount most;
  for (int i = 0; i < 1'000; ++i) {
    REQUIRE(provide(most, authorise("error:1000")).answer.kind == AnswerKind::failed);
  }
  CHECK(provide(most, authorise("error:1000")).answer.kind == AnswerKind::done);
}

TEST_CASE("provider: no more is captured than was authorised, and only in its currency") {
  ProviderAccount account;
  CHECK(provide(account, call_of(CallOp::capture, 1)).answer.kind == AnswerKind::declined);
  ProviderAccount more;
  provide(more, authorise("ok"));
  CHECK(provide(more, call_of(CallOp::capture, 101)).answer.kind == AnswerKind::declined);
  check_record(more, 100, 0, 0, 0);
  ProviderAccount foreign;
  provide(foreign, authorise("ok"));
  auto euros = call_of(CallOp::capture, 100);
  euros.currency = *Currency::parse("EUR");
  CHECK(provide(foreign, euros).answer.kind == AnswerKind::declined);
  ProviderAccount free;
  CHECK(provide(free, authorise("ok", 0)).answer.kind == AnswerKind::done);
  CHECK(provide(free, call_of(CallOp::capture, 0)).answer.kind == AnswerKind::done);
  ProviderAccount negative;
  CHECK(provide(negative, authorise("ok", -1)).answer.kind == AnswerKind::declined);
}

TEST_CASE("provider: refunds end at what was captured") {
  ProviderAccount account;
  provide(account, authorise("ok"));
  CHECK(provide(account, call_of(CallOp::refund, 1, {}, 1)).answer.kind == AnswerKind::declined);
  provide(account, call_of(CallOp::capture, 100));
  CHECK(provide(account, call_of(CallOp::refund, 60, {}, 2)).answer.kind == AnswerKind::done);
  CHECK(provide(account, call_of(CallOp::refund, 41, {}, 3)).answer.kind == AnswerKind::declined);
  CHECK(provide(account, call_of(CallOp::refund, 40, {}, 4)).answer.kind == AnswerKind::done);
  CHECK(provide(account, call_of(CallOp::refund, 1, {}, 5)).answer.kind == AnswerKind::declined);
  CHECK(provide(account, call_of(CallOp::refund, -1, {}, 6)).answer.kind == AnswerKind::declined);
  check_record(account, 100, 100, 0, 100);
}

TEST_CASE("provider: a cancelled order keeps nothing, whatever it was and whatever comes") {
  ProviderAccount authorised;
  provide(authorised, authorise("slow:1000"));
  CHECK(provide(authorised, call_of(CallOp::cancel, 0)).answer.kind == AnswerKind::done);
  check_record(authorised, 100, 0, 100, 0);
  const auto repeat = provide(authorised, authorise("slow:1000"));
  CHECK(repeat.answer.kind == AnswerKind::declined);
  CHECK(repeat.delay_ms == 0);
  CHECK(provide(authorised, call_of(CallOp::capture, 100)).answer.kind == AnswerKind::declined);
  CHECK(provide(authorised, call_of(CallOp::cancel, 0)).answer.kind == AnswerKind::done);
  check_record(authorised, 100, 0, 100, 0);

  ProviderAccount captured;
  provide(captured, authorise("ok"));
  provide(captured, call_of(CallOp::capture, 70));
  provide(captured, call_of(CallOp::refund, 20, {}, 1));
  CHECK(provide(captured, call_of(CallOp::cancel, 0)).answer.kind == AnswerKind::done);
  check_record(captured, 100, 70, 30, 70);
  CHECK(provide(captured, call_of(CallOp::refund, 1, {}, 2)).answer.kind == AnswerKind::declined);

  for (const auto* token : {"ok", "slow:10", "lost:10", "twice", "error:1"}) {
    ProviderAccount early;
    CHECK(provide(early, call_of(CallOp::cancel, 0)).answer.kind == AnswerKind::done);
    const auto late = provide(early, authorise(token));
    CHECK(late.answer.kind == AnswerKind::declined);
    CHECK(late.times == 1);
    CHECK(late.delay_ms == 0);
    check_record(early, 0, 0, 0, 0);
  }
}

TEST_CASE("provider: an order has a bounded number of outcomes, and can still be cancelled") {
  ProviderAccount account;
  provide(account, authorise("ok", 10'000));
  provide(account, call_of(CallOp::capture, 10'000));
  std::uint32_t number = 0;
  while (account.outcomes.size() < simulator_limits::outcomes_max) {
    REQUIRE(provide(account, call_of(CallOp::refund, 1, {}, ++number)).answer.kind ==
            AnswerKind::done);
  }
  CHECK(provide(account, call_of(CallOp::refund, 1, {}, ++number)).answer.kind ==
        AnswerKind::declined);
  CHECK(provide(account, call_of(CallOp::refund, 1, {}, 1)).answer.kind ==
        AnswerKind::done);  // a repeat
  CHECK(provide(account, call_of(CallOp::cancel, 0)).answer.kind == AnswerKind::done);
  check_record(account, 10'000, 10'000, 0, 10'000);
}

TEST_CASE("provider: whatever is called, the books balance and stored accounts read back") {
  const bool held = rc::check("books balance", [] {
    ProviderAccount account;
    std::int64_t clock = 0;
    for (int i = 0, n = *rc::gen::inRange(0, 30); i < n; ++i) {
      const auto op =
          *rc::gen::element(CallOp::authorise, CallOp::capture, CallOp::cancel, CallOp::refund);
      const auto token = *rc::gen::element<std::string>("ok", "decline", "slow:50", "lost:5",
                                                        "twice", "error:2", "?");
      const auto call = call_of(op, *rc::gen::inRange<std::int64_t>(-2, 120), token,
                                static_cast<std::uint32_t>(*rc::gen::inRange(0, 6)));
      const auto before = account;
      clock += *rc::gen::inRange(0, 40);
      const auto reply = souk::provide(account, call, noon.plus_ms(clock));
      const auto& record = account.record;
      RC_ASSERT(record.voided.value + record.captured.value <= record.authorised.value);
      RC_ASSERT(record.refunded.value <= record.captured.value);
      RC_ASSERT(record.refunded.value >= 0 && record.voided.value >= 0);
      RC_ASSERT(record.calls == before.record.calls + 1);
      if (account.cancelled) {
        RC_ASSERT(record.voided.value + record.refunded.value == record.authorised.value);
      }
      if (reply.answer.kind == AnswerKind::done) {  // and stays so on a repeat
        auto again = account;
        RC_ASSERT(souk::provide(again, call, noon.plus_ms(clock)).answer.kind == AnswerKind::done);
        RC_ASSERT(again.outcomes == account.outcomes);
      }
      const auto read = decode_account(encode_account(account));
      RC_ASSERT(read.has_value());
      RC_ASSERT(encode_account(*read) == encode_account(account));
      RC_ASSERT(read->outcomes == account.outcomes);
      RC_ASSERT(read->record.refunded == record.refunded);
    }
  });
  CHECK(held);
}

TEST_CASE("provider: a damaged account is noticed") {
  ProviderAccount account;
  provide(account, authorise("slow:5"));
  const auto good = encode_account(account);
  REQUIRE(decode_account(good).has_value());
  for (std::size_t i = 0; i < good.size(); ++i) {
    auto bad = good;
    bad[i] = static_cast<char>(bad[i] ^ 1);
    CHECK_FALSE(decode_account(bad).has_value());
  }
  CHECK_FALSE(decode_account(good.substr(0, good.size() - 8)).has_value());
  CHECK_FALSE(decode_account("").has_value());
}
