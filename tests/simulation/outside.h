#pragma once
/// What stands outside of the engine and survives its crashes: the keys of persons, and the payment
/// provider with its own record of every order.
#include <map>
#include <set>

#include "actors/adapters/payment_simulator/rules.h"
#include "actors/ports/vault.h"
#include "tests/simulation/world.h"

namespace souk::simulation {

/// Durable at once. "Sealed" is the plain text behind the name of its person.
class SimVault final : public Vault {
 public:
  enum class Destroys {
    all,
    the_first,   // a defect to be found: only the person's own key, none of their orders
    of_members,  // another: none where there are only orders
  };
  SimVault(World& world, Destroys destroys) : world_(world), destroys_(destroys) {}
  Status ensure(const std::vector<PersonId>& persons) override;
  Result<Sealed, Fault> seal(const PersonId& person, std::string_view plain) override;
  Result<std::optional<std::string>, Fault> open(const PersonId& person,
                                                 const Sealed& sealed) override;
  Status settle(const PersonId&, KeyVerdict) override { return Done{}; }
  std::vector<PersonId> unsettled() override { return {}; }
  Status destroy(const std::vector<PersonId>& persons) override;
  std::uint64_t keyed_hash(std::string_view bytes) const override;
  Id128 keyed_hash128(std::string_view purpose, std::string_view bytes) const override;

  bool destroyed(const PersonId& person) const { return destroyed_.contains(person); }
  bool has_key(const PersonId& person) const { return keys_.contains(person); }

 private:
  World& world_;
  const Destroys destroys_;
  std::set<PersonId> keys_, destroyed_;
};

/// The rules of the built-in simulator behind a bad network: calls and answers come late, doubled,
/// in another order, at once within the call, or not at all, whether the node that waits for them
/// lives or not.
class SimProvider final : public PaymentProvider {
 public:
  explicit SimProvider(World& world) : world_(world) {}
  void start(Answer answer) override { answer_ = std::move(answer); }
  void stop() override { answer_ = nullptr; }
  void call(std::vector<PaymentCall> calls) override;
  Result<std::optional<PaymentRecord>, Fault> record(OrderId order) override;

  const std::map<OrderId, ProviderAccount>& accounts() const { return accounts_; }
  /// Calls and answers on their way.
  std::size_t under_way() const { return under_way_; }

 private:
  void send(std::int64_t delay_ms, std::function<void()> what);
  void arrived(const PaymentCall& call);
  void answer(const PaymentAnswer& answer);
  std::int64_t network_ms();

  World& world_;
  Answer answer_;  // null: nobody listens
  std::map<OrderId, ProviderAccount> accounts_;
  std::size_t under_way_ = 0;
};

}  // namespace souk::simulation
