#include "tools/souk/client/json.h"

#include <simdjson.h>

#include <algorithm>
#include <charconv>

namespace souk::cli {

namespace dom = simdjson::dom;

struct JsonBuilder {
  static Json build(dom::element element) {
    Json out;
    switch (element.type()) {
      case dom::element_type::NULL_VALUE:
        break;
      case dom::element_type::BOOL:
        out.type_ = Json::Type::boolean;
        out.text_ = element.get_bool().value_unsafe() ? "true" : "false";
        break;
      case dom::element_type::INT64:
        out.type_ = Json::Type::number;
        out.text_ = std::to_string(element.get_int64().value_unsafe());
        break;
      case dom::element_type::UINT64:
        out.type_ = Json::Type::number;
        out.text_ = std::to_string(element.get_uint64().value_unsafe());
        break;
      case dom::element_type::DOUBLE:
        out.type_ = Json::Type::number;
        out.text_ = simdjson::minify(element);
        break;
      case dom::element_type::STRING:
        out.type_ = Json::Type::string;
        out.text_ = std::string(element.get_string().value_unsafe());
        break;
      case dom::element_type::ARRAY:
        out.type_ = Json::Type::array;
        for (const dom::element item : dom::array(element.get_array().value_unsafe()))
          out.items_.push_back(build(item));
        break;
      case dom::element_type::OBJECT:
        out.type_ = Json::Type::object;
        for (const auto& field : dom::object(element.get_object().value_unsafe()))
          out.members_.emplace_back(std::string(field.key), build(field.value));
        break;
    }
    return out;
  }
};

std::optional<Json> Json::parse(std::string_view text) {
  dom::parser parser;
  dom::element root;
  if (parser.parse(text.data(), text.size()).get(root) != simdjson::SUCCESS) return std::nullopt;
  return JsonBuilder::build(root);
}

const Json& Json::operator[](std::string_view name) const {
  static const Json none;
  for (const auto& [member, value] : members_)
    if (member == name) return value;
  return none;
}

std::int64_t Json::integer() const {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text_.data(), text_.data() + text_.size(), value);
  return error == std::errc{} && end == text_.data() + text_.size() ? value : 0;
}

std::string Json::money() const {
  const Json& amount = (*this)["amount"];
  if (amount.is_null()) return {};
  return amount.text() + " " + (*this)["currency"].text();
}

std::string json_string(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

struct BatchAnswerReader::Parser {
  dom::parser dom;
};

BatchAnswerReader::BatchAnswerReader() : parser_(std::make_unique<Parser>()) {}
BatchAnswerReader::~BatchAnswerReader() = default;

namespace {
void take_string(const dom::object& object, std::string_view name, std::string& out) {
  std::string_view text;
  if (object[name].get(text) == simdjson::SUCCESS) out = text;
}

/// False where it is no answer.
bool take_answer(dom::element line, std::string_view id_member, BatchAnswer& out) {
  dom::object answer, body;
  std::int64_t status = 0;
  if (line.get(answer) != simdjson::SUCCESS || answer["status"].get(status) != simdjson::SUCCESS ||
      status < 100 || status > 599)
    return false;
  out.status = static_cast<int>(status);
  bool replayed = false;
  if (answer["replayed"].get(replayed) == simdjson::SUCCESS) out.replayed = replayed;
  std::int64_t version = 0;
  if (answer["version"].get(version) == simdjson::SUCCESS) out.version = version;
  if (answer["body"].get(body) != simdjson::SUCCESS) return true;
  if (status >= 400) {
    take_string(body, "code", out.code);
    take_string(body, "detail", out.detail);
  } else if (!id_member.empty()) {
    take_string(body, id_member, out.id);
    take_string(body, "status", out.order_status);
    take_string(body, "reason", out.code);
  }
  return true;
}
}  // namespace

std::optional<std::vector<BatchAnswer>> BatchAnswerReader::read(std::string_view lines,
                                                                std::string_view id_member) {
  std::vector<BatchAnswer> out;
  dom::document_stream stream;
  const simdjson::padded_string padded(lines);
  // A window that holds everything: no answer is cut in two.
  const std::size_t window =
      std::max<std::size_t>(padded.size() + 1, simdjson::dom::MINIMAL_BATCH_SIZE);
  if (parser_->dom.parse_many(padded, window).get(stream) != simdjson::SUCCESS) return std::nullopt;
  for (auto line : stream) {
    dom::element element;
    if (line.get(element) != simdjson::SUCCESS ||
        !take_answer(element, id_member, out.emplace_back()))
      return std::nullopt;
  }
  if (stream.truncated_bytes() != 0) return std::nullopt;
  return out;
}

}  // namespace souk::cli
