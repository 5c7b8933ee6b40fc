#include "tools/souk/load/inprocess.h"

namespace souk::cli {

Result<std::unique_ptr<InProcess>, Fault> InProcess::open(const std::filesystem::path& directory,
                                                          const EngineOptions& options) {
  std::unique_ptr<InProcess> p(new InProcess);
  std::filesystem::create_directories(directory);
  auto journal = RocksDbJournal::open(directory / "journal");
  if (!journal.ok()) return journal.error();
  p->journal_ = std::move(*journal);
  auto states = RocksdbStateStore::open({.path = directory / "states"});
  if (!states.ok()) return states.error();
  p->states_ = std::move(*states);
  auto vault = SodiumVault::open({.path = directory / "keys"});
  if (!vault.ok()) return vault.error();
  p->vault_ = std::move(*vault);
  InProcess* self = p.get();
  auto payments = PaymentSimulator::open(
      directory / "provider", p->clock_,
      [self](const PaymentAnswer& a) { self->engine_->payment_answered(a); });
  if (!payments.ok()) return payments.error();
  p->payments_ = std::move(*payments);
  auto engine = Engine::start(options,
                              {.journal = *p->journal_,
                               .states = *p->states_,
                               .vault = *p->vault_,
                               .payments = *p->payments_,
                               .clock = p->clock_,
                               .randomness = p->randomness_,
                               .presenter = p->presenter_},
                              p->recovery_);
  if (!engine.ok()) return engine.error();
  p->engine_ = std::move(*engine);
  p->sink_ = p->engine_->add_sink(*p);
  return p;
}

InProcess::~InProcess() { close(); }

void InProcess::close() {
  if (!engine_) return;
  payments_->stop();
  engine_->stop();
  engine_.reset();
}

Request InProcess::request(Op op, std::uint64_t ticket) {
  Request r{
      .op = std::move(op),
      .reply_to = {.who = ReplyTo::Who::client, .sink = sink_, .ticket = ticket, .entity = {}}};
  r.cause = randomness_.id128();
  r.wants = Wants::minimal;
  return r;
}

void InProcess::deliver(std::vector<Reply>&& replies) {
  const std::lock_guard lock(mutex_);
  const bool wake = replies_.empty();
  if (replies_.empty())
    replies_ = std::move(replies);
  else
    replies_.insert(replies_.end(), std::make_move_iterator(replies.begin()),
                    std::make_move_iterator(replies.end()));
  if (wake) arrived_.notify_one();
}

std::vector<Reply> InProcess::take() {
  std::unique_lock lock(mutex_);
  arrived_.wait(lock, [this] { return !replies_.empty(); });
  return std::exchange(replies_, {});
}

}  // namespace souk::cli
