#include "tools/souk/audit/audit.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <map>
#include <unordered_map>
#include <unordered_set>

#include "actors/adapters/stores.h"
#include "actors/shard/replica.h"
#include "events/journal/folded_log.h"
#include "gateway/api/commands/command.h"
#include "gateway/api/commands/presenter.h"
#include "tools/souk/audit/audit_read_model.h"
#include "tools/souk/load/scratch.h"

namespace souk::cli {
namespace {

/// Recovery from nothing: the whole log is folded.
class NoStates final : public StateStore {
 public:
  std::uint64_t generation() const override { return 0; }
  Status put(const std::vector<StateWrite>&, const std::optional<std::pair<ShardId, Checkpoint>>&,
             std::uint64_t) override {
    return Fault{Fault::Kind::unsupported, "an audit writes nothing"};
  }
  Result<Found, Fault> get(ShardId, const EntityKey&, Where) override { return Found{}; }
  Result<Checkpoint, Fault> checkpoint(ShardId) override { return Checkpoint{}; }
  Result<std::vector<EntityKey>, Fault> active(ShardId) override {
    return std::vector<EntityKey>{};
  }
  Status each(ShardId, const std::function<bool(const EntityKey&, StoredState)>&) override {
    return Done{};
  }
};

class NoTime final : public Clock {
 public:
  UnixMs now() override { return {}; }
};
class NoRandomness final : public Randomness {
 public:
  void fill(void* bytes, std::size_t count) override { std::memset(bytes, 0, count); }
};

/// How far back a cart can be shown is the store's business: an older build kept it elsewhere.
CartState comparable(CartState state) {
  state.cart.undo.clear();
  for (auto& answer : state.answers.all())
    if (Answers::is_on_page(answer)) answer.detail = 0;
  return state;
}
template <class State>
const State& comparable(const State& state) {
  return state;
}

/// The store drops what says nothing any more (adapters/rocksdb_expired_states.h), and an older build never
/// kept what left an entity.
bool may_be_collected(const KeyState&) { return true; }
bool may_be_collected(const EmailState& state) { return state.owner.user.raw.zero(); }
bool may_be_collected(const CartState& state) { return state.cart.status == CartStatus::none; }
bool may_be_collected(const OrderState& state) { return state.order.status == OrderStatus::none; }
template <class State>
bool may_be_collected(const State&) {
  return false;
}

/// Pieces by SKU, over all shards: what orders say against what the SKUs say.
struct Pieces {
  std::int64_t sold = 0, returned = 0;         // the SKU's own books
  std::int64_t ordered = 0, ordered_open = 0;  // sold by settled orders; may be sold by open ones
  std::int64_t sent_back = 0, sent_back_open = 0;
};

class Audit {
 public:
  /// What a directory has beside its log; what is not there is not compared.
  struct Beside {
    StateStore* states = nullptr;  // none: made by other rules
    SimulatorLedger* ledger = nullptr;
    LedgerPlace ledger_place = LedgerPlace::here;
    Vault* vault = nullptr;
  };
  Audit(Journal& journal, const Beside& beside, std::uint32_t shards)
      : journal_(journal),
        states_(beside.states),
        ledger_(beside.ledger),
        ledger_place_(beside.ledger_place),
        vault_(beside.vault),
        presenter_(Currency{}) {
    options_.shards = shards;
    options_.memory_bytes = SIZE_MAX;
  }

  Status shard(ShardId id) {
    last_seqs_.push_back(0);
    if (auto s = scan_log(id); !s.ok()) return s;
    const ShardContext from_nothing = context(no_states_);
    ShardClock clock(clock_);
    Replica whole(id, from_nothing, clock);
    RecoveryReport report;
    if (auto s = whole.recover(tail(id), offset_max, report); !s.ok())
      return damaged(id, s.error());
    report_.entities += whole.residency().entities();
    check_stock(id, whole);
    check_orders(id, whole);
    check_users(id, whole);
    return states_ ? compare_with_stored(id, whole) : Status(Done{});
  }

  /// From the provider's accounts to the orders: an account that no order of the log has is what is
  /// left of a log that has lost its end. REQUIRES: all shards were gone through.
  Status accounts() {
    if (!ledger_) {
      report_.money_not_compared =
          "the payments are on record with a provider outside: give its ledger with --provider-dir";
      return Done{};
    }
    return ledger_->each([&](OrderId order, const std::optional<ProviderAccount>& account) {
      const auto wrong = [&](const std::string& what) {
        violation("money", "order " + order.text(), "provider", what);
      };
      ++report_.accounts;
      if (!account) wrong("the provider's account of it is damaged");
      const bool ours = orders_.contains(order);
      if (!ours) ++report_.other_accounts;
      if (!ours && !log_damaged_ && ledger_place_ == LedgerPlace::here)
        wrong(
            "the provider has an account of it, the log does not have the order: events are "
            "missing");
      return true;
    });
  }

  /// P5. REQUIRES: all shards were gone through.
  Status read_models(const std::vector<ProjectionKind>& kinds, const std::filesystem::path& under,
                     AuditWatch& watch) {
    for (const ProjectionKind& kind : kinds) {
      const auto folder = under / kind.name;
      if (!std::filesystem::exists(folder)) continue;
      if (log_damaged_) {
        report_.read_models.push_back({.name = kind.name, .not_compared = "the log is damaged"});
        continue;
      }
      auto scratch = ScratchFolder::make();
      if (!scratch.ok()) return scratch.error();
      auto found = audit_read_model(kind, folder, journal_, last_seqs_, (*scratch)->path(), watch);
      if (!found.ok()) return found.error();
      if (!found->violation.empty())
        violation("P5", "projection " + kind.name, fmt::format("{} events", found->report.events),
                  found->violation);
      report_.read_models.push_back(std::move(found->report));
    }
    return Done{};
  }

  /// REQUIRES: all shards were gone through.
  void pieces() {
    for (const auto& [sku, p] : pieces_) {
      if (p.sold < p.ordered || p.sold > p.ordered + p.ordered_open)
        violation("P3", "sku " + sku, "all shards",
                  fmt::format("{} pieces were sold, but settled orders have {} and open ones {}",
                              p.sold, p.ordered, p.ordered_open));
      if (p.returned < p.sent_back || p.returned > p.sent_back + p.sent_back_open)
        violation(
            "P3", "sku " + sku, "all shards",
            fmt::format("{} pieces came back, but returns that are done have {} and open ones {}",
                        p.returned, p.sent_back, p.sent_back_open));
    }
  }

  AuditReport finish() { return std::move(report_); }

 private:
  static constexpr Offset offset_max = std::numeric_limits<Offset>::max();

  LogTail tail(ShardId id) {
    return [this, id](Offset from, const Journal::Visit& visit) {
      return journal_.read(id, from, visit);
    };
  }
  ShardContext context(StateStore& states) {
    return {.options = options_,
            .states = states,
            .clock = clock_,
            .randomness = randomness_,
            .presenter = presenter_,
            .incarnation = 0,
            .quote_now = {}};
  }

  void violation(std::string promise, std::string entity, std::string position, std::string what) {
    ++report_.violations_found;
    if (report_.violations.size() < violations_kept_max)
      report_.violations.push_back(
          {std::move(promise), std::move(entity), std::move(position), std::move(what)});
  }

  Status damaged(ShardId id, const Fault& fault) {
    if (fault.kind != Fault::Kind::corrupt && fault.kind != Fault::Kind::mismatch) return fault;
    log_damaged_ = true;
    violation("P1", fmt::format("shard {}", id.value), std::to_string(id.value), fault.what);
    return Done{};
  }

  /// P2: within what an entity remembers, no idempotency key took effect twice.
  Status scan_log(ShardId id) {
    std::unordered_map<EntityKey, Answers> answers;
    ++report_.shards;
    FoldState at;
    FoldCounts counts;
    const Status scanned = fold_log(
        journal_, id, at,
        [&](const BatchHeader& header,
            const std::vector<Transaction>& transactions) -> Result<Visited, Fault> {
          report_.events += header.count;
          last_seqs_.back() = header.last_seq();
          Seq seq = header.first_seq;
          for (const auto& t : transactions) {
            ++report_.transactions;
            if (t.key_hash != 0) check_key(id, seq, t, answers[t.events.front().entity]);
            seq += t.events.size();
          }
          return Visited::go_on;
        },
        &counts);
    report_.records += counts.records;
    report_.ignored_records += counts.skipped;
    if (!scanned.ok()) return damaged(id, scanned.error());
    return Done{};
  }

  void check_key(ShardId id, Seq seq, const Transaction& t, Answers& known) {
    if (known.find(t.key_hash, t.at))
      violation("P2", t.events.front().entity.text(), fmt::format("{}:{}", id.value, seq),
                "the same idempotency key took effect a second time");
    known.keep({.key_hash = t.key_hash, .request_hash = t.request_hash, .at_ms = t.at.value});
  }

  /// P3 within the SKU.
  void check_stock(ShardId id, const Replica& shard) {
    shard.residency().each<SkuState>([&](const Hosted<SkuState>& hosted) {
      const Sku& sku = hosted.id;
      ++report_.skus;
      const Inventory& i = hosted.state.inventory;
      std::int64_t held = 0;
      for (const auto& [order, hold] : i.holds.all()) held += hold.quantity;
      Pieces& p = pieces_[sku.text()];
      p.sold += i.sold;
      p.returned += i.returned;
      const auto wrong = [&](const std::string& what) {
        violation("P3", "sku " + sku.text(), std::to_string(id.value), what);
      };
      if (i.on_hand != i.received + i.adjusted + i.returned - i.sold)
        wrong(fmt::format("on hand {} is not received {} + adjusted {} + returned {} - sold {}",
                          i.on_hand, i.received, i.adjusted, i.returned, i.sold));
      if (held != i.reserved)
        wrong(fmt::format("reserved {} is not the sum of the holds {}", i.reserved, held));
      if (i.reserved < 0 || i.available() < 0)
        wrong(fmt::format("oversold: on hand {}, reserved {}", i.on_hand, i.reserved));
    });
  }

  void check_orders(ShardId id, const Replica& shard) {
    shard.residency().each<OrderState>([&](const Hosted<OrderState>& hosted) {
      const OrderId& order_id = hosted.id;
      const Order& order = hosted.state.order;
      if (order.status == OrderStatus::none) return;
      ++report_.orders;
      if (ledger_) orders_.insert(order_id);
      check_sealed(id, address_person(order_id, order.cart.has_value(), order.user),
                   order.sealed_address);
      if (vault_ && order.erased && !order.key_to_destroy &&
          vault_->seal(EntityKey(order_id), {}).ok())
        violation("keys", "order " + order_id.text(), std::to_string(id.value),
                  "the log says that the key of this guest was destroyed, and the keys have it");
      const bool bought =
          order.status != OrderStatus::rejected && order.status != OrderStatus::pending &&
          !(order.returns.size() == 1 && order.total.value == 0 && order.payment_method.empty());
      if (bought)
        for (const auto& line : order.lines) {
          Pieces& p = pieces_[line.item.sku().text()];
          (order.settled ? p.ordered : p.ordered_open) += line.quantity;
        }
      // A return that keeps its goods off sale is done without a step of its own, and the state
      // does not say which it was: of such an order the pieces may be back in stock or not.
      const auto steps = std::ranges::count(order.history, OrderStep::What::restocked,
                                            [](const OrderStep& step) { return step.what; });
      const auto done = std::ranges::count_if(order.returns, &OrderReturn::restocked);
      for (const auto& r : order.returns)
        for (const auto& line : r.lines) {
          Pieces& p = pieces_[order.lines[line.line].item.sku().text()];
          (r.restocked && steps == done ? p.sent_back : p.sent_back_open) += line.quantity;
        }
      if (order.settled && !owes_work(order)) check_money(id, order_id, order);
    });
  }

  /// The keys: what was sealed can be opened, or its key was destroyed.
  void check_sealed(ShardId id, const EntityKey& person, const Sealed& sealed) {
    if (!vault_ || sealed.bytes.empty()) return;
    const auto opened = vault_->open(person, sealed);
    if (!opened.ok())
      violation("keys", person.text(), std::to_string(id.value), opened.error().what);
  }

  void check_users(ShardId id, const Replica& shard) {
    shard.residency().each<UserState>([&](const Hosted<UserState>& hosted) {
      const User& user = hosted.state.user;
      const EntityKey person(hosted.id);
      if (user.status == UserStatus::active) {
        check_sealed(id, person, user.profile.sealed_email);
        check_sealed(id, person, user.profile.sealed_name);
      }
      // What can seal has a key.
      if (vault_ && user.status == UserStatus::erased && !user.key_to_destroy &&
          vault_->seal(person, {}).ok())
        violation("keys", person.text(), std::to_string(id.value),
                  "the log says that this person's key was destroyed, and the keys have it");
    });
  }

  /// The provider's books against ours, once nothing is owed.
  void check_money(ShardId id, const OrderId& order_id, const Order& order) {
    if (!ledger_) return;
    auto account = ledger_->load(order_id);
    const auto wrong = [&](const std::string& what) {
      violation("money", "order " + order_id.text(), std::to_string(id.value), what);
    };
    if (!account.ok())
      return wrong("the provider's ledger cannot be read: " + account.error().what);
    const Micros captured = *account ? (*account)->record.captured : Micros{};
    const Micros refunded = *account ? (*account)->record.refunded : Micros{};
    const std::int64_t kept = captured.value - refunded.value;
    const std::int64_t due = order.status == OrderStatus::rejected
                                 ? 0
                                 : order.payment.captured.value - order.payment.refunded.value;
    if (kept != due)
      wrong(fmt::format("the provider kept {}, the order says {}", to_decimal(Micros{kept}),
                        to_decimal(Micros{due})));
  }

  template <class State>
  void compare(ShardId id, const Replica& whole, const Replica& stored) {
    whole.residency().each<State>([&](const Hosted<State>& folded) {
      const EntityKey key(folded.id);
      const Hosted<State>* kept = stored.residency().find<State>(folded.id);
      if (kept && encode(comparable(kept->state)) != encode(comparable(folded.state)))
        violation("P6", key.text(), std::to_string(id.value),
                  "its stored state differs from the fold of the log");
      if (!kept && !may_be_collected(folded.state))
        violation("P6", key.text(), std::to_string(id.value),
                  "the log has it, the stored states and the tail do not");
    });
    stored.residency().each<State>([&](const Hosted<State>& kept) {
      if (!whole.residency().find<State>(kept.id))
        violation("P6", EntityKey(kept.id).text(), std::to_string(id.value),
                  "it is stored, the log does not have it");
    });
  }

  /// P6: what the checkpoint and the tail give is what the whole log gives, byte for byte.
  Status compare_with_stored(ShardId id, const Replica& whole) {
    const ShardContext from_states = context(*states_);
    ShardClock clock(clock_);
    Replica stored(id, from_states, clock);
    RecoveryReport report;
    if (auto s = stored.recover(tail(id), offset_max, report); !s.ok())
      return damaged(id, s.error());
    Status loaded = Done{};
    const Status visited = states_->each(id, [&](const EntityKey& key, const StoredState&) {
      ++report_.stored_states;
      loaded = stored.residency().load(key);
      return loaded.ok();
    });
    if (!visited.ok()) return damaged(id, visited.error());
    if (!loaded.ok()) return damaged(id, loaded.error());
    compare<UserState>(id, whole, stored);
    compare<SkuState>(id, whole, stored);
    compare<CartState>(id, whole, stored);
    compare<OrderState>(id, whole, stored);
    compare<EmailState>(id, whole, stored);
    compare<KeyState>(id, whole, stored);
    return Done{};
  }

  Journal& journal_;
  StateStore* states_;
  SimulatorLedger* ledger_;
  const LedgerPlace ledger_place_;
  Vault* vault_;
  NoStates no_states_;
  NoTime clock_;
  NoRandomness randomness_;
  JsonPresenter presenter_;
  EngineOptions options_;
  AuditReport report_;
  std::map<std::string, Pieces> pieces_;
  std::unordered_set<OrderId> orders_;  // where there is a ledger
  std::vector<Seq> last_seqs_;          // by shard
  bool log_damaged_ = false;
};

}  // namespace

Result<AuditReport, Fault> audit(const std::string& data_dir,
                                 const std::vector<ProjectionKind>& kinds, AuditWatch& watch,
                                 const std::optional<std::string>& provider_dir) {
  auto stores = Stores::open_read_only(data_dir);
  if (!stores.ok()) return stores.error();
  const auto& manifest = stores->directory->manifest();
  if (provider_dir) {
    if (manifest.ledger == LedgerPlace::here)
      return Fault{Fault::Kind::mismatch,
                   data_dir + ": its payments are on record in its own provider/, not in " +
                       *provider_dir + ": leave --provider-dir out"};
    auto outside = SimulatorLedger::open_read_only(*provider_dir);
    if (!outside.ok()) return outside.error();
    stores->provider = std::move(*outside);
  }
  const std::uint32_t shards = manifest.shards;
  Audit audit(*stores->journal,
              {.states = stores->states.get(),
               .ledger = stores->provider.get(),
               .ledger_place = manifest.ledger,
               .vault = stores->vault.get()},
              shards);
  watch.begin("log", "shards", shards);
  for (std::uint32_t s = 0; s < shards; ++s) {
    if (auto status = audit.shard(ShardId{static_cast<std::uint16_t>(s)}); !status.ok())
      return status.error();
    watch.add(1);
  }
  if (auto status = audit.accounts(); !status.ok()) return status.error();
  if (auto status = audit.read_models(kinds, stores->directory->projections(), watch); !status.ok())
    return status.error();
  audit.pieces();
  return audit.finish();
}

Result<AuditReport, Fault> audit_log(Journal& journal, std::uint32_t shards,
                                     const std::vector<ShardId>& which, AuditWatch& watch) {
  Audit audit(journal, {}, shards);
  watch.begin("log", "shards", which.size());
  for (const ShardId shard : which) {
    if (auto status = audit.shard(shard); !status.ok()) return status.error();
    watch.add(1);
  }
  if (which.size() == shards) audit.pieces();
  return audit.finish();
}

}  // namespace souk::cli
