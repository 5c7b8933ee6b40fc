#include "actors/adapters/payment_simulator/rules.h"

#include <algorithm>
#include <charconv>

namespace souk {
namespace {

using AnswerKind = PaymentAnswer::Kind;

struct Script {
  enum class Act { authorise, decline, slow, lost, twice, error } act = Act::decline;
  std::int64_t number = 0;
};

/// Nothing unless `text` is decimal digits of 0 to `max`.
std::optional<std::int64_t> bounded_number(std::string_view text, std::int64_t max) {
  if (text.empty() || text.size() > 9 || text.front() < '0' || text.front() > '9') {
    return std::nullopt;
  }
  std::int64_t value = 0;
  const auto end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc{} || stop != end || value > max) return std::nullopt;
  return value;
}

Script parse_script(std::string_view token) {
  using Act = Script::Act;
  if (token.empty() || token == "ok") return {Act::authorise};
  if (token == "twice") return {Act::twice};
  const auto numbered = [&](std::string_view head, Act act, std::int64_t max) -> Script {
    const auto number = bounded_number(token.substr(head.size()), max);
    return number ? Script{act, *number} : Script{};
  };
  if (token.starts_with("slow:")) {
    return numbered("slow:", Act::slow, simulator_limits::delay_ms_max);
  }
  if (token.starts_with("lost:")) {
    return numbered("lost:", Act::lost, simulator_limits::delay_ms_max);
  }
  if (token.starts_with("error:")) {
    return numbered("error:", Act::error, simulator_limits::failures_max);
  }
  return {};
}

bool same_currency(const ProviderAccount& account, const PaymentCall& call) {
  return call.currency.none() || call.currency == account.record.currency;
}

AnswerKind authorise(ProviderAccount& account, const PaymentCall& call) {
  if (call.amount.value < 0) return AnswerKind::declined;
  account.record.currency = call.currency;
  account.record.authorised = call.amount;
  return AnswerKind::done;
}

ProviderReply authorise_scripted(ProviderAccount& account, const PaymentCall& call, UnixMs now,
                                 ProviderReply reply) {
  const auto script = parse_script(call.token);
  if (script.act == Script::Act::error && account.failures < script.number) {
    ++account.failures;
    reply.answer.kind = AnswerKind::failed;  // no outcome: the next call tries again
    return reply;
  }
  reply.answer.kind =
      script.act == Script::Act::decline ? AnswerKind::declined : authorise(account, call);
  account.outcomes.push_back({call.op, 0, reply.answer.kind});
  if (reply.answer.kind == AnswerKind::declined) return reply;
  if (script.act == Script::Act::slow) {
    reply.delay_ms = script.number;
    account.answer_due = now.plus_ms(script.number);
  } else if (script.act == Script::Act::lost) {
    reply.times = 0;
  } else if (script.act == Script::Act::twice) {
    reply.times = 2;
  }
  return reply;
}

AnswerKind capture(ProviderAccount& account, const PaymentCall& call) {
  auto& record = account.record;
  const auto authorised = std::any_of(
      account.outcomes.begin(), account.outcomes.end(), [](const ProviderOutcome& outcome) {
        return outcome.op == PaymentCall::Op::authorise && outcome.kind == AnswerKind::done;
      });
  if (!authorised || account.cancelled || !same_currency(account, call) || call.amount.value < 0 ||
      call.amount.value > record.authorised.value - record.captured.value) {
    return AnswerKind::declined;
  }
  record.captured.value += call.amount.value;
  return AnswerKind::done;
}

AnswerKind cancel(ProviderAccount& account) {
  auto& record = account.record;
  account.cancelled = true;
  record.voided.value = record.authorised.value - record.captured.value;
  record.refunded = record.captured;
  return AnswerKind::done;
}

AnswerKind refund(ProviderAccount& account, const PaymentCall& call) {
  auto& record = account.record;
  if (!same_currency(account, call) || call.amount.value < 0 ||
      call.amount.value > record.captured.value - record.refunded.value) {
    return AnswerKind::declined;
  }
  record.refunded.value += call.amount.value;
  return AnswerKind::done;
}

}  // namespace

ProviderReply provide(ProviderAccount& account, const PaymentCall& call, UnixMs now) {
  ++account.record.calls;
  ProviderReply reply;
  reply.answer = {call.order, call.op, call.number, AnswerKind::declined};
  const bool authorises = call.op == PaymentCall::Op::authorise;
  const auto number = call.op == PaymentCall::Op::refund ? call.number : 0;  // others happen once
  if (authorises && account.cancelled) return reply;

  const auto earlier = std::find_if(account.outcomes.begin(), account.outcomes.end(),
                                    [&](const ProviderOutcome& outcome) {
                                      return outcome.op == call.op && outcome.number == number;
                                    });
  if (earlier != account.outcomes.end()) {
    reply.answer.kind = earlier->kind;
    if (authorises) {
      reply.delay_ms = std::clamp<std::int64_t>(account.answer_due.value - now.value, 0,
                                                simulator_limits::delay_ms_max);
    }
    return reply;
  }
  if (authorises) return authorise_scripted(account, call, now, reply);
  const bool cancels = call.op == PaymentCall::Op::cancel;  // never refused
  if (!cancels && account.outcomes.size() >= simulator_limits::outcomes_max) return reply;
  switch (call.op) {
    case PaymentCall::Op::authorise:
      break;
    case PaymentCall::Op::capture:
      reply.answer.kind = capture(account, call);
      break;
    case PaymentCall::Op::cancel:
      reply.answer.kind = cancel(account);
      break;
    case PaymentCall::Op::refund:
      reply.answer.kind = refund(account, call);
      break;
  }
  account.outcomes.push_back({call.op, number, reply.answer.kind});
  return reply;
}

}  // namespace souk
