#pragma once
/// Method and path to what is asked for.
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/api/commands/fields.h"
#include "gateway/api/edge/problem.h"
#include "gateway/http/server.h"

namespace souk {

/// A parameter of a path or a query: its name as the table has it, its value decoded.
struct Parameter {
  std::string_view name;
  std::string_view value;
};

/// Lives no longer than the request's target.
struct RouteMatch {
  Action action = Action::unknown;
  std::array<Parameter, 2> in_path;
  std::size_t in_path_count = 0;
  std::string_view query;              // without the question mark, as sent
  std::array<std::string, 2> decoded;  // where a parameter held percent signs
};

struct Route {
  HttpMethod method;
  std::string_view path;
  Action action;
};

/// Thread: any; it never changes.
class Router {
 public:
  Router();
  /// HEAD is taken as GET. Errors: 404 not_found; 405 with `allow` set (static storage as long as
  /// this router lives); 400 invalid_target for a bad percent sign.
  /// REQUIRES: `match` stays where it is while its parameters are used.
  bool find(HttpMethod method, std::string_view target, RouteMatch& match, Problem& problem,
            std::string_view& allow) const;
  const std::vector<Route>& routes() const { return routes_; }

 private:
  struct Pattern {
    std::vector<std::string_view> segments;  // "{sku}" is a parameter
    std::vector<Route> routes;               // of its methods
    std::string allow;
  };
  const Pattern* match_path(const std::array<std::string_view, 8>& segments,
                            std::size_t count) const;

  std::vector<Route> routes_;
  std::vector<Pattern> patterns_;
};

/// The path of a target in origin or absolute form, and its query.
struct TargetParts {
  std::string_view path, query;
};
TargetParts split_target(std::string_view target);
bool is_batch_target(std::string_view target);

/// The parameters of a query, decoded; a plus sign is a blank. Errors: 400 invalid_target for a bad
/// percent sign; 422 for more than 32 or one that stands twice.
struct QueryParameter {
  std::string name, value;
};
bool parse_query(std::string_view query, std::vector<QueryParameter>& out, Problem& problem);

/// True where there are no parameters. Errors: 422 with the name of the first; 400 as parse_query.
bool no_query(const RouteMatch& match, Problem& problem);

std::string_view method_text(HttpMethod method);

}  // namespace souk
