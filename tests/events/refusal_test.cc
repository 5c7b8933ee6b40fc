#include "events/refusal.h"

#include <doctest/doctest.h>

#include <set>
#include <string>

using namespace souk;

TEST_CASE("refusals: each has a word of its own and one sentence") {
  std::set<std::string_view> codes;
  for (std::uint16_t i = 0; i <= static_cast<std::uint16_t>(Refusal::too_many_steps); ++i) {
    if (i == 17) continue;  // never given out
    const auto refusal = static_cast<Refusal>(i);
    const std::string_view code = refusal_code(refusal);
    const std::string_view detail = refusal_detail(refusal);
    CAPTURE(code);
    CHECK(codes.insert(code).second);
    CHECK(code.find_first_not_of("abcdefghijklmnopqrstuvwxyz_") == std::string_view::npos);
    CHECK(detail.back() == '.');
    CHECK(detail.find('.') == detail.size() - 1);
    CHECK(code != refusal_code(static_cast<Refusal>(9999)));
  }
}

TEST_CASE("refusals: the words that clients depend on") {
  CHECK(refusal_code(Refusal::none) == "none");
  CHECK(refusal_code(Refusal::out_of_stock) == "out_of_stock");
  CHECK(refusal_code(Refusal::cart_closed) == "cart_closed");
  CHECK(refusal_code(Refusal::illegal_state) == "illegal_state");
  CHECK(refusal_code(Refusal::too_many_steps) == "too_many_steps");
}
