#include "actors/states/state_codec.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <thread>

#include "tests/domain/scenario.h"
#include "tests/states/state_samples.h"

using namespace souk;
using namespace souk::test;
namespace fs = std::filesystem;

namespace {

const fs::path golden = fs::path(SOUK_SOURCE_DIR) / "tests/golden/states";

std::string read_file(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// SOUK_WRITE_GOLDEN=1 writes the file where it is missing; nothing overwrites one.
template <class State, class Decode>
void check_golden(const char* name, const State& sample, Decode decode) {
  CAPTURE(name);
  const fs::path path = golden / (std::string(name) + ".bin");
  if (std::getenv("SOUK_WRITE_GOLDEN") != nullptr && !fs::exists(path)) {
    fs::create_directories(golden);
    std::ofstream(path, std::ios::binary) << encode(sample);
  }
  const std::string bytes = read_file(path);
  REQUIRE_FALSE(bytes.empty());
  const auto decoded = decode(bytes);
  REQUIRE(decoded.ok());
  CHECK(*decoded == sample);
}

template <class State, class Decode>
void check_round_trip(const State& state, Decode decode) {
  const std::string bytes = encode(state);
  const auto decoded = decode(bytes);
  RC_ASSERT(decoded.ok());
  RC_ASSERT(*decoded == state);
  RC_ASSERT(encode(*decoded) == bytes);
}

/// Every truncation, and every byte changed in several ways: a fault or a state, never a crash.
template <class State, class Decode>
void check_rubbish(const State& sample, Decode decode) {
  const std::string bytes = encode(sample);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const auto decoded = decode(std::string_view(bytes).substr(0, size));
    REQUIRE_FALSE(decoded.ok());
    CHECK(decoded.error().kind == Fault::Kind::corrupt);
  }
  CHECK_FALSE(decode(bytes + '\0').ok());
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    for (const int flip : {0x01, 0x10, 0x80, 0xff}) {
      std::string wrong = bytes;
      wrong[at] = static_cast<char>(wrong[at] ^ flip);
      const auto decoded = decode(wrong);
      if (decoded.ok()) (void)encode(*decoded);
    }
  }
}

Fault::Kind kind_of(const Fault& fault) { return fault.kind; }

CartState long_cart(std::size_t lines, std::size_t name_bytes) {
  CartState state;
  state.cart = fold(Cart{}, {CartOpened{}});
  for (std::size_t i = 0; i < lines; ++i) {
    const auto number = std::to_string(i);
    state.cart.lines.push_back({item("s" + number, number + std::string(name_bytes, 'x')),
                                micros("1"), 1, Pricing::catalogue});
  }
  return state;
}

}  // namespace

TEST_CASE("state codec: every state ever released is read as it was meant") {
  check_golden("sku", sku_sample(), decode_sku);
  check_golden("user", user_sample(), decode_user);
  check_golden("cart", cart_sample(), decode_cart);
  check_golden("order", order_sample(), decode_order);
  check_golden("email", email_sample(), decode_email);
  check_golden("key", key_sample(), decode_key);
  check_golden("sku_3", sku_3_sample(), decode_sku);  // since rules_version 3
  check_golden("user_3", user_3_sample(), decode_user);
  check_golden("email_3", email_3_sample(), decode_email);
}

TEST_CASE("state codec: any state comes back as it went in, and gives the same bytes again") {
  CHECK(rc::check("sku", [] { check_round_trip(any_sku_state(), decode_sku); }));
  CHECK(rc::check("user", [] { check_round_trip(any_user_state(), decode_user); }));
  CHECK(rc::check("cart", [] { check_round_trip(any_cart_state(), decode_cart); }));
  CHECK(rc::check("order", [] { check_round_trip(any_order_state(), decode_order); }));
}

TEST_CASE("state codec: an empty state comes back") {
  CHECK(*decode_sku(encode(SkuState{})) == SkuState{});
  CHECK(*decode_user(encode(UserState{})) == UserState{});
  CHECK(*decode_cart(encode(CartState{})) == CartState{});
  CHECK(*decode_order(encode(OrderState{})) == OrderState{});
  CHECK(*decode_email(encode(EmailState{})) == EmailState{});
  CHECK(*decode_key(encode(KeyState{})) == KeyState{});
}

TEST_CASE("state codec: the bytes do not depend on the order in which holds were made") {
  SkuState up;
  SkuState down;
  for (std::uint64_t i = 0; i < 500; ++i) {
    up.inventory.holds.put(order_id(i * 7), Hold{1, noon, false});
    down.inventory.holds.put(order_id((499 - i) * 7), Hold{1, noon, false});
  }
  CHECK(encode(up) == encode(down));
}

TEST_CASE("state codec: a state larger than the scratch has the same bytes in every thread") {
  const CartState small = cart_sample();
  const std::string small_bytes = encode(small);
  const CartState large = long_cart(limits::cart_lines_max, limits::name_bytes_max);
  const std::string bytes = encode(large);
  CHECK(bytes.size() > 1'000'000);
  std::string elsewhere;
  std::thread([&] { elsewhere = encode(large); }).join();
  CHECK(elsewhere == bytes);
  CHECK(*decode_cart(bytes) == large);
  CHECK(encode(small) == small_bytes);
}

TEST_CASE("state codec: rubbish is a fault and never a crash") {
  check_rubbish(sku_sample(), decode_sku);
  check_rubbish(user_sample(), decode_user);
  check_rubbish(cart_sample(), decode_cart);
  check_rubbish(order_sample(), decode_order);
  check_rubbish(email_sample(), decode_email);
  check_rubbish(key_sample(), decode_key);
  CHECK(rc::check("any bytes", [](const std::string& bytes) {
    (void)decode_order(bytes);
    (void)decode_sku("\1" + bytes);
  }));
}

TEST_CASE("state codec: another kind's bytes are corrupt, a newer format is unsupported") {
  CHECK(kind_of(decode_user(encode(cart_sample())).error()) == Fault::Kind::corrupt);
  CHECK(kind_of(decode_cart(encode(order_sample())).error()) == Fault::Kind::corrupt);
  std::string newer = encode(cart_sample());
  newer[0] = 2;
  CHECK(kind_of(decode_cart(newer).error()) == Fault::Kind::unsupported);
  newer[0] = 0;
  CHECK(kind_of(decode_cart(newer).error()) == Fault::Kind::corrupt);
}

TEST_CASE("state codec: values that cannot be are corrupt") {
  CartState status = cart_sample();
  status.cart.status = static_cast<CartStatus>(4);
  CHECK(kind_of(decode_cart(encode(status)).error()) == Fault::Kind::corrupt);
  CartState pricing = cart_sample();
  pricing.cart.lines[0].pricing = static_cast<Pricing>(2);
  CHECK(kind_of(decode_cart(encode(pricing)).error()) == Fault::Kind::corrupt);
  CartState long_sku = cart_sample();
  long_sku.cart.lines[0].item = Item{Sku::trusted(std::string(65, 's')), "n"};
  CHECK(kind_of(decode_cart(encode(long_sku)).error()) == Fault::Kind::corrupt);
  OrderState step = order_sample();
  step.order.history[0].what = static_cast<OrderStep::What>(0);
  CHECK(kind_of(decode_order(encode(step)).error()) == Fault::Kind::corrupt);
  OrderState payment = order_sample();
  payment.order.payment.status = static_cast<PaymentStatus>(6);
  CHECK(kind_of(decode_order(encode(payment)).error()) == Fault::Kind::corrupt);
}

TEST_CASE("state codec: a small cart takes little room") {
  CartState state = long_cart(5, 20);
  CHECK(encode(state).size() < 400);
  CHECK(encode(CartState{.cart = fold(Cart{}, {CartOpened{}}), .answers = {}}).size() < 32);
}

TEST_CASE("memory: what a state owns is counted") {
  CartState cart;
  const std::size_t empty = memory_of(cart);
  CHECK(empty >= sizeof(CartState));
  cart.cart.lines.reserve(100);
  CHECK(memory_of(cart) == empty + 100 * sizeof(CartLine));
  UserState user;
  const std::size_t before = memory_of(user);
  user.user.profile.sealed_name.bytes.assign(1'000, 'x');
  CHECK(memory_of(user) >= before + 1'000);
  SkuState sku_state;
  const std::size_t no_holds = memory_of(sku_state);
  for (std::uint64_t i = 0; i < 100; ++i) sku_state.inventory.holds.put(order_id(i), Hold{});
  CHECK(memory_of(sku_state) >= no_holds + 100 * (sizeof(OrderId) + sizeof(Hold)));
  OrderState order;
  const std::size_t no_returns = memory_of(order);
  order.order.returns.push_back({});
  order.order.returns[0].lines.resize(10);
  CHECK(memory_of(order) == no_returns + sizeof(OrderReturn) + 10 * sizeof(ReturnedLine));
}

static_assert(sizeof(CartLine) == 24);
