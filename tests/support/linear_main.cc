// history_check: judges histories that a scenario recorded (tests/scenarios/histories_test.py).
// Standard input, a line each, its fields by tabs:
//   begin ENTITY VERSION AMOUNTS
//   op ENTITY CLIENT CALLED ANSWERED DEED KEY IF_MATCH NAME AMOUNT TOLD VERSION AMOUNTS
// AMOUNTS: name=number,..; a field that is not there: -
// Prints a line for each entity that no order explains. Exit 0: all are linearizable, 1: one is not
// or is undecided, 2: a line cannot be read.
#include <fmt/format.h>

#include <cstdio>
#include <iostream>
#include <stdexcept>

#include "tests/support/linear.h"

namespace {

using namespace souk::test;

struct History {
  Beginning beginning;
  std::vector<Operation> operations;
};

std::vector<std::string> split(const std::string& text, char by) {
  std::vector<std::string> parts{{}};
  for (const char c : text) {
    if (c == by)
      parts.emplace_back();
    else
      parts.back() += c;
  }
  return parts;
}

std::string text_of(const std::string& field) { return field == "-" ? std::string() : field; }

Amounts amounts_of(const std::string& field) {
  Amounts amounts;
  if (field.empty() || field == "-") return amounts;
  for (const std::string& part : split(field, ',')) {
    const auto equals = part.rfind('=');
    amounts[part.substr(0, equals)] = std::stoll(part.substr(equals + 1));
  }
  return amounts;
}

Deed deed_of(const std::string& field) {
  if (field == "add") return Deed::add;
  if (field == "set") return Deed::set;
  if (field == "get") return Deed::get;
  throw std::invalid_argument("no deed: " + field);
}

Told told_of(const std::string& field) {
  if (field == "done") return Told::done;
  if (field == "mismatch") return Told::mismatch;
  if (field == "nothing") return Told::nothing;
  throw std::invalid_argument("no answer: " + field);
}

Operation operation_of(const std::vector<std::string>& fields) {
  Operation o;
  o.client = fields.at(2);
  o.called = std::stoll(fields.at(3));
  o.told = told_of(fields.at(10));
  if (o.told != Told::nothing) o.answered = std::stoll(fields.at(4));
  o.deed = deed_of(fields.at(5));
  o.key = text_of(fields.at(6));
  if (fields.at(7) != "-") o.if_match = std::stoull(fields.at(7));
  o.name = text_of(fields.at(8));
  o.amount = std::stoll(fields.at(9));
  if (o.told != Told::done) return o;
  o.version = std::stoull(fields.at(11));
  if (fields.at(12) != "-") o.amounts = amounts_of(fields.at(12));
  return o;
}

}  // namespace

int main() {
  std::map<std::string, History> histories;
  std::string line;
  try {
    while (std::getline(std::cin, line)) {
      const auto fields = split(line, '\t');
      History& history = histories[fields.at(1)];
      if (fields[0] == "begin")
        history.beginning = {std::stoull(fields.at(2)), amounts_of(fields.at(3))};
      else if (fields[0] == "op")
        history.operations.push_back(operation_of(fields));
      else
        throw std::invalid_argument("neither begin nor op");
    }
  } catch (const std::exception& e) {
    fmt::print(stderr, "history_check: {} in: {}\n", e.what(), line);
    return 2;
  }
  bool good = true;
  std::size_t operations = 0;
  for (const auto& [entity, history] : histories) {
    operations += history.operations.size();
    const auto verdict = judge_linear(history.beginning, history.operations);
    if (verdict.linear == Linear::yes) continue;
    good = false;
    fmt::print("{}: {}, {}\n", entity,
               verdict.linear == Linear::no ? "no order explains it" : "undecided", verdict.why);
  }
  fmt::print("{} operations on {} entities\n", operations, histories.size());
  return good ? 0 : 1;
}
