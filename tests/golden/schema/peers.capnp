@0xb0ef9cfd6cb61db4;
# What shards send each other, and what a gateway sends a shard on another node. On one node it travels as structs in
# memory; between nodes as these bytes. It only grows.
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

# A client's request on its way to the node that owns the shard. Who waits for the answer stays with the sender, under a
# ticket of the link. An older build does not see a new member: one that it must not overlook is a new command.
struct NodeRequest {
  cause @0 :Data;
  correlation @1 :Data;      # null: the cause
  keyHash @2 :UInt64;        # 0: no idempotency key
  requestHash @3 :UInt64;
  minSeq @4 :UInt64;
  bind @5 :Data;             # null: nothing is only bound
  preconditions @6 :NodePreconditions;  # null: none
  wants @7 :UInt8;           # souk::Wants
  intent @8 :UInt8;          # souk::Intent
  waitFinal @9 :Bool;
  union {
    putProduct @10 :NodePutProduct;
    delistProduct :group {
      sku @11 :Text;
    }
    receiveStock :group {
      sku @12 :Text;
      quantity @13 :Int64;
      reference @14 :Text;
    }
    adjustStock :group {
      sku @15 :Text;
      delta @16 :Int64;
      reason @17 :Text;
    }
    registerUser @18 :NodeRegisterUser;
    updateUser @19 :NodeUpdateUser;
    eraseUser :group {
      user @20 :Data;
    }
    openCart :group {
      cart @21 :Data;
      user @22 :Data;        # null: a guest
      currency @23 :Text;    # empty: the first line fixes it
    }
    addItem :group {
      cart @24 :Data;
      sku @25 :Text;
      quantity @26 :Int64;
      unitPrice @27 :PeerMoney;  # null: the catalogue's
    }
    setItem :group {
      cart @28 :Data;
      sku @29 :Text;
      quantity @30 :Int64;
    }
    removeItem :group {
      cart @31 :Data;
      sku @32 :Text;
    }
    checkOut :group {
      cart @33 :Data;
      purchase @34 :NodePurchase;
    }
    placeOrder :group {
      user @35 :Data;        # null: a guest
      lines @36 :List(NodeLine);
      purchase @37 :NodePurchase;
    }
    cancelOrder :group {
      order @38 :Data;
    }
    shipOrder :group {
      order @39 :Data;
    }
    deliverOrder :group {
      order @40 :Data;
    }
    returnOrder @41 :NodeReturn;
    refundOrder :group {
      order @42 :Data;
      amount @43 :PeerMoney; # null: all that was not paid back yet
    }
    acceptReturn :group {
      user @44 :Data;        # null: nobody known
      reference @45 :Text;
      goods @46 :NodeReturn;
    }
    eraseOrder :group {
      order @47 :Data;
    }
    getProduct :group {
      sku @48 :Text;
    }
    getStock :group {
      sku @49 :Text;
    }
    getUser :group {
      user @50 :Data;
    }
    getUserOrders :group {
      user @51 :Data;
      before @52 :Data;      # null: from the newest
      limit @53 :UInt16;
    }
    getCart :group {
      cart @54 :Data;
    }
    getOrder :group {
      order @55 :Data;
    }
  }
}

struct NodePreconditions {
  match @0 :UInt8;           # souk::Preconditions::Of
  noneMatch @1 :UInt8;
  matches @2 :List(UInt64);
  noneMatches @3 :List(UInt64);
}
struct NodeAttribute {
  name @0 :Text;
  value @1 :Text;
}
struct NodePutProduct {
  sku @0 :Text;
  name @1 :Text;
  description @2 :Text;
  brand @3 :Text;
  category @4 :List(Text);
  attributes @5 :List(NodeAttribute);
  price @6 :PeerMoney;
  active @7 :Bool;
  images @8 :List(Text);
  barcode @9 :Text;
  group @10 :Text;
  options @11 :List(NodeAttribute);
}
struct NodeRegisterUser {
  user @0 :Data;
  email @1 :Data;            # its keyed hash
  sealedEmail @2 :Data;
  sealedName @3 :Data;
  country @4 :Text;
}
# Null: stays as it is.
struct NodeUpdateUser {
  user @0 :Data;
  email @1 :Data;            # its keyed hash
  sealedEmail @2 :Data;      # with `email`
  sealedName @3 :Data;
  country @4 :Text;
}
# What a check-out and buying now have in common.
struct NodePurchase {
  order @0 :Data;            # the id that it will have
  method @1 :Text;
  token @2 :Text;
  sealedAddress @3 :Data;
  country @4 :Text;          # of the address
  occurredAtSet @5 :Bool;
  occurredAt @6 :Int64;      # UnixMs
}
struct NodeLine {
  sku @0 :Text;
  quantity @1 :Int64;
  unitPrice @2 :PeerMoney;   # of what comes back; null: what was paid
}
struct NodeReturn {
  order @0 :Data;
  lines @1 :List(NodeLine);
  occurredAtSet @2 :Bool;
  occurredAt @3 :Int64;      # UnixMs
}

# What a shard answers.
struct NodeReply {
  code @0 :UInt8;            # souk::ReplyCode
  refusal @1 :UInt16;        # souk::Refusal
  detail @2 :UInt8;          # of illegal_state: souk::OrderStatus
  replayed @3 :Bool;
  op @4 :Text;               # its name: `add_item`
  entity @5 :PeerEntity;     # null: none
  version @6 :UInt64;
  besideVersion @7 :UInt64;
  shard @8 :UInt16;
  seq @9 :UInt64;
  alsoOn @10 :List(UInt16);  # shards
  currency @11 :Text;        # empty: none
  body @12 :Data;            # JSON, still without what is sealed
  sealed @13 :List(NodeSealed);  # ascending by offset
}
struct NodeSealed {
  offset @0 :UInt32;         # in the body: there goes what is opened
  person @1 :PeerEntity;     # whose key opens it
  sealed @2 :Data;
  raw @3 :Bool;              # it is JSON already
}

# What a client asks read models, from a node that has none to one that has them.
struct NodeQuestion {
  target @0 :Text;           # path and query of the GET, as the client sent them
  form @1 :UInt8;            # souk::AnswerForm
  shards @2 :List(UInt16);   # Souk-Min-Position: this shard has
  seqs @3 :List(UInt64);     # come to that number
}
# The response to it, but for its body, which stands behind this as it is.
struct NodeAnswer {
  status @0 :UInt16;
  contentType @1 :UInt8;     # 0 JSON, 1 a problem, 2 CSV
  etag @2 :UInt64;
  position @3 :Text;         # Souk-Position; empty: none
  replayed @4 :Bool;
  truncated @5 :Bool;
  retryAfterS @6 :UInt32;
  location @7 :Text;
  bodyBytes @8 :UInt32;      # so many follow
}
