/// Random schedules of everything that may happen, and what must be true when it is quiet again.
#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <random>

#include "tests/cluster_keys/world.h"

using namespace souk;
using namespace souk::cluster;
using namespace souk::cluster::test;

namespace {

const Names names{"a", "b", "c"};

struct Kept {
  PersonId person;
  Sealed sealed;
};

/// A run by a list of numbers, so that a list that fails can be made shorter.
class Schedule {
 public:
  explicit Schedule(std::size_t copies_wanted) : world(names, copies_wanted) {}

  void run(const std::vector<std::uint32_t>& choices) {
    for (const auto choice : choices) step(choice % 64, choice / 64);
  }
  /// All links are up, and all has been said.
  void heal() {
    world.link_all();
    world.quiet();
  }
  /// Empty, or what is wrong.
  std::string wrong() {
    for (const auto& name : names) {
      for (const auto& [person, sealed] : kept) {
        const auto text = world.read(name, person, sealed);
        const bool erased = erased_.contains(person);
        if (erased && text != "gone") return person.text() + " is readable on " + name;
        if (!erased && text != "Grace") return person.text() + " is " + text + " on " + name;
      }
      const auto left = world[name].vault->unconfirmed();
      if (!left.ok() || !left->empty()) return "erasures are unconfirmed on " + name;
      if (world[name].vault->uncopied() > 0) return "keys are uncopied on " + name;
    }
    return {};
  }

  World world;
  std::vector<Kept> kept;
  std::size_t erasures() const { return erased_.size(); }

 private:
  const std::string& node(std::uint32_t number) const { return names[number % names.size()]; }
  const std::string& next_to(std::uint32_t number) const {
    return names[(number + 1) % names.size()];
  }

  void step(std::uint32_t what, std::uint32_t which) {
    const auto& name = node(which);
    const auto whose = which / 3 % 2 == 0 ? user(which / 6 % 8) : order(which / 6 % 8);
    if (what < 14) {
      if (!world.ensure(name, {whose}).ok()) return;
      auto sealed = world[name].vault->seal(whose, "Grace");
      if (sealed.ok()) kept.push_back({whose, std::move(*sealed)});
    } else if (what < 18) {
      if (world[name].vault->destroy({whose}).ok()) erased_.insert(whose);
    } else if (what < 24) {
      world.cut(name, next_to(which));
    } else if (what < 32) {
      world.link(name, next_to(which));
    } else if (what < 36) {
      world.tick(which % 3 == 0 ? world.options.limits.summary_ms : 300);
    } else if (what < 38) {
      world.crash(name);
    } else if (what == 38) {
      if (old_copy_.empty()) {
        old_copy_ = world.copy_of(name);
        whose_copy_ = name;
      }
    } else if (what == 39) {
      restore_old();
    } else {
      const auto waiting = world.net.waiting();
      if (!waiting.empty()) world.deliver(waiting[which % waiting.size()]);
      if (which % 4 != 0) world.work();
    }
  }

  /// Not while it is the only one who knows of a key or an erasure: then its disk is lost.
  void restore_old() {
    if (old_copy_.empty() || restored_) return;
    if (world[whose_copy_].vault->uncopied() > 0) return;
    const auto all = world[whose_copy_].vault->unconfirmed();
    for (const auto& erasure : all.value())
      if (erasure.nodes.size() + 1 == names.size()) return;
    restored_ = true;
    world.restore(whose_copy_, old_copy_);
  }

  std::set<PersonId> erased_;
  fs::path old_copy_;
  std::string whose_copy_;
  bool restored_ = false;
};

/// As if there were no tombstones on the wire.
std::string without_tombstones(std::string bytes) {
  auto frame = decode_key_frame(bytes).value();
  const auto strip = [](std::vector<KeyRecord>& records) {
    std::erase_if(records, [](const auto& record) { return record.wrapped.empty(); });
  };
  if (auto* have = std::get_if<KeyHave>(&frame)) strip(have->records);
  if (auto* put = std::get_if<KeyPut>(&frame)) strip(put->records);
  if (auto* told = std::get_if<KeyTold>(&frame)) strip(told->records);
  return encode(frame);
}

/// How many runs of `count` end wrong.
int wrong_runs(int count, const std::function<void(Schedule&)>& prepare) {
  int wrong = 0;
  for (int seed = 0; seed < count; ++seed) {
    std::mt19937 random(static_cast<std::uint32_t>(seed));
    std::vector<std::uint32_t> choices(120);
    for (auto& choice : choices) choice = static_cast<std::uint32_t>(random());
    Schedule schedule(1);
    prepare(schedule);
    schedule.world.link_all();
    schedule.world.pump_all();
    schedule.run(choices);
    schedule.heal();
    wrong += !schedule.wrong().empty();
  }
  return wrong;
}

}  // namespace

TEST_CASE(
    "cluster keys: whatever happens, when it is quiet keys are everywhere and erased ones "
    "nowhere") {
  std::size_t sealed = 0, erased = 0;
  CHECK(rc::check([&] {
    const auto choices = *rc::gen::container<std::vector<std::uint32_t>>(
        *rc::gen::inRange<std::size_t>(0, 200), rc::gen::arbitrary<std::uint32_t>());
    const auto copies_wanted = *rc::gen::inRange<std::size_t>(1, 3);
    Schedule schedule(copies_wanted);
    schedule.world.link_all();
    schedule.run(choices);
    schedule.heal();
    sealed += schedule.kept.size();
    erased += schedule.erasures();
    const auto wrong = schedule.wrong();
    if (!wrong.empty()) RC_FAIL(wrong);
  }));
  CHECK(sealed > 20);  // or the schedules do nothing
  CHECK(erased > 20);
}

TEST_CASE("cluster keys: the schedules find what is wrong") {
  constexpr int runs = 10;
  CHECK(wrong_runs(runs, [](Schedule&) {}) == 0);
  // Tombstones that do not travel.
  CHECK(wrong_runs(runs, [](Schedule& schedule) {
          schedule.world.net.on_the_way = [](const Net::Pair&, std::string frame) {
            return without_tombstones(std::move(frame));
          };
        }) > 0);
}
