#include "projections/analytics/pairs.h"

#include <algorithm>
#include <queue>
#include <roaring/roaring.hh>
#include <span>

#include "projections/analytics/report.h"

namespace souk::analytics {
namespace {

using ProductNo = std::uint32_t;

ProductNo product_at(std::string_view bytes, std::size_t index) {
  ProductNo product = 0;
  for (std::size_t i = 4; i-- > 0;)
    product = product << 8 | static_cast<std::uint8_t>(bytes[index * 4 + i]);
  return product;
}

}  // namespace

struct PairIndex::State {
  std::vector<std::string> skus;        // by product number; empty: none
  std::vector<::Roaring> baskets_with;  // by product number
  std::vector<ProductNo> products;      // of all baskets, one after the other
  std::vector<std::size_t> begins{0};   // of each basket in `products`, and the end
  std::int64_t last_basket = 0, last_product = 0;
  // The last answer, which holds until another basket comes.
  std::vector<BasketPair> answer;
  std::size_t answer_limit = 0;
  std::int64_t answer_basket = -1;

  void catch_up(const Database& database);
  std::span<const ProductNo> basket(std::uint32_t no) const {
    return std::span(products).subspan(begins[no], begins[no + 1] - begins[no]);
  }
};

void PairIndex::State::catch_up(const Database& database) {
  Statement names(database, "SELECT no, sku FROM product_row WHERE no>?1 ORDER BY no");
  names.bind(last_product);
  while (names.step()) {
    last_product = names.integer(0);
    skus.resize(static_cast<std::size_t>(last_product) + 1);
    skus.back() = names.text(1);
  }
  baskets_with.resize(skus.size());
  Statement more(database, "SELECT no, products FROM basket_row WHERE no>?1 ORDER BY no");
  more.bind(last_basket);
  while (more.step()) {
    last_basket = more.integer(0);
    const std::string_view bytes = more.bytes(1);
    const auto no = static_cast<std::uint32_t>(begins.size() - 1);
    for (std::size_t i = 0; i < bytes.size() / 4; ++i) {
      const ProductNo product = product_at(bytes, i);
      if (product >= baskets_with.size())
        throw SqliteError{11, "a basket of an unknown product"};  // SQLITE_CORRUPT
      products.push_back(product);
      baskets_with[product].add(no);
    }
    begins.push_back(products.size());
  }
}

namespace {

/// The best pairs so far, the worst of them on top.
class Best {
 public:
  Best(const std::vector<std::string>& skus, std::size_t limit)
      : skus_(skus), limit_(limit), heap_(Before{skus}) {}

  /// A pair needs as many orders to come in.
  std::uint64_t threshold() const { return heap_.size() < limit_ ? 1 : heap_.top().orders; }

  void offer(ProductNo one, ProductNo other, std::uint64_t orders) {
    if (orders < threshold()) return;
    if (skus_[other] < skus_[one]) std::swap(one, other);
    const Pair pair{one, other, orders};
    if (heap_.size() == limit_) {
      if (!Before{skus_}(pair, heap_.top())) return;
      heap_.pop();
    }
    heap_.push(pair);
  }

  std::vector<BasketPair> take() {
    std::vector<BasketPair> rows;
    for (; !heap_.empty(); heap_.pop()) {
      const Pair& pair = heap_.top();
      rows.push_back({skus_[pair.a], skus_[pair.b], static_cast<std::int64_t>(pair.orders)});
    }
    std::ranges::reverse(rows);
    return rows;
  }

 private:
  struct Pair {
    ProductNo a, b;
    std::uint64_t orders;
  };
  struct Before {
    const std::vector<std::string>& skus;
    bool operator()(const Pair& x, const Pair& y) const {
      if (x.orders != y.orders) return x.orders > y.orders;
      if (x.a != y.a) return skus[x.a] < skus[y.a];
      return skus[x.b] < skus[y.b];
    }
  };
  const std::vector<std::string>& skus_;
  std::size_t limit_;
  std::priority_queue<Pair, std::vector<Pair>, Before> heap_;
};

}  // namespace

PairIndex::PairIndex() : state_(std::make_unique<State>()) {}
PairIndex::~PairIndex() = default;

PairsReport PairIndex::most_frequent(Readers& readers, std::size_t limit) {
  check_limit(limit);
  // The lock first: a later holder sees a later snapshot.
  const std::lock_guard lock(mutex_);
  const auto snapshot = readers.snapshot();
  State& s = *state_;
  PairsReport report;
  report.checkpoint = checkpoint_of(*snapshot);
  report.currency = choose_currency(*snapshot, {}).currency;
  s.catch_up(*snapshot);
  if (s.answer_basket == s.last_basket && s.answer_limit == limit) {
    report.rows = s.answer;
    return report;
  }

  struct Common {
    ProductNo product;
    std::uint64_t orders;
  };
  std::vector<Common> common;  // the most frequent first
  for (ProductNo product = 0; product < s.baskets_with.size(); ++product)
    if (const auto orders = s.baskets_with[product].cardinality(); orders > 0)
      common.push_back({product, orders});
  std::ranges::stable_sort(common, std::greater{}, &Common::orders);
  std::vector<std::uint32_t> rank(s.skus.size(), 0);
  for (std::uint32_t i = 0; i < common.size(); ++i) rank[common[i].product] = i;

  Best best(s.skus, limit);
  std::vector<std::uint32_t> together(common.size(), 0);  // by rank
  std::vector<std::uint32_t> seen;
  std::size_t last = common.size();  // those from here on are too rare
  const std::uint64_t mean = s.begins.size() > 1 ? s.products.size() / (s.begins.size() - 1) : 0;
  for (std::uint32_t i = 0; i < common.size(); ++i) {
    const std::uint64_t threshold = best.threshold();
    if (common[i].orders < threshold) break;
    while (last > 0 && common[last - 1].orders < threshold) --last;
    const ::Roaring& mine = s.baskets_with[common[i].product];
    // Either one intersection with each other product, or one look at each basket.
    if ((last - i) * (common[i].orders / 8 + 16) < common[i].orders * (mean + 1)) {
      for (std::size_t j = i + 1; j < last && common[j].orders >= best.threshold(); ++j)
        best.offer(common[i].product, common[j].product,
                   mine.and_cardinality(s.baskets_with[common[j].product]));
      continue;
    }
    seen.clear();
    for (const std::uint32_t basket : mine)
      for (const ProductNo product : s.basket(basket))
        if (rank[product] > i && together[rank[product]]++ == 0) seen.push_back(rank[product]);
    for (const std::uint32_t j : seen) {
      best.offer(common[i].product, common[j].product, together[j]);
      together[j] = 0;
    }
  }
  report.rows = best.take();
  s.answer = report.rows;
  s.answer_limit = limit;
  s.answer_basket = s.last_basket;
  return report;
}

}  // namespace souk::analytics
