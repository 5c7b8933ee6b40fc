#include "tests/simulation/run.h"

#include "gateway/api/commands/presenter.h"
#include "tests/simulation/customers.h"
#include "tests/simulation/fenceless.h"
#include "tests/simulation/judge.h"
#include "tests/simulation/staff.h"
#include "tests/simulation/trace.h"
#include "tests/simulation/twice.h"
namespace souk::simulation {
namespace {

constexpr std::uint64_t steps_max = 3'000'000;
constexpr std::int64_t virtual_ms_max = 20LL * 60 * 1000;
constexpr std::int64_t turn_ms_max = 20;
constexpr std::size_t readers_max = 2;

EngineOptions some_options(World& world) {
  EngineOptions options;
  options.shards = static_cast<std::uint32_t>(world.between(1, 8));
  options.hosts = options.shards > 1 && world.chance(50) ? 2 : 1;
  options.memory_bytes =
      world.chance(60) ? static_cast<std::size_t>(world.between(1, 40)) * 1024 : 1 << 30;
  options.hold_ms = world.chance(30) ? world.between(500, 3'000) : 15'000;
  options.payment_retry_ms = world.between(100, 1'000);
  options.payment_deadline_ms = world.between(1'500, 6'000);
  options.wait_final_ms = world.between(300, 5'000);
  options.checkpoint_events = static_cast<std::uint64_t>(world.between(4, 60));
  options.checkpoint_ms = world.between(100, 5'000);
  return options;
}

Faults some_faults(World& world) {
  Faults f;
  f.time_passes = static_cast<int>(world.between(0, 30));
  if (world.chance(10)) return f;  // nothing goes wrong
  const auto often = [&](int of, int percent) {
    return world.chance(of) ? static_cast<int>(world.between(1, percent)) : 0;
  };
  f.write_slow = often(50, 40);
  f.write_fails = often(50, 12);
  f.settle_fails = often(50, 60);
  f.scan_fails = often(40, 8);
  f.put_fails = often(40, 30);
  f.get_fails = often(40, 8);
  f.cold = often(60, 100);
  f.rots = often(30, 5);
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
  f.commit_fails = often(40, 30);
  return f;
}

PeerFaults some_peer_faults(World& world) {
  PeerFaults f;
  if (world.chance(50)) return f;
  f.lost = world.chance(60) ? static_cast<int>(world.between(1, 20)) : 0;
  f.late = world.chance(60) ? static_cast<int>(world.between(1, 30)) : 0;
  f.twice = world.chance(60) ? static_cast<int>(world.between(1, 40)) : 0;
  f.very_late = world.chance(50) ? static_cast<int>(world.between(1, 50)) : 0;
  return f;
}

class Run {
 public:
  Run(std::uint64_t seed, Defect defect)
      : world_(seed),
        journal_(world_, defect == Defect::acknowledges_before_sync
                             ? SimJournal::Honesty::acknowledges_early
                         : defect == Defect::decides_by_reading
                             ? SimJournal::Honesty::decides_by_reading
                             : SimJournal::Honesty::honest),
        states_(
            world_,
            defect == Defect::forgets_answers_on_recovery ? SimStateStore::Memory::forgets_answers
            : defect == Defect::forgets_answers_that_left ? SimStateStore::Memory::forgets_what_left
            : defect == Defect::trusts_reopened_store     ? SimStateStore::Memory::hides_reopening
                                                          : SimStateStore::Memory::sound),
        vault_(world_, defect == Defect::keeps_keys_of_orders   ? SimVault::Destroys::the_first
                       : defect == Defect::keeps_keys_of_guests ? SimVault::Destroys::of_members
                                                                : SimVault::Destroys::all),
        options_(some_options(world_)),
        links_(world_, some_peer_faults(world_)) {
    const Faults faults = some_faults(world_);
    crashes_left_ = faults.call_lost + faults.write_fails + faults.cold == 0 && world_.chance(50)
                        ? 0
                        : world_.between(0, 6);
    world_.faults = faults;
    if (defect == Defect::trusts_reopened_store) world_.faults.put_fails = 20;
    if (defect == Defect::acknowledges_before_sync) world_.faults.write_fails = 0;
    if (defect == Defect::decides_by_reading) world_.faults.write_fails = 12;
    stock_the_shop();
    invite();
    if (defect == Defect::acknowledges_before_sync || defect == Defect::decides_by_reading)
      return;  // who read what is lost is another tale
    recent_bytes_ = static_cast<std::size_t>(world_.between(200, 20'000));
    for (std::size_t i = 0; i < readers_max; ++i)
      readers_.push_back(std::make_unique<SimReader>(world_, facts_, options_.shards,
                                                     defect == Defect::checkpoint_without_effects
                                                         ? SimModelDisk::Commits::torn
                                                         : SimModelDisk::Commits::whole));
  }

  Outcome play() {
    start_node();
    keeper_->start();
    bool opened = false;
    while (world_.violation().empty() && !everyone_finished()) {
      if (!opened && shop_.open) {
        opened = true;
        for (auto& client : clients_) client->start();
      }
      turn();
    }
    calm_down();
    if (world_.violation().empty()) judge();
    trace_records(journal_.records());
    return outcome();
  }

 private:
  void stock_the_shop() {
    shop_.shards = options_.shards;
    const auto skus = world_.chance(30) ? 1 : world_.between(2, 7);
    for (std::int64_t i = 0; i < skus; ++i)
      shop_.skus.push_back(*Sku::parse("SKU-" + std::to_string(i)));
    if (world_.chance(60)) shop_.skus.push_back(*Sku::parse("gift"));
    if (world_.chance(60)) shop_.skus.push_back(*Sku::parse("ghost"));
    for (std::int64_t i = world_.between(1, 4); i > 0; --i)
      shop_.emails.push_back("p" + std::to_string(i) + "@souk");
  }

  void invite() {
    keeper_ = std::make_unique<Keeper>("owner", street_, Keeper::Task::fills_shelves, 0);
    const auto some = [&](const char* name, std::int64_t most, auto make) {
      for (std::int64_t i = world_.between(0, most); i > 0; --i)
        clients_.push_back(make(name + std::to_string(i)));
    };
    some("member", 3, [&](std::string name) {
      return std::unique_ptr<Client>(new Member(std::move(name), street_, world_.between(2, 8)));
    });
    some("shopper", 4, [&](std::string name) {
      return std::unique_ptr<Client>(new Shopper(std::move(name), street_, world_.between(1, 3)));
    });
    some("buyer", 3, [&](std::string name) {
      return std::unique_ptr<Client>(new Buyer(std::move(name), street_, world_.between(1, 4)));
    });
    some("keeper", 2, [&](std::string name) {
      return std::unique_ptr<Client>(new Keeper(
          std::move(name), street_, Keeper::Task::changes_things, world_.between(3, 12)));
    });
    if (world_.chance(15))
      clients_.push_back(std::make_unique<Keeper>("carrier", street_, Keeper::Task::delivers,
                                                  world_.between(70, 140)));
    some("reader", 2, [&](std::string name) {
      return std::unique_ptr<Client>(new Reader(std::move(name), street_, world_.between(5, 20)));
    });
  }

  bool everyone_finished() const {
    if (!shop_.open || !keeper_->finished()) return false;
    for (const auto& client : clients_)
      if (!client->finished()) return false;
    return true;
  }

  // ---- the node ----

  void start_node() {
    auto node = std::make_unique<SimNode>(options_, recent_bytes_, around_, exchange_);
    const Status started = node->start();
    if (started.ok()) {
      node_ = std::move(node);
      for (auto& reader : readers_) reader->begin(node_->source());
      steps_to_crash_ = crashes_left_ > 0 ? world_.between(0, world_.chance(40) ? 200 : 4'000) : -1;
      return;
    }
    ++outcome_.failed_starts;
    trace(world_, "the node cannot start: " + started.error().what);
    if (started.error().kind == Fault::Kind::corrupt)  // time does not heal it
      return world_.violated("P1", "the node never starts again: " + started.error().what);
    node.reset();
    journal_.crash();
    states_.crash();
    world_.after(world_.between(10, 1'000), [this] { start_node(); });
  }

  void crash() {
    --crashes_left_;
    ++outcome_.crashes;
    trace(world_, "the node crashes");
    count_life();
    journal_.crash();
    states_.crash();
    exchange_.node_died();
    for (auto& reader : readers_) reader->crash();
    node_.reset();
    world_.after(world_.chance(50) ? 0 : world_.between(1, 3'000), [this] { start_node(); });
  }

  void count_life() {
    for (const auto& core : node_->hosts()) {
      const auto gauges = core->gauges();
      outcome_.evictions += gauges.evictions;
      outcome_.checkpoints += gauges.checkpoints;
    }
  }

  // ---- time ----

  /// One message somewhere, or time goes on.
  void turn() {
    if (++outcome_.steps > steps_max || world_.time_ms() > virtual_ms_max) return stuck();
    if (node_ && steps_to_crash_ >= 0 && crashes_left_ > 0 && steps_to_crash_-- == 0)
      return crash();
    if (node_)
      for (auto& reader : readers_) reader->turn();
    if (node_ && node_->has_work() && !world_.chance(world_.faults.time_passes))
      return node_->work();
    std::int64_t ms = turn_ms_max;
    if (node_ && node_->has_work()) ms = 1;
    if (const auto next = world_.next_event_ms())
      ms = std::clamp<std::int64_t>(*next - world_.time_ms(), 0, ms);
    if (node_) node_->pass(ms);
    world_.pass(ms);
  }

  void stuck() {
    std::string who = keeper_->finished() ? "" : keeper_->waits_for();
    for (const auto& client : clients_)
      if (!client->finished()) who = client->waits_for();
    if (who.empty() && node_ && node_->at_rest() && !all_read())
      who = "a read model is behind the log";
    world_.violated("progress", who.empty() ? "an order or a user is owed something for ever"
                                            : who + " for ever");
  }

  bool all_read() const {
    return std::all_of(readers_.begin(), readers_.end(),
                       [](const auto& reader) { return reader->at_the_end(); });
  }

  /// Nothing goes wrong any more: all that is owed is done, every hold sold, released or expired.
  void calm_down() {
    world_.faults = {};
    links_.calm_down();
    crashes_left_ = 0;
    for (auto& reader : readers_) reader->calm_down();
    const auto rests = [&] {
      return node_ && node_->at_rest() && !node_->has_work() && journal_.idle() &&
             provider_.under_way() == 0 && exchange_.unanswered().empty() && all_read();
    };
    const std::int64_t until = world_.time_ms() + options_.hold_ms + 2'000;
    const std::int64_t at_most = until + 120'000;
    while (world_.violation().empty() && (world_.time_ms() < until || !rests())) {
      if (world_.time_ms() > at_most && node_ && !exchange_.unanswered().empty())
        return world_.violated("contract", "never answered: " + exchange_.unanswered());
      if (world_.time_ms() > at_most) return stuck();
      turn();
    }
  }

  // ---- the end ----

  void judge() {
    Books books(world_);
    books.fold(journal_.records());
    judge_promises(world_, books, shop_, referee_);
    judge_stock(world_, books);
    judge_money(world_, books, provider_);
    judge_users(world_, books, shop_, vault_);
    for (auto& reader : readers_) reader->judge(referee_.positions());
    judge_sightings(world_, journal_.records(), referee_, presenter_);
    judge_replay(world_, options_, around_, *node_);
    for (const auto& [shard, seq] : books.last_seq) outcome_.events += seq;
  }

  Outcome outcome() {
    outcome_.violation = world_.violation();
    outcome_.commands = referee_.commands().size();
    outcome_.virtual_ms = world_.time_ms();
    std::string all;
    for (const auto& [key, bytes] : journal_.records()) all += bytes;
    for (const auto& reader : readers_) {
      outcome_.readers += reader->counts();
      all += reader->disk().fingerprint();
    }
    outcome_.fingerprint = stable_hash(all);
    if (node_) count_life();
    return outcome_;
  }

  World world_;
  MachineClock clock_{world_};
  WorldRandomness randomness_{world_};
  SimJournal journal_;
  SimStateStore states_;
  SimVault vault_;
  SimProvider provider_{world_};
  const JsonPresenter presenter_{*Currency::parse("GBP")};
  const EngineOptions options_;
  SimLinks links_;
  const Surroundings around_{world_, clock_,    randomness_, journal_, states_,
                             vault_, provider_, presenter_,  links_};

  Shop shop_;
  Referee referee_{world_};
  Exchange exchange_{world_, referee_, [this](Request&& request) {
                       if (!node_) return false;
                       node_->submit(std::move(request));
                       return true;
                     }};
  std::size_t recent_bytes_ = 0;
  std::unique_ptr<SimNode> node_;  // dies before all that it uses
  Facts facts_{journal_};
  std::vector<std::unique_ptr<SimReader>> readers_;
  const Street street_{world_, shop_, referee_, exchange_, vault_};
  std::unique_ptr<Client> keeper_;
  std::vector<std::unique_ptr<Client>> clients_;
  std::int64_t crashes_left_ = 0;
  std::int64_t steps_to_crash_ = -1;
  Outcome outcome_;
};

}  // namespace

Outcome run(std::uint64_t seed, Defect defect) {
  const ReleasesTwice releases(defect == Defect::releases_twice
                                   ? ReleasesTwice::Mode::broken
                                   : ReleasesTwice::Mode::as_it_should_be);
  const Fenceless fences(defect == Defect::forgets_orders_that_are_over
                             ? Fenceless::Mode::broken
                             : Fenceless::Mode::as_it_should_be);
  return Run(seed, defect).play();
}

std::string how_to_repeat(std::uint64_t seed) {
  return "tools/dev simulate --seeds 1 --first " + std::to_string(seed);
}

}  // namespace souk::simulation
