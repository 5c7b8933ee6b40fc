#pragma once
#include <algorithm>
#include <cstdint>
#include <optional>
#include <vector>

#include "events/event.h"
#include "events/limits.h"

namespace souk {

/// 48 bits of a number that is not negative: hot entities reach 2^32 versions in hours, 2^48 in
/// centuries. What is beyond is cut off.
template <class Number>
class Number48 {
 public:
  constexpr Number48() = default;
  constexpr Number48(Number n)
      : low_(static_cast<std::uint16_t>(n)),
        middle_(static_cast<std::uint16_t>(n >> 16)),
        high_(static_cast<std::uint16_t>(n >> 32)) {}
  constexpr operator Number() const {
    return static_cast<Number>(std::uint64_t{high_} << 32 | std::uint64_t{middle_} << 16 | low_);
  }
  bool operator==(const Number48&) const = default;
  constexpr bool operator==(Number n) const { return static_cast<Number>(*this) == n; }

 private:
  std::uint16_t low_ = 0, middle_ = 0, high_ = 0;
};

/// The first answer that a command with an idempotency key got. The body is rendered again from the
/// entity as it was at `version`; what cannot be rendered so stands in the entity's own extra.
/// 32 bytes: an entity keeps up to limits::answers_per_entity_max of them.
struct Answer {
  std::uint64_t key_hash = 0;
  std::uint64_t request_hash = 0;
  Number48<std::int64_t> at_ms;
  Outcome outcome = Outcome::ok;
  std::uint8_t detail = 0;  // of illegal_state: the status then; else as below, or 0
  Number48<Version> version;
  Refusal refusal = Refusal::none;
  /// Of a user: not final before the index of addresses has answered.
  static constexpr std::uint8_t awaits_address = 1;
  /// Of a cart: it is rendered from a page (Answers::page_of); the second is the last of a page.
  static constexpr std::uint8_t on_page = 2, ends_page = 3;

  bool counts_at(UnixMs now) const { return now.value - at_ms <= limits::answer_kept_ms; }
  bool operator==(const Answer&) const = default;
};
static_assert(sizeof(Answer) == 32);

/// Of a cart: so many are rendered from one copy of it once the first of them leaves.
inline constexpr std::size_t answers_per_page = 32;

/// The newest answers of one entity, oldest first, at most limits::answers_per_entity_max. One that
/// leaves to make room and still counts is kept beside the entity (KeyState::left), so that a key
/// counts for 24 hours whatever comes after it.
/// Invariant: a function of the log alone (old ones are dropped by the time of newer transactions).
class Answers {
 public:
  /// Nothing where the key is new, older than 24 h at `now`, or has left.
  const Answer* find(std::uint64_t key_hash, UnixMs now) const {
    for (auto a = kept_.rbegin(); a != kept_.rend(); ++a)
      if (a->key_hash == key_hash) return a->counts_at(now) ? &*a : nullptr;
    return nullptr;
  }
  /// Whether an answer that has left may still count at `now`. None leaves but from a full list,
  /// and all that left are older than those kept.
  bool some_left(UnixMs now) const {
    return kept_.size() >= limits::answers_per_entity_max && kept_.front().counts_at(now);
  }
  /// Returns the oldest one where it left for this one and still counts.
  std::optional<Answer> keep(const Answer& answer) {
    std::optional<Answer> left;
    std::size_t drop = 0;
    while (drop < kept_.size() && !kept_[drop].counts_at(UnixMs{answer.at_ms})) ++drop;
    if (drop == 0 && kept_.size() >= limits::answers_per_entity_max) left = kept_[drop++];
    if (drop > 0) kept_.erase(kept_.begin(), kept_.begin() + static_cast<std::ptrdiff_t>(drop));
    kept_.push_back(answer);
    return left;
  }
  /// The address that answers of a user await is theirs as of `version`.
  void address_assigned(Version version) {
    for (auto& a : kept_) {
      if (a.outcome == Outcome::refused || a.detail != Answer::awaits_address) continue;
      a.version = version;
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
  /// The oldest version that may still have to be rendered from the entity itself; `current` where
  /// there is none.
  Version oldest_version(Version current) const {
    Version oldest = current;
    for (const auto& a : kept_)
      if (!is_on_page(a)) oldest = std::min<Version>(oldest, a.version);
    return oldest;
  }

  // ---- of a cart ----
  static bool is_on_page(const Answer& a) {
    return a.outcome != Outcome::refused &&
           (a.detail == Answer::on_page || a.detail == Answer::ends_page);
  }
  /// Marks the first `count` answers as one page, but for those that show no document or are on one
  /// already. Returns the oldest and the newest version of the page; nothing where it is empty.
  struct Page {
    Version oldest = 0, newest = 0;
    std::int64_t at_ms = 0;  // of the newest
  };
  std::optional<Page> turn_page(std::size_t count) {
    std::optional<Page> page;
    Answer* last = nullptr;
    for (std::size_t i = 0; i < std::min(count, kept_.size()); ++i) {
      Answer& a = kept_[i];
      if (a.outcome == Outcome::refused || is_on_page(a)) continue;
      if (!page) page = Page{.oldest = a.version};
      page->newest = a.version;
      page->at_ms = a.at_ms;
      a.detail = Answer::on_page;
      last = &a;
    }
    if (last) last->detail = Answer::ends_page;
    return page;
  }
  /// The newest version of the page that `kept`, one of all(), is on; 0: it is on none.
  Version page_of(const Answer& kept) const {
    if (!is_on_page(kept)) return 0;
    for (const Answer* a = &kept; a != kept_.data() + kept_.size(); ++a)
      if (a->outcome != Outcome::refused && a->detail == Answer::ends_page) return a->version;
    return 0;
  }
  /// How many of the oldest are older than `version`.
  std::size_t older_than(Version version) const {
    std::size_t count = 0;
    while (count < kept_.size() && kept_[count].version < version) ++count;
    return count;
  }

  const std::vector<Answer>& all() const { return kept_; }
  std::vector<Answer>& all() { return kept_; }
  bool operator==(const Answers&) const = default;

 private:
  std::vector<Answer> kept_;
};

}  // namespace souk
