#include "actors/adapters/provider_wire.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <array>
#include <limits>
#include <optional>
#include <utility>

#include "events/json_text.h"

namespace souk::wire {
namespace {

namespace dom = simdjson::dom;

constexpr std::size_t call_bytes = 200;  // about
constexpr std::size_t answer_bytes = 100;

constexpr std::array<std::pair<PaymentCall::Op, std::string_view>, 4> ops{
    {{PaymentCall::Op::authorise, "authorise"},
     {PaymentCall::Op::capture, "capture"},
     {PaymentCall::Op::cancel, "cancel"},
     {PaymentCall::Op::refund, "refund"}}};
constexpr std::array<std::pair<PaymentAnswer::Kind, std::string_view>, 3> kinds{
    {{PaymentAnswer::Kind::done, "done"},
     {PaymentAnswer::Kind::declined, "declined"},
     {PaymentAnswer::Kind::failed, "failed"}}};

template <class Table, class Value>
std::string_view word_of(const Table& table, Value value) {
  for (const auto& [known, word] : table)
    if (known == value) return word;
  return {};
}

/// Reads the members of one object; the first that is wrong is kept in words.
class Members {
 public:
  Members(dom::element object, std::string where) : object_(object), where_(std::move(where)) {}

  std::string_view text(std::string_view name, std::size_t bytes_max) {
    std::string_view value;
    if (object_[name].get_string().get(value) != simdjson::SUCCESS || value.size() > bytes_max)
      complain(name, fmt::format("is no text of at most {} bytes", bytes_max));
    return value.substr(0, bytes_max);
  }
  std::int64_t integer(std::string_view name) {
    std::int64_t value = 0;
    if (object_[name].get_int64().get(value) != simdjson::SUCCESS)
      complain(name, "is no whole number");
    return value;
  }
  std::uint32_t number(std::string_view name) {
    const std::int64_t value = integer(name);
    if (value < 0 || value > std::numeric_limits<std::uint32_t>::max())
      complain(name, "is beyond its bounds");
    return static_cast<std::uint32_t>(value);
  }
  OrderId order(std::string_view name) {
    const auto id = OrderId::parse(text(name, text_bytes_max));
    if (!id) complain(name, "is no id of an order");
    return id.value_or(OrderId{});
  }
  Currency currency(std::string_view name) {
    const std::string_view code = text(name, text_bytes_max);
    if (code.empty()) return {};
    const auto currency = Currency::parse(code);
    if (!currency) complain(name, "is no code of a currency");
    return currency.value_or(Currency{});
  }
  template <class Table>
  auto word(std::string_view name, const Table& table) {
    const std::string_view word = text(name, text_bytes_max);
    for (const auto& [value, known] : table)
      if (known == word) return value;
    complain(name, "is none of the words that it can be");
    return table.front().first;
  }

  const std::optional<Fault>& fault() const { return fault_; }

 private:
  void complain(std::string_view name, std::string_view what) {
    if (!fault_) fault_ = Fault{Fault::Kind::corrupt, fmt::format("{}{} {}", where_, name, what)};
  }

  dom::element object_;
  std::string where_;
  std::optional<Fault> fault_;
};

/// The objects of the array `name`, each through `read`.
template <class T, class Read>
Result<std::vector<T>, Fault> decode_all(std::string_view body, std::string_view name,
                                         std::size_t count_max, const Read& read) {
  dom::parser parser;
  dom::element root;
  dom::array array;
  if (parser.parse(body.data(), body.size()).get(root) != simdjson::SUCCESS)
    return Fault{Fault::Kind::corrupt, "the body is not JSON"};
  if (root[name].get_array().get(array) != simdjson::SUCCESS)
    return Fault{Fault::Kind::corrupt, fmt::format("the body has no array {}", name)};
  if (array.size() > count_max)
    return Fault{Fault::Kind::corrupt, fmt::format("more than {} {}", count_max, name)};
  std::vector<T> all;
  all.reserve(array.size());
  for (const dom::element item : array) {
    Members members(item, fmt::format("{}[{}].", name, all.size()));
    all.push_back(read(members));
    if (members.fault()) return *members.fault();
  }
  return all;
}

}  // namespace

std::string encode_calls(std::span<const PaymentCall> calls) {
  std::string out;
  out.reserve(call_bytes * (calls.size() + 1));
  out = R"({"calls":[)";
  for (const PaymentCall& call : calls) {
    if (&call != calls.data()) out += ',';
    fmt::format_to(std::back_inserter(out),
                   R"({{"op":"{}","order":"{}","number":{},"amount_micros":{},"currency":"{}")",
                   word_of(ops, call.op), call.order.text(), call.number, call.amount.value,
                   call.currency.text());
    out += R"(,"method":)";
    append_json_string(out, call.method);
    out += R"(,"token":)";
    append_json_string(out, call.token);
    out += '}';
  }
  out += "]}";
  return out;
}

Result<std::vector<PaymentCall>, Fault> decode_calls(std::string_view body) {
  return decode_all<PaymentCall>(body, "calls", calls_per_request_max, [](Members& members) {
    PaymentCall call;
    call.op = members.word("op", ops);
    call.order = members.order("order");
    call.number = members.number("number");
    call.amount = Micros{members.integer("amount_micros")};
    call.currency = members.currency("currency");
    call.method = members.text("method", text_bytes_max);
    call.token = members.text("token", text_bytes_max);
    return call;
  });
}

std::string encode_answers(std::span<const PaymentAnswer> answers) {
  std::string out;
  out.reserve(answer_bytes * (answers.size() + 1));
  out = R"({"answers":[)";
  for (const PaymentAnswer& answer : answers) {
    if (&answer != answers.data()) out += ',';
    fmt::format_to(std::back_inserter(out), R"({{"op":"{}","order":"{}","number":{},"kind":"{}"}})",
                   word_of(ops, answer.op), answer.order.text(), answer.number,
                   word_of(kinds, answer.kind));
  }
  out += "]}";
  return out;
}

Result<std::vector<PaymentAnswer>, Fault> decode_answers(std::string_view body) {
  return decode_all<PaymentAnswer>(body, "answers", answers_per_reply_max, [](Members& members) {
    PaymentAnswer answer;
    answer.op = members.word("op", ops);
    answer.order = members.order("order");
    answer.number = members.number("number");
    answer.kind = members.word("kind", kinds);
    return answer;
  });
}

std::string encode_record(const PaymentRecord& record) {
  return fmt::format(
      R"({{"currency":"{}","authorised_micros":{},"captured_micros":{},"voided_micros":{},)"
      R"("refunded_micros":{},"calls":{}}})",
      record.currency.text(), record.authorised.value, record.captured.value, record.voided.value,
      record.refunded.value, record.calls);
}

Result<PaymentRecord, Fault> decode_record(std::string_view body) {
  dom::parser parser;
  dom::element root;
  if (parser.parse(body.data(), body.size()).get(root) != simdjson::SUCCESS)
    return Fault{Fault::Kind::corrupt, "the body is not JSON"};
  Members members(root, "");
  PaymentRecord record;
  record.currency = members.currency("currency");
  record.authorised = Micros{members.integer("authorised_micros")};
  record.captured = Micros{members.integer("captured_micros")};
  record.voided = Micros{members.integer("voided_micros")};
  record.refunded = Micros{members.integer("refunded_micros")};
  record.calls = static_cast<std::uint64_t>(members.integer("calls"));
  if (members.fault()) return *members.fault();
  return record;
}

bool says_unknown_order(std::string_view body) {
  dom::parser parser;
  dom::element root;
  std::string_view code;
  return parser.parse(body.data(), body.size()).get(root) == simdjson::SUCCESS &&
         root["code"].get_string().get(code) == simdjson::SUCCESS && code == unknown_order;
}

}  // namespace souk::wire
