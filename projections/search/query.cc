/// How a query is answered: understood, matched and counted with bitmaps, ranked with
/// postings.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <tuple>
#include <utility>

#include "events/currencies.h"
#include "projections/search/cursor.h"
#include "projections/search/groups.h"
#include "projections/search/impl.h"
#include "projections/search/ranked_page.h"
#include "projections/search/understanding.h"

namespace souk {
namespace {

using namespace search;  // of the module's own

constexpr std::size_t limit_max = 100;
constexpr std::size_t offset_max = 10'000;
constexpr std::size_t facet_values_max = 10'000;

BadQuery bad(const char* parameter, std::string why) {
  return {BadQuery::Kind::invalid, parameter, std::move(why)};
}

std::optional<BadQuery> refused(const SearchQuery& query, const std::optional<Cursor>& cursor) {
  if (query.limit < 1 || query.limit > limit_max) {
    return bad("limit", fmt::format("must be 1 to {}", limit_max));
  }
  if (query.offset > offset_max) {
    return bad("offset", fmt::format("must be at most {}; use the cursor to go on", offset_max));
  }
  if (query.facet_values_max > facet_values_max) {
    return bad("facet_values_max", fmt::format("must be at most {}", facet_values_max));
  }
  if (query.cursor.empty()) return std::nullopt;
  if (query.offset > 0) return bad("cursor", "cannot stand beside an offset");
  if (!cursor) return bad("cursor", "is not one that a search gave");
  if (cursor->query != query_hash(query)) {
    return bad("cursor", "belongs to another query: words, filters and sort must stay the same");
  }
  return std::nullopt;
}

/// Who matches, and what was not insisted on so that anybody does.
struct Match {
  DocSet docs;
  std::vector<std::string> relaxed;
  std::uint8_t words_needed = 0;
  bool phrases_kept = false;
};

class Matcher {
 public:
  Matcher(const Catalogue& catalogue, const SearchQuery& query, const Understanding& understood,
          TextIndex::Reader& reader, const SearchTuning& tuning)
      : catalogue_(catalogue),
        query_(query),
        understood_(understood),
        reader_(reader),
        tuning_(tuning) {}

  /// `as`: what was insisted on on the first page; null: this is it.
  Result<Match, Fault> run(const Ranking* as) {
    for (const auto& word : understood_.unknown)
      match_.relaxed.push_back(fmt::format("no product knows \"{}\"", word));
    if (auto found = find(as); !found) return found.error();
    if (!understood_.code.empty()) match_.docs |= allowed(understood_.code);
    if (understood_.no_words && match_.docs.empty())
      match_.relaxed.emplace_back("there is no letter and no digit to look for");
    return std::move(match_);
  }

 private:
  Result<Done, Fault> find(const Ranking* as) {
    if (understood_.only_unknown || understood_.no_words) return Done{};
    const std::size_t words = understood_.words.size();
    if (words == 0) {
      match_.docs = allowed(catalogue_.on_sale());
      return Done{};
    }
    const std::size_t most = needed(words);
    if (!understood_.phrases.empty() && (as == nullptr || as->phrases_kept)) {
      auto phrases = with_phrases(allowed(matching(most)));
      if (!phrases) return phrases.error();
      match_.docs = std::move(*phrases);
      match_.phrases_kept = !match_.docs.empty() || as != nullptr;
      match_.words_needed = static_cast<std::uint8_t>(most);
      if (match_.phrases_kept) return Done{};
    }
    // Fillers come last by relevance, but anywhere in other orders.
    const bool fills = query_.sort == SearchSort::relevance && understood_.phrases.empty();
    const std::size_t enough = fills ? tuning_.products_enough : 1;
    const std::size_t first =
        as != nullptr ? std::clamp<std::size_t>(as->words_needed, 1, most) : most;
    for (std::size_t need = first; need > 0; --need) {
      match_.docs = allowed(matching(need));
      const bool few = match_.docs.empty() || (need > 1 && match_.docs.size() < enough);
      if (few && as == nullptr) continue;
      if (!understood_.phrases.empty()) {
        match_.relaxed.push_back("the words in quotes need not stand together");
      }
      if (need < most) {
        match_.relaxed.push_back(
            fmt::format("{} of {} words are enough, instead of {}", need, words, most));
      }
      match_.words_needed = static_cast<std::uint8_t>(need);
      return Done{};
    }
    return Done{};
  }

  std::size_t needed(std::size_t words) const {
    const double share = tuning_.share_needed * static_cast<double>(words);
    const auto need = static_cast<std::size_t>(std::ceil(share - 1e-9));
    return std::clamp<std::size_t>(need, 1, words);
  }
  DocSet matching(std::size_t need) const {
    std::vector<const DocSet*> sets;
    for (const auto& word : understood_.words) sets.push_back(&word);
    return in_at_least(need, sets);
  }
  DocSet allowed(const DocSet& docs) const {
    DocSet left = docs & catalogue_.on_sale();
    left -= understood_.excluded;
    return catalogue_.filtered(left, query_);
  }
  Result<DocSet, Fault> with_phrases(DocSet docs) {
    for (const auto& stems : understood_.phrases) {
      for (const auto& stem : stems) {
        const auto has = reader_.docs(stem);
        if (!has) return has.error();
        docs &= **has;
      }
      auto together = reader_.phrase(stems, docs);
      if (!together) return together.error();
      docs = std::move(*together);
    }
    return docs;
  }

  const Catalogue& catalogue_;
  const SearchQuery& query_;
  const Understanding& understood_;
  TextIndex::Reader& reader_;
  const SearchTuning& tuning_;
  Match match_;
};

SearchHit hit_of(const Catalogue& catalogue, const Groups& groups, Currency currency,
                 const Ranked& found) {
  SearchHit hit = catalogue.hit(found.doc, found.score);
  const auto variants = groups.variants(found.doc);
  if (variants.empty()) return hit;
  hit.variants = variants.size();
  auto range = catalogue.price_range(variants, currency);
  if (!range) range = catalogue.price_range(variants, hit.price.currency);
  if (range) std::tie(hit.price_min, hit.price_max) = *range;
  return hit;
}

}  // namespace

BadQuery SearchModel::unreadable(const Fault& fault) const {
  note_damage(fault);
  return {BadQuery::Kind::unavailable, {}, fault.what};
}

Result<SearchResult, BadQuery> SearchModel::search(const SearchQuery& query) const {
  const auto& impl = *impl_;
  const auto cursor = query.cursor.empty() ? std::nullopt : decode_cursor(query.cursor);
  if (auto refusal = refused(query, cursor)) return *refusal;

  auto reading = impl.reading();
  SearchQuery resolved = query;
  SearchResult result;
  result.currency = impl.catalogue.currency_for(query);
  if (query.currency && !can_be_paid(*query.currency) && !impl.catalogue.knows(*query.currency))
    return bad("currency", why_not_payable(query.currency->text()));
  const bool looks_at_prices = query.price_min || query.price_max ||
                               query.sort == SearchSort::price_up ||
                               query.sort == SearchSort::price_down;
  if (looks_at_prices && !result.currency.none()) resolved.currency = result.currency;
  auto reader = impl.index->reader();
  auto understood =
      understand(query.q, reader, impl.index->vocabulary(), impl.synonyms, impl.options.tuning);
  if (!understood) return unreadable(understood.error());
  const Ranking* as = cursor && cursor->ranking ? &*cursor->ranking : nullptr;
  auto match = Matcher(impl.catalogue, resolved, *understood, reader, impl.options.tuning).run(as);
  if (!match) return unreadable(match.error());

  result.relaxed = std::move(match->relaxed);
  result.suggestion = std::move(understood->suggestion);
  const Groups groups = query.collapse ? Groups(impl.catalogue, match->docs) : Groups();
  result.total = groups.hits(match->docs.size());
  const bool ranks = query.sort == SearchSort::relevance && !understood->terms.empty();
  std::vector<DocId> docs = match->docs.list();
  impl.catalogue.count_facets(docs, groups, query, result);

  std::vector<Ranked> page;
  Ranking ranking;
  std::size_t passed = cursor ? cursor->position : query.offset;
  bool more = false;
  if (ranks) {
    reading.unlock();
    if (as != nullptr) {
      ranking = *as;
    } else {
      auto weighing = reader.weigh(understood->terms);
      if (!weighing) return unreadable(weighing.error());
      ranking.weighing = std::move(*weighing);
      ranking.words_needed = match->words_needed;
      ranking.phrases_kept = match->phrases_kept;
    }
    const Cursor* behind = cursor ? &*cursor : nullptr;
    const std::size_t first = cursor ? query.limit + 1 : passed + query.limit;
    auto ranked =
        reader.rank(ranking.weighing, docs, ranked_needed(groups, docs.size(), first, behind));
    if (!ranked) return unreadable(ranked.error());
    reading = impl.reading();
    page = ranked_page(impl.catalogue, impl.options.tuning, match->docs, groups, std::move(*ranked),
                       behind, first, ranking);
    more = cursor ? page.size() > query.limit : passed + query.limit < result.total;
  } else {
    groups.collapse(
        docs, [](DocId doc) { return doc; },
        [&](DocId a, DocId b) { return impl.catalogue.before(a, b, query.sort); });
    if (cursor) {
      std::erase_if(
          docs, [&](DocId doc) { return !impl.catalogue.behind(doc, cursor->place, query.sort); });
      passed = result.total - docs.size();
    }
    const std::size_t skipped = cursor ? 0 : passed;
    for (const DocId doc :
         impl.catalogue.sorted(std::move(docs), query.sort, skipped + query.limit)) {
      page.push_back({doc, 0});
    }
    more = passed + query.limit < result.total;
  }
  if (!cursor) {
    page.erase(page.begin(),
               page.begin() + static_cast<std::ptrdiff_t>(std::min(query.offset, page.size())));
  }
  if (page.size() > query.limit) page.resize(query.limit);
  for (const auto& [doc, score] : page)
    result.hits.push_back(hit_of(impl.catalogue, groups, result.currency, {doc, score}));
  if (!page.empty() && more) {
    Cursor next{.query = query_hash(query),
                .position = passed + page.size(),
                .score = page.back().score,
                .place = impl.catalogue.place(page.back().doc),
                .ranking = std::nullopt};
    if (ranks) next.ranking = std::move(ranking);
    result.cursor = encode(next);
  }
  return result;
}

}  // namespace souk
