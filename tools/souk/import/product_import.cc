#include "tools/souk/import/product_import.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <mutex>
#include <span>

#include "events/utf8.h"
#include "tools/souk/audit/parallel.h"
#include "tools/souk/cli/table.h"

namespace souk::cli {
namespace {

constexpr std::size_t rows_per_chunk = 1'000;
constexpr int already_there = 412;

using Rows = std::vector<const ProductRow*>;

/// Sends the rows of one chunk.
class ProductChunk {
 public:
  ProductChunk(BatchSender& sender, ProductSummary& summary, std::mutex& mutex)
      : sender_(sender), summary_(summary), mutex_(mutex) {}

  Outcome<Done> run(std::span<const ProductRow> rows) {
    Rows all, there, good;
    for (const ProductRow& row : rows) all.push_back(&row);
    auto answers = put(all, Put::where_absent);
    if (!answers) return answers.error();
    for (std::size_t i = 0; i < all.size(); ++i) {
      if ((*answers)[i].status == already_there) {
        there.push_back(all[i]);
      } else if (take(*all[i], (*answers)[i], summary_.created)) {
        good.push_back(all[i]);
      }
    }
    if (auto done = put_anew(there, good); !done) return done;
    return receive(good);
  }

 private:
  enum class Put { where_absent, over };
  Outcome<std::vector<BatchAnswer>> put(const Rows& rows, Put how) {
    CommandBatch puts;
    for (const ProductRow* row : rows) {
      puts.begin("put_product").text("sku", row->sku).members(row->members).minimal();
      if (how == Put::where_absent) puts.text("if_none_match", "*");
      puts.end();
    }
    return sender_.send(puts);
  }

  /// Defines what was there before; its version tells whether that changed anything.
  Outcome<Done> put_anew(const Rows& rows, Rows& good) {
    if (rows.empty()) return Done{};
    std::vector<std::int64_t> versions;
    for (const ProductRow* row : rows) {
      auto product = sender_.read("/v1/products/" + path_segment(row->sku));
      if (!product) return product.error();
      versions.push_back((*product)["version"].integer());
    }
    auto answers = put(rows, Put::over);
    if (!answers) return answers.error();
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const bool same = (*answers)[i].version == versions[i];
      if (take(*rows[i], (*answers)[i], same ? summary_.unchanged : summary_.updated))
        good.push_back(rows[i]);
    }
    return Done{};
  }

  /// Counts a product that is defined; false: it was rejected.
  bool take(const ProductRow& row, const BatchAnswer& answer, std::uint64_t& count) {
    const std::lock_guard lock(mutex_);
    if (answer.status < 300) {
      ++count;
      return true;
    }
    summary_.rejected.push_back({row.line, words(answer)});
    return false;
  }
  static std::string words(const BatchAnswer& answer) {
    return fmt::format("{} {}: {}", answer.status, answer.code, answer.detail);
  }

  /// Only where the SKU never had any: its stock is then at version 0.
  Outcome<Done> receive(const Rows& rows) {
    CommandBatch batch;
    for (const ProductRow* row : rows)
      if (row->stock > 0)
        batch.begin("receive_stock")
            .text("sku", row->sku)
            .number("quantity", row->stock)
            .text("reference", "opening")
            .number("if_match", 0)
            .minimal()
            .end();
    if (batch.empty()) return Done{};
    auto answers = sender_.send(batch);
    if (!answers) return answers.error();
    for (const BatchAnswer& answer : *answers) {
      if (answer.status >= 300 && answer.status != already_there)
        return Failure{ExitCode::refused, "stock: " + words(answer)};
      const std::lock_guard lock(mutex_);
      if (answer.status < 300) ++summary_.stocked;
    }
    return Done{};
  }

  BatchSender& sender_;
  ProductSummary& summary_;
  std::mutex& mutex_;
};

}  // namespace

Outcome<ProductSummary> import_products(const ProductFile& file, const Url& url,
                                        std::size_t connections, Progress& progress) {
  const auto begun = std::chrono::steady_clock::now();
  ProductSummary summary{.format = file.format,
                         .lines = file.lines,
                         .merged = file.merged,
                         .rejected = file.rejected,
                         .skipped = file.skipped};
  const std::span<const ProductRow> rows = file.rows;
  std::mutex mutex;
  progress.phase("products");
  const std::size_t chunks = (rows.size() + rows_per_chunk - 1) / rows_per_chunk;
  auto done = in_parallel(url, connections, chunks, [&](BatchSender& sender, std::size_t i) {
    const std::size_t first = i * rows_per_chunk;
    const auto chunk = rows.subspan(first, std::min(rows_per_chunk, rows.size() - first));
    auto sent = ProductChunk(sender, summary, mutex).run(chunk);
    progress.add(chunk.size());
    return sent;
  });
  if (!done) return done.error();
  std::ranges::stable_sort(summary.rejected, {}, &Rejection::line);
  const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - begun;
  summary.seconds = passed.count();
  return summary;
}

std::string rejections_json(const std::vector<Rejection>& rejections) {
  std::string out;
  for (std::size_t i = 0; i < std::min(rejections.size(), rejections_listed_max); ++i) {
    std::string why = rejections[i].why;
    if (!utf8_valid(why))  // of a row that is in no encoding
      std::ranges::replace_if(
          why, [](char c) { return static_cast<unsigned char>(c) > 0x7E; }, '?');
    out += fmt::format("{}{{\"line\":{},\"why\":{}}}", out.empty() ? "" : ",", rejections[i].line,
                       json_string(why));
  }
  return "[" + out + "]";
}

std::string ProductSummary::json() const {
  return fmt::format(
      "{{\"format\":{},\"lines\":{},\"created\":{},\"updated\":{},\"unchanged\":{},\"merged\":{},"
      "\"skipped\":{},\"rejected\":{},\"already_there\":{},\"stocked\":{},"
      "\"rejected_rows\":{},\"skipped_rows\":{},\"seconds\":{:.3f}}}\n",
      json_string(format), lines, created, updated, unchanged, merged, skipped.size(),
      rejected.size(), updated + unchanged, stocked, rejections_json(rejected),
      rejections_json(skipped), seconds);
}

std::string ProductSummary::text() const {
  Table table({{"IMPORTED"}, {"", Align::right}});
  table.add({"rows of the file", with_thousands(lines)});
  table.add({"products created", with_thousands(created)});
  table.add({"updated", with_thousands(updated)});
  table.add({"unchanged", with_thousands(unchanged)});
  if (merged > 0) table.add({"images of others", with_thousands(merged)});
  if (!skipped.empty()) table.add({"skipped", with_thousands(skipped.size())});
  table.add({"rejected", with_thousands(rejected.size())});
  table.add({"stocked", with_thousands(stocked)});
  table.add({"seconds", fmt::format("{:.1f}", seconds)});
  return table.text();
}

}  // namespace souk::cli
