#include "actors/shard/fold.h"

#include <algorithm>

#include "events/limits.h"

namespace souk {
namespace {

/// The last event of the entity that the command addressed: with it goes the answer.
bool closes_answer(const Transaction& t, std::size_t index) {
  if (t.key_hash == 0 || t.events[index].entity != t.events[0].entity) return false;
  for (std::size_t i = index + 1; i < t.events.size(); ++i)
    if (t.events[i].entity == t.events[0].entity) return false;
  return true;
}

/// `detail`: of a refusal with illegal_state, the status; of a user's answer, awaits_address.
Answer answer_of(const Transaction& t, Version version, std::uint8_t detail) {
  Answer a{.key_hash = t.key_hash,
           .request_hash = t.request_hash,
           .at_ms = t.at.value,
           .outcome = t.outcome,
           .version = version};
  if (const auto* refused = std::get_if<CommandRefused>(&t.events[0].payload)) {
    a.refusal = refused->reason;
    if (refused->reason == Refusal::illegal_state) a.detail = detail;
  } else if (t.events[0].entity.kind() == Kind::user) {
    a.detail = detail;
  }
  return a;
}

bool asks_for_address(const Transaction& t) {
  return std::any_of(t.events.begin(), t.events.end(), [](const Event& e) {
    return std::holds_alternative<UserRegistered>(e.payload) ||
           std::holds_alternative<EmailChangeRequested>(e.payload);
  });
}

constexpr std::size_t undo_trim_steps = 32;

void leave(AllLeft& left, LeftAnswer&& answer) {
  LeftBeside& l = left.emplace_back();
  l.number = answer.answer.key_hash;
  l.state.key.at_ms = answer.answer.at_ms;
  l.state.left.push_back(std::move(answer));
}

/// The oldest `count` answers are rendered from a copy of the cart from now on.
void turn_page(CartState& s, std::size_t count, AllLeft& left) {
  const auto page = s.answers.turn_page(count);
  if (!page) return;
  LeftBeside& l = left.emplace_back();
  l.what = Beside::page;
  l.number = page->newest;
  l.state.key.at_ms = page->at_ms;
  Cart& copy = l.state.page.emplace_back(as_of(s.cart, page->newest));
  trim_undo(copy, page->oldest);
}

/// Keeps the answer, and beside the cart the one that has to leave for it.
void keep(CartState& s, const Answer& answer, AllLeft& left) {
  const auto& kept = s.answers.all();
  const bool full = kept.size() >= limits::answers_per_entity_max;
  if (full && !Answers::is_on_page(kept.front())) turn_page(s, answers_per_page, left);
  const Version page = full ? s.answers.page_of(kept.front()) : 0;
  auto leaving = s.answers.keep(answer);
  if (!leaving) return;
  if (leaving->outcome != Outcome::refused) leaving->detail = 0;
  leave(left, {.answer = *leaving, .page = page});
}

void keep_figures(SkuState& s, const StockFigures& figures) {
  s.figures.push_back(figures);
  if (s.figures.size() > 2 * limits::answers_per_entity_max)
    s.figures.erase(s.figures.begin(), s.figures.begin() + static_cast<std::ptrdiff_t>(
                                                               limits::answers_per_entity_max));
}

}  // namespace

void fold(Hosted<CartState>& h, const Transaction& t, std::size_t index, Seq, AllLeft& left) {
  Cart& cart = h.state.cart;
  Answers& answers = h.state.answers;
  cart = evolve(std::move(cart), t.events[index].payload);
  if (closes_answer(t, index)) keep(h.state, answer_of(t, cart.version, 0), left);
  if (cart.undo.size() > limits::cart_undo_max)  // many without a key since the last with one
    turn_page(h.state, answers.older_than(cart.undo[cart.undo.size() / 2].version), left);
  // Of many not one at each event: taking one from the front moves all the others.
  if (cart.undo.size() < undo_trim_steps ||
      cart.undo.size() > answers.all().size() + undo_trim_steps)
    trim_undo(cart, answers.oldest_version(cart.version));
}

void fold(Hosted<SkuState>& h, const Transaction& t, std::size_t index, Seq seq, AllLeft& left) {
  const Payload& payload = t.events[index].payload;
  SkuState& s = h.state;
  const Version product_before = s.product.version;
  advance(s.product, payload);
  advance(s.inventory, payload, t.at);
  if (s.product.version != product_before) h.catalogue_seq = seq;
  if (!closes_answer(t, index)) return;
  const bool product = std::holds_alternative<ProductDefined>(payload) ||
                       std::holds_alternative<ProductTakenOffSale>(payload) ||
                       std::holds_alternative<CommandNoted>(payload);
  const Version version = product ? s.product.version : s.inventory.version;
  if (const auto leaving = s.answers.keep(answer_of(t, version, 0))) {
    LeftAnswer answer{.answer = *leaving};
    for (const auto& f : s.figures)
      if (f.version == leaving->version) answer.figures = f;
    leave(left, std::move(answer));
  }
  if (!product)
    keep_figures(
        s, {.on_hand = s.inventory.on_hand, .reserved = s.inventory.reserved, .version = version});
}

void fold(Hosted<UserState>& h, const Transaction& t, std::size_t index, Seq, AllLeft& left) {
  UserState& s = h.state;
  const Payload& payload = t.events[index].payload;
  s.user = evolve(std::move(s.user), payload);
  if (closes_answer(t, index)) {
    const auto detail = asks_for_address(t) ? Answer::awaits_address : std::uint8_t{0};
    if (const auto leaving = s.answers.keep(answer_of(t, s.user.version, detail)))
      leave(left, {.answer = *leaving, .profile = profile_at(s.user, leaving->version)});
  }
  if (std::holds_alternative<EmailAssigned>(payload)) s.answers.address_assigned(s.user.version);
  if (std::holds_alternative<EmailRefused>(payload)) s.answers.address_refused();
  trim_profiles(s.user, s.answers.oldest_version(s.user.version));
}

void fold(Hosted<OrderState>& h, const Transaction& t, std::size_t index, Seq, AllLeft& left) {
  Order& order = h.state.order;
  advance(order, t.events[index].payload, t.at);
  if (!closes_answer(t, index)) return;
  const auto status = static_cast<std::uint8_t>(order.status);
  if (const auto leaving = h.state.answers.keep(answer_of(t, order.version, status)))
    leave(left, {.answer = *leaving});
}

void fold(Hosted<EmailState>& h, const Transaction& t, std::size_t index, Seq, AllLeft&) {
  h.state.owner = evolve(h.state.owner, t.events[index].payload, t.at);
}

void fold(Hosted<KeyState>& h, const Transaction& t, std::size_t index, Seq, AllLeft&) {
  h.state.key = evolve(h.state.key, t.events[index].payload, t.at);
}

}  // namespace souk
