#include "domain/user/user.h"

#include <rapidcheck.h>

#include <map>

#include "tests/domain/scenario.h"

using namespace souk;
using namespace souk::test;

namespace {

using UserScenario = Scenario<User>;
const UserId zoe = user_id(1);

Facts registered() { return {UserRegistered{email_hash(1), {"mail1"}, {"Zoe"}, "GB"}}; }
Facts active() { return {registered()[0], EmailAssigned{}}; }
UpdateUser change_email(std::uint64_t number) {
  UpdateUser command{zoe, {}, {}, {}};
  command.email = PendingEmail{email_hash(number), {"mail" + std::to_string(number)}};
  return command;
}

}  // namespace

TEST_CASE("user: one registers and is active once the address is theirs") {
  auto scenario = UserScenario{}
                      .when(RegisterUser{zoe, email_hash(1), {"mail1"}, {"Zoe"}, "GB"})
                      .then(registered());
  CHECK(scenario.state().status == UserStatus::registering);
  CHECK(owes_work(scenario.state()));
  scenario.given({EmailAssigned{}});
  const User& user = scenario.state();
  CHECK(user.status == UserStatus::active);
  CHECK(user.email == email_hash(1));
  CHECK(user.profile.sealed_email.bytes == "mail1");
  CHECK(user.profile.sealed_name.bytes == "Zoe");
  CHECK(user.profile.country == "GB");
  CHECK(user.version == 2);
  CHECK_FALSE(owes_work(user));
}

TEST_CASE(
    "user: one whose address is another's is rejected and gives back what a second question got") {
  const User user = fold(fold(User{}, registered()), {EmailRefused{}});
  CHECK(user.status == UserStatus::rejected);
  REQUIRE(user.to_free.size() == 1);
  CHECK_FALSE(owes_work(fold(user, {FormerEmailFreed{user.to_free[0]}})));
}

TEST_CASE("user: a new address becomes theirs and the former one is given back") {
  auto scenario = UserScenario{}
                      .given(active())
                      .when(change_email(2))
                      .then({EmailChangeRequested{email_hash(2), {"mail2"}}});
  CHECK(scenario.state().email == email_hash(1));
  CHECK(scenario.state().profile.sealed_email.bytes == "mail1");
  CHECK(owes_work(scenario.state()));
  scenario.given({EmailAssigned{}});
  CHECK(scenario.state().email == email_hash(2));
  CHECK(scenario.state().profile.sealed_email.bytes == "mail2");
  CHECK(scenario.state().to_free == std::vector<EmailHash>{email_hash(1)});
  CHECK(owes_work(scenario.state()));
  scenario.given({FormerEmailFreed{email_hash(1)}});
  CHECK_FALSE(owes_work(scenario.state()));
}

TEST_CASE("user: a new address that is another's leaves everything as it was") {
  const User user = fold(fold(User{}, active()),
                         {EmailChangeRequested{email_hash(2), {"mail2"}}, EmailRefused{}});
  CHECK(user.status == UserStatus::active);
  CHECK(user.email == email_hash(1));
  CHECK(user.profile.sealed_email.bytes == "mail1");
  CHECK_FALSE(owes_work(fold(user, {FormerEmailFreed{email_hash(2)}})));
}

TEST_CASE("user: one change of address at a time; the same one may be asked for again") {
  UserScenario{}
      .given(active())
      .when(change_email(1))
      .then({})
      .when(change_email(2))
      .then({EmailChangeRequested{email_hash(2), {"mail2"}}})
      .when(change_email(2))
      .then({EmailChangeRequested{email_hash(2), {"mail2"}}})
      .when(change_email(3))
      .refused(Refusal::illegal_state)
      .when(change_email(1))
      .refused(Refusal::illegal_state);
}

TEST_CASE("user: a name or another country is a new fact, the same country is none") {
  UpdateUser same_country{zoe, {}, {}, "GB"};
  UpdateUser both = change_email(2);
  both.sealed_name = Sealed{"Zoë"};
  both.country = "GB";
  auto scenario = UserScenario{}
                      .given(active())
                      .when(same_country)
                      .then({})
                      .when(UpdateUser{zoe, {}, {}, "FR"})
                      .then({UserProfileChanged{{}, "FR"}})
                      .when(both)
                      .then({UserProfileChanged{Sealed{"Zoë"}, "GB"},
                             EmailChangeRequested{email_hash(2), {"mail2"}}});
  CHECK(scenario.state().profile.sealed_name.bytes == "Zoë");
  CHECK(scenario.state().profile.country == "GB");
  CHECK(scenario.state().version == 5);
}

TEST_CASE("user: erasing clears the profile, gives the address back and destroys the key, once") {
  auto scenario = UserScenario{}
                      .given(active())
                      .given({UserProfileChanged{Sealed{"Z."}, {}}, UserOrdered{order_id(5)}})
                      .when(EraseUser{zoe})
                      .then({UserErased{}})
                      .when(EraseUser{zoe})
                      .then({});
  const User& user = scenario.state();
  CHECK(user.status == UserStatus::erased);
  CHECK(user.profile.sealed_email.bytes.empty());
  CHECK(user.profile.sealed_name.bytes.empty());
  CHECK(user.earlier.empty());
  CHECK(user.email == EmailHash{});
  CHECK(user.to_free == std::vector<EmailHash>{email_hash(1)});
  CHECK(user.key_to_destroy);
  CHECK(user.orders == std::vector<OrderId>{order_id(5)});
  scenario.given({FormerEmailFreed{email_hash(1)}});
  CHECK(owes_work(scenario.state()));
  scenario.given({PersonalKeyDestroyed{}});
  CHECK_FALSE(owes_work(scenario.state()));
}

TEST_CASE("user: an address that is assigned after the erasure is given back as well") {
  User user =
      fold(fold(User{}, active()), {EmailChangeRequested{email_hash(2), {"mail2"}}, UserErased{},
                                    FormerEmailFreed{email_hash(1)}, PersonalKeyDestroyed{}});
  CHECK(owes_work(user));
  REQUIRE(user.pending.has_value());
  CHECK(user.pending->sealed.bytes.empty());
  const User refused = fold(user, {EmailRefused{}});
  CHECK_FALSE(owes_work(fold(refused, {FormerEmailFreed{email_hash(2)}})));
  CHECK(refused.status == UserStatus::erased);
  const User assigned = fold(user, {EmailAssigned{}});
  CHECK(assigned.status == UserStatus::erased);
  CHECK(assigned.email == EmailHash{});
  CHECK(assigned.profile.sealed_email.bytes.empty());
  CHECK(assigned.to_free == std::vector<EmailHash>{email_hash(2)});
}

TEST_CASE("user: orders are listed in the order of placing and change no version") {
  const User before = fold(User{}, active());
  const User user = fold(before, {UserOrdered{order_id(2)}, UserOrdered{order_id(1)}});
  CHECK(user.orders == std::vector<OrderId>{order_id(2), order_id(1)});
  CHECK(user.version == before.version);
}

TEST_CASE("user: the place of an order is found, however many there are") {
  PlacedOrders orders;
  CHECK_FALSE(orders.place_of(order_id(1)));
  for (std::uint64_t i = 0; i < 1'000; ++i) {
    orders.push_back(order_id(7 * i));
    REQUIRE(orders.place_of(order_id(7 * (i / 2))) == i / 2);
    REQUIRE(orders.place_of(order_id(7 * i)) == i);
    REQUIRE_FALSE(orders.place_of(order_id(7 * i + 1)));
  }
  orders.push_back(order_id(0));  // a second time: the first place counts
  CHECK(orders.place_of(order_id(0)) == 0);
  const PlacedOrders restored(std::vector<OrderId>(orders.begin(), orders.end()));
  CHECK(restored == orders);
  CHECK(restored.place_of(order_id(7 * 999)) == 999);
}

TEST_CASE("user: what was refused or already true changes nothing") {
  const User user = fold(User{}, active());
  CHECK(fold(user, {CommandRefused{Refusal::illegal_state}, CommandNoted{}}) == user);
}

TEST_CASE("user: any profile that is still kept can be seen again as it was") {
  CHECK(rc::check([] {
    User user = fold(User{}, active());
    const auto as_read = [](UserProfile profile) {
      profile.version = 0;
      return profile;
    };
    std::map<Version, UserProfile> seen{{user.version, as_read(user.profile)}};
    Version oldest = user.version;
    const int steps = *rc::gen::inRange(0, 30);
    for (int i = 0; i < steps; ++i) {
      const auto word = std::to_string(i);
      const Facts any[] = {{UserProfileChanged{Sealed{word}, {}}},
                           {UserProfileChanged{{}, word}},
                           {EmailChangeRequested{email_hash(9), {word}}},
                           {EmailAssigned{}},
                           {EmailRefused{}},
                           {UserOrdered{order_id(1)}}};
      user = fold(std::move(user), any[*rc::gen::inRange(0, 6)]);
      seen[user.version] = as_read(user.profile);
      if (*rc::gen::inRange(0, 8) == 0) {
        oldest = *rc::gen::inRange<Version>(oldest, user.version + 1);
        trim_profiles(user, oldest);
      }
    }
    for (Version v = oldest; v <= user.version; ++v) {
      RC_ASSERT(as_read(profile_at(user, v)) == seen.at(v));
    }
    trim_profiles(user, user.version);
    RC_ASSERT(user.earlier.empty());
    RC_ASSERT(as_read(profile_at(user, 1)) == as_read(user.profile));
  }));
}

TEST_CASE("email: an address belongs to the first who claims it, until they free it") {
  Scenario<EmailOwner>{}
      .when(ClaimEmail{email_hash(1), user_id(1)})
      .then({EmailTaken{user_id(1)}})
      .when(ClaimEmail{email_hash(1), user_id(1)})
      .then({})
      .when(ClaimEmail{email_hash(1), user_id(2)})
      .refused(Refusal::email_taken)
      .when(FreeEmail{email_hash(1), user_id(2)})
      .then({})
      .when(FreeEmail{email_hash(1), user_id(1)})
      .then({EmailFreed{user_id(1)}})
      .when(FreeEmail{email_hash(1), user_id(1)})
      .then({})
      .when(ClaimEmail{email_hash(1), user_id(2)})
      .then({EmailTaken{user_id(2)}});
}

TEST_CASE("email: what was asked for before an address changed hands last is too late") {
  const EmailOwner taken = fold(EmailOwner{}, {EmailTaken{user_id(1)}});
  const auto claim = [](std::int64_t ms) {
    return ClaimEmail{email_hash(1), user_id(1), 1, noon.plus_ms(ms)};
  };
  const auto frees = [](std::uint64_t user, std::int64_t ms) {
    return FreeEmail{email_hash(1), user_id(user), 1, noon.plus_ms(ms)};
  };
  CHECK_FALSE(comes_too_late(EmailOwner{}, claim(0)));
  CHECK_FALSE(comes_too_late(taken, claim(0)));  // it is theirs: a repeat
  CHECK(comes_too_late(taken, frees(1, 0)));
  CHECK_FALSE(comes_too_late(taken, frees(1, 1)));
  const EmailOwner freed = fold(taken, {EmailFreed{user_id(1)}}, noon.plus_ms(5));
  CHECK(comes_too_late(freed, claim(5)));
  CHECK_FALSE(comes_too_late(freed, claim(6)));
}

TEST_CASE("email: one who gives up an address that is another's gets it by no claim of before") {
  const EmailOwner taken = fold(EmailOwner{}, {EmailTaken{user_id(1)}});
  const FreeEmail frees{email_hash(1), user_id(2), 1, noon.plus_ms(3)};
  CHECK(*decide(taken, frees) == Facts{EmailFreed{user_id(2)}});
  const EmailOwner still = fold(taken, {EmailFreed{user_id(2)}}, noon.plus_ms(3));
  CHECK(still.user == user_id(1));
  CHECK(decide(still, frees)->empty());
  const EmailOwner free = fold(still, {EmailFreed{user_id(1)}}, noon.plus_ms(4));
  CHECK(comes_too_late(free, ClaimEmail{email_hash(1), user_id(2), 1, noon.plus_ms(2)}));
}

TEST_CASE("key: it is bound to what it created, with the time") {
  const BoundKey key = evolve(BoundKey{}, KeyBound{EntityKey{zoe}, 42}, noon);
  CHECK(key == BoundKey{EntityKey{zoe}, 42, noon.value});
  CHECK(evolve(key, CommandNoted{}, noon.plus_ms(1)) == key);
}
