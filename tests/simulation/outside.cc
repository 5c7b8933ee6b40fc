#include "tests/simulation/outside.h"

namespace souk::simulation {

// ---- vault ----

Status SimVault::ensure(const std::vector<PersonId>& persons) {
  for (const auto& person : persons)
    if (!destroyed_.contains(person)) keys_.insert(person);
  return Done{};
}

Result<Sealed, Fault> SimVault::seal(const PersonId& person, std::string_view plain) {
  if (!keys_.contains(person)) return Fault{Fault::Kind::unavailable, "no key of this person"};
  return Sealed{person.text() + "|" + std::string(plain)};
}

Result<std::optional<std::string>, Fault> SimVault::open(const PersonId& person,
                                                         const Sealed& sealed) {
  if (!keys_.contains(person)) return std::optional<std::string>();
  const std::string head = person.text() + "|";
  if (!sealed.bytes.starts_with(head))
    return Fault{Fault::Kind::corrupt, "sealed for another person"};
  return std::optional<std::string>(sealed.bytes.substr(head.size()));
}

Status SimVault::destroy(const std::vector<PersonId>& persons) {
  if (world_.chance(world_.faults.destroy_fails))
    return Fault{Fault::Kind::unavailable, "the key is there still"};
  const bool all = destroys_ != Destroys::of_members || persons.front().kind() == Kind::user;
  for (const auto& person : persons) {
    if (!all) continue;
    keys_.erase(person);
    destroyed_.insert(person);
    if (destroys_ == Destroys::the_first) break;
  }
  return Done{};
}

std::uint64_t SimVault::keyed_hash(std::string_view bytes) const { return stable_hash(bytes) | 1; }

Id128 SimVault::keyed_hash128(std::string_view purpose, std::string_view bytes) const {
  Id128 id;
  std::uint64_t half = stable_hash(std::string(purpose) + ":" + std::string(bytes));
  for (std::size_t i = 0; i < id.bytes.size(); ++i) {
    if (i == 8) half = stable_hash({reinterpret_cast<const char*>(&half), sizeof half});
    id.bytes[i] = static_cast<std::uint8_t>(half >> (8 * (i % 8)));
  }
  return id;
}

// ---- provider ----

std::int64_t SimProvider::network_ms() {
  return world_.chance(world_.faults.call_slow) ? world_.between(20, 8'000) : world_.between(0, 4);
}

void SimProvider::send(std::int64_t delay_ms, std::function<void()> what) {
  ++under_way_;
  world_.after(delay_ms, [this, what = std::move(what)] {
    --under_way_;
    what();
  });
}

void SimProvider::call(std::vector<PaymentCall> calls) {
  for (auto& call : calls) {
    if (world_.chance(world_.faults.call_lost)) continue;
    if (world_.chance(world_.faults.call_at_once)) {
      arrived(call);
      continue;
    }
    const int copies = world_.chance(world_.faults.answer_twice) ? 2 : 1;
    for (int i = 0; i < copies; ++i) send(network_ms(), [this, call] { arrived(call); });
  }
}

void SimProvider::arrived(const PaymentCall& call) {
  ProviderReply reply;
  if (world_.chance(world_.faults.call_fails))
    reply.answer = {call.order, call.op, call.number, PaymentAnswer::Kind::failed};
  else
    reply = provide(accounts_[call.order], call, world_.time_of_day());
  const int times = world_.chance(world_.faults.answer_lost) ? 0 : reply.times;
  for (int i = 0; i < times; ++i) {
    if (reply.delay_ms == 0 && world_.chance(world_.faults.call_at_once))
      answer(reply.answer);
    else
      send(reply.delay_ms + network_ms(), [this, a = reply.answer] { answer(a); });
  }
}

void SimProvider::answer(const PaymentAnswer& answer) {
  if (answer_) answer_(answer);
}

Result<std::optional<PaymentRecord>, Fault> SimProvider::record(OrderId order) {
  const auto at = accounts_.find(order);
  if (at == accounts_.end()) return std::optional<PaymentRecord>();
  return std::make_optional(at->second.record);
}

}  // namespace souk::simulation
