/// The stored forms of a user and of an email address.
#include "actors/states/state_codec.h"
#include "actors/states/stored_form.h"

namespace souk {

void stored::write(schema::StoredProfile::Builder to, const UserProfile& profile) {
  if (!profile.sealed_email.bytes.empty()) to.setSealedEmail(as_data(profile.sealed_email));
  if (!profile.sealed_name.bytes.empty()) to.setSealedName(as_data(profile.sealed_name));
  if (!profile.country.empty()) to.setCountry(text(profile.country));
  to.setVersion(profile.version);
}

UserProfile stored::read(schema::StoredProfile::Reader from) {
  return {.sealed_email = sealed(from.getSealedEmail()),
          .sealed_name = sealed(from.getSealedName()),
          .country = string(from.getCountry()),
          .version = from.getVersion()};
}

namespace {

void write(schema::UserState::Builder to, const UserState& state) {
  const User& user = state.user;
  to.setStatus(static_cast<std::uint8_t>(user.status));
  to.setKeyToDestroy(user.key_to_destroy);
  if (!user.email.raw.zero()) to.setEmail(stored::as_data(user.email.raw.view()));
  stored::write(to.initProfile(), user.profile);
  if (user.pending) {
    auto pending = to.initPending();
    pending.setHash(stored::as_data(user.pending->hash.raw.view()));
    pending.setSealed(stored::as_data(user.pending->sealed));
  }
  if (!user.to_free.empty()) to.setToFree(stored::as_data(stored::joined(user.to_free)));
  stored::write_list(
      user.earlier, [&](unsigned n) { return to.initEarlier(n); },
      [](auto b, const UserProfile& profile) { stored::write(b, profile); });
  if (!user.orders.empty()) to.setOrders(stored::as_data(stored::joined(user.orders)));
  to.setVersion(user.version);
  to.setAsked(user.asked);
  stored::write_answers(to, state.answers);
}

void read(schema::UserState::Reader from, UserState& state) {
  User& user = state.user;
  user.status = stored::enumerator(from.getStatus(), UserStatus::erased);
  user.key_to_destroy = from.getKeyToDestroy();
  user.email = stored::optional_id<EmailHash>(from.getEmail()).value_or(EmailHash{});
  user.profile = stored::read(from.getProfile());
  if (from.hasPending()) {
    const auto pending = from.getPending();
    user.pending = PendingEmail{.hash = stored::id<EmailHash>(pending.getHash()),
                                .sealed = stored::sealed(pending.getSealed())};
  }
  user.to_free = stored::split<EmailHash>(from.getToFree());
  stored::read_list(user.earlier, from.getEarlier(),
                    [](auto profile) { return stored::read(profile); });
  user.orders = stored::split<OrderId>(from.getOrders());
  user.version = from.getVersion();
  user.asked = from.getAsked();
  stored::read_answers(from, state.answers);
}

std::size_t heap_of(const UserProfile& profile) {
  return stored::heap_of(profile.sealed_email) + stored::heap_of(profile.sealed_name) +
         stored::heap_of(profile.country);
}

}  // namespace

std::string encode(const UserState& state) {
  return stored::pack([&](schema::State::Builder root) { write(root.initUser(), state); });
}

Result<UserState, Fault> decode_user(std::string_view bytes) {
  UserState state;
  const auto fault = stored::unpack(
      bytes, schema::State::USER, [&](schema::State::Reader root) { read(root.getUser(), state); });
  if (fault) return *fault;
  return state;
}

std::size_t memory_of(const UserState& state) {
  const User& user = state.user;
  std::size_t bytes = sizeof(state) + heap_of(user.profile) + stored::heap_of(user.to_free) +
                      stored::heap_of(user.earlier) + user.orders.heap_bytes() +
                      stored::heap_of(state.answers);
  if (user.pending) bytes += stored::heap_of(user.pending->sealed);
  for (const auto& profile : user.earlier) bytes += heap_of(profile);
  return bytes;
}

std::string encode(const EmailState& state) {
  return stored::pack([&](schema::State::Builder root) {
    auto to = root.initEmail();
    const UserId user = state.owner.user;
    if (!user.raw.zero()) to.setUser(stored::as_data(user.raw.view()));
    to.setChangedAt(state.owner.changed_at.value);
  });
}

Result<EmailState, Fault> decode_email(std::string_view bytes) {
  EmailState state;
  const auto fault = stored::unpack(bytes, schema::State::EMAIL, [&](schema::State::Reader root) {
    const auto from = root.getEmail();
    state.owner.user = stored::optional_id<UserId>(from.getUser()).value_or(UserId{});
    state.owner.changed_at = {from.getChangedAt()};
  });
  if (fault) return *fault;
  return state;
}

std::size_t memory_of(const EmailState& state) { return sizeof(state); }

}  // namespace souk
