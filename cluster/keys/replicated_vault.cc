#include "cluster/keys/replicated_vault.h"

#include <fmt/format.h>
#include <pthread.h>

#include <algorithm>

#include "events/fault_log.h"

namespace souk::cluster {

namespace {
FaultLog inbox_full("keys: frames of peers are dropped");
}  // namespace

Result<std::unique_ptr<ReplicatedVault>, Fault> ReplicatedVault::open(SodiumVault& vault,
                                                                      KeyPeers& peers,
                                                                      Options options) {
  auto keys = SharedKeys::open(vault);
  if (!keys) return keys.error();
  std::unique_ptr<ReplicatedVault> opened(
      new ReplicatedVault(vault, peers, std::move(options), std::move(*keys)));
  if (opened->options_.drive == Drive::own_thread)
    opened->thread_ = std::thread([raw = opened.get()] { raw->run(); });
  return opened;
}

ReplicatedVault::ReplicatedVault(SodiumVault& vault, KeyPeers& peers, Options options,
                                 std::unique_ptr<SharedKeys> keys)
    : vault_(vault),
      peers_(peers),
      options_(std::move(options)),
      keys_(std::move(keys)),
      exchange_(
          *keys_, peers_, *this, options_.limits,
          options_.copies_wanted > 0 ? SharedKeys::Copies::wanted : SharedKeys::Copies::not_wanted),
      now_ms_(options_.now_ms) {}

ReplicatedVault::~ReplicatedVault() { close(); }

void ReplicatedVault::close() {
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
  }
  work_changed_.notify_all();
  copies_changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

// ---- Vault ----

std::size_t ReplicatedVault::copies_needed() {
  return std::min(options_.copies_wanted, others().size());
}

Fault ReplicatedVault::not_copied(std::size_t wanted) const {
  return {
      Fault::Kind::unavailable,
      fmt::format("keys: new keys of persons are to be on {} other node(s) before they are used, "
                  "and are not: are the other nodes up?",
                  wanted)};
}

Status ReplicatedVault::ensure(const std::vector<PersonId>& persons) {
  const auto wanted = copies_needed();
  const auto enough = [&] { return ready_.size() >= wanted; };  // under mutex_
  const auto refused = [&]() -> bool {
    const std::lock_guard lock(mutex_);
    return !enough();
  };
  if (wanted > 0 && refused()) {
    // No key is made that could not be used.
    const auto needs = keys_->needs_copies(persons);
    if (!needs) return needs.error();
    return *needs ? Status(not_copied(wanted)) : Status(Done{});
  }
  auto uncopied = keys_->ensure(
      persons, wanted > 0 ? SharedKeys::Copies::wanted : SharedKeys::Copies::not_wanted);
  if (!uncopied) return uncopied.error();
  if (wanted == 0) enqueue(Push{persons});  // nobody is waited for
  if (uncopied->empty()) return Done{};
  enqueue(Push{*uncopied});
  std::unique_lock lock(mutex_);
  const auto deadline = now_ms_ + options_.ack_timeout_ms;
  const auto copied = [&] {
    return std::none_of(uncopied->begin(), uncopied->end(),
                        [&](const PersonId& person) { return keys_->is_uncopied(person); });
  };
  copies_changed_.wait(lock,
                       [&] { return closing_ || now_ms_ >= deadline || !enough() || copied(); });
  return copied() ? Status(Done{}) : Status(not_copied(wanted));
}

Status ReplicatedVault::settle(const PersonId&, KeyVerdict) { return Done{}; }

Result<Sealed, Fault> ReplicatedVault::seal(const PersonId& person, std::string_view plain) {
  return vault_.seal(person, plain);
}

Result<std::optional<std::string>, Fault> ReplicatedVault::open(const PersonId& person,
                                                                const Sealed& sealed) {
  auto opened = vault_.open(person, sealed);
  constexpr std::size_t sealed_bytes_min = 40;  // nonce and tag: less is of no key
  if (opened.ok() || opened.error().kind != Fault::Kind::corrupt ||
      sealed.bytes.size() < sealed_bytes_min)
    return opened;
  return missing(person, opened.error());
}

/// What to say of bytes that no key here opens. `lost`: where nobody has another.
Fault ReplicatedVault::missing(const PersonId& person, const Fault& lost) {
  auto all = others();
  if (all.empty()) return lost;
  {
    const std::lock_guard lock(mutex_);
    const auto at = missing_.find(person);
    const bool over = at != missing_.end() && now_ms_ - at->second.asked_ms >= ask_again_ms;
    if (at != missing_.end() && at->second.unanswered.empty() && !over) return lost;
    if (over) missing_.erase(at);
    if (missing_.size() >= options_.missing_persons_max)
      std::erase_if(missing_, [&](const auto& one) {
        return now_ms_ - one.second.asked_ms >= options_.ack_timeout_ms;
      });
    if (missing_.size() < options_.missing_persons_max)
      missing_.try_emplace(person, Missing{{all.begin(), all.end()}, now_ms_});
  }
  enqueue(Ask{person});
  return {Fault::Kind::unavailable,
          fmt::format("keys: the key of {} is not here; the other nodes are asked", person.text())};
}

Status ReplicatedVault::destroy(const std::vector<PersonId>& persons) {
  std::int64_t now_ms = 0;
  {
    const std::lock_guard lock(mutex_);
    now_ms = now_ms_;
  }
  if (auto destroyed = keys_->destroy(persons, now_ms, others()); !destroyed) return destroyed;
  const bool waits = options_.erased_timeout_ms > 0;
  if (waits) {
    const std::lock_guard lock(mutex_);
    for (const auto& person : persons) ++erasing_[person];
  }
  enqueue(Push{persons});
  if (!waits) return Done{};
  std::unique_lock lock(mutex_);
  const auto deadline = now_ms_ + options_.erased_timeout_ms;
  copies_changed_.wait(lock, [&] {
    const auto waits_for = [&](const PersonId& person) { return erasing_.contains(person); };
    return closing_ || now_ms_ >= deadline || ready_.empty() ||
           std::none_of(persons.begin(), persons.end(), waits_for);
  });
  for (const auto& person : persons)
    if (const auto at = erasing_.find(person); at != erasing_.end() && --at->second == 0)
      erasing_.erase(at);
  return Done{};
}

std::uint64_t ReplicatedVault::keyed_hash(std::string_view bytes) const {
  return vault_.keyed_hash(bytes);
}

Id128 ReplicatedVault::keyed_hash128(std::string_view purpose, std::string_view bytes) const {
  return vault_.keyed_hash128(purpose, bytes);
}

// ---- what the links bring ----

void ReplicatedVault::up(const std::string& node) { enqueue(Up{node}); }

void ReplicatedVault::down(const std::string& node) {
  {
    // At once: who makes a key now waits for nobody who is gone.
    const std::lock_guard lock(mutex_);
    ready_.erase(node);
  }
  copies_changed_.notify_all();
  enqueue(Down{node});
}

void ReplicatedVault::received(const std::string& node, std::string_view frame) {
  enqueue(Frame{node, std::string(frame)});
}

void ReplicatedVault::tick(std::int64_t now_ms) {
  {
    const std::lock_guard lock(mutex_);
    now_ms_ = now_ms;
    if (!inbox_.empty() && std::holds_alternative<Tick>(inbox_.back())) inbox_.pop_back();
  }
  copies_changed_.notify_all();
  enqueue(Tick{now_ms});
}

void ReplicatedVault::enqueue(Work&& work) {
  {
    const std::lock_guard lock(mutex_);
    if (closing_) return;
    if (const auto* frame = std::get_if<Frame>(&work)) {
      if (inbox_bytes_ + frame->bytes.size() > options_.inbox_bytes_max) {
        inbox_full.failed(fmt::format("node={}", frame->node));
        return;
      }
      inbox_bytes_ += frame->bytes.size();
    }
    inbox_.push_back(std::move(work));
  }
  work_changed_.notify_one();
}

void ReplicatedVault::run() {
  ::pthread_setname_np(::pthread_self(), "keys exchange");
  while (true) {
    {
      std::unique_lock lock(mutex_);
      work_changed_.wait(lock, [&] { return closing_ || !inbox_.empty(); });
      if (closing_) return;
    }
    (void)step();
  }
}

bool ReplicatedVault::step() {
  std::optional<Work> next;
  {
    const std::lock_guard lock(mutex_);
    if (inbox_.empty() || closing_) return false;
    next = std::move(inbox_.front());
    inbox_.pop_front();
    if (const auto* frame = std::get_if<Frame>(&*next)) inbox_bytes_ -= frame->bytes.size();
  }
  work(*next);
  return true;
}

void ReplicatedVault::work(Work& work) {
  std::visit(Overloaded{[&](const Up& w) { exchange_.up(w.node); },
                        [&](const Down& w) { exchange_.down(w.node); },
                        [&](const Frame& w) { exchange_.received(w.node, w.bytes); },
                        [&](const Tick& w) { exchange_.tick(w.now_ms); },
                        [&](const Push& w) { exchange_.push(w.persons); },
                        [&](const Ask& w) { exchange_.ask({w.person}); }},
             work);
}

// ---- what the exchange finds out ----

std::vector<std::string> ReplicatedVault::others() {
  auto all = peers_.nodes();
  const auto remembered = keys_->nodes();
  all.insert(all.end(), remembered.begin(), remembered.end());
  std::erase(all, options_.node);
  std::sort(all.begin(), all.end());
  all.erase(std::unique(all.begin(), all.end()), all.end());
  return all;
}

void ReplicatedVault::ready(const std::string& node, bool is_ready) {
  {
    const std::lock_guard lock(mutex_);
    if (is_ready)
      ready_.insert(node);
    else
      ready_.erase(node);
  }
  copies_changed_.notify_all();
}

void ReplicatedVault::acked(const std::string& node, const std::vector<PersonId>& persons) {
  const auto needed = std::max<std::size_t>(copies_needed(), 1);
  {
    const std::lock_guard lock(mutex_);
    std::vector<PersonId> copied;
    for (const auto& person : persons) {
      if (!keys_->is_uncopied(person)) {
        acks_.erase(person);
        continue;
      }
      auto& nodes = acks_[person];
      nodes.insert(node);
      if (nodes.size() < needed) continue;
      copied.push_back(person);
      acks_.erase(person);
    }
    keys_->copied(copied);
  }
  copies_changed_.notify_all();
}

void ReplicatedVault::erased(const std::string&, const std::vector<PersonId>& persons) {
  {
    const std::lock_guard lock(mutex_);
    for (const auto& person : persons) erasing_.erase(person);
  }
  copies_changed_.notify_all();
}

void ReplicatedVault::told(const std::string& node, const std::vector<PersonId>& absent,
                           const std::vector<PersonId>& found) {
  const std::lock_guard lock(mutex_);
  for (const auto* persons : {&absent, &found})
    for (const auto& person : *persons)
      if (const auto at = missing_.find(person); at != missing_.end())
        at->second.unanswered.erase(node);
}

// ---- for operators ----

Result<std::vector<Erasure>, Fault> ReplicatedVault::unconfirmed(std::size_t erasures_max) {
  return keys_->unconfirmed(erasures_max);
}

Status ReplicatedVault::forget(const std::string& node) { return keys_->forget_node(node); }

}  // namespace souk::cluster
