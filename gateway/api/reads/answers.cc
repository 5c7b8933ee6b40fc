#include "gateway/api/reads/answers.h"

#include <algorithm>
#include <array>

#include "projections/analytics/analytics.h"
#include "projections/search/search.h"

namespace souk {
namespace {

using Write = NoAnswer (*)(const Projection&, const QueryValues&, Currency, JsonObject&);

/// The one place where a copy becomes what its kind made.
template <class Model, NoAnswer (*write)(const Model&, const QueryValues&, Currency, JsonObject&)>
NoAnswer of(const Projection& copy, const QueryValues& values, Currency unfixed, JsonObject& out) {
  return write(dynamic_cast<const Model&>(copy), values, unfixed, out);
}

struct Row {
  Action action;
  Write write;
};
constexpr std::array answers = {
    Row{Action::search, of<SearchModel, answer_search>},
    Row{Action::suggest, of<SearchModel, answer_suggest>},
    Row{Action::sales, of<AnalyticsModel, answer_sales>},
    Row{Action::basket_pairs, of<AnalyticsModel, answer_basket_pairs>},
    Row{Action::customers, of<AnalyticsModel, answer_customers>},
    Row{Action::funnel, of<AnalyticsModel, answer_funnel>},
    Row{Action::cohorts, of<AnalyticsModel, answer_cohorts>},
    Row{Action::lost_sales, of<AnalyticsModel, answer_lost_sales>},
    Row{Action::stock_report, of<AnalyticsModel, answer_stock>},
    Row{Action::abandoned_carts, of<AnalyticsModel, answer_abandoned>},
};

}  // namespace

NoAnswer answer(const Question& question, const Projection& copy, const QueryValues& values,
                Currency unfixed, JsonObject& out) {
  const auto row = std::ranges::find(answers, question.action, &Row::action);
  SOUK_ASSERT(row != answers.end());
  return row->write(copy, values, unfixed, out);
}

}  // namespace souk
