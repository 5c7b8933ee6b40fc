#include "projections/search/search.h"

#include <rocksdb/write_batch.h>

#include <limits>
#include <utility>

#include "events/limits.h"
#include "projections/search/impl.h"

namespace souk {
namespace {

using search::DocId;
using search::ProductColumns;
using search::ProductText;

/// Texts that one commit takes: a fraction of a second of work.
constexpr std::size_t texts_at_once = 1'000;

/// How an event changes what can be sold; nothing for other events.
std::optional<std::int64_t> available_change(const Payload& payload) {
  return std::visit(Overloaded{
                        [](const StockReceived& e) { return std::optional(e.quantity); },
                        [](const StockAdjusted& e) { return std::optional(e.delta); },
                        [](const StockReserved& e) { return std::optional(-e.quantity); },
                        [](const ReservationReleased& e) { return std::optional(e.quantity); },
                        [](const ReservationExpired& e) { return std::optional(e.quantity); },
                        [](const StockReturned& e) { return std::optional(e.quantity); },
                        [](const auto&) { return std::optional<std::int64_t>(); },
                    },
                    payload);
}

}  // namespace

std::optional<SearchSort> parse_search_sort(std::string_view text) {
  if (text == "relevance") return SearchSort::relevance;
  if (text == "price") return SearchSort::price_up;
  if (text == "-price") return SearchSort::price_down;
  if (text == "name") return SearchSort::name;
  if (text == "newest") return SearchSort::newest;
  return std::nullopt;
}

SearchModel::SearchModel(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
SearchModel::~SearchModel() = default;

Result<std::shared_ptr<SearchModel>, Fault> SearchModel::open(const std::filesystem::path& folder,
                                                              const SearchOptions& options) {
  auto impl = std::make_unique<Impl>();
  impl->options = options;
  if (options.synonyms) {
    auto loaded = search::Synonyms::load(*options.synonyms);
    if (!loaded) return loaded.error();
    impl->synonyms = std::move(*loaded);
  } else {
    impl->synonyms = search::Synonyms::built_in();
  }
  auto store = search::ProductStore::open(folder / "products");
  if (!store) return store.error();
  impl->store = std::move(*store);
  auto& products = *impl->store;
  auto index = search::TextIndex::open(products.database(), options.tuning, [&](const auto& visit) {
    return products.each_text(visit);
  });
  if (!index) return index.error();
  impl->index = std::move(*index);

  auto read = impl->store->each_columns([&](DocId doc, ProductColumns columns) {
    impl->docs.emplace(columns.sku, doc);
    impl->catalogue.set_columns(doc, columns);
  });
  if (!read) return read.error();
  read = impl->store->each_text([&](DocId doc, const ProductText& text) -> Status {
    impl->catalogue.set_text(doc, text);
    return Done{};
  });
  if (!read) return read.error();

  return std::shared_ptr<SearchModel>(new SearchModel(std::move(impl)));
}

Result<Done, Poison> SearchModel::apply(const EventAt& at) {
  const Event& event = at.event();
  if (event.entity.kind() != Kind::sku) return Done{};
  const auto* defined = std::get_if<ProductDefined>(&event.payload);
  const bool taken = std::holds_alternative<ProductTakenOffSale>(event.payload);
  const auto change = available_change(event.payload);
  if (defined == nullptr && !taken && !change) return Done{};

  const std::string sku(event.entity.id());
  const auto known = impl_->docs.find(sku);
  const bool is_new = known == impl_->docs.end();
  if (is_new && impl_->docs.size() >= std::numeric_limits<DocId>::max() - 1) {
    return Poison{"more products than the index can number"};
  }
  const DocId doc = is_new ? static_cast<DocId>(impl_->docs.size() + 1) : known->second;
  const auto pending = impl_->pending.columns.find(doc);
  ProductColumns columns;
  if (pending != impl_->pending.columns.end()) {
    columns = pending->second;
  } else if (!is_new) {
    columns = impl_->catalogue.columns(doc);
  }
  columns.sku = sku;
  if (change && __builtin_add_overflow(columns.available, *change, &columns.available)) {
    return Poison{"the stock does not fit 64 bits"};
  }
  if (taken) columns.on_sale = false;
  if (defined != nullptr) {
    ProductText text{.name = defined->name,
                     .description = defined->description,
                     .brand = defined->brand,
                     .category = defined->category,
                     .attributes = defined->attributes,
                     .codes = {sku}};
    for (const auto& option : defined->options) text.attributes.push_back(option);
    if (!defined->barcode.empty()) text.codes.push_back(defined->barcode);
    const std::uint64_t hash = stable_hash(encode(text));
    const bool same_text = columns.defined && columns.text_hash == hash;
    if (!columns.defined) columns.defined_at = at.at();
    columns.defined = true;
    columns.on_sale = defined->active;
    columns.price = defined->price;
    columns.text_hash = hash;
    columns.group = defined->group;
    if (!same_text) impl_->pending.texts[doc] = std::move(text);
  }
  if (is_new) impl_->docs.emplace(sku, doc);
  impl_->pending.columns[doc] = std::move(columns);
  return Done{};
}

bool SearchModel::wants_commit() const { return impl_->pending.texts.size() >= texts_at_once; }

Status SearchModel::commit(std::string_view checkpoint) {
  auto& impl = *impl_;
  const bool texts = !impl.pending.texts.empty();
  rocksdb::WriteBatch batch;
  if (texts) {
    const auto former = [&](DocId doc) { return impl.store->text(doc); };
    if (auto put = impl.index->put(impl.pending.texts, former, batch); !put) return put;
  }
  if (auto written = impl.store->write(impl.pending, std::string(checkpoint), batch); !written)
    return written;
  if (!impl.pending.columns.empty()) {
    impl.writing([&] {
      for (const auto& [doc, columns] : impl.pending.columns) {
        impl.catalogue.set_columns(doc, columns);
      }
      for (const auto& [doc, text] : impl.pending.texts) impl.catalogue.set_text(doc, text);
      if (texts) impl.index->publish();
    });
  }
  impl.pending = {};
  return Done{};
}

std::string SearchModel::checkpoint() const { return impl_->store->checkpoint(); }

Result<std::uint64_t, Fault> SearchModel::digest() {
  std::uint64_t sum = 0;
  Status status = Done{};
  std::vector<std::uint64_t> indexed(impl_->docs.size() + 1);  // by number; 0: not, or not yet
  const auto add = [&](DocId doc, const ProductColumns& columns) {
    std::string bytes = encode(columns);
    const std::uint64_t product = stable_hash(columns.sku) | 1;
    if (const auto at = impl_->pending.texts.find(doc); at != impl_->pending.texts.end()) {
      bytes += encode(at->second);
      sum += impl_->index->digest_of(product, at->second);
    } else if (columns.defined) {
      auto text = impl_->store->text(doc);
      if (!text) status = text.error();
      if (text && *text) bytes += encode(**text);
      indexed[doc] = product;
    }
    sum += stable_hash(bytes);
  };
  auto read = impl_->store->each_columns([&](DocId doc, const ProductColumns& columns) {
    if (!impl_->pending.columns.contains(doc)) add(doc, columns);
  });
  if (!read) return read.error();
  for (const auto& [doc, columns] : impl_->pending.columns) add(doc, columns);
  if (!status) return status.error();
  // The index itself and not only what it was made from: a query reads the index.
  const auto said = impl_->index->digest(indexed);
  if (!said) return said.error();
  return sum + *said;
}

std::uint64_t SearchModel::size() const {
  const auto reading = impl_->reading();
  return impl_->catalogue.on_sale().size();
}

ProjectionKind search_kind(const SearchOptions& options) {
  ProjectionKind kind;
  kind.name = "search";
  kind.version = 3;
  kind.open =
      [options](const std::filesystem::path& folder) -> Result<std::shared_ptr<Projection>, Fault> {
    auto model = SearchModel::open(folder, options);
    if (!model) return model.error();
    return std::shared_ptr<Projection>(std::move(*model));
  };
  return kind;
}

}  // namespace souk
