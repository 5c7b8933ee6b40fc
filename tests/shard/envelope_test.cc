// Messages between shards: their bytes, and who is still heard.
#include "actors/shard/envelope.h"

#include <doctest/doctest.h>

#include "tests/shard/fixture.h"

namespace souk::shard_test::envelopes {
namespace {

const Sender sender{.shard = ShardId{3}, .epoch = 4, .seq = 5, .at = noon};
const OrderId order = id<OrderId>(3);
const UserId user = id<UserId>(1);
const CartId cart = id<CartId>(2);
const EmailHash email = id<EmailHash>(9);
const Sku tea = sku("tea");

ShardInput step(Op&& op, const EntityKey& from) {
  Request r{.op = std::move(op)};
  r.reply_to = {.who = ReplyTo::Who::process, .entity = from};
  return r;
}

/// One of each that shards send each other, with and without its optional parts.
std::vector<ShardInput> samples() {
  std::vector<ShardInput> all;
  const Money price{Micros{2'500'000}, gbp()};
  all.push_back(step(ReserveStock{tea, order, 2, price, 900, noon.plus_ms(-1)}, order));
  all.push_back(step(ReserveStock{tea, order, 2, std::nullopt, 0}, order));
  all.push_back(step(ClaimStock{tea, order}, order));
  all.push_back(step(SellStock{tea, order}, order));
  all.push_back(step(ReleaseStock{tea, order, noon}, order));
  all.push_back(step(ReturnStock{tea, order, 7, 2}, order));
  all.push_back(step(ClaimEmail{email, user, 3, noon}, user));
  all.push_back(step(FreeEmail{email, user, 4, noon}, user));
  StockAnswer answer{.op = op_index<ReserveStock>, .sku = tea};
  all.emplace_back(ProcessAnswer{order, answer});
  answer.code = ReplyCode::unavailable;
  all.emplace_back(ProcessAnswer{order, answer});
  all.emplace_back(
      ProcessAnswer{order, StockAnswer{.op = op_index<ReturnStock>, .sku = tea, .number = 7}});
  answer.code = ReplyCode::refused;
  answer.refusal = Refusal::price_changed;
  answer.price_change = PriceChange{Item(tea, "Tea"), price};
  all.emplace_back(ProcessAnswer{order, answer});
  all.emplace_back(ProcessAnswer{
      user,
      EmailAnswer{.email = email, .op = op_index<FreeEmail>, .code = ReplyCode::ok, .number = 9}});
  all.emplace_back(ProcessAnswer{
      user, EmailAnswer{.email = email, .op = op_index<ClaimEmail>, .code = ReplyCode::refused}});
  all.emplace_back(QuoteWanted{tea, cart});
  all.emplace_back(QuoteReady{cart, tea, std::nullopt});
  all.emplace_back(QuoteReady{order, tea, Quote{}});
  all.emplace_back(QuoteReady{order, tea, Quote{Quote::Standing::on_sale, "Tea", price}});
  return all;
}

}  // namespace

TEST_CASE("envelope: every message comes out as it went in") {
  for (auto& content : samples()) {
    CHECK(is_peer_message(content));
    const std::string bytes = encode(Envelope{sender, std::move(content)});
    const auto decoded = decode_envelope(bytes);
    REQUIRE(decoded.ok());
    CHECK(decoded->from.shard == sender.shard);
    CHECK(decoded->from.epoch == sender.epoch);
    CHECK(decoded->from.seq == sender.seq);
    CHECK(decoded->from.at == sender.at);
    CHECK(encode(*decoded) == bytes);
  }
  const auto decoded = decode_envelope(
      encode({sender, step(ReserveStock{tea, order, 2, Money{Micros{2'500'000}, gbp()}, 900, noon},
                           order)}));
  const auto& reserve = std::get<ReserveStock>(std::get<Request>(decoded->content).op);
  CHECK(reserve.order == order);
  CHECK(reserve.quantity == 2);
  CHECK(reserve.expected_price->amount.value == 2'500'000);
  CHECK(reserve.hold_ms == 900);
  CHECK(reserve.asked_at == noon);
  CHECK(std::get<Request>(decoded->content).reply_to.entity == EntityKey(order));
}

TEST_CASE("envelope: no cut or changed message is taken for another, and none crashes") {
  for (auto& content : samples()) {
    const std::string bytes = encode(Envelope{sender, std::move(content)});
    for (std::size_t size = 0; size < bytes.size(); ++size)
      (void)decode_envelope(std::string_view(bytes).substr(0, size)).ok();
    CHECK_FALSE(decode_envelope(std::string_view(bytes).substr(0, bytes.size() - 1)).ok());
    for (std::size_t at = 0; at < bytes.size(); ++at) {
      std::string changed = bytes;
      changed[at] = static_cast<char>(changed[at] ^ 0x55);
      (void)decode_envelope(changed).ok();
    }
  }
}

TEST_CASE("envelope: an owner that another has followed is not heard any more") {
  PeerEpochs peers;
  CHECK(peers.admit({ShardId{1}, 2, 1}) == PeerEpochs::Admits::yes);
  CHECK(peers.admit({ShardId{1}, 2, 2}) == PeerEpochs::Admits::yes);
  CHECK(peers.admit({ShardId{2}, 1, 1}) == PeerEpochs::Admits::yes);
  CHECK(peers.admit({ShardId{1}, 3, 1}) == PeerEpochs::Admits::yes);
  CHECK(peers.admit({ShardId{1}, 2, 3}) == PeerEpochs::Admits::no);
  CHECK(peers.admit({}) == PeerEpochs::Admits::yes);  // from no shard
}

TEST_CASE("outbox: a sender counts its messages in each of its epochs") {
  ShardOutput out;
  StillClock machine;
  ShardClock clock(machine);
  Outbox outbox(ShardId{7}, clock, out);
  outbox.begin(1);
  outbox.send(QuoteWanted{tea, cart});
  outbox.send(QuoteWanted{tea, cart});
  outbox.begin(1);
  outbox.send(QuoteWanted{tea, cart});
  outbox.begin(2);
  outbox.send(QuoteWanted{tea, cart});
  REQUIRE(out.inputs.size() == 4);
  CHECK(out.inputs[2].from.seq == 3);
  CHECK(out.inputs[3].from.epoch == 2);
  CHECK(out.inputs[3].from.seq == 1);
  CHECK(out.inputs[3].from.at == UnixMs{});
  clock.saw(noon.plus_ms(7));
  outbox.send(QuoteWanted{tea, cart});
  CHECK(out.inputs[4].from.at == noon.plus_ms(7));
}

}  // namespace souk::shard_test::envelopes
