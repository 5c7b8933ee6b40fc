#pragma once
/// What the simulated provider does with a call. Rules only: no clock, no disk, no thread, so that
/// the deterministic simulation drives them with virtual time.
///
/// The token of an authorise call is its script:
///   `ok` or none   authorises
///   `decline`      declines
///   `slow:MS`      takes the money at once and answers MS later; a repeat is answered no sooner
///   `lost:MS`      takes the money and never answers the first call; a repeat is answered at once
///                  (MS, how late the lost answer was, makes no difference)
///   `twice`        authorises and answers twice
///   `error:N`      answers `failed` N times, then authorises
/// MS is 0 to 600000, N is 0 to 1000, in decimal digits. Any other token declines.
#include <cstdint>
#include <string_view>
#include <vector>

#include "actors/ports/payment_provider.h"
#include "events/time.h"

namespace souk {

struct ProviderOutcome {
  PaymentCall::Op op = PaymentCall::Op::authorise;
  std::uint32_t number = 0;
  PaymentAnswer::Kind kind = PaymentAnswer::Kind::done;  // done or declined
  bool operator==(const ProviderOutcome&) const = default;
};

/// All that the provider knows of an order.
/// Invariant: voided + captured <= authorised, refunded <= captured; once cancelled,
///            voided + refunded == authorised.
struct ProviderAccount {
  PaymentRecord record;
  bool cancelled = false;
  std::uint32_t failures = 0;
  UnixMs answer_due;
  std::vector<ProviderOutcome> outcomes;  // one per (op, number)
};

struct ProviderReply {
  PaymentAnswer answer;
  int times = 1;  // how often it is sent: 0, 1 or 2
  std::int64_t delay_ms = 0;
};

namespace simulator_limits {
inline constexpr std::int64_t delay_ms_max = 600'000;
inline constexpr std::int64_t failures_max = 1'000;
inline constexpr std::size_t outcomes_max = 1'024;  // per order; a new refund beyond is declined
}  // namespace simulator_limits

/// Carries out `call` on the account of its order and says what is answered, once that is durable.
///
/// A repeat of (op, number) gets the first outcome and changes nothing but `calls`, except that an
/// authorise is declined once the order is cancelled: `done` would say that it still stands.
///   authorise  declined by its token, a negative amount, or a cancelled order
///   capture    declined unless its amount is authorised, in this currency, and not cancelled
///   cancel     always done: voids what is authorised, refunds what is captured, for good
///   refund     declined beyond what is captured and not refunded yet
ProviderReply provide(ProviderAccount& account, const PaymentCall& call, UnixMs now);

}  // namespace souk
