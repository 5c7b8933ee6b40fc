#include "domain/user/user.h"

#include <algorithm>

#include "domain/decision.h"

namespace souk {
namespace {

/// From now on other steps are owed: an answer to one of before does not count.
void ask_anew(User& user) { user.asked = user.version + 1; }

/// Makes room for another profile, which starts at the version that comes next.
void keep_profile(User& user) {
  if (user.version > 0) user.earlier.push_back(user.profile);
  user.profile.version = static_cast<std::uint32_t>(user.version + 1);
}

void apply(User& user, const UserRegistered& e) {
  keep_profile(user);
  user.status = UserStatus::registering;
  user.profile.sealed_name = e.sealed_name;
  user.profile.country = e.country;
  user.pending = PendingEmail{.hash = e.email, .sealed = e.sealed_email};
  ask_anew(user);
}
void apply(User& user, const UserProfileChanged& e) {
  keep_profile(user);
  if (e.sealed_name) user.profile.sealed_name = *e.sealed_name;
  if (e.country) user.profile.country = *e.country;
}
void apply(User& user, const EmailChangeRequested& e) {
  user.pending = PendingEmail{.hash = e.email, .sealed = e.sealed_email};
  ask_anew(user);
}
void apply(User& user, const EmailAssigned&) {
  if (!user.pending) return;
  const PendingEmail pending = std::move(*user.pending);
  user.pending.reset();
  ask_anew(user);
  if (user.status == UserStatus::erased) {  // came after the erasure: give it back
    user.to_free.push_back(pending.hash);
    return;
  }
  keep_profile(user);
  if (!user.email.raw.zero()) user.to_free.push_back(user.email);
  user.email = pending.hash;
  user.profile.sealed_email = pending.sealed;
  user.status = UserStatus::active;
}
void apply(User& user, const EmailRefused&) {
  // The question may have been asked twice, and the second time the address was free: give it back,
  // which is nothing where it is another's.
  if (user.pending) user.to_free.push_back(user.pending->hash);
  user.pending.reset();
  ask_anew(user);
  if (user.status == UserStatus::registering) user.status = UserStatus::rejected;
}
void apply(User& user, const FormerEmailFreed& e) { std::erase(user.to_free, e.email); }
void apply(User& user, const UserErased&) {
  user.status = UserStatus::erased;
  if (!user.email.raw.zero()) user.to_free.push_back(user.email);
  user.email = EmailHash{};
  ask_anew(user);
  // An address that was asked for may already be ours in the index: its answer must be awaited.
  if (user.pending) user.pending->sealed = Sealed{};
  user.earlier.clear();
  user.profile.sealed_email = Sealed{};
  user.profile.sealed_name = Sealed{};
  user.profile.version = static_cast<std::uint32_t>(user.version + 1);
  user.key_to_destroy = true;
}
void apply(User& user, const PersonalKeyDestroyed&) { user.key_to_destroy = false; }

template <class E>
constexpr bool is_user_event =
    std::is_same_v<E, UserRegistered> || std::is_same_v<E, UserProfileChanged> ||
    std::is_same_v<E, EmailChangeRequested> || std::is_same_v<E, EmailAssigned> ||
    std::is_same_v<E, EmailRefused> || std::is_same_v<E, FormerEmailFreed> ||
    std::is_same_v<E, UserErased> || std::is_same_v<E, PersonalKeyDestroyed>;

}  // namespace

Decision decide(const User&, const RegisterUser& command) {
  return facts_of(UserRegistered{.email = command.email,
                                 .sealed_email = command.sealed_email,
                                 .sealed_name = command.sealed_name,
                                 .country = command.country});
}

Decision decide(const User& user, const UpdateUser& command) {
  bool new_email = false;
  if (command.email) {
    // Asking again for what is under way is harmless, and a fact: the answer depends on what the
    // index says. Anything else has to wait for it.
    const EmailHash wanted = command.email->hash;
    if (user.pending && user.pending->hash != wanted) return Refused{Refusal::illegal_state};
    new_email = user.pending || user.email != wanted;
  }
  const bool new_country = command.country && *command.country != user.profile.country;
  Facts facts;
  if (command.sealed_name || new_country) {
    facts.emplace_back(UserProfileChanged{.sealed_name = command.sealed_name,
                                          .country = new_country ? command.country : std::nullopt});
  }
  if (new_email) {
    facts.emplace_back(
        EmailChangeRequested{.email = command.email->hash, .sealed_email = command.email->sealed});
  }
  return facts;
}

Decision decide(const User& user, const EraseUser&) {
  if (user.status == UserStatus::erased) return Facts{};
  return facts_of(UserErased{});
}

bool owes_work(const User& user) {
  return user.pending || !user.to_free.empty() || user.key_to_destroy;
}

User evolve(User user, const Payload& event) {
  if (const auto* ordered = std::get_if<UserOrdered>(&event)) {
    user.orders.push_back(ordered->order);
    return user;
  }
  std::visit(
      [&]<class E>(const E& e) {
        if constexpr (is_user_event<E>) {
          apply(user, e);
          ++user.version;
        }
      },
      event);
  return user;
}

const UserProfile& profile_at(const User& user, Version version) {
  if (user.profile.version <= version) return user.profile;
  for (auto p = user.earlier.rbegin(); p != user.earlier.rend(); ++p) {
    if (p->version <= version) return *p;
  }
  return user.profile;
}

void trim_profiles(User& user, Version oldest_needed) {
  // A profile is needed as long as its successor came after `oldest_needed`.
  std::size_t drop = 0;
  while (drop < user.earlier.size()) {
    const bool last = drop + 1 == user.earlier.size();
    const std::uint32_t successor = last ? user.profile.version : user.earlier[drop + 1].version;
    if (successor > oldest_needed) break;
    ++drop;
  }
  user.earlier.erase(user.earlier.begin(),
                     user.earlier.begin() + static_cast<std::ptrdiff_t>(drop));
}

bool comes_too_late(const EmailOwner& owner, const ClaimEmail& command) {
  return owner.user.raw.zero() && command.asked_at <= owner.changed_at &&
         owner.changed_at.value != 0;
}
bool comes_too_late(const EmailOwner& owner, const FreeEmail& command) {
  return owner.user == command.user && command.asked_at <= owner.changed_at;
}

Decision decide(const EmailOwner& owner, const ClaimEmail& command) {
  if (owner.user == command.user) return Facts{};
  if (!owner.user.raw.zero()) return Refused{Refusal::email_taken};
  return facts_of(EmailTaken{command.user});
}

Decision decide(const EmailOwner& owner, const FreeEmail& command) {
  if (owner.user != command.user && command.asked_at <= owner.changed_at) return Facts{};
  return facts_of(EmailFreed{command.user});
}

EmailOwner evolve(EmailOwner owner, const Payload& event, UnixMs at) {
  if (const auto* taken = std::get_if<EmailTaken>(&event))
    owner = {.user = taken->user, .changed_at = at};
  if (const auto* freed = std::get_if<EmailFreed>(&event)) {
    if (owner.user == freed->user) owner.user = UserId{};
    owner.changed_at = at;
  }
  return owner;
}

BoundKey evolve(BoundKey key, const Payload& event, UnixMs at) {
  if (const auto* bound = std::get_if<KeyBound>(&event)) {
    key = BoundKey{.target = bound->target, .request_hash = bound->request_hash, .at_ms = at.value};
  }
  return key;
}

}  // namespace souk
