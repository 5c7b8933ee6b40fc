#include "tools/souk/verbs/verbs.h"

#include <iterator>

namespace souk::cli {

Verbs all_verbs() {
  Verbs all;
  for (const auto make :
       {product_verbs,        stock_verbs,   user_verbs,         cart_verbs,
        order_verbs,          search_verbs,  report_verbs,       sql_verbs,
        projections_verbs,    service_verbs, import_verbs,       export_verbs,
        generate_verbs,       verify_verbs,  replay_verbs,       cluster_verbs,
        provider_verbs,       bench_verbs,   engine_bench_verbs, growth_bench_verbs,
        placement_bench_verbs}) {
    Verbs group = make();
    all.insert(all.end(), std::make_move_iterator(group.begin()),
               std::make_move_iterator(group.end()));
  }
  return all;
}

}  // namespace souk::cli
