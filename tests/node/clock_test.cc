#include "tests/node/life.h"

using namespace souk;
using namespace souk::test;

namespace {

constexpr std::int64_t ms_per_day = 24LL * 60 * 60 * 1'000;

/// The machine's clock, off by some days.
class WrongClock final : public NodeClock {
 public:
  explicit WrongClock(std::int64_t days) : days_(days) {}
  UnixMs now() override {
    return std::max(SystemClock::wall_now().plus_ms(days_ * ms_per_day), floor_);
  }
  void begin_at(UnixMs newest) override { floor_ = newest; }

 private:
  const std::int64_t days_;
  UnixMs floor_;
};

/// A start whose clock is off by so many days: nothing, or what it says.
std::string start(const fs::path& folder, std::int64_t days, std::int64_t jump_days_max,
                  std::optional<CartId> opens = std::nullopt) {
  TestProvider silent(TestProvider::Manner::silent);
  WrongClock clock(days);
  Life life(folder, silent, {}, {.clock = &clock, .clock_jump_ms_max = jump_days_max * ms_per_day});
  if (!life.node) return life.refused;
  life.node->run();
  if (opens) CHECK(life.ask(OpenCart{*opens, {}, {}}).code == ReplyCode::created);
  life.node->stop();
  return {};
}

}  // namespace

TEST_CASE("clock: a start far from the newest event is refused with the way out") {
  const TemporaryDirectory home;
  const CartId cart = cart_on(1, 5);
  CHECK(start(home.path(), 0, 1'096, cart) == "");
  CHECK(start(home.path(), 1'095, 1'096) == "");
  const std::string ahead = start(home.path(), 20 * 365, 1'096);
  CHECK(ahead.find("7300 days after the newest event") != std::string::npos);
  CHECK(ahead.find("--clock-jump-days-max 0") != std::string::npos);
  CHECK(start(home.path(), 20 * 365, 0) == "");  // told to; nothing is stamped
  const CartId later = cart_on(1, 6);
  CHECK(start(home.path(), 20 * 365, 0, later) == "");
  // The log is poisoned now: the true time is refused as well, until it is told to go on.
  const std::string behind = start(home.path(), 0, 1'096);
  CHECK(behind.find("before the newest event") != std::string::npos);
  CHECK(behind.find("--clock-jump-days-max 0") != std::string::npos);
  CHECK(start(home.path(), 0, 0) == "");
}

TEST_CASE("clock: an empty directory takes any") {
  const TemporaryDirectory home;
  CHECK(start(home.path(), 20 * 365, 1'096) == "");
}
