#pragma once
/// The same figures by brute force: every sale and return in a list, and each report a loop over
/// it.
#include <map>
#include <set>
#include <string>
#include <vector>

#include "tests/support/history.h"

namespace souk::test {

class Oracle {
 public:
  explicit Oracle(const History& history);

  struct Line {
    std::string sku;
    std::int64_t quantity = 0, price = 0;
    bool fixed = false;
  };
  struct Order {
    std::string id, user, currency, country;  // the order's own
    std::int64_t at = 0, rounding = 0;
    bool confirmed = false;
    int rejected = 0;
    std::vector<Line> lines;
  };
  struct Return {
    std::string user, currency, country;
    std::int64_t at = 0, value = 0;
    std::vector<Line> lines;
  };

  struct Refund {
    std::string user, currency, country;
    std::int64_t at = 0, amount = 0;
  };

  std::vector<SalesRow> sales(const SalesQuery& query) const;
  SalesFigures total(const SalesQuery& query) const;
  std::vector<BasketPair> pairs(std::size_t limit) const;
  std::string main_currency() const;

  struct Cart {
    std::string user, currency;
    std::int64_t opened = 0, touched = 0;
    std::int64_t filled = -1, checked_out = -1, paid = -1;
    bool open = true;
    std::vector<Line> lines;
  };

  std::map<std::string, Order> orders;
  std::map<std::string, Cart> carts;
  std::vector<Return> returns;
  std::vector<Refund> refunds;
  std::map<std::string, std::string> country;  // of users

 private:
  void see_cart(const Event& event, std::int64_t at);
};

}  // namespace souk::test
