#pragma once
#include <algorithm>
#include <cstdint>
#include <vector>

#include "events/event.h"
#include "events/limits.h"

namespace souk {

/// The first answer that a command with an idempotency key got. The body is rendered again from the
/// entity as it was at `version`; what cannot be rendered so stands in the entity's own extra.
struct Answer {
  std::uint64_t key_hash = 0;
  std::uint64_t request_hash = 0;
  std::int64_t at_ms = 0;
  std::uint32_t version = 0;
  Refusal refusal = Refusal::none;
  Outcome outcome = Outcome::ok;
  std::uint8_t detail = 0;  // of illegal_state: the status then; of a user: awaits_address or 0
  /// Not final before the index of addresses has answered.
  static constexpr std::uint8_t awaits_address = 1;
  bool operator==(const Answer&) const = default;
};

/// The answers of one entity, oldest first: kept for 24 h and at most
/// limits::answers_per_entity_max. Invariant: a function of the log alone (old ones are dropped by
/// the time of newer transactions).
class Answers {
 public:
  /// Nothing where the key is new, or older than 24 h at `now`.
  const Answer* find(std::uint64_t key_hash, UnixMs now) const {
    for (auto a = kept_.rbegin(); a != kept_.rend(); ++a)
      if (a->key_hash == key_hash)
        return now.value - a->at_ms <= limits::answer_kept_ms ? &*a : nullptr;
    return nullptr;
  }
  void keep(const Answer& answer) {
    std::size_t drop = kept_.size() >= limits::answers_per_entity_max ? 1 : 0;
    while (drop < kept_.size() && answer.at_ms - kept_[drop].at_ms > limits::answer_kept_ms) ++drop;
    if (drop > 0) kept_.erase(kept_.begin(), kept_.begin() + static_cast<std::ptrdiff_t>(drop));
    kept_.push_back(answer);
  }
  void drop_older_than(Version version) {
    std::erase_if(kept_, [&](const Answer& a) { return a.version < version; });
  }
  /// The address that answers of a user await is theirs as of `version`.
  void address_assigned(Version version) {
    for (auto& a : kept_) {
      if (a.outcome == Outcome::refused || a.detail != Answer::awaits_address) continue;
      a.version = static_cast<std::uint32_t>(version);
      a.detail = 0;
    }
  }
  /// ... or is another's.
  void address_refused() {
    for (auto& a : kept_) {
      if (a.outcome == Outcome::refused || a.detail != Answer::awaits_address) continue;
      a.outcome = Outcome::refused;
      a.refusal = Refusal::email_taken;
      a.detail = 0;
    }
  }
  /// The oldest version that may still have to be rendered; `current` where there is none.
  Version oldest_version(Version current) const {
    Version oldest = current;
    for (const auto& a : kept_) oldest = std::min<Version>(oldest, a.version);
    return oldest;
  }
  const std::vector<Answer>& all() const { return kept_; }
  std::vector<Answer>& all() { return kept_; }
  bool operator==(const Answers&) const = default;

 private:
  std::vector<Answer> kept_;
};

}  // namespace souk
