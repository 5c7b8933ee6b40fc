#include "tests/support/linear.h"

#include <doctest/doctest.h>

#include <random>

using namespace souk::test;

namespace {

constexpr std::int64_t never = std::numeric_limits<std::int64_t>::max();

/// A history, one operation after another: each call says when it was asked and answered.
struct History {
  std::vector<Operation> all;

  Operation& put(std::int64_t called, std::int64_t answered, Deed deed, std::uint64_t version,
                 Amounts amounts) {
    Operation o;
    o.client = "c" + std::to_string(all.size());
    o.called = called;
    o.answered = answered;
    o.deed = deed;
    o.told = answered == never ? Told::nothing : Told::done;
    o.version = version;
    if (o.told == Told::done) o.amounts = std::move(amounts);
    return all.emplace_back(std::move(o));
  }
  Operation& add(std::int64_t called, std::int64_t answered, std::int64_t amount,
                 std::uint64_t version = 0, Amounts amounts = {}) {
    Operation& o = put(called, answered, Deed::add, version, std::move(amounts));
    o.name = "tea";
    o.amount = amount;
    return o;
  }
  Operation& get(std::int64_t called, std::int64_t answered, std::uint64_t version,
                 Amounts amounts = {}) {
    return put(called, answered, Deed::get, version, std::move(amounts));
  }
  Linear judged() const { return judge_linear({}, all).linear; }
};

Amounts tea(std::int64_t amount) { return {{"tea", amount}}; }

}  // namespace

TEST_CASE("linear: what comes one after another is judged by the answers") {
  History good;
  good.add(1, 2, 3, 1, tea(3));
  good.get(3, 4, 1, tea(3));
  good.add(5, 6, 2, 2, tea(5));
  CHECK(good.judged() == Linear::yes);
  good.all[2].amounts = tea(4);
  CHECK(good.judged() == Linear::no);
}

TEST_CASE("linear: a stale read is found out") {
  History history;
  history.add(1, 2, 3, 1, tea(3));
  history.get(3, 4, 0);
  CHECK(history.judged() == Linear::no);
  history.all[1].called = 1;  // it overlaps: either is right
  CHECK(history.judged() == Linear::yes);
}

TEST_CASE("linear: two reads cannot go back in time") {
  History history;
  history.add(1, 10, 3, 1, tea(3));
  history.get(2, 3, 1, tea(3));
  history.get(4, 5, 0);
  const auto verdict = judge_linear({}, history.all);
  CHECK(verdict.linear == Linear::no);
  CHECK(verdict.why.find("c2 reads: version 0") != std::string::npos);
}

TEST_CASE("linear: an acknowledged write that is lost is found out, one in doubt may be lost") {
  History history;
  history.add(1, 2, 3, 1, tea(3));
  history.add(3, 4, 2, 2, tea(5));
  history.get(5, 6, 1, tea(3));
  CHECK(history.judged() == Linear::no);
  history.all[1] = Operation(history.all[1]);
  history.all[1].told = Told::nothing;
  history.all[1].answered = never;
  CHECK(history.judged() == Linear::yes);
}

TEST_CASE("linear: what is in doubt may happen late, but once") {
  History history;
  history.add(1, never, 3);
  history.get(5, 6, 0);
  history.get(7, 8, 1, tea(3));
  CHECK(history.judged() == Linear::yes);
  history.get(9, 10, 0);
  CHECK(history.judged() == Linear::no);
  history.all.back() = history.all[2];
  history.all.back().called = 9;
  history.all.back().answered = 10;
  history.all.back().version = 2;
  history.all.back().amounts = tea(6);
  CHECK(history.judged() == Linear::no);
}

TEST_CASE("linear: a key counts once, however often it was sent, and is answered the same") {
  History history;
  history.add(1, never, 3).key = "k";
  history.add(2, 3, 3, 1, tea(3)).key = "k";
  history.add(4, 5, 3, 1, tea(3)).key = "k";
  history.get(6, 7, 1, tea(3));
  CHECK(history.judged() == Linear::yes);
  history.all[3].version = 2;
  history.all[3].amounts = tea(6);
  CHECK(history.judged() == Linear::no);  // it counted twice
  history.all[3].told = Told::nothing;
  history.all[2].version = 2;
  history.all[2].amounts = tea(6);
  CHECK(history.judged() == Linear::no);
}

TEST_CASE("linear: If-Match lets one of two through") {
  History history;
  history.add(1, 10, 1, 1, tea(1)).if_match = 0;
  auto& other = history.add(1, 10, 2);
  other.if_match = 0;
  other.told = Told::mismatch;
  CHECK(history.judged() == Linear::yes);
  history.all[1].told = Told::done;
  history.all[1].version = 2;
  history.all[1].amounts = tea(3);
  CHECK(history.judged() == Linear::no);
  history.all[0].told = history.all[1].told = Told::mismatch;
  CHECK(history.judged() == Linear::no);
}

TEST_CASE("linear: two who both took version 2 are found out") {
  History history;
  history.add(1, 10, 1, 2, tea(1));
  history.add(2, 11, 2, 2, tea(2));
  CHECK(history.judged() == Linear::no);
}

TEST_CASE("linear: answers without a body are judged by their versions") {
  History history;
  history.add(1, 2, 3, 1).amounts.reset();
  history.get(3, 4, 1, tea(3));
  CHECK(history.judged() == Linear::yes);
  history.all[0].version = 2;
  CHECK(history.judged() == Linear::no);
}

TEST_CASE(
    "linear: random histories of a sound shop are taken, and each with one changed answer is not") {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    CAPTURE(seed);
    std::mt19937_64 random(seed);
    History history;
    std::uint64_t version = 0;
    std::int64_t amount = 0;
    for (std::int64_t now = 10; now < 2'000; now += 10) {
      // It takes effect at `now`; called and answered some time around it, so that up to eight
      // overlap.
      const auto before = static_cast<std::int64_t>(random() % 40);
      const auto after = static_cast<std::int64_t>(random() % 40);
      const bool doubt = random() % 10 == 0;
      const bool happens = !doubt || random() % 2 == 0;
      const auto answered = doubt ? never : now + after;
      if (random() % 3 == 0) {
        if (!doubt) history.get(now - before, answered, version, version ? tea(amount) : Amounts{});
        continue;
      }
      const auto more = static_cast<std::int64_t>(random() % 9) + 1;
      if (happens) {
        ++version;
        amount += more;
      }
      history.add(now - before, answered, more, version, tea(amount));
    }
    const auto verdict = judge_linear({}, history.all);
    CAPTURE(verdict.why);
    CHECK(verdict.linear == Linear::yes);
    std::size_t changed = random() % history.all.size();
    while (history.all[changed].told == Told::nothing || history.all[changed].version == 0)
      changed = (changed + 1) % history.all.size();
    history.all[changed].amounts = tea(1'000'000);
    CHECK(judge_linear({}, history.all).linear == Linear::no);
  }
}
