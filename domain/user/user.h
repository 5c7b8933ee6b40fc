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
  UserId user;  // zero: free
  bool operator==(const EmailOwner&) const = default;
};
struct ClaimEmail {
  EmailHash email;
  UserId user;
};
struct FreeEmail {
  EmailHash email;
  UserId user;
};
Decision decide(const EmailOwner& owner, const ClaimEmail& command);  // email_taken
Decision decide(const EmailOwner& owner, const FreeEmail& command);   // another's: no fact
EmailOwner evolve(EmailOwner owner, const Payload& event);

/// Kind::key
struct BoundKey {
  EntityKey target;  // Kind::none: free
  std::uint64_t request_hash = 0;
  std::int64_t at_ms = 0;
  bool operator==(const BoundKey&) const = default;
};
BoundKey evolve(BoundKey key, const Payload& event, UnixMs at);

}  // namespace souk
