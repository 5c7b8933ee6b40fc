#include "actors/adapters/payment_simulator/simulator.h"

#include <doctest/doctest.h>

#include <csignal>

#include "actors/adapters/system_clock.h"
#include "tests/adapters/support.h"
#include "tests/support/heard.h"

using namespace souk;
using namespace souk::testing;
using namespace std::chrono_literals;
using CallOp = PaymentCall::Op;
using AnswerKind = PaymentAnswer::Kind;
using Steady = std::chrono::steady_clock;

namespace {

const Currency gbp = *Currency::parse("GBP");

OrderId order(std::uint64_t number) { return OrderId{id_of(number, 5)}; }
PaymentCall call_of(CallOp op, std::uint64_t number, std::string token = {},
                    std::int64_t micros = 4'500'000, std::uint32_t refund = 0) {
  return {op, order(number), refund, {micros}, gbp, "simulated", std::move(token)};
}
PaymentCall authorise(std::uint64_t number, std::string token = "ok") {
  return call_of(CallOp::authorise, number, std::move(token));
}

/// A simulator and all that it answered.
class Provider {
 public:
  explicit Provider(const fs::path& path) : clock_({0}) {
    auto opened = PaymentSimulator::open(path, clock_);
    REQUIRE_MESSAGE(opened.ok(), (opened.ok() ? "" : opened.error().what));
    simulator_ = std::move(*opened);
    simulator_->start([this](const PaymentAnswer& answer) {
      std::lock_guard lock(mutex_);
      answers_.push_back(answer);
      changed_.notify_all();
    });
  }
  PaymentSimulator& operator*() { return *simulator_; }
  PaymentSimulator* operator->() { return simulator_.get(); }

  /// The first `count` answers, taken away; fewer where no more come in time.
  std::vector<PaymentAnswer> take(std::size_t count, std::chrono::milliseconds at_most = 20s) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, at_most, [&] { return answers_.size() >= count; });
    const auto end =
        answers_.begin() + static_cast<std::ptrdiff_t>(std::min(count, answers_.size()));
    std::vector<PaymentAnswer> taken(answers_.begin(), end);
    answers_.erase(answers_.begin(), end);
    return taken;
  }
  /// The one answer to one call.
  AnswerKind ask(PaymentCall call) {
    simulator_->call({call});
    const auto answers = take(1);
    REQUIRE(answers.size() == 1);
    CHECK(answers[0].order == call.order);
    CHECK(answers[0].op == call.op);
    CHECK(answers[0].number == call.number);
    return answers[0].kind;
  }
  PaymentRecord record(std::uint64_t number) {
    auto found = simulator_->record(order(number));
    REQUIRE((found.ok() && found->has_value()));
    return **found;
  }

 private:
  SystemClock clock_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<PaymentAnswer> answers_;
  std::unique_ptr<PaymentSimulator> simulator_;
};

}  // namespace

TEST_CASE(
    "payment simulator: an order is authorised, captured and refunded, and all is on record") {
  TemporaryDirectory folder;
  {
    Provider provider(folder / "provider");
    CHECK_FALSE(provider->record(order(1)).value().has_value());
    CHECK(provider.ask(authorise(1)) == AnswerKind::done);
    CHECK(provider.record(1).authorised.value == 4'500'000);
    CHECK(provider.ask(call_of(CallOp::capture, 1)) == AnswerKind::done);
    CHECK(provider.ask(call_of(CallOp::refund, 1, {}, 1'000'000, 1)) == AnswerKind::done);
    CHECK(provider.ask(call_of(CallOp::refund, 1, {}, 4'000'000, 2)) == AnswerKind::declined);
  }
  Provider provider(folder / "provider");
  CHECK(provider.ask(call_of(CallOp::refund, 1, {}, 1'000'000, 1)) ==
        AnswerKind::done);  // a repeat
  CHECK(provider.ask(authorise(2, "decline")) == AnswerKind::declined);
  const auto record = provider.record(1);
  CHECK(record.currency == gbp);
  CHECK(record.captured.value == 4'500'000);
  CHECK(record.refunded.value == 1'000'000);
  CHECK(record.voided.value == 0);
  CHECK(record.calls == 5);
}

TEST_CASE("payment simulator: twice answers twice, lost answers its repeat only") {
  TemporaryDirectory folder;
  Provider provider(folder / "provider");
  provider->call({authorise(1, "twice"), authorise(2, "lost:100"), authorise(3)});
  const auto answers = provider.take(4, 300ms);
  REQUIRE(answers.size() == 3);
  CHECK((answers[0].order == order(1) && answers[1].order == order(1)));
  CHECK(answers[2].order == order(3));
  CHECK(provider.record(2).authorised.value == 4'500'000);
  CHECK(provider.ask(authorise(2, "lost:100")) == AnswerKind::done);
  CHECK(provider.record(2).calls == 2);
  CHECK(provider.take(1, 200ms).empty());
}

TEST_CASE("payment simulator: slow answers when it said, and holds nobody else up") {
  TemporaryDirectory folder;
  Provider provider(folder / "provider");
  const auto start = Steady::now();
  provider->call({authorise(1, "slow:300"), authorise(2, "slow:100"), authorise(3)});
  auto answers = provider.take(1);
  REQUIRE(answers.size() == 1);
  CHECK(answers[0].order == order(3));
  CHECK(provider.record(1).authorised.value == 4'500'000);
  CHECK(provider.ask(call_of(CallOp::capture, 3)) == AnswerKind::done);
  CHECK(Steady::now() - start < 100ms);
  answers = provider.take(2);
  REQUIRE(answers.size() == 2);
  CHECK(answers[0].order == order(2));
  CHECK(answers[1].order == order(1));
  CHECK(answers[1].kind == AnswerKind::done);
  CHECK(Steady::now() - start >= 300ms);
}

TEST_CASE("payment simulator: a cancel overtakes a slow authorisation and nothing is kept") {
  TemporaryDirectory folder;
  Provider provider(folder / "provider");
  provider->call({authorise(1, "slow:200")});
  CHECK(provider.ask(call_of(CallOp::cancel, 1)) == AnswerKind::done);
  const auto late = provider.take(1);
  REQUIRE(late.size() == 1);
  CHECK(late[0].op == CallOp::authorise);
  CHECK(late[0].kind == AnswerKind::declined);
  const auto record = provider.record(1);
  CHECK(record.voided == record.authorised);
  CHECK(provider.ask(call_of(CallOp::capture, 1)) == AnswerKind::declined);
  CHECK(provider.ask(call_of(CallOp::cancel, 2)) == AnswerKind::done);  // before any authorisation
  CHECK(provider.ask(authorise(2, "slow:200")) == AnswerKind::declined);
  CHECK(provider.record(2).authorised.value == 0);
}

TEST_CASE("(child) the provider answers and is killed" * doctest::skip()) {
  Provider provider(child_folder());
  CHECK(provider.ask(authorise(1)) == AnswerKind::done);
  CHECK(provider.ask(authorise(2, "error:2")) == AnswerKind::failed);
  provider->call({authorise(3, "slow:60000"), authorise(4, "lost:1")});
  CHECK(provider.ask(call_of(CallOp::cancel, 5)) == AnswerKind::done);
  std::raise(SIGKILL);
}

TEST_CASE("payment simulator: what was answered survives a kill") {
  TemporaryDirectory folder;
  const auto path = folder / "provider";
  const int status = run_child("(child) the provider answers and is killed", path);
  REQUIRE((WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL));
  Provider provider(path);
  CHECK(provider.record(1).authorised.value == 4'500'000);
  CHECK(provider.ask(authorise(1, "decline")) == AnswerKind::done);
  CHECK(provider.ask(authorise(2, "error:2")) == AnswerKind::failed);
  CHECK(provider.ask(authorise(2, "error:2")) == AnswerKind::done);
  CHECK(provider.record(2).calls == 3);
  CHECK(provider.record(3).authorised.value == 4'500'000);
  CHECK(provider.ask(call_of(CallOp::cancel, 3)) == AnswerKind::done);
  CHECK(provider.ask(authorise(4, "lost:1")) == AnswerKind::done);
  CHECK(provider.ask(authorise(5)) == AnswerKind::declined);
}

TEST_CASE("payment simulator: calls beyond the queue's limit are answered failed") {
  TemporaryDirectory folder;
  Provider provider(folder / "provider");
  // All in one call, so that the thread cannot take some before the rest comes.
  constexpr std::size_t beyond = 3;
  constexpr auto count = PaymentSimulator::calls_queued_max + beyond;
  std::vector<PaymentCall> calls;
  calls.reserve(count);
  for (std::size_t i = 0; i < count; ++i) calls.push_back(authorise(i));
  provider->call(std::move(calls));
  const auto answers = provider.take(count, 120s);
  REQUIRE(answers.size() == count);
  CHECK(std::count_if(answers.begin(), answers.end(), [](const PaymentAnswer& answer) {
          return answer.kind == AnswerKind::failed;
        }) == beyond);
  CHECK(provider.record(PaymentSimulator::calls_queued_max - 1).calls == 1);
  CHECK_FALSE(provider->record(order(PaymentSimulator::calls_queued_max)).value().has_value());
}

TEST_CASE("payment simulator: threads that repeat one call have it carried out once") {
  TemporaryDirectory folder;
  Provider provider(folder / "provider");
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&provider] {
      for (std::uint64_t i = 0; i < 250; ++i) provider->call({authorise(i)});
    });
  }
  for (auto& thread : threads) thread.join();
  const auto answers = provider.take(1'000);
  REQUIRE(answers.size() == 1'000);
  for (const auto& answer : answers) CHECK(answer.kind == AnswerKind::done);
  for (std::uint64_t i = 0; i < 250; ++i) {
    CHECK(provider.record(i).calls == 4);
    CHECK(provider.record(i).authorised.value == 4'500'000);
  }
}

TEST_CASE("payment simulator: after stop nothing is answered") {
  TemporaryDirectory folder;
  Provider provider(folder / "provider");
  provider->call({authorise(1, "slow:100")});
  CHECK(provider.ask(authorise(2)) == AnswerKind::done);
  provider->stop();
  provider->call({authorise(3)});
  CHECK(provider.take(1, 300ms).empty());
  CHECK(provider.record(1).authorised.value == 4'500'000);
}

TEST_CASE("payment simulator: a failing disk fails calls, which are done once it works again") {
  TemporaryDirectory folder;
  Provider provider(folder / "provider");
  CHECK(provider.ask(authorise(1)) == AnswerKind::done);
  {
    test::Heard heard;
    NoFileGrows disk;
    for (int i = 0; i < 10; ++i) CHECK(provider.ask(authorise(2)) == AnswerKind::failed);
    CHECK(provider.ask(call_of(CallOp::capture, 1)) == AnswerKind::failed);
    CHECK(provider->failing());
    CHECK(heard.count("cannot use its ledger") <= 1);  // none: said less than ten seconds ago
  }
  SUBCASE("and nobody has to call for that") {
    for (int i = 0; i < 100 && provider->failing(); ++i) std::this_thread::sleep_for(50ms);
    CHECK_FALSE(provider->failing());
  }
  auto kind = AnswerKind::failed;
  for (int i = 0; i < 100 && kind == AnswerKind::failed; ++i) {
    std::this_thread::sleep_for(50ms);
    kind = provider.ask(authorise(2));
  }
  CHECK(kind == AnswerKind::done);
  CHECK(provider.record(2).calls == 1);  // the failed ones never happened
  CHECK(provider.ask(call_of(CallOp::capture, 1)) == AnswerKind::done);
  CHECK(provider.record(1).captured.value == 4'500'000);
}
