#pragma once
/// JSON as the command line needs it: reading answers into a plain tree, writing strings. The one
/// adapter of simdjson here.
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "events/json_text.h"

namespace souk::cli {

/// A JSON value. Numbers keep their digits.
class Json {
 public:
  enum class Type { null, boolean, number, string, array, object };

  /// Nothing unless `text` is one JSON document.
  static std::optional<Json> parse(std::string_view text);

  Type type() const { return type_; }
  bool is_null() const { return type_ == Type::null; }
  /// The member `name` of an object; null where there is none.
  const Json& operator[](std::string_view name) const;
  const std::vector<Json>& items() const { return items_; }
  const std::vector<std::pair<std::string, Json>>& members() const { return members_; }
  /// A string as it is, a number's digits, `true`; empty for null, arrays and objects.
  const std::string& text() const { return text_; }
  /// 0 where it is no integer.
  std::int64_t integer() const;
  /// Money in words, `12.50 GBP`; empty where it is none.
  std::string money() const;

 private:
  friend struct JsonBuilder;
  Type type_ = Type::null;
  std::string text_;
  std::vector<Json> items_;
  std::vector<std::pair<std::string, Json>> members_;
};

/// `text` as a JSON string, in quotes.
std::string json_string(std::string_view text);

/// One line of the answer to a batch.
struct BatchAnswer {
  int status = 0;
  bool replayed = false;
  std::int64_t version = 0;  // of what the command changed, or left as it was
  std::string id;            // cart_id, order_id or user_id of the body, as asked for
  std::string order_status;  // `status` of the body
  std::string code;          // of a problem, or the reason of a rejected order
  std::string detail;        // of a problem
};

/// Reads newline-separated answers. `id_member` names the member of the body that `id` takes.
/// Thread: one at a time.
class BatchAnswerReader {
 public:
  BatchAnswerReader();
  ~BatchAnswerReader();
  BatchAnswerReader(const BatchAnswerReader&) = delete;
  BatchAnswerReader& operator=(const BatchAnswerReader&) = delete;
  /// Nothing where any line is no answer.
  std::optional<std::vector<BatchAnswer>> read(std::string_view lines, std::string_view id_member);

 private:
  struct Parser;
  std::unique_ptr<Parser> parser_;
};

}  // namespace souk::cli
