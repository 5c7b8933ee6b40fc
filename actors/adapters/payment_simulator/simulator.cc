#include "actors/adapters/payment_simulator/simulator.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "events/fault_log.h"

namespace souk {
namespace {

FaultLog ledger_fails("payment provider cannot use its ledger");

PaymentAnswer failed(const PaymentCall& call) {
  return {call.order, call.op, call.number, PaymentAnswer::Kind::failed};
}

}  // namespace

PaymentSimulator::PaymentSimulator(std::unique_ptr<SimulatorLedger> ledger, Clock& clock)
    : ledger_(std::move(ledger)), clock_(clock) {}

Result<std::unique_ptr<PaymentSimulator>, Fault> PaymentSimulator::open(
    const std::filesystem::path& path, Clock& clock) {
  auto ledger = SimulatorLedger::open(path);
  if (!ledger) return ledger.error();
  return std::make_unique<PaymentSimulator>(std::move(*ledger), clock);
}

PaymentSimulator::~PaymentSimulator() { stop(); }

void PaymentSimulator::start(Answer answer) {
  SOUK_ASSERT(!thread_.joinable() && !stopping_);
  answer_ = std::move(answer);
  thread_ = std::thread([this] { run(); });
}

void PaymentSimulator::stop() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void PaymentSimulator::call(std::vector<PaymentCall> calls) {
  if (calls.empty()) return;
  {
    std::lock_guard lock(mutex_);
    if (stopping_) return;
    const auto room = std::min(calls.size(), calls_queued_max - queued_.size());
    const auto rest = calls.begin() + static_cast<std::ptrdiff_t>(room);
    for (auto call = rest; call != calls.end() && refused_.size() < calls_queued_max; ++call) {
      refused_.push_back(failed(*call));
    }
    if (queued_.empty()) {
      calls.erase(rest, calls.end());
      queued_ = std::move(calls);
    } else {
      queued_.insert(queued_.end(), std::make_move_iterator(calls.begin()),
                     std::make_move_iterator(rest));
    }
  }
  changed_.notify_one();
}

Result<std::optional<PaymentRecord>, Fault> PaymentSimulator::record(OrderId order) {
  auto account = ledger_->load(order);
  if (!account) return account.error();
  if (!*account) return std::optional<PaymentRecord>();
  return std::optional<PaymentRecord>((*account)->record);
}

void PaymentSimulator::run() {
  std::vector<PaymentCall> calls;
  std::vector<PaymentAnswer> refused;
  while (true) {
    {
      std::unique_lock lock(mutex_);
      const auto work = [&] { return stopping_ || !queued_.empty() || !refused_.empty(); };
      if (failing()) {
        changed_.wait_for(lock, retry, work);
      } else if (late_.empty()) {
        changed_.wait(lock, work);
      } else {
        changed_.wait_until(lock, late_.begin()->first, work);
      }
      if (stopping_) return;
      calls.clear();
      calls.swap(queued_);
      refused.clear();
      refused.swap(refused_);
    }
    if (calls.empty() && failing()) commit(nullptr, 0);  // so that it is known when it works again
    for (const auto& answer : refused) answer_(answer);
    for (std::size_t at = 0; at < calls.size(); at += calls_per_commit_max) {
      commit(calls.data() + at, std::min(calls_per_commit_max, calls.size() - at));
    }
    deliver_late();
  }
}

void PaymentSimulator::commit(const PaymentCall* calls, std::size_t count) {
  if (accounts_.size() > accounts_cached_max / 2) {
    former_accounts_ = std::move(accounts_);
    accounts_.clear();
  }
  const auto now = clock_.now();
  std::vector<ProviderReply> replies;
  replies.reserve(count);
  std::vector<std::pair<OrderId, const ProviderAccount*>> changed;
  changed.reserve(count);
  ++commits_;
  for (std::size_t i = 0; i < count; ++i) {
    const auto& call = calls[i];
    auto* cached = account_of(call.order);
    if (!cached) {
      replies.push_back({failed(call)});
      continue;
    }
    replies.push_back(provide(cached->account, call, now));
    if (cached->commit != commits_) changed.emplace_back(call.order, &cached->account);
    cached->commit = commits_;
  }
  // Neighbours are cheaper for the ledger's memtable than one key here and one there.
  std::ranges::sort(changed, {}, [](const auto& one) { return one.first; });
  const auto saved = ledger_->save(changed);
  if (saved) {
    ledger_fails.passed();
    for (const auto& reply : replies) deliver(reply);
    return;
  }
  warn(saved.error());
  former_accounts_.clear();
  accounts_.clear();  // they hold what may not be on disk
  for (std::size_t i = 0; i < count; ++i) answer_(failed(calls[i]));
}

PaymentSimulator::CachedAccount* PaymentSimulator::account_of(OrderId order) {
  if (const auto cached = accounts_.find(order); cached != accounts_.end()) return &cached->second;
  if (auto former = former_accounts_.extract(order)) {
    return &accounts_.insert(std::move(former)).position->second;
  }
  auto account = ledger_->load(order);
  if (!account) {
    warn(account.error());
    return nullptr;
  }
  auto& cached = accounts_[order];
  if (*account) cached.account = std::move(**account);
  return &cached;
}

void PaymentSimulator::deliver(const ProviderReply& reply) {
  const auto& answer = reply.answer;
  if (answer.op == PaymentCall::Op::cancel) {
    if (const auto late = late_orders_.find(answer.order); late != late_orders_.end()) {
      late->second.cancelled = true;
    }
  }
  if (reply.delay_ms > 0) {
    if (late_.size() >= late_answers_max) return;  // as if lost: the engine asks again
    late_.emplace(Steady::now() + std::chrono::milliseconds(reply.delay_ms), answer);
    ++late_orders_[answer.order].answers;
    return;
  }
  for (int i = 0; i < reply.times; ++i) answer_(answer);
}

void PaymentSimulator::deliver_late() {
  const auto now = Steady::now();
  while (!late_.empty() && late_.begin()->first <= now) {
    auto answer = late_.begin()->second;
    late_.erase(late_.begin());
    const auto order = late_orders_.find(answer.order);
    if (order->second.cancelled) answer.kind = PaymentAnswer::Kind::declined;
    if (--order->second.answers == 0) late_orders_.erase(order);
    answer_(answer);
  }
}

void PaymentSimulator::warn(const Fault& fault) {
  ledger_fails.failed(fmt::format("what=\"{}\"", one_line(fault.what)));
}

}  // namespace souk
