// Who waits, and in which order they go on.
#include "actors/shard/waiting_room.h"

#include <doctest/doctest.h>

#include "actors/shard/quotes.h"
#include "tests/shard/fixture.h"

namespace souk::shard_test::rooms {
namespace {

const CartId cart = id<CartId>(1);
ShardInput read(std::uint64_t ticket, CartId of = cart) {
  Request r{.op = GetCart{of}};
  r.reply_to.ticket = ticket;
  return r;
}
std::uint64_t ticket_of(const ShardInput& input) {
  return std::get<Request>(input).reply_to.ticket;
}

struct Room {
  WaitingRoom room;
  std::vector<std::uint64_t> handled;
  std::uint64_t parks_at = 0;  // the ticket that has to wait once more

  bool queued(std::uint64_t ticket, CartId of = cart) {
    ShardInput input = read(ticket, of);
    return room.queue_behind(input) == WaitingRoom::Queued::yes;
  }
  std::size_t drain() {
    std::size_t done = 0;
    room.drain(
        cart,
        [&](ShardInput&& input) {
          const auto ticket = ticket_of(input);
          if (ticket == parks_at) {
            parks_at = 0;
            return room.park(std::move(input));
          }
          handled.push_back(ticket);
        },
        [&] { ++done; });
    return done;
  }
};
using Tickets = std::vector<std::uint64_t>;

}  // namespace

TEST_CASE("waiting room: later inputs of a target queue behind the one that waits, others do not") {
  Room r;
  CHECK_FALSE(r.queued(1));
  r.room.park(read(1));
  CHECK(r.queued(2));
  CHECK(r.queued(3));
  CHECK_FALSE(r.queued(4, id<CartId>(2)));
  CHECK(r.room.waits(cart));
  CHECK(r.drain() == 3);
  CHECK(r.handled == Tickets{1, 2, 3});
  CHECK(r.room.empty());
}

TEST_CASE("waiting room: one that has to wait again holds up those behind it, and stays first") {
  Room r;
  r.room.park(read(1));
  CHECK(r.queued(2));
  CHECK(r.queued(3));
  r.parks_at = 2;
  CHECK(r.drain() == 1);
  CHECK(r.handled == Tickets{1});
  CHECK(r.queued(4));
  CHECK(r.drain() == 3);
  CHECK(r.handled == Tickets{1, 2, 3, 4});
}

TEST_CASE("waiting room: a load names its targets once") {
  WaitingRoom room;
  const EntityKey need(id<UserId>(9));
  CHECK_FALSE(room.loading(need));
  room.wait_for_load(need, cart);
  CHECK(room.loading(need));
  CHECK(room.take_targets(need) == std::vector<EntityKey>{EntityKey(cart)});
  CHECK_FALSE(room.loading(need));
  CHECK(room.take_targets(need).empty());
}

TEST_CASE("waiting room: a read waits for its position, and not for the one before") {
  WaitingRoom room;
  Request r{.op = GetCart{cart}};
  r.min_seq = 5;
  room.wait_for_position(std::move(r), noon);
  CHECK(room.take_reached(4).empty());
  CHECK(room.take_late(UnixMs{noon.value - 1}).empty());
  CHECK(room.take_reached(5).size() == 1);
  CHECK(room.take_late(noon).empty());
}

TEST_CASE("waiting room: all that waits for a load is taken once") {
  Room r;
  r.room.park(read(1));
  CHECK(r.queued(2));
  r.room.wait_for_position(Request{.op = GetCart{cart}}, noon);
  r.room.wait_for_load(cart, cart);
  CHECK(r.room.take_parked().size() == 2);
  CHECK(r.room.take_parked().empty());
  CHECK(r.room.take_late(noon).size() == 1);
  CHECK_FALSE(r.room.loading(cart));
}

TEST_CASE("quotes: a command goes on when the last of its prices has come") {
  Bench b;
  ShardClock clock(b.clock);
  Outbox outbox(ShardId{0}, clock, b.out);
  Quotes quotes(b.context, clock, outbox);
  CHECK_FALSE(quotes.quote(cart, sku("tea")));
  CHECK_FALSE(quotes.quote(cart, sku("cup")));
  CHECK(b.out.inputs.size() == 2);
  CHECK_FALSE(quotes.quote(cart, sku("tea")));
  CHECK(b.out.inputs.size() == 2);  // asked for already
  CHECK(quotes.came({cart, sku("tea"), Quote{}}) == Quotes::Came::not_all);
  CHECK(quotes.came({cart, sku("tea"), Quote{}}) == Quotes::Came::unwanted);
  CHECK(quotes.came({cart, sku("cup"), Quote{}}) == Quotes::Came::complete);
  CHECK(quotes.quote(cart, sku("tea")));
  quotes.drop(cart);
  CHECK_FALSE(quotes.quote(cart, sku("tea")));  // the next command asks anew
}

TEST_CASE("quotes: a price that does not come is asked for again, and given up at its time") {
  Bench b;
  ShardClock clock(b.clock);
  Outbox outbox(ShardId{0}, clock, b.out);
  Quotes quotes(b.context, clock, outbox);
  CHECK_FALSE(quotes.quote(cart, sku("tea")));
  CHECK_FALSE(quotes.quote(cart, sku("cup")));
  b.out.inputs.clear();
  CHECK(quotes.came({cart, sku("cup"), Quote{}}) == Quotes::Came::not_all);
  CHECK(quotes.take_late(noon.plus_ms(quote_retry_ms - 1)).empty());
  CHECK(b.out.inputs.empty());
  CHECK(quotes.take_late(noon.plus_ms(quote_retry_ms)).empty());
  REQUIRE(b.out.inputs.size() == 1);  // not what is there already
  CHECK(std::get<QuoteWanted>(b.out.inputs[0].content).sku == sku("tea"));
  CHECK(quotes.take_late(noon.plus_ms(quote_wait_ms - 1)).empty());
  CHECK(quotes.take_late(noon.plus_ms(quote_wait_ms)) == std::vector<EntityKey>{EntityKey(cart)});
  CHECK(quotes.came({cart, sku("tea"), Quote{}}) == Quotes::Came::unwanted);
}

TEST_CASE("quotes: a catalogue that cannot be read is said once, and late prices are not wanted") {
  Bench b;
  ShardClock clock(b.clock);
  Outbox outbox(ShardId{0}, clock, b.out);
  Quotes quotes(b.context, clock, outbox);
  CHECK_FALSE(quotes.quote(cart, sku("tea")));
  CHECK_FALSE(quotes.quote(cart, sku("cup")));
  CHECK(quotes.came({cart, sku("tea"), std::nullopt}) == Quotes::Came::failed);
  CHECK(quotes.came({cart, sku("cup"), Quote{}}) == Quotes::Came::unwanted);
}

}  // namespace souk::shard_test::rooms
