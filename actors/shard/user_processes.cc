#include "actors/shard/user_processes.h"

#include <algorithm>

#include "actors/shard/waiters.h"

namespace souk {
namespace {
constexpr std::int64_t user_retry_ms = 1'000;
}  // namespace

CommandId email_step_cause(const UserId& user, std::size_t op) {
  CommandId cause = user.raw;
  cause.bytes[15] = static_cast<std::uint8_t>(cause.bytes[15] ^ (op + 1));
  return cause;
}

// ---- what is owed ----

void UserProcesses::send(UserId id) {
  auto* h = desk_.find<UserState>(id);
  if (!h || !owes_work(h->state.user)) return;
  const User& user = h->state.user;
  const auto step = [&](Op&& op) {
    Request request{.op = std::move(op), .reply_to = {.who = ReplyTo::Who::process, .entity = id}};
    request.cause = email_step_cause(id, request.op.index());
    request.correlation = id.raw;
    desk_.gate.leave_in_order(h->seq, ShardInput(std::move(request)));
  };
  // An address that is being given back is asked for again only after that.
  const auto& to_free = user.to_free;
  const UnixMs now = desk_.clock.now();
  if (user.pending && std::ranges::find(to_free, user.pending->hash) == to_free.end())
    step(ClaimEmail{user.pending->hash, id, user.asked, now});
  for (const auto& email : user.to_free) step(FreeEmail{email, id, user.asked, now});
  if (user.key_to_destroy && destroying_.insert(id).second) {
    std::vector<PersonId> persons{EntityKey(id)};  // and the addresses on this person's orders
    persons.reserve(1 + user.orders.size());
    for (const auto& order : user.orders) persons.emplace_back(order);
    desk_.gate.leave_in_order(h->seq, KeysToDestroy(id, std::move(persons)));
  }
  timers_.arm(now.plus_ms(user_retry_ms), id);
}

void UserProcesses::resume() {
  std::vector<UserId> users;
  desk_.entities.each<UserState>([&](const Hosted<UserState>& h) {
    if (owes_work(h.state.user)) users.push_back(h.id);
  });
  std::ranges::sort(users);
  for (const auto& id : users) send(id);
}

void UserProcesses::answered(UserId id, const EmailAnswer& answer) {
  auto* h = desk_.find<UserState>(id);
  if (!h) return;
  const User& user = h->state.user;
  if (answer.number != user.asked) return;  // to a question of before
  if (answer.op == Op(ClaimEmail{}).index()) {
    if (!user.pending || user.pending->hash != answer.email) return;
    if (answer.code == ReplyCode::ok) record(id, EmailAssigned{}, Address::assigned);
    if (answer.code == ReplyCode::refused) record(id, EmailRefused{}, Address::refused);
  } else if (answer.code == ReplyCode::ok &&
             std::ranges::find(user.to_free, answer.email) != user.to_free.end()) {
    record(id, FormerEmailFreed{answer.email}, Address::as_it_was);
  }
}

void UserProcesses::answered(UserId id, const KeysDestroyed& answer) {
  destroying_.erase(id);
  if (!answer.status.ok()) return;  // the timer asks again
  auto* h = desk_.find<UserState>(id);
  if (h && h->state.user.key_to_destroy) record(id, PersonalKeyDestroyed{}, Address::as_it_was);
}

void UserProcesses::record(const UserId& id, Payload&& fact, Address address) {
  CommandId cause = id.raw;
  cause.bytes[14] = static_cast<std::uint8_t>(cause.bytes[14] ^ fact.index());
  desk_.recorder.record({.cause = cause, .correlation = id.raw},
                        {{EntityKey(id), std::move(fact)}});
  auto* h = desk_.find<UserState>(id);
  if (h->state.user.status == UserStatus::rejected)  // without a person it needs no key
    desk_.gate.leave_in_order(h->seq, KeysToDestroy(id, {EntityKey(id)}));
  send(id);
  serve(id, address);
}

void UserProcesses::timer(UserId id, Effects effects) {
  if (effects == Effects::sent) send(id);
  serve(id, Address::as_it_was);
}

// ---- who waits for it ----

void UserProcesses::wait(Request&& request, Version version, Replayed replayed, Awaits awaits) {
  const UserId id = id_of<UserState>(target_of(request.op));
  const UnixMs until = desk_.clock.now().plus_ms(desk_.context.options.wait_final_ms);
  // Whoever repeats waits for what the first one recorded, which may not be in the log yet.
  const Seq own =
      replayed == Replayed::yes ? desk_.find<UserState>(id)->seq : desk_.recorder.last_seq();
  waiters_[id].push_back(
      {std::exchange(request, Request{}), version, until, replayed, awaits, own});
  timers_.arm(until, id);
  serve(id, Address::as_it_was);
}

void UserProcesses::serve(const UserId& id, Address address) {
  auto at = waiters_.find(id);
  if (at == waiters_.end()) return;
  auto* h = desk_.find<UserState>(id);
  SOUK_ASSERT(h);
  std::vector<Waiter> waiting;
  for (auto& w : at->second) {
    if (serve_one(*h, w, address))
      desk_.undecided.asked(std::move(w.request), w.own);
    else
      waiting.push_back(std::move(w));
  }
  at->second = std::move(waiting);
  if (at->second.empty()) waiters_.erase(at);
}

bool UserProcesses::serve_one(const Hosted<UserState>& h, const Waiter& w, Address address) {
  const User& user = h.state.user;
  const bool registers = std::holds_alternative<RegisterUser>(w.request.op);
  const bool erases = std::holds_alternative<EraseUser>(w.request.op);
  const bool awaits_address = w.awaits == Awaits::address;
  if (erases ? user.key_to_destroy : awaits_address && address == Address::as_it_was) {
    if (desk_.clock.now() < w.until) return false;
    desk_.responder.unavailable(w.request);
    return true;
  }
  if (awaits_address ? address == Address::refused
                     : registers && user.status == UserStatus::rejected) {
    Reply reply = desk_.responder.reply_to(w.request, ReplyCode::refused);
    reply.refusal = Refusal::email_taken;
    reply.replayed = w.replayed == Replayed::yes;
    desk_.responder.answer(w.request, std::move(reply), h.seq);
    return true;
  }
  const Version version = awaits_address ? user.version : w.version;  // shown once it is assigned
  desk_.responder.respond(w.request, registers ? ReplyCode::created : ReplyCode::ok, version, h.seq,
                          w.replayed);
  return true;
}

// ---- a commit is in doubt ----

std::vector<Request> UserProcesses::take_not_landed(Seq landed) {
  return souk::take_not_landed(
      waiters_, landed, [&](const UserId& id) { return desk_.find<UserState>(id) != nullptr; },
      [&](const Request& request) { desk_.responder.unavailable(request); });
}

void UserProcesses::serve_all() {
  for (const auto& id : awaited(waiters_)) {
    for (const auto& w : waiters_[id]) timers_.arm(w.until, id);
    serve(id, Address::as_it_was);
  }
}

std::vector<Request> UserProcesses::take_waiting() { return take_requests(waiters_); }

}  // namespace souk
