#include "gateway/api/commands/input.h"

#include <algorithm>

#include "events/currencies.h"
#include "events/gtin.h"
#include "events/limits.h"
#include "events/result.h"
#include "events/time.h"
#include "events/utf8.h"
#include "events/web_address.h"
#include "gateway/api/commands/countries.h"
#include "gateway/api/commands/unicode.h"
#include "gateway/api/edge/text.h"

namespace souk {
namespace {

bool refuse(Problem& problem, const Field& field, std::string detail) {
  problem = invalid_request(std::string(field.name), std::move(detail));
  return false;
}

std::string between(std::int64_t min, std::int64_t max) {
  return std::to_string(min) + " to " + std::to_string(max);
}

bool length_is_right(const Field& field, std::string_view text, Problem& problem) {
  const auto size = static_cast<std::int64_t>(text.size());
  if (size >= field.min && size <= field.max) return true;
  return refuse(problem, field, "must have " + between(field.min, field.max) + " bytes");
}

bool is_long_text(std::string_view text) {
  for (const char c : text)
    if ((static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\r' && c != '\t') || c == 0x7f)
      return false;
  return true;
}

bool is_printable_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c <= 0x7e; });
}

bool is_email(std::string_view text) {
  if (text.size() > limits::email_bytes_max) return false;
  const auto at = text.find('@');
  if (at == std::string_view::npos || at == 0 || at + 1 == text.size()) return false;
  if (text.find('@', at + 1) != std::string_view::npos || text.substr(at + 1) == ".") return false;
  return text.find(' ') == std::string_view::npos && utf8_valid_without_controls(text);
}

/// What people must be able to read: names, and why stock was adjusted.
bool must_be_seen(const Field& field, std::string_view text) {
  return !text.empty() && (field.id == FieldId::name || field.id == FieldId::reason);
}

/// A text without line breaks and within its length.
bool take_line_text(const Field& field, std::string_view text, FieldSet& out, Problem& problem) {
  if (!utf8_valid_without_controls(text))
    return refuse(problem, field, "must not hold control characters");
  if (must_be_seen(field, text) && !has_visible(text))
    return refuse(problem, field, "must hold a character that can be seen");
  if (field.id == FieldId::country)
    if (auto why = why_no_country(text); !why.empty())
      return refuse(problem, field, std::move(why));
  out.set(field.id, {text, 0});
  return true;
}

/// An id in the path that is none names nothing; one in a body is of the wrong shape.
template <class Id>
bool take_id(const Field& field, std::string_view text, Id& out, Problem& problem) {
  const auto id = Id::parse(text);
  if (id) {
    out = *id;
    return true;
  }
  if (field.place == Place::path) {
    problem = not_found("there is nothing with this id");
    return false;
  }
  return refuse(problem, field, "is not an id");
}

bool is_word(const Field& field, std::string_view text) {
  return std::find(field.words.begin(), field.words.end(), text) != field.words.end();
}

std::string words_of(const Field& field) {
  std::string all = "must be ";
  for (const auto word : field.words) {
    if (word != field.words.front()) all += " or ";
    all += '"';
    all += word;
    all += '"';
  }
  return all;
}

/// Keeps a text that has passed.
bool keep(const Field& field, std::string_view text, FieldSet& out, std::int64_t number = 0) {
  out.set(field.id, {text, number});
  return true;
}

void append_bytes(std::string& out, std::string_view text) {
  const auto size = static_cast<std::uint32_t>(text.size());
  for (int shift = 0; shift < 32; shift += 8) out += static_cast<char>(size >> shift & 0xff);
  out += text;
}

void append_word(std::string& out, std::int64_t value) {
  const auto bits = static_cast<std::uint64_t>(value);
  for (int shift = 0; shift < 64; shift += 8) out += static_cast<char>(bits >> shift & 0xff);
}

}  // namespace

void CommandInput::clear() {
  fields.present = 0;
  category.clear();
  attributes.clear();
  images.clear();
  options.clear();
  lines.clear();
  address.clear();
}

bool take_text(const Field& field, std::string_view text, FieldSet& out, Problem& problem) {
  switch (field.type) {
    case FieldType::sku:
      if (Sku::parse(text)) return keep(field, text, out);
      return refuse(problem, field,
                    "must be " + between(1, static_cast<std::int64_t>(limits::sku_bytes_max)) +
                        " bytes of UTF-8 without control characters or '/'");
    case FieldType::line_text:
      return length_is_right(field, text, problem) && take_line_text(field, text, out, problem);
    case FieldType::long_text:
      if (!length_is_right(field, text, problem)) return false;
      if (is_long_text(text)) return keep(field, text, out);
      return refuse(problem, field, "must not hold control characters but line breaks and tabs");
    case FieldType::ascii_text:
      if (!length_is_right(field, text, problem)) return false;
      if (is_printable_ascii(text)) return keep(field, text, out);
      return refuse(problem, field, "must be printable ASCII");
    case FieldType::word:
      return is_word(field, text) ? keep(field, text, out)
                                  : refuse(problem, field, words_of(field));
    case FieldType::currency:
      if (auto why = why_not_payable(text); !why.empty())
        return refuse(problem, field, std::move(why));
      return keep(field, text, out);
    case FieldType::email:
      if (is_email(text)) return keep(field, text, out);
      return refuse(problem, field, "is not an email address");
    case FieldType::decimal: {
      const auto amount = parse_decimal(text);
      if (!amount)
        return refuse(problem, field, "must be a decimal with at most 6 places, as 12.50");
      return keep(field, text, out, amount->value);
    }
    case FieldType::gtin:
      if (auto why = why_no_gtin(text); !why.empty()) return refuse(problem, field, std::move(why));
      return keep(field, text, out);
    case FieldType::time: {
      const auto at = parse_rfc3339(text);
      if (!at) return refuse(problem, field, "must be a time as 2011-08-31T11:25:00Z");
      return keep(field, text, out, at->value);
    }
    case FieldType::user_id:
      return take_id(field, text, out.user, problem) && keep(field, text, out);
    case FieldType::cart_id:
      return take_id(field, text, out.cart, problem) && keep(field, text, out);
    case FieldType::order_id:
      return take_id(field, text, out.order, problem) && keep(field, text, out);
    default:
      problem = wrong_type(field);
      return false;
  }
}

bool take_integer(const Field& field, std::int64_t value, FieldSet& out, Problem& problem) {
  if (field.type != FieldType::integer || value < field.min || value > field.max) {
    problem = wrong_type(field);
    return false;
  }
  return keep(field, {}, out, value);
}

bool take_boolean(const Field& field, std::int64_t value, FieldSet& out, Problem& problem) {
  if (field.type == FieldType::boolean) return keep(field, {}, out, value);
  problem = wrong_type(field);
  return false;
}

bool take_money(const Field& field, Micros amount, std::string_view currency, FieldSet& out,
                Problem& problem) {
  if (auto why = why_not_payable(currency); !why.empty()) {
    problem = invalid_request(std::string(field.name) + ".currency", std::move(why));
    return false;
  }
  if (amount.value < field.min || amount.value > field.max) {
    problem = invalid_request(
        std::string(field.name) + ".amount",
        "must be " + to_decimal(Micros{field.min}) + " to " + to_decimal(Micros{field.max}));
    return false;
  }
  return keep(field, currency, out, amount.value);
}

bool take_category_level(const Field& field, std::string_view text, CommandInput& out,
                         Problem& problem) {
  if (out.category.size() >= limits::category_depth_max)
    return refuse(problem, field,
                  "must have at most " + std::to_string(limits::category_depth_max) + " levels");
  if (text.empty() || static_cast<std::int64_t>(text.size()) > field.max ||
      !utf8_valid_without_controls(text)) {
    problem =
        invalid_request(std::string(field.name) + "[" + std::to_string(out.category.size()) + "]",
                        "must have " + between(1, field.max) + " bytes and no control characters");
    return false;
  }
  out.fields.present |= bit_of(field.id);
  out.category.push_back(text);
  return true;
}

bool take_attribute(const Field& field, std::string_view name, std::string_view value,
                    CommandInput& out, Problem& problem) {
  auto& named = out.named(field.id);
  const std::size_t most =
      field.id == FieldId::options ? limits::options_max : limits::attributes_max;
  if (named.size() >= most)
    return refuse(problem, field, "must have at most " + std::to_string(most) + " members");
  if (name.empty() || name.size() > limits::attribute_name_bytes_max ||
      !utf8_valid_without_controls(name))
    return refuse(problem, field,
                  "a name must have 1 to " + std::to_string(limits::attribute_name_bytes_max) +
                      " bytes and no control characters");
  if (static_cast<std::int64_t>(value.size()) > field.max || !utf8_valid_without_controls(value)) {
    problem = invalid_request(
        std::string(field.name) + "." + std::string(name),
        "must have at most " + std::to_string(field.max) + " bytes and no control characters");
    return false;
  }
  named.emplace_back(name, value);
  return true;
}

bool take_image(const Field& field, std::string_view text, CommandInput& out, Problem& problem) {
  if (out.images.size() >= limits::images_max)
    return refuse(problem, field,
                  "must have at most " + std::to_string(limits::images_max) + " addresses");
  if (static_cast<std::int64_t>(text.size()) > field.max || !is_web_address(text)) {
    problem =
        invalid_request(std::string(field.name) + "[" + std::to_string(out.images.size()) + "]",
                        "must be an http or https address of at most " + std::to_string(field.max) +
                            " bytes without blanks and control characters");
    return false;
  }
  out.fields.present |= bit_of(field.id);
  out.images.push_back(text);
  return true;
}

bool finish_attributes(const Field& field, CommandInput& out) {
  auto& named = out.named(field.id);
  std::sort(named.begin(), named.end());
  return std::adjacent_find(named.begin(), named.end(), [](const auto& a, const auto& b) {
           return a.first == b.first;
         }) == named.end();
}

void take_line(const FieldSet& line, CommandInput& out) {
  InputLine taken{.sku = line.at(FieldId::sku).text, .quantity = line.at(FieldId::quantity).number};
  if (line.has(FieldId::unit_price)) {
    taken.priced = true;
    taken.price = Micros{line.at(FieldId::unit_price).number};
    taken.currency = line.at(FieldId::unit_price).text;
  }
  out.lines.push_back(taken);
}

bool take_address(const Field& field, std::string json, CommandInput& out, Problem& problem) {
  if (static_cast<std::int64_t>(json.size()) > field.max)
    return refuse(problem, field, "must have at most " + std::to_string(field.max) + " bytes");
  out.address = std::move(json);
  out.fields.present |= bit_of(field.id);
  return true;
}

Problem wrong_type(const Field& field) {
  const auto words = [&]() -> std::string {
    switch (field.type) {
      case FieldType::integer:
        return "must be an integer from " + between(field.min, field.max);
      case FieldType::boolean:
        return "must be true or false";
      case FieldType::money:
        return R"(must be an object as {"amount":"12.50","currency":"GBP"})";
      case FieldType::category:
        return "must be a list of texts";
      case FieldType::addresses:
        return "must be a list of http or https addresses";
      case FieldType::attributes:
        return "must be an object of texts";
      case FieldType::object:
      case FieldType::any_object:
        return "must be an object";
      case FieldType::list:
        return "must be a list of " + between(field.min, field.max) + " objects";
      default:
        return "must be a text";
    }
  }();
  return invalid_request(std::string(field.name), words);
}

bool check_members(std::span<const Field> fields, const FieldSet& given, Problem& problem) {
  const auto missing = required_fields(fields) & ~given.present;
  if (missing == 0) return true;
  for (const auto& field : fields)
    if ((missing & bit_of(field.id)) != 0) {
      problem = invalid_request(std::string(field.name), "is missing");
      return false;
    }
  return true;
}

bool check_complete(const CommandShape& shape, const CommandInput& input, Problem& problem) {
  if (!check_members(shape.fields, input.fields, problem)) return false;
  if (shape.action == Action::adjust_stock && input.fields.at(FieldId::delta).number == 0) {
    problem = invalid_request("delta", "must not be 0");
    return false;
  }
  if (!input.options.empty() && !input.fields.has(FieldId::group)) {
    problem = invalid_request("options", "stand only with a group: they tell its variants apart");
    return false;
  }
  constexpr auto changes =
      bit_of(FieldId::email) | bit_of(FieldId::name) | bit_of(FieldId::country);
  if (shape.action == Action::update_user && (input.fields.present & changes) == 0) {
    problem = invalid_request("", "must change something: email, name or country");
    return false;
  }
  if (shape.action == Action::refund_order && input.fields.has(FieldId::amount)) {
    const auto& amount = input.fields.at(FieldId::amount);
    const Currency currency = Currency::parse(amount.text).value_or(Currency{});
    if (to_minor_units(Micros{amount.number}, currency) != Micros{amount.number}) {
      problem =
          invalid_request("amount.amount",
                          "must have at most " + std::to_string(minor_digits(currency)) +
                              " decimals: no less of " + std::string(amount.text) + " can be paid");
      return false;
    }
  }
  for (std::size_t i = 1; i < input.lines.size(); ++i)
    if (shape.action == Action::accept_return &&
        input.lines[i].currency != input.lines[0].currency) {
      problem = invalid_request("lines[" + std::to_string(i) + "].unit_price.currency",
                                "must be that of the first line");
      return false;
    }
  return true;
}

std::string canonical_bytes(const CommandShape& shape, const CommandInput& input) {
  std::string out(shape.name);
  for (const auto& field : shape.fields) {
    if (!input.fields.has(field.id)) continue;
    out += static_cast<char>(field.id);
    switch (field.type) {
      case FieldType::category:
        append_word(out, static_cast<std::int64_t>(input.category.size()));
        for (const auto level : input.category) append_bytes(out, level);
        break;
      case FieldType::addresses:
        append_word(out, static_cast<std::int64_t>(input.images.size()));
        for (const auto image : input.images) append_bytes(out, image);
        break;
      case FieldType::attributes:
        append_word(out, static_cast<std::int64_t>(input.named(field.id).size()));
        for (const auto& [name, value] : input.named(field.id)) {
          append_bytes(out, name);
          append_bytes(out, value);
        }
        break;
      case FieldType::list:
        append_word(out, static_cast<std::int64_t>(input.lines.size()));
        for (const auto& line : input.lines) {
          append_bytes(out, line.sku);
          append_word(out, line.quantity);
          append_word(out, line.priced ? line.price.value : -1);
          append_bytes(out, line.currency);
        }
        break;
      case FieldType::object:
        for (const auto& member : field.members)
          if (input.fields.has(member.id)) {
            out += static_cast<char>(member.id);
            append_bytes(out, input.fields.at(member.id).text);
          }
        break;
      case FieldType::any_object:
        append_bytes(out, input.address);
        break;
      case FieldType::time:
        append_word(out, input.fields.at(field.id).number);
        break;
      default:
        append_bytes(out, input.fields.at(field.id).text);
        append_word(out, input.fields.at(field.id).number);
    }
  }
  return out;
}

}  // namespace souk
