#pragma once
/// What users owe (claiming and freeing addresses, destroying keys) and the requests that wait for
/// it. Each owed step is sent again until it is answered; the user's events say what is owed.
///
/// Invariants: each waiting request is answered once, at the latest at its time; the destruction of
///   a person's keys is under way at most once.
/// Thread: its shard's.
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "actors/shard/desk.h"
#include "actors/shard/timers.h"

namespace souk {

enum class Awaits : std::uint8_t { nothing, address };

/// Names a step of the user's process.
CommandId email_step_cause(const UserId& user, std::size_t op);

class UserProcesses {
 public:
  UserProcesses(Desk& desk, Timers& timers) : desk_(desk), timers_(timers) {}

  /// Sends all that the user owes.
  void send(UserId id);
  /// Sends what all users in memory owe; after a recovery.
  void resume();
  void answered(UserId id, const EmailAnswer& answer);
  void answered(UserId id, const KeysDestroyed& answer);
  enum class Effects : std::uint8_t { held, sent };
  void timer(UserId id, Effects effects);

  /// The request is answered when what it awaits has come, with the user at `version`.
  void wait(Request&& request, Version version, Replayed replayed, Awaits awaits);

  // ---- a commit is in doubt: as OrderProcesses ----
  void forget() { destroying_.clear(); }
  std::vector<Request> take_not_landed(Seq landed);
  void serve_all();
  std::vector<Request> take_waiting();

 private:
  struct Waiter {
    Request request;
    Version version = 0;  // of the answer
    UnixMs until;
    Replayed replayed = Replayed::no;
    Awaits awaits = Awaits::nothing;
    Seq own = 0;  // Undecided::asked
  };
  /// What has just become of the address that was asked for.
  enum class Address : std::uint8_t { as_it_was, assigned, refused };
  void record(const UserId& id, Payload&& fact, Address address);
  void serve(const UserId& id, Address address);
  /// Whether it was answered.
  bool serve_one(const Hosted<UserState>& user, const Waiter& waiter, Address address);

  Desk& desk_;
  Timers& timers_;
  std::unordered_map<UserId, std::vector<Waiter>> waiters_;
  std::unordered_set<UserId> destroying_;  // whose keys: asked for and not answered yet
};

}  // namespace souk
