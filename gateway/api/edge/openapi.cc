#include "gateway/api/edge/openapi.h"

#include <algorithm>
#include <array>
#include <map>
#include <vector>

#include "events/limits.h"
#include "gateway/api/edge/limits.h"
#include "gateway/api/edge/openapi_parts.h"
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

std::string in_quotes(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

std::string reference(std::string_view kind, std::string_view name) {
  return R"({"$ref":"#/components/)" + std::string(kind) + "/" + std::string(name) + "\"}";
}

std::string integer_range(std::string_view least, std::int64_t min, std::string_view most,
                          std::int64_t max) {
  return ",\"" + std::string(least) + "\":" + std::to_string(min) + ",\"" + std::string(most) +
         "\":" + std::to_string(max);
}

std::string object_schema(std::span<const Field> fields, Place place);

/// The type's own members, without braces.
std::string type_schema(const Field& field) {
  switch (field.type) {
    case FieldType::sku:
      return R"("type":"string","pattern":"^[^/\\u0000-\\u001f\\u007f]+$")" +
             integer_range("minLength", 1, "maxLength",
                           static_cast<std::int64_t>(limits::sku_bytes_max));
    case FieldType::line_text:
    case FieldType::long_text:
    case FieldType::ascii_text:
      return R"("type":"string")" + integer_range("minLength", field.min, "maxLength", field.max);
    case FieldType::word: {
      std::string out = R"("type":"string","enum":[)";
      for (const auto word : field.words)
        out += (word == field.words.front() ? "" : ",") + in_quotes(word);
      return out + "]";
    }
    case FieldType::integer:
      return R"("type":"integer")" + integer_range("minimum", field.min, "maximum", field.max);
    case FieldType::boolean:
      return R"("type":"boolean")";
    case FieldType::money:
      return R"("$ref":"#/components/schemas/Money")";
    case FieldType::decimal:
      return R"("type":"string")";
    case FieldType::currency:
      return R"("type":"string","pattern":"^[A-Z]{3}$")";
    case FieldType::email:
      return R"("type":"string","format":"email","maxLength":)" + std::to_string(field.max);
    case FieldType::user_id:
      return R"("type":"string","pattern":"^u[0-9a-z]{26}$")";
    case FieldType::cart_id:
      return R"("type":"string","pattern":"^c[0-9a-z]{26}$")";
    case FieldType::order_id:
      return R"("type":"string","pattern":"^o[0-9a-z]{26}$")";
    case FieldType::time:
      return R"("type":"string","format":"date-time")";
    case FieldType::category:
      return R"("type":"array","maxItems":)" + std::to_string(limits::category_depth_max) +
             R"(,"items":{"type":"string","minLength":1,"maxLength":)" + std::to_string(field.max) +
             "}";
    case FieldType::addresses:
      return R"("type":"array","maxItems":)" + std::to_string(limits::images_max) +
             R"(,"items":{"type":"string","format":"uri","maxLength":)" +
             std::to_string(field.max) + "}";
    case FieldType::gtin:
      return R"("type":"string","pattern":"^([0-9]{8}|[0-9]{12,14})$")";
    case FieldType::attributes:
      return R"("type":"object","maxProperties":)" +
             std::to_string(field.id == FieldId::options ? limits::options_max
                                                         : limits::attributes_max) +
             R"(,"propertyNames":{"minLength":1,"maxLength":)" +
             std::to_string(limits::attribute_name_bytes_max) +
             R"(},"additionalProperties":{"type":"string","maxLength":)" +
             std::to_string(field.max) + "}";
    case FieldType::object: {
      const auto schema = object_schema(field.members, Place::body);
      return schema.substr(1, schema.size() - 2);
    }
    case FieldType::list:
      return R"("type":"array")" + integer_range("minItems", field.min, "maxItems", field.max) +
             ",\"items\":" + object_schema(field.members, Place::body);
    case FieldType::any_object:
      return R"("type":"object")";
  }
  return R"("type":"string")";
}

std::string field_schema(const Field& field) {
  std::string out = "{" + type_schema(field);
  if (!field.about.empty()) out += ",\"description\":" + in_quotes(field.about);
  return out + "}";
}

std::string object_schema(std::span<const Field> fields, Place place) {
  std::string properties, needed;
  for (const auto& field : fields) {
    if (field.place != place) continue;
    properties +=
        (properties.empty() ? "" : ",") + in_quotes(field.name) + ":" + field_schema(field);
    if (field.need == Need::required) needed += (needed.empty() ? "" : ",") + in_quotes(field.name);
  }
  std::string out = R"({"type":"object","additionalProperties":false)";
  if (!needed.empty()) out += ",\"required\":[" + needed + "]";
  return out + ",\"properties\":{" + properties + "}}";
}

/// A line of a batch: any command with all its members side by side.
std::string batch_schema() {
  std::string out = "{\"oneOf\":[";
  for (std::size_t i = 0; i < command_count; ++i) {
    const auto& shape = shape_of(static_cast<Action>(i));
    std::string properties = "\"command\":{\"const\":" + in_quotes(shape.name) + "}";
    std::string needed = "\"command\"";
    const auto add = [&](const Field& field) {
      if (field.id == FieldId::command || (field.id == FieldId::wait && shape.waits == Waits::no))
        return;
      properties += "," + in_quotes(field.name) + ":" + field_schema(field);
      if (field.need == Need::required) needed += "," + in_quotes(field.name);
    };
    for (const auto& field : shape.fields) add(field);
    for (const auto& field : batch_fields()) add(field);
    out += (i == 0 ? "" : ",");
    out += R"({"type":"object","additionalProperties":false,"required":[)" + needed +
           "],\"properties\":{" + properties + "}}";
  }
  return out + "]}";
}

/// The table's field of a path's parameter, from any command that has it.
const Field* path_field(std::string_view name) {
  for (std::size_t i = 0; i < command_count; ++i)
    if (const auto* field = find_field(shape_of(static_cast<Action>(i)).fields, name);
        field != nullptr && field->place == Place::path)
      return field;
  return nullptr;
}

std::string query_schema(const QueryField& field) {
  switch (field.type) {
    case QueryType::text:
      return R"({"type":"string","maxLength":)" + std::to_string(field.max) + "}";
    case QueryType::count:
      return R"({"type":"integer")" + integer_range("minimum", field.min, "maximum", field.max) +
             "}";
    case QueryType::flag:
      return R"({"type":"boolean"})";
    case QueryType::amount:
      return R"({"type":"string","pattern":"^-?[0-9]+(\\.[0-9]{1,6})?$"})";
    case QueryType::currency:
      return R"({"type":"string","pattern":"^[A-Z]{3}$"})";
    case QueryType::time:
      return R"({"type":"string","format":"date-time"})";
    case QueryType::choice: {
      std::string words;
      for (const auto word : field.words) words += (words.empty() ? "" : ",") + in_quotes(word);
      return R"({"type":"string","enum":[)" + words + "]}";
    }
    case QueryType::choices:
      return R"({"type":"string"})";
  }
  return "{}";
}

std::string query_parameter(const QueryField& field) {
  std::string out = "{\"name\":" + in_quotes(field.name) + R"(,"in":"query")";
  if (field.need == Need::required) out += R"(,"required":true)";
  if (!field.about.empty()) out += ",\"description\":" + in_quotes(field.about);
  return out + ",\"schema\":" + query_schema(field) + "}";
}

std::string parameters_of(const Route& route) {
  std::vector<std::string> all;
  for (std::size_t at = route.path.find('{'); at != std::string_view::npos;
       at = route.path.find('{', at + 1)) {
    const auto name = route.path.substr(at + 1, route.path.find('}', at) - at - 1);
    if (question_of(route.action) != nullptr) {
      all.push_back("{\"name\":" + in_quotes(name) +
                    R"(,"in":"path","required":true,"schema":{"type":"string"}})");
      continue;
    }
    const auto* field = path_field(name);
    SOUK_ASSERT(field != nullptr);
    all.push_back("{\"name\":" + in_quotes(name) +
                  R"(,"in":"path","required":true,"description":)" + in_quotes(field->about) +
                  ",\"schema\":{" + type_schema(*field) + "}}");
  }
  if (is_command(route.action)) {
    for (const auto* name : {"IdempotencyKey", "IfMatch", "Prefer"})
      all.push_back(reference("parameters", name));
    if (shape_of(route.action).waits == Waits::for_final)
      all.push_back(
          R"({"name":"wait","in":"query","description":"final: answer when the order is final, or with )"
          R"(202 after 5 s","schema":{"type":"string","enum":["final"]}})");
  } else if (is_read(route.action)) {
    all.push_back(reference("parameters", "MinPosition"));
    if (is_document(route.action))
      for (const auto* name : {"IfNoneMatch", "AcceptEncoding"})
        all.push_back(reference("parameters", name));
  }
  if (const auto* question = question_of(route.action)) {
    if (route.method == HttpMethod::get) all.push_back(reference("parameters", "MinPosition"));
    for (const auto& field : question->fields) all.push_back(query_parameter(field));
  }
  if (route.action == Action::get_user_orders) {
    all.push_back(
        R"({"name":"limit","in":"query","schema":{"type":"integer","minimum":1,"maximum":)" +
        std::to_string(limits::user_orders_page_max) +
        ",\"default\":" + std::to_string(limits::user_orders_page_default) + "}}");
    all.push_back(R"({"name":"cursor","in":"query","description":"`next` of the page before",)"
                  R"("schema":{"type":"string"}})");
  }
  std::string out;
  for (const auto& one : all) out += (out.empty() ? "" : ",") + one;
  return out;
}

std::string request_body(const Route& route) {
  if (route.action == Action::commands)
    return R"(,"requestBody":{"required":true,"content":{"application/x-ndjson":{"schema":)" +
           batch_schema() +
           R"(},"application/x-capnp":{"schema":{"type":"string","format":"binary","description":"one )"
           R"(message with the root Commands of schema/api.capnp; the answer has the root Answers"}}}})";
  if (!is_command(route.action) || !takes_body(shape_of(route.action))) return {};
  return R"(,"requestBody":{"required":true,"content":{"application/json":{"schema":)" +
         object_schema(shape_of(route.action).fields, Place::body) + "}}}";
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

std::string success(int status, std::string_view schema, Action action) {
  std::string out = "\"" + std::to_string(status) + "\":{\"description\":";
  out += status == 202 ? in_quotes("The order is not final yet") : in_quotes("Done");
  out += headers_of(action);
  if (!schema.empty()) {
    const auto type = action == Action::commands ? "application/x-ndjson" : "application/json";
    out += ",\"content\":{\"" + std::string(type) +
           "\":{\"schema\":" + reference("schemas", schema) + "}";
    if (action == Action::sql)
      out +=
          R"(,"text/csv":{"schema":{"type":"string","description":"Souk-Truncated: true says that )"
          R"(there were more rows"}})";
    out += "}";
  }
  return out + "}";
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
  std::vector<std::string_view> problems;
  if (is_command(action)) problems = {"400", "404", "409", "412", "413", "415", "422", "503"};
  if (is_read(action)) problems = {"400", "404", "422", "503", "504"};
  if (action == Action::commands) problems = {"400", "413", "415", "503"};
  if (action == Action::ready) problems = {"503"};
  if (const auto* question = question_of(action))
    problems = question->method == HttpMethod::get
                   ? std::vector<std::string_view>{"400", "422", "503", "504"}
                   : std::vector<std::string_view>{"400", "404", "409", "422", "503"};
  if (action == Action::sql) problems.push_back("429");
  for (const auto status : problems)
    out += ",\"" + std::string(status) + "\":" + reference("responses", status);
  return out;
}

}  // namespace

std::string openapi_document(const Router& router, std::string_view version) {
  std::map<std::string_view, std::vector<const Route*>> by_path;
  for (const auto& route : router.routes()) by_path[route.path].push_back(&route);
  std::string out =
      R"({"openapi":"3.1.0","info":{"title":"Souk","version":)" + in_quotes(version) +
      R"(,"description":"A commerce engine: every change is an event, every command may be )"
      R"(repeated with its key. HEAD is answered wherever GET is, with the same headers. Lengths of )"
      R"(texts are counted in bytes of UTF-8."},"paths":{)";
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
             parameters_of(*route) + "]" + request_body(*route) + ",\"responses\":{" +
             responses_of(route->action) + "}}";
      first_method = false;
    }
    out += "}";
  }
  out += R"(},"components":{"schemas":{)";
  out += openapi_schemas();
  out += "},";
  out += openapi_others();
  return out + "}}";
}

}  // namespace souk
