// What the judge has folded by the engine's own rules: the documents that were shown, and the bytes
// of all states.
#include "actors/shard/hosted.h"
#include "tests/simulation/judge.h"

namespace souk::simulation {
namespace {

// ---- sightings ----

/// Folds one entity after another and holds each version against what was shown of it.
class Witness {
 public:
  Witness(World& world, const Referee& referee, const Presenter& presenter)
      : world_(world), referee_(referee), presenter_(presenter) {}

  void event(const Event& event, UnixMs at, Seq seq) {
    const EntityKey& entity = event.entity;
    const auto raw = [&] { return *Id128::from_bytes(entity.id()); };
    switch (entity.kind()) {
      case Kind::cart: {
        Cart& cart = carts_[entity];
        cart = evolve(std::move(cart), event.payload);
        return check(Sighting::Document::cart, entity, cart.version, seq,
                     [&](Body& body) { presenter_.cart(CartId{raw()}, cart, body); });
      }
      case Kind::order: {
        Order& order = orders_[entity];
        order = evolve(std::move(order), event.payload, at);
        return check(Sighting::Document::order, entity, order.version, seq, [&](Body& body) {
          presenter_.order(OrderId{raw()}, order, order.version, body);
        });
      }
      case Kind::sku: {
        Inventory& stock = stocks_[entity];
        stock = evolve(std::move(stock), event.payload, at);
        Product& product = products_[entity];
        product = evolve(std::move(product), event.payload);
        const Sku sku = Sku::trusted(entity.id());
        check(Sighting::Document::product, entity, product.version, seq, nullptr);
        return check(Sighting::Document::stock, entity, stock.version, seq, [&](Body& body) {
          presenter_.stock(
              sku, {stock.on_hand, stock.reserved, static_cast<std::uint32_t>(stock.version)},
              body);
        });
      }
      case Kind::user: {
        User& user = users_[entity];
        user = evolve(std::move(user), event.payload);
        return check(Sighting::Document::user, entity, user.version, seq, nullptr);
      }
      default:
        return;
    }
  }

  /// What was shown and never came.
  void finish() {
    for (const auto& [sighting, sight] : referee_.sightings())
      if (!seen_.contains(sighting))
        world_.violated("P1", sighting.entity.text() + " was shown at version " +
                                  std::to_string(sighting.version) +
                                  ", which the journal does not have");
  }

 private:
  void check(Sighting::Document document, const EntityKey& entity, Version version, Seq seq,
             const std::function<void(Body&)>& render) {
    const Sighting sighting{entity, document, version};
    const auto sight = referee_.sightings().find(sighting);
    if (sight == referee_.sightings().end() || !seen_.insert(sighting).second) return;
    if (sight->second.position < seq)
      world_.violated("P5", entity.text() + " at version " + std::to_string(version) +
                                " was shown with position " +
                                std::to_string(sight->second.position) + ", and is of event " +
                                std::to_string(seq));
    if (!render || sight->second.json.empty()) return;
    Body body;
    render(body);
    if (!referee_.same_document(entity, body.json, sight->second.json))
      world_.violated("P1", entity.text() + " at version " + std::to_string(version) +
                                " was shown as " + sight->second.json +
                                ", and the journal makes it " + body.json);
  }

  World& world_;
  const Referee& referee_;
  const Presenter& presenter_;
  std::map<EntityKey, Cart> carts_;
  std::map<EntityKey, Order> orders_;
  std::map<EntityKey, Inventory> stocks_;
  std::map<EntityKey, Product> products_;
  std::map<EntityKey, User> users_;
  std::set<Sighting> seen_;
};

// ---- states ----

using States = std::map<EntityKey, std::string>;

template <class State>
void gather(const Owner& shard, States& out) {
  shard.replica().residency().each<State>(
      [&](const Hosted<State>& hosted) { out[EntityKey(hosted.id)] = encode(hosted.state); });
}

States states_of(const std::vector<std::unique_ptr<HostCore>>& cores) {
  States out;
  for (const auto& core : cores)
    for (const auto& shard : core->shards()) {
      gather<UserState>(*shard, out);
      gather<SkuState>(*shard, out);
      gather<CartState>(*shard, out);
      gather<OrderState>(*shard, out);
      gather<EmailState>(*shard, out);
      gather<KeyState>(*shard, out);
    }
  return out;
}

/// All that a node has: in memory, and else in its store.
States all_states(States states, StateStore& store, std::uint32_t shards) {
  for (std::uint32_t s = 0; s < shards; ++s)
    (void)store.each(ShardId{static_cast<std::uint16_t>(s)},
                     [&](const EntityKey& entity, StoredState stored) {
                       states.try_emplace(entity, std::move(stored.state));
                       return true;
                     });
  return states;
}

/// Empty, where it could not be recovered.
States recovered(World& world, const EngineOptions& options, const Surroundings& around,
                 StateStore& store) {
  const ShardContext context{.options = options,
                             .states = store,
                             .clock = around.clock,
                             .randomness = around.randomness,
                             .presenter = around.presenter,
                             .incarnation = 1,
                             .quote_now = {}};
  std::vector<std::unique_ptr<HostCore>> cores;
  for (std::uint32_t h = 0; h < options.hosts; ++h) {
    cores.push_back(std::make_unique<HostCore>(h, context, around.journal));
    RecoveryReport report;
    for (auto& shard : cores.back()->shards()) {
      const Status status = shard->recover(report);
      if (status.ok()) continue;
      world.violated("P6", "recovery failed: " + status.error().what);
      return {};
    }
  }
  return all_states(states_of(cores), store, options.shards);
}

void compare(World& world, const char* what, const States& expected, const States& found) {
  for (const auto& [entity, bytes] : expected) {
    const auto at = found.find(entity);
    if (at == found.end())
      world.violated("P6", entity.text() + " is in the journal, and " + what + " does not have it");
    else if (at->second != bytes)
      world.violated(
          "P6", entity.text() + " has other bytes in " + what + " than the journal makes of it");
  }
  for (const auto& [entity, bytes] : found)
    if (!expected.contains(entity))
      world.violated("P6", entity.text() + " is in " + what + " and not in the journal");
}

}  // namespace

void judge_sightings(World& world, const SimJournal& journal, const Referee& referee,
                     const Presenter& presenter) {
  Witness witness(world, referee, presenter);
  std::map<std::uint16_t, Counting> counting;
  for (const auto& [key, bytes] : journal.records()) {
    const auto header = decode_batch_header(bytes);
    if (!header.ok()) return;
    if (!counting[key.first].counts(*header)) continue;
    const auto batch = decode_batch(bytes);
    if (!batch.ok()) return;  // the books have said so
    Seq seq = batch->header.first_seq;
    for (const auto& transaction : batch->transactions)
      for (const auto& event : transaction.events) witness.event(event, transaction.at, seq++);
  }
  witness.finish();
}

void judge_replay(World& world, const EngineOptions& options, const Surroundings& around,
                  const SimNode& live) {
  SimStateStore nothing(world, SimStateStore::Memory::sound);
  const States from_journal = recovered(world, options, around, nothing);
  // As each shard does at the next answer of a store that was opened anew.
  for (const auto& core : live.hosts())
    for (const auto& shard : core->shards())
      if (shard->replica().residency().generation() < around.states.generation() &&
          !shard->states_reopened().ok())
        world.violated("P6", "the states of a shard cannot be found again");
  compare(world, "the live node", from_journal,
          all_states(states_of(live.hosts()), around.states, options.shards));
  compare(world, "the state store with the journal's tail", from_journal,
          recovered(world, options, around, around.states));
}

}  // namespace souk::simulation
