#pragma once
/// What of the OpenAPI document does not come from the tables: members of `components`, as JSON.
#include <string_view>

namespace souk {

/// The members of `schemas`: the answers' documents.
std::string_view openapi_schemas();
/// `parameters`, `headers` and `responses`.
std::string_view openapi_others();

}  // namespace souk
