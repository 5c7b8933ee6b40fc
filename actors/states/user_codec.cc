/// The stored forms of a user, of an email address and of a bound idempotency key.
#include "actors/states/state_codec.h"
#include "actors/states/stored_form.h"

namespace souk {
namespace {

void write(schema::StoredProfile::Builder to, const UserProfile& profile) {
  if (!profile.sealed_email.bytes.empty()) to.setSealedEmail(stored::as_data(profile.sealed_email));
  if (!profile.sealed_name.bytes.empty()) to.setSealedName(stored::as_data(profile.sealed_name));
  if (!profile.country.empty()) to.setCountry(stored::text(profile.country));
  to.setVersion(profile.version);
}
UserProfile read(schema::StoredProfile::Reader from) {
  return {.sealed_email = stored::sealed(from.getSealedEmail()),
          .sealed_name = stored::sealed(from.getSealedName()),
          .country = stored::string(from.getCountry()),
          .version = from.getVersion()};
}

void write(schema::UserState::Builder to, const UserState& state) {
  const User& user = state.user;
  to.setStatus(static_cast<std::uint8_t>(user.status));
  to.setKeyToDestroy(user.key_to_destroy);
  if (!user.email.raw.zero()) to.setEmail(stored::as_data(user.email.raw.view()));
  write(to.initProfile(), user.profile);
  if (user.pending) {
    auto pending = to.initPending();
    pending.setHash(stored::as_data(user.pending->hash.raw.view()));
    pending.setSealed(stored::as_data(user.pending->sealed));
  }
  if (!user.to_free.empty()) to.setToFree(stored::as_data(stored::joined(user.to_free)));
  stored::write_list(
      user.earlier, [&](unsigned n) { return to.initEarlier(n); },
      [](auto b, const UserProfile& profile) { write(b, profile); });
  if (!user.orders.empty()) to.setOrders(stored::as_data(stored::joined(user.orders)));
  to.setVersion(user.version);
  stored::write_answers(to, state.answers);
}

void read(schema::UserState::Reader from, UserState& state) {
  User& user = state.user;
  user.status = stored::enumerator(from.getStatus(), UserStatus::erased);
  user.key_to_destroy = from.getKeyToDestroy();
  user.email = stored::optional_id<EmailHash>(from.getEmail()).value_or(EmailHash{});
  user.profile = read(from.getProfile());
  if (from.hasPending()) {
    const auto pending = from.getPending();
    user.pending = PendingEmail{.hash = stored::id<EmailHash>(pending.getHash()),
                                .sealed = stored::sealed(pending.getSealed())};
  }
  user.to_free = stored::split<EmailHash>(from.getToFree());
  stored::read_list(user.earlier, from.getEarlier(), [](auto profile) { return read(profile); });
  user.orders = stored::split<OrderId>(from.getOrders());
  user.version = from.getVersion();
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
  });
}

Result<EmailState, Fault> decode_email(std::string_view bytes) {
  EmailState state;
  const auto fault = stored::unpack(bytes, schema::State::EMAIL, [&](schema::State::Reader root) {
    const auto from = root.getEmail();
    state.owner.user = stored::optional_id<UserId>(from.getUser()).value_or(UserId{});
  });
  if (fault) return *fault;
  return state;
}

std::size_t memory_of(const EmailState& state) { return sizeof(state); }

std::string encode(const KeyState& state) {
  return stored::pack([&](schema::State::Builder root) {
    auto to = root.initKey();
    to.setKind(static_cast<std::uint8_t>(state.key.target.kind()));
    if (!state.key.target.id().empty()) to.setId(stored::as_data(state.key.target.id()));
    to.setRequestHash(state.key.request_hash);
    to.setAt(state.key.at_ms);
  });
}

Result<KeyState, Fault> decode_key(std::string_view bytes) {
  KeyState state;
  const auto fault = stored::unpack(bytes, schema::State::KEY, [&](schema::State::Reader root) {
    const auto from = root.getKey();
    const auto id = stored::view(from.getId());
    stored::check(id.size() <= limits::sku_bytes_max);
    state.key = {.target = EntityKey{stored::enumerator(from.getKind(), Kind::key), id},
                 .request_hash = from.getRequestHash(),
                 .at_ms = from.getAt()};
  });
  if (fault) return *fault;
  return state;
}

std::size_t memory_of(const KeyState& state) { return sizeof(state); }

}  // namespace souk
