// What the judge has folded by the engine's own rules: the documents that were shown, and the bytes
// of all states.
#include "tests/simulation/judge.h"
#include "tests/simulation/states.h"

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

}  // namespace

void judge_sightings(World& world, const SimJournal::Records& records, const Referee& referee,
                     const Presenter& presenter) {
  Witness witness(world, referee, presenter);
  std::map<std::uint16_t, Counting> counting;
  for (const auto& [key, bytes] : records) {
    if (!counting[key.first].counts(bytes)) continue;
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
  const Recovers recovers{world,        options,           around.journal,
                          around.clock, around.randomness, around.presenter};
  const States from_journal = recovered(recovers, nothing);
  catch_up_with_store(world, live.hosts(), around.states);
  compare(world, "the live node", from_journal,
          all_states(states_of(live.hosts()), around.states, options.shards));
  compare(world, "the state store with the journal's tail", from_journal,
          recovered(recovers, around.states));
}

}  // namespace souk::simulation
