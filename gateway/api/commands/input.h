#pragma once
/// What a client said, checked field by field against the tables of api_fields.h, whether it came
/// as JSON, as Cap'n Proto or in a path.
#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "events/ids.h"
#include "events/money.h"
#include "gateway/api/commands/fields.h"
#include "gateway/api/edge/problem.h"

namespace souk {

/// One value of a field. A text is a view into the reader's buffers: it lives until its next read.
struct Value {
  std::string_view text;  // a text; the currency of a money
  std::int64_t number;    // an integer, a boolean, a time in ms, an amount in micros
};

/// The fields of one object; those that are not `present` hold rubbish.
struct FieldSet {
  std::uint64_t present = 0;
  std::array<Value, field_count> values;
  UserId user;  // where the field is present
  CartId cart;
  OrderId order;

  bool has(FieldId id) const { return (present & bit_of(id)) != 0; }
  const Value& at(FieldId id) const { return values[static_cast<std::size_t>(id)]; }
  void set(FieldId id, Value value) {
    present |= bit_of(id);
    values[static_cast<std::size_t>(id)] = value;
  }
};

struct InputLine {
  std::string_view sku;
  std::int64_t quantity = 0;
  bool priced = false;
  Micros price = {};
  std::string_view currency = {};
};

using NamedTexts = std::vector<std::pair<std::string_view, std::string_view>>;

/// A whole command as a client gave it.
struct CommandInput {
  FieldSet fields;
  std::vector<std::string_view> category;
  NamedTexts attributes;  // sorted by name
  std::vector<std::string_view> images;
  NamedTexts options;  // sorted by name
  std::vector<InputLine> lines;
  std::string address;  // JSON in its shortest form

  /// Of a field of the type `attributes`.
  NamedTexts& named(FieldId id) { return id == FieldId::options ? options : attributes; }
  const NamedTexts& named(FieldId id) const {
    return id == FieldId::options ? options : attributes;
  }
  void clear();
};

/// Takes one value: checks its type and limits and keeps it. On false `problem` is filled, its path
/// the field's own name (or deeper); the caller puts what is around it in front.
///
/// REQUIRES: `text` is UTF-8.
bool take_text(const Field& field, std::string_view text, FieldSet& out, Problem& problem);
bool take_integer(const Field& field, std::int64_t value, FieldSet& out, Problem& problem);
bool take_boolean(const Field& field, std::int64_t value, FieldSet& out, Problem& problem);
bool take_money(const Field& field, Micros amount, std::string_view currency, FieldSet& out,
                Problem& problem);
bool take_category_level(const Field& field, std::string_view text, CommandInput& out,
                         Problem& problem);
bool take_attribute(const Field& field, std::string_view name, std::string_view value,
                    CommandInput& out, Problem& problem);
bool take_image(const Field& field, std::string_view text, CommandInput& out, Problem& problem);
/// Sorts the members of `field`; false where a name stands twice.
bool finish_attributes(const Field& field, CommandInput& out);
/// Moves the fields of `line` (one element of a list) to `out.lines`.
void take_line(const FieldSet& line, CommandInput& out);
/// `json`: an object in its shortest form.
bool take_address(const Field& field, std::string json, CommandInput& out, Problem& problem);
/// A member of the wrong type. Says what is wanted.
Problem wrong_type(const Field& field);
/// Every required field is there, and what the table cannot say: an adjustment of 0, a change of
/// nothing, returns of several currencies, options without a group.
bool check_complete(const CommandShape& shape, const CommandInput& input, Problem& problem);
/// False where a required member of `fields` is missing; the path is its name.
bool check_members(std::span<const Field> fields, const FieldSet& given, Problem& problem);

/// The command in a form that does not depend on how it was written (order of members, blanks, JSON
/// or Cap'n Proto): what the request hash of an idempotency key is taken of. Append only: stored.
std::string canonical_bytes(const CommandShape& shape, const CommandInput& input);

}  // namespace souk
