#include "actors/shard/envelope.h"
#include "actors/shard/peer_wire.h"
#include "actors/shard/user_processes.h"

namespace souk {
namespace {

using Message = schema::PeerMessage;
using namespace wire;
using wire::write;  // beside those below

/// Nothing else waits for a price.
EntityKey target(schema::PeerEntity::Reader from) {
  const EntityKey waits = entity(from);
  check(waits.kind() == Kind::cart || waits.kind() == Kind::order);
  return waits;
}

// ---- steps of orders ----

/// By their number on the wire, from 1.
const std::size_t stock_ops[] = {op_index<ReserveStock>, op_index<ClaimStock>, op_index<SellStock>,
                                 op_index<ReleaseStock>, op_index<ReturnStock>};

struct StockStepWriter {
  schema::StockStep::Builder to;
  void name(const Sku& sku_of_step, const OrderId& order) {
    to.setSku(as_text(sku_of_step));
    to.setOrder(as_data(order));
  }
  void operator()(const ReserveStock& c) {
    name(c.sku, c.order);
    auto reserve = to.initReserve();
    reserve.setQuantity(c.quantity);
    if (c.expected_price) write(reserve.initPrice(), *c.expected_price);
    reserve.setHoldMs(c.hold_ms);
    to.setAskedAt(c.asked_at.value);
  }
  void operator()(const ClaimStock& c) {
    name(c.sku, c.order);
    to.setClaim();
  }
  void operator()(const SellStock& c) {
    name(c.sku, c.order);
    to.setSell();
  }
  void operator()(const ReleaseStock& c) {
    name(c.sku, c.order);
    to.setRelease();
    to.setAskedAt(c.asked_at.value);
  }
  void operator()(const ReturnStock& c) {
    name(c.sku, c.order);
    auto restock = to.initRestock();
    restock.setNumber(c.number);
    restock.setReturned(c.quantity);
  }
  template <class Other>
  void operator()(const Other&) {
    SOUK_ASSERT(false);
  }
};

Request stock_step(schema::StockStep::Reader from) {
  const Sku of = sku(from.getSku());
  const OrderId order = id<OrderId>(from.getOrder());
  Request step;
  switch (from.which()) {
    case schema::StockStep::RESERVE: {
      const auto reserve = from.getReserve();
      ReserveStock c{.sku = of,
                     .order = order,
                     .quantity = reserve.getQuantity(),
                     .hold_ms = reserve.getHoldMs(),
                     .asked_at = {from.getAskedAt()}};
      if (reserve.hasPrice()) c.expected_price = money(reserve.getPrice());
      step.op = std::move(c);
      break;
    }
    case schema::StockStep::CLAIM:
      step.op = ClaimStock{of, order};
      break;
    case schema::StockStep::SELL:
      step.op = SellStock{of, order};
      break;
    case schema::StockStep::RELEASE:
      step.op = ReleaseStock{of, order, {from.getAskedAt()}};
      break;
    case schema::StockStep::RESTOCK:
      step.op =
          ReturnStock{of, order, from.getRestock().getNumber(), from.getRestock().getReturned()};
      break;
    default:
      check(false);
  }
  step.reply_to = {.who = ReplyTo::Who::process, .entity = order};
  step.correlation = order.raw;
  return step;
}

void write(schema::StockAnswer::Builder to, const EntityKey& order, const StockAnswer& answer) {
  to.setSku(as_text(answer.sku));
  to.setOrder(as_data(order.id()));
  const auto at = std::ranges::find(stock_ops, answer.op);
  SOUK_ASSERT(at != std::end(stock_ops));
  to.setStep(static_cast<std::uint8_t>(at - std::begin(stock_ops) + 1));
  to.setRefused(answer.code == ReplyCode::refused);
  to.setUnavailable(answer.code == ReplyCode::unavailable);
  to.setNumber(answer.number);
  to.setRefusal(static_cast<std::uint16_t>(answer.refusal));
  if (!answer.price_change) return;
  to.setChangedName(as_text(answer.price_change->item.name()));
  write(to.initChangedPrice(), answer.price_change->unit_price);
}

ReplyCode code_of(schema::StockAnswer::Reader from) {
  if (from.getUnavailable()) return ReplyCode::unavailable;
  return from.getRefused() ? ReplyCode::refused : ReplyCode::ok;
}

ProcessAnswer stock_answer(schema::StockAnswer::Reader from) {
  check(from.getStep() >= 1 && from.getStep() <= std::size(stock_ops));
  StockAnswer answer{.op = stock_ops[from.getStep() - 1],
                     .sku = sku(from.getSku()),
                     .code = code_of(from),
                     .number = from.getNumber(),
                     .refusal = static_cast<Refusal>(from.getRefusal())};
  if (from.hasChangedPrice()) {
    const auto name = from.getChangedName();
    answer.price_change =
        PriceChange{Item(answer.sku, {name.begin(), name.size()}), money(from.getChangedPrice())};
  }
  return {id<OrderId>(from.getOrder()), std::move(answer)};
}

// ---- steps of users ----

template <class Step>  // ClaimEmail or FreeEmail
void write(schema::EmailStep::Builder to, const Step& step) {
  to.setEmail(as_data(step.email));
  to.setUser(as_data(step.user));
  to.setFrees(std::is_same_v<Step, FreeEmail>);
  to.setNumber(step.number);
  to.setAskedAt(step.asked_at.value);
}

Request email_step(schema::EmailStep::Reader from) {
  const auto email = id<EmailHash>(from.getEmail());
  const auto user = id<UserId>(from.getUser());
  Request step;
  if (from.getFrees())
    step.op = FreeEmail{email, user, from.getNumber(), {from.getAskedAt()}};
  else
    step.op = ClaimEmail{email, user, from.getNumber(), {from.getAskedAt()}};
  step.reply_to = {.who = ReplyTo::Who::process, .entity = user};
  step.cause = email_step_cause(user, step.op.index());
  step.correlation = user.raw;
  return step;
}

void write(schema::EmailAnswer::Builder to, const EntityKey& user, const EmailAnswer& answer) {
  to.setEmail(as_data(answer.email));
  to.setUser(as_data(user.id()));
  to.setFrees(answer.op == op_index<FreeEmail>);
  to.setRefused(answer.code == ReplyCode::refused);
  to.setNumber(answer.number);
}

ProcessAnswer email_answer(schema::EmailAnswer::Reader from) {
  return {id<UserId>(from.getUser()),
          EmailAnswer{.email = id<EmailHash>(from.getEmail()),
                      .op = from.getFrees() ? op_index<FreeEmail> : op_index<ClaimEmail>,
                      .code = from.getRefused() ? ReplyCode::refused : ReplyCode::ok,
                      .number = from.getNumber()}};
}

// ---- prices ----

void write(schema::QuoteReady::Builder to, const QuoteReady& ready) {
  to.setSku(as_text(ready.sku));
  write(to.initTarget(), ready.target);
  to.setUnreadable(!ready.quote);
  if (!ready.quote) return;
  to.setStanding(static_cast<std::uint8_t>(ready.quote->standing));
  to.setName(as_text(ready.quote->name));
  write(to.initPrice(), ready.quote->price);
}

QuoteReady quote_ready(schema::QuoteReady::Reader from) {
  QuoteReady ready{.target = target(from.getTarget()), .sku = sku(from.getSku()), .quote = {}};
  if (from.getUnreadable()) return ready;
  const auto name = from.getName();
  ready.quote = Quote{.standing = enumerator(from.getStanding(), Quote::Standing::on_sale),
                      .name = {name.begin(), name.size()},
                      .price = money(from.getPrice())};
  return ready;
}

// ---- the message ----

void write(Message::Builder to, const Request& step) {
  if (const auto* claim = std::get_if<ClaimEmail>(&step.op))
    write(to.initEmailStep(), *claim);
  else if (const auto* release = std::get_if<FreeEmail>(&step.op))
    write(to.initEmailStep(), *release);
  else
    std::visit(StockStepWriter{to.initStockStep()}, step.op);
}

void write(Message::Builder to, const ProcessAnswer& a) {
  if (const auto* stock = std::get_if<StockAnswer>(&a.answer))
    write(to.initStockAnswer(), a.entity, *stock);
  else
    write(to.initEmailAnswer(), a.entity, std::get<EmailAnswer>(a.answer));
}

ShardInput content_of(Message::Reader from) {
  switch (from.which()) {
    case Message::STOCK_STEP:
      return stock_step(from.getStockStep());
    case Message::STOCK_ANSWER:
      return stock_answer(from.getStockAnswer());
    case Message::EMAIL_STEP:
      return email_step(from.getEmailStep());
    case Message::EMAIL_ANSWER:
      return email_answer(from.getEmailAnswer());
    case Message::QUOTE_WANTED:
      return QuoteWanted{.sku = sku(from.getQuoteWanted().getSku()),
                         .target = target(from.getQuoteWanted().getTarget())};
    case Message::QUOTE_READY:
      return quote_ready(from.getQuoteReady());
  }
  check(false);
  return {};
}

}  // namespace

std::string encode(const Envelope& envelope) {
  return encoded([&](capnp::MessageBuilder& builder) {
    auto message = builder.initRoot<Message>();
    message.setShard(envelope.from.shard.value);
    message.setEpoch(envelope.from.epoch);
    message.setSeq(envelope.from.seq);
    message.setSentAt(envelope.from.at.value);
    std::visit(Overloaded{
                   [&](const Request& step) { write(message, step); },
                   [&](const ProcessAnswer& answer) { write(message, answer); },
                   [&](const QuoteWanted& wanted) {
                     auto to = message.initQuoteWanted();
                     to.setSku(as_text(wanted.sku));
                     write(to.initTarget(), wanted.target);
                   },
                   [&](const QuoteReady& ready) { write(message.initQuoteReady(), ready); },
               },
               envelope.content);
  });
}

Result<Envelope, Fault> decode_envelope(std::string_view bytes) {
  Envelope envelope;
  auto fault = decode(bytes, "a message between shards", [&](capnp::MessageReader& reader) {
    const auto message = reader.getRoot<Message>();
    envelope = {.from = {.shard = ShardId{message.getShard()},
                         .epoch = message.getEpoch(),
                         .seq = message.getSeq(),
                         .at = {message.getSentAt()}},
                .content = content_of(message)};
  });
  if (fault) return *std::move(fault);
  return envelope;
}

}  // namespace souk
