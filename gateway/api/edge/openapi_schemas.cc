#include "gateway/api/edge/openapi_schemas.h"

#include <bit>

#include "events/currencies.h"
#include "events/limits.h"
#include "gateway/api/commands/countries.h"
#include "gateway/api/edge/limits.h"
#include "gateway/api/edge/text.h"

namespace souk {
namespace {

/// A product of the shop that `tools/dev run` makes.
constexpr std::string_view sku_example = "CE-00005";

// Regular expressions, as they stand in JSON.
#define SOUK_CONTROLS R"(\\u0000-\\u001f\\u007f-\\u009f)"
constexpr std::string_view sku_pattern = "^[^/" SOUK_CONTROLS "]+$";
constexpr std::string_view new_sku_pattern =
    "^[^/\\\\s" SOUK_CONTROLS "]([^/" SOUK_CONTROLS "]*[^/\\\\s" SOUK_CONTROLS "])?$";
constexpr std::string_view line_pattern = "^[^" SOUK_CONTROLS "]*$";
constexpr std::string_view seen_pattern =
    "^[^" SOUK_CONTROLS "]*[^\\\\s" SOUK_CONTROLS "][^" SOUK_CONTROLS "]*$";
constexpr std::string_view seen_or_empty_pattern =
    "^([^" SOUK_CONTROLS "]*[^\\\\s" SOUK_CONTROLS "][^" SOUK_CONTROLS "]*)?$";
#undef SOUK_CONTROLS
constexpr std::string_view long_pattern =
    R"(^[^\\u0000-\\u0008\\u000b\\u000c\\u000e-\\u001f\\u007f]*$)";
constexpr std::string_view ascii_pattern = "^[ -~]*$";
constexpr std::string_view time_pattern = "^(19[7-9]|[2-9][0-9]{2})";  // from 1970 on
/// Of a request's target that is never too long, though each byte of a text may become three.
constexpr std::int64_t query_text_max = 4'096;

std::string text_schema(std::string_view pattern, std::int64_t min, std::int64_t max) {
  return R"({"type":"string","pattern":")" + std::string(pattern) +
         "\",\"minLength\":" + std::to_string(min) + ",\"maxLength\":" + std::to_string(max) + "}";
}

std::string pattern_schema(std::string_view pattern) {
  return R"({"type":"string","pattern":")" + std::string(pattern) + "\"}";
}

std::string integer_schema(std::int64_t min, std::int64_t max) {
  return R"({"type":"integer","minimum":)" + std::to_string(min) +
         ",\"maximum\":" + std::to_string(max) + "}";
}

template <class List>
std::string enum_schema(const List& words) {
  std::string all;
  for (const auto& word : words) all += (all.empty() ? "" : ",") + in_quotes(word);
  return R"({"type":"string","enum":[)" + all + "]}";
}

/// `schema` with more members.
std::string with(std::string schema, const std::string& members) {
  schema.pop_back();
  return schema + "," + members + "}";
}

std::string line_schema(const Field& field) {
  if (field.id == FieldId::country) return reference("schemas", "Country");
  const bool seen = field.id == FieldId::name || field.id == FieldId::reason;
  const auto pattern = !seen ? line_pattern : field.min == 0 ? seen_or_empty_pattern : seen_pattern;
  return text_schema(pattern, field.min, field.max);
}

/// Codes of what can be paid, those with `digits` decimals alone or all.
std::vector<std::string> payable(int digits) {
  std::vector<std::string> all;
  for (char a = 'A'; a <= 'Z'; ++a)
    for (char b = 'A'; b <= 'Z'; ++b)
      for (char c = 'A'; c <= 'Z'; ++c) {
        const auto currency = *Currency::parse(std::string{a, b, c});
        if (can_be_paid(currency) && (digits < 0 || minor_digits(currency) == digits))
          all.emplace_back(currency.text());
      }
  return all;
}

std::string money_schema(std::string_view amount_pattern, std::string_view currency) {
  return R"({"type":"object","additionalProperties":false,"required":["amount","currency"],)"
         R"("properties":{"amount":{"type":"string","pattern":")" +
         std::string(amount_pattern) + R"("},"currency":)" + std::string(currency) + "}}";
}

/// What is paid back is something, and in whole minor units of its currency.
std::string refund_schema() {
  constexpr int digits_max = 4;
  std::string all;
  for (int digits = 0; digits <= digits_max; ++digits) {
    const auto codes = payable(digits);
    if (codes.empty()) continue;
    const auto decimals = "(\\\\.[0-9]{1," + std::to_string(digits) + "})?";
    const auto pattern = digits == 0 ? std::string("^[1-9][0-9]{0,9}$")
                                     : "^(?!0(\\\\.0*)?$)(0|[1-9][0-9]{0,9})" + decimals + "$";
    all += (all.empty() ? "" : ",") + money_schema(pattern, enum_schema(codes));
  }
  return "{\"description\":\"more than nothing, in whole minor units of its "
         "currency\",\"anyOf\":[" +
         all + "]}";
}

}  // namespace

std::string in_quotes(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

std::string reference(std::string_view kind, std::string_view name) {
  return R"({"$ref":"#/components/)" + std::string(kind) + "/" + std::string(name) + "\"}";
}

/// 26 digits of five bits; the first 16 bits are the shard, the last two of the last digit nothing.
std::string OpenapiSchemas::id_pattern(char tag) const {
  constexpr std::string_view digits = "[0-9a-hjkmnp-tv-z]";
  constexpr int shard_bits = 16, digit_bits = 5, id_digits = 26;
  std::string pattern = std::string("^") + tag;
  int zeros = shard_bits - static_cast<int>(std::bit_width(shards_ - 1));
  int left = id_digits - 1;
  for (; zeros >= digit_bits; zeros -= digit_bits, --left) pattern += '0';
  if (zeros > 0) {
    constexpr std::array<std::string_view, digit_bits> below = {digits, "[0-9a-f]", "[0-7]",
                                                                "[0-3]", "[01]"};
    pattern += below[static_cast<std::size_t>(zeros)];
    --left;
  }
  return pattern + std::string(digits) + "{" + std::to_string(left) + "}[048cgmrw]$";
}

std::string OpenapiSchemas::of_type(const Field& field) const {
  switch (field.type) {
    case FieldType::sku:
      return with(text_schema(sku_pattern, 1, static_cast<std::int64_t>(limits::sku_bytes_max)),
                  "\"examples\":[" + in_quotes(sku_example) + "]");
    case FieldType::line_text:
      return line_schema(field);
    case FieldType::long_text:
      return text_schema(long_pattern, field.min, field.max);
    case FieldType::ascii_text:
      return text_schema(ascii_pattern, field.min, field.max);
    case FieldType::word:
      return enum_schema(field.words);
    case FieldType::integer:
      return integer_schema(field.min, field.max);
    case FieldType::boolean:
      return R"({"type":"boolean"})";
    case FieldType::money:
      return reference("schemas", field.min > 0 ? "Refund" : "Price");
    case FieldType::currency:
      return reference("schemas", "Currency");
    case FieldType::email:
      return R"({"type":"string","format":"email","maxLength":)" + std::to_string(field.max) + "}";
    case FieldType::user_id:
      return pattern_schema(id_pattern('u'));
    case FieldType::cart_id:
      return pattern_schema(id_pattern('c'));
    case FieldType::order_id:
      return pattern_schema(id_pattern('o'));
    case FieldType::time:
      return with(pattern_schema(time_pattern), R"("format":"date-time")");
    case FieldType::category:
      return R"({"type":"array","maxItems":)" + std::to_string(limits::category_depth_max) +
             ",\"items\":" + text_schema(line_pattern, 1, field.max) + "}";
    case FieldType::addresses:
      return R"({"type":"array","maxItems":)" + std::to_string(limits::images_max) +
             R"(,"items":{"type":"string","format":"uri","pattern":"^https?://[^\\s]+$","maxLength":)" +
             std::to_string(field.max) + "}}";
    case FieldType::gtin:
      return R"({"type":"string","pattern":"^([0-9]{8}|[0-9]{12,14})$"})";
    case FieldType::attributes:
      return R"({"type":"object","maxProperties":)" +
             std::to_string(field.id == FieldId::options ? limits::options_max
                                                         : limits::attributes_max) +
             ",\"propertyNames\":" +
             text_schema(line_pattern, 1,
                         static_cast<std::int64_t>(limits::attribute_name_bytes_max)) +
             R"(,"additionalProperties":{"anyOf":[)" + text_schema(line_pattern, 0, field.max) +
             R"(,{"type":"null"}]}})";
    case FieldType::object:
      return object(field.members);
    case FieldType::list:
      return R"({"type":"array","minItems":)" + std::to_string(field.min) +
             ",\"maxItems\":" + std::to_string(field.max) + ",\"items\":" + object(field.members) +
             "}";
    case FieldType::any_object:
      return R"({"type":"object","properties":{"country":{"anyOf":[)" +
             reference("schemas", "Country") + R"(,{"not":{"type":"string"}}]}}})";
    case FieldType::decimal:
      break;
  }
  return R"({"type":"string"})";
}

/// A member that may be missing may be null as well.
std::string OpenapiSchemas::member(const Field& field) const {
  auto schema = of_type(field);
  if (field.id == FieldId::delta) schema = with(schema, R"("not":{"const":0})");
  if (field.need == Need::optional) schema = "{\"anyOf\":[" + schema + R"(,{"type":"null"}]})";
  return field.about.empty() ? schema : with(schema, "\"description\":" + in_quotes(field.about));
}

std::string OpenapiSchemas::properties(std::span<const Field> fields, std::string& needed) const {
  std::string out;
  for (const auto& field : fields) {
    out += (out.empty() ? "" : ",") + in_quotes(field.name) + ":" + member(field);
    if (field.need == Need::required) needed += (needed.empty() ? "" : ",") + in_quotes(field.name);
  }
  return out;
}

std::string OpenapiSchemas::object(std::span<const Field> fields) const {
  std::string needed;
  const auto all = properties(fields, needed);
  std::string out = R"({"type":"object","additionalProperties":false)";
  if (!needed.empty()) out += ",\"required\":[" + needed + "]";
  return out + ",\"properties\":{" + all + "}}";
}

std::string OpenapiSchemas::in_path(const Field& field, Action action) const {
  if (action != Action::put_product || field.type != FieldType::sku) return of_type(field);
  return with(text_schema(new_sku_pattern, 1, static_cast<std::int64_t>(limits::sku_bytes_max)),
              "\"examples\":[" + in_quotes(sku_example) + "]");
}

std::string OpenapiSchemas::body(const CommandShape& shape) const {
  std::vector<Field> in_body;
  std::string changes;
  for (const auto& field : shape.fields) {
    if (field.place != Place::body) continue;
    in_body.push_back(field);
    const auto name = in_quotes(field.name);
    changes += (changes.empty() ? "" : ",");
    changes +=
        "{\"required\":[" + name + "],\"properties\":{" + name + R"(:{"not":{"type":"null"}}}})";
  }
  auto schema = object(in_body);
  if (shape.action == Action::update_user) schema = with(schema, "\"anyOf\":[" + changes + "]");
  return schema;
}

std::string OpenapiSchemas::batch() const {
  std::string out = "{\"oneOf\":[";
  for (std::size_t i = 0; i < command_count; ++i) {
    const auto& shape = shape_of(static_cast<Action>(i));
    std::vector<Field> fields(shape.fields.begin(), shape.fields.end());
    for (const auto& field : batch_fields())
      if (field.id != FieldId::command && (field.id != FieldId::wait || shape.waits != Waits::no))
        fields.push_back(field);
    std::string needed = "\"command\"";
    const auto all = properties(fields, needed);
    out += (i == 0 ? "" : ",");
    out += R"({"type":"object","additionalProperties":false,"required":[)" + needed +
           R"(],"properties":{"command":{"const":)" + in_quotes(shape.name) + "}," + all + "}}";
  }
  return out + "]}";
}

std::string OpenapiSchemas::in_query(const QueryField& field) const {
  if (!field.pattern.empty()) return pattern_schema(field.pattern);
  switch (field.type) {
    case QueryType::text:
      return R"({"type":"string","maxLength":)" +
             std::to_string(std::min(field.max, query_text_max)) + "}";
    case QueryType::count:
      return integer_schema(field.min, field.max);
    case QueryType::flag:
      return R"({"type":"boolean"})";
    case QueryType::amount:
      return pattern_schema(R"(^-?(0|[1-9][0-9]{0,11})(\\.[0-9]{1,6})?$)");
    case QueryType::currency:
      return reference("schemas", "Currency");
    case QueryType::time:
      return "{\"anyOf\":[" + with(pattern_schema(time_pattern), R"("format":"date-time")") + "," +
             with(pattern_schema(time_pattern), R"("format":"date")") + "]}";
    case QueryType::choice:
      return enum_schema(field.words);
    case QueryType::choices: {
      std::string words;
      for (const auto word : field.words) words += (words.empty() ? "" : "|") + std::string(word);
      return pattern_schema("^(" + words + ")(,(" + words + "))*$");
    }
  }
  return "{}";
}

std::string OpenapiSchemas::shared() {
  return R"("Currency":)" + enum_schema(payable(-1)) + ",\"Price\":" +
         money_schema(R"(^(0|[1-9][0-9]{0,9})(\\.[0-9]{1,6})?$)",
                      reference("schemas", "Currency")) +
         ",\"Refund\":" + refund_schema() +
         R"(,"Country":{"description":"ISO 3166-1: two letters, in any case, are a code that is )"
         R"(assigned; of a user three that are one become its two. Longer: a name as the merchant )"
         R"(has it.","anyOf":[)" +
         enum_schema(country_codes()) + "," +
         text_schema(R"(^(?![A-Za-z]{2}$)[^\\u0000-\\u001f\\u007f-\\u009f]*$)", 0,
                     static_cast<std::int64_t>(limits::country_bytes_max)) +
         "]}";
}

}  // namespace souk
