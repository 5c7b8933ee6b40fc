#pragma once
/// The checks that come before a command is decided, as its row of policies says.
/// Thread: its shard's.
#include "actors/shard/order_processes.h"
#include "actors/shard/policies.h"
#include "actors/shard/repeats.h"
#include "actors/shard/user_processes.h"

namespace souk {

class Admission {
 public:
  Admission(Desk& desk, OrderProcesses& orders, UserProcesses& users)
      : desk_(desk), orders_(orders), users_(users) {}

  /// no: `request` is answered (or waits for its answer) and is moved from.
  /// REQUIRES: a command of a client, with all that it needs in memory.
  enum class Admitted : std::uint8_t { no, yes };
  Admitted admit(Request& request);

 private:
  /// The target as the checks see it.
  struct Subject {
    Seq seq = 0;
    const Answers* answers = nullptr;  // none: nothing is kept
    bool known = false;                // it was made once
    bool there = false;                // and is not gone
    Version version = 0;
    bool defined = false;  // a SKU's product
  };
  Subject subject_of(const EntityKey& target, const Policy& policy);
  bool repeats(Request& request, const Subject& subject);
  void replay(Request& request, const Repeat& repeat, Seq seq);
  bool bound_elsewhere(const Request& request);
  void made_before(Request& request, const Subject& subject);
  bool placed_before(Request& request);
  bool lacks_product(const Request& request, const Policy& policy, const Subject& subject);
  bool unknown_user(const Request& request);
  std::optional<UserId> owner_of(const Op& op);

  Desk& desk_;
  OrderProcesses& orders_;
  UserProcesses& users_;
};

}  // namespace souk
