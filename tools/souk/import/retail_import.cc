#include "tools/souk/import/retail_import.h"

#include <fmt/format.h>

#include <algorithm>

#include "tools/souk/audit/parallel.h"
#include "tools/souk/cli/table.h"

namespace souk::cli {
namespace {

constexpr std::size_t skus_per_chunk = 200;
constexpr std::size_t customers_per_chunk = 1'000;
constexpr std::size_t orders_per_chunk = 160;
constexpr std::size_t returns_per_chunk = 400;

/// Runs a stage over `count` elements, a chunk at a time.
template <class Stage>
Outcome<Done> in_chunks(const Url& url, std::size_t connections, std::size_t count,
                        std::size_t size, const Stage& stage) {
  return in_parallel(url, connections, (count + size - 1) / size,
                     [&](BatchSender& sender, std::size_t i) {
                       return stage(sender, i * size, std::min(count, (i + 1) * size));
                     });
}

}  // namespace

std::string ImportSummary::json() const {
  return fmt::format(
      "{{\"lines\":{},\"orders\":{},\"order_lines\":{},\"returned_lines\":{},\"stock_adjustments\":"
      "{},"
      "\"rejected\":{},\"already_there\":{},\"revenue\":\"{}\",\"seconds\":{:.3f}}}\n",
      lines, orders, order_lines, returned_lines, stock_adjustments, rejected, already_there,
      to_decimal(revenue), seconds);
}

std::string ImportSummary::text() const {
  Table table({{"IMPORTED"}, {"", Align::right}});
  const auto add = [&](const char* name, std::uint64_t value) {
    table.add({name, with_thousands(value)});
  };
  add("lines", lines);
  add("orders", orders);
  add("order lines", order_lines);
  add("returned lines", returned_lines);
  add("stock adjustments", stock_adjustments);
  add("rejected", rejected);
  add("already there", already_there);
  table.add({"revenue", to_decimal(revenue) + " GBP"});
  table.add({"seconds", fmt::format("{:.1f}", seconds)});
  return table.text();
}

Failure unexpected(const RetailImport& import, std::uint32_t invoice, std::uint32_t line,
                   const std::string& what, const BatchAnswer& answer) {
  std::string message = fmt::format("line {} (invoice {}): {}: {}", line,
                                    import.data.invoices.text(invoice), what, answer.status);
  if (!answer.order_status.empty()) message += " " + answer.order_status;
  if (!answer.code.empty()) message += " " + answer.code;
  if (!answer.detail.empty()) message += ": " + answer.detail;
  return {ExitCode::refused, message};
}

std::string pounds(Micros amount) {
  return "{\"amount\":\"" + to_decimal(amount) + "\",\"currency\":\"GBP\"}";
}

Outcome<ImportSummary> import_retail(const RetailData& data, const RetailPlan& plan, const Url& url,
                                     std::size_t connections, Progress& progress) {
  RetailImport import{.data = data, .plan = plan, .progress = progress};
  import.user_ids.resize(data.customers.size());
  import.order_ids.resize(plan.orders.size());
  import.order_was_there.resize(plan.orders.size());
  const ReturnsByOrder returns(plan);

  const auto run = [&](const char* name, std::size_t count, std::size_t size, auto stage) {
    progress.phase(name);
    return in_chunks(url, connections, count, size,
                     [&](BatchSender& sender, std::size_t first, std::size_t last) {
                       return stage(import, sender, first, last);
                     });
  };
  progress.phase("stock");
  progress.add(plan.rejected.size());
  if (auto done = run("stock", plan.products.size(), skus_per_chunk, import_stock); !done)
    return done.error();
  if (auto done = run("customers", data.customers.size(), customers_per_chunk, import_customers);
      !done)
    return done.error();
  if (auto done = run("orders", plan.orders.size(), orders_per_chunk, import_orders); !done)
    return done.error();
  const auto take_back = [&](RetailImport& i, BatchSender& sender, std::size_t first,
                             std::size_t last) {
    return import_returns(i, sender, returns, first, last);
  };
  if (auto done = run("returns", returns.groups.size(), returns_per_chunk, take_back); !done)
    return done.error();

  ImportSummary summary{.lines = data.records,
                        .orders = static_cast<std::uint64_t>(import.confirmed.load()),
                        .order_lines = static_cast<std::uint64_t>(import.confirmed_lines.load()),
                        .returned_lines = plan.returned_lines,
                        .stock_adjustments = plan.adjustments,
                        .rejected = plan.rejected.size(),
                        .already_there = import.already_there,
                        .revenue = Micros{import.revenue_micros}};
  // Where all that can be imported was there, this run found the whole file there: what it rejects
  // an earlier run rejected as well.
  if (summary.already_there > 0 && summary.already_there + summary.rejected == summary.lines)
    summary.already_there = summary.lines;
  return summary;
}

}  // namespace souk::cli
