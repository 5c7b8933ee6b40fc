#include "gateway/api/edge/router.h"

#include <algorithm>

#include "gateway/api/edge/text.h"
#include "gateway/api/reads/questions.h"

namespace souk {
namespace {

constexpr std::size_t segments_max = 8;
constexpr std::size_t query_parameters_max = 32;

constexpr std::array other_routes = {
    Route{HttpMethod::get, "/v1/products/{sku}", Action::get_product},
    Route{HttpMethod::get, "/v1/inventory/{sku}", Action::get_stock},
    Route{HttpMethod::get, "/v1/users/{user_id}", Action::get_user},
    Route{HttpMethod::get, "/v1/users/{user_id}/orders", Action::get_user_orders},
    Route{HttpMethod::get, "/v1/carts/{cart_id}", Action::get_cart},
    Route{HttpMethod::get, "/v1/orders/{order_id}", Action::get_order},
    Route{HttpMethod::get, "/v1/payments/{order_id}", Action::get_payment},
    Route{HttpMethod::post, "/v1/commands", Action::commands},
    Route{HttpMethod::post, "/v1/cluster/plans", Action::cluster_plan},
    Route{HttpMethod::post, "/v1/cluster/moves", Action::cluster_command},
    Route{HttpMethod::del, "/v1/cluster/moves/{number}", Action::cluster_cancel},
    Route{HttpMethod::get, "/healthz", Action::health},
    Route{HttpMethod::get, "/readyz", Action::ready},
    Route{HttpMethod::get, "/metrics", Action::metrics},
    Route{HttpMethod::get, "/openapi.json", Action::openapi},
    Route{HttpMethod::get, "/", Action::console},
};

bool is_parameter(std::string_view segment) { return !segment.empty() && segment.front() == '{'; }

/// Splits at '/', without the first one. Returns the number of segments, or one past `out` where
/// there are more.
std::size_t split(std::string_view path, std::array<std::string_view, segments_max>& out) {
  if (path.empty() || path.front() != '/') return segments_max + 1;
  std::size_t count = 0;
  for (path.remove_prefix(1);;) {
    if (count == out.size()) return segments_max + 1;
    const auto slash = path.find('/');
    out[count++] = path.substr(0, slash);
    if (slash == std::string_view::npos) return count;
    path.remove_prefix(slash + 1);
  }
}

Problem invalid_target(std::string detail) {
  return {400, "invalid_target", std::move(detail), {}};
}

/// Forms and most clients' libraries send a blank as a plus sign, a plus sign as %2B.
std::optional<std::string> form_decode(std::string_view text) {
  std::string blanks(text);
  std::replace(blanks.begin(), blanks.end(), '+', ' ');
  return percent_decode(blanks);
}

}  // namespace

std::string_view method_text(HttpMethod method) {
  switch (method) {
    case HttpMethod::get:
      return "GET";
    case HttpMethod::head:
      return "HEAD";
    case HttpMethod::put:
      return "PUT";
    case HttpMethod::post:
      return "POST";
    case HttpMethod::patch:
      return "PATCH";
    case HttpMethod::del:
      return "DELETE";
    case HttpMethod::options:
      return "OPTIONS";
    case HttpMethod::other:
      return "";
  }
  return "";
}

Router::Router() {
  for (std::size_t i = 0; i < command_count; ++i) {
    const auto& shape = shape_of(static_cast<Action>(i));
    routes_.push_back({shape.method, shape.path, shape.action});
  }
  routes_.insert(routes_.end(), other_routes.begin(), other_routes.end());
  for (const auto& question : all_questions())
    routes_.push_back({question.method, question.path, question.action});
  for (const auto& route : routes_) {
    std::array<std::string_view, segments_max> segments;
    const auto count = split(route.path, segments);
    const std::vector<std::string_view> wanted(segments.begin(), segments.begin() + count);
    auto pattern = std::find_if(patterns_.begin(), patterns_.end(),
                                [&](const Pattern& p) { return p.segments == wanted; });
    if (pattern == patterns_.end()) {
      patterns_.push_back({wanted, {}, {}});
      pattern = patterns_.end() - 1;
    }
    pattern->routes.push_back(route);
    if (!pattern->allow.empty()) pattern->allow += ", ";
    pattern->allow += method_text(route.method);
    if (route.method == HttpMethod::get) pattern->allow += ", HEAD";
  }
}

const Router::Pattern* Router::match_path(
    const std::array<std::string_view, segments_max>& segments, std::size_t count) const {
  for (const auto& pattern : patterns_) {
    if (pattern.segments.size() != count) continue;
    bool same = true;
    for (std::size_t i = count; same && i-- > 0;)  // the last words differ most
      same = is_parameter(pattern.segments[i]) ? !segments[i].empty()
                                               : pattern.segments[i] == segments[i];
    if (same) return &pattern;
  }
  return nullptr;
}

bool Router::find(HttpMethod method, std::string_view target, RouteMatch& match, Problem& problem,
                  std::string_view& allow) const {
  const auto parts = split_target(target);
  std::array<std::string_view, segments_max> segments;
  const auto count = split(parts.path, segments);
  const Pattern* pattern = count <= segments_max ? match_path(segments, count) : nullptr;
  if (pattern == nullptr) {
    problem = not_found("there is nothing at this path");
    return false;
  }
  if (method == HttpMethod::head) method = HttpMethod::get;
  const auto route = std::find_if(pattern->routes.begin(), pattern->routes.end(),
                                  [&](const Route& r) { return r.method == method; });
  if (route == pattern->routes.end()) {
    problem = {405, "method_not_allowed", "allowed here: " + pattern->allow, {}};
    allow = pattern->allow;
    return false;
  }
  match.action = route->action;
  match.query = parts.query;
  match.in_path_count = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (!is_parameter(pattern->segments[i])) continue;
    auto& parameter = match.in_path[match.in_path_count];
    parameter.name = pattern->segments[i].substr(1, pattern->segments[i].size() - 2);
    parameter.value = segments[i];
    if (segments[i].find('%') != std::string_view::npos) {
      auto decoded = percent_decode(segments[i]);
      if (!decoded) {
        problem = invalid_target("a percent sign in the path is not followed by two hex digits");
        return false;
      }
      match.decoded[match.in_path_count] = std::move(*decoded);
      parameter.value = match.decoded[match.in_path_count];
    }
    ++match.in_path_count;
  }
  return true;
}

TargetParts split_target(std::string_view target) {
  if (const auto scheme = target.find("://");
      scheme != std::string_view::npos && target[0] != '/') {
    const auto path = target.find('/', scheme + 3);
    target = path == std::string_view::npos ? std::string_view("/") : target.substr(path);
  }
  const auto question = target.find('?');
  if (question == std::string_view::npos) return {target, {}};
  return {target.substr(0, question), target.substr(question + 1)};
}

bool is_batch_target(std::string_view target) {
  return split_target(target).path == "/v1/commands";
}

bool parse_query(std::string_view query, std::vector<QueryParameter>& out, Problem& problem) {
  while (!query.empty()) {
    const auto end = query.find('&');
    const auto part = query.substr(0, end);
    query = end == std::string_view::npos ? std::string_view{} : query.substr(end + 1);
    if (part.empty()) continue;
    const auto equals = part.find('=');
    auto name = form_decode(part.substr(0, equals));
    auto value = form_decode(equals == std::string_view::npos ? "" : part.substr(equals + 1));
    if (!name || !value) {
      problem = invalid_target("a percent sign in the query is not followed by two hex digits");
      return false;
    }
    const bool twice = std::any_of(out.begin(), out.end(),
                                   [&](const QueryParameter& p) { return p.name == *name; });
    if (twice || out.size() >= query_parameters_max) {
      problem = invalid_request(*name, twice ? "stands twice" : "is one parameter too many");
      return false;
    }
    out.push_back({std::move(*name), std::move(*value)});
  }
  return true;
}

bool no_query(const RouteMatch& match, Problem& problem) {
  std::vector<QueryParameter> parameters;
  if (!parse_query(match.query, parameters, problem)) return false;
  if (parameters.empty()) return true;
  problem = invalid_request(parameters.front().name, "is not a parameter of this request");
  return false;
}

}  // namespace souk
