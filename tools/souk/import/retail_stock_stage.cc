// Products, opening stock, adjustments; and the customers.
#include <fmt/format.h>

#include <algorithm>

#include "events/limits.h"
#include "tools/souk/import/retail_import.h"

namespace souk::cli {
namespace {

constexpr const char* marker = "imported_stock";

std::string fingerprint_text(const PlannedProduct& product) {
  return fmt::format("{:016x}", product.fingerprint);
}

enum class Mark { none, stock_is_in };

void put_product(CommandBatch& batch, const RetailImport& import, std::size_t sku, Mark mark) {
  const PlannedProduct& product = import.plan.products[sku];
  batch.begin("put_product").text("sku", import.data.skus.text(static_cast<std::uint32_t>(sku)));
  batch.text("name", product.name).raw("price", pounds(product.price)).minimal();
  if (mark == Mark::stock_is_in)
    batch.raw("attributes", fmt::format("{{\"{}\":\"{}\"}}", marker, fingerprint_text(product)));
  batch.end();
}

/// Receives the opening stock, in pieces of what one command may hold.
void receive_opening(CommandBatch& batch, const std::string& sku, std::int64_t opening) {
  std::int64_t left = opening;
  for (int piece = 0; left > 0; ++piece) {
    const std::int64_t now = std::min(left, limits::quantity_max);
    batch.begin("receive_stock")
        .text("sku", sku)
        .number("quantity", now)
        .text("reference", "opening");
    batch.key(fmt::format("or:opening:{}:{}", opening, piece)).minimal().end();
    left -= now;
  }
}

void adjust(CommandBatch& batch, const RetailData& data, const std::string& sku,
            const PlannedAdjustment& adjustment) {
  const auto reason =
      utf8_prefix(data.descriptions.text(adjustment.reason), limits::reference_bytes_max);
  batch.begin("adjust_stock").text("sku", sku).number("delta", adjustment.delta);
  batch.text("reason", reason.empty() ? "adjustment" : reason);
  batch.key(fmt::format("or:{}:{}", data.invoices.text(adjustment.invoice), adjustment.repeat));
  batch.minimal().end();
}

Outcome<Done> put_all(RetailImport& import, BatchSender& sender,
                      const std::vector<std::size_t>& skus, Mark mark) {
  CommandBatch batch;
  for (const std::size_t sku : skus) put_product(batch, import, sku, mark);
  auto answers = sender.send(batch);
  if (!answers) return answers.error();
  for (std::size_t i = 0; i < skus.size(); ++i) {
    const BatchAnswer& answer = (*answers)[i];
    if (answer.status >= 300)
      return Failure{ExitCode::refused,
                     fmt::format("product {}: {} {}: {}",
                                 import.data.skus.text(static_cast<std::uint32_t>(skus[i])),
                                 answer.status, answer.code, answer.detail)};
  }
  return Done{};
}

/// Opening stock and adjustments of one SKU, in rounds that the daemon can tell from repeats.
struct StockCommands {
  std::size_t sku = 0;
  std::size_t next = 0;  // of the adjustments
};

Outcome<Done> book_stock(RetailImport& import, BatchSender& sender,
                         const std::vector<std::size_t>& skus) {
  const auto text_of = [&](std::size_t sku) -> const std::string& {
    return import.data.skus.text(static_cast<std::uint32_t>(sku));
  };
  CommandBatch openings;
  for (const std::size_t sku : skus)
    receive_opening(openings, text_of(sku), import.plan.products[sku].opening);
  auto received = sender.send(openings);
  if (!received) return received.error();
  for (const BatchAnswer& answer : *received)
    if (answer.status != 200)
      return Failure{ExitCode::refused, fmt::format("opening stock: {} {}: {}", answer.status,
                                                    answer.code, answer.detail)};
  std::vector<StockCommands> todo;
  for (const std::size_t sku : skus)
    if (!import.plan.products[sku].adjustments.empty()) todo.push_back({.sku = sku});
  while (!todo.empty()) {
    CommandBatch batch;
    std::vector<const PlannedAdjustment*> sent;
    for (StockCommands& commands : todo) {
      const auto& adjustments = import.plan.products[commands.sku].adjustments;
      const std::size_t end = std::min(adjustments.size(), commands.next + adds_in_doubt_max);
      for (; commands.next < end; ++commands.next) {
        adjust(batch, import.data, text_of(commands.sku), adjustments[commands.next]);
        sent.push_back(&adjustments[commands.next]);
      }
    }
    auto answers = sender.send(batch);
    if (!answers) return answers.error();
    std::uint64_t there = 0;
    for (std::size_t i = 0; i < sent.size(); ++i) {
      if ((*answers)[i].status != 200)
        return unexpected(import, sent[i]->invoice, sent[i]->line, "stock adjustment",
                          (*answers)[i]);
      there += (*answers)[i].replayed ? 1 : 0;
    }
    import.count(sent.size(), there);
    std::erase_if(todo, [&](const StockCommands& commands) {
      return commands.next == import.plan.products[commands.sku].adjustments.size();
    });
  }
  return Done{};
}

}  // namespace

Outcome<Done> import_stock(RetailImport& import, BatchSender& sender, std::size_t first,
                           std::size_t last) {
  std::vector<std::size_t> todo;
  for (std::size_t sku = first; sku < last; ++sku) {
    const PlannedProduct& product = import.plan.products[sku];
    if (!product.used) continue;
    const std::string& text = import.data.skus.text(static_cast<std::uint32_t>(sku));
    auto there = sender.read("/v1/products/" + path_segment(text));
    if (!there) return there.error();
    if ((*there)["attributes"][marker].text() == fingerprint_text(product)) {
      import.count(product.adjustments.size(), product.adjustments.size());
    } else {
      todo.push_back(sku);
    }
  }
  if (todo.empty()) return Done{};
  if (auto done = put_all(import, sender, todo, Mark::none); !done) return done.error();
  if (auto done = book_stock(import, sender, todo); !done) return done.error();
  return put_all(import, sender, todo, Mark::stock_is_in);
}

Outcome<Done> import_customers(RetailImport& import, BatchSender& sender, std::size_t first,
                               std::size_t last) {
  CommandBatch batch;
  for (std::size_t i = first; i < last; ++i) {
    const std::string& id = import.data.customers.text(static_cast<std::uint32_t>(i));
    batch.begin("register_user").text("email", "customer-" + id + "@online-retail.example");
    if (const std::string& country = import.data.countries.text(import.plan.customer_country[i]);
        !country.empty())
      batch.text("country", country);
    batch.key("or:customer:" + id).end();
  }
  auto answers = sender.send(batch, "user_id");
  if (!answers) return answers.error();
  for (std::size_t i = first; i < last; ++i) {
    BatchAnswer& answer = (*answers)[i - first];
    if (answer.status != 201 || answer.id.empty())
      return Failure{ExitCode::refused,
                     fmt::format("customer {}: {} {}: {}",
                                 import.data.customers.text(static_cast<std::uint32_t>(i)),
                                 answer.status, answer.code, answer.detail)};
    import.user_ids[i] = std::move(answer.id);
  }
  return Done{};
}

}  // namespace souk::cli
