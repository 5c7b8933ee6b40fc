#pragma once
/// Those who keep the shop, those who belong to it, and those who only look.
#include <deque>

#include "tests/simulation/client.h"

namespace souk::simulation {

/// Puts products and stock on the shelves.
class Keeper final : public Client {
 public:
  /// The first one fills the shelves before all others begin.
  enum class Task {
    fills_shelves,
    changes_things,
    delivers,  // to one SKU, far more often than an entity keeps answers in memory
  };
  Keeper(std::string name, const Street& street, Task task, std::int64_t steps);

 protected:
  std::optional<Request> next() override;
  void answered(const Request& request, const Reply& reply) override;

 private:
  PutProduct product(const Sku& sku, std::int64_t pence) const;
  Op change();

  const Task task_;
  std::int64_t steps_left_;
  std::deque<Op> script_;
};

/// Registers under an address that others want as well, changes things, may leave for good.
class Member final : public Client {
 public:
  Member(std::string name, const Street& street, std::int64_t steps)
      : Client(std::move(name), street), steps_left_(steps) {}

 protected:
  std::optional<Request> next() override;
  void answered(const Request& request, const Reply& reply) override;

 private:
  std::optional<PendingEmail> some_email(const UserId& user);
  Sealed seal(const UserId& user, std::string_view plain);

  std::int64_t steps_left_;
  UserId user_;  // zero: not a member
};

/// Reads anything, also what was just acknowledged to others.
class Reader final : public Client {
 public:
  Reader(std::string name, const Street& street, std::int64_t steps)
      : Client(std::move(name), street), steps_left_(steps) {}

 protected:
  std::optional<Request> next() override;
  void answered(const Request& request, const Reply& reply) override;

 private:
  std::int64_t steps_left_;
};

}  // namespace souk::simulation
