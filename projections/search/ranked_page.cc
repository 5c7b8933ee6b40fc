#include "projections/search/ranked_page.h"

#include <algorithm>
#include <unordered_set>
#include <utility>

namespace souk::search {
namespace {

/// Ranked beyond what a page needs, as scores move a little when the catalogue changes.
constexpr std::size_t ranked_spare = 8;
/// How many vote on the categories, and how many gain from it: the same on every page.
constexpr std::size_t voters = 10;
constexpr std::size_t vote_window = 50;

/// Best first, equal scores by the bytes of the SKU: the same order in every copy of the index,
/// whose numbers depend on the order in which it learnt of its products.
struct Better {
  const Catalogue& catalogue;
  bool operator()(const Ranked& a, const Ranked& b) const {
    return a.score != b.score ? a.score > b.score : catalogue.sku(a.doc) < catalogue.sku(b.doc);
  }
};

void put_in_order(const Catalogue& catalogue, std::vector<Ranked>& ranked, std::size_t first) {
  const auto end = ranked.begin() + static_cast<std::ptrdiff_t>(std::min(first, ranked.size()));
  std::partial_sort(ranked.begin(), end, ranked.end(), Better{catalogue});
  ranked.erase(end, ranked.end());
}

void collapse(const Catalogue& catalogue, const Groups& groups, std::vector<Ranked>& ranked) {
  groups.collapse(
      ranked, [](const Ranked& hit) { return hit.doc; }, Better{catalogue});
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

}  // namespace

std::size_t ranked_needed(const Groups& groups, std::size_t matching, std::size_t first,
                          const Cursor* cursor) {
  // What comes behind a cursor may be anywhere among those that were written meanwhile, and the
  // best of one group anywhere among the others.
  if (cursor != nullptr || !groups.empty()) return matching;
  return std::min(matching, std::max(first + ranked_spare, vote_window));
}

std::vector<Ranked> ranked_page(const Catalogue& catalogue, const SearchTuning& tuning,
                                const DocSet& matching, const Groups& groups,
                                std::vector<Ranked>&& scored, const Cursor* cursor,
                                std::size_t first, Ranking& ranking) {
  std::vector<Ranked> page = std::move(scored);
  if (cursor == nullptr) {
    auto voting = page;
    collapse(catalogue, groups, voting);
    put_in_order(catalogue, voting, vote_window);
    ranking.votes = votes_of(catalogue, voting);
  }
  count_votes(catalogue, tuning.category_vote, ranking.votes, page);
  add_unranked(catalogue, page, matching, ranked_needed(groups, matching.size(), first, cursor));
  collapse(catalogue, groups, page);
  if (cursor != nullptr) drop_passed(catalogue, page, *cursor);
  put_in_order(catalogue, page, first);
  return page;
}

}  // namespace souk::search
