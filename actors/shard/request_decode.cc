// From schema/peers.capnp to requests: every member is checked here, so that the shard may trust it
// as it trusts what its own edge admits.
#include "actors/ports/op_role.h"
#include "actors/shard/peer_wire.h"
#include "actors/shard/request_codec.h"
#include "events/gtin.h"
#include "events/limits.h"
#include "events/utf8.h"
#include "events/web_address.h"

namespace souk {
namespace {

using namespace wire;

// As the edge has it, which this layer knows nothing of: gateway/api/edge/limits.h.
constexpr std::size_t country_bytes_max = 64;
// The longest that is sealed, with its nonce and its tag (24 and 16 bytes).
constexpr std::size_t sealed_bytes_max = limits::address_bytes_max + 40;
// Of one header, which has 16 KiB at most: each takes four bytes, as `"1",`.
constexpr std::size_t versions_max = 4'096;
constexpr std::int64_t occurred_at_ms_max = 253'402'300'799'999;  // the last that RFC 3339 can say

// Sent by their numbers: append only.
static_assert(static_cast<int>(Wants::body) == 0 && static_cast<int>(Wants::minimal) == 1);
static_assert(static_cast<int>(Intent::act) == 0 && static_cast<int>(Intent::ask) == 1);
static_assert(static_cast<int>(Preconditions::Of::nothing) == 0 &&
              static_cast<int>(Preconditions::Of::listed) == 2);

// ---- values ----

enum class Empty { allowed, refused };

std::string_view bounded(std::string_view text, std::size_t bytes_max, Empty empty) {
  check(text.size() <= bytes_max && (empty == Empty::allowed || !text.empty()));
  return text;
}
/// May hold line breaks.
std::string long_text(capnp::Text::Reader from, std::size_t bytes_max) {
  const auto text = bounded(view(from), bytes_max, Empty::allowed);
  check(utf8_valid(text));
  return std::string(text);
}
std::string line(capnp::Text::Reader from, std::size_t bytes_max, Empty empty = Empty::allowed) {
  const auto text = bounded(view(from), bytes_max, empty);
  check(utf8_valid_without_controls(text));
  return std::string(text);
}
std::string ascii(capnp::Text::Reader from, std::size_t bytes_max) {
  const auto text = bounded(view(from), bytes_max, Empty::allowed);
  check(std::ranges::all_of(text, [](char c) { return c >= 0x20 && c <= 0x7e; }));
  return std::string(text);
}
std::string country(capnp::Text::Reader from) { return long_text(from, country_bytes_max); }
Sealed sealed(capnp::Data::Reader from) {
  check(from.size() <= sealed_bytes_max);
  return {std::string(view(from))};
}
std::int64_t quantity(std::int64_t number, std::int64_t min = 1) {
  check(number >= min && number <= limits::quantity_max);
  return number;
}
Money price(schema::PeerMoney::Reader from, std::int64_t min_micros = 0) {
  const Money of = money(from);
  check(!of.currency.none() && of.amount.value >= min_micros &&
        of.amount.value <= limits::price_micros_max);
  return of;
}
template <class Reader>  // of a struct with occurredAt
std::optional<UnixMs> occurred_at(Reader from) {
  const std::int64_t ms = from.getOccurredAt();
  check(ms >= 0 && ms <= occurred_at_ms_max);
  if (from.getOccurredAtSet()) return UnixMs{ms};
  check(ms == 0);
  return std::nullopt;
}

/// What `read` makes of each, `size_max` at most.
template <class List, class Read>
auto list(List from, std::size_t size_max, Read read) {
  check(from.size() <= size_max);
  std::vector<std::remove_cvref_t<decltype(read(from[0]))>> all;
  all.reserve(from.size());
  for (auto one : from) all.push_back(read(one));
  return all;
}
std::vector<Attribute> attributes(capnp::List<schema::NodeAttribute>::Reader from,
                                  std::size_t size_max) {
  auto all = list(from, size_max, [](auto one) {
    return Attribute{line(one.getName(), limits::attribute_name_bytes_max, Empty::refused),
                     line(one.getValue(), limits::attribute_value_bytes_max)};
  });
  // By name, and none twice.
  check(std::ranges::adjacent_find(all, std::greater_equal{}, &Attribute::name) == all.end());
  return all;
}

// ---- commands ----

PutProduct put_product(schema::NodePutProduct::Reader from) {
  PutProduct c{sku(from.getSku()), {}};
  auto& product = c.definition;
  product.name = line(from.getName(), limits::name_bytes_max, Empty::refused);
  product.description = long_text(from.getDescription(), limits::description_bytes_max);
  product.brand = line(from.getBrand(), limits::brand_bytes_max);
  product.category = list(from.getCategory(), limits::category_depth_max, [](auto level) {
    return line(level, limits::category_bytes_max, Empty::refused);
  });
  product.attributes = attributes(from.getAttributes(), limits::attributes_max);
  product.price = price(from.getPrice());
  product.active = from.getActive();
  product.images = list(from.getImages(), limits::images_max, [](auto image) {
    auto text = line(image, limits::image_bytes_max, Empty::refused);
    check(is_web_address(text));
    return text;
  });
  const auto barcode = view(from.getBarcode());
  if (!barcode.empty()) check(why_no_gtin(barcode).empty());
  product.barcode = barcode;
  const auto group = view(from.getGroup());
  if (!group.empty()) product.group = sku(group).text();
  product.options = attributes(from.getOptions(), limits::options_max);
  return c;
}

RegisterUser register_user(schema::NodeRegisterUser::Reader from) {
  return {id<UserId>(from.getUser()), id<EmailHash>(from.getEmail()), sealed(from.getSealedEmail()),
          sealed(from.getSealedName()), country(from.getCountry())};
}

UpdateUser update_user(schema::NodeUpdateUser::Reader from) {
  UpdateUser c{id<UserId>(from.getUser()), {}, {}, {}};
  check(from.hasEmail() == from.hasSealedEmail());
  if (from.hasEmail())
    c.email = PendingEmail{id<EmailHash>(from.getEmail()), sealed(from.getSealedEmail())};
  if (from.hasSealedName()) c.sealed_name = sealed(from.getSealedName());
  if (from.hasCountry()) c.country = country(from.getCountry());
  return c;
}

template <class Reader>  // of a command that may have a user
std::optional<UserId> user(Reader from) {
  if (!from.hasUser()) return std::nullopt;
  return id<UserId>(from.getUser());
}

AddItem add_item(schema::NodeRequest::AddItem::Reader from) {
  AddItem c{id<CartId>(from.getCart()), sku(from.getSku()), quantity(from.getQuantity()), {}};
  if (from.hasUnitPrice()) c.unit_price = price(from.getUnitPrice());
  return c;
}

/// What a check-out and buying now have in common.
template <class Command>
void take_purchase(schema::NodePurchase::Reader from, Command& c) {
  c.order = id<OrderId>(from.getOrder());
  c.payment = {ascii(from.getMethod(), limits::payment_token_bytes_max),
               ascii(from.getToken(), limits::payment_token_bytes_max)};
  c.sealed_address = sealed(from.getSealedAddress());
  c.occurred_at = occurred_at(from);
  c.country = country(from.getCountry());
}

CheckOut check_out(schema::NodeRequest::CheckOut::Reader from) {
  CheckOut c{.cart = id<CartId>(from.getCart()),
             .order = {},
             .payment = {},
             .sealed_address = {},
             .occurred_at = {}};
  take_purchase(from.getPurchase(), c);
  return c;
}

PlaceOrder place_order(schema::NodeRequest::PlaceOrder::Reader from) {
  PlaceOrder c{
      .order = {},
      .user = user(from),
      .lines = list(from.getLines(), limits::cart_lines_max,
                    [](auto one) {
                      check(!one.hasUnitPrice());
                      return PlaceOrderLine{sku(one.getSku()), quantity(one.getQuantity())};
                    }),
      .payment = {},
      .sealed_address = {},
      .occurred_at = {}};
  check(!c.lines.empty());
  take_purchase(from.getPurchase(), c);
  return c;
}

std::vector<ReturnLine> return_lines(capnp::List<schema::NodeLine>::Reader from) {
  return list(from, limits::cart_lines_max, [](auto one) {
    ReturnLine back{sku(one.getSku()), quantity(one.getQuantity()), std::nullopt};
    if (one.hasUnitPrice()) back.unit_price = price(one.getUnitPrice());
    return back;
  });
}

ReturnOrder return_order(schema::NodeReturn::Reader from) {
  return {id<OrderId>(from.getOrder()), return_lines(from.getLines()), occurred_at(from)};
}

RefundOrder refund_order(schema::NodeRequest::RefundOrder::Reader from) {
  RefundOrder c{id<OrderId>(from.getOrder()), std::nullopt};
  if (from.hasAmount()) c.amount = price(from.getAmount(), 1);
  return c;
}

AcceptReturn accept_return(schema::NodeRequest::AcceptReturn::Reader from) {
  const auto goods = from.getGoods();
  AcceptReturn c{id<OrderId>(goods.getOrder()), user(from), return_lines(goods.getLines()),
                 line(from.getReference(), limits::reference_bytes_max), occurred_at(goods)};
  check(!c.lines.empty());
  for (const auto& one : c.lines)
    check(one.unit_price && one.unit_price->currency == c.lines[0].unit_price->currency);
  return c;
}

GetUserOrders get_user_orders(schema::NodeRequest::GetUserOrders::Reader from) {
  GetUserOrders c{id<UserId>(from.getUser()), std::nullopt, from.getLimit()};
  if (from.hasBefore()) c.before = id<OrderId>(from.getBefore());
  check(c.limit >= 1 && c.limit <= limits::user_orders_page_max);
  return c;
}

AdjustStock adjust_stock(schema::NodeRequest::AdjustStock::Reader from) {
  AdjustStock c{sku(from.getSku()), quantity(from.getDelta(), -limits::quantity_max),
                line(from.getReason(), limits::reference_bytes_max, Empty::refused)};
  check(c.delta != 0);
  return c;
}

Op op_of(schema::NodeRequest::Reader from) {
  using Is = schema::NodeRequest::Which;
  const auto order = [](auto group) { return id<OrderId>(group.getOrder()); };
  const auto cart = [](auto group) { return id<CartId>(group.getCart()); };
  const auto of = [](auto group) { return sku(group.getSku()); };
  switch (from.which()) {
    case Is::PUT_PRODUCT:
      return put_product(from.getPutProduct());
    case Is::DELIST_PRODUCT:
      return DelistProduct{of(from.getDelistProduct())};
    case Is::RECEIVE_STOCK: {
      const auto received = from.getReceiveStock();
      return ReceiveStock{of(received), quantity(received.getQuantity()),
                          line(received.getReference(), limits::reference_bytes_max)};
    }
    case Is::ADJUST_STOCK:
      return adjust_stock(from.getAdjustStock());
    case Is::REGISTER_USER:
      return register_user(from.getRegisterUser());
    case Is::UPDATE_USER:
      return update_user(from.getUpdateUser());
    case Is::ERASE_USER:
      return EraseUser{id<UserId>(from.getEraseUser().getUser())};
    case Is::OPEN_CART:
      return OpenCart{cart(from.getOpenCart()), user(from.getOpenCart()),
                      currency(from.getOpenCart().getCurrency())};
    case Is::ADD_ITEM:
      return add_item(from.getAddItem());
    case Is::SET_ITEM:
      return SetItem{cart(from.getSetItem()), of(from.getSetItem()),
                     quantity(from.getSetItem().getQuantity(), 0)};
    case Is::REMOVE_ITEM:
      return RemoveItem{cart(from.getRemoveItem()), of(from.getRemoveItem())};
    case Is::CHECK_OUT:
      return check_out(from.getCheckOut());
    case Is::PLACE_ORDER:
      return place_order(from.getPlaceOrder());
    case Is::CANCEL_ORDER:
      return CancelOrder{order(from.getCancelOrder())};
    case Is::SHIP_ORDER:
      return ShipOrder{order(from.getShipOrder())};
    case Is::DELIVER_ORDER:
      return DeliverOrder{order(from.getDeliverOrder())};
    case Is::RETURN_ORDER:
      return return_order(from.getReturnOrder());
    case Is::REFUND_ORDER:
      return refund_order(from.getRefundOrder());
    case Is::ACCEPT_RETURN:
      return accept_return(from.getAcceptReturn());
    case Is::ERASE_ORDER:
      return EraseOrder{order(from.getEraseOrder())};
    case Is::GET_PRODUCT:
      return GetProduct{of(from.getGetProduct())};
    case Is::GET_STOCK:
      return GetStock{of(from.getGetStock())};
    case Is::GET_USER:
      return GetUser{id<UserId>(from.getGetUser().getUser())};
    case Is::GET_USER_ORDERS:
      return get_user_orders(from.getGetUserOrders());
    case Is::GET_CART:
      return GetCart{cart(from.getGetCart())};
    case Is::GET_ORDER:
      return GetOrder{order(from.getGetOrder())};
  }
  newer("is a command that this build does not know");
}

// ---- the request ----

std::shared_ptr<const Preconditions> preconditions(schema::NodePreconditions::Reader from) {
  using Of = Preconditions::Of;
  Preconditions asked;
  asked.match = enumerator(from.getMatch(), Of::listed);
  asked.none_match = enumerator(from.getNoneMatch(), Of::listed);
  asked.matches = list(from.getMatches(), versions_max, std::identity{});
  asked.none_matches = list(from.getNoneMatches(), versions_max, std::identity{});
  return std::make_shared<const Preconditions>(std::move(asked));
}

/// Only these are created on a user's shard under a key of another one.
bool may_bind(const Op& op) {
  return std::holds_alternative<OpenCart>(op) || std::holds_alternative<PlaceOrder>(op) ||
         std::holds_alternative<AcceptReturn>(op);
}

Request request_of(schema::NodeRequest::Reader from) {
  Request request;
  request.op = op_of(from);
  request.cause = id128(from.getCause());
  if (from.hasCorrelation()) request.correlation = id128(from.getCorrelation());
  request.key_hash = from.getKeyHash();
  request.request_hash = from.getRequestHash();
  if (from.hasPreconditions()) request.preconditions = preconditions(from.getPreconditions());
  request.wants = enumerator(from.getWants(), Wants::minimal);
  request.intent = enumerator(from.getIntent(), Intent::ask);
  request.wait_final = from.getWaitFinal();
  if (from.hasBind()) {
    check(may_bind(request.op));
    request.bind = id<KeyHash>(from.getBind());
  }
  request.min_seq = from.getMinSeq();
  return request;
}

}  // namespace

Result<Request, Fault> decode_request(std::string_view bytes) {
  Request request;
  auto fault = decode(bytes, "a node's request", [&](capnp::MessageReader& reader) {
    request = request_of(reader.getRoot<schema::NodeRequest>());
  });
  if (fault) return *std::move(fault);
  return request;
}

}  // namespace souk
