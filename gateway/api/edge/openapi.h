#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "gateway/api/edge/router.h"

namespace souk {

/// The OpenAPI 3.1 document of all that `router` routes, made from the tables of api_fields.h: its
/// limits are the ones that are checked. `shards`: what ids may begin with. Built once, at start.
std::string openapi_document(const Router& router, std::string_view version, std::uint32_t shards);

}  // namespace souk
