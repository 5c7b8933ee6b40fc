@0xb1c7a3e5d2f04681;
# What is stored in the journal (and sent through Kafka): schema/README.md tells the rules.
# It only grows: never renumber, retype or delete; `tools/dev check` compares with tests/golden.
using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("souk::schema");

struct Batch {
  transactions @0 :List(Transaction);
}

struct Transaction {
  at @0 :Int64;              # UnixMs
  cause @1 :Data;            # 16 bytes
  correlation @2 :Data;      # 16 bytes; empty: the same as cause
  keyHash @3 :UInt64;        # 0: none
  requestHash @4 :UInt64;
  outcome @5 :UInt8;         # souk::Outcome
  events @6 :List(Event);
}

struct Money {
  micros @0 :Int64;
  currency @1 :Text;         # empty: none
}


struct Event {
  kind @0 :UInt8;            # souk::Kind of the entity
  id @1 :Data;               # its id: 16 bytes, or the SKU
  union {
    commandRefused @2 :CommandRefused;
    commandNoted @3 :Void;
    userRegistered @4 :UserRegistered;
    userProfileChanged @5 :UserProfileChanged;
    emailChangeRequested @6 :EmailChangeRequested;
    emailAssigned @7 :Void;
    emailRefused @8 :Void;
    formerEmailFreed @9 :Data;          # EmailHash
    userErased @10 :Void;
    personalKeyDestroyed @11 :Void;
    userOrdered @12 :Data;              # OrderId
    emailTaken @13 :Data;               # UserId
    emailFreed @14 :Data;               # UserId
    keyBound @15 :KeyBound;
    productDefined @16 :ProductDefined;
    productTakenOffSale @17 :Void;
    stockReceived @18 :StockReceived;
    stockAdjusted @19 :StockAdjusted;
    stockReserved @20 :StockReserved;
    stockClaimed @21 :Data;             # OrderId
    stockSold @22 :StockMoved;
    reservationReleased @23 :StockMoved;
    reservationExpired @24 :StockMoved;
    stockReturned @25 :StockReturned;
    cartOpened @26 :CartOpened;
    itemAdded @27 :Item;
    itemQuantitySet @28 :Item;
    itemRemoved @29 :Text;              # SKU
    checkOutStarted @30 :Data;          # OrderId
    cartReopened @31 :CartReopened;
    cartOrdered @32 :Data;              # OrderId
    orderPlaced @33 :OrderPlaced;
    orderConfirmed @34 :Void;
    orderRejected @35 :UInt16;          # souk::Refusal
    orderSettled @36 :Void;
    orderCancelled @37 :Void;
    orderShipped @38 :Void;
    orderDelivered @39 :Void;
    orderReturned @40 :OrderReturned;
    returnAccepted @41 :ReturnAccepted;
    returnRestocked @42 :UInt32;        # number
    paymentAuthorised @43 :Int64;       # micros
    paymentDeclined @44 :Void;
    paymentCaptured @45 :Int64;         # micros
    paymentVoided @46 :Void;
    refundRequested @47 :Refund;
    paymentRefunded @48 :Refund;
    orderErased @49 :Void;
  }
}

struct CommandRefused { reason @0 :UInt16; }

struct UserRegistered {
  email @0 :Data;
  sealedEmail @1 :Data;
  sealedName @2 :Data;
  country @3 :Text;
}
struct UserProfileChanged {
  nameSet @0 :Bool;
  sealedName @1 :Data;
  countrySet @2 :Bool;
  country @3 :Text;
}
struct EmailChangeRequested {
  email @0 :Data;
  sealedEmail @1 :Data;
}
struct KeyBound {
  kind @0 :UInt8;
  id @1 :Data;
  requestHash @2 :UInt64;
}

struct ProductDefined {
  name @0 :Text;
  description @1 :Text;
  brand @2 :Text;
  category @3 :List(Text);
  attributes @4 :List(Attribute);
  price @5 :Money;
  active @6 :Bool;
  images @7 :List(Text);     # addresses, the first is shown first
  barcode @8 :Text;          # a GTIN; empty: none
  group @9 :Text;            # variants of one thing have the same; empty: none
  options @10 :List(Attribute);  # what makes this one of its group
}
struct Attribute {
  name @0 :Text;
  value @1 :Text;
}
struct StockReceived {
  quantity @0 :Int64;
  reference @1 :Text;
}
struct StockAdjusted {
  delta @0 :Int64;
  reason @1 :Text;
}
struct StockReserved {
  order @0 :Data;
  quantity @1 :Int64;
  expiresAt @2 :Int64;       # UnixMs
}
struct StockMoved {
  order @0 :Data;
  quantity @1 :Int64;
}
struct StockReturned {
  order @0 :Data;
  number @1 :UInt32;
  quantity @2 :Int64;
}

struct CartOpened {
  user @0 :Data;             # UserId; empty: a guest
  currency @1 :Text;
}
struct Item {
  sku @0 :Text;
  name @1 :Text;
  quantity @2 :Int64;
  micros @3 :Int64;          # unit price
  currency @4 :Text;
  pricing @5 :UInt8;         # souk::Pricing
}
struct PriceChange {
  sku @0 :Text;
  name @1 :Text;
  price @2 :Money;
}
struct CartReopened {
  order @0 :Data;
  priceChanges @1 :List(PriceChange);
}

struct OrderLine {
  sku @0 :Text;
  name @1 :Text;
  quantity @2 :Int64;
  micros @3 :Int64;
  pricing @4 :UInt8;
}
struct OrderPlaced {
  cart @0 :Data;
  user @1 :Data;
  currency @2 :Text;
  lines @3 :List(OrderLine);
  total @4 :Int64;
  paymentMethod @5 :Text;
  paymentToken @6 :Text;
  sealedAddress @7 :Data;
  occurredAtSet @8 :Bool;
  occurredAt @9 :Int64;
  country @10 :Text;         # where it goes, of the address, else the user's then: not sealed
  adjustments @11 :List(Adjustment);  # their sum and that of the lines is the total
}
struct Adjustment {
  kind @0 :UInt8;            # souk::Adjustment::Kind
  micros @1 :Int64;          # signed
}
struct ReturnedLine {
  line @0 :UInt32;
  quantity @1 :Int64;
  micros @2 :Int64;
}
struct OrderReturned {
  number @0 :UInt32;
  lines @1 :List(ReturnedLine);
  value @2 :Int64;
  occurredAtSet @3 :Bool;
  occurredAt @4 :Int64;
  goods @5 :UInt8;           # souk::Goods
}
struct ReturnAccepted {
  user @0 :Data;
  currency @1 :Text;
  lines @2 :List(OrderLine);
  value @3 :Int64;
  reference @4 :Text;
  occurredAtSet @5 :Bool;
  occurredAt @6 :Int64;
  country @7 :Text;          # the user's then
}
struct Refund {
  number @0 :UInt32;
  micros @1 :Int64;
  occurredAtSet @2 :Bool;    # of the return that it pays for
  occurredAt @3 :Int64;
}
