#include "actors/shard/quotes.h"

namespace souk {

std::optional<Quote> Quotes::quote(const EntityKey& target, const Sku& sku) {
  if (!asked_.empty()) {
    auto at = asked_.find(target);
    if (at != asked_.end()) {
      auto quote = at->second.by_sku.find(sku);
      if (quote != at->second.by_sku.end()) return quote->second;
    }
  }
  if (auto quote = context_.quote_now(sku)) return quote;
  Asked& asked = asked_[target];
  if (asked.by_sku.empty()) {
    asked.ask_again = clock_.now().plus_ms(quote_retry_ms);
    asked.until = clock_.now().plus_ms(quote_wait_ms);
  }
  asked.by_sku.emplace(sku, std::nullopt);
  ++asked.missing;
  outbox_.send(QuoteWanted{sku, target});
  return std::nullopt;
}

Quotes::Came Quotes::came(QuoteReady&& ready) {
  auto asked = asked_.find(ready.target);
  if (asked == asked_.end()) return Came::unwanted;
  if (!ready.quote) {
    asked_.erase(asked);
    return Came::failed;
  }
  auto at = asked->second.by_sku.find(ready.sku);
  if (at == asked->second.by_sku.end() || at->second) return Came::unwanted;
  at->second = std::move(ready.quote);
  return --asked->second.missing == 0 ? Came::complete : Came::not_all;
}

std::vector<EntityKey> Quotes::take_late(UnixMs now) {
  std::vector<EntityKey> late;
  for (auto& [target, asked] : asked_) {
    if (asked.missing == 0) continue;
    if (now >= asked.until) {
      late.push_back(target);
      continue;
    }
    if (now < asked.ask_again) continue;
    asked.ask_again = now.plus_ms(quote_retry_ms);
    for (const auto& [sku, quote] : asked.by_sku)
      if (!quote) outbox_.send(QuoteWanted{sku, target});
  }
  for (const auto& target : late) asked_.erase(target);
  return late;
}

}  // namespace souk
