#include "tests/simulation/judge.h"

namespace souk::simulation {
namespace {

std::string text_of(const Quantities& lines) {
  std::string text = "{";
  for (const auto& [sku, quantity] : lines) text += " " + sku + ":" + std::to_string(quantity);
  return text + " }";
}

std::string differs(const std::string& what, std::int64_t promised, std::int64_t found) {
  return what + ": promised " + std::to_string(promised) + ", the journal has " +
         std::to_string(found);
}

void judge_commands(World& world, const Books& books, const Referee& referee) {
  for (const auto& command : referee.commands()) {
    const Request& request = command->request;
    if (is_read(request.op) || request.key_hash == 0 || command->wrong_body) continue;
    const auto kept = books.keys.find({target_of(request.op), request.key_hash});
    const int times = kept == books.keys.end() ? 0 : kept->second;
    if (times > 1)
      world.violated("P2", describe(request) + " took effect " + std::to_string(times) + " times");
    const auto& answer = command->answer ? command->answer : command->unfinal;
    if (times == 0 && answer && is_remembered(request, *answer))
      world.violated("P1", describe(request) + " was answered " + describe(*answer) +
                               " and is not in the journal");
  }
  for (const auto& [cause, number] : referee.denied())
    if (books.causes.contains(cause))
      world.violated("P1", describe(referee.commands()[number]->request) +
                               " was said not to be done, and is in the journal");
  for (const auto& [shard, position] : referee.positions()) {
    const auto last = books.last_seq.find(shard);
    if (position > (last == books.last_seq.end() ? 0 : last->second))
      world.violated("P1", "position " + std::to_string(position) + " of shard " +
                               std::to_string(shard) +
                               " was shown, and is beyond the end of the journal");
  }
}

void judge_order(World& world, const OrderId& id, const PromisedOrder& promised,
                 const OrderBook& book) {
  const std::string name = EntityKey(id).text();
  if (book.lines != promised.lines)
    world.violated("P1", name + ": promised " + text_of(promised.lines) + ", the journal has " +
                             text_of(book.lines));
  if (promised.told == "rejected" && !book.rejected)
    world.violated("P1", name + " was shown rejected");
  if (promised.told != "rejected" && promised.told != "pending" && book.rejected)
    world.violated("P1", name + " was shown " + promised.told + " and is rejected");
  const auto same = [&](const char* what, int acknowledged, int found) {
    if (acknowledged != found)
      world.violated("P2", differs(name + " " + what, acknowledged, found));
  };
  same("cancelled", promised.cancelled, book.cancelled);
  same("shipped", promised.shipped, book.shipped);
  same("delivered", promised.delivered, book.delivered);
  same("returns", promised.returns + promised.cancelled + (book.by_return ? 1 : 0),
       static_cast<int>(book.returns.size()));
}

}  // namespace

void judge_promises(World& world, const Books& books, const Shop& shop, const Referee& referee) {
  judge_commands(world, books, referee);
  for (const auto& [sku, promised] : shop.stock) {
    const auto found = books.skus.find(sku);
    const SkuBook book = found == books.skus.end() ? SkuBook{} : found->second;
    if (book.received != promised.received)
      world.violated("P2", differs("received of " + sku, promised.received, book.received));
    if (book.adjusted != promised.adjusted)
      world.violated("P2", differs("adjusted of " + sku, promised.adjusted, book.adjusted));
  }
  for (const auto& [id, promised] : shop.carts) {
    const auto found = books.carts.find(id);
    if (found == books.carts.end())
      world.violated("P1", EntityKey(id).text() + " was opened and is not in the journal");
    else if (found->second.lines != promised)
      world.violated("P1", EntityKey(id).text() + ": promised " + text_of(promised) +
                               ", the journal has " + text_of(found->second.lines));
  }
  for (const auto& [id, promised] : shop.orders) {
    const auto found = books.orders.find(id);
    if (found == books.orders.end())
      world.violated("P1", EntityKey(id).text() + " was placed and is not in the journal");
    else
      judge_order(world, id, promised, found->second);
  }
  for (const auto& [key, made] : books.bound)
    if (made.size() > 1) world.violated("P2", key.text() + " made two things");
}

void judge_stock(World& world, const Books& books) {
  for (const auto& [sku, book] : books.skus) {
    if (!book.holds.empty())
      world.violated(
          "P3", "a hold of " + EntityKey(book.holds.begin()->first).text() + " is left on " + sku);
    for (const auto& [order, quantity] : book.sold_to)
      if (!books.orders.contains(order))
        world.violated("P3", sku + " was sold to an order that does not exist");
    for (const auto& [key, quantity] : book.brought_back)
      if (!books.orders.contains(key.first))
        world.violated("P3", sku + " came back from an order that does not exist");
  }
  static const SkuBook nothing;
  for (const auto& [id, order] : books.orders) {
    const std::string name = EntityKey(id).text();
    if (!order.final()) world.violated("P2", name + " never became final");
    if (!order.settled) world.violated("P2", name + " was never settled");
    if (order.restocked.size() + order.kept_off_sale.size() != order.returns.size())
      world.violated("P2", "a return of " + name + " was never restocked");
    for (const auto& [sku, quantity] : order.lines) {
      const auto at = books.skus.find(sku);
      const SkuBook& book = at == books.skus.end() ? nothing : at->second;
      const auto sold = book.sold_to.find(id);
      const std::int64_t pieces = sold == book.sold_to.end() ? 0 : sold->second;
      if (pieces != (order.confirmed ? quantity : 0))
        world.violated("P3",
                       differs(name + ", sold of " + sku, order.confirmed ? quantity : 0, pieces));
      for (const auto& [number, back] : order.returns) {
        const auto line = back.find(sku);
        const auto booked = book.brought_back.find({id, number});
        const bool restocked = line != back.end() && !order.kept_off_sale.contains(number);
        const std::int64_t promised = restocked ? line->second : 0;
        const std::int64_t found = booked == book.brought_back.end() ? 0 : booked->second;
        if (promised != found)
          world.violated("P3", differs(name + ", brought back of " + sku, promised, found));
      }
    }
  }
}

void judge_money(World& world, const Books& books, const SimProvider& provider) {
  for (const auto& [id, account] : provider.accounts())
    if (!books.orders.contains(id))
      world.violated(
          "money", "the provider was asked for " + EntityKey(id).text() + ", which does not exist");
  for (const auto& [id, order] : books.orders) {
    const auto at = provider.accounts().find(id);
    const PaymentRecord record =
        at == provider.accounts().end() ? PaymentRecord{} : at->second.record;
    const std::string name = EntityKey(id).text();
    const std::int64_t taken = order.confirmed ? order.total : 0;
    if (order.captured != taken)
      world.violated("money", differs(name + " captured", taken, order.captured));
    const std::int64_t kept = record.captured.value - record.refunded.value;
    if (kept != taken - order.refunded)
      world.violated("money", name + ": the provider keeps " + std::to_string(kept) +
                                  ", the order says " + std::to_string(taken - order.refunded));
    if (order.refunded != order.refund_requested || !order.refunds_due.empty())
      world.violated("money", differs(name + " refunded", order.refund_requested, order.refunded));
    const std::int64_t open = record.authorised.value - record.captured.value - record.voided.value;
    if (open != 0)
      world.violated("money", name + ": " + std::to_string(open) + " stays authorised");
  }
}

void judge_users(World& world, const Books& books, const Shop& shop, const SimVault& vault) {
  for (const auto& [email, owner] : books.emails) {
    const auto user = books.users.find(owner);
    if (user == books.users.end() || user->second.email != email)
      world.violated("P2", EntityKey(email).text() + " belongs to one who does not use it");
  }
  for (const auto& [id, user] : books.users) {
    const std::string name = EntityKey(id).text();
    if (user.pending || !user.to_free.empty())
      world.violated("P2", name + " waits for an address for ever");
    const auto owner = user.email ? books.emails.find(*user.email) : books.emails.end();
    if (user.active && (owner == books.emails.end() || owner->second != id))
      world.violated("P2", name + " has an address that is not theirs");
    if (user.erased && (!user.key_destroyed || !vault.destroyed(EntityKey(id))))
      world.violated("erasure", name + " was erased and the key is still there");
  }
  for (const auto& [id, order] : books.orders) {
    const auto user = order.user ? books.users.find(*order.user) : books.users.end();
    if (user != books.users.end() && user->second.erased && vault.has_key(EntityKey(id)))
      world.violated("erasure", EntityKey(id).text() +
                                    " is of a person who was erased and its key"
                                    " is still there");
  }
  for (const auto& [id, order] : books.orders) {
    if (!order.erased || order.sealed_address.bytes.empty()) continue;
    if (!order.key_destroyed || vault.has_key(EntityKey(id)))
      world.violated("erasure of an order", EntityKey(id).text() + " has its key still");
  }
  for (const auto& [id, order] : shop.orders)
    if (const auto book = books.orders.find(id);
        order.erased && (book == books.orders.end() || !book->second.erased))
      world.violated("P1", EntityKey(id).text() + " was told of an erasure that did not happen");
  for (const auto& id : shop.users) {
    const auto user = books.users.find(id);
    if (user == books.users.end() || (!user->second.active && !shop.erasing.contains(id)))
      world.violated("P1", EntityKey(id).text() + " was welcomed and is not in the journal");
  }
  for (const auto& id : shop.erased)
    if (const auto user = books.users.find(id); user == books.users.end() || !user->second.erased)
      world.violated("P1", EntityKey(id).text() + " was told of an erasure that did not happen");
}

}  // namespace souk::simulation
