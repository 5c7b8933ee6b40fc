#include "tools/souk/import/product_import.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <mutex>
#include <span>

#include "events/ids.h"
#include "events/limits.h"
#include "events/money.h"
#include "events/utf8.h"
#include "tools/souk/audit/parallel.h"
#include "tools/souk/cli/table.h"

namespace souk::cli {
namespace {

constexpr std::array<std::string_view, 9> names = {
    "sku", "name", "description", "brand", "category", "price", "currency", "active", "stock"};
constexpr std::size_t rows_per_chunk = 500;

std::string category_json(std::string_view path) {
  constexpr std::string_view between = " > ";
  std::string out;
  while (true) {
    const std::size_t at = path.find(between);
    append_json_string(out, path.substr(0, at));
    if (at == std::string_view::npos) return "[" + out + "]";
    out += ',';
    path.remove_prefix(at + between.size());
  }
}

}  // namespace

void ProductReader::take(const CsvRecord& record) {
  if (!wrong_.empty()) return;
  if (!has_header()) return take_header(record);
  const std::string why = record.wrong.empty() ? take_row(record) : record.wrong;
  if (!why.empty()) rejected_.push_back({static_cast<std::uint32_t>(record.line), why});
}

void ProductReader::take_header(const CsvRecord& record) {
  width_ = record.fields.size();
  if (!record.wrong.empty()) {
    wrong_ = "line 1: " + record.wrong;
    return;
  }
  for (const auto& [ours, theirs] : renamed_) {
    const auto at = std::ranges::find(record.fields, theirs);
    if (at == record.fields.end() || std::ranges::find(names, ours) == names.end()) {
      wrong_ = at == record.fields.end() ? "--map: the file has no column " + theirs
                                         : "--map: there is no member " + ours + " of a product";
      return;
    }
    columns_[ours] = static_cast<std::size_t>(at - record.fields.begin());
  }
  for (std::size_t i = 0; i < width_; ++i) {
    const std::string& name = record.fields[i];
    const auto used = [&](const auto& column) { return column.second == i; };
    if (std::ranges::any_of(columns_, used)) continue;
    if (others_ == Others::attributes && std::ranges::find(names, name) == names.end()) {
      attributes_.emplace_back(name, i);
      continue;
    }
    if (std::ranges::find(names, name) == names.end() || columns_.contains(name)) {
      wrong_ = "line 1: the column " + name + " is none of " +
               fmt::format("{}", fmt::join(names, ", ")) +
               "; use --map NAME=COLUMN, or --attributes to take others as attributes";
      return;
    }
    columns_[name] = i;
  }
  for (const std::string_view needed : {"sku", "name", "price"})
    if (!columns_.contains(needed)) wrong_ = "line 1: no column " + std::string(needed);
}

std::string_view ProductReader::field(const CsvRecord& record, std::string_view name) const {
  const auto at = columns_.find(name);
  return at == columns_.end() ? std::string_view{} : std::string_view(record.fields[at->second]);
}

std::string ProductReader::take_row(const CsvRecord& record) {
  if (record.fields.size() != width_)
    return std::to_string(record.fields.size()) + " fields instead of " + std::to_string(width_);
  for (const std::string& text : record.fields)
    if (!utf8_valid(text)) return "not UTF-8";
  const auto get = [&](std::string_view name) { return field(record, name); };
  if (!Sku::parse(get("sku"))) return "sku: no SKU: \"" + std::string(get("sku")) + "\"";
  if (get("name").empty()) return "name: it is empty";
  const auto price = parse_decimal(get("price"));
  if (!price || price->value < 0) return "price: no amount: \"" + std::string(get("price")) + "\"";
  const std::string_view currency =
      get("currency").empty() ? std::string_view(currency_) : get("currency");
  if (!Currency::parse(currency))
    return "currency: no ISO 4217 code: \"" + std::string(currency) + "\"";
  const std::string_view active = get("active");
  if (!active.empty() && active != "true" && active != "false")
    return "active: wanted true or false, got \"" + std::string(active) + "\"";
  ProductRow row{.line = static_cast<std::uint32_t>(record.line), .sku = std::string(get("sku"))};
  if (const std::string_view stock = get("stock"); !stock.empty()) {
    const auto [end, error] = std::from_chars(stock.data(), stock.data() + stock.size(), row.stock);
    if (error != std::errc{} || end != stock.data() + stock.size() || row.stock < 0 ||
        row.stock > limits::quantity_max)
      return "stock: wanted 0 to 1000000, got \"" + std::string(stock) + "\"";
  }
  const auto add = [&](std::string_view name, std::string_view json) {
    row.members.append(",\"").append(name).append("\":").append(json);
  };
  add("name", json_string(get("name")));
  for (const std::string_view name : {"description", "brand"})
    if (!get(name).empty()) add(name, json_string(get(name)));
  if (!get("category").empty()) add("category", category_json(get("category")));
  add("price", "{\"amount\":" + json_string(to_decimal(*price)) +
                   ",\"currency\":" + json_string(currency) + "}");
  if (!active.empty()) add("active", active);
  std::string attributes;
  for (const auto& [name, column] : attributes_)
    if (!record.fields[column].empty())
      attributes += (attributes.empty() ? "" : ",") + json_string(name) + ":" +
                    json_string(record.fields[column]);
  if (!attributes.empty()) add("attributes", "{" + attributes + "}");
  rows_.push_back(std::move(row));
  return {};
}

namespace {

/// Sends the rows of one chunk.
class ProductChunk {
 public:
  ProductChunk(BatchSender& sender, ProductSummary& summary, std::mutex& mutex)
      : sender_(sender), summary_(summary), mutex_(mutex) {}

  Outcome<Done> run(std::span<const ProductRow* const> rows) {
    CommandBatch puts;
    for (const ProductRow* row : rows)
      puts.begin("put_product").text("sku", row->sku).members(row->members).minimal().end();
    auto answers = sender_.send(puts);
    if (!answers) return answers.error();
    std::vector<const ProductRow*> to_stock;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      if (take(*rows[i], (*answers)[i]) && rows[i]->stock > 0) to_stock.push_back(rows[i]);
    }
    return receive(to_stock);
  }

 private:
  /// Whether the product is defined.
  bool take(const ProductRow& row, const BatchAnswer& answer) {
    const std::lock_guard lock(mutex_);
    if (answer.status == 201) {
      ++summary_.created;
    } else if (answer.status < 300) {
      ++summary_.there;
    } else {
      reject(row, answer);
    }
    return answer.status < 300;
  }
  void reject(const ProductRow& row, const BatchAnswer& answer) {
    summary_.rejected.push_back(
        {row.line, fmt::format("{} {}: {}", answer.status, answer.code, answer.detail)});
  }
  Outcome<Done> receive(const std::vector<const ProductRow*>& rows) {
    CommandBatch batch;
    std::vector<const ProductRow*> sent;
    for (const ProductRow* row : rows) {
      auto stock = sender_.read("/v1/inventory/" + path_segment(row->sku));
      if (!stock) return stock.error();
      if ((*stock)["version"].integer() > 0) continue;
      batch.begin("receive_stock").text("sku", row->sku).number("quantity", row->stock);
      batch.text("reference", "opening").key("products:opening").minimal().end();
      sent.push_back(row);
    }
    auto answers = sender_.send(batch);
    if (!answers) return answers.error();
    const std::lock_guard lock(mutex_);
    for (std::size_t i = 0; i < sent.size(); ++i) {
      if ((*answers)[i].status >= 300) {
        reject(*sent[i], (*answers)[i]);
      } else {
        ++summary_.stocked;
      }
    }
    return Done{};
  }

  BatchSender& sender_;
  ProductSummary& summary_;
  std::mutex& mutex_;
};

}  // namespace

Outcome<ProductSummary> import_products(const ProductReader& read, const Url& url,
                                        std::size_t connections, Progress& progress) {
  const auto begun = std::chrono::steady_clock::now();
  // Of several rows with one SKU the last counts; two connections must not race about it.
  std::map<std::string_view, const ProductRow*> last;
  for (const ProductRow& row : read.rows()) last[row.sku] = &row;
  std::vector<const ProductRow*> rows;
  for (const ProductRow& row : read.rows())
    if (last[row.sku] == &row) rows.push_back(&row);
  ProductSummary summary{.lines = read.rows().size() + read.rejected().size(),
                         .rejected = read.rejected()};
  std::mutex mutex;
  progress.phase("products");
  const std::size_t chunks = (rows.size() + rows_per_chunk - 1) / rows_per_chunk;
  auto done = in_parallel(url, connections, chunks, [&](BatchSender& sender, std::size_t i) {
    const std::size_t first = i * rows_per_chunk,
                      size = std::min(rows_per_chunk, rows.size() - first);
    auto sent = ProductChunk(sender, summary, mutex).run({rows.data() + first, size});
    progress.add(size);
    return sent;
  });
  if (!done) return done.error();
  std::ranges::stable_sort(summary.rejected, {}, &Rejection::line);
  const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - begun;
  summary.seconds = passed.count();
  return summary;
}

std::string ProductSummary::json() const {
  return fmt::format(
      "{{\"lines\":{},\"created\":{},\"already_there\":{},\"stocked\":{},\"rejected\":{},"
      "\"seconds\":{:.3f}}}\n",
      lines, created, there, stocked, rejected.size(), seconds);
}

std::string ProductSummary::text() const {
  Table table({{"IMPORTED"}, {"", Align::right}});
  table.add({"lines", with_thousands(lines)});
  table.add({"products created", with_thousands(created)});
  table.add({"already there", with_thousands(there)});
  table.add({"stocked", with_thousands(stocked)});
  table.add({"rejected", with_thousands(rejected.size())});
  table.add({"seconds", fmt::format("{:.1f}", seconds)});
  return table.text();
}

}  // namespace souk::cli
