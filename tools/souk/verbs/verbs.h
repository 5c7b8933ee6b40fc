#pragma once
/// The rows of the command table, a function per group. A new group adds its function here and in
/// all_verbs.
#include "tools/souk/cli/verb.h"

namespace souk::cli {

Verbs product_verbs();
Verbs stock_verbs();
Verbs user_verbs();
Verbs cart_verbs();
Verbs order_verbs();
Verbs service_verbs();
Verbs import_verbs();
Verb import_products_verb();
Verbs export_verbs();
Verbs generate_verbs();
Verbs bench_verbs();
Verbs engine_bench_verbs();
Verbs growth_bench_verbs();
Verbs placement_bench_verbs();
Verbs verify_verbs();
Verbs replay_verbs();
Verbs cluster_verbs();
Verbs provider_verbs();
Verbs search_verbs();
Verbs report_verbs();
Verbs sql_verbs();
Verbs projections_verbs();

/// Everything, in the order of --help.
Verbs all_verbs();

}  // namespace souk::cli
