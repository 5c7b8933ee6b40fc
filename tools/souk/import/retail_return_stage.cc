// `C` invoices: back to the order they came from, or accepted without one.
#include <algorithm>
#include <unordered_map>

#include "tools/souk/import/retail_import.h"

namespace souk::cli {
namespace {

/// How many of an order's returns have taken effect; all of them where it was cancelled by hand.
std::size_t returns_there(const Json& order, std::size_t planned) {
  if (order["status"].text() == "cancelled") return planned;
  std::size_t count = 0;
  for (const Json& step : order["history"].items())
    count += step["event"].text() == "returned" ? 1 : 0;
  return std::min(count, planned);
}

std::string lines_json(const RetailImport& import, const PlannedReturn& planned) {
  std::string out;
  for (const PlannedLine& line : planned.lines) {
    out += out.empty() ? "[{\"sku\":" : ",{\"sku\":";
    append_json_string(out, import.data.skus.text(line.sku));
    out += ",\"quantity\":" + std::to_string(line.quantity) +
           ",\"unit_price\":" + pounds(line.price) + "}";
  }
  return out + "]";
}

void append_return(CommandBatch& batch, const RetailImport& import, const PlannedReturn& planned) {
  const std::string& invoice = import.data.invoices.text(planned.invoice);
  if (planned.order != no_order) {
    batch.begin("return_order").text("order_id", import.order_ids[planned.order]);
    batch.minimal().key("or:" + invoice);
  } else {
    batch.begin("accept_return");
    const std::uint32_t customer = import.data.invoice[planned.invoice].customer;
    if (customer != no_customer) batch.text("user_id", import.user_ids[customer]);
    batch.text("reference", invoice).key("or:" + invoice + ":return");
  }
  batch.raw("lines", lines_json(import, planned))
      .text("occurred_at", import.time_of(planned.invoice))
      .end();
}

}  // namespace

ReturnsByOrder::ReturnsByOrder(const RetailPlan& plan) {
  std::unordered_map<std::uint32_t, std::size_t> group_of;
  for (std::uint32_t i = 0; i < plan.returns.size(); ++i) {
    const std::uint32_t order = plan.returns[i].order;
    std::size_t group = groups.size();
    if (order != no_order) group = group_of.try_emplace(order, group).first->second;
    if (group == groups.size()) groups.emplace_back();
    groups[group].push_back(i);
  }
}

Outcome<Done> import_returns(RetailImport& import, BatchSender& sender,
                             const ReturnsByOrder& returns, std::size_t first, std::size_t last) {
  CommandBatch batch;
  std::vector<const PlannedReturn*> sent;
  for (std::size_t g = first; g < last; ++g) {
    const auto& group = returns.groups[g];
    const std::uint32_t order = import.plan.returns[group.front()].order;
    std::size_t there = 0;
    if (order != no_order && import.order_was_there[order] != 0) {
      auto document = sender.read("/v1/orders/" + import.order_ids[order]);
      if (!document) return document.error();
      there = returns_there(*document, group.size());
    }
    for (std::size_t i = 0; i < group.size(); ++i) {
      const PlannedReturn& planned = import.plan.returns[group[i]];
      if (i < there) {
        import.count(planned.lines.size(), planned.lines.size());
        continue;
      }
      append_return(batch, import, planned);
      sent.push_back(&planned);
    }
  }
  auto answers = sender.send(batch);
  if (!answers) return answers.error();
  for (std::size_t i = 0; i < sent.size(); ++i) {
    const BatchAnswer& answer = (*answers)[i];
    if (answer.status != 200 && answer.status != 201)
      return unexpected(import, sent[i]->invoice, sent[i]->lines.front().line, "return", answer);
    import.count(sent[i]->lines.size(), answer.replayed ? sent[i]->lines.size() : 0);
  }
  return Done{};
}

}  // namespace souk::cli
