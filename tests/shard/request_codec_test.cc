// The bytes of clients' requests and of their answers between nodes.
#include "actors/shard/request_codec.h"

#include <capnp/message.h>
#include <capnp/serialize.h>
#include <doctest/doctest.h>
#include <rapidcheck.h>
#include <schema/peers.capnp.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>

#include "gateway/api/edge/limits.h"
#include "tests/shard/fixture.h"
#include "tests/shard/request_samples.h"

namespace souk::shard_test::request_bytes {
namespace {

namespace fs = std::filesystem;
const fs::path golden = fs::path(SOUK_SOURCE_DIR) / "tests/golden/requests";

const CartId cart = id<CartId>(2);
const OrderId order = id<OrderId>(3);
const UserId user = id<UserId>(1);
const Sku tea = sku("tea");
const Money price{Micros{2'500'000}, gbp()};

std::string read_file(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

Result<Request, Fault> decode_like(const Request&, std::string_view bytes) {
  return decode_request(bytes);
}
Result<Reply, Fault> decode_like(const Reply&, std::string_view bytes) {
  return decode_reply(bytes);
}

/// SOUK_WRITE_GOLDEN=1 writes the file where it is missing; nothing overwrites one.
template <class Message>
void check_golden(const std::string& name, const Message& sample, std::set<std::string>& names) {
  CAPTURE(name);
  names.insert(name + ".bin");
  const fs::path path = golden / (name + ".bin");
  if (std::getenv("SOUK_WRITE_GOLDEN") != nullptr && !fs::exists(path)) {
    fs::create_directories(golden);
    std::ofstream(path, std::ios::binary) << encode(sample);
  }
  const std::string bytes = read_file(path);
  REQUIRE_FALSE(bytes.empty());
  const auto decoded = decode_like(sample, bytes);
  REQUIRE(decoded.ok());
  CHECK(same(*decoded, sample));
}

template <class Message>
bool comes_back(const Message& message) {
  const std::string bytes = encode(message);
  const auto decoded = decode_like(message, bytes);
  return decoded.ok() && same(*decoded, message) && encode(*decoded) == bytes;
}

/// Every truncation, and every byte changed in several ways: a fault, or a message as any other.
template <class Message>
void check_rubbish(const Message& message) {
  const std::string bytes = encode(message);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const auto decoded = decode_like(message, std::string_view(bytes).substr(0, size));
    REQUIRE_FALSE(decoded.ok());
    CHECK(decoded.error().kind == Fault::Kind::corrupt);
  }
  CHECK_FALSE(decode_like(message, bytes + std::string(8, '\0')).ok());
  for (std::size_t at = 0; at < bytes.size(); ++at)
    for (const int flip : {0x01, 0x02, 0x10, 0x80, 0xff}) {
      std::string wrong = bytes;
      wrong[at] = static_cast<char>(wrong[at] ^ flip);
      const auto decoded = decode_like(message, wrong);
      if (decoded.ok()) CHECK(comes_back(*decoded));
    }
}

/// What came of a request with this operation; kept as `ok` where it was taken.
std::optional<Fault::Kind> fault_of(const Request& request) {
  const auto decoded = decode_request(encode(request));
  if (decoded.ok()) return std::nullopt;
  return decoded.error().kind;
}
bool is_corrupt(Op op) {
  Request request;
  request.op = std::move(op);
  return fault_of(request) == Fault::Kind::corrupt;
}
bool is_taken(Op op) {
  Request request;
  request.op = std::move(op);
  return !fault_of(request);
}
bool is_corrupt(const Reply& reply) {
  const auto decoded = decode_reply(encode(reply));
  return !decoded.ok() && decoded.error().kind == Fault::Kind::corrupt;
}

PutProduct product() {
  PutProduct c{tea, {}};
  c.definition.name = "Tea";
  c.definition.price = price;
  return c;
}
/// As encode() does it, but of another hand.
template <class Root, class Fill>
std::string by_hand(Fill fill) {
  capnp::MallocMessageBuilder message;
  fill(message.initRoot<Root>());
  const auto words = capnp::messageToFlatArray(message);
  return {words.asChars().begin(), words.asChars().size()};
}
std::string reply_by_hand(const std::function<void(schema::NodeReply::Builder)>& change) {
  return by_hand<schema::NodeReply>([&](schema::NodeReply::Builder to) {
    to.setOp("add_item");
    change(to);
  });
}
std::string request_by_hand(const std::function<void(schema::NodeRequest::Builder)>& change) {
  return by_hand<schema::NodeRequest>([&](schema::NodeRequest::Builder to) {
    const std::string zeros(16, '\0');
    const capnp::Data::Reader id_of{reinterpret_cast<const kj::byte*>(zeros.data()), 16};
    to.setCause(id_of);
    to.initGetCart().setCart(id_of);
    change(to);
  });
}

}  // namespace

TEST_CASE("request bytes: every command and read comes out as it went in") {
  REQUIRE(client_ops().size() == 26);
  for (const std::size_t op : client_ops()) {
    CAPTURE(op_name_at(op));
    FullPick full;
    BarePick bare;
    LargestPick largest;
    CHECK(comes_back(make_request(op, full)));
    CHECK(comes_back(make_request(op, bare)));
    CHECK(comes_back(make_request(op, largest)));
    CHECK(encode(make_request(op, largest)).size() < 1024 * 1024);
    CHECK(rc::check([&] {
      AnyPick any;
      RC_ASSERT(comes_back(make_request(op, any)));
    }));
  }
}

TEST_CASE("request bytes: a reply comes out as it went in") {
  FullPick full;
  BarePick bare;
  LargestPick largest;
  CHECK(comes_back(make_reply(full)));
  CHECK(comes_back(make_reply(bare)));
  CHECK(comes_back(make_reply(largest)));
  CHECK(rc::check([] {
    AnyPick any;
    RC_ASSERT(comes_back(make_reply(any)));
  }));
  for (std::size_t op = 0; op < op_count; ++op) {
    Reply reply = make_reply(full);
    reply.op = static_cast<std::uint8_t>(op);
    CHECK(comes_back(reply));
  }
}

TEST_CASE("request bytes: who waits is not sent") {
  Request request{.op = GetCart{cart}};
  const std::string bytes = encode(request);
  request.reply_to = {.who = ReplyTo::Who::client, .sink = 3, .ticket = 4};
  CHECK(encode(request) == bytes);
  CHECK(decode_request(bytes)->reply_to.who == ReplyTo::Who::nobody);
  Reply reply{.ticket = 7};
  CHECK(decode_reply(encode(reply))->ticket == 0);
}

TEST_CASE("request bytes: they need not be aligned") {
  const std::string bytes = " " + encode(Request{.op = AddItem{cart, tea, 2, price}});
  const auto decoded = decode_request(std::string_view(bytes).substr(1));
  REQUIRE(decoded.ok());
  CHECK(std::get<AddItem>(decoded->op).quantity == 2);
}

TEST_CASE("request bytes: nothing and empty are two things") {
  const auto update = [](UpdateUser c) {
    const auto decoded = decode_request(encode(Request{.op = std::move(c)}));
    REQUIRE(decoded.ok());
    return std::get<UpdateUser>(decoded->op);
  };
  CHECK_FALSE(update({user, {}, {}, {}}).sealed_name);
  CHECK_FALSE(update({user, {}, {}, {}}).country);
  CHECK(update({user, {}, Sealed{}, ""}).sealed_name == Sealed{});
  CHECK(update({user, {}, Sealed{}, ""}).country == "");
  CHECK(update({user, PendingEmail{}, {}, {}}).email == PendingEmail{});
}

TEST_CASE("request bytes: rubbish is a fault and never a crash") {
  for (const std::size_t op : client_ops()) {
    CAPTURE(op_name_at(op));
    FullPick full;
    check_rubbish(make_request(op, full));
  }
  FullPick full;
  check_rubbish(make_reply(full));
  CHECK(rc::check("any bytes", [](const std::vector<std::uint64_t>& words) {
    const std::string_view bytes{reinterpret_cast<const char*>(words.data()), words.size() * 8};
    (void)decode_request(bytes).ok();
    (void)decode_reply(bytes).ok();
  }));
}

TEST_CASE("request bytes: no quantity or amount beyond what the edge takes") {
  constexpr auto most = limits::quantity_max;
  for (const std::int64_t wrong : {std::int64_t{0}, std::int64_t{-1}, most + 1}) {
    CHECK(is_corrupt(ReceiveStock{tea, wrong, ""}));
    CHECK(is_corrupt(AddItem{cart, tea, wrong, {}}));
    CHECK(is_corrupt(PlaceOrder{.order = order, .user = {}, .lines = {{tea, wrong}}}));
    CHECK(is_corrupt(ReturnOrder{order, {{tea, wrong, {}}}, {}}));
    CHECK(is_corrupt(AcceptReturn{order, {}, {{tea, wrong, price}}, "", {}}));
  }
  for (const std::int64_t wrong : {std::int64_t{0}, -most - 1, most + 1})
    CHECK(is_corrupt(AdjustStock{tea, wrong, "lost"}));
  CHECK(is_corrupt(SetItem{cart, tea, -1}));
  CHECK(is_corrupt(SetItem{cart, tea, most + 1}));
  for (const Money& wrong :
       {Money{{-1}, gbp()}, Money{{limits::price_micros_max + 1}, gbp()}, Money{{1}, Currency{}}}) {
    CHECK(is_corrupt(AddItem{cart, tea, 1, wrong}));
    CHECK(is_corrupt(RefundOrder{order, wrong}));
    CHECK(is_corrupt(AcceptReturn{order, {}, {{tea, 1, wrong}}, "", {}}));
    PutProduct c = product();
    c.definition.price = wrong;
    CHECK(is_corrupt(c));
  }
  CHECK(is_corrupt(RefundOrder{order, Money{{0}, gbp()}}));
  CHECK(is_corrupt(GetUserOrders{user, {}, 0}));
  CHECK(is_corrupt(GetUserOrders{user, {}, limits::user_orders_page_max + 1}));
  for (const std::int64_t wrong : {std::int64_t{-1}, std::int64_t{253'402'300'800'000}})
    CHECK(is_corrupt(ReturnOrder{order, {}, UnixMs{wrong}}));
}

TEST_CASE("request bytes: no text beyond its limit, and none that is malformed") {
  const auto changed = [](auto change) {
    PutProduct c = product();
    change(c.definition);
    return c;
  };
  const std::string long_name(limits::name_bytes_max + 1, 'x');
  CHECK(is_taken(product()));
  for (const char* wrong : {"", "a/b", "\x01", "\xFF"})
    CHECK(is_corrupt(GetStock{Sku::trusted(wrong)}));
  CHECK(is_corrupt(GetStock{Sku::trusted(std::string(limits::sku_bytes_max + 1, 's'))}));
  for (const std::string& wrong :
       {std::string(), long_name, std::string("a\nb"), std::string("\xC3")})
    CHECK(is_corrupt(changed([&](auto& p) { p.name = wrong; })));
  CHECK(is_corrupt(changed([&](auto& p) { p.brand = long_name; })));
  CHECK(is_taken(changed([](auto& p) { p.description = "a\n\tb"; })));
  CHECK(is_corrupt(changed([](auto& p) { p.description = "\xC3"; })));
  CHECK(is_corrupt(changed(
      [](auto& p) { p.description = std::string(limits::description_bytes_max + 1, 'x'); })));
  CHECK(is_corrupt(changed([](auto& p) { p.category = {""}; })));
  CHECK(is_corrupt(changed([](auto& p) {
    p.category = std::vector<std::string>(limits::category_depth_max + 1, "x");
  })));
  CHECK(is_taken(changed([](auto& p) { p.attributes = {{"a", ""}, {"b", ""}}; })));
  CHECK(is_corrupt(changed([](auto& p) { p.attributes = {{"b", ""}, {"a", ""}}; })));
  CHECK(is_corrupt(changed([](auto& p) { p.attributes = {{"a", "1"}, {"a", "2"}}; })));
  CHECK(is_corrupt(changed([](auto& p) { p.options = {{"", "1"}}; })));
  CHECK(is_corrupt(changed([](auto& p) { p.images = {"ftp://a.example/"}; })));
  CHECK(is_corrupt(changed([](auto& p) {
    p.images = std::vector<std::string>(limits::images_max + 1, "https://a.example/");
  })));
  CHECK(is_corrupt(changed([](auto& p) { p.barcode = "4006381333932"; })));
  CHECK(is_corrupt(changed([](auto& p) { p.group = "a/b"; })));
  CHECK(is_corrupt(AdjustStock{tea, 1, ""}));
  CHECK(is_corrupt(ReceiveStock{tea, 1, std::string(limits::reference_bytes_max + 1, 'x')}));
  CHECK(is_corrupt(CheckOut{cart, order, {"simulated", "\xC3\xA9"}, {}, {}}));
  const std::string country(limits::country_bytes_max, 'x');
  CHECK(is_taken(RegisterUser{user, {}, {}, {}, country}));
  CHECK(is_corrupt(RegisterUser{user, {}, {}, {}, country + "x"}));
  const Sealed address{std::string(limits::address_bytes_max + 40, '\xFF')};
  CHECK(is_taken(CheckOut{cart, order, {}, address, {}}));
  CHECK(is_corrupt(CheckOut{cart, order, {}, Sealed{address.bytes + "x"}, {}}));
}

TEST_CASE("request bytes: no list that is longer, shorter or of other things than it may be") {
  const auto bought = [](std::size_t lines) {
    return PlaceOrder{.order = order, .user = {}, .lines = {lines, PlaceOrderLine{tea, 1}}};
  };
  CHECK(is_taken(bought(limits::cart_lines_max)));
  CHECK(is_corrupt(bought(limits::cart_lines_max + 1)));
  CHECK(is_corrupt(bought(0)));
  const auto accepted = [](std::vector<ReturnLine> lines) {
    return AcceptReturn{order, {}, std::move(lines), "", {}};
  };
  const Money yen{Micros{1}, *Currency::parse("JPY")};
  CHECK(is_taken(accepted({{tea, 1, price}, {tea, 1, price}})));
  CHECK(is_corrupt(accepted({{tea, 1, price}, {tea, 1, yen}})));
  CHECK(is_corrupt(accepted({{tea, 1, {}}})));
  CHECK(is_corrupt(accepted({})));
}

TEST_CASE("request bytes: only a creation on a user's shard binds a key") {
  Request request{.op = OpenCart{cart, user, {}}};
  request.bind = id<KeyHash>(8);
  CHECK_FALSE(fault_of(request));
  request.op = AddItem{cart, tea, 1, {}};
  CHECK(fault_of(request) == Fault::Kind::corrupt);
}

TEST_CASE("request bytes: enumerators and ids that are none are corrupt") {
  using To = schema::NodeRequest::Builder;
  const auto corrupt = [](const std::function<void(To)>& change) {
    const auto decoded = decode_request(request_by_hand(change));
    return !decoded.ok() && decoded.error().kind == Fault::Kind::corrupt;
  };
  CHECK_FALSE(corrupt([](To) {}));
  CHECK(corrupt([](To to) { to.setWants(2); }));
  CHECK(corrupt([](To to) { to.setIntent(2); }));
  CHECK(corrupt([](To to) { to.initPreconditions().setMatch(3); }));
  CHECK(corrupt([](To to) { to.initPreconditions().setNoneMatch(3); }));
  CHECK(corrupt([](To to) { to.initPreconditions().initMatches(4'097); }));
  CHECK(corrupt([](To to) { to.initCause(15); }));
  CHECK(corrupt([](To to) { to.initCorrelation(0); }));
  CHECK(corrupt([](To to) { to.initGetOrder().initOrder(17); }));
  CHECK(corrupt([](To to) { to.initGetOrder(); }));
}

TEST_CASE("request bytes: a reply with a value that cannot be is corrupt") {
  Reply reply;
  reply.body.json = "{}";
  reply.body.sealed = {{2, user, {"x"}, false}};
  CHECK(comes_back(reply));
  reply.body.sealed = {{3, user, {"x"}, false}};  // beyond the text
  CHECK(is_corrupt(reply));
  reply.body.sealed = {{2, user, {"x"}, false}, {1, user, {"x"}, false}};  // not ascending
  CHECK(is_corrupt(reply));
  CHECK(is_corrupt(Reply{.shard = ShardId{limits::shards_max}}));
  CHECK(is_corrupt(Reply{.also_on = {ShardId{limits::shards_max}}}));
  CHECK(is_corrupt(Reply{.entity = EntityKey(Kind::sku, "a/b")}));
  CHECK(is_corrupt(Reply{.entity = EntityKey(Kind::cart, "short")}));
}

TEST_CASE("request bytes: what only a newer build knows is unsupported") {
  const auto kind = [](const std::string& bytes) {
    const auto decoded = decode_reply(bytes);
    REQUIRE_FALSE(decoded.ok());
    return decoded.error().kind;
  };
  CHECK(decode_reply(reply_by_hand([](auto) {})).ok());
  CHECK(kind(reply_by_hand([](auto to) { to.setCode(13); })) == Fault::Kind::unsupported);
  CHECK(kind(reply_by_hand([](auto to) { to.setRefusal(28); })) == Fault::Kind::unsupported);
  CHECK(kind(reply_by_hand([](auto to) { to.setDetail(8); })) == Fault::Kind::unsupported);
  CHECK(kind(reply_by_hand([](auto to) { to.setOp("gift_item"); })) == Fault::Kind::unsupported);

  // The number of the command stands where only the last read's differs from the one before.
  const std::string one = encode(Request{.op = GetCart{cart}});
  std::string newer = encode(Request{.op = GetOrder{OrderId{cart.raw}}});
  REQUIRE(one.size() == newer.size());
  const auto at = std::ranges::mismatch(one, newer).in2;
  REQUIRE(at != newer.end());
  REQUIRE(*at == 25);
  *at = 26;
  const auto decoded = decode_request(newer);
  REQUIRE_FALSE(decoded.ok());
  CHECK(decoded.error().kind == Fault::Kind::unsupported);
}

TEST_CASE("request bytes: those that were ever sent are read as they were meant") {
  std::set<std::string> names;
  for (const std::size_t op : client_ops()) {
    FullPick full;
    BarePick bare;
    const std::string name(op_name_at(op));
    check_golden(name, make_request(op, full), names);
    check_golden(name + "_bare", make_request(op, bare), names);
  }
  FullPick full;
  BarePick bare;
  check_golden("reply", make_reply(full), names);
  check_golden("reply_bare", make_reply(bare), names);
  for (const auto& entry : fs::directory_iterator(golden)) {
    CAPTURE(entry.path().filename().string());
    CHECK(names.contains(entry.path().filename().string()));
  }
}

}  // namespace souk::shard_test::request_bytes
