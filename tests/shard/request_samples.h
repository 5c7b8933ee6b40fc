#pragma once
/// Requests and replies for the tests of their codecs. What is made of `FullPick` and `BarePick` is
/// in tests/golden/requests: never change how one is made, only add.
#include <rapidcheck.h>

#include <algorithm>

#include "actors/ports/op_role.h"

namespace souk::shard_test {

/// Where the values of what is made up come from.
class Pick {
 public:
  virtual ~Pick() = default;
  /// Whether what is optional is there.
  virtual bool there() = 0;
  virtual std::int64_t number(std::int64_t min, std::int64_t max) = 0;
  /// Of a list or a text.
  virtual std::size_t size(std::size_t min, std::size_t max) = 0;
};

/// Everything is there, and no two numbers are the same where they need not be.
class FullPick final : public Pick {
 public:
  bool there() override { return true; }
  std::int64_t number(std::int64_t min, std::int64_t max) override {
    next_ = next_ % 251 + 1;
    return min + std::min(next_, max - min);
  }
  std::size_t size(std::size_t min, std::size_t max) override {
    return std::clamp<std::size_t>(2, min, max);
  }

 private:
  std::int64_t next_ = 0;
};
/// As little as may be.
class BarePick final : public Pick {
 public:
  bool there() override { return false; }
  std::int64_t number(std::int64_t min, std::int64_t) override { return min; }
  std::size_t size(std::size_t min, std::size_t) override { return min; }
};
/// As much as may be.
class LargestPick final : public Pick {
 public:
  bool there() override { return true; }
  std::int64_t number(std::int64_t, std::int64_t max) override { return max; }
  std::size_t size(std::size_t, std::size_t max) override { return max; }
};
/// RapidCheck's. REQUIRES: a property that is being checked.
class AnyPick final : public Pick {
 public:
  bool there() override { return *rc::gen::arbitrary<bool>(); }
  std::int64_t number(std::int64_t min, std::int64_t max) override {
    switch (*rc::gen::inRange(0, 4)) {
      case 0:
        return min;
      case 1:
        return max;
      default:  // inRange wants a range that fits its type
        if (max / 2 <= min / 2) return min;
        return *rc::gen::inRange(min / 2, max / 2) + (min - min / 2);
    }
  }
  std::size_t size(std::size_t min, std::size_t max) override {
    return std::min(max, min + *rc::gen::inRange<std::size_t>(0, 5));
  }
};

/// A client's request with the operation at `index` in Op; of a step there is none.
Request make_request(std::size_t index, Pick& pick);
/// The indices of all that clients may ask for.
std::vector<std::size_t> client_ops();
Reply make_reply(Pick& pick);

/// Member by member, but for `reply_to` and `ticket`.
bool same(const Request& a, const Request& b);
bool same(const Reply& a, const Reply& b);

}  // namespace souk::shard_test
