// What an owner answers when it does not know what of its records is in the log.
#include <doctest/doctest.h>

#include "events/limits.h"
#include "tests/shard/fixture.h"

namespace souk::shard_test::doubt {
namespace {

const Sku tea = sku("tea");

struct Doubted : OwnerBench {
  Doubted() { define(tea, 5); }

  /// Sends it; what it makes is cut and not in the log yet.
  std::uint64_t send(Op&& op, std::uint64_t key = 0) {
    owner.handle(request(std::move(op), key));
    owner.cut(cut);
    return tickets;
  }
  std::uint64_t receive(std::int64_t pieces, std::uint64_t key = 0) {
    return send(ReceiveStock{tea, pieces, ""}, key);
  }
  /// Of what was cut only the first `landed` records are in the log, which nobody is told.
  void doubt(std::size_t landed) {
    for (std::size_t i = 0; i < landed; ++i) log.append(std::move(cut[i]));
    cut.clear();
    owner.doubted();
  }
  std::optional<ReplyCode> code(std::uint64_t ticket) const {
    std::optional<ReplyCode> found;
    for (const auto& [sink, reply] : out.replies) {
      if (reply.ticket != ticket) continue;
      REQUIRE_FALSE(found);  // once
      found = reply.code;
    }
    return found;
  }
  std::int64_t on_hand() const {
    return owner.replica().residency().find<SkuState>(tea)->state.inventory.on_hand;
  }
  void pass(std::int64_t ms) {
    clock.at = clock.at.plus_ms(ms);
    owner.tick();
  }

  std::vector<Batch> cut;
};

}  // namespace

TEST_CASE("doubt: what landed is answered as done, the rest is done then, in its order") {
  for (std::size_t landed = 0; landed <= 3; ++landed) {
    CAPTURE(landed);
    Doubted d;
    const auto first = d.receive(10), second = d.receive(20), third = d.receive(30);
    d.doubt(landed);
    const auto later = d.receive(40);
    for (const auto ticket : {first, second, third, later}) CHECK_FALSE(d.code(ticket));
    d.grant();
    CHECK(d.code(first).has_value() == (landed > 0));
    CHECK(d.code(third).has_value() == (landed > 2));
    CHECK_FALSE(d.code(later));  // it is recorded now, and waits for its commit
    d.commit();
    for (const auto ticket : {first, second, third, later}) CHECK(d.code(ticket) == ReplyCode::ok);
    CHECK(d.on_hand() == 105);
    Version version = 0;
    for (const auto& [sink, reply] : d.out.replies) {
      if (reply.ticket < first) continue;
      CHECK(reply.version > version);  // each saw those before it
      version = reply.version;
    }
  }
}

TEST_CASE("doubt: reads go on with what is committed, also those that waited for the commit") {
  Doubted d;
  d.receive(10);
  const auto waited = d.send(GetStock{tea});
  CHECK_FALSE(d.code(waited));
  d.doubt(0);
  CHECK(d.code(waited) == ReplyCode::ok);
  const auto read = d.send(GetStock{tea});
  CHECK(d.code(read) == ReplyCode::ok);
  CHECK(d.on_hand() == 5);
}

TEST_CASE("doubt: what waits too long hears whether it may have happened; nothing is run later") {
  Doubted d;
  const auto recorded = d.receive(10);
  d.doubt(0);
  const auto held = d.receive(20);
  d.pass(doubt_wait_ms - 1);
  CHECK_FALSE(d.code(recorded));
  CHECK_FALSE(d.code(held));
  d.pass(1);
  CHECK(d.code(recorded) == ReplyCode::unavailable);
  CHECK(d.code(held) == ReplyCode::not_done);
  const auto late = d.receive(30);
  CHECK(d.code(late) == ReplyCode::not_done);
  d.grant();
  d.commit();
  CHECK(d.on_hand() == 5);
  const auto after = d.receive(1);
  CHECK_FALSE(d.code(after));
}

TEST_CASE("doubt: doubt_requests_max wait, and not one more") {
  Doubted d;
  d.receive(1);
  d.doubt(0);
  std::uint64_t last = 0;
  for (std::size_t i = 0; i < doubt_requests_max; ++i) last = d.receive(1);
  CHECK_FALSE(d.code(last));
  CHECK(d.code(d.receive(1)) == ReplyCode::not_done);
  d.grant();
  d.commit();
  CHECK(d.code(last) == ReplyCode::ok);
  CHECK(d.on_hand() == 6 + static_cast<std::int64_t>(doubt_requests_max));
}

TEST_CASE("doubt: a repeat of what landed gets the first answer, also of what was given up") {
  Doubted d;
  d.receive(10, 77);
  d.doubt(1);
  d.pass(doubt_wait_ms);
  d.grant();
  const Reply again = d.ask(ReceiveStock{tea, 10, ""}, 77);
  CHECK(again.code == ReplyCode::ok);
  CHECK(again.replayed);
  CHECK(d.on_hand() == 15);
}

TEST_CASE("doubt: a record that stands where it was not to stand is a doubt") {
  Doubted d;
  const auto ticket = d.receive(10);
  REQUIRE(d.cut.size() == 1);
  const Offset offset = d.cut[0].offset;
  d.owner.landed(offset + 1, offset + 1);
  CHECK_FALSE(d.owner.owns());
  CHECK_FALSE(d.code(ticket));
  d.cut.clear();
  d.grant();
  d.commit();
  CHECK(d.code(ticket) == ReplyCode::ok);
}

TEST_CASE("doubt: an acknowledgement that comes after the doubt counts for nothing") {
  Doubted d;
  const auto ticket = d.receive(10);
  const Offset offset = d.cut[0].offset;
  d.doubt(1);
  d.owner.landed(offset, offset);
  CHECK_FALSE(d.code(ticket));
  d.grant();
  d.owner.landed(offset, offset);
  CHECK(d.owner.owns());
  CHECK(d.code(ticket) == ReplyCode::ok);
}

TEST_CASE("doubt: another owner's record with the same numbers is not one's own") {
  Doubted d;
  const auto ticket = d.receive(10);
  const FoldState before = d.owner.replica().place();
  d.cut.clear();
  d.owner.doubted();
  const auto other = d.log.grant(99);  // it claimed, and sold nothing
  BatchHeader header{.epoch = other.epoch,
                     .incarnation = 99,
                     .first_seq = d.owner.committed_seq() + 1,
                     .at = noon,
                     .chain = d.owner.replica().place().chain.value()};
  const Transaction theirs{
      .at = noon, .cause = {}, .events = {{EntityKey(tea), StockReceived{.quantity = 1}}}};
  std::string bytes = encode_batch(header, {theirs});
  d.log.append({.offset = d.log.end, .bytes = std::move(bytes)});
  d.grant();
  CHECK(d.owner.owns());
  CHECK(d.owner.epoch() > before.epoch + 1);
  CHECK_FALSE(d.code(ticket));
  d.commit();
  CHECK(d.code(ticket) == ReplyCode::ok);
  CHECK(d.on_hand() == 16);
}

TEST_CASE("doubt: who lost the race of claims claims again") {
  Doubted d;
  d.receive(10);
  d.doubt(0);
  d.out.claims.clear();
  const auto mine = d.log.grant(d.context.incarnation);
  const auto theirs = d.log.grant(99);
  REQUIRE(d.owner.claimed({mine.epoch, theirs.end}).ok());
  CHECK_FALSE(d.owner.owns());
  CHECK(d.out.claims.size() == 1);
  d.grant();
  CHECK(d.owner.owns());
}

TEST_CASE("doubt: an append that is not acknowledged in time is a doubt") {
  Doubted d;
  const auto ticket = d.receive(10);
  d.pass(append_overdue_ms - 1);
  CHECK(d.owner.owns());
  d.pass(1);
  CHECK_FALSE(d.owner.owns());
  d.doubt(1);  // it came to the log after all
  d.grant();
  CHECK(d.code(ticket) == ReplyCode::ok);
}

TEST_CASE("doubt: a log that cannot be read is read again, and decides then") {
  Doubted d;
  const auto ticket = d.receive(10);
  for (auto& batch : d.cut) d.log.append(std::move(batch));
  d.cut.clear();
  d.log.readable = false;
  d.owner.doubted();
  CHECK(d.code(d.send(GetStock{tea})) == ReplyCode::unavailable);
  d.out.claims.clear();
  CHECK_FALSE(d.owner.claimed(d.log.grant(d.context.incarnation)).ok());
  CHECK_FALSE(d.owner.owns());
  d.log.readable = true;
  CHECK(d.owner.retry().ok());
  CHECK(d.owner.owns());
  CHECK(d.code(ticket) == ReplyCode::ok);
}

TEST_CASE("doubt: who waits for an order's end goes on waiting, or is placed anew") {
  for (const bool landed : {false, true}) {
    CAPTURE(landed);
    Doubted d;
    PlaceOrder place;
    place.order = id<OrderId>(3);
    place.lines.push_back({.sku = tea, .quantity = 2});
    place.payment.method = "card";
    Request r = d.request(std::move(place));
    r.wait_final = true;
    const auto ticket = d.tickets;
    d.owner.handle(std::move(r));
    d.owner.cut(d.cut);
    d.doubt(landed ? d.cut.size() : 0);
    d.grant();
    d.commit();
    CHECK_FALSE(d.code(ticket));
    d.pass(d.options.wait_final_ms);
    CHECK(d.code(ticket) == ReplyCode::accepted);
    CHECK(d.owner.works() == 1);
  }
}

TEST_CASE("barrier: in a log that others may write to, what rests on no record waits for it") {
  Bench b;
  b.log.shared = true;
  Owner owner(ShardId{0}, b.context, b.out, b.log);
  RecoveryReport report;
  REQUIRE(owner.recover(report).ok());
  owner.claim();
  REQUIRE(owner.claimed(b.log.grant(7)).ok());
  std::vector<Batch> cut;
  const auto refused = [&](std::uint64_t ticket) {
    Request command{.op = AddItem{.cart = id<CartId>(9), .sku = tea, .quantity = 1}};
    command.reply_to = {.who = ReplyTo::Who::client, .sink = 0, .ticket = ticket, .entity = {}};
    owner.handle(std::move(command));
    owner.cut(cut);
  };
  const auto defined = [&](std::uint64_t ticket) {
    ProductDefined definition;
    definition.name = "tea";
    definition.price = {Micros{static_cast<std::int64_t>(ticket) * 1'000'000}, gbp()};
    Request command{.op = PutProduct{tea, std::move(definition)}};
    command.reply_to = {.who = ReplyTo::Who::client, .sink = 0, .ticket = ticket, .entity = {}};
    command.cause.bytes[0] = static_cast<std::uint8_t>(ticket);
    owner.handle(std::move(command));
  };
  refused(1);
  refused(2);
  owner.cut(cut);
  REQUIRE(cut.size() == 2);  // a no-op for each turn in which one came to wait
  CHECK(decode_batch_header(cut[1].bytes)->type == BatchType::noop);
  CHECK(b.out.replies.empty());
  b.log.append(cut[0]);
  owner.landed(cut[0].offset, cut[0].offset);
  REQUIRE(b.out.replies.size() == 1);
  CHECK(b.out.replies[0].second.ticket == 1);
  CHECK(b.out.replies[0].second.code == ReplyCode::not_found);
  SUBCASE("which may be one of events") {
    defined(3);
    owner.cut(cut);
    REQUIRE(cut.size() == 3);
    refused(4);  // behind it
    REQUIRE(cut.size() == 4);
    defined(5);
    refused(6);
    REQUIRE(cut.size() == 5);
    CHECK(decode_batch_header(cut[4].bytes)->type == BatchType::events);
    for (std::size_t i = 1; i < cut.size(); ++i) b.log.append(cut[i]);
    owner.landed(cut[1].offset, cut[4].offset);
    CHECK(b.out.replies.size() == 6);
    CHECK(owner.owns());
  }
  SUBCASE("which does not come: a claim is one") {
    owner.doubted();
    CHECK_FALSE(owner.owns());
    REQUIRE(owner.claimed(b.log.grant(7)).ok());
    REQUIRE(b.out.replies.size() == 2);
    CHECK(b.out.replies[1].second.code == ReplyCode::not_found);
  }
  SUBCASE("and is old where another wrote meanwhile") {
    owner.doubted();
    const auto other = b.log.grant(99);
    BatchHeader header{.epoch = other.epoch, .incarnation = 99, .first_seq = 1, .at = noon};
    const Transaction theirs{
        .at = noon, .cause = {}, .events = {{EntityKey(tea), StockReceived{.quantity = 1}}}};
    std::string bytes = encode_batch(header, {theirs});
    b.log.append({.offset = b.log.end, .bytes = std::move(bytes)});
    REQUIRE(owner.claimed(b.log.grant(7)).ok());
    REQUIRE(b.out.replies.size() == 2);
    CHECK(b.out.replies[1].second.code == ReplyCode::unavailable);
  }
}

TEST_CASE("start: commands wait for the claim, and reads do not") {
  Bench b;
  Owner owner(ShardId{0}, b.context, b.out, b.log);
  RecoveryReport report;
  REQUIRE(owner.recover(report).ok());
  owner.claim();
  REQUIRE(b.out.claims.size() == 1);
  Request read{.op = GetStock{tea}};
  read.reply_to = {.who = ReplyTo::Who::client, .sink = 0, .ticket = 1, .entity = {}};
  owner.handle(std::move(read));
  CHECK(b.out.replies.size() == 1);
  Request command{.op = OpenCart{.cart = id<CartId>(9)}};
  command.reply_to = {.who = ReplyTo::Who::client, .sink = 0, .ticket = 2, .entity = {}};
  owner.handle(std::move(command));
  std::vector<Batch> cut;
  owner.cut(cut);
  CHECK(cut.empty());
  REQUIRE(owner.claimed(b.log.grant(7)).ok());
  owner.cut(cut);
  REQUIRE(cut.size() == 1);
  CHECK(cut[0].offset == 2);
  CHECK(cut[0].epoch == 1);
}

TEST_CASE("start: a checkpoint of a log of one writer is found, also where claims have its keys") {
  // Up to format 2 a record stood under its first event: [1..3] under 1, [4..9] under 4. The claim
  // comes under 5, which is the number of an event that the checkpoint knows.
  Doubted d;
  Bench old;
  ShardClock time(old.clock);
  BatchHeader header{.epoch = 1, .incarnation = 5, .first_seq = 1, .at = noon, .chain = 0};
  const auto put = [&](std::size_t events) {
    const std::vector<Event> all(events, {EntityKey(tea), StockReceived{.quantity = 1}});
    old.log.records[header.first_seq] =
        encode_batch(header, {{.at = noon, .cause = {}, .events = all}});
    const Offset offset = header.first_seq;
    header.first_seq = header.last_seq() + 1;
    return offset;
  };
  put(3);
  old.log.end = put(6) + 1;
  old.states.mark = {.seq = 9, .chain = header.chain, .epoch = 1, .time_ms = noon.value};
  old.log.epoch = 1;
  for (int starts = 0; starts < 3; ++starts) {
    Owner owner(ShardId{0}, old.context, old.out, old.log);
    RecoveryReport report;
    REQUIRE(owner.recover(report).ok());
    CHECK(owner.replica().anchor() == 4 + 2 * static_cast<Offset>(starts));  // claims between
    CHECK(owner.last_seq() == 9 + static_cast<Seq>(starts));
    owner.claim();
    REQUIRE(owner.claimed(old.log.grant(7)).ok());
    CHECK(owner.owns());
    Request command{.op = OpenCart{.cart = id<CartId>(static_cast<std::uint8_t>(1 + starts))}};
    owner.handle(std::move(command));
    std::vector<Batch> cut;
    owner.cut(cut);
    REQUIRE(cut.size() == 1);
    CHECK(cut[0].first_seq == 10 + static_cast<Seq>(starts));
    for (auto& batch : cut) old.log.append(std::move(batch));
  }
}

}  // namespace souk::shard_test::doubt
