#include "gateway/api/commands/json.h"

#include <simdjson.h>

#include <algorithm>
#include <cctype>
#include <optional>
#include <string>
#include <vector>

#include "events/limits.h"
#include "events/result.h"
#include "gateway/api/commands/json_numbers.h"
#include "gateway/api/edge/limits.h"

namespace souk {
namespace {

namespace dom = simdjson::dom;
constexpr std::size_t first_capacity = 4096;
static_assert(simdjson::SIMDJSON_PADDING <= 64);

/// -1 where there are not four hex digits at `at`.
int unicode_escape(std::string_view text, std::size_t at) {
  if (at + 4 > text.size()) return -1;
  int value = 0;
  for (const char c : text.substr(at, 4)) {
    if (std::isxdigit(static_cast<unsigned char>(c)) == 0) return -1;
    value = value * 16 + (c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
  }
  return value;
}

/// simdjson 3.0 lets some lone surrogates through.
bool surrogates_are_paired(std::string_view text) {
  for (std::size_t i = text.find('\\'); i != std::string_view::npos; i = text.find('\\', i)) {
    if (i + 1 >= text.size() || text[i + 1] != 'u') {
      i += 2;
      continue;
    }
    const int unit = unicode_escape(text, i + 2);
    i += 6;
    if (unit < 0xd800 || unit > 0xdfff) continue;
    if (unit >= 0xdc00) return false;
    if (i + 1 >= text.size() || text[i] != '\\' || text[i + 1] != 'u') return false;
    const int second = unicode_escape(text, i + 2);
    if (second < 0xdc00 || second > 0xdfff) return false;
    i += 6;
  }
  return true;
}

/// What makes JSON invalid for us though simdjson takes it: a member that stands twice, and the one
/// level too many that it does not count (an empty list or object). Null: nothing. Cold: only asked
/// where a request is refused anyway, or for objects of the client's own making.
const char* flaw_of(dom::element element, std::size_t depth) {
  const bool nests = element.is_array() || element.is_object();
  if (nests && depth > limits::json_depth_max) return "it is nested too deeply";
  if (element.is_array()) {
    for (const auto child : dom::array(element))
      if (const auto* flaw = flaw_of(child, depth + 1)) return flaw;
  } else if (element.is_object()) {
    std::vector<std::string_view> keys;
    for (const auto [key, child] : dom::object(element)) {
      keys.push_back(key);
      if (const auto* flaw = flaw_of(child, depth + 1)) return flaw;
    }
    std::sort(keys.begin(), keys.end());
    if (std::adjacent_find(keys.begin(), keys.end()) != keys.end()) return "a member stands twice";
  }
  return nullptr;
}

bool fail(Problem& problem, Problem why) {
  problem = std::move(why);
  return false;
}

bool duplicate(Problem& problem, std::string_view name) {
  return fail(problem, invalid_json("the member " + std::string(name) + " stands twice"));
}

/// Puts what is around a member in front of its path.
bool inside(Problem& problem, const std::string_view outer) {
  if (problem.status == 422) {
    const std::string_view dot = problem.path.empty() || problem.path[0] == '[' ? "" : ".";
    problem.path = std::string(outer) + std::string(dot) + problem.path;
  }
  return false;
}

std::string list_path(const Field& field, std::size_t index) {
  return std::string(field.name) + "[" + std::to_string(index) + "]";
}

std::string unknown_member_detail(std::span<const Field> fields) {
  std::string detail = "is not known here; known are:";
  for (const auto& field : fields)
    if (field.place == Place::body) detail += ' ' + std::string(field.name);
  return detail;
}

/// Which members of a table a JSON object may hold.
enum class Members { body_only, all };

class Walk {
 public:
  /// `read_only`: members of the document that GET gives and that stand here too.
  Walk(std::span<const std::string_view> read_only, CommandInput& out, Problem& problem)
      : read_only_(read_only), out_(out), problem_(problem) {}

  /// Reads `source` into `set`. `more`: a second table whose members stand beside. A member that is
  /// null is absent.
  bool object(std::span<const Field> fields, std::span<const Field> more, Members members,
              dom::object source, FieldSet& set) {
    std::uint64_t seen = 0;
    for (const auto [key, value] : source) {
      const Field* field = find_field(fields, key);
      if (field != nullptr && field->place == Place::path && members == Members::body_only)
        field = nullptr;
      if (field == nullptr) field = find_field(more, key);
      if (field == nullptr) {
        if (!passed_over(fields, key, value)) return false;
        continue;
      }
      if ((seen & bit_of(field->id)) != 0) return duplicate(problem_, key);
      seen |= bit_of(field->id);
      if (!value.is_null() && !member(*field, value, set)) return false;
    }
    return true;
  }

  /// What was ignored must be JSON as all the rest.
  bool no_flaw_passed_over(dom::element root) {
    const auto* flaw = read_only_seen_ ? flaw_of(root, 1) : nullptr;
    return flaw == nullptr || fail(problem_, invalid_json(flaw));
  }

 private:
  /// A member of no table: one that may be read but not changed is ignored, but the path's must be
  /// the path's.
  bool passed_over(std::span<const Field> fields, std::string_view key, dom::element value) {
    if (std::find(read_only_.begin(), read_only_.end(), key) == read_only_.end())
      return fail(problem_, invalid_request(std::string(key), unknown_member_detail(fields)));
    read_only_seen_ = true;
    const Field* in_path = find_field(fields, key);
    std::string_view text;
    if (in_path == nullptr || value.is_null()) return true;
    if (value.get_string().get(text) == simdjson::SUCCESS && is_in_path(*in_path, text))
      return true;
    return fail(problem_, invalid_request(std::string(key), "is another one than in the path"));
  }

  bool is_in_path(const Field& field, std::string_view text) const {
    if (field.type != FieldType::user_id) return out_.fields.at(field.id).text == text;
    const auto id = UserId::parse(text);
    return id && *id == out_.fields.user;
  }

  bool member(const Field& field, dom::element value, FieldSet& set) {
    switch (field.type) {
      case FieldType::integer: {
        std::int64_t number = 0;
        if (value.get_int64().get(number) != simdjson::SUCCESS)
          return fail(problem_, wrong_type(field));
        return take_integer(field, number, set, problem_);
      }
      case FieldType::boolean: {
        bool truth = false;
        if (value.get_bool().get(truth) != simdjson::SUCCESS)
          return fail(problem_, wrong_type(field));
        return take_boolean(field, truth ? 1 : 0, set, problem_);
      }
      case FieldType::money:
        return money(field, value, set);
      case FieldType::category:
        return texts(field, value, out_.category, take_category_level);
      case FieldType::addresses:
        return texts(field, value, out_.images, take_image);
      case FieldType::attributes:
        return attributes(field, value);
      case FieldType::object:
        return nested(field, value, set);
      case FieldType::list:
        return list(field, value);
      case FieldType::any_object:
        return any_object(field, value);
      default: {
        std::string_view text;
        if (value.get_string().get(text) != simdjson::SUCCESS)
          return fail(problem_, wrong_type(field));
        return take_text(field, text, set, problem_);
      }
    }
  }

  bool money(const Field& field, dom::element value, FieldSet& set) {
    dom::object source;
    if (value.get_object().get(source) != simdjson::SUCCESS)
      return fail(problem_, wrong_type(field));
    FieldSet inner;
    if (!object(money_fields(), {}, Members::all, source, inner) ||
        !check_members(money_fields(), inner, problem_))
      return inside(problem_, field.name);
    return take_money(field, Micros{inner.at(FieldId::amount).number},
                      inner.at(FieldId::currency).text, set, problem_);
  }

  /// The members go to the same set: no other member of the command has their ids.
  bool nested(const Field& field, dom::element value, FieldSet& set) {
    dom::object source;
    if (value.get_object().get(source) != simdjson::SUCCESS)
      return fail(problem_, wrong_type(field));
    if (!object(field.members, {}, Members::all, source, set) ||
        !check_members(field.members, set, problem_))
      return inside(problem_, field.name);
    set.present |= bit_of(field.id);
    return true;
  }

  bool list(const Field& field, dom::element value) {
    dom::array source;
    if (value.get_array().get(source) != simdjson::SUCCESS)
      return fail(problem_, wrong_type(field));
    const auto where = [&] { return list_path(field, out_.lines.size()); };
    for (const auto element : source) {
      if (static_cast<std::int64_t>(out_.lines.size()) >= field.max)
        return fail(problem_, wrong_type(field));
      dom::object one;
      if (element.get_object().get(one) != simdjson::SUCCESS)
        return fail(problem_, invalid_request(where(), "must be an object"));
      FieldSet line;
      if (!object(field.members, {}, Members::all, one, line) ||
          !check_members(field.members, line, problem_))
        return inside(problem_, where());
      take_line(line, out_);
    }
    if (static_cast<std::int64_t>(out_.lines.size()) < field.min)
      return fail(problem_, wrong_type(field));
    out_.fields.present |= bit_of(field.id);
    return true;
  }

  /// `taken`: where `take` puts what it takes.
  template <class Take>
  bool texts(const Field& field, dom::element value, const std::vector<std::string_view>& taken,
             Take take) {
    dom::array source;
    if (value.get_array().get(source) != simdjson::SUCCESS)
      return fail(problem_, wrong_type(field));
    out_.fields.present |= bit_of(field.id);
    for (const auto element : source) {
      std::string_view text;
      if (element.get_string().get(text) != simdjson::SUCCESS)
        return fail(problem_, invalid_request(list_path(field, taken.size()), "must be a text"));
      if (!take(field, text, out_, problem_)) return false;
    }
    return true;
  }

  bool attributes(const Field& field, dom::element value) {
    dom::object source;
    bool nulls = false;
    if (value.get_object().get(source) != simdjson::SUCCESS)
      return fail(problem_, wrong_type(field));
    out_.fields.present |= bit_of(field.id);
    for (const auto [name, element] : source) {
      std::string_view text;
      if (element.is_null()) {
        nulls = true;
        continue;
      }
      if (element.get_string().get(text) != simdjson::SUCCESS)
        return fail(problem_, invalid_request(std::string(field.name) + "." + std::string(name),
                                              "must be a text"));
      if (!take_attribute(field, name, text, out_, problem_)) return false;
    }
    if (!finish_attributes(field, out_))
      return duplicate(problem_, "of " + std::string(field.name));
    const auto* flaw = nulls ? flaw_of(value, depth_of_member) : nullptr;
    return flaw == nullptr || fail(problem_, invalid_json(flaw));
  }

  bool any_object(const Field& field, dom::element value) {
    if (!value.is_object()) return fail(problem_, wrong_type(field));
    if (const auto* flaw = flaw_of(value, depth_of_member))
      return fail(problem_, invalid_json(flaw));
    return take_address(field, simdjson::minify(value), out_, problem_);
  }

  static constexpr std::size_t depth_of_member = 2;  // of the body

  std::span<const std::string_view> read_only_;
  CommandInput& out_;
  Problem& problem_;
  bool read_only_seen_ = false;
};

/// Back to what was there before a body was read: the path's parameters.
void start_over(CommandInput& out, std::uint64_t present) {
  out.clear();
  out.fields.present = present;
}

}  // namespace

struct CommandReader::Parser {
  dom::parser dom;
  std::string padded;  // where the text had to be changed

  bool parse(std::string_view text, dom::element& root, Problem& problem) {
    if (text.empty()) return fail(problem, invalid_json("there is no JSON"));
    if (dom.capacity() < text.size() &&
        dom.allocate(std::max(first_capacity, text.size() * 2), limits::json_depth_max + 1) !=
            simdjson::SUCCESS)
      return fail(problem, overloaded());
    const auto error =
        dom.parse(reinterpret_cast<const std::uint8_t*>(text.data()), text.size(), false).get(root);
    if (error != simdjson::SUCCESS)
      return fail(problem, invalid_json(simdjson::error_message(error)));
    if (text.find('\\') != std::string_view::npos && !surrogates_are_paired(text))
      return fail(problem, invalid_json("a surrogate stands alone"));
    return true;
  }

  /// Parses, then lets `use` look at the root object; twice where numbers are not in their plain
  /// form. Where the answer is a 422, a flaw anywhere in the text makes it a 400.
  template <class Use>
  bool with_object(std::string_view text, Problem& problem, Use use) {
    dom::element root;
    if (!parse(text, root, problem))
      return problem.status == 400 && !text.empty() && with_plain(text, problem, use);
    if (on_root(root, problem, use)) return true;
    if (problem.status != 422) return false;
    if (const auto* flaw = flaw_of(root, 1)) return fail(problem, invalid_json(flaw));
    return with_plain(text, problem, use);
  }

 private:
  template <class Use>
  bool on_root(dom::element root, Problem& problem, Use use) {
    dom::object object;
    if (root.get_object().get(object) != simdjson::SUCCESS)
      return fail(problem, invalid_request("", "must be an object"));
    return use(root, object);
  }

  /// False, with the problem as it is, where the numbers are plain already.
  template <class Use>
  bool with_plain(std::string_view text, Problem& problem, Use use) {
    auto plain = with_plain_numbers(text);
    if (plain.text == text) return false;
    padded = std::move(plain.text);
    const auto size = padded.size();
    padded.resize(size + simdjson::SIMDJSON_PADDING);
    dom::element root;
    if (!parse(std::string_view(padded).substr(0, size), root, problem)) return false;
    bool good = on_root(root, problem, use);
    if (good && plain.too_large)
      good = fail(problem, invalid_request("", "a number is out of range"));
    if (good || problem.status != 422) return good;
    if (const auto* flaw = flaw_of(root, 1)) problem = invalid_json(flaw);
    return false;
  }
};

CommandReader::CommandReader() : parser_(std::make_unique<Parser>()) {}
CommandReader::~CommandReader() = default;

bool CommandReader::read_body(const CommandShape& shape, std::string_view text, CommandInput& out,
                              Problem& problem) {
  const auto present = out.fields.present;
  return parser_->with_object(text, problem, [&](dom::element root, dom::object object) {
    start_over(out, present);
    Walk walk(read_only_members(shape.action), out, problem);
    return walk.object(shape.fields, {}, Members::body_only, object, out.fields) &&
           walk.no_flaw_passed_over(root) && check_complete(shape, out, problem);
  });
}

bool CommandReader::read_line(std::string_view text, const CommandShape*& shape, CommandInput& out,
                              Problem& problem) {
  const auto present = out.fields.present;
  return parser_->with_object(text, problem, [&](dom::element root, dom::object object) {
    start_over(out, present);
    std::string_view name;
    const auto error = object["command"].get_string().get(name);
    if (error == simdjson::NO_SUCH_FIELD || object["command"].is_null())
      return fail(problem, invalid_request("command", "is missing"));
    if (error != simdjson::SUCCESS)
      return fail(problem, invalid_request("command", "must be a text"));
    shape = find_command(name);
    if (shape == nullptr) return fail(problem, invalid_request("command", "is not a command"));
    Walk walk(read_only_members(shape->action), out, problem);
    return walk.object(shape->fields, batch_fields(), Members::all, object, out.fields) &&
           walk.no_flaw_passed_over(root) && check_complete(*shape, out, problem);
  });
}

bool CommandReader::read_object(std::string_view text, std::string& shortest, Problem& problem) {
  return parser_->with_object(text, problem, [&](dom::element root, dom::object) {
    if (const auto* flaw = flaw_of(root, 1)) return fail(problem, invalid_json(flaw));
    shortest = simdjson::minify(root);
    return true;
  });
}

}  // namespace souk
