#include "gateway/api/edge/openapi.h"

#include <algorithm>
#include <map>
#include <vector>

#include "events/limits.h"
#include "gateway/api/edge/limits.h"
#include "gateway/api/edge/openapi_links.h"
#include "gateway/api/edge/openapi_parts.h"
#include "gateway/api/edge/openapi_schemas.h"
#include "gateway/api/edge/text.h"
#include "gateway/api/reads/questions.h"

namespace souk {
namespace {

struct Answers {
  std::string_view schema;
  std::vector<int> statuses;
};

Answers answers_of(Action action) {
  switch (action) {
    case Action::put_product:
      return {"Product", {200, 201}};
    case Action::get_product:
      return {"Product", {200}};
    case Action::delist_product:
      return {"Delisted", {200}};
    case Action::receive_stock:
    case Action::adjust_stock:
    case Action::get_stock:
      return {"Stock", {200}};
    case Action::register_user:
      return {"UserCreated", {201}};
    case Action::update_user:
    case Action::get_user:
      return {"User", {200}};
    case Action::erase_user:
      return {"", {204}};
    case Action::get_user_orders:
      return {"UserOrders", {200}};
    case Action::open_cart:
      return {"CartCreated", {201}};
    case Action::add_item:
    case Action::set_item:
    case Action::remove_item:
    case Action::get_cart:
      return {"Cart", {200}};
    case Action::check_out:
    case Action::place_order:
      return {"CheckOut", {200, 202}};
    case Action::accept_return:
      return {"Order", {201}};
    case Action::get_payment:
      return {"PaymentRecord", {200}};
    case Action::commands:
      return {"BatchAnswer", {200}};
    case Action::cluster_plan:
      return {"ClusterPlan", {200}};
    case Action::cluster_command:
    case Action::cluster_cancel:
      return {"ClusterOutcome", {200}};
    case Action::health:
    case Action::ready:
      return {"Standing", {200}};
    case Action::metrics:
    case Action::openapi:
    case Action::console:
      return {"", {200}};
    default:
      if (const auto* question = question_of(action)) return {question->answer, {200}};
      return {"Order", {200}};
  }
}

std::string_view summary_of(Action action) {
  if (is_command(action)) return shape_of(action).summary;
  if (const auto* question = question_of(action)) return question->summary;
  switch (action) {
    case Action::get_product:
      return "A product, with what is available of it";
    case Action::get_stock:
      return "The stock of a SKU";
    case Action::get_user:
      return "A user";
    case Action::get_user_orders:
      return "The orders of a user, newest first";
    case Action::get_cart:
      return "A cart";
    case Action::get_order:
      return "An order, with its history";
    case Action::get_payment:
      return "What the payment provider has on record for an order";
    case Action::commands:
      return "Up to 100,000 commands at once; answers in the same order; one bad command does not "
             "spoil "
             "the rest";
    case Action::cluster_plan:
      return "What would follow from an operator's command; changes nothing";
    case Action::cluster_command:
      return "Do what an operator wants; any node takes it, its controller does it";
    case Action::cluster_cancel:
      return "Cancel a move that is under way; its shard then stays as it is";
    case Action::health:
      return "It serves";
    case Action::ready:
      return "It takes commands";
    case Action::metrics:
      return "Prometheus metrics";
    case Action::openapi:
      return "This document";
    default:
      return "What runs here";
  }
}

/// The table's field of a path's parameter, from any command that has it.
const Field* path_field(std::string_view name) {
  for (std::size_t i = 0; i < command_count; ++i)
    if (const auto* field = find_field(shape_of(static_cast<Action>(i)).fields, name);
        field != nullptr && field->place == Place::path)
      return field;
  return nullptr;
}

std::string query_parameter(const QueryField& field, Action action, const OpenapiSchemas& schemas) {
  std::string out = "{\"name\":" + in_quotes(field.name) + R"(,"in":"query")";
  if (field.need == Need::required) out += R"(,"required":true)";
  if (!field.about.empty()) out += ",\"description\":" + in_quotes(field.about);
  if (const auto example = query_example(action, field.name); !example.empty())
    out += ",\"example\":" + in_quotes(example);
  return out + ",\"schema\":" + schemas.in_query(field) + "}";
}

std::string path_parameter(std::string_view name, Action action, const OpenapiSchemas& schemas) {
  std::string out = "{\"name\":" + in_quotes(name) + R"(,"in":"path","required":true)";
  if (action == Action::cluster_cancel) return out + R"(,"schema":{"type":"integer","minimum":1}})";
  if (question_of(action) != nullptr) {
    return out + R"(,"schema":{"type":"string","enum":)" +
           (name == "verb" ? R"(["pause","resume","rebuild","cancel","retry","skip"])"
                           : R"(["search","analytics"])") +
           "}}";
  }
  const auto* field = path_field(name);
  SOUK_ASSERT(field != nullptr);
  return out + ",\"description\":" + in_quotes(field->about) +
         ",\"schema\":" + schemas.in_path(*field, action) + "}";
}

std::string parameters_of(const Route& route, const OpenapiSchemas& schemas) {
  std::vector<std::string> all;
  for (std::size_t at = route.path.find('{'); at != std::string_view::npos;
       at = route.path.find('{', at + 1)) {
    const auto name = route.path.substr(at + 1, route.path.find('}', at) - at - 1);
    all.push_back(path_parameter(name, route.action, schemas));
  }
  const auto shared = [&](std::initializer_list<const char*> names) {
    for (const auto* name : names) all.push_back(reference("parameters", name));
  };
  if (is_command(route.action)) {
    shared({"IdempotencyKey", "IfMatch", "IfNoneMatchChange", "Prefer"});
    if (shape_of(route.action).waits == Waits::for_final)
      all.push_back(
          R"({"name":"wait","in":"query","description":"final: answer when the order is final, or with )"
          R"(202 after 5 s","schema":{"type":"string","enum":["final"]}})");
  } else if (is_read(route.action)) {
    shared({"MinPosition"});
    if (is_document(route.action)) shared({"ReadLevel"});
    if (is_document(route.action)) shared({"IfNoneMatch", "AcceptEncoding"});
  }
  if (const auto* question = question_of(route.action)) {
    if (route.method == HttpMethod::get && !is_of_cluster(route.action)) shared({"MinPosition"});
    for (const auto& field : question->fields)
      all.push_back(query_parameter(field, route.action, schemas));
  }
  if (route.action == Action::cluster_cancel)
    all.push_back(R"({"name":"who","in":"query","required":true,"description":"Who wants it",)"
                  R"("schema":)" +
                  schemas.body_member(*find_field(operator_shape().fields, "who")) + "}");
  if (route.action == Action::get_user_orders) {
    all.push_back(
        R"({"name":"limit","in":"query","schema":{"type":"integer","minimum":1,"maximum":)" +
        std::to_string(limits::user_orders_page_max) +
        ",\"default\":" + std::to_string(limits::user_orders_page_default) + "}}");
    all.push_back(R"({"name":"cursor","in":"query","description":"`next` of the page before",)"
                  R"("schema":{"type":"string","pattern":")" +
                  schemas.id_pattern('o') + "\"}}");
  }
  std::string out;
  for (const auto& one : all) out += (out.empty() ? "" : ",") + one;
  return out;
}

std::string request_body(const Route& route, const OpenapiSchemas& schemas) {
  const auto example = body_example(route.action);
  if (route.action == Action::commands)
    return R"(,"requestBody":{"required":true,"description":"One JSON object a line, each a command )"
           R"(with `command` beside its members; a line that is wrong is answered in its own place. )"
           R"(The schema is of the lines, as a list.","content":{"application/x-ndjson":{"schema":)"
           R"({"type":"array","minItems":1,"items":)" +
           schemas.batch() + R"(},"examples":{"lines":{"value":)" + in_quotes(example) +
           R"(}}},"application/x-capnp":{"schema":{"type":"string","format":"binary","description":"one )"
           R"(message with the root Commands of schema/api.capnp; the answer has the root Answers"}}}})";
  if (route.action == Action::cluster_plan || route.action == Action::cluster_command)
    return R"(,"requestBody":{"required":true,"content":{"application/json":{"schema":)" +
           schemas.body(operator_shape()) + R"(,"examples":{"one":{"value":)" +
           std::string(example) + "}}}}}";
  if (!is_command(route.action) || !takes_body(shape_of(route.action))) return {};
  std::string out = R"(,"requestBody":{"required":true)";
  if (const auto members = read_only_members(route.action); !members.empty()) {
    std::string names;
    for (const auto member : members)
      names += (names.empty() ? "`" : ", `") + std::string(member) + "`";
    out += ",\"description\":" +
           in_quotes("The document that GET gives may be sent back: its " + names +
                     " change nothing, but must name what the path names.");
  }
  out += R"(,"content":{"application/json":{"schema":)" + schemas.body(shape_of(route.action));
  if (!example.empty()) out += R"(,"examples":{"one":{"value":)" + std::string(example) + "}}";
  return out + "}}}";
}

/// Of an answer without a problem: `,"headers":{...}`.
std::string headers_of(Action action) {
  std::vector<std::pair<std::string_view, std::string_view>> all;
  if (is_command(action) || is_read(action))
    all = {{"ETag", "ETag"}, {"Souk-Position", "SoukPosition"}};
  if (is_command(action)) all.emplace_back("Idempotent-Replay", "IdempotentReplay");
  if (is_document(action)) {
    all.emplace_back("Cache-Control", "CacheControl");
    all.emplace_back("Vary", "Vary");
    all.emplace_back("Content-Encoding", "ContentEncoding");
  }
  if (action == Action::get_product) all.emplace_back("Surrogate-Key", "SurrogateKey");
  if (all.empty()) return {};
  std::string out;
  for (const auto& [name, component] : all)
    out += (out.empty() ? "" : ",") + in_quotes(name) + ":" + reference("headers", component);
  return ",\"headers\":{" + out + "}";
}

std::string_view answer_type(Action action) {
  switch (action) {
    case Action::commands:
      return "application/x-ndjson";
    case Action::metrics:
      return "text/plain";
    case Action::console:
      return "text/html";
    default:
      return "application/json";
  }
}

std::string success(int status, std::string_view schema, Action action) {
  std::string out = "\"" + std::to_string(status) + "\":{\"description\":";
  out += status == 202 ? in_quotes("The order is not final yet") : in_quotes("Done");
  out += headers_of(action);
  if (status != 204) {
    const auto type = answer_type(action);
    auto of_what = type == "application/json" ? std::string(R"({"type":"object"})")
                                              : std::string(R"({"type":"string"})");
    if (!schema.empty()) of_what = reference("schemas", schema);
    if (action == Action::commands) of_what = R"({"type":"array","items":)" + of_what + "}";
    out += ",\"content\":{\"" + std::string(type) + "\":{\"schema\":" + of_what + "}";
    if (action == Action::commands)
      out += R"(,"application/x-capnp":{"schema":{"type":"string","format":"binary"}})";
    if (action == Action::sql)
      out +=
          R"(,"text/csv":{"schema":{"type":"string","description":"Souk-Truncated: true says that )"
          R"(there were more rows"}})";
    out += "}";
  }
  return out + openapi_links(action, status) + "}";
}

std::vector<std::string_view> problems_of(Action action) {
  // What the server says before it looks at what is asked for.
  std::vector<std::string_view> all = {"400", "408", "413", "415", "431", "503"};
  const auto more = [&](std::initializer_list<std::string_view> statuses) {
    all.insert(all.end(), statuses);
  };
  if (is_command(action)) more({"404", "409", "412", "422"});
  if (is_read(action)) more({"404", "422", "504"});
  if (action == Action::commands) more({"422"});
  if (is_of_cluster(action)) {
    more({"404", "422"});
    if (question_of(action) == nullptr) more({"409"});
  } else if (const auto* question = question_of(action)) {
    more({"422"});
    if (question->method == HttpMethod::get)
      more({"504"});
    else
      more({"404", "409"});
  }
  if (action == Action::sql) more({"429"});
  std::sort(all.begin(), all.end());
  return all;
}

std::string responses_of(Action action) {
  const auto answers = answers_of(action);
  std::string out;
  for (const int status : answers.statuses)
    out += (out.empty() ? "" : ",") + success(status, answers.schema, action);
  if (is_command(action) && shape_of(action).minimal != Minimal::keeps_body &&
      !answers.schema.empty())
    out += "," + success(204, {}, action);
  if (is_document(action))
    out +=
        ",\"304\":{\"description\":" + in_quotes("You have it already") + headers_of(action) + "}";
  for (const auto status : problems_of(action))
    out += ",\"" + std::string(status) + "\":" + reference("responses", status);
  return out;
}

}  // namespace

std::string openapi_document(const Router& router, std::string_view version, std::uint32_t shards) {
  const OpenapiSchemas schemas(shards);
  std::map<std::string_view, std::vector<const Route*>> by_path;
  for (const auto& route : router.routes()) by_path[route.path].push_back(&route);
  std::string out =
      R"({"openapi":"3.1.0","info":{"title":"Souk","version":)" + in_quotes(version) +
      R"(,"description":"A commerce engine: every change is an event, every command may be )"
      R"(repeated with its key. HEAD is answered wherever GET is, with the same headers. Lengths of )"
      R"(texts are counted in bytes of UTF-8. The head of a request may have 16 KiB. A body may have the Content-Encoding gzip or zstd; limits are of what it )"
      R"(is without. A member that is )"
      R"(null is absent. Examples are of the shop that `tools/dev run` generates."},"paths":{)";
  bool first_path = true;
  for (const auto& [path, routes] : by_path) {
    out += (first_path ? "" : ",") + in_quotes(path) + ":{";
    first_path = false;
    bool first_method = true;
    for (const auto* route : routes) {
      auto method = lower_ascii(method_text(route->method));
      out += (first_method ? "" : ",") + in_quotes(method) + R"(:{"operationId":)" +
             in_quotes(action_name(route->action)) +
             ",\"summary\":" + in_quotes(summary_of(route->action)) + ",\"parameters\":[" +
             parameters_of(*route, schemas) + "]" + request_body(*route, schemas) +
             ",\"responses\":{" + responses_of(route->action) + "}}";
      first_method = false;
    }
    out += "}";
  }
  out += R"(},"components":{"schemas":{)";
  out += OpenapiSchemas::shared() + "," + std::string(openapi_schemas());
  out += "},";
  out += openapi_others();
  return out + "}}";
}

}  // namespace souk
