#include "tests/simulation/cluster/histories.h"

namespace souk::simulation {
namespace {

const Sku scale = *Sku::parse(scale_sku);

std::optional<std::int64_t> number_of(const std::string& json, std::string_view member) {
  const std::string head = "\"" + std::string(member) + "\":";
  const auto at = json.find(head);
  if (at == std::string::npos) return std::nullopt;
  return std::strtoll(json.c_str() + at + head.size(), nullptr, 10);
}

}  // namespace

std::size_t Histories::asked(const Command& command) {
  if (command.wrong_body) return 0;
  const auto* receive = std::get_if<ReceiveStock>(&command.request.op);
  const auto* get = std::get_if<GetStock>(&command.request.op);
  if ((!receive || receive->sku != scale) && (!get || get->sku != scale)) return 0;
  test::Operation operation;
  operation.client = std::to_string(command.number);
  operation.called = world_.time_ms();
  operation.deed = receive ? test::Deed::add : test::Deed::get;
  operation.name = "on_hand";
  if (receive) {
    operation.amount = receive->quantity;
    operation.key = std::to_string(command.request.key_hash);
  }
  operations_.push_back(std::move(operation));
  return operations_.size();
}

void Histories::answered(std::size_t number, const Reply& reply) {
  if (number == 0 || reply.code != ReplyCode::ok) return;
  test::Operation& operation = operations_[number - 1];
  operation.answered = world_.time_ms();
  operation.told = test::Told::done;
  operation.version = reply.version;
  if (const auto on_hand = number_of(reply.body.json, "on_hand")) {
    operation.amounts.emplace();
    if (*on_hand != 0) (*operation.amounts)["on_hand"] = *on_hand;
  }
}

void Histories::judge() {
  std::vector<test::Operation> counted;
  for (const auto& one : operations_)
    if (one.told == test::Told::done || one.deed != test::Deed::get) counted.push_back(one);
  const auto verdict = test::judge_linear({}, counted);
  if (verdict.linear == test::Linear::no)
    world_.violated("linearizable", std::string(scale_sku) + ": " + verdict.why);
}

std::optional<Request> Teller::next() {
  if (!defined_) {
    PutProduct put{.sku = scale, .definition = {}};
    put.definition.name = "a scale";
    put.definition.price = Money{Micros{10'000}, *Currency::parse("GBP")};
    defined_ = true;
    return ask(std::move(put));
  }
  if (steps_left_-- <= 0) return std::nullopt;
  if (world().chance(50)) return ask(GetStock{scale}, Key::none);
  return ask(ReceiveStock{scale, world().between(1, 9), "counted"});
}

void Teller::answered(const Request& request, const Reply& reply) {
  const auto* receive = std::get_if<ReceiveStock>(&request.op);
  if (receive && reply.code == ReplyCode::ok) shop().stock[scale_sku].received += receive->quantity;
}

}  // namespace souk::simulation
