/// How a query is answered: understood, matched and counted with bitmaps, ranked with
/// postings.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "events/currencies.h"
#include "projections/search/cursor.h"
#include "projections/search/impl.h"
#include "projections/search/understanding.h"

namespace souk {
namespace {

using namespace search;  // of the module's own

constexpr std::size_t limit_max = 100;
constexpr std::size_t offset_max = 10'000;
constexpr std::size_t facet_values_max = 10'000;
/// Ranked beyond what a page needs, as scores move a little when the catalogue changes.
constexpr std::size_t ranked_spare = 8;
/// How many vote on the categories, and how many gain from it: the same on every page.
constexpr std::size_t voters = 10;
constexpr std::size_t vote_window = 50;

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

/// Best first, equal scores by the bytes of the SKU: the same order in every copy of the index,
/// whose numbers depend on the order in which it learnt of its products.
void put_in_order(const Catalogue& catalogue, std::vector<Ranked>& ranked, std::size_t first) {
  const auto end = ranked.begin() + static_cast<std::ptrdiff_t>(std::min(first, ranked.size()));
  std::partial_sort(ranked.begin(), end, ranked.end(), [&](const Ranked& a, const Ranked& b) {
    return a.score != b.score ? a.score > b.score : catalogue.sku(a.doc) < catalogue.sku(b.doc);
  });
  ranked.erase(end, ranked.end());
}

/// Drops what the cursor has passed.
void drop_passed(const Catalogue& catalogue, std::vector<Ranked>& ranked, const Cursor& cursor) {
  std::erase_if(ranked, [&](const Ranked& hit) {
    if (hit.score != cursor.score) return hit.score > cursor.score;
    return catalogue.sku(hit.doc) <= cursor.place.sku;
  });
}

/// The best hits vote for their categories: who asks for a hat sees no gloves between hats.
/// `ranked`: in their order.
Votes votes_of(const Catalogue& catalogue, const std::vector<Ranked>& ranked) {
  Votes votes;
  if (ranked.empty()) return votes;
  votes.from_score = ranked[std::min(ranked.size(), vote_window) - 1].score;
  double all = 0;
  for (std::size_t i = 0; i < std::min(ranked.size(), voters); ++i) {
    for (const auto category : catalogue.path(ranked[i].doc))
      votes.shares[category] += ranked[i].score;
    all += ranked[i].score;
  }
  if (all <= 0) votes.shares.clear();
  for (auto& [category, share] : votes.shares) share /= all;
  return votes;
}

/// The hits of one page or so gain from the votes. Nobody loses, so that who was not looked at
/// still stands behind.
void count_votes(const Catalogue& catalogue, double weight, const Votes& votes,
                 std::vector<Ranked>& ranked) {
  if (votes.shares.empty()) return;
  for (auto& hit : ranked) {
    if (hit.score < votes.from_score) continue;
    const auto path = catalogue.path(hit.doc);
    double share = 0;
    for (const auto category : path)
      if (const auto at = votes.shares.find(category); at != votes.shares.end())
        share += at->second;
    if (!path.empty()) share /= static_cast<double>(path.size());
    hit.score *= 1 + weight * share;
  }
}

/// Those that hold none of the ranked terms come last, by SKU.
void add_unranked(const Catalogue& catalogue, std::vector<Ranked>& ranked, const DocSet& docs,
                  std::size_t wanted) {
  if (ranked.size() >= std::min(wanted, docs.size())) return;
  std::unordered_set<DocId> there;
  for (const auto& hit : ranked) there.insert(hit.doc);
  std::vector<Ranked> others;
  for (DocSet::Walk at(docs); !at.done(); at.next())
    if (!there.contains(at.doc())) others.push_back({at.doc(), 0});
  put_in_order(catalogue, others, wanted - ranked.size());
  ranked.insert(ranked.end(), others.begin(), others.end());
}

/// A page by relevance: `first` hits, those that the cursor has passed left out. `ranking`: what it
/// is ranked with; made where there is no cursor.
std::vector<Ranked> ranked_page(const Catalogue& catalogue, const SearchTuning& tuning,
                                const DocSet& matching, std::vector<Ranked>&& scored,
                                const Cursor* cursor, std::size_t first, Ranking& ranking) {
  std::vector<Ranked> page = std::move(scored);
  if (cursor == nullptr) {
    put_in_order(catalogue, page, page.size());
    ranking.votes = votes_of(catalogue, page);
  }
  count_votes(catalogue, tuning.category_vote, ranking.votes, page);
  if (cursor != nullptr) {
    add_unranked(catalogue, page, matching, matching.size());
    drop_passed(catalogue, page, *cursor);
    put_in_order(catalogue, page, first);
  } else {
    put_in_order(catalogue, page, page.size());
    add_unranked(catalogue, page, matching, first);
  }
  return page;
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
  result.total = match->docs.size();
  const bool ranks = query.sort == SearchSort::relevance && !understood->terms.empty();
  std::vector<DocId> docs = match->docs.list();
  impl.catalogue.count_facets(docs, query, result);

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
    // What comes behind a cursor may be anywhere among those that were written meanwhile.
    const std::size_t wanted =
        cursor ? docs.size() : std::max(passed + query.limit + ranked_spare, vote_window);
    auto ranked = reader.rank(ranking.weighing, docs, std::min<std::size_t>(wanted, result.total));
    if (!ranked) return unreadable(ranked.error());
    reading = impl.reading();
    page = ranked_page(impl.catalogue, impl.options.tuning, match->docs, std::move(*ranked),
                       cursor ? &*cursor : nullptr, cursor ? query.limit + 1 : wanted, ranking);
    more = cursor ? page.size() > query.limit : passed + query.limit < result.total;
  } else {
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
  for (const auto& [doc, score] : page) result.hits.push_back(impl.catalogue.hit(doc, score));
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
