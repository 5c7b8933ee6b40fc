#pragma once
/// Everything that can have happened. Events are past-tense facts; schema/events.capnp is their
/// stored form and only grows, and events/event_codec maps between the two.
///
/// An event belongs to one hosted entity (`Event::entity`). Personal data stands in events only as
/// `Sealed` bytes, which nobody can read once the person's key is destroyed.
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "events/ids.h"
#include "events/item.h"
#include "events/money.h"
#include "events/refusal.h"
#include "events/time.h"

namespace souk {

/// XChaCha20-Poly1305 under one person's key; empty where nothing was given.
struct Sealed {
  std::string bytes;
  bool operator==(const Sealed&) const = default;
};

// ---- user (and the index of email addresses) ----
/// A person asked to be a user. Pending until the address is theirs (EmailAssigned).
struct UserRegistered {
  EmailHash email;
  Sealed sealed_email;
  Sealed sealed_name;
  std::string country;  // ISO 3166 or free text as the merchant has it; not personal by itself
  bool operator==(const UserRegistered&) const = default;
};
struct UserProfileChanged {
  std::optional<Sealed> sealed_name;
  std::optional<std::string> country;
  bool operator==(const UserProfileChanged&) const = default;
};
/// The user wants another address; pending until EmailAssigned or EmailRefused.
struct EmailChangeRequested {
  EmailHash email;
  Sealed sealed_email;
  bool operator==(const EmailChangeRequested&) const = default;
};
/// The pending address is now the user's; one that they had before must be given back.
struct EmailAssigned {
  bool operator==(const EmailAssigned&) const = default;
};
/// The pending address is another user's. A user who never had one is rejected.
struct EmailRefused {
  bool operator==(const EmailRefused&) const = default;
};
/// The index confirmed that the former address is free again.
struct FormerEmailFreed {
  EmailHash email;
  bool operator==(const FormerEmailFreed&) const = default;
};
struct UserErased {
  bool operator==(const UserErased&) const = default;
};
struct PersonalKeyDestroyed {
  bool operator==(const PersonalKeyDestroyed&) const = default;
};
/// An order of this user was placed: the user's own index.
struct UserOrdered {
  OrderId order;
  bool operator==(const UserOrdered&) const = default;
};
struct EmailTaken {  // of Kind::email
  UserId user;
  bool operator==(const EmailTaken&) const = default;
};
struct EmailFreed {  // of Kind::email
  UserId user;
  bool operator==(const EmailFreed&) const = default;
};
/// An idempotency key was used to create something for a user, on the user's shard (Kind::key).
struct KeyBound {
  EntityKey target;
  std::uint64_t request_hash = 0;
  bool operator==(const KeyBound&) const = default;
};

// ---- product and inventory (Kind::sku) ----
struct Attribute {
  std::string name;
  std::string value;
  bool operator==(const Attribute&) const = default;
};
struct ProductDefined {
  std::string name;
  std::string description;
  std::string brand;
  std::vector<std::string> category;  // a path from the root
  std::vector<Attribute> attributes;  // sorted by name
  Money price;
  bool active = true;
  std::vector<std::string> images;  // addresses, the first is shown first
  std::string barcode;              // a GTIN; empty: none
  std::string group;                // variants of one thing have the same; empty: none
  std::vector<Attribute> options;   // what makes this one of its group
  bool operator==(const ProductDefined&) const = default;
};
struct ProductTakenOffSale {
  bool operator==(const ProductTakenOffSale&) const = default;
};
struct StockReceived {
  std::int64_t quantity = 0;
  std::string reference;
  bool operator==(const StockReceived&) const = default;
};
struct StockAdjusted {
  std::int64_t delta = 0;
  std::string reason;
  bool operator==(const StockAdjusted&) const = default;
};
/// Held for an order until `expires_at`, unless it is claimed before.
struct StockReserved {
  OrderId order;
  std::int64_t quantity = 0;
  UnixMs expires_at;
  bool operator==(const StockReserved&) const = default;
};
/// The hold no longer expires: the order takes the money and will sell or release it.
struct StockClaimed {
  OrderId order;
  bool operator==(const StockClaimed&) const = default;
};
struct StockSold {
  OrderId order;
  std::int64_t quantity = 0;
  bool operator==(const StockSold&) const = default;
};
struct ReservationReleased {
  OrderId order;
  std::int64_t quantity = 0;
  bool operator==(const ReservationReleased&) const = default;
};
struct ReservationExpired {
  OrderId order;
  std::int64_t quantity = 0;
  bool operator==(const ReservationExpired&) const = default;
};
/// Goods came back. `number` counts the order's returns, so that a repeat is known.
struct StockReturned {
  OrderId order;
  std::uint32_t number = 0;
  std::int64_t quantity = 0;
  bool operator==(const StockReturned&) const = default;
};

// ---- cart ----
enum class Pricing : std::uint8_t { catalogue = 0, fixed = 1 };  // stored
struct CartOpened {
  std::optional<UserId> user;
  Currency currency;  // none: the first line fixes it
  bool operator==(const CartOpened&) const = default;
};
/// Adds to the catalogue line of this SKU (and gives it this price), or a new line; a fixed price
/// always makes a line of its own.
struct ItemAdded {
  Item item;
  std::int64_t quantity = 0;
  Money unit_price;
  Pricing pricing = Pricing::catalogue;
  bool operator==(const ItemAdded&) const = default;
};
struct ItemQuantitySet {
  Item item;
  std::int64_t quantity = 0;
  Money unit_price;
  Pricing pricing = Pricing::catalogue;
  bool operator==(const ItemQuantitySet&) const = default;
};
/// Every line of this SKU has gone.
struct ItemRemoved {
  Sku sku;
  bool operator==(const ItemRemoved&) const = default;
};
struct CheckOutStarted {
  OrderId order;
  bool operator==(const CheckOutStarted&) const = default;
};
struct PriceChange {
  Item item;
  Money unit_price;
  bool operator==(const PriceChange&) const = default;
};
/// The order was rejected: the cart is open again, its catalogue lines at today's prices.
struct CartReopened {
  OrderId order;
  std::vector<PriceChange> price_changes;
  bool operator==(const CartReopened&) const = default;
};
struct CartOrdered {
  OrderId order;
  bool operator==(const CartOrdered&) const = default;
};

// ---- order and its payment (Kind::order) ----
struct OrderLine {
  Item item;
  std::int64_t quantity = 0;
  Micros unit_price;
  Pricing pricing = Pricing::catalogue;
  bool operator==(const OrderLine&) const = default;
};
/// What an order costs beside its lines.
struct Adjustment {
  enum class Kind : std::uint8_t { rounding = 1 };  // stored
  Kind kind = Kind::rounding;
  Micros amount;  // signed
  bool operator==(const Adjustment&) const = default;
};
std::string_view adjustment_text(Adjustment::Kind kind);
struct OrderPlaced {
  std::optional<CartId> cart;  // none: bought at once
  std::optional<UserId> user;
  Currency currency;
  std::vector<OrderLine> lines;
  Micros total;  // of the lines and the adjustments: what is paid
  std::string payment_method;
  std::string payment_token;
  Sealed sealed_address;
  std::optional<UnixMs> occurred_at;  // business time, where it is not the log's
  std::string
      country;  // of the address, else the user's then; not personal by itself. Empty: unknown
  std::vector<Adjustment> adjustments;
  bool operator==(const OrderPlaced&) const = default;
};
struct OrderConfirmed {
  bool operator==(const OrderConfirmed&) const = default;
};
struct OrderRejected {
  Refusal reason = Refusal::none;
  bool operator==(const OrderRejected&) const = default;
};
/// Nothing is owed any more by the check-out: holds sold or released, the payment as it must be.
struct OrderSettled {
  bool operator==(const OrderSettled&) const = default;
};
struct OrderCancelled {
  bool operator==(const OrderCancelled&) const = default;
};
struct OrderShipped {
  bool operator==(const OrderShipped&) const = default;
};
struct OrderDelivered {
  bool operator==(const OrderDelivered&) const = default;
};
struct ReturnedLine {
  std::uint32_t line = 0;  // index into the order's lines
  std::int64_t quantity = 0;
  Micros unit_price;  // what is paid back per piece
  bool operator==(const ReturnedLine&) const = default;
};
/// Where returned goods go. A return that names its lines says what is fit to sell again; one that
/// does not only says that the customer gives everything back.
enum class Goods : std::uint8_t { restocked = 0, kept_off_sale = 1 };  // stored
/// Goods of this order came back and `value` is paid back.
struct OrderReturned {
  std::uint32_t number = 0;  // 1, 2, ... within the order
  std::vector<ReturnedLine> lines;
  Micros value;
  std::optional<UnixMs> occurred_at;
  Goods goods = Goods::restocked;
  bool operator==(const OrderReturned&) const = default;
};
/// Goods came back that no order of ours explains. Makes an order that is a return from birth.
struct ReturnAccepted {
  std::optional<UserId> user;
  Currency currency;
  std::vector<OrderLine> lines;
  Micros value;
  std::string reference;
  std::optional<UnixMs> occurred_at;
  std::string country = {};  // the user's then
  bool operator==(const ReturnAccepted&) const = default;
};
/// A guest's order: what it says of a person is to become unreadable. PersonalKeyDestroyed of the
/// same order follows.
struct OrderErased {
  bool operator==(const OrderErased&) const = default;
};
/// The goods of return `number` are in stock again.
struct ReturnRestocked {
  std::uint32_t number = 0;
  bool operator==(const ReturnRestocked&) const = default;
};
struct PaymentAuthorised {
  Micros amount;
  bool operator==(const PaymentAuthorised&) const = default;
};
struct PaymentDeclined {
  bool operator==(const PaymentDeclined&) const = default;
};
struct PaymentCaptured {
  Micros amount;
  bool operator==(const PaymentCaptured&) const = default;
};
struct PaymentVoided {
  bool operator==(const PaymentVoided&) const = default;
};
struct RefundRequested {
  std::uint32_t number = 0;  // 1, 2, ... within the order
  Micros amount;
  std::optional<UnixMs> occurred_at = std::nullopt;  // of the return that it pays for
  bool operator==(const RefundRequested&) const = default;
};
struct PaymentRefunded {
  std::uint32_t number = 0;
  Micros amount;
  std::optional<UnixMs> occurred_at = std::nullopt;  // as it was requested
  bool operator==(const PaymentRefunded&) const = default;
};

// ---- any entity ----
/// A command with an idempotency key was refused: the answer that a repeat must get.
struct CommandRefused {
  Refusal reason = Refusal::none;
  bool operator==(const CommandRefused&) const = default;
};
/// A command with an idempotency key found its wish already true.
struct CommandNoted {
  bool operator==(const CommandNoted&) const = default;
};

using Payload =
    std::variant<CommandRefused, CommandNoted, UserRegistered, UserProfileChanged,
                 EmailChangeRequested, EmailAssigned, EmailRefused, FormerEmailFreed, UserErased,
                 PersonalKeyDestroyed, UserOrdered, EmailTaken, EmailFreed, KeyBound,
                 ProductDefined, ProductTakenOffSale, StockReceived, StockAdjusted, StockReserved,
                 StockClaimed, StockSold, ReservationReleased, ReservationExpired, StockReturned,
                 CartOpened, ItemAdded, ItemQuantitySet, ItemRemoved, CheckOutStarted, CartReopened,
                 CartOrdered, OrderPlaced, OrderConfirmed, OrderRejected, OrderSettled,
                 OrderCancelled, OrderShipped, OrderDelivered, OrderReturned, ReturnAccepted,
                 ReturnRestocked, PaymentAuthorised, PaymentDeclined, PaymentCaptured,
                 PaymentVoided, RefundRequested, PaymentRefunded, OrderErased>;

struct Event {
  EntityKey entity;
  Payload payload;
  bool operator==(const Event&) const = default;
};

/// 16 bytes that name a command: random, or derived from (order, step) for the check-out's own.
using CommandId = Id128;

/// How a command with an idempotency key was answered. Stored: never renumber.
enum class Outcome : std::uint8_t { ok = 0, created = 1, refused = 2 };

/// All that one command did: atomic. Its events may belong to several entities of one shard; the
/// first belongs to the entity addressed, which keeps the answer for the idempotency key.
struct Transaction {
  UnixMs at;
  CommandId cause;
  Id128 correlation;           // the order of a check-out, else the cause
  std::uint64_t key_hash = 0;  // 0: no idempotency key
  std::uint64_t request_hash = 0;
  Outcome outcome = Outcome::ok;
  std::vector<Event> events;  // 1 or more
  bool operator==(const Transaction&) const = default;
};

}  // namespace souk
