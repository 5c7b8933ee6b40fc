#include "tests/simulation/cluster/run.h"

#include <algorithm>

#include "gateway/api/commands/presenter.h"
#include "tests/simulation/cluster/histories.h"
#include "tests/simulation/cluster/judge.h"
#include "tests/simulation/cluster/trouble.h"
#include "tests/simulation/customers.h"
#include "tests/simulation/judge.h"
#include "tests/simulation/staff.h"
#include "tests/simulation/trace.h"

namespace souk::simulation {
namespace {

constexpr std::uint64_t steps_max = 3'000'000;
constexpr std::int64_t virtual_ms_max = 20LL * 60 * 1000;
constexpr std::int64_t turn_ms_max = 20;
constexpr std::int64_t naive_ms_max = 40'000;
/// Once nothing goes wrong any more, every shard is served again after that: a start, a silence that
/// is heard, a claim of the control log, a plan, a claim of the shard.
constexpr std::int64_t serves_again_ms_max = 15'000;

EngineOptions some_options(World& world) {
  EngineOptions options;
  options.shards = static_cast<std::uint32_t>(world.between(1, 6));
  options.hosts = options.shards > 1 && world.chance(50) ? 2 : 1;
  options.memory_bytes =
      world.chance(60) ? static_cast<std::size_t>(world.between(1, 40)) * 1024 : 1 << 30;
  options.hold_ms = world.chance(30) ? world.between(1'000, 5'000) : 15'000;
  options.payment_retry_ms = world.between(100, 1'000);
  options.payment_deadline_ms = world.between(1'500, 6'000);
  options.wait_final_ms = world.between(300, 5'000);
  options.checkpoint_events = static_cast<std::uint64_t>(world.between(4, 60));
  options.checkpoint_ms = world.between(100, 5'000);
  return options;
}

/// Of clients, the provider and the state stores; what goes wrong between nodes is in trouble.h.
Faults some_faults(World& world) {
  Faults f;
  f.time_passes = static_cast<int>(world.between(0, 20));
  if (world.chance(10)) return f;
  const auto often = [&](int of, int percent) {
    return world.chance(of) ? static_cast<int>(world.between(1, percent)) : 0;
  };
  f.put_fails = often(30, 20);
  f.get_fails = often(30, 8);
  f.cold = often(60, 100);
  f.rots = often(20, 5);
  f.destroy_fails = often(40, 50);
  f.call_lost = often(40, 40);
  f.answer_lost = often(40, 40);
  f.answer_twice = often(40, 40);
  f.call_fails = often(40, 40);
  f.call_slow = often(40, 50);
  f.call_at_once = often(40, 100);
  f.request_lost = often(40, 20);
  f.reply_lost = often(40, 30);
  f.impatient = often(50, 50);
  return f;
}

class Run final : private Door {
 public:
  Run(std::uint64_t seed, ClusterDefect defect)
      : world_(seed),
        options_(some_options(world_)),
        events_(world_, options_.shards, genesis),
        control_(world_, 1, genesis),
        liveness_(world_, 1, genesis),
        town_{.world = world_,
              .options = options_,
              .genesis = genesis,
              .events = events_,
              .control = control_,
              .liveness = liveness_,
              .network = network_,
              .vault = vault_,
              .payments = payments_,
              .presenter = presenter_,
              .referee = referee_,
              .reigns = reigns_,
              .incarnations = incarnations_,
              .naive = defect == ClusterDefect::naive} {
    world_.faults = some_faults(world_);
    const auto nodes = world_.between(2, 4);
    for (std::int64_t i = 0; i < nodes; ++i)
      members_.push_back(std::make_unique<SimPeer>(
          town_, SimPeer::Options{.name = std::string(1, static_cast<char>('a' + i)),
                                  .zone = world_.chance(50) ? ""
                                          : i % 2           ? "x"
                                                            : "y",
                                  .no_read_models = world_.chance(50)}));
    trouble_ = std::make_unique<Trouble>(town_, members_);
    stock_the_shop();
    invite();
  }

  ClusterOutcome play() {
    for (auto& member : members_) trouble_->start(*member);
    keeper_->start();
    bool opened = false;
    while (world_.violation().empty() && !everyone_finished()) {
      if (!opened && shop_.open) {
        opened = true;
        for (auto& client : clients_) client->start();
        trouble_->begin();
      }
      if (town_.naive && world_.time_ms() > naive_ms_max) break;
      turn();
    }
    if (town_.naive) {  // its nodes have logs that do not fit, and are of no more use
      judge_log();
      return outcome();
    }
    calm_down();
    if (world_.violation().empty()) judge();
    trace_records(events_.records());
    return outcome();
  }

 private:
  static constexpr std::uint64_t genesis = 77;

  // ---- the shop ----

  void stock_the_shop() {
    shop_.shards = options_.shards;
    for (std::int64_t i = world_.between(1, 5); i > 0; --i)
      shop_.skus.push_back(*Sku::parse("SKU-" + std::to_string(i)));
    if (world_.chance(60)) shop_.skus.push_back(*Sku::parse("gift"));
    if (world_.chance(60)) shop_.skus.push_back(*Sku::parse("ghost"));
    for (std::int64_t i = world_.between(1, 4); i > 0; --i)
      shop_.emails.push_back("p" + std::to_string(i) + "@souk");
  }

  void invite() {
    keeper_ = std::make_unique<Keeper>("owner", street_, Keeper::Task::fills_shelves, 0);
    const auto some = [&](const char* name, std::int64_t least, std::int64_t most, auto make) {
      for (std::int64_t i = world_.between(least, most); i > 0; --i)
        clients_.push_back(make(name + std::to_string(i)));
    };
    some("member", 0, 3, [&](std::string name) {
      return std::unique_ptr<Client>(new Member(std::move(name), street_, world_.between(4, 12)));
    });
    some("shopper", 1, 4, [&](std::string name) {
      return std::unique_ptr<Client>(new Shopper(std::move(name), street_, world_.between(2, 6)));
    });
    some("buyer", 0, 3, [&](std::string name) {
      return std::unique_ptr<Client>(new Buyer(std::move(name), street_, world_.between(2, 8)));
    });
    some("keeper", 0, 2, [&](std::string name) {
      return std::unique_ptr<Client>(new Keeper(
          std::move(name), street_, Keeper::Task::changes_things, world_.between(10, 40)));
    });
    some("reader", 0, 2, [&](std::string name) {
      return std::unique_ptr<Client>(new Reader(std::move(name), street_, world_.between(20, 60)));
    });
    some("teller", 1, 3, [&](std::string name) {
      return std::unique_ptr<Client>(new Teller(std::move(name), street_, world_.between(15, 50)));
    });
  }

  bool everyone_finished() const {
    if (!shop_.open || !keeper_->finished()) return false;
    for (const auto& client : clients_)
      if (!client->finished()) return false;
    return true;
  }

  /// Any node will do.
  void ask(Command& command, Answered answered) override {
    const std::size_t number = histories_.asked(command);
    members_[world_.below(members_.size())]->exchange().ask(
        command, [this, number, answered = std::move(answered)](const Reply& reply) {
          histories_.answered(number, reply);
          answered(reply);
        });
  }

  // ---- time ----

  /// One message or one step somewhere, or time goes on.
  void turn() {
    if (++steps_ > steps_max || world_.time_ms() > virtual_ms_max) return stuck();
    std::vector<std::pair<SimPeer*, SimPeer::Part>> ready;
    for (const auto& member : members_)
      for (const auto part : {SimPeer::Part::engine, SimPeer::Part::logs, SimPeer::Part::cluster})
        if (member->ready(part)) ready.emplace_back(member.get(), part);
    if (!ready.empty() && !world_.chance(world_.faults.time_passes)) {
      const auto& [member, part] = ready[world_.below(ready.size())];
      return member->step(part);
    }
    std::int64_t ms = ready.empty() ? turn_ms_max : 1;
    if (const auto next = world_.next_event_ms())
      ms = std::clamp<std::int64_t>(*next - world_.time_ms(), 0, ms);
    for (const auto& member : members_)
      if (member->lives() && ready.empty())
        ms = std::clamp<std::int64_t>(member->due_ms() - world_.time_ms(), 1, ms == 0 ? 1 : ms);
    for (const auto& member : members_) member->pass(ms);
    world_.pass(ms);
  }

  void stuck() {
    std::string who = keeper_->finished() ? "" : keeper_->waits_for();
    for (const auto& client : clients_)
      if (!client->finished()) who = client->waits_for();
    for (const auto& member : members_)
      if (who.empty() && member->lives()) who = member->restless();
    if (who.empty()) who = unserved(town_, members_);
    if (who.empty() && provider_.under_way() > 0) who = "a payment is under way";
    world_.violated("progress", (who.empty() ? std::string("somebody") : who) + " for ever");
  }

  /// Nothing goes wrong any more: the cluster serves again, and all that is owed is done.
  void calm_down() {
    if (!world_.violation().empty()) return;
    world_.faults = {};
    trouble_->calm_down();
    const std::int64_t calm_ms = world_.time_ms();
    while (world_.violation().empty() && !unserved(town_, members_).empty()) {
      if (world_.time_ms() > calm_ms + serves_again_ms_max)
        return world_.violated("availability", unserved(town_, members_));
      turn();
    }
    served_after_ms_ = world_.time_ms() - calm_ms;
    const auto rests = [&] {
      return provider_.under_way() == 0 && unserved(town_, members_).empty() &&
             std::ranges::all_of(members_, [](const auto& member) {
               return member->at_rest() && member->exchange().unanswered().empty();
             });
    };
    const std::int64_t until = world_.time_ms() + options_.hold_ms + 2'000;
    const std::int64_t at_most = until + 120'000;
    while (world_.violation().empty() && (world_.time_ms() < until || !rests())) {
      if (world_.time_ms() > at_most) {
        for (const auto& member : members_)
          if (const auto open = member->exchange().unanswered(); !open.empty())
            return world_.violated("contract", "never answered: " + open);
        return stuck();
      }
      turn();
    }
  }

  // ---- the end ----

  Books judge_log() {
    Books books(world_);
    books.fold(events_.records());
    judge_promises(world_, books, shop_, referee_);
    return books;
  }

  void judge() {
    const auto records = events_.records();
    const Books books = judge_log();
    judge_stock(world_, books);
    judge_money(world_, books, provider_);
    judge_users(world_, books, shop_, vault_);
    judge_sightings(world_, records, referee_, presenter_);
    judge_reigns(town_);
    judge_places(town_, members_);
    judge_members(town_, members_);
    histories_.judge();
    for (const auto& [shard, seq] : books.last_seq) events_counted_ += seq;
  }

  ClusterOutcome outcome() {
    ClusterOutcome out;
    out.violation = world_.violation();
    out.commands = referee_.commands().size();
    out.events = events_counted_;
    out.steps = steps_;
    out.crashes = trouble_->counts.crashes;
    out.disks_lost = trouble_->counts.disks_lost;
    out.failed_starts = trouble_->counts.failed_starts;
    out.sleeps = trouble_->counts.sleeps;
    out.cuts = trouble_->counts.cuts;
    out.operators = trouble_->counts.operators;
    out.reigns = reigns_.size();
    out.routed = network_.frames();
    out.linear = histories_.operations();
    out.virtual_ms = world_.time_ms();
    out.served_after_ms = served_after_ms_;
    std::string all;
    for (const auto* topic : {&events_, &control_, &liveness_})
      for (const auto& [key, bytes] : topic->records()) {
        all += bytes;
        ++out.records;
      }
    all += std::to_string(steps_) + " " + std::to_string(world_.time_ms());
    out.fingerprint = stable_hash(all);
    return out;
  }

  World world_;
  const EngineOptions options_;
  SimTopic events_, control_, liveness_;
  SimNetwork network_{world_};
  SimVault vault_{world_, SimVault::Destroys::all};
  SimProvider provider_{world_};
  PaymentHub payments_{provider_};
  const JsonPresenter presenter_{*Currency::parse("GBP")};
  Shop shop_;
  Referee referee_{world_};
  Reigns reigns_;
  std::uint64_t incarnations_ = 0;
  const Town town_;
  SimPeers members_;  // end before all that they use
  std::unique_ptr<Trouble> trouble_;
  Histories histories_{world_};
  const Street street_{world_, shop_, referee_, *this, vault_};
  std::unique_ptr<Client> keeper_;
  std::vector<std::unique_ptr<Client>> clients_;
  std::uint64_t steps_ = 0, events_counted_ = 0;
  std::int64_t served_after_ms_ = 0;
};

}  // namespace

ClusterOutcome& ClusterOutcome::operator+=(const ClusterOutcome& other) {
  for (const auto field :
       {&ClusterOutcome::commands, &ClusterOutcome::events, &ClusterOutcome::records,
        &ClusterOutcome::steps, &ClusterOutcome::crashes, &ClusterOutcome::disks_lost,
        &ClusterOutcome::failed_starts, &ClusterOutcome::sleeps, &ClusterOutcome::cuts,
        &ClusterOutcome::reigns, &ClusterOutcome::operators, &ClusterOutcome::passed_over,
        &ClusterOutcome::routed, &ClusterOutcome::linear})
    this->*field += other.*field;
  virtual_ms += other.virtual_ms;
  served_after_ms = std::max(served_after_ms, other.served_after_ms);
  return *this;
}

ClusterOutcome run_cluster(std::uint64_t seed, ClusterDefect defect) {
  return Run(seed, defect).play();
}

std::string how_to_repeat_cluster(std::uint64_t seed) {
  return "tools/dev simulate --cluster --seeds 1 --first " + std::to_string(seed);
}

}  // namespace souk::simulation
