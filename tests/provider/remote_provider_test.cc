// What the simulator does, it does through the wire as well (tests/adapters/simulator_test.cc).
#include "actors/adapters/remote_provider.h"

#include <doctest/doctest.h>

#include "actors/adapters/provider_wire.h"
#include "tests/provider/support.h"

using namespace souk;
using namespace souk::test;
using namespace std::chrono_literals;

TEST_CASE("remote provider: an order is authorised, captured and refunded, and all is on record") {
  TemporaryDirectory folder;
  Served served(folder / "provider");
  Caller node(served.address());
  const auto unheard = node->record(order(1));
  REQUIRE(unheard.ok());
  CHECK_FALSE(unheard->has_value());
  CHECK(node.ask(authorise(1)) == AnswerKind::done);
  CHECK(node.ask(call_of(CallOp::capture, 1)) == AnswerKind::done);
  CHECK(node.ask(call_of(CallOp::refund, 1, {}, 1'000'000, 1)) == AnswerKind::done);
  CHECK(node.ask(call_of(CallOp::refund, 1, {}, 4'000'000, 2)) == AnswerKind::declined);
  CHECK(node.ask(authorise(2, "decline")) == AnswerKind::declined);
  const PaymentRecord record = node.record(1);
  CHECK(record.currency == gbp);
  CHECK(record.authorised.value == 4'500'000);
  CHECK(record.captured.value == 4'500'000);
  CHECK(record.refunded.value == 1'000'000);
  CHECK(record.voided.value == 0);
  CHECK(record.calls == 4);
  CHECK_FALSE(node->away());
  CHECK(node->dropped() == 0);
}

TEST_CASE("remote provider: twice answers twice, lost its repeat only, error the second time") {
  TemporaryDirectory folder;
  Served served(folder / "provider");
  Caller node(served.address());
  node->call({authorise(1, "twice"), authorise(2, "lost:100"), authorise(3)});
  const auto answers = node.take(4, 500ms);
  REQUIRE(answers.size() == 3);
  CHECK((answers[0].order == order(1) && answers[1].order == order(1)));
  CHECK(answers[2].order == order(3));
  CHECK(node.record(2).authorised.value == 4'500'000);
  CHECK(node.ask(authorise(2, "lost:100")) == AnswerKind::done);
  CHECK(node.ask(authorise(4, "error:1")) == AnswerKind::failed);
  CHECK(node.ask(authorise(4, "error:1")) == AnswerKind::done);
  CHECK(node.take(1, 200ms).empty());
}

TEST_CASE("remote provider: slow answers when it said, and holds nobody else up") {
  TemporaryDirectory folder;
  Served served(folder / "provider");
  Caller node(served.address());
  // Longer than anybody waits for one answer of HTTP.
  const auto longest = wire::answers_wait + 700ms;
  const auto start = Steady::now();
  node->call({authorise(1, "slow:" + std::to_string(longest.count())), authorise(2, "slow:600"),
              authorise(3)});
  auto answers = node.take(1);
  REQUIRE(answers.size() == 1);
  CHECK(answers[0].order == order(3));
  CHECK(node.ask(call_of(CallOp::capture, 3)) == AnswerKind::done);
  CHECK(Steady::now() - start < 600ms);
  answers = node.take(1);
  REQUIRE(answers.size() == 1);
  CHECK(answers[0].order == order(2));
  CHECK(Steady::now() - start >= 600ms);
  answers = node.take(1);
  REQUIRE(answers.size() == 1);
  CHECK((answers[0].order == order(1) && answers[0].kind == AnswerKind::done));
  CHECK(Steady::now() - start >= longest);
}

TEST_CASE("remote provider: a cancel overtakes a slow authorisation and nothing is kept") {
  TemporaryDirectory folder;
  Served served(folder / "provider");
  Caller node(served.address());
  node->call({authorise(1, "slow:400")});
  CHECK(node.ask(call_of(CallOp::cancel, 1)) == AnswerKind::done);
  const auto late = node.take(1);
  REQUIRE(late.size() == 1);
  CHECK(late[0].op == CallOp::authorise);
  CHECK(late[0].kind == AnswerKind::declined);
  const PaymentRecord record = node.record(1);
  CHECK(record.voided == record.authorised);
}

TEST_CASE("remote provider: an order that moves to another node is charged once") {
  TemporaryDirectory folder;
  Served served(folder / "provider");
  Caller before(served.address()), after(served.address());
  CHECK(before.ask(authorise(1)) == AnswerKind::done);
  CHECK(before.ask(call_of(CallOp::capture, 1)) == AnswerKind::done);
  // The node that has it now repeats what the other did not write down.
  CHECK(after.ask(authorise(1)) == AnswerKind::done);
  CHECK(after.ask(call_of(CallOp::capture, 1)) == AnswerKind::done);
  CHECK(after.record(1).captured.value == 4'500'000);
  CHECK(after.record(1).calls == 4);
  CHECK(before.take(1, 100ms).empty());
}

TEST_CASE("remote provider: what an order's former node asked for is answered to the new one") {
  TemporaryDirectory folder;
  Served served(folder / "provider");
  Caller before(served.address()), after(served.address());
  before->call({authorise(1, "slow:500")});
  REQUIRE(eventually([&] {
    const auto record = after->record(order(1));
    return record.ok() && record->has_value();
  }));
  after->call({authorise(1, "slow:500")});
  CHECK(after.take(2).size() == 2);
  CHECK(before.take(1, 100ms).empty());
}

TEST_CASE("remote provider: a repeat is answered the same after the provider was started again") {
  TemporaryDirectory folder;
  auto served = std::make_unique<Served>(folder / "provider");
  const std::string listens = served->listens();
  Caller node(served->address());
  CHECK(node.ask(authorise(1)) == AnswerKind::done);
  CHECK(node.ask(authorise(2, "decline")) == AnswerKind::declined);
  CHECK(node.ask(call_of(CallOp::capture, 1)) == AnswerKind::done);
  served.reset();
  REQUIRE(eventually([&] { return node->away().has_value(); }));
  node->call({authorise(3)});  // into the void
  REQUIRE(eventually([&] { return node->dropped() == 1; }));
  const auto start = Steady::now();
  const auto record = node->record(order(1));
  CHECK(!record.ok());
  CHECK(record.error().kind == Fault::Kind::unavailable);
  CHECK(Steady::now() - start < 200ms);

  served = std::make_unique<Served>(folder / "provider", listens);
  // Nobody has to call for that.
  REQUIRE(eventually([&] { return !node->away(); }));
  CHECK(node.ask(authorise(1)) == AnswerKind::done);
  CHECK(node.ask(authorise(2, "ok")) == AnswerKind::declined);
  CHECK(node.ask(call_of(CallOp::capture, 1)) == AnswerKind::done);
  CHECK(node.record(1).captured.value == 4'500'000);
  CHECK_FALSE(served->simulator->record(order(3))->has_value());
  CHECK(node.ask(authorise(3)) == AnswerKind::done);
}

TEST_CASE("remote provider: calls before its start are taken up, none is answered after its stop") {
  TemporaryDirectory folder;
  Served served(folder / "provider");
  Caller node(served.address(), {}, Caller::Begins::later);
  node->call({authorise(1)});
  CHECK(node.take(1, 100ms).empty());
  node.start();
  REQUIRE(node.take(1).size() == 1);
  node->call({authorise(2, "slow:300")});
  REQUIRE(eventually([&] { return served.simulator->record(order(2))->has_value(); }));
  node->stop();
  CHECK(node.take(1, 500ms).empty());
  node->call({authorise(2)});
  node.start();
  const auto answers = node.take(1);
  REQUIRE(answers.size() == 1);
  CHECK(answers[0].order == order(2));
}

TEST_CASE("remote provider: a connection that ended between two calls costs neither of them") {
  TemporaryDirectory folder;
  HttpLimits limits;
  limits.idle_timeout_ms = 100;
  Served served(folder / "provider", "127.0.0.1:0", limits);
  Caller node(served.address());
  CHECK(node.ask(authorise(1)) == AnswerKind::done);
  std::this_thread::sleep_for(400ms);
  CHECK(node.ask(authorise(2)) == AnswerKind::done);
  CHECK(node->dropped() == 0);
  CHECK_FALSE(node->away());
}

TEST_CASE("remote provider: as many calls as the queue holds are answered, one more is dropped") {
  TemporaryDirectory folder;
  Served served(folder / "provider");
  Caller node(served.address(), {}, Caller::Begins::later);
  std::vector<PaymentCall> calls;
  for (std::size_t i = 0; i <= RemoteProvider::calls_queued_max; ++i) calls.push_back(authorise(i));
  node->call(std::move(calls));
  CHECK(node->dropped() == 1);
  node.start();
  CHECK(node.take(RemoteProvider::calls_queued_max, 60s).size() ==
        RemoteProvider::calls_queued_max);
  CHECK_FALSE(served.simulator->record(order(RemoteProvider::calls_queued_max))->has_value());
  CHECK(node->dropped() == 1);
}

TEST_CASE("remote provider: its address is http, a host and a port") {
  CHECK(parse_provider_url("http://127.0.0.1:8090") == ProviderAddress{"127.0.0.1", "8090"});
  CHECK(parse_provider_url("http://pay-1.example:80/") == ProviderAddress{"pay-1.example", "80"});
  CHECK(parse_provider_url("http://[::1]:8090") == ProviderAddress{"::1", "8090"});
  CHECK(ProviderAddress{"::1", "8090"}.text() == "[::1]:8090");
  for (const char* wrong :
       {"", "http://", "127.0.0.1:8090", "https://127.0.0.1:8090", "http://127.0.0.1",
        "http://:8090", "http://a:0", "http://a:65536", "http://a:80x", "http://a b:80",
        "http://a:80/path", "http://u@a:80", "http://::1:80", "http://[]:80"})
    CHECK_MESSAGE(!parse_provider_url(wrong), wrong);
}
