#include "tests/simulation/books.h"

namespace souk::simulation {
namespace {

template <class Id>
Id id_in(const Event& event) {
  return Id{*Id128::from_bytes(event.entity.id())};
}

}  // namespace

std::string Books::at() const {
  return " (shard " + std::to_string(shard_) + ", event " + std::to_string(seq_) + ")";
}

void Books::wrong(const std::string& promise, const std::string& what) {
  world_.violated(promise, what + at());
}

void Books::fold(const SimJournal::Records& records) {
  std::uint64_t chain = 0;
  Offset next = 1;
  Counting counting;
  bool first = true;
  for (const auto& [key, bytes] : records) {
    if (first || key.first != shard_) {
      shard_ = key.first;
      seq_ = chain = 0;
      counting = {};
      next = 1;
    }
    first = false;
    if (key.second != next++)
      return wrong("P1", "the next record stands at offset " + std::to_string(key.second));
    const auto header = decode_batch_header(bytes);
    if (!header.ok()) return wrong("P1", "a record cannot be read: " + header.error().what);
    if (!counting.counts(bytes)) continue;
    const auto batch = decode_batch(bytes);
    if (!batch.ok()) return wrong("P1", "a record cannot be read: " + batch.error().what);
    const std::string_view payload = record_payload(bytes);
    if (chain_after(chain, batch->header.first_seq, payload) != batch->header.chain)
      return wrong("P1", "the next record does not follow from this one");
    chain = batch->header.chain;
    for (const auto& transaction : batch->transactions) fold(transaction);
    if (seq_ != batch->header.last_seq())
      return wrong("P1", "the record before says that it has more events");
    last_seq[shard_] = seq_;
  }
}

void Books::fold(const Transaction& transaction) {
  if (!std::holds_alternative<KeyBound>(transaction.events.front().payload))
    causes.insert(transaction.cause);
  if (transaction.key_hash != 0) ++keys[{transaction.events.front().entity, transaction.key_hash}];
  for (const auto& event : transaction.events) {
    ++seq_;
    switch (event.entity.kind()) {
      case Kind::sku:
        sku_event(event);
        break;
      case Kind::cart:
        cart_event(event);
        break;
      case Kind::order:
        order_event(event);
        break;
      case Kind::user:
        user_event(event);
        break;
      case Kind::email:
        email_event(event);
        break;
      case Kind::key:
        if (const auto* key = std::get_if<KeyBound>(&event.payload))
          bound[event.entity].insert(key->target);
        break;
      case Kind::none:
        wrong("P1", "an event of nothing");
    }
  }
}

void Books::take_hold(SkuBook& book, const OrderId& order, std::int64_t quantity,
                      const char* what) {
  const auto hold = book.holds.find(order);
  if (hold == book.holds.end())
    return wrong("P3", std::string(what) + " of " + EntityKey(order).text() + " without a hold");
  if (hold->second != quantity)
    wrong("P3", std::string(what) + " of another quantity than was held");
  book.holds.erase(hold);
}

void Books::sku_event(const Event& event) {
  const std::string sku(event.entity.id());
  SkuBook& book = skus[sku];
  std::visit(
      Overloaded{
          [&](const StockReceived& e) { book.received += e.quantity; },
          [&](const StockAdjusted& e) { book.adjusted += e.delta; },
          [&](const StockReserved& e) {
            if (!book.holds.emplace(e.order, e.quantity).second)
              wrong("P3", "a second hold of one order on " + sku);
            if (book.over.contains(e.order))
              wrong("P3", "a hold of an order that is over on " + sku);
          },
          [&](const StockClaimed& e) {
            if (!book.holds.contains(e.order)) wrong("P3", "a claim without a hold on " + sku);
          },
          [&](const StockSold& e) {
            take_hold(book, e.order, e.quantity, "sale");
            book.over.insert(e.order);
            book.sold += e.quantity;
            book.sold_to[e.order] += e.quantity;
          },
          [&](const ReservationReleased& e) {
            // Of no pieces: it came before its hold, which must not come any more.
            if (e.quantity > 0 || book.holds.contains(e.order))
              take_hold(book, e.order, e.quantity, "release");
            book.over.insert(e.order);
          },
          [&](const ReservationExpired& e) { take_hold(book, e.order, e.quantity, "expiry"); },
          [&](const StockReturned& e) {
            if (!book.brought_back.emplace(std::make_pair(e.order, e.number), e.quantity).second)
              wrong("P3", "one return came into stock twice on " + sku);
            book.returned += e.quantity;
          },
          [](const auto&) {},
      },
      event.payload);
  if (book.available() < 0)
    wrong("P3", sku + " is oversold by " + std::to_string(-book.available()));
}

void Books::cart_event(const Event& event) {
  CartBook& book = carts[id_in<CartId>(event)];
  std::visit(Overloaded{
                 [&](const CartOpened&) { book.status = "open"; },
                 [&](const ItemAdded& e) { book.lines[e.item.sku().text()] += e.quantity; },
                 [&](const ItemQuantitySet& e) { book.lines[e.item.sku().text()] = e.quantity; },
                 [&](const ItemRemoved& e) { book.lines.erase(e.sku.text()); },
                 [&](const CheckOutStarted& e) {
                   book.status = "checking_out";
                   book.order = e.order;
                 },
                 [&](const CartReopened&) { book.status = "open"; },
                 [&](const CartOrdered&) { book.status = "ordered"; },
                 [](const auto&) {},
             },
             event.payload);
}

void Books::order_event(const Event& event) {
  if (std::holds_alternative<CommandRefused>(event.payload))
    return;  // it may never have come to be
  OrderBook& book = orders[id_in<OrderId>(event)];
  const auto take_lines = [&](const std::vector<OrderLine>& lines) {
    for (const auto& line : lines) {
      book.lines[line.item.sku().text()] += line.quantity;
      book.line_skus.push_back(line.item.sku().text());
    }
  };
  std::visit(Overloaded{
                 [&](const OrderPlaced& e) {
                   if (!book.lines.empty()) wrong("P2", "an order was placed twice");
                   take_lines(e.lines);
                   book.total = e.total.value;
                   book.user = e.user;
                   book.sealed_address = e.sealed_address;
                 },
                 [&](const ReturnAccepted& e) {
                   if (!book.lines.empty()) wrong("P2", "a return was accepted twice");
                   take_lines(e.lines);
                   book.by_return = book.settled = true;
                   book.user = e.user;
                   book.returns[1] = book.lines;
                 },
                 [&](const OrderConfirmed&) {
                   if (book.final()) wrong("P2", "an order became final twice");
                   book.confirmed = true;
                 },
                 [&](const OrderRejected&) {
                   if (book.final()) wrong("P2", "an order became final twice");
                   book.rejected = true;
                 },
                 [&](const OrderSettled&) { book.settled = true; },
                 [&](const OrderErased&) {
                   if (book.erased || book.user) wrong("P2", "an order was erased wrongly");
                   book.erased = true;
                 },
                 [&](const PersonalKeyDestroyed&) { book.key_destroyed = true; },
                 [&](const OrderCancelled&) { ++book.cancelled; },
                 [&](const OrderShipped&) { ++book.shipped; },
                 [&](const OrderDelivered&) { ++book.delivered; },
                 [&](const OrderReturned& e) {
                   if (e.goods == Goods::kept_off_sale) book.kept_off_sale.insert(e.number);
                   for (const auto& line : e.lines)
                     book.returns[e.number][book.line_skus.at(line.line)] += line.quantity;
                 },
                 [&](const ReturnRestocked& e) { book.restocked.insert(e.number); },
                 [&](const PaymentCaptured& e) { book.captured += e.amount.value; },
                 [&](const RefundRequested& e) {
                   ++book.requests;
                   book.refund_requested += e.amount.value;
                   book.refunds_due.insert(e.number);
                 },
                 [&](const PaymentRefunded& e) {
                   if (book.refunds_due.erase(e.number) == 0)
                     wrong("P2", "a refund was paid twice");
                   book.refunded += e.amount.value;
                 },
                 [](const auto&) {},
             },
             event.payload);
}

void Books::user_event(const Event& event) {
  UserBook& book = users[id_in<UserId>(event)];
  std::visit(Overloaded{
                 [&](const UserRegistered& e) { book.pending = e.email; },
                 [&](const EmailChangeRequested& e) { book.pending = e.email; },
                 [&](const EmailAssigned&) {
                   if (book.erased)
                     book.to_free.insert(*book.pending);
                   else if (book.email)
                     book.to_free.insert(*book.email);
                   if (!book.erased) book.email = book.pending;
                   book.active = !book.erased;
                   book.pending.reset();
                 },
                 [&](const EmailRefused&) {
                   book.to_free.insert(*book.pending);
                   book.pending.reset();
                   if (!book.active && !book.erased) book.rejected = true;
                 },
                 [&](const FormerEmailFreed& e) { book.to_free.erase(e.email); },
                 [&](const UserErased&) {
                   book.erased = true;
                   book.active = false;
                   if (book.email) book.to_free.insert(*book.email);
                   book.email.reset();
                 },
                 [&](const PersonalKeyDestroyed&) { book.key_destroyed = true; },
                 [](const auto&) {},
             },
             event.payload);
}

void Books::email_event(const Event& event) {
  const auto email = id_in<EmailHash>(event);
  if (const auto* taken = std::get_if<EmailTaken>(&event.payload))
    if (!emails.emplace(email, taken->user).second)
      wrong("P2", "an address was taken while it had an owner");
  if (const auto* freed = std::get_if<EmailFreed>(&event.payload)) {
    const auto owner = emails.find(email);
    // One who does not have it gives up what a claim under way might still get.
    if (owner != emails.end() && owner->second == freed->user) emails.erase(owner);
  }
}

}  // namespace souk::simulation
