#pragma once
/// What joins the operations of the OpenAPI document, and examples for them.
#include <string>
#include <string_view>

#include "gateway/api/commands/fields.h"

namespace souk {

/// `,"links":{...}` of an answer with this status: what can be done with what it made or told of.
/// Empty: nothing.
std::string openapi_links(Action action, int status);

/// An example of a request's body: JSON, of a batch its lines; of a shop that `tools/dev run` has
/// made. Empty: none can be given, for ids are another shop's.
std::string_view body_example(Action action);
/// An example of a parameter of a query, as text. Empty: none.
std::string_view query_example(Action action, std::string_view parameter);

}  // namespace souk
