#pragma once
/// The one source of truth for what a client may say: each command with its fields, their types and
/// limits. From these tables come the checks of JSON bodies, of batch lines and of Cap'n Proto
/// commands, the routes, and the OpenAPI document.
#include <cstdint>
#include <span>
#include <string_view>

#include "gateway/http/server.h"

namespace souk {

/// What a client can ask for. Commands first, in the order of Op.
enum class Action : std::uint8_t {
  put_product,
  delist_product,
  receive_stock,
  adjust_stock,
  register_user,
  update_user,
  erase_user,
  open_cart,
  add_item,
  set_item,
  remove_item,
  check_out,
  place_order,
  cancel_order,
  ship_order,
  deliver_order,
  return_order,
  refund_order,
  accept_return,
  erase_order,
  // reads
  get_product,
  get_stock,
  get_user,
  get_user_orders,
  get_cart,
  get_order,
  get_payment,
  // of the read models
  search,
  suggest,
  sales,
  basket_pairs,
  customers,
  funnel,
  cohorts,
  lost_sales,
  stock_report,
  abandoned_carts,
  sql,
  sql_tables,
  projections,
  mend_projection,
  // of the cluster
  cluster_status,
  cluster_nodes,
  cluster_shards,
  cluster_moves,
  cluster_erasures,
  cluster_plan,
  cluster_command,
  cluster_cancel,
  // the rest
  commands,
  health,
  ready,
  metrics,
  openapi,
  console,
  unknown,  // no route led anywhere
};
inline constexpr std::size_t command_count = 20;
inline constexpr std::size_t action_count = 56;
constexpr bool is_command(Action action) {
  return static_cast<std::size_t>(action) < command_count;
}
constexpr bool is_read(Action action) {
  return action >= Action::get_product && action <= Action::get_payment;
}
/// What operators ask and want of the cluster; cluster_plan and those behind it have bodies of their
/// own, or none.
constexpr bool is_of_cluster(Action action) {
  return action >= Action::cluster_status && action <= Action::cluster_cancel;
}
/// A read whose answer is a document of one entity: the cache knows those.
constexpr bool is_document(Action action) {
  return action >= Action::get_product && action <= Action::get_order;
}
constexpr std::size_t index_of(Action action) { return static_cast<std::size_t>(action); }

/// Part of the request hash that is stored with an idempotency key: append only, never renumber.
enum class FieldId : std::uint8_t {
  sku = 0,
  name = 1,
  description = 2,
  brand = 3,
  category = 4,
  price = 5,
  attributes = 6,
  active = 7,
  quantity = 8,
  reference = 9,
  delta = 10,
  reason = 11,
  email = 12,
  country = 13,
  user_id = 14,
  currency = 15,
  cart_id = 16,
  unit_price = 17,
  payment = 18,
  method = 19,
  token = 20,
  shipping_address = 21,
  occurred_at = 22,
  order_id = 23,
  lines = 24,
  amount = 25,
  // of a batch line, beside the command's own
  command = 26,
  idempotency_key = 27,
  if_match = 28,
  wait = 29,
  prefer = 30,
  // of a product
  images = 31,
  barcode = 32,
  group = 33,
  options = 34,
  if_none_match = 35,  // of a batch line
  // of an operator's command, beside `command`
  node = 36,
  shard = 37,
  weight = 38,
  zone = 39,
  number = 40,
  note = 41,
  who = 42,
};
inline constexpr std::size_t field_count = 43;

enum class FieldType : std::uint8_t {
  sku,
  line_text,   // no control characters; min and max in bytes
  long_text,   // may hold \n and \t
  ascii_text,  // printable ASCII
  word,        // one of `words`
  integer,
  boolean,
  money,
  decimal,
  currency,
  email,
  user_id,
  cart_id,
  order_id,
  time,
  category,    // a list of texts
  attributes,  // an object of texts
  addresses,   // a list of http(s) addresses
  gtin,        // 8, 12, 13 or 14 digits, the last one the check digit
  object,      // with `members`
  list,        // of objects with `members`
  any_object,  // any JSON object; max in bytes of its shortest form
};

enum class Need : std::uint8_t { optional, required };
enum class Place : std::uint8_t { path, body };

struct Field {
  FieldId id;
  std::string_view name;
  FieldType type;
  Need need = Need::optional;
  std::int64_t min = 0;
  std::int64_t max = 0;
  std::string_view about = {};
  std::span<const Field> members = {};           // object, list
  std::span<const std::string_view> words = {};  // word
  Place place = Place::body;
};

/// What `Prefer: return=minimal` does to a command's answer.
enum class Minimal : std::uint8_t {
  drops_body,       // 204
  keeps_body,       // an answer that carries an id is never dropped
  drops_body_of_ok  // 201 keeps it, 200 becomes 204
};
enum class Waits : std::uint8_t { no, for_final };

struct CommandShape {
  Action action;
  std::string_view name;  // snake case: of batches and metrics
  HttpMethod method;
  std::string_view path;  // "/v1/carts/{cart_id}/items"
  std::string_view summary;
  std::span<const Field> fields;
  Minimal minimal = Minimal::drops_body;
  Waits waits = Waits::no;
};

/// What an operator wants of the cluster: the body of cluster_plan and cluster_command.
const CommandShape& operator_shape();
/// REQUIRES: is_command(action).
const CommandShape& shape_of(Action action);
/// Nothing for an unknown name.
const CommandShape* find_command(std::string_view name);
/// Members of a batch line beside the command's own.
std::span<const Field> batch_fields();
std::span<const Field> money_fields();
/// Nothing where there is none of that name.
const Field* find_field(std::span<const Field> fields, std::string_view name);
/// One bit per FieldId: what must be given, in the path or in the body.
std::uint64_t required_fields(std::span<const Field> fields);
constexpr std::uint64_t bit_of(FieldId id) { return 1ull << static_cast<unsigned>(id); }
bool takes_body(const CommandShape& shape);
/// Members of the document that GET gives which a command's body may hold and which change nothing,
/// so that what was read can be sent back; one that names the entity must name that of the path.
std::span<const std::string_view> read_only_members(Action action);
/// Of every action, as metrics name it.
std::string_view action_name(Action action);

}  // namespace souk
