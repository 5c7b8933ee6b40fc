@0xb0ef9cfd6cb61db4;
# What shards send each other. On one node it travels as structs in memory; between nodes as these bytes.
# It only grows.
using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("souk::schema");

struct PeerMessage {
  shard @0 :UInt16;          # of the sender
  epoch @1 :UInt64;          # of the sender when it sent this; an older one than seen before: dropped
  seq @2 :UInt64;            # counts the messages of that sender in that epoch, from 1
  union {
    stockStep @3 :StockStep;
    stockAnswer @4 :StockAnswer;
    emailStep @5 :EmailStep;
    emailAnswer @6 :EmailAnswer;
    quoteWanted @7 :QuoteWanted;
    quoteReady @8 :QuoteReady;
  }
  sentAt @9 :Int64;          # UnixMs of the sender; no receiver's clock stays behind it
}

struct PeerEntity {
  kind @0 :UInt8;            # souk::Kind
  id @1 :Data;
}
struct PeerMoney {
  micros @0 :Int64;
  currency @1 :Text;
}

# An order's process asks a SKU. Repeated until it is answered; safe to repeat at any time, and to come late.
struct StockStep {
  sku @0 :Text;
  order @1 :Data;
  union {
    reserve :group {
      quantity @2 :Int64;
      price @3 :PeerMoney;   # null: a fixed price
      holdMs @4 :Int64;
    }
    claim @5 :Void;
    sell @6 :Void;
    release @7 :Void;
    restock :group {
      number @8 :UInt32;
      returned @9 :Int64;
    }
  }
  askedAt @10 :Int64;        # UnixMs of the sender; of reserve and release
}
struct StockAnswer {
  sku @0 :Text;
  order @1 :Data;
  step @2 :UInt8;            # 1 reserve, 2 claim, 3 sell, 4 release, 5 restock
  refused @3 :Bool;
  refusal @4 :UInt16;        # souk::Refusal
  changedName @5 :Text;      # of price_changed: what the product is now
  changedPrice @6 :PeerMoney;
  unavailable @7 :Bool;      # asked for too long ago: ask anew
  number @8 :UInt32;         # of restock
}

# A user's process asks the index of addresses. Repeated until it is answered; safe to repeat and to come late.
struct EmailStep {
  email @0 :Data;
  user @1 :Data;
  frees @2 :Bool;            # else it claims
  number @3 :UInt64;         # of the user's version: which question it is
  askedAt @4 :Int64;         # UnixMs of the sender
}
struct EmailAnswer {
  email @0 :Data;
  user @1 :Data;
  frees @2 :Bool;
  refused @3 :Bool;
  number @4 :UInt64;         # of the step
}

# A command at `target` needs a price. Asked again until it comes, or the command is answered 503.
struct QuoteWanted {
  sku @0 :Text;
  target @1 :PeerEntity;
}
struct QuoteReady {
  sku @0 :Text;
  target @1 :PeerEntity;
  unreadable @2 :Bool;       # the catalogue cannot be read now
  standing @3 :UInt8;        # souk::Quote::Standing
  name @4 :Text;
  price @5 :PeerMoney;
}
