#pragma once
/// A user, the index of email addresses, and bound idempotency keys. Rules only. Personal data is
/// opaque here: sealed bytes and keyed hashes.
#include "domain/decision.h"
#include "domain/user/placed_orders.h"

namespace souk {

enum class UserStatus : std::uint8_t {  // stored
  none = 0,
  registering = 1,  // waits for its address
  active = 2,
  rejected = 3,  // the address was taken: there is no such user
  erased = 4,
};

struct PendingEmail {
  EmailHash hash;
  Sealed sealed;
  bool operator==(const PendingEmail&) const = default;
};

/// As a reader sees it; kept per version as far back as an answer needs it (still sealed).
struct UserProfile {
  Sealed sealed_email, sealed_name;
  std::string country;
  std::uint32_t version = 0;
  bool operator==(const UserProfile&) const = default;
};

struct User {
  UserStatus status = UserStatus::none;
  EmailHash email;  // zero: none yet
  UserProfile profile;
  std::optional<PendingEmail> pending;
  std::vector<EmailHash> to_free;  // addresses to give back
  Version asked = 0;               // at which it came to what is owed to addresses; names the steps
  bool key_to_destroy = false;
  std::vector<UserProfile> earlier;  // oldest first
  PlacedOrders orders;
  Version version = 0;
  bool operator==(const User&) const = default;
};

struct RegisterUser {
  UserId user;
  EmailHash email;
  Sealed sealed_email, sealed_name;
  std::string country;
};
struct UpdateUser {
  UserId user;
  std::optional<PendingEmail> email;
  std::optional<Sealed> sealed_name;
  std::optional<std::string> country;
};
struct EraseUser {
  UserId user;
};

/// REQUIRES of RegisterUser: status none; of the others: active.
Decision decide(const User& user, const RegisterUser& command);
/// Refusal: illegal_state where another change of the address is under way.
Decision decide(const User& user, const UpdateUser& command);
Decision decide(const User& user, const EraseUser& command);
bool owes_work(const User& user);
User evolve(User user, const Payload& event);
/// The profile at `version`; the current one where it is not kept any more.
const UserProfile& profile_at(const User& user, Version version);
void trim_profiles(User& user, Version oldest_needed);

/// Kind::email
struct EmailOwner {
  UserId user;        // zero: free
  UnixMs changed_at;  // of the last that took it or gave it up; 0: nobody did
  bool operator==(const EmailOwner&) const = default;
};
/// Steps of a user's process, safe to repeat at any time and to come late: one that was asked for
/// before the address changed hands last would do what is not wanted any more.
///   Why none is missed: the clock of the address is not behind what it took (Sender::at), and a
///   user asks anew for an address only when it is known to be given back; so what was asked for
///   before that is no later than the last change.
struct ClaimEmail {
  EmailHash email;
  UserId user;
  Version number = 0;    // User::asked
  UnixMs asked_at = {};  // by the clock of the user's shard
};
struct FreeEmail {
  EmailHash email;
  UserId user;
  Version number = 0;
  UnixMs asked_at = {};
};
/// It must be asked for anew, where it is still wanted.
bool comes_too_late(const EmailOwner& owner, const ClaimEmail& command);
bool comes_too_late(const EmailOwner& owner, const FreeEmail& command);
/// Refusal: email_taken. REQUIRES: not too late, as of FreeEmail.
Decision decide(const EmailOwner& owner, const ClaimEmail& command);
/// Also where it is another's, or nobody's: a claim of this user may be still to come.
Decision decide(const EmailOwner& owner, const FreeEmail& command);
EmailOwner evolve(EmailOwner owner, const Payload& event, UnixMs at);

/// Kind::key
struct BoundKey {
  EntityKey target;  // Kind::none: free
  std::uint64_t request_hash = 0;
  std::int64_t at_ms = 0;
  bool operator==(const BoundKey&) const = default;
};
BoundKey evolve(BoundKey key, const Payload& event, UnixMs at);

}  // namespace souk
