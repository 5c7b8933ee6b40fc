#pragma once
/// The writer's side of the database: rows are fetched, changed in memory and written when they are
/// flushed, so that an event that changes a row in memory costs no SQL.
///
/// Lifecycle: open; rows are taken and changed; `commit` writes all that changed in one transaction
///            with the checkpoint. A Store that threw is done for.
/// Invariant: a row taken is valid until the next `commit`.
/// Thread: one.
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "projections/analytics/rows.h"
#include "projections/analytics/sqlite.h"

namespace souk::analytics {

/// The database's file in the model's folder.
std::filesystem::path database_path(const std::filesystem::path& folder);

/// Rows by what names them outside. Those that changed are listed.
template <class Key, class R>
struct Cache {
  std::unordered_map<Key, R> rows;
  std::vector<std::pair<const Key*, R*>> changed;
  std::int64_t last_no = 0;
};

class Store {
 public:
  /// Throws SqliteError; also where another version made the file.
  explicit Store(const std::filesystem::path& file);
  ~Store();

  const std::string& checkpoint() const { return checkpoint_; }

  /// Its number.
  std::int64_t currency(const Currency& currency);
  /// 0 for no country.
  std::int64_t country(std::string_view name);
  ProductRow& product(const Sku& sku);
  CustomerRow& customer(const UserId& user);
  /// Null where there is none.
  OrderRow* find_order(const OrderId& order);
  OrderRow& new_order(const OrderId& order);
  const std::vector<LineRow>& lines_of(OrderRow& order);
  CartRow* find_cart(const CartId& cart);
  CartRow& new_cart(const CartId& cart);

  void changed(const Sku& sku, ProductRow& row);
  void changed(const UserId& user, CustomerRow& row);
  void changed(const OrderId& order, OrderRow& row);
  void changed(const CartId& cart, CartRow& row);

  void add(const RollupKey& key, const Sums& sums) { rollups_[key] += sums; }
  void add_refund(const RefundRow& row) { refunds_.push_back(row); }
  void add_return(ReturnRow row) { returns_.push_back(std::move(row)); }
  /// The products of a confirmed order, each once, ascending.
  void add_basket(const std::vector<std::int64_t>& products);
  FunnelRow& funnel(std::int64_t day) { return funnel_[day]; }
  StockDay& stock_day(std::int64_t product, std::int64_t day) { return stock_[{product, day}]; }

  /// The customer's country is another one: what they bought without a country of the order's own
  /// moves there.
  void move_country(const CustomerRow& customer, std::int64_t from, std::int64_t to);

  /// Writes what changed into the open transaction.
  void flush();
  void commit(std::string_view checkpoint);
  const Database& database() const { return database_; }
  const std::filesystem::path& file() const { return file_; }

 private:
  struct Statements;
  void begin();
  void flush_names();
  void flush_products();
  void flush_customers();
  void flush_orders();
  void flush_carts();
  void flush_sums();
  void forget();

  std::filesystem::path file_;
  Database database_;
  Trickle log_;  // its write-ahead log, which every checkpoint of SQLite syncs
  std::unique_ptr<Statements> sql_;
  bool in_transaction_ = false;
  std::string checkpoint_;

  Cache<std::string, Row> currencies_;
  Cache<std::string, Row> countries_;
  Cache<Sku, ProductRow> products_;
  Cache<UserId, CustomerRow> customers_;
  Cache<OrderId, OrderRow> orders_;
  Cache<CartId, CartRow> carts_;
  std::unordered_map<RollupKey, Sums, RollupKeyHash> rollups_;
  std::map<std::int64_t, FunnelRow> funnel_;
  std::map<std::pair<std::int64_t, std::int64_t>, StockDay> stock_;
  std::vector<ReturnRow> returns_;
  std::vector<RefundRow> refunds_;
  std::vector<std::string> baskets_;
};

/// Product numbers as basket_row holds them: 4 bytes each, little endian.
std::string pack_products(const std::vector<std::int64_t>& products);
/// As cart_row holds them: four numbers a line, each as short as it is. A commit writes every cart
/// that was touched as a whole, and what it writes keeps the disk from the journal.
/// Errors: unpack_lines throws SqliteError (corrupt).
std::string pack_lines(const std::vector<LineRow>& lines);
std::vector<LineRow> unpack_lines(std::string_view bytes);

/// Of the whole content, whatever the numbers that its rows have.
std::uint64_t digest_of(const Database& database);

}  // namespace souk::analytics
