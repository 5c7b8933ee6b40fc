#pragma once
/// JSON Schemas of what clients send, made from the tables of fields.h and questions.h.
#include <cstdint>
#include <string>
#include <string_view>

#include "gateway/api/commands/fields.h"
#include "gateway/api/reads/questions.h"

namespace souk {

std::string in_quotes(std::string_view text);
/// `{"$ref":"#/components/KIND/NAME"}`
std::string reference(std::string_view kind, std::string_view name);

/// Every function returns a whole schema. Limits in bytes stand as lengths: of plain ASCII they are
/// the same.
class OpenapiSchemas {
 public:
  /// `shards`: ids begin with the number of theirs.
  explicit OpenapiSchemas(std::uint32_t shards) : shards_(shards) {}

  /// A parameter of the path of `action`.
  std::string in_path(const Field& field, Action action) const;
  /// A member of a body that must be given.
  std::string body_member(const Field& field) const { return of_type(field); }
  /// The body of a command.
  std::string body(const CommandShape& shape) const;
  /// The lines of a batch: any command with all its members side by side.
  std::string batch() const;
  std::string in_query(const QueryField& field) const;
  /// The regular expression of ids of this kind.
  std::string id_pattern(char tag) const;
  /// `components.schemas` of what requests share: Price, Refund, Currency, Country.
  static std::string shared();

 private:
  std::string member(const Field& field) const;
  std::string of_type(const Field& field) const;
  std::string object(std::span<const Field> fields) const;
  std::string properties(std::span<const Field> fields, std::string& needed) const;

  std::uint32_t shards_;
};

}  // namespace souk
