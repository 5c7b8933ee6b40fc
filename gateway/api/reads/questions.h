#pragma once
/// What may be asked of the read models: one table for routes, parameters, their validation and
/// OpenAPI.
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "events/money.h"
#include "events/time.h"
#include "gateway/api/edge/router.h"

namespace souk {

enum class QueryType : std::uint8_t { text, count, flag, amount, currency, time, choice, choices };

struct QueryField {
  std::string_view name;
  QueryType type = QueryType::text;
  std::string_view about;
  std::int64_t min = 0, max = 0;              // count: the range; text: bytes
  std::span<const std::string_view> words{};  // choice; choices: several with commas
  Need need = Need::optional;
  std::string_view pattern{};  // text: what the read model takes, for OpenAPI, as it stands in JSON
};

struct Question {
  Action action;
  HttpMethod method;
  std::string_view path;
  std::string_view summary;
  std::string_view answer;  // a schema's name
  std::string_view model;   // the read model that answers; empty: it is about them
  std::span<const QueryField> fields{};
};

std::span<const Question> all_questions();
/// Null: no read model answers it.
const Question* question_of(Action action);

/// What caches between us and the clients may do with an answer: its position is the asker's, and
/// figures are nobody else's.
std::string_view cache_control_of(const Question& question);

/// The parameters of one question that were given, checked.
class QueryValues {
 public:
  bool has(std::string_view name) const { return find(name) != nullptr; }
  /// Empty where it was not given, as the next two have `otherwise`.
  std::string text(std::string_view name) const;
  std::int64_t count(std::string_view name, std::int64_t otherwise) const;
  bool flag(std::string_view name, bool otherwise) const;
  std::optional<Micros> amount(std::string_view name) const;
  std::optional<UnixMs> time(std::string_view name) const;
  /// A word of a `choices`.
  bool names(std::string_view name, std::string_view word) const;

 private:
  friend bool read_question(const Question&, const RouteMatch&, QueryValues&, Problem&);
  struct Value {
    const QueryField* field;
    std::string text;
    std::int64_t number = 0;
  };
  const Value* find(std::string_view name) const;
  std::vector<Value> values_;
};

/// Errors: 422 with the parameter's name and what it must be, also of one that is missing; 400 for
/// a bad percent sign.
bool read_question(const Question& question, const RouteMatch& match, QueryValues& out,
                   Problem& problem);

}  // namespace souk
