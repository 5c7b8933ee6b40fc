@0xb6938acceb5541f9;
# What the state store keeps of each hosted entity, behind a version byte, packed.
# It only grows within a version byte. A list of ids is one Data of 16 bytes each.
using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("souk::schema");

struct State {
  union {
    none @0 :Void;
    sku @1 :SkuState;
    user @2 :UserState;
    cart @3 :CartState;
    order @4 :OrderState;
    email @5 :EmailState;
    key @6 :KeyState;
  }
}

struct StoredAnswer {
  keyHash @0 :UInt64;
  requestHash @1 :UInt64;
  at @2 :Int64;              # UnixMs
  version @3 :UInt32;
  refusal @4 :UInt16;        # souk::Refusal
  outcome @5 :UInt8;         # souk::Outcome
  detail @6 :UInt8;
  versionHigh @7 :UInt16;    # bits 32 to 47
}

# ---- sku ----
struct SkuState {
  product @0 :StoredProduct; # null: never defined
  inventory @1 :StoredInventory;
  answers @2 :List(StoredAnswer);
  figures @3 :List(StoredFigures);
}
struct StoredAttribute {
  name @0 :Text;
  value @1 :Text;
}
struct StoredProduct {
  name @0 :Text;
  description @1 :Text;
  brand @2 :Text;
  category @3 :List(Text);
  attributes @4 :List(StoredAttribute);
  micros @5 :Int64;
  currency @6 :Text;
  active @7 :Bool;
  defined @8 :Bool;
  version @9 :UInt64;
  images @10 :List(Text);
  barcode @11 :Text;
  group @12 :Text;
  options @13 :List(StoredAttribute);
}
struct StoredInventory {
  known @0 :Bool;
  onHand @1 :Int64;
  reserved @2 :Int64;
  received @3 :Int64;
  adjusted @4 :Int64;
  returned @5 :Int64;
  sold @6 :Int64;
  version @7 :UInt64;
  holdOrders @8 :Data;       # ascending; the lists beside it are by the same index
  holdQuantities @9 :List(Int64);
  holdExpiries @10 :List(Int64);
  holdClaims @11 :List(Bool);
  bookedReturns @12 :List(StoredBookedReturn);
  lastEnd @13 :Int64;        # UnixMs of the last order that was sold or released; what was asked for by then is late
}
struct StoredBookedReturn {
  order @0 :Data;
  number @1 :UInt32;
  at @2 :Int64;
}
struct StoredFigures {
  onHand @0 :Int64;
  reserved @1 :Int64;
  version @2 :UInt32;
  versionHigh @3 :UInt32;
}

# ---- user, email, key ----
struct UserState {
  status @0 :UInt8;          # souk::UserStatus
  keyToDestroy @1 :Bool;
  email @2 :Data;            # EmailHash; empty: none
  profile @3 :StoredProfile;
  pending @4 :StoredPendingEmail;  # null: none
  toFree @5 :Data;           # EmailHashes
  earlier @6 :List(StoredProfile);
  orders @7 :Data;           # OrderIds
  version @8 :UInt64;
  answers @9 :List(StoredAnswer);
  asked @10 :UInt64;         # the version that names the steps to addresses
}
struct StoredProfile {
  sealedEmail @0 :Data;
  sealedName @1 :Data;
  country @2 :Text;
  version @3 :UInt32;
}
struct StoredPendingEmail {
  hash @0 :Data;
  sealed @1 :Data;
}
struct EmailState {
  user @0 :Data;             # UserId; empty: free
  changedAt @1 :Int64;       # UnixMs; 0: never
}
struct KeyState {
  kind @0 :UInt8;            # souk::Kind; 0: free
  id @1 :Data;
  requestHash @2 :UInt64;
  at @3 :Int64;
  left @4 :StoredLeftAnswer; # null: none
  page @5 :CartState;        # null: none; has no answers
}
struct StoredLeftAnswer {
  answer @0 :StoredAnswer;
  figures @1 :StoredFigures; # null: none
  profile @2 :StoredProfile; # null: none
  page @3 :UInt64;           # 0: none
}

# ---- cart ----
struct CartState {
  status @0 :UInt8;          # souk::CartStatus
  currency @1 :Text;
  user @2 :Data;             # UserId; empty: a guest
  order @3 :Data;            # OrderId; empty: none
  lines @4 :List(StoredCartLine);
  total @5 :Int64;
  version @6 :UInt64;
  undo @7 :List(StoredCartUndo);
  answers @8 :List(StoredAnswer);
}
struct StoredCartLine {
  sku @0 :Text;
  name @1 :Text;
  micros @2 :Int64;
  quantity @3 :Int32;
  pricing @4 :UInt8;         # souk::Pricing
}
struct StoredCartUndo {
  version @0 :UInt32;
  line @1 :UInt32;
  what @2 :UInt8;            # souk::CartUndo::What
  status @3 :UInt8;
  before @4 :StoredCartLine; # null unless a line comes back
  order @5 :Data;            # empty: none
  currency @6 :Text;         # empty: none
}

# ---- order ----
struct OrderState {
  status @0 :UInt8;          # souk::OrderStatus
  settled @1 :Bool;
  reason @2 :UInt16;         # souk::Refusal
  occurredAtSet @3 :Bool;
  cart @4 :Data;
  user @5 :Data;
  currency @6 :Text;
  lines @7 :List(StoredOrderLine);
  total @8 :Int64;
  paymentMethod @9 :Text;
  paymentToken @10 :Text;
  sealedAddress @11 :Data;
  occurredAt @12 :Int64;
  placedAt @13 :Int64;
  payment @14 :StoredPayment;
  returns @15 :List(StoredReturn);
  history @16 :List(StoredStep);
  version @17 :UInt64;
  answers @18 :List(StoredAnswer);
  adjustments @19 :List(StoredAdjustment);
  erased @20 :Bool;          # a guest's
  keyToDestroy @21 :Bool;
}
struct StoredOrderLine {
  sku @0 :Text;
  name @1 :Text;
  quantity @2 :Int64;
  micros @3 :Int64;
  pricing @4 :UInt8;
}
struct StoredAdjustment {
  kind @0 :UInt8;            # souk::Adjustment::Kind
  micros @1 :Int64;
}
struct StoredPayment {
  status @0 :UInt8;          # souk::PaymentStatus
  refunds @1 :UInt32;
  captured @2 :Int64;
  refundPromised @3 :Int64;
  refunded @4 :Int64;
  due @5 :List(StoredRefund);
}
struct StoredRefund {
  number @0 :UInt32;
  micros @1 :Int64;
  occurredAtSet @2 :Bool;
  occurredAt @3 :Int64;
}
struct StoredReturn {
  number @0 :UInt32;
  version @1 :UInt32;
  restocked @2 :Bool;
  lines @3 :List(StoredReturnedLine);
  value @4 :Int64;
}
struct StoredReturnedLine {
  line @0 :UInt32;
  quantity @1 :Int64;
  micros @2 :Int64;
}
struct StoredStep {
  what @0 :UInt8;            # souk::OrderStep::What
  status @1 :UInt8;
  payment @2 :UInt8;
  version @3 :UInt32;
  at @4 :Int64;
}
